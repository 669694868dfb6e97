import type { Clock } from './clock.ts'
import { numberBetween } from './options.ts'

/** How much one caller may ask for. */
export interface RateLimiterOptions {
  /** Requests a minute, and as many at once. 1 to 1,000,000. */
  readonly perMinute: number
  readonly clock: Clock
  /** How many callers are counted each by itself. 1 to 100,000. Default: 10,000. */
  readonly maxKeys?: number
}

/** Lets callers pass, so many a minute. */
export interface RateLimiter {
  /**
   * Counts one request, if it may pass.
   * @param key whose it is, such as `principalOf` gives it
   * @returns `undefined` when it may pass, else whole seconds after which one may: for `Retry-After` (RFC 9110 section
   *   10.2.3). At least 1. What is refused is not counted
   */
  take(key: string): number | undefined
}

/**
 * Makes a {@link RateLimiter}: a bucket for each caller that leaks all the time, so there is no window at whose edge
 * somebody waits, and a caller who stays below the rate always passes.
 *
 * Memory is bounded. Only a bucket that is empty is forgotten, which is the same as a new one: inventing callers frees
 * nobody. While all are in use, those who have none share one, so a flood of callers can delay newcomers, and nobody else.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function rateLimiter({ perMinute, clock, maxKeys }: RateLimiterOptions): RateLimiter {
  const buckets = bucketTable('rateLimiter', perMinute, clock, maxKeys)
  return {
    take(key) {
      const bucket = buckets.open(key)
      const seconds = buckets.wait(bucket)
      if (seconds === undefined) bucket.level += 1
      return seconds
    },
  }
}

/** What was counted of one key and has not leaked away yet. */
export interface Bucket {
  level: number
  /** When it last leaked, in milliseconds since 1970. */
  at: number
}

/** Buckets by key, at most so many. Their levels are those of now. */
export interface BucketTable {
  /** The bucket that counts for the key: its own, or the shared one; `undefined` when nothing was counted of it. */
  find(key: string): Bucket | undefined
  /** The same; made when there is none. */
  open(key: string): Bucket
  /** Whole seconds until there is room for one more, at least 1; `undefined` when there is. */
  wait(bucket: Bucket): number | undefined
}

/** Milliseconds between two searches for buckets to forget: the search looks at all of them, and a flood asks for it. */
const searchEvery = 1000
/** Less than any count, and more than what is lost in adding fractions. */
const rounding = 1e-6

/**
 * Makes a {@link BucketTable}. Buckets hold `perMinute` and leak as much in a minute.
 * @throws TypeError naming the owner's option that is out of bounds
 */
export function bucketTable(owner: string, perMinute: number, clock: Clock, maxKeys = 10_000): BucketTable {
  const capacity = numberBetween(`${owner}: perMinute`, perMinute, 1, 1_000_000)
  const most = numberBetween(`${owner}: how many are counted`, maxKeys, 1, 100_000)
  const perMillisecond = capacity / 60_000
  const buckets = new Map<string, Bucket>()
  const shared: Bucket = { level: 0, at: clock() }
  let searched = Number.NEGATIVE_INFINITY

  const find = (key: string): Bucket | undefined => {
    const now = clock()
    const bucket = buckets.get(key) ?? (hasRoom(now) ? undefined : shared)
    if (bucket !== undefined) leak(bucket, now)
    return bucket
  }
  return {
    find,
    open(key) {
      const found = find(key)
      if (found !== undefined) return found
      const bucket = { level: 0, at: clock() }
      buckets.set(key, bucket)
      return bucket
    },
    wait({ level }) {
      const excess = level + 1 - capacity
      return excess <= rounding ? undefined : Math.ceil((excess - rounding) / perMillisecond / 1000)
    },
  }

  function leak(bucket: Bucket, now: number): void {
    // A clock that was set back lets nothing leak, and must not keep it from leaking from now on.
    if (now > bucket.at) bucket.level = Math.max(0, bucket.level - (now - bucket.at) * perMillisecond)
    bucket.at = now
  }

  /** Makes room, where it can. */
  function hasRoom(now: number): boolean {
    if (buckets.size < most) return true
    if (now >= searched && now < searched + searchEvery) return false
    searched = now
    for (const [key, bucket] of buckets) {
      leak(bucket, now)
      if (bucket.level === 0) buckets.delete(key)
    }
    return buckets.size < most
  }
}
