import assert from 'node:assert/strict'
import type { KeyStore } from '../../apikeys/key-store.ts'
import { add, assertHolds, type Cases, found, numbers, record } from './tested.ts'

const at = 1_700_000_000_000

async function usageLeft(store: KeyStore, id: string): Promise<number | undefined> {
  return (await found(store, id)).usageLeft
}

/** How keys are used. */
export const useCases: Cases = {
  async 'counts uses, and remembers the last one'(tested) {
    await add(tested.store, record('a'), record('b', { useCount: 5_000_000_000 }), record('c'))
    await tested.store.recordUses([
      { id: 'a', count: 2, at, address: '192.0.2.1' },
      { id: 'b', count: 1, at: at + 1 },
    ])
    await assertHolds(tested, record('a', { useCount: 2, lastUsedAt: at, lastUsedAddress: '192.0.2.1' }))
    await assertHolds(tested, record('b', { useCount: 5_000_000_001, lastUsedAt: at + 1 }))
    await assertHolds(tested, record('c'))
  },

  async 'moves the last use forward, and never back'(tested) {
    const { store, other } = tested
    await add(store, record('k'))
    await store.recordUses([{ id: 'k', count: 1, at: at + 10, address: '192.0.2.1' }])
    await other.recordUses([{ id: 'k', count: 5, at: at + 9, address: '192.0.2.2' }])
    await assertHolds(tested, record('k', { useCount: 6, lastUsedAt: at + 10, lastUsedAddress: '192.0.2.1' }))
    await other.recordUses([{ id: 'k', count: 1, at: at + 11, address: '192.0.2.3' }])
    await assertHolds(tested, record('k', { useCount: 7, lastUsedAt: at + 11, lastUsedAddress: '192.0.2.3' }))
    // An address that is not known is not that of the use before.
    await store.recordUses([{ id: 'k', count: 1, at: at + 12 }])
    await assertHolds(tested, record('k', { useCount: 8, lastUsedAt: at + 12 }))
  },

  async 'counts every use of a key that is told of more than once, in any order'(tested) {
    await add(tested.store, record('k'))
    await tested.store.recordUses([
      { id: 'k', count: 1, at: at + 1, address: '192.0.2.1' },
      { id: 'k', count: 2, at: at + 3, address: '192.0.2.3' },
      { id: 'k', count: 4, at: at + 2, address: '192.0.2.2' },
    ])
    await assertHolds(tested, record('k', { useCount: 7, lastUsedAt: at + 3, lastUsedAddress: '192.0.2.3' }))
  },

  async 'ignores uses of keys which are not there, and no uses at all'(tested) {
    await add(tested.store, record('k'))
    await tested.store.recordUses([])
    await tested.store.recordUses([
      { id: 'gone', count: 1, at },
      { id: '__proto__', count: 1, at },
      { id: 'k', count: 1, at },
    ])
    await assertHolds(tested, record('k', { useCount: 1, lastUsedAt: at }))
    assert.equal((await tested.other.list({})).length, 1)
  },

  async 'loses no use that is counted at the same time'({ store, other }) {
    const ids = numbers(10).map((n) => `k${n}`)
    await add(store, ...ids.map((id) => record(id)))
    const uses = ids.map((id, index) => ({ id, count: index + 1, at }))
    await Promise.all(
      // In both orders: whoever locks keys one by one must not wait for the other for ever.
      numbers(20).map((n) => (n % 2 ? store : other).recordUses(n % 4 < 2 ? uses : uses.toReversed())),
    )
    const counts = (await store.list({})).map(({ useCount }) => useCount)
    assert.deepEqual(
      counts,
      numbers(10).map((n) => 20 * (n + 1)),
    )
  },

  async 'takes what is wanted, then what is left, then nothing'({ store, other }) {
    await add(store, record('k', { usageLimit: 10, usageLeft: 10 }))
    assert.equal(await store.takeUses('k', 6), 6)
    assert.equal(await usageLeft(other, 'k'), 4)
    assert.equal(await other.takeUses('k', 6), 4)
    assert.equal(await store.takeUses('k', 1), 0)
    assert.equal(await usageLeft(store, 'k'), 0)
    assert.equal((await found(store, 'k')).rev, 1, 'uses are no changes')
  },

  async 'takes nothing of a key that is not there or has no limit'(tested) {
    await add(tested.store, record('free'))
    for (const id of ['free', 'gone', '__proto__']) {
      assert.equal(await tested.store.takeUses(id, 5), 0)
      assert.equal((await tested.store.takeUses(id, -5)) + 0, 0)
    }
    await assertHolds(tested, record('free'))
  },

  async 'takes back what was not used, up to the limit'({ store, other }) {
    await add(store, record('k', { usageLimit: 10, usageLeft: 10 }))
    await store.takeUses('k', 8)
    await other.takeUses('k', -3)
    assert.equal(await usageLeft(store, 'k'), 5)
    // Somebody set the limit anew meanwhile: what is given back belongs to the old one.
    await store.takeUses('k', -100)
    assert.equal(await usageLeft(store, 'k'), 10)
  },

  async 'those who take at the same time never get more than there were'({ store, other }) {
    await add(store, record('k', { usageLimit: 100, usageLeft: 50 }))
    const taken = await Promise.all(numbers(30).map((n) => (n % 2 ? store : other).takeUses('k', 3)))
    assert.ok(
      taken.every((count) => count >= 0 && count <= 3),
      'more was given than was asked for',
    )
    assert.equal(
      taken.reduce((sum, count) => sum + count),
      50,
    )
    assert.equal(await usageLeft(other, 'k'), 0)
  },
}
