import { AccessToken } from '../core/access-token.ts'
import { maxTokenLength } from '../core/authorization.ts'
import { AuthError } from '../core/errors.ts'
import { scopePolicy } from '../core/scopes.ts'
import type { CompleteTokenVerifier, VerifyContext } from '../core/verifier.ts'
import { judgeClaims, judgeIssuer, judgeTime } from './claims.ts'
import { type Jws, parseCompact } from './compact.ts'
import { type Environment, readEnvironment, type VerifierEnvironment } from './environment.ts'
import { type JwtSettings, type JwtVerifierOptions, readJwtOptions } from './jwt-options.ts'
import type { RefusalReason } from './refusal.ts'
import type { SignatureCheck } from './signature.ts'
import { digestOf, type Verified, verifiedTokens } from './verified.ts'

/**
 * Verifies JWT access tokens (RFC 7519, RFC 9068, RFC 8725): signature, time, issuer, audience, kind. Algorithms are
 * an allow-list; keys named inside a token are never used; tokens bound to a key (DPoP, mTLS) are refused.
 *
 * A refused token resolves to `null`. Without `audience` or `issuer` it works, and warns once when it is made.
 *
 * @param options where the keys are and what a good token says
 * @param environment clock, logger, fetch, and a callback for refusals
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
  const { requiredScopes, authorizationServers } = settings
  const judge = jwtJudge(settings, world)

  return Object.freeze({
    requiredScopes,
    ...(authorizationServers && { authorizationServers }),

    async verifyToken(token: string, context?: VerifyContext): Promise<AccessToken | null> {
      const judged = judge(token)
      const outcome = judged instanceof Promise ? await judged : judged
      if (typeof outcome === 'string') {
        world.refused(outcome)
        return null
      }
      if ((context?.scopes ?? exact).covers(outcome.scopes, requiredScopes)) return outcome
      throw new AuthError('insufficient_scope', undefined, { scopes: requiredScopes })
    },
  })
}

/** By value, not by exception: refusing is what happens most under attack, and it has to be cheap. */
function jwtJudge(
  { algorithms, keys, rules }: JwtSettings,
  { clock }: Environment,
): (token: string) => Outcome {
  const verified = verifiedTokens()

  return (token) => {
    // A caller without types may hand in anything.
    if (typeof token !== 'string') return 'malformed'
    if (token.length > maxTokenLength) return 'too_long'
    const digest = digestOf(token)
    const known = verified.get(digest)
    if (!known) return judgeNew(token, digest)
    const checks = keys.find(known.algorithm, known.kid)
    return checks instanceof Promise
      ? checks.then((found) => judgeKnown(found, known, token, digest))
      : judgeKnown(checks, known, token, digest)
  }

  /** As long as its key is there, only the time can have changed. Else the token is judged from the start. */
  function judgeKnown(
    checks: readonly SignatureCheck[],
    { check, grant }: Verified,
    token: string,
    digest: string,
  ): Outcome {
    if (!checks.includes(check)) return judgeNew(token, digest)
    return judgeTime(grant.claims, rules, clock() / 1000) ?? new AccessToken({ ...grant, token })
  }

  function judgeNew(token: string, digest: string): Outcome {
    const jws = parseCompact(token, algorithms)
    if (typeof jws === 'string') return jws
    // Before any key is looked for: a token of another issuer must not make this server fetch anything.
    const foreign = judgeIssuer(jws.claims, rules.issuers)
    if (foreign !== undefined) return foreign
    const checks = keys.find(jws.algorithm, jws.kid)
    return checks instanceof Promise
      ? checks.then((found) => judgeWith(found, jws, token, digest))
      : judgeWith(checks, jws, token, digest)
  }

  function judgeWith(
    checks: readonly SignatureCheck[],
    { algorithm, kid, claims, input, signature }: Jws,
    token: string,
    digest: string,
  ): Judged {
    if (checks.length === 0) return 'unknown_key'
    const check = checks.find((isSigned) => isSigned(input, signature))
    if (!check) return 'signature'
    const judged = judgeClaims(claims, rules, clock() / 1000)
    if (typeof judged === 'string') return judged
    const accepted = new AccessToken({ ...judged, token, clockSkew: rules.clockSkew, claims })
    const grant = { ...judged, clockSkew: rules.clockSkew, scopes: accepted.scopes, claims: accepted.claims }
    verified.keep(digest, { algorithm, kid, check, grant })
    return accepted
  }
}

type Judged = AccessToken | RefusalReason
/** Synchronous unless keys have to be fetched. */
type Outcome = Judged | Promise<Judged>

/** How scopes compare when nobody says otherwise. */
const exact = scopePolicy()
