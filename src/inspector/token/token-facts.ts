import { redact } from '../../core/redact.ts'
import { redacted } from '../../core/redacted.ts'
import { isScopeToken, parseScopes } from '../../core/scopes.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { visibleLine } from '../report/visible-line.ts'
import { distance, timeText } from './times.ts'

/** A member of a header, or a claim, as it may be shown: text of somebody else, without what looks like a credential. */
export interface ClaimLine {
  readonly name: string
  readonly value: string
  /** What the value says: how far away a moment is. */
  readonly words?: string
  /** What such a claim is for, where that is known. */
  readonly meaning?: string
}

/** Characters of a value that are shown, and of a name. */
const longestValue = 300
const longestName = 60

/**
 * The claims of a token: first who, for whom and until when, then the rest.
 * @param secrets what must not be shown, wherever it stands
 */
export function claimRows(claims: JsonObject, now: number, secrets?: readonly string[]): ClaimLine[] {
  const names = [...known.filter((name) => Object.hasOwn(claims, name)), ...others(claims)]
  return names.map((name) => {
    const value = own(claims, name)
    const meaning = meanings.get(name)
    return {
      name: shownText(name, secrets, longestName),
      ...(times.has(name) ? timeRow(value, now, secrets) : { value: valueText(value, secrets) }),
      ...(meaning !== undefined && { meaning }),
    }
  })
}

/** The members of a header, as they stand there. */
export function headerRows(header: JsonObject, secrets?: readonly string[]): ClaimLine[] {
  return Object.keys(header).map((name) => ({
    name: shownText(name, secrets, longestName),
    value: valueText(own(header, name), secrets),
  }))
}

/** Somebody else's words on one line, without what looks like a credential, and not longer than `longest` characters. */
export function shownText(text: string, secrets?: readonly string[], longest: number = longestValue): string {
  return visibleLine(cleared(text, secrets), longest)
}

/** The date of a time claim (RFC 7519 section 2, NumericDate); `undefined` when it is none. */
export function dateOfSeconds(seconds: unknown): Date | undefined {
  if (typeof seconds !== 'number') return undefined
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/**
 * What a token allows, as a server reads it: `scope` (RFC 9068 section 2.2.3), else `scp`.
 * @returns `undefined` when there is neither, or a server would not understand it
 */
export function scopesIn(claims: JsonObject): readonly string[] | undefined {
  const scope = own(claims, 'scope')
  const granted = scope === undefined ? own(claims, 'scp') : scope
  if (typeof granted === 'string') return parseScopes(granted)
  const isList =
    Array.isArray(granted) && granted.every((one) => typeof one === 'string' && isScopeToken(one))
  return isList ? granted : undefined
}

/** JSON for a program: what looks like a credential is taken out of each text. */
export function withoutCredentials<T>(value: T, secrets?: readonly string[]): T {
  if (typeof value === 'string') return cleared(value, secrets) as T
  if (Array.isArray(value)) return value.map((item) => withoutCredentials(item, secrets)) as T
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      cleared(name, secrets),
      withoutCredentials(member, secrets),
    ]),
  ) as T
}

/** They are taken out as they are written: to look for all their forms in each claim takes long. */
function cleared(text: string, secrets: readonly string[] = []): string {
  return redact(secrets.reduce((left, secret) => left.replaceAll(secret, redacted), text))
}

function valueText(value: unknown, secrets?: readonly string[]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return shownText(text ?? '', secrets)
}

/** Seconds since 1970 as a moment and how far away it is; anything else as it is. */
function timeRow(
  seconds: unknown,
  now: number,
  secrets?: readonly string[],
): Pick<ClaimLine, 'value' | 'words'> {
  const date = dateOfSeconds(seconds)
  return date === undefined
    ? { value: valueText(seconds, secrets), words: 'no time' }
    : { value: timeText(date), words: distance(date, now) }
}

/** Claims that matter most, in the order in which they are read. */
const known = ['sub', 'client_id', 'iss', 'aud', 'scope', 'scp', 'exp', 'nbf', 'iat']
const times: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat', 'auth_time'])

/** RFC 7519 section 4.1, RFC 9068 section 2.2, and what large providers add. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['sub', 'whom it speaks for'],
  ['client_id', 'the client it was given to'],
  ['azp', 'the client it was given to'],
  ['iss', 'who made it'],
  ['aud', 'whom it is for'],
  ['scope', 'what it allows'],
  ['scp', 'what it allows'],
  ['exp', 'when it ends'],
  ['nbf', 'when it begins'],
  ['iat', 'when it was made'],
  ['auth_time', 'when the user logged in'],
  ['jti', 'the name of this one token'],
  ['cnf', 'the key of its client, which it is bound to'],
  ['nonce', 'of a login: this is an ID token'],
])

function others(claims: JsonObject): string[] {
  return Object.keys(claims).filter((name) => !known.includes(name))
}
