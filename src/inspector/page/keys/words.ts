import type { ApiKeyStatus } from '../../../apikeys/api-key.ts'
import type { AuditEventName } from '../../../apikeys/audit-event.ts'
import type { Tone } from '../ui/badge.tsx'
import type { AuditFacts } from './keys-api.ts'

/** What the states of a key are called here. */
export const statusWords: Readonly<
  Record<ApiKeyStatus, { readonly words: string; readonly tone: Tone | undefined }>
> = {
  active: { words: 'Active', tone: 'good' },
  pending: { words: 'Not used yet', tone: 'accent' },
  grace: { words: 'Replaced, still works', tone: 'warn' },
  not_yet_valid: { words: 'Not valid yet', tone: 'warn' },
  disabled: { words: 'Disabled', tone: 'warn' },
  exhausted: { words: 'Used up', tone: 'bad' },
  expired: { words: 'Expired', tone: 'bad' },
  revoked: { words: 'Revoked', tone: 'bad' },
}

/** What happened, as a person says it. */
export const eventWords: Readonly<Record<AuditEventName, string>> = {
  'key.create': 'Key made',
  'key.import': 'Key imported',
  'key.update': 'Key changed',
  'key.enable': 'Key enabled',
  'key.disable': 'Key disabled',
  'key.rotate': 'Key rotated',
  'key.revoke': 'Key revoked',
  'key.first_use': 'First use',
  'key.used_in_grace': 'Old key used after its rotation',
  'key.leak_reported': 'Leak reported',
  'key.purge': 'Old keys removed',
  'auth.failure': 'Key refused',
  'auth.rate_limited': 'Key used too often',
  'jwt.revoke': 'Token revoked',
  'jwt.cutoff_set': 'Tokens cut off',
  'audit.gap': 'Entries lost',
}

/** What happened; a name nobody knows yet stays as it is. */
export function eventText(event: string): string {
  return Object.hasOwn(eventWords, event) ? eventWords[event as AuditEventName] : event
}

/** Who did something. */
export function actorText({ actor }: AuditFacts): string {
  const who = [actor.name, actor.id].filter((part) => typeof part === 'string').join(', ')
  return who === '' ? actor.type : `${actor.type} ${who}`
}

/** What is behind the last unit a person counts in. */
const units = [
  { name: 'year', ms: 365 * 86_400_000 },
  { name: 'day', ms: 86_400_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'minute', ms: 60_000 },
] as const

/** How far away a time is: `in 90 days`, `3 hours ago`, `now`. */
export function distanceWords(time: string, now: number): string {
  const away = Date.parse(time) - now
  if (Number.isNaN(away)) return 'at an unknown time'
  const unit = units.find(({ name, ms }) => Math.abs(away) >= ms * (name === 'year' ? 2 : 1))
  if (unit === undefined) return away > 0 ? 'in a moment' : 'just now'
  const count = Math.round(Math.abs(away) / unit.ms)
  const words = `${numberWords(count)} ${unit.name}${count === 1 ? '' : 's'}`
  return away > 0 ? `in ${words}` : `${words} ago`
}

/** When a key expires, or has expired. */
export function expiryWords(expiresAt: string | undefined, now: number): string {
  if (expiresAt === undefined) return 'Never expires'
  return `${Date.parse(expiresAt) > now ? 'Expires' : 'Expired'} ${distanceWords(expiresAt, now)}`
}

/** `31 January 2027, 18:00 UTC`. */
export function timeWords(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  return `${times.format(date).replace(' at ', ', ')} UTC`
}

const times = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

/** `12 November`. */
export function dayWords(ms: number): string {
  return days.format(ms)
}

const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' })

/** `1,204`. */
export function numberWords(count: number): string {
  return count.toLocaleString('en')
}

/** `1 use`, `1,204 uses`. */
export function usesWords(count: number): string {
  if (count === 0) return 'no uses'
  return `${numberWords(count)} use${count === 1 ? '' : 's'}`
}
