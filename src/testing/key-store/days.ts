import assert from 'node:assert/strict'
import type { KeyStore } from '../../apikeys/key-store.ts'
import { add, type Cases, isUnavailable, numbers, objectNames, record } from './tested.ts'

const dayMs = 86_400_000

/** A day so many days before today, as it is asked for. */
function dayText(store: KeyStore, ago: number): string {
  return new Date(store.time() - ago * dayMs).toISOString().slice(0, 10)
}

/** What was used of a key, by how many days ago. Days without a use may be told or left out. */
async function uses(store: KeyStore, id: string, ago: number): Promise<Record<string, number>> {
  const found = (await store.usesByDay?.([id], dayText(store, ago))) ?? []
  assert.ok(
    found.every((one) => one.id === id),
    'another key was not asked for',
  )
  return Object.fromEntries(found.filter(({ count }) => count !== 0).map(({ day, count }) => [day, count]))
}

/** How uses are counted by day, in stores that do. */
export const dayCases: Cases = {
  async 'counts uses by day, of each key its own'({ store, other }) {
    if (!store.usesByDay) return
    await add(store, record('a'), record('b'))
    const now = store.time()
    await store.recordUses([{ id: 'a', count: 2, at: now - dayMs }])
    await other.recordUses([
      { id: 'a', count: 3, at: now },
      { id: 'b', count: 5_000_000_000, at: now },
      { id: 'gone', count: 1, at: now },
    ])
    await store.recordUses([{ id: 'a', count: 4, at: now }])
    for (const from of [store, other]) {
      assert.deepEqual(await uses(from, 'a', 1), { [dayText(store, 1)]: 2, [dayText(store, 0)]: 7 })
      assert.deepEqual(await uses(from, 'a', 0), { [dayText(store, 0)]: 7 })
      assert.deepEqual(await uses(from, 'b', 30), { [dayText(store, 0)]: 5_000_000_000 })
      for (const id of ['gone', ...objectNames, "'; --", 'n\0l'])
        assert.deepEqual(await uses(from, id, 9), {})
    }
    assert.deepEqual(await store.usesByDay([], dayText(store, 9)), [])
    const both = await store.usesByDay(['a', 'b', 'a'], dayText(store, 0))
    assert.deepEqual(both.map(({ id }) => id).sort(), ['a', 'b'])
  },

  async 'a day begins and ends at midnight in UTC'({ store }) {
    if (!store.usesByDay) return
    await add(store, record('k'))
    const midnight = Math.floor(store.time() / dayMs) * dayMs
    await store.recordUses([{ id: 'k', count: 1, at: midnight - 1 }])
    await store.recordUses([{ id: 'k', count: 2, at: midnight }])
    assert.deepEqual(await uses(store, 'k', 1), { [dayText(store, 1)]: 1, [dayText(store, 0)]: 2 })
  },

  async 'loses no use of a day that is counted at the same time'({ store, other }) {
    if (!store.usesByDay) return
    const ids = numbers(10).map((n) => `k${n}`)
    await add(store, ...ids.map((id) => record(id)))
    const told = ids.map((id) => ({ id, count: 1, at: store.time() }))
    await Promise.all(
      numbers(20).map((n) => (n % 2 ? store : other).recordUses(n % 4 < 2 ? told : told.toReversed())),
    )
    const found = await store.usesByDay(ids, dayText(store, 1))
    assert.equal(
      found.reduce((sum, { count }) => sum + count, 0),
      200,
    )
  },

  async 'forgets the days of a key that is removed, and of no other'({ store, other }) {
    if (!store.usesByDay) return
    const old = Date.UTC(2020, 0, 1)
    await add(store, record('over', { expiresAt: old }), record('kept'))
    for (const ago of [0, 1, 200]) {
      const at = store.time() - ago * dayMs
      await store.recordUses(['over', 'kept'].map((id) => ({ id, count: 3, at })))
    }
    assert.equal((await store.prune({ keys: old + 1 })).keys, 1)
    await add(store, record('over'))
    assert.deepEqual(await uses(other, 'over', 300), {})
    assert.deepEqual(Object.values(await uses(other, 'kept', 300)), [3, 3, 3])
  },

  async 'tells of no day that is yet to come'({ store }) {
    if (!store.usesByDay) return
    await add(store, record('k'))
    await store.recordUses([{ id: 'k', count: 1, at: store.time() + 2 * dayMs }])
    assert.deepEqual(await uses(store, 'k', 30), {})
    assert.deepEqual(await uses(store, 'k', -2), {})
    assert.deepEqual(await uses(store, 'k', -400_000), {})
  },

  async 'forgets days after 400, and is not asked for more'({ store, other, clock }) {
    if (!store.usesByDay) return
    await assert.rejects(store.usesByDay(['k'], dayText(store, 401)), TypeError)
    if (!clock) return
    await add(store, record('k'))
    const first = dayText(store, 0)
    await store.recordUses([{ id: 'k', count: 1, at: clock() }])
    clock.advance(400 * dayMs)
    await store.recordUses([{ id: 'k', count: 2, at: clock() }])
    assert.deepEqual(await uses(other, 'k', 400), { [first]: 1, [dayText(store, 0)]: 2 })
    clock.advance(dayMs)
    await store.recordUses([{ id: 'k', count: 3, at: clock() }])
    assert.deepEqual(Object.values(await uses(other, 'k', 400)), [2, 3])
  },

  async 'is asked for a hundred keys at once, for a day there is, and while it is open'({ store }) {
    if (!store.usesByDay) return
    const today = dayText(store, 0)
    assert.deepEqual(
      await store.usesByDay(
        numbers(100).map((n) => `k${n}`),
        today,
      ),
      [],
    )
    const many = numbers(101).map((n) => `k${n}`)
    await assert.rejects(store.usesByDay(many, today), TypeError)
    for (const since of ['', 'yesterday', '2026-1-1', `${today}T00:00:00Z`, '2026-13-40']) {
      await assert.rejects(store.usesByDay(['k'], since), TypeError)
    }
    await store.close()
    await assert.rejects(store.usesByDay(['k'], today), isUnavailable)
  },
}
