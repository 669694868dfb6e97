import type { ApiKeyUses } from './api-key.ts'
import { givenOptions, wholeNumber } from './input.ts'
import { isId, type Lifecycle, timeOf } from './lifecycle.ts'
import { dayOf, dayText, keptDays } from './stores/use-days.ts'

const mostIds = 100

/** See `ApiKeys.uses`. */
export async function uses(
  life: Lifecycle,
  ids: readonly string[],
  range: { readonly days?: number } = {},
): Promise<ApiKeyUses | undefined> {
  const given = givenOptions('uses', range, ['days'])
  const days = wholeNumber('uses: days', given.days ?? 30, 1, keptDays)
  const wanted = readIds(ids)
  const first = dayOf(timeOf(life)) - days + 1
  const from = dayText(first)
  const found = await life.store.usesByDay?.(wanted, from)
  if (found === undefined) return undefined
  const byId = new Map(wanted.map((id) => [id, new Array<number>(days).fill(0)]))
  for (const { id, day, count } of found) {
    const counts = byId.get(id)
    // A node whose clock is ahead may have written for tomorrow already: that is left for tomorrow.
    const at = dayOf(Date.parse(day)) - first
    if (counts !== undefined && at >= 0 && at < days) counts[at] = count
  }
  return Object.freeze({ from, days, byId })
}

/** Of what is no id nothing is shown: it may be a whole key. */
function readIds(ids: readonly string[]): readonly string[] {
  if (!Array.isArray(ids) || ids.length > mostIds || !ids.every(isId)) {
    throw new TypeError(
      `uses: ids must be a list of at most ${mostIds} ids, which have 12 letters and digits`,
    )
  }
  return [...new Set(ids as readonly string[])]
}
