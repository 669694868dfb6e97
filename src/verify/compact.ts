import { maxTokenLength } from '../core/authorization.ts'
import { bytesOf } from './bytes.ts'
import type { JwsHeader } from './header.ts'
import type { JsonObject } from './json.ts'
import { decodePart, parsePart } from './part.ts'
import type { RefusalReason } from './refusal.ts'

/** A JWT taken apart. Nothing in it is to be believed before its signature is checked. */
export interface Jws {
  readonly header: JwsHeader
  /** As it stands in the token. */
  readonly encodedHeader: string
  readonly claims: JsonObject
  /** What was signed (RFC 7515 section 5.1). */
  readonly input: Uint8Array
  readonly signature: Uint8Array
}

/** Three parts of the base64url alphabet without padding (RFC 7515 section 7.1). */
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/**
 * Takes a token apart, before any cryptography: exactly three canonical base64url parts, two JSON objects, a header
 * that `judgeHeader` takes. It gets the header encoded, as it stands in the token.
 */
export function parseCompact(
  token: string,
  judgeHeader: (encoded: string) => JwsHeader | RefusalReason,
): Jws | RefusalReason {
  const wrong = judgeShape(token)
  if (wrong !== undefined) return wrong
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  const encodedHeader = token.slice(0, first)
  const header = judgeHeader(encodedHeader)
  if (typeof header === 'string') return header
  const claims = parsePart(token.slice(first + 1, second))
  const signature = decodePart(token.slice(second + 1))
  if (claims === undefined || signature === undefined) return 'malformed'
  return { header, encodedHeader, claims, input: bytesOf(token.slice(0, second)), signature }
}

/**
 * Header and payload of what has the shape of a JWT, to route it or to explain it: nothing is judged, nothing is to be
 * believed. @returns `undefined` for anything else
 */
export function readUnverified(
  token: string,
): { readonly header: JsonObject; readonly claims: JsonObject } | undefined {
  if (judgeShape(token) !== undefined) return undefined
  const [first = '', second = ''] = token.split('.')
  const header = parsePart(first)
  const claims = parsePart(second)
  return header && claims && { header, claims }
}

function judgeShape(token: string): RefusalReason | undefined {
  // A caller without types may hand in anything; what is no text is no token.
  if (typeof token !== 'string') return 'malformed'
  if (token.length > maxTokenLength) return 'too_long'
  return compact.test(token) ? undefined : 'malformed'
}
