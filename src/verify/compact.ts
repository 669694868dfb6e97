import { Buffer } from 'node:buffer'
import { maxTokenLength } from '../core/authorization.ts'
import type { JwsAlgorithm } from './algorithms.ts'
import { type JsonObject, own, parseJsonObject } from './json.ts'
import type { RefusalReason } from './refusal.ts'

/** A JWT taken apart. Nothing in it is to be believed before its signature is checked. */
export interface Jws {
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
  readonly claims: JsonObject
  /** What was signed (RFC 7515 section 5.1). */
  readonly input: Uint8Array
  readonly signature: Uint8Array
}

/** Three parts of the base64url alphabet without padding (RFC 7515 section 7.1). */
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Last characters whose unused bits are zero, by the length of the last group (RFC 4648 section 3.5). */
const lastOfTwo = 'AQgw'
const lastOfThree = 'AEIMQUYcgkosw048'

/**
 * Takes a token apart and judges its header, before any cryptography: exactly three canonical base64url parts, two
 * JSON objects, an allowed `alg`, a `typ` that can be an access token, no `crit` that is not understood. Key material
 * in the header (`jwk`, `jku`, `x5c`, `x5u`) is never looked at (RFC 8725 section 3.10).
 */
export function parseCompact(token: string, algorithms: ReadonlySet<string>): Jws | RefusalReason {
  // A caller without types may hand in anything; what is no text is no token.
  if (typeof token !== 'string') return 'malformed'
  if (token.length > maxTokenLength) return 'too_long'
  if (!compact.test(token)) return 'malformed'
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  const header = parsePart(token, 0, first)
  if (header === undefined) return 'malformed'
  const wrong = judgeHeader(header, algorithms)
  if (wrong !== undefined) return wrong
  const claims = parsePart(token, first + 1, second)
  const signature = decodePart(token, second + 1, token.length)
  if (claims === undefined || signature === undefined) return 'malformed'
  return {
    algorithm: own(header, 'alg') as JwsAlgorithm,
    kid: own(header, 'kid') as string | undefined,
    claims,
    input: Buffer.from(token.slice(0, second), 'latin1'),
    signature,
  }
}

function parsePart(token: string, start: number, end: number): JsonObject | undefined {
  const bytes = decodePart(token, start, end)
  return bytes === undefined ? undefined : parseJsonObject(bytes)
}

/**
 * Decodes canonical base64url. Were unused bits let through, one token would have several spellings, and a deny-list
 * would know only one of them.
 */
function decodePart(token: string, start: number, end: number): Uint8Array | undefined {
  const rest = (end - start) % 4
  const last = token.charAt(end - 1)
  if (rest === 1) return undefined
  if (rest === 2 && !lastOfTwo.includes(last)) return undefined
  if (rest === 3 && !lastOfThree.includes(last)) return undefined
  return Buffer.from(token.slice(start, end), 'base64url')
}

/** RFC 8725 section 3.11; not everybody's access token says `at+jwt` (RFC 9068 section 2.1), many say `JWT` or nothing. */
const types: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt'])

function judgeHeader(header: JsonObject, algorithms: ReadonlySet<string>): RefusalReason | undefined {
  const algorithm = own(header, 'alg')
  if (typeof algorithm !== 'string' || !algorithms.has(algorithm)) return 'algorithm'
  if (!isUnderstood(header)) return 'critical'
  const type = own(header, 'typ')
  if (type !== undefined && !(typeof type === 'string' && types.has(type.toLowerCase()))) return 'type'
  const kid = own(header, 'kid')
  if (kid !== undefined && typeof kid !== 'string') return 'malformed'
  // A JWT within a JWT (RFC 7519 section 5.2) is no access token.
  if (/^(?:application\/)?jwt$/i.test(String(own(header, 'cty')))) return 'malformed'
  return undefined
}

/** The only extension known is `b64` (RFC 7797), and of its values only the one that changes nothing. */
function isUnderstood(header: JsonObject): boolean {
  const b64 = own(header, 'b64')
  if (b64 !== undefined && b64 !== true) return false
  const crit = own(header, 'crit')
  if (crit === undefined) return true
  return Array.isArray(crit) && crit.length === 1 && crit[0] === 'b64' && b64 === true
}
