import type { BearerChallenge } from './challenge.ts'

/**
 * Every way in which authentication or authorization can fail, on either end of the wire.
 *
 * | code | meaning |
 * |---|---|
 * | `unauthorized` | no credential was presented |
 * | `invalid_token` | a credential was presented and is not good (malformed, expired, revoked, for somebody else) |
 * | `insufficient_scope` | the credential is good and does not carry the scopes this operation needs |
 * | `invalid_request` | more than one credential was presented |
 * | `access_denied` | the credential is good, and no further scope would help |
 * | `forbidden_origin` | the request came from an `Origin` or `Host` that is not allowed |
 * | `rate_limited` | too many requests or too many failures |
 * | `verifier_unavailable` | whether the credential is good cannot be told right now; the same credential may work later |
 * | `server_error` | a verifier or policy is broken; nothing is known of the credential |
 * | `token_unavailable` | client only: the token source gave no token |
 * | `origin_mismatch` | client only: the token would have left the origin it is meant for |
 */
export type AuthErrorCode =
  | 'unauthorized'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_request'
  | 'access_denied'
  | 'forbidden_origin'
  | 'rate_limited'
  | 'verifier_unavailable'
  | 'server_error'
  | 'token_unavailable'
  | 'origin_mismatch'

/** What an {@link AuthError} can carry besides its code and message. Never a token, never a key. */
export interface AuthErrorDetails {
  /** The error underneath, kept for the log. */
  readonly cause?: unknown
  /** All scopes the refused operation needs (RFC 6750 section 3.1). */
  readonly scopes?: readonly string[]
  /** Client only: the HTTP status the server answered with. */
  readonly status?: number
  /** Client only: the parsed `Bearer` challenge of the answer, or the `DPoP` one, if there was one. */
  readonly challenge?: BearerChallenge
  /** Client only: the `error` the server gave, in the challenge or in the body (RFC 6750 section 3.1, RFC 6749 section 5.2). */
  readonly error?: string
  /** Client only: its `error_description`. The server's words, credentials taken out. */
  readonly errorDescription?: string
  /** Seconds after which to try again (RFC 9110 section 10.2.3). */
  readonly retryAfter?: number
  /** Client only: which server refused, as it is named in the configuration, or its origin. */
  readonly server?: string
}

const messages: Readonly<Record<AuthErrorCode, string>> = {
  unauthorized: 'Authentication required',
  invalid_token: 'Token is invalid or expired',
  insufficient_scope: 'The access token lacks a scope this operation needs',
  invalid_request: 'More than one credential was presented',
  access_denied: 'Access denied',
  forbidden_origin: 'Origin or Host is not allowed',
  rate_limited: 'Too many requests',
  verifier_unavailable: 'The token cannot be verified right now',
  server_error: 'Internal error while authenticating',
  token_unavailable: 'No access token is available',
  origin_mismatch: 'The access token must not leave the origin it is meant for',
}

/** All codes, in the order of the table at {@link AuthErrorCode}. */
export const authErrorCodes: readonly AuthErrorCode[] = Object.freeze(
  Object.keys(messages) as AuthErrorCode[],
)

/**
 * The one error of this package: something about a credential is wrong. The code says what; the HTTP status a
 * server answers with is in `http/refusal.ts`.
 *
 * @example
 * ```ts
 * import { AuthError } from 'mcp-bearer'
 *
 * const lookup = async (token: string) => {
 *   throw new AuthError('verifier_unavailable', 'key database is down', { retryAfter: 5 })
 * }
 * ```
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode
  // Declared only: a detail that was not given is no member, and does not show in a printed error.
  declare readonly scopes?: readonly string[]
  declare readonly status?: number
  declare readonly challenge?: BearerChallenge
  declare readonly error?: string
  declare readonly errorDescription?: string
  declare readonly retryAfter?: number
  declare readonly server?: string

  /**
   * @param code one of {@link AuthErrorCode}
   * @param message for people; must not hold a token. Default: a fixed sentence for the code
   * @param details see {@link AuthErrorDetails}
   * @throws TypeError when `code` is not one of the union
   */
  constructor(code: AuthErrorCode, message?: string, details: AuthErrorDetails = {}) {
    if (!Object.hasOwn(messages, code))
      throw new TypeError(`AuthError: unknown code; use one of ${authErrorCodes.join(', ')}`)
    super(message ?? messages[code], 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    if (details.scopes) this.scopes = Object.freeze([...details.scopes])
    if (details.status !== undefined) this.status = details.status
    if (details.challenge) this.challenge = details.challenge
    if (details.error !== undefined) this.error = details.error
    if (details.errorDescription !== undefined) this.errorDescription = details.errorDescription
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter
    if (details.server !== undefined) this.server = details.server
  }
}
