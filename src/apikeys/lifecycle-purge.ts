import { numberBetween } from '../core/options.ts'
import type { By } from './api-key.ts'
import { readBy } from './by.ts'
import { type Lifecycle, timeOf } from './lifecycle.ts'
import { longestLife } from './policy.ts'

/** Changes stay at least so long, in milliseconds: nodes that have not read them yet would have to forget all they know. */
const unread = 3_600_000

/**
 * See `ApiKeys.purge`. It is told before it is done: should this process end in between, the log says too much and not
 * too little.
 */
export async function purge(
  life: Lifecycle,
  olderThanSeconds: number,
  by?: By,
): Promise<{ readonly keys: number }> {
  const doer = readBy('purge', by)
  const age = numberBetween('purge: olderThanSeconds', olderThanSeconds, 0, longestLife) * 1000
  const now = timeOf(life)
  await life.store.appendAudit([
    {
      event: 'key.purge',
      outcome: 'success',
      severity: 'notice',
      ...doer.told,
      details: { olderThanSeconds },
    },
  ])
  const { keys } = await life.store.prune({
    keys: Math.floor(now - age),
    changes: Math.floor(now - Math.max(age, unread)),
  })
  return Object.freeze({ keys })
}
