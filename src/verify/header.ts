import type { JwsAlgorithm } from './algorithms.ts'
import { bytesOf } from './bytes.ts'
import { type JsonObject, own } from './json.ts'
import { parsePart } from './part.ts'
import type { RefusalReason } from './refusal.ts'

/** What a header that may pass says. */
export interface JwsHeader {
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
}

/** What the header of a token is held against. */
export interface HeaderRules {
  readonly algorithms: ReadonlySet<JwsAlgorithm>
  /** Values of `typ`, in lower case; `undefined` stands for no such member. */
  readonly types: ReadonlySet<string | undefined>
}

/**
 * RFC 8725 section 3.11; not everybody's access token says `at+jwt` (RFC 9068 section 2.1), many say `JWT` or nothing.
 */
export const defaultTypes: HeaderRules['types'] = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt'])
/** RFC 9068 section 4. */
export const accessTokenTypes: HeaderRules['types'] = new Set(['at+jwt', 'application/at+jwt'])

/** Headers that are remembered. An issuer has one or two for each of its keys. */
const capacity = 100

/** Judges headers, as they stand in a token. */
export interface HeaderJudge {
  judge(encoded: string): JwsHeader | RefusalReason
  /** All tokens of one key share their header. Only for those whose signature is good: anybody can invent others. */
  remember(encoded: string, header: JwsHeader): void
}

/**
 * Makes a {@link HeaderJudge}. Key material in a header (`jwk`, `jku`, `x5c`, `x5u`) is never looked at (RFC 8725
 * section 3.10).
 */
export function headerJudge(rules: HeaderRules): HeaderJudge {
  const known = new Map<string, JwsHeader>()
  return {
    judge(encoded) {
      const before = known.get(encoded)
      if (before !== undefined) return before
      const header = parsePart(encoded)
      if (header === undefined) return 'malformed'
      return (
        judgeHeader(header, rules) ?? {
          algorithm: own(header, 'alg') as JwsAlgorithm,
          kid: own(header, 'kid') as string | undefined,
        }
      )
    },
    remember(encoded, header) {
      if (known.has(encoded)) return
      if (known.size >= capacity) known.delete(known.keys().next().value ?? '')
      known.set(copyOf(encoded), header)
    },
  }
}

/** A part of a text keeps the whole of it in memory, and here that is a token. */
function copyOf(text: string): string {
  return String.fromCharCode(...bytesOf(text))
}

function judgeHeader(header: JsonObject, { algorithms, types }: HeaderRules): RefusalReason | undefined {
  const algorithm = own(header, 'alg')
  if (!isIn(algorithms, algorithm)) return 'algorithm_not_allowed'
  if (!isUnderstood(header)) return 'critical_header'
  const type = own(header, 'typ')
  if (!isIn(types, typeof type === 'string' ? type.toLowerCase() : type)) return 'wrong_type'
  const contentType = own(header, 'cty')
  if (!isTextOrAbsent(own(header, 'kid')) || !isTextOrAbsent(contentType)) return 'malformed'
  // A JWT within a JWT (RFC 7519 section 5.2) is no access token.
  if (contentType !== undefined && /^(?:application\/)?jwt$/i.test(contentType)) return 'malformed'
  return undefined
}

/** Asked before a value is used as text: `{"toString":1}` cannot be made one, and throws. */
function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isIn(set: ReadonlySet<unknown>, value: unknown): boolean {
  return set.has(value)
}

/** The only extension known is `b64` (RFC 7797), and of its values only the one that changes nothing. */
function isUnderstood(header: JsonObject): boolean {
  const b64 = own(header, 'b64')
  if (b64 !== undefined && b64 !== true) return false
  const crit = own(header, 'crit')
  if (crit === undefined) return true
  return Array.isArray(crit) && crit.length === 1 && crit[0] === 'b64' && b64 === true
}
