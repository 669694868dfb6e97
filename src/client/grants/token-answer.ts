import { isBearerToken, parseScopes } from '../../core/index.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import type { StoredTokens } from '../stores/token-store.ts'

/** What a token endpoint gave. All of it is secret, but for the scopes. */
export interface TokenAnswer extends StoredTokens {
  /** RFC 8693 section 2.2.1. */
  readonly issuedTokenType?: string | undefined
}

/** `token_type`: RFC 6749 section 7.1, RFC 9449 section 5, and RFC 8693 section 2.2.1 for what is no access token. */
export type TokenType = 'Bearer' | 'DPoP' | 'N_A'

/** Milliseconds. Longer lives are cut to it: a number that no date can hold must not break what counts with it. */
const longestLife = 365 * 24 * 3_600_000

/**
 * Reads a successful answer of a token endpoint (RFC 6749 section 5.1). Whoever reads it loosely sends a token of another
 * kind, or one that is over, and learns of it as 401 from somebody else.
 *
 * @returns the tokens, or the rest of a sentence that begins with "the answer"; never any of its values
 */
export function readTokenAnswer(json: JsonObject, type: TokenType, now: number): TokenAnswer | string {
  const accessToken = own(json, 'access_token')
  if (typeof accessToken !== 'string') return 'holds no access_token'
  if (!isBearerToken(accessToken)) return 'holds an access_token that cannot be sent (RFC 6750 section 2.1)'
  const wrongType = complaintOfType(own(json, 'token_type'), type)
  if (wrongType !== undefined) return wrongType
  const life = lifeOf(own(json, 'expires_in'))
  if (typeof life === 'string') return life
  const scope = own(json, 'scope')
  const refreshToken = refreshTokenOf(json)
  const issuedTokenType = own(json, 'issued_token_type')
  return {
    accessToken,
    ...(life !== undefined && { expiresAt: now + life }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(typeof scope === 'string' && { scopes: parseScopes(scope) }),
    ...(typeof issuedTokenType === 'string' && { issuedTokenType }),
  }
}

/** Of any answer, good or not: where refresh tokens rotate, the old one is gone by now. */
export function refreshTokenOf(json: JsonObject): string | undefined {
  const token = own(json, 'refresh_token')
  return typeof token === 'string' && isRefreshToken(token) ? token : undefined
}

/** RFC 6749 appendix A.17: printable ASCII. */
export function isRefreshToken(text: string): boolean {
  return /^[\x20-\x7E]{1,16384}$/.test(text) && text.trim() !== ''
}

function complaintOfType(given: unknown, wanted: TokenType): string | undefined {
  if (typeof given !== 'string') return 'holds no token_type'
  const type = given.toLowerCase()
  if (type === wanted.toLowerCase()) return undefined
  // RFC 9449 section 5: a token that anybody can use is not what was asked for.
  if (wanted === 'DPoP' && type === 'bearer') {
    return 'holds a token of type Bearer, although one bound to a key was asked for (RFC 9449 section 5)'
  }
  return `holds a token of another type than ${wanted}`
}

/** Milliseconds; a number in a string is common. */
function lifeOf(seconds: unknown): number | string | undefined {
  if (seconds === undefined || seconds === null) return undefined
  const number = typeof seconds === 'string' && /^\d{1,20}$/.test(seconds) ? Number(seconds) : seconds
  if (typeof number !== 'number' || !(number > 0)) return 'holds an expires_in that is no positive number'
  return Math.min(number * 1000, longestLife)
}
