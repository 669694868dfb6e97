import type { AccessToken } from '../core/index.ts'
import type { HandlerContext, LogLevel } from './types.ts'

/** What the protocol side gives for one request. */
export interface ProtocolContext {
  readonly requestId: string | number
  readonly signal: AbortSignal
  readonly progressToken: string | number | undefined
  notify(notification: { method: string; params: Record<string, unknown> }): Promise<void>
  log(level: LogLevel, data: unknown): Promise<void>
}

/** The {@link HandlerContext} of one request. The caller's signal and the time limit meet in one signal, made when asked for. */
export class CallContext implements HandlerContext {
  readonly auth: AccessToken | undefined
  readonly #protocol: ProtocolContext
  #own: AbortController | undefined

  constructor(auth: AccessToken | undefined, protocol: ProtocolContext) {
    this.auth = auth
    this.#protocol = protocol
  }

  get requestId(): string | number {
    return this.#protocol.requestId
  }

  get signal(): AbortSignal {
    if (!this.#own) {
      const own = new AbortController()
      const { signal } = this.#protocol
      if (signal.aborted) own.abort(signal.reason)
      else signal.addEventListener('abort', () => own.abort(signal.reason), { once: true })
      this.#own = own
    }
    return this.#own.signal
  }

  /** Gives the request up: its signal is aborted. */
  abort(reason: Error): void {
    void this.signal
    this.#own?.abort(reason)
  }

  async progress(progress: number, total?: number, message?: string): Promise<void> {
    const { progressToken } = this.#protocol
    if (progressToken === undefined) return
    const params = {
      progressToken,
      progress,
      ...(total !== undefined && { total }),
      ...(message !== undefined && { message }),
    }
    await delivered(() => this.#protocol.notify({ method: 'notifications/progress', params }))
  }

  async log(level: LogLevel, data: unknown): Promise<void> {
    await delivered(() => this.#protocol.log(level, data))
  }
}

/**
 * Sends what nobody has to wait for. It fails when the caller has left, or when JSON cannot hold it; a handler that does
 * not wait for it must not take the process down with an unhandled rejection.
 */
async function delivered(send: () => Promise<void>): Promise<void> {
  try {
    await send()
  } catch {
    // The call itself goes on, or is aborted by its signal.
  }
}
