import type { Clock } from '../core/clock.ts'
import { type ClaimRules, isStated } from './claims.ts'
import { readUnverified } from './compact.ts'
import { type JsonObject, own } from './json.ts'
import type { JwtSettings } from './jwt-options.ts'
import type { RefusalReason } from './refusal.ts'
import type { Compare, Comparison } from './report.ts'

/** Says of a refused JWT what was expected and what it says instead. Reads the token again: it is asked seldom. */
export function jwtCompare({ header: { algorithms, types }, rules }: JwtSettings, clock: Clock): Compare {
  const comparisons: Partial<Record<RefusalReason, (header: JsonObject) => Comparison>> = {
    algorithm_not_allowed: (header) => ({ expected: list(algorithms), found: said(own(header, 'alg')) }),
    wrong_type: (header) => ({ expected: list(types), found: said(own(header, 'typ')) }),
    no_matching_key: (header) => ({
      found: `kid ${said(own(header, 'kid'))}, alg ${said(own(header, 'alg'))}`,
    }),
  }
  const compareClaims = claimsCompare(rules, clock)

  return (reason, token) => {
    const read = readUnverified(token)
    return read ? (comparisons[reason]?.(read.header) ?? compareClaims(reason, read.claims)) : {}
  }
}

/** The same of claims, wherever they come from. */
export function claimsCompare(
  rules: ClaimRules,
  clock: Clock,
): (reason: RefusalReason, claims: JsonObject) => Comparison {
  const comparisons: Partial<Record<RefusalReason, (claims: JsonObject) => Comparison>> = {
    wrong_issuer: (claims) => compareTexts(rules.issuers, own(claims, 'iss')),
    wrong_audience: (claims) => compareTexts(rules.audiences, own(claims, 'aud')),
    missing_claim: (claims) => ({ found: `no ${list(missing(claims))}` }),
    invalid_time: (claims) => ({ found: list(timesOf(claims)) }),
    expired: (claims) => moments(clock, own(claims, 'exp')),
    not_yet_valid: (claims) => moments(clock, own(claims, 'nbf')),
    issued_in_future: (claims) => moments(clock, own(claims, 'iat')),
    too_old: (claims) => moments(clock, own(claims, 'iat')),
    sender_constrained: (claims) => ({ found: `cnf ${keysOf(own(claims, 'cnf'))}` }),
  }

  function missing(claims: JsonObject): readonly string[] {
    const needed = new Set([...(rules.allowMissingExp ? [] : ['exp']), ...rules.required])
    return [...needed].filter((name) => !isStated(name, own(claims, name)))
  }

  return (reason, claims) => comparisons[reason]?.(claims) ?? {}
}

function compareTexts(expected: ReadonlySet<unknown> | undefined, found: unknown): Comparison {
  const hint = nearMiss([...(expected ?? [])].map(String), Array.isArray(found) ? found : [found])
  return { expected: list(expected ?? []), found: said(found), ...(hint !== undefined && { hint }) }
}

/** Values are compared exactly (RFC 8725 sections 3.8 and 3.9); where only spelling differs, that is worth saying. */
function nearMiss(expected: readonly string[], found: readonly unknown[]): string | undefined {
  const texts = found.filter((value) => typeof value === 'string')
  const alike = (fold: (text: string) => string) =>
    texts.some((text) => expected.some((wanted) => fold(wanted) === fold(text)))
  if (alike((text) => text))
    return 'the value is right, its type is not: a text is needed, or for aud a list of them'
  if (alike(withoutSlash)) return 'they differ in a slash at the end'
  if (alike((text) => text.toLowerCase())) return 'they differ in upper and lower case'
  if (alike((text) => withoutSlash(text.toLowerCase().trim()))) return 'they differ in spelling only'
  return undefined
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '')
}

function moments(clock: Clock, seconds: unknown): Comparison {
  return { expected: `now ${timeText(clock() / 1000)}`, found: timeText(seconds) }
}

function timesOf(claims: JsonObject): readonly string[] {
  return ['exp', 'nbf', 'iat']
    .filter((name) => own(claims, name) !== undefined)
    .map((name) => `${name} ${said(own(claims, name))}`)
}

function timeText(seconds: unknown): string {
  const date = typeof seconds === 'number' ? new Date(seconds * 1000) : undefined
  return date === undefined || Number.isNaN(date.getTime()) ? said(seconds) : date.toISOString()
}

function list(values: Iterable<unknown>): string {
  return [...values].map((value) => (value === undefined ? 'none' : String(value))).join(', ')
}

function keysOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? list(Object.keys(value)) : said(value)
}

/** A value as it would stand in JSON. */
function said(value: unknown): string {
  // JSON has no infinity.
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  return value === undefined ? 'none' : JSON.stringify(value)
}
