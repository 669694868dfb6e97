import { maxTokenLength } from '../core/authorization.ts'
import type { CompleteTokenVerifier } from '../core/verifier.ts'
import { judgeIssuer, judgeTime } from './claims.ts'
import { readUnverified } from './compact.ts'
import { type Environment, readEnvironment, type VerifierEnvironment } from './environment.ts'
import {
  anyIssuer,
  type Call,
  type Decider,
  granted,
  type Inside,
  type Outcome,
  verifierFrom,
} from './inside.ts'
import { jwtCompare } from './jwt-compare.ts'
import { type Good, newTokenJudge } from './jwt-judge.ts'
import { type JwtSettings, type JwtVerifierOptions, readJwtOptions } from './jwt-options.ts'
import type { RefusalReason } from './refusal.ts'
import { digestOf, tokenMap, type Verified } from './remembered.ts'
import { refusalReporter } from './report.ts'
import type { SignatureCheck } from './signature-backend.ts'

/**
 * Verifies JWT access tokens (RFC 7519, RFC 9068, RFC 8725): signature, time, issuer, audience, kind. Algorithms are
 * an allow-list; keys named inside a token are never used; tokens bound to a key (DPoP, mTLS) are refused.
 *
 * A refused token resolves to `null`; why goes to `onRefused` and, once a minute for each reason, to the log. Without
 * `audience` or `issuer` it works, and warns once when it is made.
 *
 * @param options where the keys are and what a good token says
 * @param environment clock, logger, fetch, and what is told of verdicts
 * @throws TypeError when made, naming the option that is wrong
 * @throws AuthError from `verifyToken`: `verifier_unavailable` when the keys cannot be fetched right now,
 *   `insufficient_scope` when a good token lacks `requiredScopes`
 *
 * @example
 * ```ts
 * import { jwtVerifier } from 'mcp-bearer/verify'
 *
 * const verifier = jwtVerifier({
 *   jwksUri: 'https://idp.example.com/.well-known/jwks.json',
 *   issuer: 'https://idp.example.com',
 *   audience: 'https://mcp.example.com/mcp',
 * })
 * const token = await verifier.verifyToken('eyJhbGciOi…')
 * token?.subject
 * ```
 */
export function jwtVerifier(
  options: JwtVerifierOptions,
  environment: VerifierEnvironment = {},
): CompleteTokenVerifier {
  const world = readEnvironment('jwtVerifier', environment)
  const settings = readJwtOptions(options, world)
  const { requiredScopes, authorizationServers, issuers, keys, rules, validate } = settings
  return verifierFrom(jwtInside(settings, world), {
    requiredScopes,
    ...(authorizationServers && { authorizationServers }),
    issuers: issuers ?? [anyIssuer],
    recognizes: (token) => isOfIssuer(token, settings),
    recheck: ({ claims }) =>
      judgeTime(claims, rules, world.clock() / 1000) ??
      (validate?.(claims) === false ? 'rejected' : undefined),
    close: () => keys.close(),
  })
}

/** The shape of a JWT, and `iss` where it is compared. */
function isOfIssuer(token: string, { rules }: JwtSettings): boolean {
  const read = readUnverified(token)
  return read !== undefined && judgeIssuer(read.claims, rules.issuers) === undefined
}

/** The verdict of a {@link jwtVerifier}. */
export function jwtInside(settings: JwtSettings, world: Environment): Inside {
  const { clock, onEvent } = world
  const { validate, requiredScopes } = settings
  const report = refusalReporter(world, jwtCompare(settings, clock))
  const decider: Decider = { method: 'jwt', report, sink: onEvent, requiredScopes }
  const judgeNew = newTokenJudge(settings, clock)
  const memory = world.rememberTokens > 0 ? rememberedTokens(settings, world, judgeNew) : undefined

  return {
    judge(token, call) {
      call.decider = decider
      // A caller without types may hand in anything.
      if (typeof token !== 'string') return 'malformed'
      if (token.length > maxTokenLength) return 'too_long'
      const judged = memory ? memory(token, call) : accepted(judgeNew(token))
      return judged instanceof Promise
        ? judged.then((outcome) => finish(outcome, call))
        : finish(judged, call)
    },
  }

  /** What is asked on every use of a token, remembered or not. */
  function finish(outcome: Outcome, call: Call): Outcome {
    if (typeof outcome === 'string') return outcome
    if (validate?.(outcome.claims) === false) return 'rejected'
    return granted(outcome, call)
  }
}

/** Judges a token with the help of what was found out about it before. */
function rememberedTokens(
  { keys, rules }: JwtSettings,
  { clock, onEvent, rememberTokens }: Environment,
  judgeNew: (token: string) => MaybeLater<Good | RefusalReason>,
): (token: string, call: Call) => MaybeLater<Outcome> {
  const verified = tokenMap<Verified>(rememberTokens)

  return (token, call) => {
    const digest = digestOf(token)
    if (digest === undefined) return accepted(judgeNew(token))
    const known = verified.get(digest)
    call.cache = known ? 'hit' : 'miss'
    onEvent?.({ type: `cache.${call.cache}`, cache: 'token' })
    if (!known) return learn(token, digest)
    const checks = keys.find(known.algorithm, known.kid)
    return checks instanceof Promise
      ? checks.then((found) => recall(found, known, token, digest))
      : recall(checks, known, token, digest)
  }

  /** As long as its key is there, only the time can have changed. Else the token is judged from the start. */
  function recall(
    checks: readonly SignatureCheck[],
    { check, grant }: Verified,
    token: string,
    digest: string,
  ): MaybeLater<Outcome> {
    if (!checks.includes(check)) return learn(token, digest)
    return judgeTime(grant.claims, rules, clock() / 1000) ?? grant.accessToken(token)
  }

  function learn(token: string, digest: string): MaybeLater<Outcome> {
    return accepted(judgeNew(token), (good) => verified.keep(digest, good))
  }
}

type MaybeLater<T> = T | Promise<T>

/** The outcome for the caller; what can be remembered of it goes to `keep`. */
function accepted(
  judged: MaybeLater<Good | RefusalReason>,
  keep?: (verified: Verified) => void,
): MaybeLater<Outcome> {
  if (judged instanceof Promise) return judged.then((now) => accepted(now, keep))
  if (typeof judged === 'string') return judged
  keep?.(judged.verified)
  return judged.token
}
