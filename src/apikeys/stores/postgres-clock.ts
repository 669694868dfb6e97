import { stopwatch } from '../../core/clock.ts'

/** The time of a database, as well as it is known without asking. */
export interface DatabaseClock {
  time(): number
  /** Tells what the time was, in an answer to what was asked when the stopwatch said `askedAt`. */
  anchor(askedAt: number, databaseTime: number): void
}

/** A time that came quickly is the better one for so long; then the drift of two clocks may be more than the way. */
const trustedMs = 1000

/**
 * Makes a {@link DatabaseClock}. The time of an answer counts from when it was asked for: the clock is then ahead by at
 * most the way there, and what expires does so early rather than late.
 */
export function databaseClock(now: () => number = stopwatch): DatabaseClock {
  let base = Number.NaN
  let askedLast = Number.NEGATIVE_INFINITY
  let way = Number.POSITIVE_INFINITY
  return {
    // A whole number, as all times that are kept are.
    time: () => Math.ceil(base + now()),
    anchor(askedAt, databaseTime) {
      const took = now() - askedAt
      // One that had to wait for a connection would put the clock ahead by as much.
      if (took > way && now() - askedLast < trustedMs) return
      base = databaseTime - askedAt
      askedLast = askedAt
      way = took
    },
  }
}
