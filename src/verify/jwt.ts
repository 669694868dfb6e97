import { AccessToken } from '../core/access-token.ts'
import { AuthError } from '../core/errors.ts'
import { scopePolicy } from '../core/scopes.ts'
import type { CompleteTokenVerifier } from '../core/verifier.ts'
import { judgeClaims, judgeIssuer } from './claims.ts'
import { type Jws, parseCompact } from './compact.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import { type JwtVerifierOptions, readJwtOptions } from './jwt-options.ts'
import type { RefusalReason } from './refusal.ts'
import type { SignatureCheck } from './signature.ts'

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
  const { covers } = scopePolicy()

  return Object.freeze({
    requiredScopes,
    ...(authorizationServers && { authorizationServers }),

    async verifyToken(token: string): Promise<AccessToken | null> {
      const judged = judge(token)
      const outcome = judged instanceof Promise ? await judged : judged
      if (typeof outcome === 'string') {
        world.refused(outcome)
        return null
      }
      if (covers(outcome.scopes, requiredScopes)) return outcome
      throw new AuthError('insufficient_scope', undefined, { scopes: requiredScopes })
    },
  })

  /** By value, not by exception: refusing is what happens most under attack, and it has to be cheap. */
  function judge(token: string): AccessToken | RefusalReason | Promise<AccessToken | RefusalReason> {
    const jws = parseCompact(token, algorithms)
    if (typeof jws === 'string') return jws
    // Before any key is looked for: a token of another issuer must not make this server fetch anything.
    const foreign = judgeIssuer(jws.claims, rules.issuers)
    if (foreign !== undefined) return foreign
    const checks = keys.find(jws.algorithm, jws.kid)
    return checks instanceof Promise
      ? checks.then((found) => judgeWith(found, jws, token))
      : judgeWith(checks, jws, token)
  }

  function judgeWith(
    checks: readonly SignatureCheck[],
    { claims, input, signature }: Jws,
    token: string,
  ): AccessToken | RefusalReason {
    if (checks.length === 0) return 'unknown_key'
    if (!checks.some((isSigned) => isSigned(input, signature))) return 'signature'
    const grant = judgeClaims(claims, rules, world.clock() / 1000)
    if (typeof grant === 'string') return grant
    return new AccessToken({ ...grant, token, clockSkew: rules.clockSkew, claims })
  }
}
