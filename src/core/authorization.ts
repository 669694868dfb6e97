/** RFC 6750 section 2.1: `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`. */
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/

/** Longest bearer token taken, in bytes (the grammar allows ASCII only, so bytes are characters). */
export const maxTokenLength = 8192

/** What the `Authorization` header of a request holds. */
export type Credential =
  /** No header, an empty one, another scheme, or a bare `Bearer`. */
  | { readonly kind: 'none' }
  /** One bearer token within the grammar of RFC 6750 section 2.1 and the length limit. */
  | { readonly kind: 'token'; readonly token: string }
  /** The Bearer scheme with something that cannot be a token. */
  | { readonly kind: 'malformed' }
  /** More than one credential: several header lines, or a comma-joined list (RFC 6750 section 3.1). */
  | { readonly kind: 'ambiguous' }

const none: Credential = Object.freeze({ kind: 'none' })
const malformed: Credential = Object.freeze({ kind: 'malformed' })
const ambiguous: Credential = Object.freeze({ kind: 'ambiguous' })

/** Whether the text is a bearer token in the grammar of RFC 6750 section 2.1 and not longer than {@link maxTokenLength}. */
export function isBearerToken(text: string): boolean {
  return text.length <= maxTokenLength && b64token.test(text)
}

/**
 * Reads `Authorization` field values (RFC 9110 section 11.6.2, RFC 6750 section 2.1). Give **every** line the request
 * holds: two lines are two credentials, even when they are equal. Never throws.
 *
 * @param lines the raw values, one for each header line; none when the header is absent
 *
 * @example
 * ```ts
 * import { readAuthorization } from 'mcp-bearer'
 *
 * readAuthorization(['bearer abc']) // { kind: 'token', token: 'abc' }
 * ```
 */
export function readAuthorization(lines: readonly string[]): Credential {
  if (lines.length > 1) return ambiguous
  const value = trimOws(lines[0] ?? '')
  const scheme = /^[^ \t,]*/.exec(value)![0]
  if (scheme.toLowerCase() !== 'bearer') return isListWithBearer(value) ? ambiguous : none
  const rest = value.slice(scheme.length)
  // A separator is 1*SP (RFC 9110 section 11.4); a tab is not one.
  const token = rest.replace(/^ +/, '')
  if (token === '') return none
  if (token.includes(',')) return ambiguous
  return rest.startsWith(' ') && isBearerToken(token) ? { kind: 'token', token } : malformed
}

/** A runtime that follows Fetch joins several lines with a comma: `Basic eA==, Bearer abc` is two credentials. */
function isListWithBearer(value: string): boolean {
  return /,[ \t]*bearer(?:[ \t]|$)/i.test(value)
}

function trimOws(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isOws(value.charCodeAt(start))) start++
  while (end > start && isOws(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09
}
