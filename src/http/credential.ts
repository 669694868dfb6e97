import { type Credential, isBearerToken, readAuthorization } from '../core/index.ts'
import type { RequestHead } from './head.ts'

const none: Credential = Object.freeze({ kind: 'none' })
const malformed: Credential = Object.freeze({ kind: 'malformed' })
const ambiguous: Credential = Object.freeze({ kind: 'ambiguous' })

/** Reads the one credential of a request. Never throws. */
export type CredentialReader = (head: RequestHead) => Credential

/**
 * Makes a {@link CredentialReader}: the `Authorization` header, and the API-key header when it is named. A token in
 * the query is never used (MCP authorization, "Token Requirements"); it counts only as a second method beside
 * another one, which RFC 6750 section 2 forbids.
 *
 * @param apiKeyHeader lower-case name, as {@link apiKeyHeaderName} gives it
 */
export function credentialReader(apiKeyHeader: string | undefined): CredentialReader {
  return (head) => {
    const lines = head.header('authorization')
    const bearer = readAuthorization(lines)
    const key = apiKeyHeader === undefined ? none : readKey(head.header(apiKeyHeader))
    if (key.kind !== 'none' && lines.some(isFilled)) return ambiguous
    const given = bearer.kind === 'none' ? key : bearer
    return given.kind !== 'none' && hasQueryToken(head.url) ? ambiguous : given
  }
}

/**
 * Checks the name of a header that is to carry API keys.
 * @returns the name in lower case
 * @throws TypeError when it is no header name (RFC 9110 section 5.1), or one that belongs to somebody else: HTTP's own,
 *   or those in which a proxy passes on what it knows of the caller
 */
export function apiKeyHeaderName(name: unknown): string | undefined {
  if (name === undefined) return undefined
  if (typeof name !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || foreign.test(name)) {
    throw new TypeError(
      'apiKeyHeader must be a header name such as x-api-key, not one with a meaning of its own',
    )
  }
  return name.toLowerCase()
}

const foreign =
  /^(?:(?:proxy-)?authorization|cookie|set-cookie|host|origin|x-(?:forwarded|original|auth-request)-.*)$/i

/** Empty is absent. Some servers join two lines with a comma, which is outside the grammar of a key. */
function readKey(lines: readonly string[]): Credential {
  const [token, second] = lines.map((line) => line.trim()).filter((line) => line !== '')
  if (token === undefined) return none
  if (second !== undefined || token.includes(',')) return ambiguous
  return isBearerToken(token) ? { kind: 'token', token } : malformed
}

function isFilled(line: string): boolean {
  return line.trim() !== ''
}

/** RFC 6750 section 2.3 has one name for it. */
function hasQueryToken(url: string): boolean {
  const at = url.indexOf('?')
  if (at === -1) return false
  return new URLSearchParams(url.slice(at + 1)).getAll('access_token').some((value) => value !== '')
}
