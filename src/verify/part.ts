import { decodeBase64url } from './bytes.ts'
import { type JsonObject, parseJsonObject } from './json.ts'

/** A part of a token that is one JSON object, else `undefined`. */
export function parsePart(encoded: string): JsonObject | undefined {
  const bytes = decodePart(encoded)
  return bytes === undefined ? undefined : parseJsonObject(bytes)
}

/** Last characters whose unused bits are zero, by the length of the last group (RFC 4648 section 3.5). */
const lastOfTwo = 'AQgw'
const lastOfThree = 'AEIMQUYcgkosw048'

/**
 * Decodes canonical base64url. Were unused bits let through, one token would have several spellings, and a deny-list
 * would know only one of them.
 */
export function decodePart(encoded: string): Uint8Array | undefined {
  const rest = encoded.length % 4
  const last = encoded.charAt(encoded.length - 1)
  if (rest === 1) return undefined
  if (rest === 2 && !lastOfTwo.includes(last)) return undefined
  if (rest === 3 && !lastOfThree.includes(last)) return undefined
  return decodeBase64url(encoded)
}
