import { AccessToken, type Grant, grantOf } from '../core/access-token.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
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
 * @param verifier any verifier; must answer the same for the same token, whoever sends it
 * @param environment its clock and its `onEvent` are used
 * @throws TypeError naming the option that is unknown or out of bounds, or on a runtime without `node:crypto`
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
  const within = insideOf(verifier, world.clock)
  return verifierFrom(cachedInside(within, traits.recheck, limits, world), traits)
}

/** A verdict as it is remembered: all that is known of a good token but the token, or why it is refused. */
interface Entry {
  readonly verdict: Grant | RefusalReason
  readonly decider: Decider
  /** Milliseconds since 1970. */
  readonly until: number
}

/** What one question brought, for all who waited for it. */
interface Answer {
  readonly outcome: Outcome
  readonly decider: Decider
}

/**
 * The verdict of {@link cached}.
 * @param recheck asked on every use of what is remembered
 */
export function cachedInside(
  within: Inside,
  recheck: ((token: AccessToken) => string | undefined) | undefined,
  { maxAge, maxAgeOfRefusals, maxEntries }: Required<CachedOptions>,
  { clock, onEvent }: Environment,
): Inside {
  if (digestOf('') === undefined) throw new TypeError('remembering verdicts needs a runtime with node:crypto')
  const good = tokenMap<Entry>(maxEntries)
  const bad = tokenMap<Entry>(maxEntries)
  const pending = new Map<string, Promise<Answer>>()

  return {
    judge(token, call) {
      if (typeof token !== 'string') return 'malformed'
      const digest = digestOf(token) ?? ''
      const entry = freshEntry(digest)
      call.cache = entry ? 'hit' : 'miss'
      onEvent?.({ type: `cache.${call.cache}`, cache: 'verdict' })
      if (entry) return settled(outcomeOf(entry, token), entry.decider, call)
      return ask(token, digest, call).then(({ outcome, decider }) => settled(outcome, decider, call))
    },
  }

  function freshEntry(digest: string): Entry | undefined {
    const entry = good.get(digest) ?? bad.get(digest)
    if (entry === undefined || clock() < entry.until) return entry
    good.drop(digest)
    bad.drop(digest)
    return undefined
  }

  /** One question for all who ask at the same time. */
  function ask(token: string, digest: string, call: Call): Promise<Answer> {
    const running = pending.get(digest)
    if (running) return running
    const question = inquire(token, digest, call).finally(() => pending.delete(digest))
    pending.set(digest, question)
    return question
  }

  async function inquire(token: string, digest: string, { context }: Call): Promise<Answer> {
    // The answer is for all callers: whether the scopes are enough is asked for each of them, afterwards.
    const call = callWith(context?.scopes && { scopes: context.scopes }, true)
    const outcome = await within.judge(token, call)
    const { decider } = call
    const now = clock()
    if (typeof outcome !== 'string') {
      good.keep(digest, { verdict: grantOf(outcome), decider, until: now + maxAge * 1000 })
    } else if (maxAgeOfRefusals > 0) {
      bad.keep(digest, { verdict: outcome, decider, until: now + maxAgeOfRefusals * 1000 })
    }
    return { outcome, decider }
  }

  /** What can change while a verdict is remembered, and what depends on who asks. */
  function settled(outcome: Outcome, decider: Decider, call: Call): Outcome {
    call.decider = decider
    if (typeof outcome === 'string') return outcome
    if (outcome.isExpired(clock())) return 'expired'
    const changed = recheck?.(outcome)
    if (changed !== undefined) return reasonOf(changed)
    return granted(outcome, call)
  }
}

/** The token is that of the caller at hand; equal to the one that was asked about, which is not kept. */
function outcomeOf({ verdict }: Entry, token: string): Outcome {
  return typeof verdict === 'string' ? verdict : new AccessToken({ ...verdict, token })
}
