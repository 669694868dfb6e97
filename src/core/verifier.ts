import type { AccessToken, AccessTokenInit } from './access-token.ts'
import type { ScopePolicy } from './scopes.ts'

/** What a verifier may want to know besides the token. */
export interface VerifyContext {
  /** Aborted when the caller is gone: a pending look-up may stop. */
  readonly signal?: AbortSignal
  /** How scopes compare where the token is used, a hierarchy counted. Default: each scope stands for itself. */
  readonly scopes?: ScopePolicy
  /** Told why a token is refused, by verifiers that know: `expired` and the other words of `RefusalReason`. */
  readonly refused?: (reason: string) => void
  /** The address of the caller, as the server in front sees it, proxies of its own counted. For keys that are bound to addresses. */
  readonly address?: string
  /** What the caller, or a proxy, calls the request (`X-Request-Id`). For the audit log. */
  readonly requestId?: string
  /** No request was made: somebody who was let in is looked at again. Counts as no use of the credential. */
  readonly isRecheck?: boolean
}

/**
 * What a {@link TokenVerifier} answers: an {@link AccessToken}, or a plain object that is completed to one; or `null`
 * (`undefined` and `false` count the same) for "this credential is not good".
 */
export type Verdict = AccessToken | AccessTokenInit | null | undefined | false

/**
 * Decides whether a credential is good. The seam between this package and whatever knows your tokens.
 *
 * - A credential that is not good resolves to `null`. Do not throw for it: that would be answered with 500.
 * - When it cannot be told right now, throw `new AuthError('verifier_unavailable')`: answered with 503.
 * - When it is good and lacks a scope every request needs, throw `new AuthError('insufficient_scope', …)`: 403.
 *
 * @example
 * ```ts
 * import type { TokenVerifier } from 'mcp-bearer'
 *
 * const owners = new Map([['sk-abc123', 'alice@example.com']])
 * const verifier: TokenVerifier = {
 *   async verifyToken(token) {
 *     const email = owners.get(token)
 *     return email === undefined ? null : { token, claims: { email } }
 *   },
 * }
 * ```
 */
export interface TokenVerifier {
  verifyToken(token: string, context?: VerifyContext): Promise<Verdict>
  /**
   * The authorization servers whose tokens this verifier takes (RFC 8414 issuer identifiers). Named to clients in the
   * protected resource metadata. Absent or empty for a verifier without one: clients are then not sent into OAuth.
   */
  readonly authorizationServers?: readonly string[]
  /** The scopes every token needs. For the challenge; the verifier enforces them itself. */
  readonly requiredScopes?: readonly string[]
  /**
   * Whether a token, by its looks alone, can be one of this verifier's: a prefix, the shape of a JWT, its `iss`. Without
   * I/O. `anyOf` asks it, and what is recognised is judged by this verifier only.
   */
  recognizes?(token: string): boolean
  /**
   * Why a token that was accepted before is not good any more, if it is not. Without I/O. Asked about every verdict that
   * is remembered, and about tokens of long streams. Expiry need not be looked at.
   */
  recheck?(token: AccessToken): string | undefined
  /** The values of `iss` of the JWTs this verifier takes; `['*']` when it takes those of any issuer. */
  readonly issuers?: readonly string[]
}

/** A {@link TokenVerifier} whose answers are complete: what the verifiers of this package are. */
export interface CompleteTokenVerifier extends TokenVerifier {
  verifyToken(token: string, context?: VerifyContext): Promise<AccessToken | null>
  /** Stops what is under way, such as a fetch. From then on tokens that need one are answered with `verifier_unavailable`. */
  close?(): void
}
