import { stopwatch } from '../../core/clock.ts'
import { type Clock, type Logger, principalOf } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { interval, type Schedule } from '../../core/schedule.ts'
import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import type { Reply } from '../../server/reply.ts'
import { isRequest, type JsonObject, type RpcMessage, type RpcRequest } from '../message.ts'
import { type Passage, type Upstream, UpstreamError } from '../upstream.ts'
import { cannotAsk } from './channel-ask.ts'
import { ownerOf } from './child-identity.ts'
import { type Children, children } from './children.ts'
import { metaProblem } from './command-meta.ts'
import { isModern, type ModernSide, modernSide } from './command-modern.ts'
import { type CommandServer, commandServer } from './command-server.ts'
import { accepted, type CommandSession, commandSession, noSession, refusal } from './command-session.ts'
import { type CommandSessions, commandSessions, type SessionLimits } from './command-sessions.ts'
import { type Spares, spares } from './command-spares.ts'

/** How many processes run, how long, and what they are told. */
export interface ProcessLimits {
  /** The most at a time. Default: 100. */
  readonly max?: number | undefined
  /** The most of one principal at a time. Default: 10. */
  readonly maxPerPrincipal?: number | undefined
  /** Milliseconds after which a session or a process ends that nobody uses: no request, no open stream. Default: 300000. */
  readonly idleMs?: number | undefined
  /** Milliseconds a new process has for its first answer; programs that are installed first take long. Default: 60000. */
  readonly startTimeoutMs?: number | undefined
  /**
   * Whether processes are told of the `roots` of their clients (MCP "Roots"). Those are paths on the client's machine, and
   * some servers open them on this one, instead of the folders they were started with: only for clients that may read all
   * of it. Default: false.
   */
  readonly clientRoots?: boolean | undefined
}

/** Options of {@link commandUpstream}. */
export interface CommandUpstreamOptions {
  /** A program, found by `PATH` of `env`; no line for a shell. */
  readonly command: string
  readonly args?: readonly string[] | undefined
  /** All of the environment of its processes: see `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>
  /** Default: the working folder of this process. */
  readonly cwd?: string | undefined
  /**
   * Who has a process of their own: each session, or each principal with all their sessions. Clients of 2026-07-28 have
   * no sessions, and one process for each principal. Default: `session`.
   */
  readonly per?: 'session' | 'principal' | undefined
  /** Whether processes are told whose they are, by `MCP_BEARER_SUBJECT`, `MCP_BEARER_CLIENT_ID` and `MCP_BEARER_ISSUER`. Default: no. */
  readonly identity?: boolean | undefined
  /** Limits. */
  readonly processes?: ProcessLimits | undefined
  /** Milliseconds without a sign of the server's after which a request is given up; 0 for no limit. Default: 600000. */
  readonly requestTimeoutMs?: number | undefined
  /** Gets what processes write to standard error, and how they end. Default: `stderrLogger`. */
  readonly logger?: Logger | undefined
  /** Milliseconds, for how long something takes. Default: a clock that never goes back. */
  readonly clock?: Clock | undefined
}

/** An {@link Upstream} that runs programs. */
export interface CommandUpstream extends Upstream {
  /** How many processes there are. */
  readonly processes: number
  /** How many sessions there are. */
  readonly sessions: number
}

const known = [
  'command',
  'args',
  'env',
  'cwd',
  'per',
  'identity',
  'processes',
  'requestTimeoutMs',
  'logger',
  'clock',
] as const satisfies readonly (keyof CommandUpstreamOptions)[]

const knownLimits = [
  'max',
  'maxPerPrincipal',
  'idleMs',
  'startTimeoutMs',
  'clientRoots',
] as const satisfies readonly (keyof ProcessLimits)[]

/** Milliseconds between two looks at the time. */
const tickMs = 1000

/** Milliseconds for which what is under way may finish when all ends. */
const lastMomentMs = 2000

/** Sessions that share processes: there may be more of them than of these. */
const shared = { max: 1000, maxPerPrincipal: 100 }

/**
 * Runs an MCP server that speaks stdio, for many callers: nobody shares a process with another principal. What clients
 * call their requests is never what the process sees, so equal ids of two clients stay apart. A process that crashes is
 * started again when it is needed; what was under way is answered with an error.
 *
 * @param options the program, and who has a process of their own
 * @param schedule how time goes on, for tests. Default: once a second
 * @throws TypeError naming the option that is wrong
 *
 * @example
 * ```ts
 * import { childEnvironment, commandUpstream } from 'mcp-bearer/gateway'
 *
 * const upstream = commandUpstream({
 *   command: 'npx',
 *   args: ['-y', '@modelcontextprotocol/server-everything'],
 *   env: childEnvironment({ PATH: '/usr/bin', HOME: '/home/mcp' }, []),
 * })
 * ```
 */
export function commandUpstream(
  options: CommandUpstreamOptions,
  schedule: Schedule = interval,
): CommandUpstream {
  return new OneUpstream(options, schedule)
}

/** A class, for its many small parts. */
class OneUpstream implements CommandUpstream {
  readonly name: string
  readonly #settings: Settings
  readonly #children: Children
  readonly #sessions: CommandSessions
  readonly #modern: ModernSide
  readonly #spares: Spares
  /** Of owners whose sessions share one. */
  readonly #shared = new Map<string, CommandServer>()
  readonly #stopTicking: () => void
  #isClosed = false

  constructor(options: CommandUpstreamOptions, schedule: Schedule) {
    const settings = readOptions(options)
    const { command, args, env, cwd, identity, logger, clock } = options
    const { max, maxPerPrincipal, idleMs } = settings.limits
    this.name = command
    this.#settings = settings
    const limits = { max, maxPerPrincipal }
    this.#children = children({ command, args, env, cwd, identity, logger, clock, ...limits })
    this.#sessions = commandSessions(settings.isShared ? { ...shared, idleMs } : settings.limits)
    this.#spares = spares(settings.clock)
    const kept = { children: this.#children, spares: this.#spares }
    this.#modern = modernSide({ ...kept, ...settings, idleMs })
    this.#stopTicking = schedule(() => this.#tick(), tickMs)
  }

  get processes(): number {
    return this.#children.size
  }

  get sessions(): number {
    return this.#sessions.size
  }

  async answer(passage: Passage): Promise<Reply> {
    if (this.#isClosed) throw closing()
    const { message, method } = passage
    if (message === undefined) return this.#withoutMessage(passage, method)
    if (!isRequest(message)) return this.#unanswered(passage, message)
    if (!acceptsBoth(passage)) return refusal(406, message.id, notAcceptable)
    if (isModern(message)) return metaProblem(passage, message) ?? this.#modern.answer(passage, message)
    const id = passage.incoming.header('mcp-session-id')
    if (id === undefined && message.method === 'initialize') return this.#opened(passage, message)
    if (id === undefined) return metaProblem(passage, message) ?? refusal(400, message.id, noSessionHeader)
    const found = this.#found(id, passage)
    return found ? found.post(passage, message) : noSession(message.id)
  }

  async ask(passage: Passage, method: string, params?: JsonObject): Promise<JsonObject> {
    if (this.#isClosed) throw closing()
    const { message } = passage
    if (message !== undefined && isModern(message)) return this.#modern.ask(passage, method, params)
    const id = passage.incoming.header('mcp-session-id')
    const found = id === undefined ? undefined : this.#found(id, passage)
    if (!found) throw cannotAsk('Session not found.', noSession(message?.id))
    return found.ask(passage, method, params)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#lastMoment()
    this.#stopTicking()
    await Promise.all([...this.#sessions].map((session) => this.#sessions.remove(session)))
    await this.#modern.close()
    await this.#children.close()
  }

  #withoutMessage(passage: Passage, method: Passage['method']): Reply {
    const id = passage.incoming.header('mcp-session-id')
    // Since 2026-07-28 there is nothing but POST.
    if (id === undefined) return notAllowed
    const found = this.#found(id, passage)
    if (!found) return noSession(undefined)
    if (method === 'GET') {
      const accept = passage.incoming.header('accept') ?? ''
      return accepts(accept, 'text/event-stream')
        ? found.listen(passage)
        : refusal(406, undefined, 'Not Acceptable: the client must accept text/event-stream')
    }
    void this.#sessions.remove(found)
    return gone
  }

  /** Notifications and answers. Without a session they are of a client that is of no session: it can say nothing there. */
  #unanswered(passage: Passage, message: RpcMessage): Reply | Promise<Reply> {
    const id = passage.incoming.header('mcp-session-id')
    if (id === undefined) return accepted
    const found = this.#found(id, passage)
    return found ? found.post(passage, message) : noSession(undefined)
  }

  #found(id: string, passage: Passage): CommandSession | undefined {
    return this.#sessions.find(id, ownerOf(passage, this.#settings.isTold))
  }

  async #opened(passage: Passage, message: RpcRequest): Promise<Reply> {
    const principal = principalOf(passage.caller)
    await this.#makeRoom(principal)
    const owner = ownerOf(passage, this.#settings.isTold)
    const session = commandSession({
      owner,
      principal,
      server: this.#serverOf(owner),
      failed: (it) => void this.#sessions.remove(it),
      ...this.#settings,
    })
    this.#sessions.add(session)
    return session.open(passage, message)
  }

  /** Who opens more sessions than they may have ends those they have left behind. */
  async #makeRoom(principal: string): Promise<void> {
    if (this.#sessions.hasRoom(principal)) return
    const idle = this.#sessions.idleOf(principal)
    if (idle) await this.#sessions.remove(idle)
    if (this.#isClosed) throw closing()
    if (!this.#sessions.hasRoom(principal))
      throw new UpstreamError('busy', 'There are as many sessions as there may be.', { retryAfter: 60 })
  }

  #serverOf(owner: string): CommandServer {
    const { isShared, startTimeoutMs } = this.#settings
    const spare = () => this.#spares.take(owner)
    const parts = { children: this.#children, spare, startTimeoutMs }
    if (!isShared) return commandServer({ ...parts, ended() {} })
    const found = this.#shared.get(owner)
    if (found) return found
    const made = commandServer({ ...parts, ended: () => this.#shared.delete(owner) })
    this.#shared.set(owner, made)
    return made
  }

  #tick(): void {
    const now = this.#settings.clock()
    for (const session of this.#sessions) session.tick(now)
    this.#sessions.sweep(now)
    this.#modern.tick(now)
    this.#spares.tick(now)
  }

  async #lastMoment(): Promise<void> {
    const end = stopwatch() + lastMomentMs
    const isAnswering = () =>
      this.#modern.isAnswering || [...this.#sessions].some((session: CommandSession) => session.isAnswering)
    while (isAnswering() && stopwatch() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Checked options. */
interface Settings {
  readonly isShared: boolean
  /** Whether processes know who calls. */
  readonly isTold: boolean
  /** Whether they know of the roots of clients. */
  readonly hasRoots: boolean
  readonly limits: SessionLimits
  readonly startTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly clock: () => number
}

/** A day, in milliseconds. */
const day = 86_400_000

function readOptions(options: CommandUpstreamOptions): Settings {
  checkOptions('commandUpstream', options, known)
  const { per = 'session', processes = {}, requestTimeoutMs = 600_000, clock = stopwatch } = options
  checkOptions('commandUpstream (processes)', processes, knownLimits)
  if (per !== 'session' && per !== 'principal')
    throw new TypeError("commandUpstream: per must be 'session' or 'principal'")
  if (typeof clock !== 'function') throw new TypeError('commandUpstream: clock must be a function')
  const { max = 100, maxPerPrincipal = 10, idleMs = 300_000, startTimeoutMs = 60_000 } = processes
  const limit = (name: string, value: unknown, low: number, high: number) =>
    numberBetween(`commandUpstream: ${name}`, value, low, high)
  return {
    isShared: per === 'principal',
    isTold: options.identity === true,
    hasRoots: processes.clientRoots === true,
    limits: {
      max: limit('processes.max', max, 1, 10_000),
      maxPerPrincipal: limit('processes.maxPerPrincipal', maxPerPrincipal, 1, 10_000),
      idleMs: limit('processes.idleMs', idleMs, 1000, 30 * day),
    },
    startTimeoutMs: limit('processes.startTimeoutMs', startTimeoutMs, 100, day),
    requestTimeoutMs: limit('requestTimeoutMs', requestTimeoutMs, 0, 30 * day),
    clock,
  }
}

function closing(): UpstreamError {
  return new UpstreamError('unreachable', 'The gateway is closing.')
}

const gone: PlainAnswer = Object.freeze({ status: 204, headers: {}, body: '' })

const notAllowed: PlainAnswer = jsonAnswer(405, { error: 'method_not_allowed' }, { allow: 'POST' })

const noSessionHeader = 'The header Mcp-Session-Id is missing'

const notAcceptable = 'Not Acceptable: the client must accept application/json and text/event-stream'

function acceptsBoth({ incoming }: Passage): boolean {
  const accept = incoming.header('accept') ?? ''
  return accepts(accept, 'application/json') && accepts(accept, 'text/event-stream')
}

function accepts(header: string, type: string): boolean {
  return header.includes(type) || header.includes('*/*')
}
