import { AccessToken } from '../core/access-token.ts'
import { maxTokenLength } from '../core/authorization.ts'
import { AuthError } from '../core/errors.ts'
import { scopePolicy } from '../core/scopes.ts'
import type { CompleteTokenVerifier, VerifyContext } from '../core/verifier.ts'
import { judgeClaims, judgeIssuer } from './claims.ts'
import { type Jws, parseCompact } from './compact.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import type { JsonObject } from './json.ts'
import { type JwtVerifierOptions, readJwtOptions } from './jwt-options.ts'
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
  const { algorithms, keys, rules, requiredScopes, authorizationServers } = readJwtOptions(options, world)
  const verified = verifiedTokens()

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

  /** By value, not by exception: refusing is what happens most under attack, and it has to be cheap. */
  function judge(token: string): Outcome {
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

  /** As long as its key is there, the signature need not be checked again. Else the token is judged from the start. */
  function judgeKnown(
    checks: readonly SignatureCheck[],
    known: Verified,
    token: string,
    digest: string,
  ): Outcome {
    return checks.includes(known.check) ? grant(known.claims, token) : judgeNew(token, digest)
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
    const outcome = grant(claims, token)
    if (typeof outcome !== 'string') verified.keep(digest, { algorithm, kid, claims, check })
    return outcome
  }

  function grant(claims: JsonObject, token: string): Judged {
    const judged = judgeClaims(claims, rules, world.clock() / 1000)
    if (typeof judged === 'string') return judged
    return new AccessToken({ ...judged, token, clockSkew: rules.clockSkew, claims })
  }
}

type Judged = AccessToken | RefusalReason
/** Synchronous unless keys have to be fetched. */
type Outcome = Judged | Promise<Judged>

/** How scopes compare when nobody says otherwise. */
const exact = scopePolicy()
