import { principalOf } from '../../core/index.ts'
import type { PlainAnswer } from '../../http/refusal.ts'
import { type Reply, rpcReply } from '../../server/reply.ts'
import {
  isRequest,
  type JsonObject,
  type RpcMessage,
  type RpcRequest,
  revisionKey,
  revisionOf,
} from '../message.ts'
import { type Passage, UpstreamError } from '../upstream.ts'
import { type Channel, type ChannelHost, channel } from './channel.ts'
import { ask, cannotAsk, resultIn } from './channel-ask.ts'
import { asUpstreamError, type CallOwner, type CallTerms, ClientCall } from './channel-call.ts'
import { isObject, metaOf } from './channel-ids.ts'
import { ownerOf } from './child-identity.ts'
import type { Children } from './children.ts'
import type { Spares } from './command-spares.ts'
import { remoteRequest } from './remote-capabilities.ts'

/** Whether a request is of 2026-07-28 or newer: everything about it is in it, and it is of no session. */
export function isModern(message: RpcMessage): boolean {
  return revisionOf(message) !== undefined
}

/** Answers requests of 2026-07-28 and newer: those of one principal by one process. */
export interface ModernSide {
  readonly isAnswering: boolean
  answer(passage: Passage, message: RpcRequest): Promise<Reply>
  /** Asks something of the gateway's own. */
  ask(passage: Passage, method: string, params: JsonObject | undefined): Promise<JsonObject>
  /** Looks at the time, and ends processes that are not used. */
  tick(now: number): void
  close(): Promise<void>
}

/** What a {@link ModernSide} is made of. */
export interface ModernParts {
  readonly children: Children
  /** Gets a process that turns out to be of 2025-11-25 or older. */
  readonly spares: Spares
  /** Whether processes know who calls. */
  readonly isTold: boolean
  /** Whether they may know of the roots of clients. */
  readonly hasRoots: boolean
  /** Milliseconds, not going back. */
  readonly clock: () => number
  /** Milliseconds for the first answer. */
  readonly startTimeoutMs: number
  /** Milliseconds for an answer; 0 for no limit. */
  readonly requestTimeoutMs: number
  /** Milliseconds after which a process ends that is not used. */
  readonly idleMs: number
}

/** Makes a {@link ModernSide}. */
export function modernSide(parts: ModernParts): ModernSide {
  const servers = new Map<string, ModernServer>()
  const era: Era = { legacyUntil: undefined, isModern: false }

  function serverOf(passage: Passage): ModernServer {
    const owner = ownerOf(passage, parts.isTold)
    const found = servers.get(owner)
    if (found) return found
    const made = new ModernServer(parts, era, owner, () => servers.delete(owner))
    servers.set(owner, made)
    return made
  }

  return {
    get isAnswering() {
      return [...servers.values()].some(({ calls }) => [...calls].some(({ isStanding }) => !isStanding))
    },
    answer: async (passage, message) => serverOf(passage).answer(passage, message),
    ask: async (passage, method, params) => serverOf(passage).ask(passage, method, params),
    tick(now) {
      for (const server of servers.values()) server.tick(now)
    },
    close: async () => void (await Promise.all([...servers.values()].map((each) => each.close()))),
  }
}

/** What is known of the command: what it has said it is it is for all, what it failed to say only for whom it failed. */
interface Era {
  /** It is of 2025-11-25 or older; asked again then. */
  legacyUntil: number | undefined
  /** It has said that it is of 2026-07-28: one that says nothing has crashed. */
  isModern: boolean
}

/** Milliseconds for which a program that said it is old is not asked again, and one that gave no answer. */
const saidFor = 600_000
const supposedFor = 60_000

function isLegacyOnly({ legacyUntil }: Pick<Era, 'legacyUntil'>, now: number): boolean {
  return legacyUntil !== undefined && now < legacyUntil
}

/** Requests one principal may have under way. */
const mostCalls = 1000
const mostCharacters = 64 * 1024 * 1024

/** A class, because it is the host of its channels and the owner of its calls. */
class ModernServer implements ChannelHost, CallOwner {
  readonly calls = new Set<ClientCall>()
  readonly #parts: ModernParts
  readonly #era: Era
  readonly #owner: string
  readonly #own: Era = { legacyUntil: undefined, isModern: false }
  readonly #forget: () => void
  readonly #channels = new Set<Channel>()
  readonly #terms: CallTerms = { hasStatus: true }
  #current: Channel | undefined
  /** The revisions the program has said it speaks. */
  #supported: readonly unknown[] = []
  #starting: Promise<Channel | 'legacy'> | undefined
  #usedAt: number
  /** Of the calls that are under way. */
  #characters = 0

  constructor(parts: ModernParts, era: Era, owner: string, forget: () => void) {
    this.#parts = parts
    this.#era = era
    this.#owner = owner
    this.#forget = forget
    this.#usedAt = parts.clock()
  }

  answer(passage: Passage, message: RpcRequest): Reply | Promise<Reply> {
    if (this.#isLegacyOnly) return legacyOnly(message)
    const size = passage.body?.length ?? 0
    if (this.calls.size >= mostCalls || (this.calls.size > 0 && this.#characters + size > mostCharacters))
      throw new UpstreamError('busy', 'Too many requests are under way.', { retryAfter: 1 })
    const call = new ClientCall(passage, message, this, this.#terms, this.#touch())
    this.calls.add(call)
    this.#characters += call.size
    const running = this.#running(passage)
    if (!(running instanceof Promise)) this.#dispatch(call, running, message)
    else {
      running.then(
        (found) => this.#dispatch(call, found, message),
        (error: unknown) => call.fail(asUpstreamError(error)),
      )
    }
    return call.reply
  }

  /** A process that runs has said what it is. */
  get #isLegacyOnly(): boolean {
    if (this.#current?.isRunning) return false
    const now = this.#parts.clock()
    return isLegacyOnly(this.#era, now) || isLegacyOnly(this.#own, now)
  }

  /** A process on a pipe looks at the revision once; over HTTP each request has one (MCP 2026-07-28 "Versioning"). */
  #dispatch(call: ClientCall, to: Channel | 'legacy', message: RpcRequest): void {
    if (to === 'legacy') call.close(legacyOnly(message))
    else if (this.#supported.includes(metaOf(message)[revisionKey]))
      call.dispatch(to, this.#parts.hasRoots ? message : remoteRequest(message))
    else call.close(unsupported(message, 'Unsupported protocol version', this.#supported))
  }

  async ask(passage: Passage, method: string, params: JsonObject | undefined): Promise<JsonObject> {
    if (this.#isLegacyOnly) throw notModern(passage)
    this.#touch()
    const running = await this.#running(passage)
    if (running === 'legacy') throw notModern(passage)
    const { progressToken: _, ...meta } = passage.message ? metaOf(passage.message) : {}
    const answer = await ask(running, method, { ...params, _meta: meta }, 60_000)
    return resultIn(answer, method)
  }

  tick(now: number): void {
    for (const call of [...this.calls]) call.tick(now, this.#parts.requestTimeoutMs)
    if (this.calls.size > 0 || this.#starting || now - this.#usedAt < this.#parts.idleMs) return
    void this.close()
  }

  async close(): Promise<void> {
    this.#forget()
    for (const call of [...this.calls]) call.fail(new UpstreamError('unreachable', 'The gateway is closing.'))
    await Promise.all([...this.#channels].map((each) => each.stop()))
  }

  #running(passage: Passage): Channel | Promise<Channel | 'legacy'> {
    if (this.#current?.isRunning) return this.#current
    this.#starting ??= this.#start(passage).finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  /** An old program must be initialized first, and some end at anything else: so it is asked before anybody relies on it. */
  async #start({ caller }: Passage): Promise<Channel | 'legacy'> {
    const principal = principalOf(caller)
    const next = channel(this.#parts.children.start(principal, caller), this)
    this.#channels.add(next)
    const found = await this.#askRevisions(next)
    if (typeof found === 'object') {
      this.#era.isModern = true
      this.#supported = found
      this.#current = next
      return next
    }
    const now = this.#parts.clock()
    if (found === 'legacy') {
      this.#era.legacyUntil = now + saidFor
      this.#channels.delete(next)
      this.#parts.spares.keep(this.#owner, next)
      return 'legacy'
    }
    this.#own.legacyUntil = now + supposedFor
    // Some end at anything but initialize: that is no crash.
    this.#parts.children.forgive(principal)
    void next.stop()
    return 'legacy'
  }

  async #askRevisions(next: Channel): Promise<readonly unknown[] | 'legacy' | 'silent'> {
    const _meta = {
      [revisionKey]: revision,
      'io.modelcontextprotocol/clientInfo': { name: 'mcp-bearer', version: '0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    try {
      const answer = await ask(next, 'server/discover', { _meta }, this.#parts.startTimeoutMs)
      return modernRevisions(answer) ?? 'legacy'
    } catch (error) {
      const { problem } = asUpstreamError(error)
      if (problem !== 'timeout' && !this.#era.isModern) return 'silent'
      if (!this.#era.isModern) this.#own.legacyUntil = this.#parts.clock() + supposedFor
      void next.stop()
      throw error
    }
  }

  said(from: Channel, message: RpcMessage): void {
    const { method, id, params } = message
    if (isRequest(message)) {
      const text = 'Since 2026-07-28 a server asks by an input_required result'
      from.tell({ jsonrpc: '2.0', id: message.id, error: { code: -32601, message: text } })
    } else if (method === 'notifications/cancelled') this.#ended(from, params?.requestId, message)
    // It does not say which request it belongs to; all are of one principal.
    else if (method === 'notifications/message' && id === undefined)
      [...this.calls].findLast((call) => call.wantsLog && call.isReachable)?.message(message)
  }

  /** The server ends a subscription (MCP 2026-07-28, stdio "Cancellation"). */
  #ended(from: Channel, own: unknown, message: RpcMessage): void {
    const call = from.dismiss(own)
    if (!(call instanceof ClientCall)) return
    call.message({ ...message, params: { ...message.params, requestId: call.id } })
    call.fail(new UpstreamError('unreachable', 'The server has let the request go.'))
  }

  ended(gone: Channel): void {
    this.#channels.delete(gone)
    if (this.#current === gone) this.#current = undefined
  }

  over(call: ClientCall): void {
    this.calls.delete(call)
    this.#characters -= call.size
    this.#touch()
  }

  /** Over HTTP that is how a request is cancelled (MCP 2026-07-28 "Cancellation"). */
  left(call: ClientCall): void {
    call.giveUp('the client left')
    call.close(nobody)
  }

  #touch(): number {
    this.#usedAt = this.#parts.clock()
    return this.#usedAt
  }
}

/** The revision programs are asked for. */
const revision = '2026-07-28'

/** Not sent to anybody; the status that servers log for it. */
const nobody: Reply = Object.freeze({ status: 499, headers: {}, body: '' })

/** The revisions in the answer of a server that knows 2026-07-28 or newer (MCP 2026-07-28 "Versioning"). */
function modernRevisions({ result, error }: RpcMessage): readonly unknown[] | undefined {
  const data = isObject(error) && error.code === unsupportedVersion && isObject(error.data) ? error.data : {}
  const versions = isObject(result) ? result.supportedVersions : data.supported
  if (!Array.isArray(versions)) return undefined
  return versions.some((each) => typeof each === 'string' && each >= revision) ? versions : undefined
}

/** `UnsupportedProtocolVersionError` (MCP 2026-07-28 "Error Codes"). */
const unsupportedVersion = -32022

const legacyText =
  'The server behind this gateway speaks MCP 2025-11-25 and older: begin with initialize, or use a client that does'

/**
 * The answer of a server that knows no `server/discover`: then clients begin with `initialize`. Whoever has asked for
 * something else knows better than to ask, and is told which revisions there are.
 */
function legacyOnly(message: RpcRequest): PlainAnswer {
  const { id, method } = message
  if (method === 'server/discover')
    return rpcReply({ jsonrpc: '2.0', id, error: { code: -32601, message: legacyText } }, 404)
  return unsupported(message, legacyText, ['2025-11-25', '2025-06-18', '2025-03-26'])
}

function notModern({ message }: Passage): UpstreamError {
  return cannotAsk(legacyText, legacyOnly(message as RpcRequest))
}

function unsupported(message: RpcRequest, text: string, supported: readonly unknown[]): PlainAnswer {
  const data = { supported, requested: metaOf(message)[revisionKey] }
  const error = { code: unsupportedVersion, message: text, data }
  return rpcReply({ jsonrpc: '2.0', id: message.id, error }, 400)
}
