import type { Server } from '@modelcontextprotocol/server'
import { admitExchange } from './admit-exchange.ts'
import { answering, type Outcome } from './answering.ts'
import { type Channels, channels } from './channels.ts'
import { type Caller, isVisible } from './component.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { Multiplexer, type Pending, type RpcRequest, type Sink } from './multiplexer.ts'
import { findResource } from './registry.ts'
import { rpcReply } from './reply.ts'
import { rpcCode } from './rpc-error.ts'
import { accepted, rpcOutcome } from './rpc-outcome.ts'
import { type Sdk, sdkServer } from './sdk-server.ts'
import type { Served } from './served.ts'
import type { JsonObject } from './types.ts'

/** One client of 2025-11-25 or older, and the SDK server that is its own. */
export interface Session {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly openedAt: number
  lastUsedAt: number
  /** Whether something is going on: a stream is open, or a call is running. */
  readonly isBusy: boolean
  readonly channels: Channels
  /** Takes a message of the client. */
  post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome>
  /** Tells the client of a change. */
  tell(change: (server: Server) => Promise<void>): void
  /** Tells the client of a resource it has subscribed to, if it still may read it. */
  resourceUpdated(uri: string): void
  close(): void
}

/** How the answers to a client travel: over the HTTP response of each message, or all over one stream. */
export type Delivery = 'responses' | 'one stream'

/** Stands for a request that is not dispatched yet. */
const arriving: Pending = { cancel() {} }

/** Makes a {@link Session}; the client has still to send `initialize`. */
export async function session(sdk: Sdk, served: Served, delivery: Delivery): Promise<Session> {
  const made = new OneSession(sdk, served, delivery)
  await made.connect()
  return made
}

class OneSession implements Session {
  readonly id = randomId()
  readonly openedAt: number
  lastUsedAt: number
  readonly channels: Channels
  readonly #sdk: Sdk
  readonly #served: Served
  readonly #delivery: Delivery
  readonly #subscriptions = new Set<string>()
  readonly #running = new Map<string | number, Pending>()
  readonly #lane: Multiplexer
  readonly #server: Server
  /** Who sent the last message: what the client may hear of is decided by the token it has now. */
  #caller: Caller | undefined
  #version: string | undefined

  constructor(sdk: Sdk, served: Served, delivery: Delivery) {
    this.#sdk = sdk
    this.#served = served
    this.#delivery = delivery
    this.openedAt = served.clock()
    this.lastUsedAt = this.openedAt
    const isOwn = delivery === 'responses'
    const headers = isOwn ? { 'mcp-session-id': this.id } : {}
    const isPrimed = () => isOwn && this.#version === '2025-11-25'
    const open = channels(headers, isPrimed)
    const lane = new Multiplexer((message) => open.send(message))
    this.channels = open
    this.#lane = lane
    this.#server = sdkServer(sdk, served, {
      exchangeOf: (ctx) => lane.exchangeOf(ctx),
      requestIdOf: (ctx) => lane.requestIdOf(ctx),
      client: { subscriptions: this.#subscriptions },
    })
  }

  connect(): Promise<void> {
    return this.#lane.connect(this.#sdk, this.#server, undefined)
  }

  get isBusy(): boolean {
    return this.#running.size > 0 || this.channels.size > 0
  }

  async post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    this.#caller = exchange
    if (this.#sdk.isJSONRPCRequest(body))
      return this.#request(incoming, { ...body, params: body.params }, exchange)
    if (this.#sdk.isJSONRPCNotification(body)) this.#notification({ ...body })
    else if (this.#sdk.isJSONRPCResponse(body)) this.#lane.deliver({ ...body })
    else return rpcOutcome(400, null, rpcCode.invalidRequest, 'Not a JSON-RPC message')
    return accepted
  }

  tell(change: (server: Server) => Promise<void>): void {
    // A client that was not told of tools is not told of their changes.
    change(this.#server).catch(() => {})
  }

  resourceUpdated(uri: string): void {
    if (!this.#subscriptions.has(uri) || !this.#caller) return
    const entry = findResource(this.#served.registry, uri)?.entry
    if (!entry) return
    isVisible(entry, this.#caller, { uri })
      .then((may) => (may ? this.#server.sendResourceUpdated({ uri }) : undefined))
      .catch(() => {})
  }

  close(): void {
    this.channels.close()
    this.#server.close().catch(() => {})
  }

  async #request(incoming: Incoming, message: RpcRequest, exchange: Exchange): Promise<Outcome> {
    const { id } = message
    if (this.#running.has(id))
      return rpcOutcome(400, id, rpcCode.invalidRequest, 'The id of the request is in use')
    this.#running.set(id, arriving)
    try {
      await admitExchange(this.#served, exchange, message, false)
    } finally {
      this.#running.delete(id)
    }
    if (exchange.refused) return { kind: 'refused' }
    if (this.#delivery === 'responses') return this.#answered(incoming, message, exchange)
    const { send } = this.channels
    this.#dispatch(message, exchange, { message: send, answer: send })
    return accepted
  }

  /** Over the response of the request itself. */
  async #answered(incoming: Incoming, message: RpcRequest, exchange: Exchange): Promise<Outcome> {
    const answer = answering(exchange, this.channels.open)
    this.#dispatch(message, exchange, answer)
    // A stream can be taken up again; an answer that has no name yet cannot.
    incoming.onLeave(() => {
      if (!answer.isStream) this.#cancel(message.id, 'the client left')
    })
    const outcome = await answer.outcome
    return outcome.kind === 'early' ? { kind: 'reply', reply: rpcReply(outcome.answer) } : outcome
  }

  #dispatch(message: RpcRequest, exchange: Exchange, sink: Sink): void {
    let isDone = false
    const pending = this.#lane.request(message, exchange, {
      message: (sent) => sink.message(sent),
      answer: (sent, early) => {
        isDone = true
        this.#running.delete(message.id)
        if (message.method === 'initialize') this.#version = versionIn(sent.result)
        sink.answer(sent, early)
      },
    })
    if (!isDone) this.#running.set(message.id, pending)
  }

  #notification(message: JsonObject): void {
    // The client knows its requests by its own ids.
    if (message.method === 'notifications/cancelled')
      this.#cancel((message.params as JsonObject | undefined)?.requestId, 'the client cancelled')
    else this.#lane.deliver(message)
  }

  #cancel(requestId: unknown, reason: string): void {
    const id = requestId as string | number
    this.#running.get(id)?.cancel(reason)
    this.#running.delete(id)
  }
}

function versionIn(result: unknown): string | undefined {
  const { protocolVersion } = (result ?? {}) as { protocolVersion?: unknown }
  return typeof protocolVersion === 'string' ? protocolVersion : undefined
}

/** 192 bits, in characters a header can hold (MCP 2025-11-25 "Session Management"). */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}
