import type { RefusalReason } from 'mcp-bearer/verify'
import { now } from './forge.ts'
import { readStrictly } from './strict-json.ts'

/** What a verifier of these tests asks for. Everything about `now`, which does not pass. */
export interface Demands {
  readonly algorithms: readonly string[]
  /** Whether there is a key for what the header names. */
  readonly hasKey: (algorithm: string, kid: string | undefined) => boolean
  readonly issuers?: readonly string[]
  readonly audiences?: readonly string[]
  /** Seconds. */
  readonly clockSkew: number
  readonly maxTokenAge?: number
  readonly allowMissingExp?: true
  readonly profile?: 'rfc9068'
  readonly requiredScopes?: readonly string[]
}

/** What becomes of a token whose signature is good, and whether that is decided before anybody looks at the signature. */
export interface Opinion {
  readonly outcome: RefusalReason | 'accepted' | 'insufficient_scope'
  readonly isEarly: boolean
}

type Members = Readonly<Record<string, unknown>>

/**
 * What `docs/verification.md` says of a token, row by row, the signature left out. Written a second time, from the
 * table and not from the code: when both agree on each of many strange tokens, neither is likely to be wrong.
 */
export function opinionOn(token: string, demands: Demands): Opinion {
  const early = objectionToForm(token, demands)
  if (early !== undefined) return { outcome: early, isEarly: true }
  const claims = readPart(token.split('.')[1] ?? '') ?? {}
  return { outcome: objectionToClaims(claims, demands) ?? lackOfScope(claims, demands), isEarly: false }
}

/** Rows 1 to 11. */
function objectionToForm(token: string, demands: Demands): RefusalReason | undefined {
  if (token.length > 8192) return 'too_long'
  const parts = token.split('.')
  if (parts.length !== 3 || parts.some((part) => !/^[\w-]+$/.test(part))) return 'malformed'
  const [header, payload, signature] = parts as [string, string, string]
  const members = readHeader(header)
  const objection = members === undefined ? 'malformed' : objectionToHeader(members, demands)
  if (objection !== undefined) return objection
  const claims = readPart(payload)
  if (claims === undefined || !isCanonical(signature)) return 'malformed'
  const { iss } = claims
  const isKnown = demands.issuers
    ? demands.issuers.some((issuer) => issuer === iss)
    : iss === undefined || (typeof iss === 'string' && iss.length > 0)
  if (!isKnown) return 'wrong_issuer'
  const { alg, kid } = members as { alg: string; kid?: string }
  return demands.hasKey(alg, kid) ? undefined : 'no_matching_key'
}

/** Row 2: a part is what comes out when its bytes are encoded again. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

/** Headers are nearly always the same few. */
const known = new Map<string, Members | undefined>()

/** Rows 3 and 9. */
function readHeader(part: string): Members | undefined {
  if (known.size > 1000) known.clear()
  if (!known.has(part)) known.set(part, readPart(part))
  return known.get(part)
}

function readPart(part: string): Members | undefined {
  if (!isCanonical(part)) return undefined
  const bytes = Buffer.from(part, 'base64url')
  const text = bytes.toString('utf8')
  if (!Buffer.from(text, 'utf8').equals(bytes)) return undefined
  const reading = readStrictly(text)
  if (reading === undefined || reading.repeats || reading.depth > 32 || !/^[ \t\r\n]*\{/.test(text)) {
    return undefined
  }
  return Object.assign(Object.create(null), JSON.parse(text))
}

/** Rows 4 to 7. */
function objectionToHeader(header: Members, { algorithms, profile }: Demands): RefusalReason | undefined {
  const { alg, crit, b64, typ, kid, cty } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'algorithm_not_allowed'
  const isPlain = crit === undefined && (b64 === undefined || b64 === true)
  const isSaid = b64 === true && JSON.stringify(crit) === '["b64"]'
  if (!isPlain && !isSaid) return 'critical_header'
  const types = ['at+jwt', 'application/at+jwt', ...(profile ? [] : ['jwt'])]
  const isOfType = typ === undefined ? !profile : typeof typ === 'string' && types.includes(typ.toLowerCase())
  if (!isOfType) return 'wrong_type'
  if ([kid, cty].some((value) => value !== undefined && typeof value !== 'string')) return 'malformed'
  return ['jwt', 'application/jwt'].includes(String(cty).toLowerCase()) ? 'malformed' : undefined
}

/** Rows 13 to 22. */
function objectionToClaims(claims: Members, demands: Demands): RefusalReason | undefined {
  return (
    objectionToTimes(claims, demands) ??
    objectionToAudience(claims.aud, demands.audiences) ??
    objectionToKind(claims) ??
    (demands.profile && !hasProfileClaims(claims) ? 'missing_claim' : undefined) ??
    objectionToNames(claims) ??
    (scopesOf(claims) === undefined ? 'invalid_scope' : undefined) ??
    (claims.tid === 'stranger' ? 'rejected' : undefined)
  )
}

/** Row 19: there, and saying something. */
function hasProfileClaims({ iss, exp, aud, sub, client_id, iat, jti }: Members): boolean {
  const areTexts = [iss, sub, client_id, jti].every((text) => typeof text === 'string' && text.length > 0)
  return areTexts && typeof exp === 'number' && typeof iat === 'number' && aud !== undefined
}

/** Rows 13 to 15. Numbers of seconds of which no more than a second's fraction is lost: they can be added up. */
function objectionToTimes(claims: Members, demands: Demands): RefusalReason | undefined {
  const times = [claims.exp, claims.nbf, claims.iat]
  const isTime = (time: unknown) => typeof time === 'number' && time >= 0 && time <= 253_402_300_799
  if (times.some((time) => time !== undefined && !isTime(time))) return 'invalid_time'
  const [exp, nbf, iat] = times as (number | undefined)[]
  const { clockSkew, maxTokenAge, allowMissingExp } = demands
  if (exp === undefined && !allowMissingExp) return 'missing_claim'
  if (exp !== undefined && exp - now <= -clockSkew) return 'expired'
  if (nbf !== undefined && nbf - now > clockSkew) return 'not_yet_valid'
  if (iat !== undefined && iat - now > clockSkew) return 'issued_in_future'
  if (iat !== undefined && exp !== undefined && iat >= exp) return 'invalid_time'
  if (maxTokenAge === undefined) return undefined
  return iat === undefined || now - iat >= maxTokenAge + clockSkew ? 'too_old' : undefined
}

/** Row 16. */
function objectionToAudience(aud: unknown, audiences?: readonly string[]): RefusalReason | undefined {
  if (audiences === undefined) return undefined
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const isOurs = list.some((name) => typeof name === 'string' && audiences.includes(name))
  return isOurs && list.every((name) => typeof name === 'string') ? undefined : 'wrong_audience'
}

/** Rows 17 and 18. */
function objectionToKind({ typ, token_use, cnf }: Members): RefusalReason | undefined {
  if (typeof typ === 'string' && /^(?:id|refresh|offline|logout)$/i.test(typ)) return 'not_an_access_token'
  if (token_use !== undefined && token_use !== 'access') return 'not_an_access_token'
  if (cnf === undefined) return undefined
  const isObject = Object.prototype.toString.call(cnf) === '[object Object]'
  const names = isObject ? Object.keys(cnf as object) : ['jkt']
  return names.includes('jkt') || names.includes('x5t#S256') ? 'sender_constrained' : undefined
}

/** Row 20. */
function objectionToNames({ sub, client_id, azp, appid, cid }: Members): RefusalReason | undefined {
  const given = [sub, client_id, azp, appid, cid].filter((name) => name !== undefined)
  const areTexts = given.every((name) => typeof name === 'string' && name.length > 0)
  const isShort = typeof sub !== 'string' || sub.length < 256
  return given.length > 0 && areTexts && isShort ? undefined : 'no_identity'
}

/** Row 21. */
function scopesOf({ scope, scp }: Members): readonly string[] | undefined {
  const granted = scope === undefined ? scp : scope
  if (granted === undefined) return []
  if (typeof granted === 'string') return granted.split(/ +/)
  const isList =
    Array.isArray(granted) && granted.every((one) => typeof one === 'string' && /^[!#-[\]-~]+$/.test(one))
  return isList ? granted : undefined
}

/** Row 23. */
function lackOfScope(claims: Members, { requiredScopes = [] }: Demands): Opinion['outcome'] {
  const scopes = scopesOf(claims) ?? []
  return requiredScopes.every((scope) => scopes.includes(scope)) ? 'accepted' : 'insufficient_scope'
}
