import { stopwatch } from '../../core/clock.ts'
import {
  type AccessToken,
  type Clock,
  type Logger,
  stderrLogger,
  throttled,
  unfailing,
} from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { UpstreamError } from '../upstream.ts'
import { type Child, type ChildExit, startChild } from './child.ts'
import { backoff } from './child-backoff.ts'
import { callerEnvironment } from './child-identity.ts'
import { readProgram } from './child-options.ts'

/** Options of {@link children}. */
export interface ChildrenOptions {
  /** A program, found by `PATH` of `env`; no line for a shell. */
  readonly command: string
  readonly args?: readonly string[] | undefined
  /** All of the environment of each process: see {@link childEnvironment}. */
  readonly env: Readonly<Record<string, string>>
  /** Default: the working folder of this process. */
  readonly cwd?: string | undefined
  /**
   * Whether a process is told whose it is, by `MCP_BEARER_SUBJECT`, `MCP_BEARER_CLIENT_ID` and `MCP_BEARER_ISSUER` in
   * its environment. What is not known is absent. Default: no.
   */
  readonly identity?: boolean | undefined
  /** The most processes at a time. Default: 100. */
  readonly max?: number | undefined
  /** The most processes of one principal at a time. Default: 10. */
  readonly maxPerPrincipal?: number | undefined
  /** Gets what processes write to standard error, at level `info`, and what is wrong with them. Default: `stderrLogger`. */
  readonly logger?: Logger | undefined
  /** Milliseconds, for the time between two starts. Default: one that never goes back. */
  readonly clock?: Clock | undefined
  /** As in {@link ChildOptions}. */
  readonly graceMs?: number | undefined
}

/** The processes of all principals. */
export interface Children {
  /**
   * Starts a process for a principal.
   * @param principal whom limits and crashes are counted for
   * @throws UpstreamError `busy` when there are as many as there may be, or those of this principal crash one after the
   *   other; `unreachable` when none is started any more, or the caller cannot be named to one
   */
  start(principal: string, caller: AccessToken): Child
  /** The process of this principal that has just ended may be followed by another one as if it had not crashed. */
  forgive(principal: string): void
  /** How many there are: until they are gone, not until they are told to go. */
  readonly size: number
  /** Ends all of them. Resolves when they are gone. */
  close(): Promise<void>
}

/** Seconds. Somebody else's process has to end first. */
const busySeconds = 5

/**
 * Starts the processes of an MCP server, each for one principal: within limits, and not over and over when they crash.
 *
 * Processes share nothing that comes from the gateway: no descriptor, no variable but the given ones. They are run by
 * the same user of this machine, though, and what that user may read each of them may read.
 *
 * @throws TypeError naming the option that is wrong
 */
export function children(options: ChildrenOptions): Children {
  const { program, identity, max, maxPerPrincipal, logger, clock, graceMs } = readSettings(options)
  const log = unfailing(logger)
  const warn = throttled(log, clock)
  const pauses = backoff(clock)
  const running = new Set<Child>()
  const counts = tally()
  let isClosed = false

  function checkRoom(principal: string): void {
    if (isClosed) throw new UpstreamError('unreachable', 'the gateway is shutting down')
    if (counts.of(principal) >= maxPerPrincipal) {
      const advice = 'close a session you do not need'
      throw busy(`there are ${maxPerPrincipal} server processes of yours, and no more may run; ${advice}`)
    }
    if (running.size >= max) throw busy('as many server processes run as may run; try again later')
    const pause = pauses.pause(principal)
    if (pause) {
      const text = `the server process is not started again yet, it ended too often: ${pause.text}`
      throw busy(text, Math.ceil(pause.ms / 1000))
    }
  }

  function told(principal: string, startedAt: number, pid: number | undefined, exit: ChildExit): void {
    counts.add(principal, -1)
    if (exit.wasStopped) return
    pauses.crashed(principal, clock() - startedAt, exit.text)
    const details = { pid, code: exit.code ?? undefined, signal: exit.signal ?? undefined }
    warn({ level: 'warn', event: `child_${exit.problem ?? 'ended'}`, message: exit.text, details })
  }

  return {
    start(principal, caller) {
      checkRoom(principal)
      const startedAt = clock()
      const child = startChild({
        ...program,
        env: identity ? callerEnvironment(program.env, caller) : program.env,
        graceMs,
        onStderr: (message) => log({ level: 'info', event: 'child_stderr', message, details: pidOf(child) }),
        onGarbage: (message) =>
          log({ level: 'warn', event: 'child_garbage', message, details: pidOf(child) }),
        onEnd(exit) {
          running.delete(child)
          told(principal, startedAt, child.pid, exit)
        },
      })
      running.add(child)
      counts.add(principal, 1)
      return child
    },
    forgive: pauses.forgiven,
    get size() {
      return running.size
    },
    async close() {
      isClosed = true
      await Promise.all(Array.from(running, (child) => child.stop()))
    },
  }
}

/** How many there are of each name, of which there are any number. */
function tally() {
  const counts = new Map<string, number>()
  const of = (name: string) => counts.get(name) ?? 0
  return {
    of,
    add(name: string, change: 1 | -1) {
      const now = of(name) + change
      if (now === 0) counts.delete(name)
      else counts.set(name, now)
    },
  }
}

function pidOf({ pid }: Child) {
  return { pid }
}

function busy(message: string, retryAfter = busySeconds): UpstreamError {
  return new UpstreamError('busy', message, { retryAfter })
}

function readSettings(options: ChildrenOptions) {
  const owner = 'children'
  checkOptions(owner, options, [
    'command',
    'args',
    'env',
    'cwd',
    'identity',
    'max',
    'maxPerPrincipal',
    'logger',
    'clock',
    'graceMs',
  ])
  const { identity = false, max = 100, maxPerPrincipal = 10, graceMs = 2000 } = options
  if (typeof identity !== 'boolean') throw new TypeError(`${owner}: identity must be true or false`)
  return {
    program: readProgram(owner, options),
    identity,
    max: numberBetween(`${owner}: max`, max, 1, 10_000),
    maxPerPrincipal: numberBetween(`${owner}: maxPerPrincipal`, maxPerPrincipal, 1, 10_000),
    logger: options.logger ?? stderrLogger,
    clock: options.clock ?? stopwatch,
    graceMs: numberBetween(`${owner}: graceMs`, graceMs, 0, 600_000),
  }
}
