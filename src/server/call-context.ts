import type { ServerContext } from '@modelcontextprotocol/server'
import type { AccessToken } from '../core/index.ts'
import { toAuthInfo } from '../http/auth-info.ts'
import { principalKey } from './component.ts'
import type { InputChannel } from './input.ts'
import type { Elicitation, ElicitationAnswer, Root, Sampling, SamplingAnswer } from './input-types.ts'
import { isThenable } from './thenable.ts'
import type { HandlerContext, JsonObject, LogLevel, ResourceContext } from './types.ts'

/** What the protocol side gives for one request. */
export interface ProtocolContext {
  readonly requestId: string | number
  readonly signal: AbortSignal
  readonly progressToken: string | number | undefined
  /** How the client is asked for something. */
  readonly input: InputChannel
  /** The same on behalf of somebody else: what one principal has answered is no answer of another. */
  inputFor(principal: string): InputChannel
  readonly clientCapabilities: JsonObject
  /** The context of the protocol engine. */
  readonly mcp: ServerContext
  notify(notification: { method: string; params: Record<string, unknown> }): Promise<void>
  log(level: LogLevel, data: unknown): Promise<void>
}

/** The {@link HandlerContext} of one request. The caller's signal and the time limit meet in one signal, made when asked for. */
export class CallContext implements HandlerContext {
  readonly auth: AccessToken | undefined
  /** Set for the reading of a resource. */
  declare uri?: string
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

  get clientCapabilities(): JsonObject {
    return this.#protocol.clientCapabilities
  }

  get mcp(): ServerContext {
    return this.#protocol.mcp
  }

  /** Gives the request up: its signal is aborted. */
  abort(reason: Error): void {
    void this.signal
    this.#own?.abort(reason)
  }

  /** This context for the reading of one URI. */
  reading(uri: string): ResourceContext {
    return Object.assign(this, { uri })
  }

  /** The same request for somebody else: how a mounted server knows the caller. */
  as(auth: AccessToken | undefined): CallContext {
    const outer = this
    const principal = principalKey({ auth })
    let own: InputChannel | undefined
    const protocol = this.#protocol
    const { requestId, progressToken } = protocol
    return new CallContext(auth, {
      requestId,
      progressToken,
      notify: (notification) => protocol.notify(notification),
      log: (level, data) => protocol.log(level, data),
      get input() {
        own ??= outer.#protocol.inputFor(principal)
        return own
      },
      inputFor: (inside) => outer.#protocol.inputFor(inside),
      get signal() {
        return outer.signal
      },
      get clientCapabilities() {
        return outer.clientCapabilities
      },
      get mcp() {
        return identified(outer.mcp, auth)
      },
    })
  }

  /** What a handler returned, or the end of the call because the client has to be asked first. */
  orSuspended<T>(returned: T | PromiseLike<T>): T | Promise<T> {
    if (!isThenable(returned)) return returned
    const { suspension } = this.#protocol.input
    return suspension ? Promise.race([returned, suspension]) : Promise.resolve(returned)
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

  elicit<Content>(question: Elicitation): Promise<ElicitationAnswer<Content>> {
    return mayFail(this.#protocol.input.elicit(question)) as Promise<ElicitationAnswer<Content>>
  }

  sample(question: Sampling): Promise<SamplingAnswer> {
    return mayFail(this.#protocol.input.sample(question))
  }

  roots(): Promise<readonly Root[]> {
    return mayFail(this.#protocol.input.roots())
  }
}

/** A handler that asks and does not wait must not take the process down with an unhandled rejection. */
function mayFail<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {})
  return answer
}

/** The same with who calls. */
function identified({ http, ...mcp }: ServerContext, auth: AccessToken | undefined): ServerContext {
  if (!http) return mcp
  const { authInfo, ...rest } = http
  return { ...mcp, http: { ...rest, ...(auth && { authInfo: toAuthInfo(auth) }) } }
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
