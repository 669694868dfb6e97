import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { assertShowsNoSecret } from '../secrets.ts'
import { add, type Cases, entry, found, isUnavailable, record } from './tested.ts'

/** The store as a whole. */
export const wholeCases: Cases = {
  async 'has one time for every process'({ store, other, clock }) {
    for (const from of [store, other]) {
      assert.ok(Number.isFinite(from.time()), 'the time is no number')
      if (clock) assert.equal(from.time(), clock())
    }
    assert.ok(Math.abs(store.time() - other.time()) < 3000, 'two processes have two times')
    clock?.advance(86_400_000)
    if (clock) assert.equal(store.time(), clock())
    await store.appendAudit([entry()])
    const [event] = await other.readAudit({})
    assert.ok(Math.abs(event!.time - store.time()) < 3000, 'events have another time')
  },

  async 'cannot be asked when it is closed, and says so; to close it twice is to close it once'({ store }) {
    await add(store, record('k', { usageLimit: 1, usageLeft: 1 }))
    await store.close()
    await store.close()
    const asked: readonly (() => Promise<unknown>)[] = [
      () => store.find('k'),
      () => store.list({}),
      () => store.commit({ add: [record('n')], audit: [entry()] }),
      () => store.recordUses([{ id: 'k', count: 1, at: 1 }]),
      () => store.takeUses('k', 1),
      () => store.appendAudit([entry()]),
      () => store.readAudit({}),
      () => store.changes(undefined),
      () => store.revocations(),
      () => store.pour('b', 1, 1),
      () => store.prune({ keys: 1 }),
    ]
    // A method that throws at once instead of rejecting would get past whoever handles rejections.
    for (const ask of asked) await assert.rejects(ask(), isUnavailable)
  },

  async 'closes for itself only'({ store, other }) {
    if (store === other) return
    await add(store, record('k'))
    await store.close()
    assert.equal((await found(other, 'k')).name, 'key k')
    await add(other, record('n'))
  },

  async 'shows no digest'({ store }) {
    const hash = Uint8Array.from({ length: 32 }, (_, index) => 200 + index)
    await add(store, record('k', { hash }))
    await store.find('k')
    await store.list({})
    const hex = Buffer.from(hash).toString('hex')
    const forms = [
      hex,
      Buffer.from(hash).toString('base64'),
      hex.replace(/..(?=.)/g, '$& '),
      JSON.stringify(hash.subarray(0, 6)).slice(1, -1),
    ]
    assertShowsNoSecret('the store', store, forms)
    // Bytes are printed as numbers, with whatever between them.
    const numbers = inspect(store, { showHidden: true, depth: Infinity }).replace(/\D+/g, ' ')
    assert.ok(!numbers.includes(hash.join(' ')), 'the store shows a digest in util.inspect')
    assertShowsNoSecret('its events', await store.readAudit({}), forms)
  },
}
