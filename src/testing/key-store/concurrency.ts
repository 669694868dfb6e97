import assert from 'node:assert/strict'
import { add, type Cases, entry, found, numbers, record, tryUpdate } from './tested.ts'

/** Several processes at the same time. */
export const concurrencyCases: Cases = {
  async 'lets exactly one of many updates win that were made from one rev'({ store, other }) {
    await add(store, record('k'))
    for (const round of numbers(3)) {
      const before = await found(store, 'k')
      const results = await Promise.all(
        numbers(20).map((n) =>
          tryUpdate(n % 2 ? store : other, { record: { ...before, name: `${round}: ${n}` } }),
        ),
      )
      assert.equal(results.filter(Boolean).length, 1, 'not exactly one has won')
      const { name, rev } = await found(other, 'k')
      assert.deepEqual([name, rev], [`${round}: ${results.indexOf(true)}`, before.rev + 1])
    }
    assert.equal((await store.readAudit({ event: 'key.update' })).length, 3, 'events of those who lost')
  },

  async 'lets exactly one of many add a key'({ store, other }) {
    const results = await Promise.all(
      numbers(10).map((n) =>
        (n % 2 ? store : other).commit({ add: [record('k', { name: `${n}` })], audit: [entry()] }),
      ),
    )
    assert.equal(results.filter(Boolean).length, 1, 'not exactly one has won')
    assert.equal((await found(store, 'k')).name, `${results.indexOf(true)}`)
    assert.equal((await store.readAudit({})).length, 1)
  },

  async 'those who change the same keys in another order do not wait for each other for ever'({
    store,
    other,
  }) {
    const ids = ['a', 'b', 'c']
    await add(store, ...ids.map((id) => record(id)))
    let done = 0
    for (const _round of numbers(10)) {
      const [a, b, c] = await Promise.all(ids.map((id) => found(store, id)))
      const results = await Promise.all([
        tryUpdate(store, { record: a! }, { record: b! }, { record: c! }),
        tryUpdate(other, { record: c! }, { record: b! }, { record: a! }),
        tryUpdate(store, { record: b! }, { record: c! }, { record: a! }),
      ])
      assert.equal(results.filter(Boolean).length, 1, 'not exactly one has won')
      done += 1
    }
    for (const id of ids) assert.equal((await found(other, id)).rev, 1 + done)
  },

  async 'many who add at the same time lose nothing'({ store, other }) {
    await Promise.all(numbers(40).map((n) => add(n % 2 ? store : other, record(`k${10 + n}`))))
    assert.deepEqual(
      (await store.list({})).map(({ id }) => id),
      numbers(40).map((n) => `k${10 + n}`),
    )
  },

  async 'counts while a key is changed, and loses neither'({ store, other }) {
    await add(store, record('k', { usageLimit: 100, usageLeft: 100 }))
    const change = async () => {
      for (const n of numbers(10)) {
        assert.equal(await tryUpdate(store, { record: { ...(await found(store, 'k')), name: `${n}` } }), true)
      }
    }
    const use = async () => {
      for (const at of numbers(10)) {
        await other.recordUses([{ id: 'k', count: 3, at: 1_700_000_000_000 + at }])
        assert.equal(await other.takeUses('k', 4), 4)
      }
    }
    await Promise.all([change(), use(), use()])
    const { name, rev, useCount, usageLeft } = await found(other, 'k')
    assert.deepEqual({ name, rev, useCount, usageLeft }, { name: '9', rev: 11, useCount: 60, usageLeft: 20 })
  },
}
