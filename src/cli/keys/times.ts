import { UsageError } from '../command.ts'

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

const durations = '90d, 12h, 30m or 3600s'
const dates = '2027-01-31 (the beginning of that day, UTC) or 2027-01-31T18:00Z'

/**
 * Seconds of `90d`, `12h`, `30m`, `3600s`, `2w`.
 * @throws UsageError naming the option
 */
export function durationOf(text: string, option: string): number {
  const read = readDuration(text)
  if (read === undefined) throw new UsageError(`${option} must be a duration such as ${durations}`)
  return read
}

/** A moment as a person says it: a date, or so many seconds from now. */
export type Moment = { readonly date: Date } | { readonly seconds: number }

/**
 * Reads a date, or a duration.
 * @throws UsageError naming the option
 */
export function momentOf(text: string, option: string): Moment {
  const duration = readDuration(text)
  if (duration !== undefined) return { seconds: duration }
  const date = readDate(text)
  if (date === undefined)
    throw new UsageError(`${option} must be a duration such as ${durations}, or a date such as ${dates}`)
  return { date }
}

/** The moment as a date: so many seconds ahead of now, or, with -1, before it. */
export function dateOf(moment: Moment, now: number, direction: 1 | -1 = 1): Date {
  return 'date' in moment ? moment.date : new Date(now + direction * moment.seconds * 1000)
}

function readDuration(text: string): number | undefined {
  if (text === '0') return 0
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * seconds[unit]!
}

/** ISO 8601, with its zone when it has a time: what `18:00` means would depend on the machine. */
function readDate(text: string): Date | undefined {
  const [, day, time] =
    /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? []
  // The 30th of February is a day of March to `Date`.
  if (day === undefined || !isDay(day)) return undefined
  const date = new Date(time === undefined ? `${day}T00:00Z` : text)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}
