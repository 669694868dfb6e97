import { redact } from '../../core/index.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { distance, timeText } from '../keys/times.ts'
import { printableLine } from '../printable.ts'

/** Characters of a value that are shown. */
const longestValue = 300

/** What a token says, in lines that begin with two blanks: first who, for whom and until when, then the rest. */
export function claimLines(claims: JsonObject, now: number): string[] {
  const names = [...known.filter((name) => Object.hasOwn(claims, name)), ...others(claims)]
  const width = Math.max(...names.map((name) => printableLine(name, 60).length), 0)
  return names.map((name) => {
    const value = times.has(name) ? timeOf(own(claims, name), now) : valueText(own(claims, name))
    return `  ${printableLine(name, 60).padEnd(width)}  ${value}`
  })
}

/** A claim as text: of somebody else, and without what looks like a credential. */
export function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return printableLine(redact(text ?? ''), longestValue)
}

/** Seconds since 1970 as a moment and how far away it is; anything else as it is. */
export function timeOf(seconds: unknown, now: number): string {
  const date = dateOfSeconds(seconds)
  return date === undefined ? `${valueText(seconds)} (no time)` : `${timeText(date)} (${distance(date, now)})`
}

/** The date of a time claim (RFC 7519 section 2, NumericDate); `undefined` when it is none. */
export function dateOfSeconds(seconds: unknown): Date | undefined {
  if (typeof seconds !== 'number') return undefined
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** JSON for a program: what looks like a credential is taken out of each text. */
export function withoutCredentials<T>(value: T): T {
  if (typeof value === 'string') return redact(value) as T
  if (Array.isArray(value)) return value.map(withoutCredentials) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [redact(name), withoutCredentials(member)]),
  ) as T
}

/** Claims that matter most, in the order in which they are read. */
const known = ['sub', 'client_id', 'iss', 'aud', 'scope', 'scp', 'exp', 'nbf', 'iat']
const times: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'auth_time'])

function others(claims: JsonObject): string[] {
  return Object.keys(claims).filter((name) => !known.includes(name))
}
