import assert from 'node:assert/strict'
import type { Load, Watched } from './load.ts'

/** How a credential is ended under load, and what is promised of that. */
export interface Ending {
  /** Milliseconds after which nothing that is sent is accepted any more. */
  readonly bound: number
  /** Whether requests may be answered with 503. */
  readonly mayFail: boolean
}

/** Milliseconds from the acknowledgement of an end; one sample for each credential and node. */
export interface Lags {
  /** To the first request that was refused. */
  readonly refused: number[]
  /** To the last request that was accepted; 0 when there was none. */
  readonly accepted: number[]
}

/** Median, 99th percentile and maximum. */
export function summary(samples: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = [...samples].sort((one, other) => one - other)
  const at = (part: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN)
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/**
 * Ends a token that is in use on every node, and goes on using it until well after the bound.
 *
 * @param end resolves when the end is acknowledged
 * @returns after the last node has refused it: resolves once more when it is over
 */
export async function endUnderLoad(
  load: Load,
  token: string,
  end: () => Promise<unknown>,
  { bound, mayFail }: Ending,
  lags: Lags,
): Promise<{ readonly over: Promise<void> }> {
  const one = load.watch(token)
  // In use, and remembered. Ended at a moment that has nothing to do with when others are.
  const uses = 2 + Math.floor(Math.random() * 20)
  await load.until('accepted everywhere', () => one.seen.every(({ accepted }) => accepted >= uses), 30_000)
  const begun = performance.now()
  await end()
  const acknowledged = performance.now()
  const isRefused = () => one.seen.every(({ firstRefused }) => Number.isFinite(firstRefused))
  await load.until('refused everywhere', isRefused, 30_000)
  one.isHot = false
  return { over: watchOn() }

  async function watchOn(): Promise<void> {
    await load.until('after the bound', () => performance.now() > acknowledged + bound + 300, 60_000)
    load.unwatch(one)
    for (const seen of one.seen) {
      assert.ok(seen.firstRefusalAt > begun, 'a good key was refused')
      assert.ok(mayFail || seen.unavailable === 0, 'answered with 503')
      lags.refused.push(Math.max(0, seen.firstRefused - acknowledged))
      lags.accepted.push(Math.max(0, seen.lastAccepted - acknowledged))
    }
    const late = Math.max(...lags.accepted)
    assert.ok(late <= bound, `accepted ${late.toFixed(0)} ms after its end was acknowledged`)
  }
}

/** Fails when a token that is good all the time was refused, or when there was 503 where there must be none. */
export function assertGood(good: Watched, mayFail: boolean): void {
  for (const { accepted, refused, unavailable } of good.seen) {
    assert.ok(accepted > 0, 'a good key was never accepted')
    assert.equal(refused, 0, 'a good key was refused')
    if (!mayFail) assert.equal(unavailable, 0, 'answered with 503')
  }
}
