import type { IncomingMessage } from 'node:http'
import { secretsOf } from '../../client/fetch/secrets.ts'
import type { TokenKeeper } from '../../client/fetch/token-keeper.ts'
import { readBearerChallenge } from '../../core/index.ts'
import { farewellTo } from '../../server/farewell.ts'
import type { Reply } from '../../server/reply.ts'
import type { JsonObject } from '../message.ts'
import { type Passage, type Upstream, UpstreamError } from '../upstream.ts'
import { ownIds, ownRequest, resultIn } from './http-asking.ts'
import { HttpCall, type HttpQuestion } from './http-call.ts'
import { passHeaders } from './http-headers.ts'
import {
  type Answered,
  eventNotFound,
  kindOf,
  noTaskList,
  plainReply,
  refused,
  sessionNotFound,
} from './http-reply.ts'
import { type HttpSettings, type HttpUpstreamOptions, httpSettings } from './http-settings.ts'
import { passStream } from './http-stream.ts'
import { type Names, names } from './session-name.ts'

/**
 * A server behind the gateway that is reached over HTTP (MCP Streamable HTTP), of any revision of the protocol.
 *
 * - It never sees the token of a caller, nor any header that is not on a list.
 * - A session belongs to the principal that opened it: the client is told a name of it that is good for nobody else.
 * - `tasks/list` is answered with an error (-32601) unless `exchange` or the `identity` of the gateway tells callers apart: a
 *   server that knows one client lists the tasks of everybody.
 * - A request is sent once. Only after 401, which comes before anything is carried out, it is sent once more with a better
 *   credential; never after a lost connection.
 * - Streams go on event by event, no faster than they are read; whoever leaves ends the request to the server.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong; never shows a credential
 *
 * @example
 * ```ts
 * import { gateway, httpUpstream } from 'mcp-bearer/gateway'
 * import { envToken } from 'mcp-bearer/client'
 * import { staticVerifier } from 'mcp-bearer/verify'
 *
 * const upstream = httpUpstream({ url: 'https://mcp.example.com/mcp', auth: envToken('UPSTREAM_KEY') })
 * const auth = staticVerifier({ 'sk-abc123': { clientId: 'alice' } })
 * const listening = await gateway({ upstream, auth }).listen()
 * console.log(listening.url)
 * ```
 */
export function httpUpstream(options: HttpUpstreamOptions): Upstream {
  return new HttpUpstream(httpSettings(options))
}

/** Milliseconds for a question of the gateway's own: somebody's request waits for it. */
const ownTimeout = 30_000
/** Milliseconds for what is under way when the gateway is closed. */
const graceMs = 5000
/** MCP "Session Management": visible ASCII. Longer ones do not fit into headers. */
const sessionId = /^[\x21-\x7E]{1,1024}$/

class HttpUpstream implements Upstream {
  readonly name: string
  readonly #settings: HttpSettings
  readonly #names: Names = names()
  readonly #nextId = ownIds()
  readonly #calls = new Set<HttpCall>()
  #isClosed = false

  constructor(settings: HttpSettings) {
    this.name = settings.label
    this.#settings = settings
  }

  async answer(passage: Passage): Promise<Reply> {
    const line = new Line(passage.incoming)
    try {
      if (this.#asksForAllTasks(passage)) return noTaskList(passage)
      const session = this.#sessionOf(passage)
      if (session === 'unknown') return sessionNotFound(passage)
      const headers = this.#headersOf(passage, session.id)
      if (headers === 'unknown event') return eventNotFound()
      const { method, body, identity } = passage
      if (identity !== undefined) await sign(headers, identity)
      if (body !== undefined) addLength(headers, body)
      const answered = await this.#send({ method, headers, body }, passage, line, this.#settings.timeoutMs)
      return await this.#reply(answered, passage, session)
    } catch (error) {
      throw this.#told(error, line)
    }
  }

  async ask(passage: Passage, method: string, params?: JsonObject): Promise<JsonObject> {
    const { timeoutMs, maxAnswerBytes, fixedHeaders } = this.#settings
    try {
      const session = this.#sessionOf(passage)
      if (session === 'unknown') throw new UpstreamError('broken', 'The session of the request is gone.')
      const own = ownRequest(passage, this.#nextId(), method, params)
      const headers = [...fixedHeaders, ...own.headers]
      if (session.id !== undefined) headers.push('mcp-session-id', session.id)
      if (passage.identity !== undefined) await sign(headers, passage.identity)
      const body = JSON.stringify(own.message)
      addLength(headers, body)
      const patience = timeoutMs === 0 ? ownTimeout : Math.min(timeoutMs, ownTimeout)
      const answered = await this.#send({ method: 'POST', headers, body }, passage, undefined, patience)
      kindOf(answered)
      return await resultIn(answered.call, answered.answer, own.message.id, maxAnswerBytes)
    } catch (error) {
      throw this.#told(error)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const call of this.#calls) if (call.isStanding) call.cancel(closed())
    await allOver(this.#calls)
    for (const call of this.#calls) call.cancel(closed())
    this.#settings.credential.close()
    this.#settings.origin.close()
  }

  /** Where the server knows one client, the gateway, its list of tasks is everybody's. */
  #asksForAllTasks({ message, identity }: Passage): boolean {
    return message?.method === 'tasks/list' && identity === undefined && !this.#settings.tellsCallersApart
  }

  /** The session a request belongs to; that of somebody else is an unknown one. */
  #sessionOf({ incoming, principal }: Passage): Session | 'unknown' {
    const name = incoming.header('mcp-session-id')
    if (name === undefined) return none
    const id = this.#names.read(sessionOwner(principal), name)
    return id === undefined ? 'unknown' : { id, name }
  }

  #headersOf(passage: Passage, session: string | undefined): string[] | 'unknown event' {
    const { incoming, caller, principal } = passage
    const headers = this.#settings.fixedHeaders.slice()
    passHeaders(headers, incoming, { credential: caller.token, names: this.#settings.ownNames })
    // Without a session there is nothing that says whose events they are.
    const last = session === undefined ? undefined : incoming.header('last-event-id')
    if (last !== undefined) {
      const event = this.#names.read(eventOwner(principal, session), last)
      if (event === undefined) return 'unknown event'
      headers.push('last-event-id', event)
    }
    if (session !== undefined) headers.push('mcp-session-id', session)
    return headers
  }

  /** Sends a request, with the credential where there is one. */
  #send(
    question: HttpQuestion,
    { caller }: Passage,
    line: Line | undefined,
    timeoutMs: number,
  ): Promise<Answered> {
    const keeper = this.#settings.credential.keeperFor(caller)
    return keeper === undefined
      ? this.#sendWith(undefined, question, line, timeoutMs)
      : this.#sendAs(keeper, question, line, timeoutMs)
  }

  /** Sends a request with a credential; after 401 once more with another one, if there is one. */
  async #sendAs(
    keeper: TokenKeeper,
    question: HttpQuestion,
    line: Line | undefined,
    timeoutMs: number,
  ): Promise<Answered> {
    const token = await this.#tokenOf(() => keeper.current({ url: this.#settings.url }))
    const first = await this.#sendWith(token, question, line, timeoutMs)
    if (first.answer.statusCode !== 401 || token === undefined) return first
    first.call.discard(first.answer)
    const better = await this.#renewed(keeper, token, first.answer)
    if (better === undefined) throw refused()
    return this.#sendWith(better, question, line, timeoutMs)
  }

  async #sendWith(
    token: string | undefined,
    { method, headers, body }: HttpQuestion,
    line: Line | undefined,
    timeoutMs: number,
  ): Promise<Answered> {
    if (this.#isClosed) throw closed()
    const { origin, ownHeaders } = this.#settings
    const all = token ? [...headers, 'authorization', `Bearer ${token}`] : headers
    const call = new HttpCall(origin, { method, headers: all, body }, timeoutMs, this.#calls)
    line?.runs(call)
    const answer = await call.head
    const secrets = () =>
      secretsOf(token ? [['authorization', `Bearer ${token}`], ...ownHeaders] : ownHeaders)
    return { call, answer, secrets }
  }

  #renewed(keeper: TokenKeeper, token: string, answer: IncomingMessage): Promise<string | undefined> {
    const header = answer.headers['www-authenticate']
    const challenge = header === undefined ? undefined : readBearerChallenge(header)
    return this.#tokenOf(() => keeper.renew(token, challenge, { url: this.#settings.url }))
  }

  async #tokenOf<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (cause) {
      // Why, is the business of the operator.
      throw refused(cause)
    }
  }

  #reply(answered: Answered, passage: Passage, session: Session): Reply | Promise<Reply> {
    const { call, answer } = answered
    const { maxAnswerBytes } = this.#settings
    const kind = kindOf(answered)
    const now = this.#sessionAfter(answered, passage, session)
    const headers = now.name === undefined ? noHeaders : { 'mcp-session-id': now.name }
    const isStream = kind === 'stream' && passage.method !== 'DELETE'
    if (!isStream) return plainReply(answered, kind === 'json', passage, headers, maxAnswerBytes)
    call.untimed()
    const owner = eventOwner(passage.principal, now.id)
    const stream = passStream(call, answer, {
      headers,
      maxEventBytes: maxAnswerBytes,
      review: passage.review,
      nameOf: (id) => this.#names.name(owner, id),
      broken: (error) => void this.#told(error),
    })
    stream.farewell = farewellTo(passage.message)
    stream.isStanding = passage.method === 'GET' || stream.farewell !== undefined
    call.isStanding = stream.isStanding
    return stream
  }

  /** A server names the session in the answer that opens it, and many do in every other. */
  #sessionAfter({ call, answer }: Answered, { principal }: Passage, before: Session): Session {
    const id = answer.headers['mcp-session-id']
    if (id === undefined) return before.id === undefined ? none : { id: before.id, name: undefined }
    if (id === before.id) return before
    if (typeof id === 'string' && sessionId.test(id))
      return { id, name: this.#names.name(sessionOwner(principal), id) }
    call.discard(answer)
    throw new UpstreamError('broken', 'The server named a session in a way that no client takes.')
  }

  /** What becomes of a failure. The operator hears of it, unless it was the caller who left. */
  #told(error: unknown, line?: Line): unknown {
    if (!(error instanceof UpstreamError) || line?.isGone) return error
    const { problem, message } = error
    const details = { server: this.name, ...reasonOf(error.cause) }
    this.#settings.log({ level: 'warn', event: `upstream_${problem}`, message, details })
    return error
  }
}

/** A session as the server and as the client calls it. */
interface Session {
  readonly id: string | undefined
  readonly name: string | undefined
}

const none: Session = { id: undefined, name: undefined }
const noHeaders: Readonly<Record<string, string>> = Object.freeze({})

/** A principal is a text of JSON, and the id of a session has no control characters: no two owners are the same text. */
function sessionOwner(principal: string): string {
  return `session\0${principal}`
}

function eventOwner(principal: string, session: string | undefined): string {
  return `event\0${principal}\0${session ?? ''}`
}

function addLength(headers: string[], body: string): void {
  headers.push('content-type', 'application/json', 'content-length', String(Buffer.byteLength(body)))
}

async function sign(headers: string[], identity: NonNullable<Passage['identity']>): Promise<void> {
  for (const [name, value] of Object.entries(await identity())) {
    // Nobody but the gateway says who calls.
    remove(headers, name.toLowerCase())
    headers.push(name, value)
  }
}

function remove(headers: string[], name: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2)
    if (headers[at]!.toLowerCase() === name) headers.splice(at, 2)
}

/** What runs for one caller, and ends when the caller leaves. A class, because there is one for each request. */
class Line {
  isGone = false
  #call: HttpCall | undefined

  constructor(incoming: Passage['incoming']) {
    incoming.onLeave(() => {
      this.isGone = true
      this.#call?.cancel(gone())
    })
  }

  runs(call: HttpCall): void {
    this.#call = call
    if (this.isGone) call.cancel(gone())
  }
}

function gone(): UpstreamError {
  return new UpstreamError('broken', 'The caller left before there was an answer.')
}

function closed(): UpstreamError {
  return new UpstreamError('unreachable', 'The gateway is being closed.')
}

/** Waits until nothing is under way, or for a moment. */
async function allOver(calls: ReadonlySet<HttpCall>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([Promise.all([...calls].map((call) => call.over)), late])
  clearTimeout(timer)
}

/** Of errors of the network what is no sentence; of those of token sources all, which never holds a credential. */
function reasonOf(cause: unknown): { readonly reason?: string } {
  if (!(cause instanceof Error)) return {}
  const { code, message } = cause as NodeJS.ErrnoException
  return { reason: cause.name === 'AuthError' ? message : (code ?? message) }
}
