import assert from 'node:assert/strict'
import type { KeyStore } from '../../apikeys/key-store.ts'
import { stopwatch } from '../../core/clock.ts'
import { add, type Cases, numbers, objectNames, record, revoke, turn, update } from './tested.ts'

/** Milliseconds to wait for a change: a database may hold some back while others are being made. */
const patience = 15_000

/** Asks until all of them were told; gives what was told, each once, and where it goes on. */
async function changesUntil(store: KeyStore, cursor: string, expected: readonly string[]) {
  const elapsed = stopwatch
  const start = elapsed()
  const told = new Set<string>()
  for (let next = cursor; ; await turn()) {
    const { cursor, changes, isComplete } = await store.changes(next)
    assert.equal(isComplete, true, 'changes are missing')
    for (const { topic, ref } of changes) told.add(`${topic} ${ref}`)
    next = cursor
    if (expected.every((one) => told.has(one))) return { told: [...told], cursor: next }
    assert.ok(elapsed() - start < patience, `never told of ${expected.filter((one) => !told.has(one))}`)
  }
}

/** What was changed, for those who remember something of it. */
export const changeCases: Cases = {
  async 'begins now'({ store, other }) {
    await add(store, record('k'))
    await update(store, 'k')
    const { cursor, changes, isComplete } = await other.changes(undefined)
    assert.equal(typeof cursor, 'string')
    assert.deepEqual([changes, isComplete], [[], true])
  },

  async 'tells what any process has changed, in the order it was done'({ store, other }) {
    const ids = ['a', 'b', 'c', ...objectNames]
    await add(store, ...ids.map((id) => record(id)))
    const { cursor } = await store.changes(undefined)
    const expected: string[] = []
    for (const [index, id] of ids.entries()) {
      const from = index % 2 ? store : other
      await update(from, id)
      await revoke(from, { name: `jti ${id}`, kind: 'token' })
      expected.push(`key ${id}`, `revocation jti ${id}`)
    }
    for (const from of [store, other]) {
      const { told } = await changesUntil(from, cursor, expected)
      assert.deepEqual(
        told.filter((one) => expected.includes(one)),
        expected,
      )
    }
  },

  async 'tells of a second change of what was changed before'({ store, other }) {
    await add(store, record('k'), record('mark'))
    let { cursor } = await other.changes(undefined)
    for (const _again of numbers(3)) {
      await update(store, 'k')
      await update(store, 'mark')
      ;({ cursor } = await changesUntil(other, cursor, ['key k', 'key mark']))
    }
  },

  async 'loses nothing between two questions, however busy the others are'({ store, other }) {
    const ids = numbers(40).map((n) => `k${n}`)
    await add(store, ...ids.map((id) => record(id)))
    const { cursor } = await store.changes(undefined)
    // One is slow, as commits of many changes are: it may get its number early, and be seen late.
    const crowd = numbers(200).map((n) => record(`crowd${n}`))
    await add(store, ...crowd)
    const slow = other.commit({
      update: crowd.map((one) => ({ record: one })),
      audit: [{ event: 'key.update', outcome: 'success', severity: 'info', actor: { type: 'system' } }],
    })
    const writing = Promise.all([slow, ...ids.map((id, index) => update(index % 2 ? store : other, id))])
    const expected = [...ids, ...crowd.map(({ id }) => id)].map((id) => `key ${id}`)
    await Promise.all([writing, changesUntil(store, cursor, expected), changesUntil(other, cursor, expected)])
  },

  async 'uses are no changes'({ store, other }) {
    await add(store, record('k', { usageLimit: 10, usageLeft: 10 }), record('mark'))
    const { cursor } = await other.changes(undefined)
    await store.recordUses([{ id: 'k', count: 1, at: 1_700_000_000_000 }])
    await store.takeUses('k', 1)
    await store.pour('k', 1, 10)
    await update(store, 'mark')
    const { told } = await changesUntil(other, cursor, ['key mark'])
    assert.deepEqual(told, ['key mark'])
  },

  async 'says so when changes were pruned that somebody has not seen'({ store, other }) {
    await add(store, record('k'))
    const { cursor } = await other.changes(undefined)
    await update(store, 'k')
    await changesUntil(other, cursor, ['key k'])
    assert.ok((await store.prune({ changes: store.time() + 60_000 })).changes >= 1)
    const after = await other.changes(cursor)
    assert.equal(after.isComplete, false, 'something is missing, and nobody says so')
    await update(store, 'k')
    await changesUntil(other, after.cursor, ['key k'])
  },

  async 'never says that it is complete to whoever comes with a cursor of somebody else'({ store }) {
    await add(store, record('k'))
    await update(store, 'k')
    for (const cursor of ['', 'nonsense', '-1', '1.5', '0x1', '__proto__', '9007199254740991']) {
      const { cursor: next, isComplete } = await store.changes(cursor)
      assert.equal(isComplete, false, `complete since ${JSON.stringify(cursor)}`)
      await update(store, 'k')
      await changesUntil(store, next, ['key k'])
    }
  },

  async 'gives hints to who listens, and stops'({ store, other }) {
    if (store.listen === undefined) return
    await add(other, record('k'))
    let hints = 0
    const stop = await store.listen(() => {
      hints += 1
    })
    const start = stopwatch()
    // A single hint may be lost.
    for (; hints === 0; await turn()) {
      await update(other, 'k')
      assert.ok(stopwatch() - start < patience, 'no hint ever came')
    }
    await stop()
    await update(other, 'k')
  },
}
