import { AuthError, type AuthErrorDetails, redact } from '../../core/index.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { conceal } from '../fetch/secrets.ts'

/** An `AuthError` with code `token_unavailable`: why there is no token for a server, and what to do about it. */
export function noToken(server: string, reason: string, details: AuthErrorDetails = {}): AuthError {
  const name = nameOf(server)
  return new AuthError('token_unavailable', `No token for ${name}: ${reason}`, { server: name, ...details })
}

/** What messages call a server; the rest of its URL may hold secrets. */
export function nameOf(server: string): string {
  return URL.canParse(server) ? new URL(server).origin : server
}

/** RFC 6749 section 5.2: printable ASCII without `"` and `\`. */
const errorWord = /^[\x20\x21\x23-\x5B\x5D-\x7E]{1,64}$/
const longestDescription = 200

/** What the answer of an authorization server says is wrong, without what was sent. */
export interface OAuthFailure {
  readonly error?: string
  readonly errorDescription?: string
}

/** Reads `error` and `error_description` of a JSON answer (RFC 6749 section 5.2). */
export function readFailure(json: JsonObject | undefined, secrets: readonly string[]): OAuthFailure {
  if (json === undefined) return {}
  const error = own(json, 'error')
  const description = own(json, 'error_description')
  return {
    ...(typeof error === 'string' && errorWord.test(error) && { error: redact(conceal(error, secrets)) }),
    ...(typeof description === 'string' && { errorDescription: printable(description, secrets) }),
  }
}

/** A text of somebody else's for a message: one line, not long, no secret. */
export function printable(text: string, secrets: readonly string[]): string {
  // Redacted before it is cut: half a secret would not be found. What is far too long is not searched.
  const clean = redact(conceal(text.slice(0, 65_536), secrets)).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
  return clean.length > longestDescription ? `${clean.slice(0, longestDescription - 1)}…` : clean
}

/** What to do about each error of RFC 6749 section 5.2, RFC 8707 section 2 and RFC 7523 section 3. */
const remedies: Readonly<Record<string, string>> = {
  invalid_client: 'Check the id of the client, and its secret or key',
  unauthorized_client: 'Allow this client the grant at the authorization server',
  unsupported_grant_type: 'The authorization server does not know this grant; use another token source',
  invalid_scope: 'Check the option scopes, and what this client may ask for',
  insufficient_scope: 'Allow this client the scopes at the authorization server',
  invalid_target:
    'Register the MCP server at the authorization server, or set the option resource to its name there',
  invalid_dpop_proof: 'Check the clock of this machine',
}

/** The sentence after an error of the token endpoint. */
export function remedyFor(error: string | undefined, grantRemedy: string): string {
  if (error === 'invalid_grant') return grantRemedy
  return remedies[error ?? ''] ?? 'See the log of the authorization server'
}
