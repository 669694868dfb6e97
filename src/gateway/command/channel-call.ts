import { EventStream, type Reply, rpcReply } from '../../server/reply.ts'
import { rpcErrorMessage } from '../../server/rpc-error.ts'
import type { RpcId, RpcMessage, RpcRequest } from '../message.ts'
import { type Passage, UpstreamError } from '../upstream.ts'
import type { Asker, Channel } from './channel.ts'
import { isObject, metaOf, progressTokenOf } from './channel-ids.ts'

/** Whom a call belongs to. */
export interface CallOwner {
  /** Nothing comes any more. */
  over(call: ClientCall): void
  /** The client is not there to be answered. */
  left(call: ClientCall): void
}

/** How calls of one kind are answered. */
export interface CallTerms {
  /** Whether a protocol failure is an HTTP status, too (MCP 2026-07-28 "Error Codes"). */
  readonly hasStatus: boolean
  /** Of an answer that is no error. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Milliseconds after which a call is answered with a stream: proxies end a connection on which nothing comes. */
const patience = 10_000

/** Has no end: its answer says that there will be no more (MCP 2026-07-28 `subscriptions/listen`). */
const listenMethod = 'subscriptions/listen'

/**
 * A client's request on its way to the server and back. The answer is JSON, unless something has to be sent before it or
 * it takes long. A class, because there is one for each request.
 */
export class ClientCall implements Asker {
  readonly id: RpcId
  readonly method: string
  /** Characters of its body: so much is held until it is over. */
  readonly size: number
  readonly progressToken: RpcId | undefined
  /** Rejects with an `UpstreamError`. */
  readonly reply: Promise<Reply>
  /** Whether it waits for whatever comes, and has no end. */
  readonly isStanding: boolean
  /** Whether it wants the lines of the server's log. */
  readonly wantsLog: boolean
  /** Set once it is under way, with the id it has there. */
  sent: { readonly channel: Channel; readonly own: number } | undefined
  isOver = false
  hasLeft = false
  /** Told what became of it. */
  onAnswer: ((isGood: boolean) => void) | undefined
  readonly #startedAt: number
  /** When the server was known to work on it; `undefined` when it has shown that it does since somebody looked. */
  #heardAt: number | undefined
  readonly #review: Passage['review']
  readonly #owner: CallOwner
  readonly #terms: CallTerms
  #stream: EventStream | undefined
  #resolve: (reply: Reply) => void = () => {}
  #reject: (error: UpstreamError) => void = () => {}

  constructor(passage: Passage, message: RpcRequest, owner: CallOwner, terms: CallTerms, now: number) {
    this.id = message.id
    this.method = message.method
    this.size = passage.body?.length ?? 0
    this.progressToken = progressTokenOf(message)
    this.isStanding = message.method === listenMethod
    this.wantsLog = metaOf(message)['io.modelcontextprotocol/logLevel'] !== undefined
    this.#startedAt = now
    this.#heardAt = now
    this.#review = passage.review
    this.#owner = owner
    this.#terms = terms
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    passage.incoming.onLeave(() => this.#left())
  }

  /** Whether something can be sent to the client with it. */
  get isReachable(): boolean {
    return !this.isOver && !this.hasLeft
  }

  /** Sends it. Does nothing when it was given up in the meantime. */
  dispatch(channel: Channel, message: RpcMessage): void {
    if (this.isOver) return
    try {
      this.sent = { channel, own: channel.ask(message, this) }
    } catch (error) {
      this.fail(asUpstreamError(error))
    }
  }

  message(message: RpcMessage): void {
    this.#heardAt = undefined
    if (!this.isReachable) return
    const seen = this.#seen(message)
    if (seen) this.#opened().send(seen)
  }

  answer(message: RpcMessage): void {
    if (this.isOver) return
    const isGood = message.error === undefined
    this.onAnswer?.(isGood)
    const seen = this.#seen(message) ?? withheld(this.id)
    this.#end()
    if (this.#stream) {
      this.#stream.send(seen)
      this.#stream.end()
      return
    }
    const reply = rpcReply(seen, this.#terms.hasStatus ? statusOf(seen) : 200)
    const { headers } = this.#terms
    this.#resolve(headers && isGood ? { ...reply, headers: { ...reply.headers, ...headers } } : reply)
  }

  fail(error: UpstreamError): void {
    if (this.isOver) return
    this.#end()
    if (!this.#stream) return void this.#reject(error)
    this.#stream.send(rpcErrorMessage(this.id, -32000, error.message))
    this.#stream.end()
  }

  /** Ends it with this answer, or without one. */
  close(reply: Reply): void {
    if (this.isOver) return
    this.#end()
    if (this.#stream) this.#stream.end()
    else this.#resolve(reply)
  }

  /** Lets the server know that nobody waits for the answer. */
  giveUp(reason: string): void {
    if (this.sent && !this.isOver) this.sent.channel.giveUp(this.sent.own, reason)
  }

  /** Looks at the time. */
  tick(now: number, timeoutMs: number): void {
    if (this.isOver) return
    if (!this.#stream && now - this.#startedAt >= patience) this.#opened()
    this.#heardAt ??= now
    if (timeoutMs === 0 || this.isStanding || now - this.#heardAt < timeoutMs) return
    this.giveUp('timeout')
    this.fail(new UpstreamError('timeout', 'The server takes too long to answer.'))
  }

  #opened(): EventStream {
    if (this.#stream) return this.#stream
    const stream = new EventStream(this.#terms.headers)
    this.#stream = stream
    stream.onClose(() => this.#left())
    this.#resolve(stream)
    return stream
  }

  /** One that cannot be looked at must not be seen. */
  #seen(message: RpcMessage): RpcMessage | undefined {
    return this.#review ? reviewed(this.#review, message) : message
  }

  #left(): void {
    if (this.isOver || this.hasLeft) return
    this.hasLeft = true
    this.#owner.left(this)
  }

  #end(): void {
    this.isOver = true
    this.#owner.over(this)
  }
}

/** What a review leaves of a message; nothing when it fails. */
export function reviewed(
  review: NonNullable<Passage['review']>,
  message: RpcMessage,
): RpcMessage | undefined {
  try {
    return review(message)
  } catch {
    return undefined
  }
}

/** An error as one of the upstream. */
export function asUpstreamError(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error
  return new UpstreamError('unreachable', 'The server cannot be started.', { cause: error })
}

/** What may not be seen is no answer; whoever asked has to get one. */
function withheld(id: RpcId): RpcMessage {
  return rpcErrorMessage(id, -32603, 'The answer is not for you') as RpcMessage
}

/** Failures of the protocol that have a status (MCP 2026-07-28 "Error Codes"): those of tools have none. */
const statuses = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
])

function statusOf({ error }: RpcMessage): number {
  return (isObject(error) && statuses.get(error.code as number)) || 200
}
