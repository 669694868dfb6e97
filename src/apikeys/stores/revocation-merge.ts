import type { StoredRevocation } from '../key-store.ts'

/**
 * What is kept when a name is revoked that was revoked before. Never less than before: the later `until` counts, one
 * that is absent is the latest of all, and a cut-off never gets earlier.
 */
export function mergedRevocation(
  before: StoredRevocation | undefined,
  now: StoredRevocation,
): StoredRevocation {
  const { name, kind } = now
  const cutOff = latest(before?.cutOff, now.cutOff)
  const stays = now.until === undefined || (before !== undefined && before.until === undefined)
  const until = stays ? undefined : latest(before?.until, now.until)
  return {
    name,
    kind,
    ...(cutOff === undefined ? {} : { cutOff }),
    ...(until === undefined ? {} : { until }),
  }
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
