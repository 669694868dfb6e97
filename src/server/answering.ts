import type { Exchange } from './exchange.ts'
import type { RpcAnswer, Sink } from './multiplexer.ts'
import { EventStream, type Reply, rpcReply } from './reply.ts'
import { rpcCode } from './rpc-error.ts'
import type { JsonObject } from './types.ts'

/** What became of a request. */
export type Outcome =
  /** To be sent. */
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** `exchange.refused` says why; nothing has left yet. */
  | { readonly kind: 'refused' }

/** Where messages go that cannot wait for the answer. */
export interface Outlet {
  /** What is sent over HTTP. */
  readonly stream: EventStream
  send(message: object): void
  end(): void
}

/** Collects the messages of one request into its HTTP answer: JSON, unless something is sent before the answer. */
export interface Answering extends Sink {
  readonly outcome: Promise<Outcome>
  /** Whether it has become a stream. */
  readonly isStream: boolean
  /** Whether the protocol engine has refused the message by its looks, before anything has run. */
  readonly isEarly: boolean
  /** Ends it because nobody is there to be answered. */
  left(): void
}

/**
 * Makes an {@link Answering}. Whoever sends progress or a log line before the answer makes a stream of it; up to then a
 * refusal can still become an HTTP status.
 *
 * @param open makes the stream. Default: one that ends with its reader
 */
export function answering(exchange: Exchange, open: () => Outlet = plainOutlet): Answering {
  return new HttpAnswering(exchange, open)
}

/** An {@link Outlet} that is nothing but its stream. */
export function plainOutlet(): Outlet {
  const stream = new EventStream()
  return { stream, send: (message) => stream.send(message), end: () => stream.end() }
}

/** What is not sent to anybody, under the status that servers log for it. */
const nobody: Outcome = { kind: 'reply', reply: { status: 499, headers: {}, body: '' } }

/** A class, because there is one for each request. */
class HttpAnswering implements Answering {
  readonly outcome: Promise<Outcome>
  isEarly = false
  readonly #exchange: Exchange
  readonly #open: () => Outlet
  #resolve: (outcome: Outcome) => void = () => {}
  #outlet: Outlet | undefined

  constructor(exchange: Exchange, open: () => Outlet) {
    this.#exchange = exchange
    this.#open = open
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get isStream(): boolean {
    return this.#outlet !== undefined
  }

  left(): void {
    this.#outlet?.end()
    this.#resolve(nobody)
  }

  message(message: JsonObject): void {
    if (!this.#outlet) {
      this.#outlet = this.#open()
      this.#resolve({ kind: 'reply', reply: this.#outlet.stream })
    }
    this.#outlet.send(message)
  }

  answer(answer: RpcAnswer, early: boolean): void {
    this.isEarly = early
    if (this.#outlet) {
      this.#outlet.send(answer)
      this.#outlet.end()
    } else if (this.#exchange.refused) this.#resolve({ kind: 'refused' })
    else this.#resolve({ kind: 'reply', reply: rpcReply(answer, statusOf(answer)) })
  }
}

/** A capability the client lacks is the one failure of a handler with a status (MCP "Error Codes"). */
function statusOf({ error }: RpcAnswer): number {
  return error?.code === rpcCode.missingClientCapability ? 400 : 200
}
