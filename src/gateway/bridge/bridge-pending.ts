import { errorAnswer } from './bridge-errors.ts'
import { type Listening, listening } from './bridge-listening.ts'
import {
  cancelled,
  failed,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
  revisionOf,
} from './bridge-words.ts'

/** Requests under way at one time, and bytes of them. */
const mostPending = 1_024
const mostBytes = 64 * 1024 * 1024

/** JSON-RPC 2.0 section 5.1. */
const invalidRequest = -32_600

/** What {@link PendingRequests} work with. */
export interface PendingContext {
  readonly ask: (request: RpcRequest, signal: AbortSignal) => Promise<RpcMessage | undefined>
  /** To the host. */
  readonly write: (message: RpcMessage) => void
  /** To the server. */
  readonly tell: (message: RpcMessage) => void
  /** What messages call the server. */
  readonly label: string
  /** What to do about a refused or missing credential. */
  readonly advice: string | undefined
  /** Milliseconds in which a request must be answered; 0 leaves that to the host. */
  readonly timeoutMs: number
}

interface Pending {
  readonly request: RpcRequest
  readonly bytes: number
  readonly controller: AbortController
  readonly listening: Listening | undefined
  timer: NodeJS.Timeout | undefined
}

/** The requests of the host that wait for their answers. Each gets one, unless the host gives it up. */
export class PendingRequests {
  readonly #context: PendingContext
  readonly #all = new Map<RpcId, Pending>()
  readonly #idle = new Set<() => void>()
  #bytes = 0

  constructor(context: PendingContext) {
    this.#context = context
  }

  /** Whether the host waits for that answer. */
  has(id: RpcId): boolean {
    return this.#all.has(id)
  }

  /** The subscription with that id. */
  listening(id: RpcId | undefined): Listening | undefined {
    return id === undefined ? undefined : this.#all.get(id)?.listening
  }

  begin(request: RpcRequest, bytes: number): void {
    const { id } = request
    if (this.#all.has(id)) this.#refuse(id, invalidRequest, 'A request with this id is under way.')
    else if (this.#all.size >= mostPending || this.#bytes + bytes > mostBytes) {
      this.#refuse(id, failed, 'There are too many requests under way. Wait for some of their answers.')
    } else this.#start(request, bytes)
  }

  #start(request: RpcRequest, bytes: number): void {
    const { id } = request
    const { ask, write, timeoutMs, label, advice } = this.#context
    const controller = new AbortController()
    const { signal } = controller
    const isListen = request.method === 'subscriptions/listen'
    const one: Pending = {
      request,
      bytes,
      controller,
      listening: isListen ? listening(request, () => ask(request, signal), write, signal) : undefined,
      timer: timeoutMs > 0 && !isListen ? setTimeout(() => this.#late(one), timeoutMs) : undefined,
    }
    this.#all.set(id, one)
    this.#bytes += bytes
    const work = one.listening?.run() ?? ask(request, signal)
    work.then(
      (answer) =>
        this.#finish(one, answer ? { ...answer, id } : errorAnswer(id, new Error(none), label, undefined)),
      (error: unknown) => this.#finish(one, errorAnswer(id, error, label, advice)),
    )
  }

  /** The host does not wait any more (MCP "Cancellation"). */
  cancel(message: RpcMessage): void {
    const one = this.#all.get(message.params?.requestId as RpcId)
    if (one) this.#giveUp(one, message)
  }

  /** Resolves when no request waits, subscriptions aside. */
  async idle(): Promise<void> {
    const resting = new Promise<void>((resolve) => this.#idle.add(resolve))
    this.#settle()
    await resting
  }

  /** Answers all that wait, and gives them up. */
  abort(): void {
    for (const one of [...this.#all.values()]) {
      this.#finish(one, errorAnswer(one.request.id, new Error(over), this.#context.label, undefined))
      one.controller.abort()
    }
  }

  #refuse(id: RpcId, code: number, message: string): void {
    this.#context.write({ jsonrpc: '2.0', id, error: { code, message } })
  }

  /** The end of a request: its answer, unless it was given up. */
  #finish(one: Pending, answer: RpcMessage | undefined): void {
    const { id } = one.request
    if (this.#all.get(id) !== one) return
    clearTimeout(one.timer)
    this.#all.delete(id)
    this.#bytes -= one.bytes
    if (answer) this.#context.write(answer)
    this.#settle()
  }

  #giveUp(one: Pending, cancellation: RpcMessage): void {
    // In 2026-07-28 the end of its stream says it (MCP transports, "Cancellation").
    const isOfSession = revisionOf(one.request) === undefined
    if (isOfSession && one.request.method !== 'initialize') this.#context.tell(cancellation)
    this.#finish(one, undefined)
    one.controller.abort()
  }

  #late(one: Pending): void {
    const { label, timeoutMs } = this.#context
    const { id } = one.request
    const words = `${label} gave no answer within ${timeoutMs / 1000} s. It may have done what it was asked.`
    this.#finish(one, { jsonrpc: '2.0', id, error: { code: failed, message: words } })
    this.#giveUp(one, cancelled(id, 'It took too long'))
  }

  #settle(): void {
    if ([...this.#all.values()].some((one) => !one.listening)) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }
}

const none = 'There is no answer.'
const over = 'The connection was closed before the answer came. The server may have done what it was asked.'
