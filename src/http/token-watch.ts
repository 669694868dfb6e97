import {
  type AccessToken,
  AuthError,
  type Clock,
  completeVerdict,
  principalOf,
  type ScopePolicy,
  type TokenVerifier,
} from '../core/index.ts'
import { numberBetween } from '../core/options.ts'
import { interval, type Schedule } from '../core/schedule.ts'

/** Why a stream ends before its time. `revoked` is every other reason than expiry for which its token is not good any more. */
export type EndReason = 'expired' | 'revoked'

/** How streams are watched. */
export interface TokenWatchOptions {
  readonly clock: Clock
  /** The one that accepted the tokens. */
  readonly verifier: TokenVerifier
  /** How scopes compare where the tokens are used; the one the verifier got. Default: each scope stands for itself. */
  readonly scopes?: ScopePolicy
  /** Milliseconds between two looks at every stream. 10 to 60,000. Default: 1000. */
  readonly everyMs?: number
  /** Milliseconds after which the verifier is asked about the token of a stream again. 1000 to 86,400,000. Default: 60,000. */
  readonly verifyEveryMs?: number
  /** Default: `setInterval`, which keeps no process alive. */
  readonly schedule?: Schedule
}

/** One stream that is watched. */
export interface Watch {
  /** The token as the verifier last described it: its scopes may have changed since the stream was opened. */
  readonly token: AccessToken
  /**
   * Whether something may be written now. Quick, and without I/O: call it before each event is written. Ends the stream when
   * its token is not good any more.
   */
  check(): boolean
  /** The stream is over; nothing is called any more. */
  stop(): void
}

/** Watches all streams of a server. */
export interface TokenWatch {
  /**
   * @param token of the request that opened the stream, as its verifier put it: what is in `token.token` is asked about
   * @param end called once, when the token is not good any more, and never before `watch` has returned; not called after
   *   `stop` or `close`. What it throws is dropped
   */
  watch(token: AccessToken, end: (reason: EndReason) => void): Watch
  /** Stops all of it: no stream is watched any more, and every `check` says no. */
  close(): void
}

/**
 * Makes a {@link TokenWatch}: a stream does not outlive its token (MCP authorization, "Token Handling"). One interval for
 * all, and no timer for each, so a token valid for years overflows none.
 *
 * - Expiry, and what the verifier's `recheck` knows, ends a stream before its next event, and an idle one within `everyMs`.
 * - What only the verifier can find out ends it within `verifyEveryMs`, and as much later as the verdict is remembered.
 *   At most four questions run at once; one without an answer for 30 seconds is given up.
 * - While `recheck` throws `verifier_unavailable`, nothing is written; after 30 seconds of it the stream ends.
 * - An outage of what is asked ends nothing, until the fifth in a row: then nobody knows any more whether the token is good.
 * - A token that suddenly speaks for somebody else is not the one that opened the stream: revoked.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function tokenWatch(options: TokenWatchOptions): TokenWatch {
  const { clock, verifier, schedule = interval } = options
  const everyMs = numberBetween('tokenWatch: everyMs', options.everyMs ?? 1000, 10, 60_000)
  const streams = new Set<Stream>()
  const questions = questioning(options, finish)
  let isClosed = false
  let unschedule: (() => void) | undefined

  return {
    watch(token, end) {
      const stream: Stream = { token, end, outages: 0, ...questions.nextDue() }
      if (!isClosed) {
        streams.add(stream)
        unschedule ??= schedule(look, everyMs)
      }
      return {
        get token() {
          return stream.token
        },
        check: () => check(stream),
        stop: () => drop(stream),
      }
    },
    close() {
      isClosed = true
      for (const stream of streams) drop(stream)
    },
  }

  function look(): void {
    // A copy: whoever is told of an end may open another stream.
    for (const stream of [...streams]) if (check(stream)) questions.consider(stream)
    questions.proceed()
  }

  function check(stream: Stream): boolean {
    if (!streams.has(stream)) return false
    const found = endOf(stream.token, verifier, clock)
    if (found === 'outage') return wait(stream)
    stream.unknownSince = undefined
    if (found !== undefined) finish(stream, found)
    return found === undefined
  }

  /** Nobody knows whether it may go on: nothing is written, and it ends if that lasts. */
  function wait(stream: Stream): false {
    const now = clock()
    stream.unknownSince ??= now
    if (!isWithin(now, stream.unknownSince, stream.unknownSince + patience)) finish(stream, 'revoked')
    return false
  }

  function finish(stream: Stream, reason: EndReason): void {
    drop(stream)
    try {
      stream.end(reason)
    } catch {
      // One that fails must not keep the others from being ended.
    }
  }

  function drop(stream: Stream): void {
    streams.delete(stream)
    questions.forget(stream)
    if (streams.size > 0) return
    unschedule?.()
    unschedule = undefined
  }
}

interface Stream extends Due {
  token: AccessToken
  readonly end: (reason: EndReason) => void
  /** In a row. */
  outages: number
  /** Since when the verifier's `recheck` cannot tell, in milliseconds since 1970. */
  unknownSince?: number | undefined
  question?: Question | undefined
}

/** When the verifier is to be asked, in milliseconds since 1970. */
interface Due {
  since: number
  until: number
}

/** What the verifier has not answered yet. */
interface Question {
  /** Milliseconds since 1970. */
  readonly asked: number
  readonly controller: AbortController
}

/** Without I/O. A clock or a verifier that breaks leaves nobody in; one that says that it cannot tell has not broken. */
function endOf(token: AccessToken, verifier: TokenVerifier, clock: Clock): EndReason | 'outage' | undefined {
  try {
    if (token.isExpired(clock())) return 'expired'
    // Anything but silence refuses, a promise by mistake too.
    const changed: unknown = verifier.recheck?.(token) ?? undefined
    if (changed === undefined) return undefined
    return changed === 'expired' ? 'expired' : 'revoked'
  } catch (error) {
    return isOutage(error) ? 'outage' : 'revoked'
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'verifier_unavailable'
}

const atOnce = 4
const outagesToEnd = 5
/**
 * Milliseconds after which a question is given up: four that are never answered must not keep all others waiting. So long,
 * too, a stream stays open of which it is not known whether it may.
 */
const patience = 30_000
/** Up to a quarter sooner, so that streams opened together are not asked about together. */
const spread = 0.25

/**
 * Asks the verifier again. Also one with a `recheck`: that of `revocable` knows its own list, and nothing of what the
 * authorization server behind it knows.
 */
function questioning(options: TokenWatchOptions, finish: (stream: Stream, reason: EndReason) => void) {
  const { clock, verifyEveryMs = 60_000 } = options
  const every = numberBetween('tokenWatch: verifyEveryMs', verifyEveryMs, 1000, 86_400_000)
  const waiting = new Set<Stream>()
  const running = new Set<Stream>()
  return { nextDue, consider, proceed, forget }

  function nextDue(): Due {
    const since = clock()
    return { since, until: since + every * (1 - spread * Math.random()) }
  }

  function consider(stream: Stream): void {
    const now = clock()
    const { question } = stream
    if (question === undefined) {
      if (!isWithin(now, stream.since, stream.until)) waiting.add(stream)
    } else if (!isWithin(now, question.asked, question.asked + patience)) {
      question.controller.abort()
      settle(stream, 'outage')
    }
  }

  function proceed(): void {
    for (const stream of waiting) {
      if (running.size >= atOnce) return
      waiting.delete(stream)
      // Only a clock that breaks gets here.
      ask(stream).catch(() => finish(stream, 'revoked'))
    }
  }

  function forget(stream: Stream): void {
    waiting.delete(stream)
    stream.question?.controller.abort()
    stream.question = undefined
    running.delete(stream)
  }

  async function ask(stream: Stream): Promise<void> {
    const question = { asked: clock(), controller: new AbortController() }
    stream.question = question
    running.add(stream)
    const answer = await inquire(stream.token, options, question.controller.signal)
    // Given up, or the stream is over.
    if (stream.question !== question) return
    settle(stream, answer)
    proceed()
  }

  function settle(stream: Stream, answer: Answer): void {
    stream.question = undefined
    running.delete(stream)
    stream.outages = answer === 'outage' ? stream.outages + 1 : 0
    if (answer === 'expired' || answer === 'revoked') finish(stream, answer)
    else if (stream.outages === outagesToEnd) finish(stream, 'revoked')
    else {
      if (answer !== 'outage') stream.token = answer
      Object.assign(stream, nextDue())
    }
  }
}

/** A clock that was set back must not put anything off. */
function isWithin(now: number, since: number, until: number): boolean {
  return now >= since && now < until
}

type Answer = AccessToken | EndReason | 'outage'

/** Never rejects, and is never there at once: many that fail must not pile up on the stack. */
async function inquire(
  token: AccessToken,
  { verifier, clock, scopes }: TokenWatchOptions,
  signal: AbortSignal,
): Promise<Answer> {
  let isExpired = false
  const refused = (reason: string) => {
    isExpired = reason === 'expired'
  }
  const context = { signal, refused, isRecheck: true, ...(scopes && { scopes }) }
  try {
    const verdict = await verifier.verifyToken(token.token, context)
    const renewed = completeVerdict(verdict, clock)
    if (renewed === null) return verdict || isExpired ? 'expired' : 'revoked'
    return principalOf(renewed) === principalOf(token) ? renewed : 'revoked'
  } catch (error) {
    return isRefusal(error) ? 'revoked' : 'outage'
  }
}

/** What is the token's fault, and what {@link bearerGate} would refuse it for; anything else says nothing of it. */
function isRefusal(error: unknown): boolean {
  return error instanceof AuthError && refusals.has(error.code)
}

const refusals: ReadonlySet<string> = new Set([
  'unauthorized',
  'invalid_token',
  'insufficient_scope',
  'access_denied',
])
