import type { Server } from '@modelcontextprotocol/server'
import { runWithToken } from '../http/context.ts'
import { askedUri } from './admission.ts'
import { admitExchange } from './admit-exchange.ts'
import { answering, type Outcome, type Outlet } from './answering.ts'
import { type Channels, channels } from './channels.ts'
import { type Caller, isVisible } from './component.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { type ListName, type ListNews, listNews, sendListChanged } from './list-news.ts'
import { Multiplexer, type Pending, type RpcRequest, type Sink } from './multiplexer.ts'
import { findResource } from './registry.ts'
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
  /** Notes with which token the client came last: what it may hear of is decided by that one. */
  heardFrom(exchange: Exchange): void
  /** Takes a message of the client. */
  post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome>
  /** Tells the client that a list has changed, if it may hear of it. */
  listChanged(list: ListName): void
  /** Tells the client of a resource it has subscribed to, if it still may read it. */
  resourceUpdated(uri: string): void
  close(): void
}

/** How the answers to a client travel: over the HTTP response of each message, or all over one stream. */
export type Delivery = 'responses' | 'one stream'

/** A request from its arrival to its answer. */
interface Call {
  readonly id: string | number
  /** Set once the protocol engine has it. */
  pending: Pending | undefined
  /** What becomes of it when it is given up. */
  readonly givenUp: Promise<Outcome>
  readonly giveUp: (outcome: Outcome) => void
}

/** Makes a {@link Session}; the client has still to send `initialize`. */
export function session(sdk: Sdk, served: Served, delivery: Delivery): Session {
  return new OneSession(sdk, served, delivery)
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
  readonly #running = new Map<string | number, Call>()
  readonly #lane: Multiplexer
  readonly #server: Server
  /** Who sent the last message: what the client may hear of is decided by the token it has now. */
  #caller: Caller | undefined
  /** Whoever comes here is bound to the same tools as who opened it, or to none: a session is no one else's. */
  #news: ListNews | undefined
  #version: string | undefined
  #isClosed = false

  constructor(sdk: Sdk, served: Served, delivery: Delivery) {
    this.#sdk = sdk
    this.#served = served
    this.#delivery = delivery
    this.openedAt = served.clock()
    this.lastUsedAt = this.openedAt
    const isOwn = delivery === 'responses'
    const headers = isOwn ? { 'mcp-session-id': this.id } : {}
    const open = channels({
      headers,
      isResumable: isOwn,
      isPrimed: () => isOwn && this.#version === '2025-11-25',
      left: () => this.#touch(),
    })
    const lane = new Multiplexer((message) => open.send(message))
    this.channels = open
    this.#lane = lane
    this.#server = sdkServer(sdk, served, {
      exchangeOf: (ctx) => lane.exchangeOf(ctx),
      requestIdOf: (ctx) => lane.requestIdOf(ctx),
      client: { subscriptions: this.#subscriptions },
    })
    lane.connect(sdk, this.#server, undefined)
  }

  get isBusy(): boolean {
    return this.#running.size > 0 || this.channels.size > 0
  }

  heardFrom(exchange: Exchange): void {
    this.#caller = exchange
    this.#news ??= listNews(this.#served.registry, exchange.auth?.tools)
  }

  async post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    this.heardFrom(exchange)
    if (this.#sdk.isJSONRPCRequest(body))
      return this.#request(incoming, { ...body, params: body.params }, exchange)
    if (this.#sdk.isJSONRPCNotification(body)) return this.#notification({ ...body }, exchange)
    if (this.#sdk.isJSONRPCResponse(body)) this.#lane.deliver({ ...body })
    else return rpcOutcome(400, null, rpcCode.invalidRequest, 'Not a JSON-RPC message')
    return accepted
  }

  listChanged(list: ListName): void {
    if (this.#news?.(list) !== true) return
    // A client that was not told of tools is not told of their changes.
    sendListChanged(this.#server, list).catch(() => {})
  }

  resourceUpdated(uri: string): void {
    const caller = this.#caller
    if (!this.#subscriptions.has(uri) || !caller) return
    const { registry, covers, clock } = this.#served
    const entry = findResource(registry, uri)?.entry
    if (!entry) return
    // A rule may ask who calls: that is not whoever made the change.
    runWithToken({ token: caller.auth, covers, clock }, () => isVisible(entry, caller, askedUri(uri)))
      .then((may) => (may ? this.#server.sendResourceUpdated({ uri }) : undefined))
      .catch(() => {})
  }

  close(): void {
    this.#isClosed = true
    for (const call of [...this.#running.values()]) this.#giveUp(call, 'the session has ended', gone(call.id))
    this.channels.close()
    this.#server.close().catch(() => {})
  }

  async #request(incoming: Incoming, message: RpcRequest, exchange: Exchange): Promise<Outcome> {
    const { id } = message
    if (this.#isClosed) return gone(id)
    if (this.#running.has(id))
      return rpcOutcome(400, id, rpcCode.invalidRequest, 'The id of the request is in use')
    const call = newCall(id)
    this.#running.set(id, call)
    await admitExchange(this.#served, exchange, message, false)
    if (!this.#isRunning(call)) return call.givenUp
    if (exchange.refused) {
      this.#running.delete(id)
      return { kind: 'refused' }
    }
    if (this.#delivery === 'responses') return this.#answered(incoming, message, exchange, call)
    const { send } = this.channels
    this.#dispatch(message, exchange, { message: send, answer: send }, call)
    return accepted
  }

  /** Over the response of the request itself. */
  async #answered(incoming: Incoming, message: RpcRequest, exchange: Exchange, call: Call): Promise<Outcome> {
    let outlet: Outlet | undefined
    const left = () => this.#giveUp(call, 'the client left', nothing)
    const answer = answering(exchange, () => {
      outlet = this.channels.open()
      const { stream } = outlet
      stream.onClose(() => stream.hasReader || left())
      return outlet
    })
    call.givenUp.then(() => outlet?.end())
    this.#dispatch(message, exchange, answer, call)
    // A stream can be taken up again once its reader has seen where it is; an answer that has no name yet cannot.
    incoming.onLeave(() => outlet?.stream.hasReader || left())
    return Promise.race([answer.outcome, call.givenUp])
  }

  #dispatch(message: RpcRequest, exchange: Exchange, sink: Sink, call: Call): void {
    call.pending = this.#lane.request(message, exchange, {
      message: (sent) => sink.message(sent),
      answer: (sent, early) => {
        this.#running.delete(call.id)
        this.#touch()
        if (message.method === 'initialize') this.#version = versionIn(sent.result)
        sink.answer(sent, early)
      },
    })
  }

  async #notification(message: JsonObject & { method: string }, exchange: Exchange): Promise<Outcome> {
    await admitExchange(this.#served, exchange, message, false)
    if (exchange.refused) return { kind: 'refused' }
    // The client knows its requests by its own ids.
    if (message.method === 'notifications/cancelled') this.#cancelled(message)
    else this.#lane.deliver(message)
    return accepted
  }

  #cancelled({ params }: JsonObject): void {
    const { requestId } = (params ?? {}) as { requestId?: string | number }
    const call = requestId !== undefined && this.#running.get(requestId)
    // It wants no answer; over the response of its request it gets an end.
    if (call) this.#giveUp(call, 'the client cancelled', this.#delivery === 'responses' ? nothing : accepted)
  }

  #giveUp(call: Call, reason: string, outcome: Outcome): void {
    if (!this.#isRunning(call)) return
    this.#running.delete(call.id)
    call.pending?.cancel(reason)
    call.giveUp(outcome)
    this.#touch()
  }

  /** Its id may be that of another one by now. */
  #isRunning(call: Call): boolean {
    return this.#running.get(call.id) === call
  }

  #touch(): void {
    this.lastUsedAt = this.#served.clock()
  }
}

function newCall(id: string | number): Call {
  let giveUp = (_outcome: Outcome) => {}
  const givenUp = new Promise<Outcome>((resolve) => {
    giveUp = resolve
  })
  return { id, pending: undefined, givenUp, giveUp }
}

/** A stream that ends without a message (MCP "Cancellation": no answer is sent). */
const nothing: Outcome = Object.freeze({
  kind: 'reply',
  reply: { status: 200, headers: { 'content-type': 'text/event-stream', 'content-length': '0' }, body: '' },
})

function gone(id: string | number): Outcome {
  return rpcOutcome(404, id, rpcCode.invalidRequest, 'Session not found')
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
