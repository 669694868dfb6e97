import assert from 'node:assert/strict'
import { add, type Cases, numbers, objectNames, record, turn } from './tested.ts'

/** Of what leaks away while a case runs, where time cannot be held. */
const perMinute = 60_000

/** Buckets that several nodes share. */
export const counterCases: Cases = {
  async 'pours into a bucket what fits, and nothing of what does not'({ store, other, clock }) {
    const level = async (from: typeof store, amount: number) => {
      const { isPoured, level } = await from.pour('b', amount, 10)
      return [isPoured, clock ? level : Math.ceil(level)]
    }
    assert.deepEqual(await level(store, 4), [true, 4])
    assert.deepEqual(await level(other, 5), [true, 9])
    assert.deepEqual(await level(store, 2), [false, 9])
    assert.deepEqual(await level(other, 11), [false, 9])
    assert.deepEqual(await level(store, 1), [true, 10])
    assert.deepEqual(await level(other, 1), [false, 10])
  },

  async 'keeps buckets apart'({ store, other }) {
    const names = [...objectNames, '', 'a', 'A', 'ä', 'a ', '"a"', 'x'.repeat(500)]
    for (const name of names) assert.equal((await store.pour(name, 1, 1)).isPoured, true)
    for (const name of names) assert.equal((await other.pour(name, 1, 1)).isPoured, false)
  },

  async 'leaks all the time, as much in a minute as a bucket holds'({ store, other, clock }) {
    assert.equal((await store.pour('b', 600, 600)).isPoured, true)
    if (clock === undefined) {
      await store.pour('fast', perMinute * 10, perMinute * 10)
      const start = store.time()
      while (!(await other.pour('fast', 10, perMinute * 10)).isPoured) {
        assert.ok(store.time() - start < 10_000, 'nothing leaks')
        await turn()
      }
      return
    }
    clock.advance(99)
    assert.equal((await other.pour('b', 1, 600)).isPoured, false)
    clock.advance(1)
    assert.equal((await other.pour('b', 1, 600)).isPoured, true)
    clock.advance(30_000)
    assert.deepEqual(await store.pour('b', 301, 600), { isPoured: false, level: 300 })
    assert.deepEqual(await store.pour('b', 300, 600), { isPoured: true, level: 600 })
    clock.advance(60_000)
    assert.deepEqual(await other.pour('b', 600, 600), { isPoured: true, level: 600 })
  },

  async 'those who pour at the same time never pass the capacity together'({ store, other }) {
    const start = store.time()
    const poured = await Promise.all(numbers(40).map((n) => (n % 2 ? store : other).pour('b', 3, 50)))
    const total = 3 * poured.filter(({ isPoured }) => isPoured).length
    // A second more than it took: the times of two databases are not one.
    const leaked = ((store.time() - start + 1000) * 50) / 60_000
    assert.ok(total <= 50 + leaked, 'more was poured than the bucket holds')
    assert.ok(total >= 48, 'something was refused that would have fitted')
    assert.ok(poured.every(({ level }) => level <= 50.001))
  },

  async 'refuses to pour and to take what is no number of things'({ store }) {
    await add(store, record('k', { usageLimit: 10, usageLeft: 10 }))
    for (const wrong of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(store.pour('b', wrong, 10), TypeError)
    }
    for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(store.takeUses('k', wrong), TypeError)
    }
    assert.equal(await store.takeUses('k', 10), 10)
    assert.equal((await store.pour('b', 10, 10)).isPoured, true)
  },
}
