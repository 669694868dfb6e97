import assert from 'node:assert/strict'
import { canonicalJson } from '../../apikeys/audit-hash.ts'
import { add, assertHolds, type Cases, entry, found, fullRecord, objectNames, record } from './tested.ts'

/** What was put in comes out. */
export const recordCases: Cases = {
  async 'has nothing under an id nobody has added'({ store, other }) {
    for (const id of [...objectNames, '', 'unknown00000']) {
      assert.equal(await store.find(id), undefined)
      assert.equal(await other.find(id), undefined)
    }
    assert.deepEqual(await store.list({ ids: objectNames }), [])
    assert.deepEqual(await store.list({}), [])
  },

  async 'finds what was added, all of it, in every process'(tested) {
    await add(tested.store, fullRecord('full00000000'))
    await assertHolds(tested, fullRecord('full00000000'))
  },

  async 'leaves absent what was absent'(tested) {
    await add(tested.store, record('bare00000000'))
    await assertHolds(tested, record('bare00000000'))
  },

  async 'tells nothing from none: zeros, empty texts and empty lists are not absent'(tested) {
    const empty = record('empty0000000', {
      name: '',
      owner: { type: '', id: '' },
      tenant: '',
      audiences: [],
      // The one that matters most: no tool at all, or all of them.
      tools: [],
      addresses: [],
      rateLimit: 0,
      usageLimit: 0,
      usageLeft: 0,
      notBefore: 0,
      expiresAt: 0,
      graceMs: 0,
      revokedAt: 0,
      revokedBy: '',
      revokeReason: '',
      firstUsedAt: 0,
      lastUsedAt: 0,
      lastUsedAddress: '',
    })
    await add(tested.store, empty)
    await assertHolds(tested, empty)
  },

  async 'keeps every byte of a digest'({ store, other }) {
    const parts = [0, 32, 64, 96, 128, 160, 192, 224]
    const hashOf = (from: number) => Uint8Array.from({ length: 32 }, (_, index) => from + index)
    await add(store, ...parts.map((from) => record(`part${from}`, { hash: hashOf(from) })))
    for (const from of parts) {
      const { hash } = await found(other, `part${from}`)
      assert.ok(Buffer.from(hash).equals(hashOf(from)), 'the digest is another one')
    }
  },

  async 'takes the names every object has for ordinary ids'(tested) {
    for (const id of objectNames) {
      await add(tested.store, record(id, { tenant: id, owner: { id } }))
      await assertHolds(tested, record(id, { tenant: id, owner: { id } }))
    }
    const listed = await tested.other.list({ ids: ['__proto__', 'constructor'] })
    assert.deepEqual(
      listed.map(({ id }) => id),
      ['__proto__', 'constructor'],
    )
  },

  async 'keeps metadata as it is, whatever it is called and however much'({ store, other }) {
    const metadata = JSON.parse(
      `{"__proto__":{"isAdmin":true},"constructor":"c","":"empty","a.b":1,"$ne":2,"0":3,"ü\u{1f511}":"\\"\\\\\\n",
      "numbers":[0,1e21,1e-7,0.1,-5,9007199254740991],"deep":[[[[{"x":[null,true,false,"null"]}]]]]}`,
    )
    const huge = { text: 'ä\u{1f511}"\\'.repeat(20_000) }
    await add(store, record('odd000000000', { metadata }), record('huge00000000', { metadata: huge }))
    const odd = (await found(other, 'odd000000000')).metadata
    assert.equal(canonicalJson(odd), canonicalJson(metadata))
    assert.equal(Reflect.get(odd, 'isAdmin'), Reflect.get({}, 'isAdmin'), 'metadata became a prototype')
    assert.equal(canonicalJson((await found(other, 'huge00000000')).metadata), canonicalJson(huge))
  },

  async 'is not changed by what a caller does with its objects'(tested) {
    const { store } = tested
    const given = structuredClone(fullRecord('own000000000'))
    await add(store, given)
    const read = await found(store, 'own000000000')
    const [listed] = await store.list({})
    for (const mine of [given, read, listed!]) {
      Reflect.set(mine, 'isEnabled', true)
      Reflect.set(mine.owner, 'id', 'mallory')
      Reflect.set(mine.metadata, 'plan', 'free')
      Reflect.apply(Array.prototype.push, mine.scopes, ['admin'])
      mine.hash.fill(0)
    }
    await assertHolds(tested, fullRecord('own000000000'))
  },

  async 'is not changed by what a caller does with its events'({ store }) {
    const details = { tries: 1 }
    await store.appendAudit([entry({ details })])
    details.tries = 2
    const [event] = await store.readAudit({})
    Reflect.set(event!, 'outcome', 'failure')
    const [again] = await store.readAudit({})
    assert.equal(again?.outcome, 'success')
    assert.deepEqual({ ...again?.details }, { tries: 1 })
  },
}
