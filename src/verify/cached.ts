import { type AccessToken, type Grant, grantOf } from '../core/access-token.ts'
import type { Clock } from '../core/clock.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import type { ScopePolicy } from '../core/scopes.ts'
import type { CompleteTokenVerifier, TokenVerifier } from '../core/verifier.ts'
import { type Environment, readEnvironment, type VerifierEnvironment } from './environment.ts'
import {
  type Call,
  callWith,
  checkVerifier,
  type Decider,
  granted,
  type Inside,
  insideOf,
  type Outcome,
  traitsOf,
  verifierFrom,
} from './inside.ts'
import { type RefusalReason, reasonOf } from './refusal.ts'
import { digestOf, tokenMap } from './remembered.ts'
import { refusalReporter } from './report.ts'

/** How much {@link cached} remembers, and for how long. */
export interface CachedOptions {
  /** Seconds a good token is remembered, never past its expiry; also how late it may be noticed that it was revoked elsewhere. 1 to 3600. Default: 30. */
  readonly maxAge?: number
  /** Seconds a refusal is remembered. 0 to 60; 0 remembers none. Default: 5. */
  readonly maxAgeOfRefusals?: number
  /** How many verdicts are remembered, good ones and refusals each. 1 to 1,000,000. Default: 10,000. */
  readonly maxEntries?: number
}

/**
 * Remembers the verdicts of a verifier that costs something: a look-up, a request. Parallel requests with one token ask
 * once. Verdicts are kept by the SHA-256 of the token, from which it cannot be read back; expiry and revocation are
 * looked at on every use; an error is never remembered; and refusals have a room of their own, so that nobody can push
 * good tokens out by inventing bad ones.
 *
 * A `jwtVerifier` remembers by itself, and so does an `introspectionVerifier`: they need no other. What revokes tokens
 * belongs outside: `revocable(cached(…), …)`.
 *
 * @param verifier any verifier; must answer the same for the same token, whoever sends it. Scopes it asks for by itself
 *   must stand in its `requiredScopes`
 * @param environment its clock and `onEvent` are used; of verdicts it is told where the verifier does not report by itself
 * @throws TypeError naming the option that is unknown or out of bounds, around an `apiKeyVerifier`, or on a runtime
 *   without `node:crypto`
 *
 * @example
 * ```ts
 * import { cached } from 'mcp-bearer/verify'
 *
 * const sessions = cached(
 *   {
 *     async verifyToken(token: string) {
 *       const answer = await fetch('https://sessions.example.com/', { method: 'POST', body: token })
 *       return answer.status === 200 ? { token, subject: await answer.text() } : null
 *     },
 *   },
 *   { maxAge: 10 },
 * )
 * ```
 */
export function cached(
  verifier: TokenVerifier,
  options: CachedOptions = {},
  environment: VerifierEnvironment = {},
): CompleteTokenVerifier {
  checkVerifier('cached', verifier)
  checkOptions('cached', options, ['maxAge', 'maxAgeOfRefusals', 'maxEntries'])
  const { maxAge = 30, maxAgeOfRefusals = 5, maxEntries = 10_000 } = options
  const limits = {
    maxAge: numberBetween('cached: maxAge', maxAge, 1, 3600),
    maxAgeOfRefusals: numberBetween('cached: maxAgeOfRefusals', maxAgeOfRefusals, 0, 60),
    maxEntries: numberBetween('cached: maxEntries', maxEntries, 1, 1_000_000),
  }
  const world = readEnvironment('cached', environment)
  const traits = traitsOf(verifier)
  const reporting = { report: refusalReporter(world), sink: world.onEvent }
  const within = insideOf(verifier, world.clock, reporting)
  if (within.isCounting)
    throw new TypeError('cached: an apiKeyVerifier remembers by itself, and counts each use')
  return verifierFrom(cachedInside(within, traits.recheck, limits, world), traits)
}

/** A verdict as it is remembered: all that is known of a good token but the token, or why it is refused. */
interface Entry {
  readonly verdict: Grant | RefusalReason
  readonly decider: Decider
  /** When it was asked for, in milliseconds since 1970. */
  readonly since: number
  /** Milliseconds since 1970. */
  readonly until: number
}

/** What a verifier said, and who it was. */
interface Verdict {
  readonly outcome: Outcome
  readonly decider: Decider
}

/** What one question brought, for all who waited for it. */
type Answer = Verdict | { readonly error: unknown; readonly decider: Decider }

/**
 * The verdict of {@link cached}.
 * @param recheck asked on every use of what is remembered
 */
export function cachedInside(
  within: Inside,
  recheck: ((token: AccessToken) => string | undefined) | undefined,
  limits: Required<CachedOptions>,
  { clock, onEvent }: Environment,
): Inside {
  if (digestOf('') === undefined) throw new TypeError('remembering verdicts needs a runtime with node:crypto')
  const verdicts = verdictMemory(limits, clock)
  const ask = sharedQuestions(within, clock, verdicts.keep)

  return {
    ...(within.recognizes && { recognizes: within.recognizes }),
    judge(token, call) {
      // Texts that are no Unicode may share their bytes with another one, and so their digest.
      if (typeof token !== 'string' || /\p{Surrogate}/u.test(token)) return 'malformed'
      const digest = digestOf(token) ?? ''
      const entry = verdicts.find(digest)
      call.cache = entry ? 'hit' : 'miss'
      onEvent?.({ type: `cache.${call.cache}`, cache: 'verdict' })
      if (entry) return settled(outcomeOf(entry, token), entry.decider, call)
      return ask(token, digest, call.context?.scopes).then((answer) => {
        if ('outcome' in answer) return settled(answer.outcome, answer.decider, call)
        call.decider = answer.decider
        throw answer.error
      })
    },
  }

  /** What can change while a verdict is remembered, and what depends on who asks. */
  function settled(outcome: Outcome, decider: Decider, call: Call): Outcome {
    call.decider = decider
    if (typeof outcome === 'string') return outcome
    if (outcome.isExpired(clock())) return 'expired'
    const changed = recheck?.(outcome) ?? undefined
    return changed === undefined ? granted(outcome, call) : reasonOf(changed)
  }
}

/** The token is that of the caller at hand; equal to the one that was asked about, which is not kept. */
function outcomeOf({ verdict }: Entry, token: string): Outcome {
  return typeof verdict === 'string' ? verdict : verdict.accessToken(token)
}

/** Two rooms, so that refusals take no place of good tokens. */
function verdictMemory({ maxAge, maxAgeOfRefusals, maxEntries }: Required<CachedOptions>, clock: Clock) {
  const good = tokenMap<Entry>(maxEntries)
  const bad = tokenMap<Entry>(maxEntries)

  return {
    find(digest: string): Entry | undefined {
      const entry = good.get(digest) ?? bad.get(digest)
      if (entry === undefined) return undefined
      const now = clock()
      // A clock that was set back must not make it last longer.
      if (now >= entry.since && now < entry.until) return entry
      forget(digest)
      return undefined
    },

    /** @param since when it was asked for: what happened while the answer was on its way is not in it */
    keep(digest: string, token: string, { outcome, decider }: Verdict, since: number): void {
      forget(digest)
      const isBad = typeof outcome === 'string'
      const seconds = isBad ? maxAgeOfRefusals : maxAge
      // A verifier may put another token in the place of the one it got; to give it out again it would have to be kept.
      if (seconds === 0 || (!isBad && outcome.token !== token)) return
      const verdict = isBad ? outcome : grantOf(outcome)
      const room = isBad ? bad : good
      // RFC 7662 section 4: not beyond its expiry, whatever skew is granted; then it is asked about again.
      const expiry = isBad
        ? Number.POSITIVE_INFINITY
        : (outcome.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY)
      room.keep(digest, { verdict, decider, since, until: Math.min(since + seconds * 1000, expiry) })
    },
  }

  function forget(digest: string): void {
    good.drop(digest)
    bad.drop(digest)
  }
}

/** A question that has not been answered yet. */
interface Question {
  /** Milliseconds since 1970. */
  readonly asked: number
  readonly scopes: ScopePolicy | undefined
  readonly answer: Promise<Answer>
}

/** Milliseconds after which a caller does not wait for the answer to somebody else's question, but asks again. */
const patience = 30_000

/** One question for all who ask at the same time, and compare scopes in the same way. */
function sharedQuestions(
  within: Inside,
  clock: Clock,
  keep: (digest: string, token: string, verdict: Verdict, since: number) => void,
): (token: string, digest: string, scopes: ScopePolicy | undefined) => Promise<Answer> {
  const pending = new Map<string, Question>()

  return (token, digest, scopes) => {
    const asked = clock()
    dropOld(asked)
    const running = pending.get(digest)
    if (running !== undefined && running.scopes === scopes) return running.answer
    const answer = inquire(within, token, scopes).then((found) => {
      // Whoever asked later knows better.
      if (pending.get(digest) !== question) return found
      pending.delete(digest)
      if ('outcome' in found) keep(digest, token, found, asked)
      return found
    })
    const question: Question = { asked, scopes, answer }
    // The newest is the last.
    pending.delete(digest)
    pending.set(digest, question)
    return answer
  }

  /** A verifier that never answers must neither fill the memory, nor lock a token out for good. */
  function dropOld(now: number): void {
    for (const [digest, { asked }] of pending) {
      if (now >= asked && now < asked + patience) return
      pending.delete(digest)
    }
  }
}

/** Never rejects: who decided is of interest also when it failed. */
async function inquire(within: Inside, token: string, scopes: ScopePolicy | undefined): Promise<Answer> {
  // The answer is for all callers: whether the scopes are enough is asked for each of them, afterwards.
  const call = callWith(scopes && { scopes }, true)
  try {
    const outcome = await within.judge(token, call)
    return { outcome, decider: call.decider }
  } catch (error) {
    return { error, decider: call.decider }
  }
}
