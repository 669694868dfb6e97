import type { DayOfUses, KeyUse } from '../key-store.ts'

/** Milliseconds. In UTC every day is as long. */
const dayMs = 86_400_000
/** How long uses are kept by day: a year, and what it takes to compare a month with the same one of the year before. */
export const keptDays = 400
/** Ids of one question. */
const mostIds = 100

/** The day of a time, counted from the first one of 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs)
}

/** A day as people write it. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10)
}

/** What {@link KeyStore.usesByDay} is asked: every id once, and every day up to today. */
export interface DaysAsked {
  readonly ids: readonly string[]
  /** At most {@link keptDays} and today, in their order; none when the first one that was asked for is yet to come. */
  readonly days: readonly number[]
}

/**
 * Reads a question for uses by day.
 * @param now milliseconds since 1970
 * @throws TypeError when it asks for too much, or `since` is no day
 */
export function readDaysAsked(ids: readonly string[], since: string, now: number): DaysAsked {
  if (ids.length > mostIds) throw new TypeError(`KeyStore: ids must be at most ${mostIds}`)
  const time = /^\d{4}-\d\d-\d\d$/.test(since) ? Date.parse(since) : Number.NaN
  const first = dayOf(time)
  const count = dayOf(now) - first + 1
  if (!(count <= keptDays + 1)) {
    throw new TypeError(`KeyStore: since must be a day such as 2026-01-31, at most ${keptDays} days ago`)
  }
  return { ids: [...new Set(ids)], days: Array.from({ length: Math.max(0, count) }, (_, at) => first + at) }
}

/** A row of a database as it is told. */
export function dayOfUses(id: string, day: number, count: number): DayOfUses {
  return { id, day: dayText(day), count }
}

/** The day uses are counted on: that of the last one, though some may be of the minute before. */
export function dayOfUse({ at }: KeyUse): number {
  return dayOf(at)
}
