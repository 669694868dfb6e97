import type { Poured } from '../../core/counters.ts'

/** Buckets that leak, by name. */
export type Buckets = (name: string, amount: number, capacity: number, now: number) => Poured

/** Milliseconds in which a full bucket leaks out. */
const minute = 60_000
/** Less than any amount, and more than what is lost in adding fractions. */
const rounding = 1e-6
/** Below so many buckets nobody looks for those that are empty. */
const fewBuckets = 1000

/**
 * Makes {@link Buckets}. Unlike those of a rate limiter they are as many as there are names: every count is exact. A
 * bucket nobody pours into for a minute is empty, which is the same as none; those are dropped whenever there are twice
 * as many buckets as were full the last time.
 */
export function memoryBuckets(): Buckets {
  const buckets = new Map<string, { level: number; at: number }>()
  let most = fewBuckets

  return (name, amount, capacity, now) => {
    if (buckets.size >= most) sweep(now)
    const bucket = buckets.get(name) ?? { level: 0, at: now }
    const level = leaked(bucket, capacity, now)
    const isPoured = level + amount <= capacity + rounding
    bucket.level = isPoured ? level + amount : level
    bucket.at = now
    buckets.set(name, bucket)
    return { isPoured, level: bucket.level }
  }

  function sweep(now: number): void {
    for (const [name, { at }] of buckets) if (now - at >= minute) buckets.delete(name)
    most = Math.max(fewBuckets, buckets.size * 2)
  }
}

/** What is left in a bucket. One that got smaller lost what it cannot hold; a clock that was set back lets nothing leak. */
function leaked({ level, at }: { level: number; at: number }, capacity: number, now: number): number {
  return Math.max(0, Math.min(level, capacity) - (Math.max(0, now - at) * capacity) / minute)
}
