import assert from 'node:assert/strict'
import type { KeyQuery, KeyStore } from '../../apikeys/key-store.ts'
import { add, type Cases, comparable, found, fullRecord, numbers, record } from './tested.ts'

/** In the order of their bytes, which is that of no language. */
const ordered = ['0', '00', '1', '10', '1A', '9', 'A', 'AA', 'Aa', 'B', 'Z', 'a', 'aA', 'aa', 'b', 'z']

async function idsOf(store: KeyStore, query: KeyQuery): Promise<readonly string[]> {
  return (await store.list(query)).map(({ id }) => id)
}

/** Pages of keys. */
export const listCases: Cases = {
  async 'lists keys in the order of their ids, byte by byte, page by page'({ store, other }) {
    await add(store, ...ordered.toReversed().map((id) => record(id)))
    assert.deepEqual(await idsOf(other, {}), ordered)
    const pages: string[] = []
    for (let after: string | undefined = ''; after !== undefined; after = pages.at(-1)) {
      const page: readonly string[] = await idsOf(other, { after, limit: 3 })
      assert.ok(page.length <= 3, 'a page is longer than it was asked for')
      if (page.length === 0) break
      pages.push(...page)
    }
    assert.deepEqual(pages, ordered)
    assert.deepEqual(await idsOf(store, { after: '9', limit: 2 }), ['A', 'AA'])
    assert.deepEqual(await idsOf(store, { after: '1B' }), ordered.slice(5))
    assert.deepEqual(await idsOf(store, { after: 'zz' }), [])
  },

  async 'lists keys with all there is to them'({ store, other }) {
    await add(store, fullRecord('full00000000'))
    const [listed, ...more] = await other.list({})
    assert.deepEqual(comparable(listed), comparable(await found(store, 'full00000000')))
    assert.deepEqual(more, [])
  },

  async 'lists the keys of an owner, a tenant, a lineage, and those of all of them together'({ store }) {
    const alice = { owner: { type: 'user', id: 'alice' } }
    const bob = { owner: { id: 'bob' } }
    await add(
      store,
      record('a', { ...alice, tenant: 't1', lineageId: 'L' }),
      record('b', { ...alice, tenant: 't2', lineageId: 'L' }),
      record('c', { ...bob, tenant: 't1', lineageId: 'L' }),
      record('d', { ...alice, lineageId: 'd' }),
      record('e', { owner: { id: 'Alice' }, tenant: 'T1', lineageId: 'l' }),
    )
    assert.deepEqual(await idsOf(store, { ownerId: 'alice' }), ['a', 'b', 'd'])
    assert.deepEqual(await idsOf(store, { tenant: 't1' }), ['a', 'c'])
    assert.deepEqual(await idsOf(store, { lineageId: 'L' }), ['a', 'b', 'c'])
    assert.deepEqual(await idsOf(store, { ownerId: 'alice', tenant: 't1', lineageId: 'L' }), ['a'])
    assert.deepEqual(await idsOf(store, { ownerId: 'alice', after: 'a', limit: 1 }), ['b'])
    assert.deepEqual(await idsOf(store, { ownerId: 'alice', ids: ['b', 'c', 'd'] }), ['b', 'd'])
    assert.deepEqual(await idsOf(store, { ownerId: '%' }), [])
    assert.deepEqual(await idsOf(store, { tenant: '' }), [])
  },

  async 'lists the keys with certain ids, each once, and nothing for no ids'({ store }) {
    await add(store, record('a'), record('b'), record('c'))
    assert.deepEqual(await idsOf(store, { ids: ['c', 'x', 'a', 'c', '__proto__'] }), ['a', 'c'])
    assert.deepEqual(await idsOf(store, { ids: ['c', 'b', 'a'], after: 'a', limit: 1 }), ['b'])
    assert.deepEqual(await idsOf(store, { ids: [] }), [])
  },

  async 'lists 100 keys unless it is told otherwise, and up to 1000'({ store }) {
    await add(store, ...numbers(1001).map((number) => record(`k${String(number).padStart(4, '0')}`)))
    assert.equal((await store.list({})).length, 100)
    assert.equal((await store.list({ limit: 1000 })).length, 1000)
    const ids = numbers(1000).map((number) => `k${String(number).padStart(4, '0')}`)
    assert.deepEqual(await idsOf(store, { ids, limit: 1000 }), ids)
  },

  async 'refuses to list what is out of bounds'({ store }) {
    for (const limit of [0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(store.list({ limit }), TypeError)
      await assert.rejects(store.readAudit({ limit }), TypeError)
    }
    await assert.rejects(store.list({ ids: numbers(1001).map(String) }), TypeError)
  },
}
