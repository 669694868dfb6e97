import { type AccessTokenInit, frozenClaims } from '../core/access-token.ts'
import { isScopeToken, parseScopes } from '../core/scopes.ts'
import { isObject, type JsonObject, own } from './json.ts'
import type { RefusalReason } from './refusal.ts'

/** What the claims of a token are held against. */
export interface ClaimRules {
  /** Exact values of `iss`; `undefined` switches the check off. */
  readonly issuers: ReadonlySet<unknown> | undefined
  /** Exact values of `aud`; `undefined` switches the check off. */
  readonly audiences: ReadonlySet<unknown> | undefined
  /** Seconds. */
  readonly clockSkew: number
  readonly allowMissingExp: boolean
  /** For answers of an issuer itself, which need not say what it is. */
  readonly allowMissingIssuer?: boolean
  readonly allowMissingAudience?: boolean
  /** Claims that must be there, whatever they say. */
  readonly required: readonly string[]
  /** Seconds since `iat`; `undefined` switches the check off. */
  readonly maxTokenAge: number | undefined
  /** Where the scopes are, instead of `scope` and `scp`. */
  readonly scopesFrom: ((claims: JsonObject) => unknown) | undefined
}

/** What acceptable claims say. */
export type ClaimedGrant = Omit<AccessTokenInit, 'token' | 'claims'> & { readonly claims: JsonObject }

/**
 * Judges the claims of a token (RFC 7519 section 4.1, RFC 9068 section 4).
 * @param now seconds since 1970
 */
export function judgeClaims(
  claims: JsonObject,
  rules: ClaimRules,
  now: number,
): ClaimedGrant | RefusalReason {
  const wrong =
    judgeTime(claims, rules, now) ??
    (isMissing(claims, 'iss', rules.allowMissingIssuer) ? undefined : judgeIssuer(claims, rules.issuers)) ??
    (isMissing(claims, 'aud', rules.allowMissingAudience)
      ? undefined
      : judgeAudience(claims, rules.audiences)) ??
    judgeKind(claims) ??
    (rules.required.every((name) => isStated(name, own(claims, name))) ? undefined : 'missing_claim')
  if (wrong !== undefined) return wrong
  const identity = readIdentity(claims)
  if (identity === undefined) return 'no_identity'
  const scopes = readScopes(rules.scopesFrom ? rules.scopesFrom(frozenClaims(claims)) : scopeClaim(claims))
  if (scopes === undefined) return 'invalid_scope'
  // Member by member: spreading an object costs more than all the checks above.
  return {
    clientId: identity.clientId,
    subject: identity.subject,
    issuer: own(claims, 'iss') as string | undefined,
    scopes,
    expiresAt: own(claims, 'exp') as number | undefined,
    clockSkew: rules.clockSkew,
    claims,
  }
}

/** Whether a claim is there and says something (RFC 9068 section 2.2); `null` says nothing. */
export function isStated(name: string, value: unknown): boolean {
  if (name === 'exp' || name === 'iat') return typeof value === 'number'
  return isText(value) || (name === 'aud' && Array.isArray(value) && value.length > 0)
}

function isMissing(claims: JsonObject, name: string, isAllowed: boolean | undefined): boolean {
  return isAllowed === true && own(claims, name) === undefined
}

/**
 * `iss` is one of the configured texts, character for character (RFC 8725 section 3.8). Where none is configured it
 * must still be a text when it is there: with `sub` it is the principal.
 */
export function judgeIssuer(
  claims: JsonObject,
  issuers: ReadonlySet<unknown> | undefined,
): RefusalReason | undefined {
  const issuer = own(claims, 'iss')
  const good = issuers === undefined ? issuer === undefined || isText(issuer) : issuers.has(issuer)
  return good ? undefined : 'wrong_issuer'
}

/** RFC 7519 section 4.1.3; every member must be a text, even beside one that matches. */
function judgeAudience(
  claims: JsonObject,
  audiences: ReadonlySet<unknown> | undefined,
): RefusalReason | undefined {
  if (audiences === undefined) return undefined
  const audience = own(claims, 'aud')
  const list: readonly unknown[] = Array.isArray(audience) ? audience : [audience]
  const good = list.every((item) => typeof item === 'string') && list.some((item) => audiences.has(item))
  return good ? undefined : 'wrong_audience'
}

/** 9999-12-31T23:59:59Z. What lies beyond was written in milliseconds. */
const lastSecond = 253_402_300_799

/** RFC 7519 sections 4.1.4 to 4.1.6. The skew is granted once, in both directions. */
export function judgeTime(
  claims: JsonObject,
  { clockSkew, allowMissingExp, maxTokenAge }: ClaimRules,
  now: number,
): RefusalReason | undefined {
  const expiry = own(claims, 'exp')
  const notBefore = own(claims, 'nbf')
  const issuedAt = own(claims, 'iat')
  if (!isTime(expiry) || !isTime(notBefore) || !isTime(issuedAt)) return 'invalid_time'
  if (expiry === undefined && !allowMissingExp) return 'missing_claim'
  // Written so that a clock that says NaN refuses: no comparison with it is true.
  if (expiry !== undefined && !(now < expiry + clockSkew)) return 'expired'
  if (notBefore !== undefined && !(now + clockSkew >= notBefore)) return 'not_yet_valid'
  if (issuedAt !== undefined && !(now + clockSkew >= issuedAt)) return 'issued_in_future'
  if (issuedAt !== undefined && expiry !== undefined && expiry <= issuedAt) return 'invalid_time'
  if (maxTokenAge === undefined) return undefined
  return issuedAt !== undefined && now < issuedAt + maxTokenAge + clockSkew ? undefined : 'too_old'
}

/** Absent, or a number of seconds. `1e999` parses to infinity; `null` is not absent. */
function isTime(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && value >= 0 && value <= lastSecond)
}

/** What Keycloak writes into the payload member `typ` of tokens that are no access tokens. */
const otherKinds: ReadonlySet<unknown> = new Set(['id', 'refresh', 'offline', 'logout'])

/** Things that are signed by the same issuer and are no access token for a plain `Bearer` header. */
function judgeKind(claims: JsonObject): RefusalReason | undefined {
  const kind = own(claims, 'typ')
  if (typeof kind === 'string' && otherKinds.has(kind.toLowerCase())) return 'not_an_access_token'
  // Amazon Cognito.
  const use = own(claims, 'token_use')
  if (use !== undefined && use !== 'access') return 'not_an_access_token'
  // RFC 9449 section 7.2 and RFC 8705 section 3: without the proof, whoever presents it may have stolen it.
  const bound = own(claims, 'cnf')
  if (bound === undefined) return undefined
  const usable = isObject(bound) && !Object.hasOwn(bound, 'jkt') && !Object.hasOwn(bound, 'x5t#S256')
  return usable ? undefined : 'sender_constrained'
}

/** RFC 9068 section 2.2, then OpenID Connect, Microsoft Entra v1, Okta. */
const clientClaims = ['client_id', 'azp', 'appid', 'cid']
/** RFC 7519 sets no limit; OpenID Connect Core section 2 does. */
const maxSubject = 255

function readIdentity(claims: JsonObject): { clientId: string; subject: string | undefined } | undefined {
  const subject = own(claims, 'sub')
  if (subject !== undefined && !(isText(subject) && subject.length <= maxSubject)) return undefined
  let clientId: string | undefined
  for (const name of clientClaims) {
    const value = own(claims, name)
    if (value === undefined) continue
    if (!isText(value)) return undefined
    clientId ??= value
  }
  clientId ??= subject
  return clientId === undefined ? undefined : { clientId, subject }
}

/** `scope` (RFC 6749 section 3.3, RFC 9068 section 2.2.3), else `scp` (Entra, Okta); never the union of both. */
function scopeClaim(claims: JsonObject): unknown {
  const scope = own(claims, 'scope')
  return scope === undefined ? own(claims, 'scp') : scope
}

/** A text or a list of scope-tokens. @returns `undefined` for anything else: a wrong type is not "no scopes" */
function readScopes(granted: unknown): readonly string[] | undefined {
  if (granted === undefined) return []
  if (typeof granted === 'string') return parseScopes(granted)
  const isList =
    Array.isArray(granted) && granted.every((one) => typeof one === 'string' && isScopeToken(one))
  return isList ? granted : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
