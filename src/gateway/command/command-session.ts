import type { PlainAnswer } from '../../http/refusal.ts'
import { EventStream, type Reply, rpcReply } from '../../server/reply.ts'
import { rpcErrorMessage } from '../../server/rpc-error.ts'
import {
  isAnswer,
  isRequest,
  type JsonObject,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
} from '../message.ts'
import { type Passage, UpstreamError } from '../upstream.ts'
import type { Channel } from './channel.ts'
import { ask, resultIn } from './channel-ask.ts'
import { asUpstreamError, type CallOwner, type CallTerms, ClientCall, reviewed } from './channel-call.ts'
import { isObject } from './channel-ids.ts'
import type { CommandServer, Member } from './command-server.ts'
import { mailbox } from './mailbox.ts'
import { isOfRoots, remoteIntroduction } from './remote-capabilities.ts'

/** One client of 2025-11-25 or older (MCP 2025-11-25, Streamable HTTP "Session Management"). */
export interface CommandSession {
  readonly id: string
  readonly owner: string
  /** Whom it counts for. */
  readonly principal: string
  /** By the clock of the upstream. */
  readonly usedAt: number
  /** Whether a stream is open, or a request under way. */
  readonly isBusy: boolean
  /** Whether somebody waits for an answer. */
  readonly isAnswering: boolean
  /** Takes the client's first message. Nothing is left of the session when it comes to nothing. */
  open(passage: Passage, message: RpcRequest): Promise<Reply>
  /** Takes a message of the client. */
  post(passage: Passage, message: RpcMessage): Reply | Promise<Reply>
  /** Opens the stream of no request. */
  listen(passage: Passage): Reply
  /** Asks something of the gateway's own. */
  ask(passage: Passage, method: string, params: JsonObject | undefined): Promise<JsonObject>
  /** Looks at the time. */
  tick(now: number): void
  /** Resolves when the process is gone, if it had one of its own. */
  close(): Promise<void>
}

/** What a {@link CommandSession} is made of. */
export interface SessionParts {
  readonly owner: string
  readonly principal: string
  readonly server: CommandServer
  /** Whether the server may know of the client's roots. */
  readonly hasRoots: boolean
  /** Milliseconds, not going back. */
  readonly clock: () => number
  /** Milliseconds for an answer; 0 for no limit. */
  readonly requestTimeoutMs: number
  /** Called when it came to nothing, or there is no server for it any more. */
  readonly failed: (session: CommandSession) => void
}

/** Makes a {@link CommandSession}; the client has still to be initialized. */
export function commandSession(parts: SessionParts): CommandSession {
  return new OneSession(parts)
}

/** The answer to a message that needs none (MCP Streamable HTTP, "Sending Messages"). */
export const accepted: PlainAnswer = Object.freeze({ status: 202, headers: {}, body: '' })

/** A stream that ends without a message (MCP "Cancellation": no answer is sent). */
const nothing: PlainAnswer = Object.freeze({
  status: 200,
  headers: { 'content-type': 'text/event-stream', 'content-length': '0' },
  body: '',
})

/** What one client may have under way, and hear of. */
const mostCalls = 256
const mostCharacters = 64 * 1024 * 1024
const mostSubscriptions = 1000
const longestUri = 8192
const mostAsked = 100

/** A request of the server's that a client has. */
interface Question {
  readonly channel: Channel
  readonly id: RpcId
}

class OneSession implements CommandSession, Member, CallOwner {
  readonly id = randomId()
  readonly subscriptions = new Set<string>()
  capabilities: JsonObject = {}
  usedAt: number
  readonly #parts: SessionParts
  readonly #calls = new Map<RpcId, ClientCall>()
  readonly #questions = new Map<number, Question>()
  readonly #mailbox = mailbox()
  readonly #terms: CallTerms = { hasStatus: false }
  #stream: EventStream | undefined
  #review: Passage['review']
  #version: unknown
  #lastQuestion = 0
  /** Of the calls that are under way. */
  #characters = 0

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.usedAt = parts.clock()
    parts.server.add(this)
  }

  get owner(): string {
    return this.#parts.owner
  }

  get principal(): string {
    return this.#parts.principal
  }

  get isBusy(): boolean {
    return this.#calls.size > 0 || this.#stream !== undefined
  }

  get isAnswering(): boolean {
    return [...this.#calls.values()].some((call) => call.isReachable)
  }

  get presence(): number {
    const isThere = this.#calls.size > 0 ? 2 : Number(this.#stream !== undefined)
    return isThere * 1e15 + this.usedAt
  }

  open(passage: Passage, message: RpcRequest): Promise<Reply> {
    const params = this.#parts.hasRoots ? message.params : remoteIntroduction(message.params)
    if (isObject(params?.capabilities)) this.capabilities = params.capabilities
    const headers = { 'mcp-session-id': this.id }
    const call = this.#called(passage, message, { hasStatus: false, headers })
    this.#parts.server.open(passage.caller, params).then(
      ({ answer }) => {
        this.#version = isObject(answer.result) ? answer.result.protocolVersion : undefined
        call.answer({ ...answer, id: message.id })
        if (answer.error !== undefined) this.#parts.failed(this)
      },
      (error: unknown) => {
        call.fail(asUpstreamError(error))
        this.#parts.failed(this)
      },
    )
    return call.reply
  }

  post(passage: Passage, message: RpcMessage): Reply | Promise<Reply> {
    this.usedAt = this.#parts.clock()
    const version = passage.incoming.header('mcp-protocol-version')
    if (version !== undefined && version !== this.#version && !revisions.has(version))
      return refusal(400, message.id, 'Unsupported protocol version')
    if (isRequest(message)) return this.#request(passage, message)
    if (isAnswer(message)) this.#answered(message)
    else this.#notified(message)
    return accepted
  }

  #request(passage: Passage, message: RpcRequest): Reply | Promise<Reply> {
    const { id, method, params } = message
    if (method === 'initialize') return refusal(400, id, 'The session is initialized already')
    if (this.#calls.has(id)) return refusal(400, id, 'The id of the request is in use')
    const size = passage.body?.length ?? 0
    if (this.#calls.size >= mostCalls || (this.#calls.size > 0 && this.#characters + size > mostCharacters))
      throw new UpstreamError('busy', 'Too many requests are under way.', { retryAfter: 1 })
    const here = this.#subscription(message)
    if (here) return here
    const call = this.#called(passage, message, this.#terms)
    if (method === 'logging/setLevel') call.onAnswer = (isGood) => isGood && this.#parts.server.logs(params)
    if (method.startsWith('resources/') && method.endsWith('subscribe')) this.#follow(call, message)
    // Nobody else reads them.
    if (!this.#stream) this.#readTo(call)
    const running = this.#parts.server.running(passage.caller)
    if (!(running instanceof Promise)) call.dispatch(running, message)
    else {
      running.then(
        (channel) => call.dispatch(channel, message),
        (error: unknown) => call.fail(asUpstreamError(error)),
      )
    }
    return call.reply
  }

  /** What concerns only this client is not the server's business as long as others want to hear of the same. */
  #subscription({ id, method, params }: RpcRequest): Reply | undefined {
    const uri = params?.uri
    if (typeof uri !== 'string') return undefined
    if (uri.length > longestUri) return rpcReply(rpcErrorMessage(id, -32602, 'The URI is too long'))
    if (method === 'resources/subscribe' && this.subscriptions.size >= mostSubscriptions)
      throw new UpstreamError('busy', 'Too many subscriptions.', { retryAfter: 60 })
    if (method !== 'resources/unsubscribe') return undefined
    const others = [...this.#parts.server.members].filter((each) => each !== this)
    if (!others.some(({ subscriptions }) => subscriptions.has(uri))) return undefined
    this.subscriptions.delete(uri)
    return rpcReply({ jsonrpc: '2.0', id, result: {} })
  }

  #follow(call: ClientCall, { method, params }: RpcRequest): void {
    const uri = params?.uri
    if (typeof uri !== 'string') return
    call.onAnswer = (isGood) => {
      if (isGood && method === 'resources/subscribe') this.subscriptions.add(uri)
      if (method === 'resources/unsubscribe') this.subscriptions.delete(uri)
    }
  }

  #called(passage: Passage, message: RpcRequest, terms: CallTerms): ClientCall {
    const call = new ClientCall(passage, message, this, terms, this.#parts.clock())
    this.#calls.set(message.id, call)
    this.#characters += call.size
    return call
  }

  #answered(message: RpcMessage): void {
    const question = this.#questions.get(message.id as number)
    if (!question) return
    this.#questions.delete(message.id as number)
    question.channel.tell({ ...message, id: question.id })
  }

  #notified(message: RpcMessage): void {
    if (message.method === 'notifications/initialized') this.#parts.server.initialized()
    else if (message.method === 'notifications/cancelled') this.#cancelled(message)
    // Otherwise it knows of none.
    else if (this.#parts.hasRoots || !isOfRoots(message)) this.#parts.server.tell(message)
  }

  #cancelled({ params }: RpcMessage): void {
    const { requestId, reason } = params ?? {}
    const call = this.#calls.get(requestId as RpcId)
    if (!call || call.method === 'initialize') return
    call.giveUp(typeof reason === 'string' ? reason : 'the client cancelled')
    call.close(nothing)
  }

  listen(passage: Passage): Reply {
    this.usedAt = this.#parts.clock()
    if (this.#stream) return refusal(409, undefined, 'The session has a stream already')
    const stream = new EventStream()
    this.#stream = stream
    this.#review = passage.review
    stream.onClose(() => {
      if (this.#stream === stream) this.#stream = undefined
      this.usedAt = this.#parts.clock()
    })
    passage.incoming.onLeave(() => stream.close())
    for (const letter of this.#mailbox.take()) this.#send(letter)
    return stream
  }

  async ask(passage: Passage, method: string, params: JsonObject | undefined): Promise<JsonObject> {
    this.usedAt = this.#parts.clock()
    const running = await this.#parts.server.running(passage.caller)
    return resultIn(await ask(running, method, params, 60_000), method)
  }

  told(message: RpcMessage): void {
    this.#send(message)
  }

  asked(message: RpcRequest, channel: Channel): void {
    if (this.#questions.size >= mostAsked) return void this.#unasked({ channel, id: message.id })
    const own = ++this.#lastQuestion
    this.#questions.set(own, { channel, id: message.id })
    this.#send({ ...message, id: own })
  }

  withdrawn(id: RpcId, message: RpcMessage): void {
    for (const [own, question] of this.#questions) {
      if (question.id !== id) continue
      this.#questions.delete(own)
      this.#mailbox.drop((letter) => letter.id === own)
      this.#send({ ...message, params: { ...message.params, requestId: own } })
    }
  }

  lost(gone: Channel): void {
    for (const [own, { channel }] of this.#questions) {
      if (channel !== gone) continue
      this.#questions.delete(own)
      this.#mailbox.drop(({ id }) => id === own)
    }
  }

  /** To where the client listens, or will. */
  #send(message: RpcMessage): void {
    if (this.#stream) {
      const seen = this.#review ? reviewed(this.#review, message) : message
      if (seen) this.#stream.send(seen)
      return
    }
    const call = [...this.#calls.values()].findLast((each) => each.isReachable)
    if (call && !isOfStream(message)) call.message(message)
    else this.#keep(message)
  }

  #readTo(call: ClientCall): void {
    for (const letter of this.#mailbox.take()) {
      if (isOfStream(letter)) this.#keep(letter)
      else call.message(letter)
    }
  }

  #keep(message: RpcMessage): void {
    for (const { id } of this.#mailbox.put(message)) {
      const question = this.#questions.get(id as number)
      this.#questions.delete(id as number)
      if (question) this.#unasked(question)
    }
  }

  #unasked({ channel, id }: Question): void {
    const message = 'The client does not come to be asked'
    channel.tell({ jsonrpc: '2.0', id, error: { code: -32603, message } })
  }

  expelled(): void {
    this.#parts.failed(this)
  }

  over(call: ClientCall): void {
    if (this.#calls.get(call.id) === call) this.#calls.delete(call.id)
    this.#characters -= call.size
    this.usedAt = this.#parts.clock()
  }

  /** It may only have lost its connection (MCP 2025-11-25, Streamable HTTP "Sending Messages"). */
  left(): void {}

  tick(now: number): void {
    for (const call of [...this.#calls.values()]) call.tick(now, this.#parts.requestTimeoutMs)
  }

  close(): Promise<void> {
    for (const question of this.#questions.values()) this.#unasked(question)
    this.#questions.clear()
    for (const call of [...this.#calls.values()]) {
      call.giveUp('the session has ended')
      // After 404 a client sends it again in another session, and this one may have been carried out.
      if (call.sent) call.fail(new UpstreamError('unreachable', overText))
      else call.close(noSession(call.id))
    }
    this.#stream?.end()
    return this.#parts.server.remove(this)
  }
}

/**
 * Messages on the stream of a request should be about that request (MCP 2025-11-25, Streamable HTTP "Sending Messages"),
 * and the review of one that asks for something else does not look for resources.
 */
function isOfStream({ method }: RpcMessage): boolean {
  return method === 'notifications/resources/updated'
}

const overText =
  'The session has ended before there was an answer. The server may have done what it was asked.'

/** The answer where there is no such session: another one's is as good as none. */
export function noSession(id: RpcId | undefined): PlainAnswer {
  return refusal(404, id, 'Session not found')
}

/** A refusal of the transport's. */
export function refusal(status: number, id: RpcId | undefined, message: string): PlainAnswer {
  return rpcReply(rpcErrorMessage(id ?? null, -32600, message), status)
}

/** Revisions with sessions; a client may send one that it asked for and did not get. */
const revisions = new Set(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])

/** 192 bits, in characters a header can hold (MCP 2025-11-25 "Session Management"). */
function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')
}
