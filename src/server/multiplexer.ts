import type {
  JSONRPCMessage,
  MessageClassification,
  Server,
  ServerContext,
  TransportSendOptions,
} from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'
import { genericFailure } from './failure.ts'
import type { LaneCall, LaneServer } from './lane-server.ts'
import { rpcCode } from './rpc-error.ts'
import type { Sdk, Seat } from './sdk-server.ts'
import type { JsonObject } from './types.ts'

/** A JSON-RPC request whose shape has been looked at. */
export interface RpcRequest {
  readonly jsonrpc: '2.0'
  readonly id: string | number
  readonly method: string
  readonly params?: JsonObject | undefined
}

/** The answer to a request, under the id its caller gave it. */
export interface RpcAnswer {
  readonly jsonrpc: '2.0'
  readonly id: string | number
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Where the messages of one request go. */
export interface Sink {
  /**
   * The answer; the last message.
   * @param early whether nothing has run: the protocol engine refused the message by its looks
   */
  answer(answer: RpcAnswer, early: boolean): void
  /** A notification, or a request to the client. */
  message(message: JsonObject): void
}

/** A request on its way. */
export interface Pending {
  /** Gives it up: its handler's signal is aborted, and nothing of it comes out any more. */
  cancel(reason: string): void
}

const notTaken = { code: rpcCode.invalidRequest, message: 'Not a JSON-RPC request' }

interface Slot {
  readonly callerId: string | number
  readonly exchange: Exchange
  readonly sink: Sink
}

type Deliver = (message: JsonObject) => void

/**
 * One SDK server for many requests at a time. Each gets an id that no other has, so that nothing of one reaches the
 * other: not the answer, not what its handler sends meanwhile, and not who asked.
 */
export class Multiplexer implements Pick<Seat, 'exchangeOf' | 'requestIdOf'> {
  readonly #slots = new Map<number, Slot>()
  readonly #unrelated: Deliver
  #deliver: Deliver = () => {}
  #direct: LaneServer | undefined
  #lastId = 0
  /** The request that is being handed over right now. */
  #arriving = 0
  /** Whether the protocol engine has complained of what is being handed over. */
  #hasComplained = false

  /** @param unrelated takes what belongs to no request, for the one client that stays */
  constructor(unrelated: Deliver = () => {}) {
    this.#unrelated = unrelated
  }

  /**
   * Connects the server that answers. It takes messages from now on.
   * @param direct the same server, if its requests are regular: they then go to their handlers without a detour
   * @param revision the protocol revision it is bound to; none where an `initialize` decides
   */
  connect(sdk: Sdk, server: Server, revision: string | undefined, direct?: LaneServer): void {
    this.#direct = direct
    const transport = transportFor(sdk, revision, (message, options) => this.#route(message, options))
    // It listens before it waits for the transport to start, which has nothing to do.
    server.connect(transport).catch(() => {})
    const { onerror } = server
    server.onerror = (error) => {
      this.#hasComplained = true
      onerror?.(error)
    }
    const { onmessage } = transport
    if (!onmessage) throw new Error('the protocol engine does not listen')
    this.#deliver = (message) => onmessage(message as JSONRPCMessage, {})
  }

  request(message: RpcRequest, exchange: Exchange, sink: Sink): Pending {
    const id = ++this.#lastId
    this.#slots.set(id, { callerId: message.id, exchange, sink })
    const call = this.#direct?.run(message, id)
    return call ? this.#running(call, id) : this.#handedOver(message, id)
  }

  #running(call: LaneCall, id: number): Pending {
    const failed = {
      jsonrpc: '2.0',
      id,
      error: { code: rpcCode.internalError, message: genericFailure },
    } as const
    call.answer.then((answer) => answer && this.#answered(answer)).catch(() => this.#answered(failed))
    return {
      cancel: (reason) => {
        if (this.#slots.delete(id)) call.cancel(reason)
      },
    }
  }

  #handedOver(message: RpcRequest, id: number): Pending {
    this.#arriving = id
    this.#hasComplained = false
    try {
      this.#deliver({ ...message, id })
      // What it does not take for a request it never answers.
      if (this.#hasComplained) this.#answered({ jsonrpc: '2.0', id, error: notTaken })
    } finally {
      this.#arriving = 0
    }
    return { cancel: (reason) => this.#cancel(id, reason) }
  }

  /** Hands on a notification or an answer of the client. Only where one client stays. */
  deliver(message: JsonObject): void {
    this.#deliver(message)
  }

  exchangeOf(ctx: ServerContext): Exchange {
    return this.#slotOf(ctx).exchange
  }

  requestIdOf(ctx: ServerContext): string | number {
    return this.#slotOf(ctx).callerId
  }

  #slotOf({ mcpReq }: ServerContext): Slot {
    const slot = this.#slots.get(mcpReq.id as number)
    if (!slot) throw new Error('a request nobody waits for')
    return slot
  }

  #cancel(requestId: number, reason: string): void {
    if (!this.#slots.delete(requestId)) return
    this.#deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } })
  }

  #route(message: JSONRPCMessage, options: TransportSendOptions | undefined): void {
    const related = options?.relatedRequestId
    if (!('method' in message)) this.#answered(message as RpcAnswer)
    else if (related === undefined) this.#unrelated(message)
    else this.#slots.get(related as number)?.sink.message(message)
  }

  #answered(message: RpcAnswer): void {
    const id = message.id as number
    const slot = this.#slots.get(id)
    slot?.sink.answer({ ...message, id: slot.callerId }, id === this.#arriving)
    // Not before: an answer that cannot be written makes room for one that says so.
    this.#slots.delete(id)
  }
}

/** The SDK binds a server to a revision of 2026 only through this transport of its own. */
function transportFor(
  sdk: Sdk,
  revision: string | undefined,
  route: (message: JSONRPCMessage, options: TransportSendOptions | undefined) => void,
) {
  class Transport extends sdk.PerRequestHTTPServerTransport {
    override async start(): Promise<void> {}
    override async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
      route(message, options)
    }
    override async close(): Promise<void> {
      this.onclose?.()
    }
  }
  const classification: MessageClassification =
    revision === undefined ? { era: 'legacy' } : { era: 'modern', revision }
  return new Transport({ classification })
}
