import { type AccessToken, principalOf } from '../../core/index.ts'
import { isRequest, type JsonObject, type RpcId, type RpcMessage, type RpcRequest } from '../message.ts'
import { UpstreamError } from '../upstream.ts'
import { type Channel, type ChannelHost, channel } from './channel.ts'
import { ask } from './channel-ask.ts'
import { asUpstreamError } from './channel-call.ts'
import { isObject } from './channel-ids.ts'
import type { Children } from './children.ts'

/** A client of a server: what the server has to say to it. */
export interface Member {
  /** What the client said it can do, in `initialize`. */
  readonly capabilities: JsonObject
  /** Which of several clients is asked something: the one that is most there. */
  readonly presence: number
  /** The resources it wants to hear of. */
  readonly subscriptions: ReadonlySet<string>
  /** Passes a notification on. */
  told(message: RpcMessage): void
  /** Passes a request of the server's on, which {@link Channel} has the answer to. */
  asked(message: RpcRequest, channel: Channel): void
  /** Passes it on that the server does not want the answer any more. */
  withdrawn(id: RpcId, message: RpcMessage): void
  /** A process has ended: it waits for no answer. */
  lost(gone: Channel): void
  /** There is nothing more to be had from the server: whoever goes on has to begin anew. */
  expelled(): void
}

/** What a server is started with, and again after a crash. */
export interface Handshake {
  /** Parameters of `initialize`. */
  readonly params: JsonObject | undefined
  /** The answer. */
  readonly answer: RpcMessage
}

/**
 * A server for clients of 2025-11-25 and older: it is initialized once, and does not survive a crash by itself. When it
 * is asked something the next time it is started again, and told what it has been told before.
 */
export interface CommandServer {
  readonly members: ReadonlySet<Member>
  add(member: Member): void
  /** Ends the process when it was the last one. Resolves when it is gone. */
  remove(member: Member): Promise<void>
  /**
   * Initializes it, unless it is.
   * @throws UpstreamError when it gives no answer
   */
  open(caller: AccessToken, params: JsonObject | undefined): Promise<Handshake>
  /** A client is ready. */
  initialized(): void
  /** A client has set the level of the log. */
  logs(params: JsonObject | undefined): void
  /** The process; while it is started, a promise of it. Rejects with an `UpstreamError`. */
  running(caller: AccessToken): Channel | Promise<Channel>
  /** Tells the process, if there is one. */
  tell(message: RpcMessage): void
  close(): Promise<void>
}

/** What a {@link CommandServer} is made of. */
export interface ServerParts {
  readonly children: Children
  /** One of the owner's that runs already, and has been asked for its revision and nothing else. */
  readonly spare: () => Channel | undefined
  /** Milliseconds for `initialize`. */
  readonly startTimeoutMs: number
  /** Called when it has ended for good. */
  readonly ended: () => void
}

/** Makes a {@link CommandServer}; nothing runs yet. */
export function commandServer(parts: ServerParts): CommandServer {
  return new OneServer(parts)
}

/** A class, because it is the host of its channels. */
class OneServer implements CommandServer, ChannelHost {
  readonly members = new Set<Member>()
  readonly #parts: ServerParts
  /** Processes that have not ended. */
  readonly #channels = new Set<Channel>()
  #current: Channel | undefined
  #opening: Promise<Handshake> | undefined
  #restarting: Promise<Channel> | undefined
  #handshake: Handshake | undefined
  #isInitialized = false
  #level: JsonObject | undefined
  #isClosed = false

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  add(member: Member): void {
    this.members.add(member)
  }

  async remove(member: Member): Promise<void> {
    if (!this.members.delete(member)) return
    if (this.members.size === 0) return this.close()
    const others = this.#subscriptions()
    for (const uri of member.subscriptions) {
      if (this.#current && !others.has(uri)) remind(this.#current, 'resources/unsubscribe', { uri })
    }
  }

  open(caller: AccessToken, params: JsonObject | undefined): Promise<Handshake> {
    if (this.#handshake) return Promise.resolve(this.#handshake)
    this.#opening ??= this.#open(caller, params).finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(caller: AccessToken, params: JsonObject | undefined): Promise<Handshake> {
    const [next, answer] = await this.#start(caller, params)
    const handshake = { params, answer }
    if (isGood(answer)) {
      this.#handshake = handshake
      this.#current = next
      return handshake
    }
    void next.stop()
    if (answer.error === undefined) throw new UpstreamError('broken', 'The server cannot answer initialize.')
    return handshake
  }

  initialized(): void {
    if (this.#isInitialized) return
    this.#isInitialized = true
    this.tell(initializedMessage)
  }

  logs(params: JsonObject | undefined): void {
    this.#level = params
  }

  running(caller: AccessToken): Channel | Promise<Channel> {
    if (this.#current?.isRunning) return this.#current
    this.#restarting ??= this.#restart(caller).finally(() => {
      this.#restarting = undefined
    })
    return this.#restarting
  }

  tell(message: RpcMessage): void {
    this.#current?.tell(message)
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#parts.ended()
    this.#isClosed = true
    await Promise.all([...this.#channels].map((each) => each.stop()))
  }

  async #start(caller: AccessToken, params: JsonObject | undefined): Promise<[Channel, RpcMessage]> {
    if (this.#isClosed) throw over()
    const spare = this.#parts.spare()
    spare?.serve(this)
    const answer = spare && (await this.#greet(spare, params).catch(takenAmiss))
    if (spare && answer && isGood(answer)) return [spare, answer]
    void spare?.stop()
    if (this.#isClosed) throw over()
    const next = channel(this.#parts.children.start(principalOf(caller), caller), this)
    return [next, await this.#greet(next, params)]
  }

  async #greet(next: Channel, params: JsonObject | undefined): Promise<RpcMessage> {
    this.#channels.add(next)
    try {
      return await ask(next, 'initialize', params, this.#parts.startTimeoutMs)
    } catch (error) {
      void next.stop()
      throw error
    }
  }

  /** It is told what the one before was told, and clients that it may have other things to offer. */
  async #restart(caller: AccessToken): Promise<Channel> {
    const before = this.#handshake
    if (!before) throw new UpstreamError('unreachable', 'The server is not initialized.')
    const [next, answer] = await this.#start(caller, before.params)
    // A client cannot be told that it speaks another revision from now on.
    if (!isGood(answer) || versionIn(answer) !== versionIn(before.answer)) {
      void next.stop()
      for (const member of [...this.members]) member.expelled()
      throw new UpstreamError('broken', 'The server was started again and is not the same: connect anew.')
    }
    this.#current = next
    if (this.#isInitialized) next.tell(initializedMessage)
    if (this.#level) remind(next, 'logging/setLevel', this.#level)
    for (const uri of this.#subscriptions()) remind(next, 'resources/subscribe', { uri })
    for (const list of ['tools', 'prompts', 'resources']) {
      if (!hasChanges(answer, list)) continue
      const message: RpcMessage = { jsonrpc: '2.0', method: `notifications/${list}/list_changed` }
      for (const member of this.members) member.told(message)
    }
    return next
  }

  #subscriptions(): ReadonlySet<string> {
    return new Set(Array.from(this.members, ({ subscriptions }) => [...subscriptions]).flat())
  }

  said(from: Channel, message: RpcMessage): void {
    if (isRequest(message)) this.#asked(from, message)
    else if (message.method === 'notifications/cancelled') {
      const id = message.params?.requestId
      if (typeof id !== 'string' && typeof id !== 'number') return
      for (const member of this.members) member.withdrawn(id, message)
    } else for (const member of this.#audience(message)) member.told(message)
  }

  #asked(from: Channel, message: RpcRequest): void {
    const { id, method } = message
    // It wants to know whether somebody is there: that is the gateway (MCP "Ping").
    if (method === 'ping') return void from.tell({ jsonrpc: '2.0', id, result: {} })
    const able = [...this.members].filter((member) => isAble(member, method))
    const [first] = able.sort((a, b) => b.presence - a.presence)
    if (first) first.asked(message, from)
    else
      from.tell({ jsonrpc: '2.0', id, error: { code: -32601, message: 'The client does not support this' } })
  }

  #audience({ method }: RpcMessage): Iterable<Member> {
    if (method !== 'notifications/resources/updated' || this.members.size === 1) return [...this.members]
    // A part of what was subscribed to may have a URI of its own: which one is for whom only they know.
    return [...this.members].filter(({ subscriptions }) => subscriptions.size > 0)
  }

  ended(gone: Channel): void {
    this.#channels.delete(gone)
    if (this.#current === gone) this.#current = undefined
    for (const member of this.members) member.lost(gone)
  }
}

function over(): UpstreamError {
  return new UpstreamError('unreachable', 'The session has ended.')
}

/** Some do not survive that they were asked anything before `initialize`: another process is not asked. */
function takenAmiss(error: unknown): undefined {
  if (asUpstreamError(error).problem === 'timeout') throw error
}

const initializedMessage: RpcMessage = Object.freeze({ jsonrpc: '2.0', method: 'notifications/initialized' })

function isGood({ result }: RpcMessage): boolean {
  return isObject(result)
}

function versionIn({ result }: RpcMessage): unknown {
  return (result as JsonObject).protocolVersion
}

function hasChanges({ result }: RpcMessage, list: string): boolean {
  const { capabilities } = result as JsonObject
  const one = isObject(capabilities) && capabilities[list]
  return isObject(one) && one.listChanged === true
}

/** Which capability a client needs to be asked that (MCP 2025-11-25 "Client Features"). */
const needs = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
])

function isAble({ capabilities }: Member, method: string): boolean {
  const need = needs.get(method)
  return need === undefined || Object.hasOwn(capabilities, need)
}

/** Says again what was said before; what becomes of it shows when it is used. */
function remind(to: Channel, method: string, params: JsonObject): void {
  const nobody = { id: 0, progressToken: undefined, message() {}, answer() {}, fail() {} }
  try {
    to.ask({ jsonrpc: '2.0', method, params }, nobody)
  } catch {
    // It is gone again.
  }
}
