import assert from 'node:assert/strict'
import type { AuditEntry } from '../../apikeys/audit-event.ts'
import type { Change, KeyChanges, KeyUpdate } from '../../apikeys/key-store.ts'
import {
  add,
  assertHolds,
  type Cases,
  entry,
  found,
  fullRecord,
  record,
  type Tested,
  tryUpdate,
  update,
} from './tested.ts'

/** One transaction: all or nothing. */
export const commitCases: Cases = {
  async 'makes all changes of a commit, and records its events'({ store, other }) {
    await add(store, record('old1'), record('old2'))
    const isDone = await store.commit({
      add: [record('new1'), record('new2')],
      update: [{ record: record('old1', { name: 'one' }) }, { record: record('old2', { name: 'two' }) }],
      revoke: [{ name: 'jti 1', kind: 'token' }],
      audit: [entry({ event: 'key.rotate' }), entry({ event: 'key.revoke' })],
    })
    assert.equal(isDone, true)
    const listed = await other.list({})
    assert.deepEqual(
      listed.map(({ id }) => id),
      ['new1', 'new2', 'old1', 'old2'],
    )
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['key new1', 'key new2', 'one', 'two'],
    )
    assert.deepEqual(
      (await other.revocations()).map(({ name }) => name),
      ['jti 1'],
    )
    const events = (await other.readAudit({})).map(({ event }) => event)
    assert.deepEqual(events, ['key.create', 'key.rotate', 'key.revoke'])
  },

  async 'leaves nothing of a commit that adds a key which is there'(tested) {
    await add(tested.store, record('old1'), record('old2'))
    await leavesNothing(tested, { add: [record('new1'), record('old1', { name: 'twice' }), record('new2')] })
    await leavesNothing(tested, { add: [record('new1'), record('new1', { name: 'twice' })] })
  },

  async 'leaves nothing of a commit that updates what has changed since'(tested) {
    await add(tested.other, record('old1'), record('old2'))
    await update(tested.other, 'old2', { name: 'newer' })
    const fresh: KeyUpdate = { record: record('old1', { name: 'changed' }) }
    await leavesNothing(tested, { add: [record('new1')], update: [fresh, { record: record('old2') }] })
    await leavesNothing(tested, { update: [{ record: record('old2', { rev: 3 }) }, fresh] })
    await leavesNothing(tested, { add: [record('new1')], update: [fresh, fresh] })
  },

  async 'leaves nothing of a commit that updates a key which is not there'(tested) {
    await add(tested.store, record('old1'), record('old2'))
    await leavesNothing(tested, {
      update: [{ record: record('old1', { name: 'x' }) }, { record: record('none') }],
    })
  },

  async 'leaves nothing of a commit that fails on its way'(tested) {
    await add(tested.store, record('old1'), record('old2'))
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const unwritable = entry({ changes: { before: circle, after: {} } })
    const changes = { add: [record('new1')], update: [{ record: record('old1', { name: 'x' }) }] }
    await leavesNothing(tested, { ...changes, audit: [entry(), unwritable] }, Error)
    await leavesNothing(tested, { add: [record('new1'), record('new2', { metadata: circle })] }, Error)
  },

  async 'refuses a commit nobody would see, and leaves nothing of it'(tested) {
    await add(tested.store, record('old1'), record('old2'))
    const changes = { add: [record('new1')], update: [{ record: record('old1', { name: 'x' }) }] }
    await leavesNothing(tested, { ...changes, audit: [] }, TypeError)
  },

  async 'an update writes the whole record and counts up its rev'(tested) {
    const id = 'full00000000'
    await add(tested.store, record(id, { rev: 41 }))
    const { useCount: _1, lastUsedAt: _2, lastUsedAddress: _3, usageLeft: _4, ...full } = fullRecord(id)
    await tryUpdate(tested.store, { record: { ...full, useCount: 0, rev: 41 } })
    await assertHolds(tested, { ...full, useCount: 0, rev: 42 })
    // And back again: members that are absent are taken away.
    await tryUpdate(tested.other, { record: record(id, { rev: 42 }) })
    await assertHolds(tested, record(id, { rev: 43 }))
  },

  async 'an update leaves alone what is counted'(tested) {
    const { store } = tested
    const counted = {
      useCount: 7,
      lastUsedAt: 1_700_000_000_000,
      lastUsedAddress: '192.0.2.1',
      usageLimit: 10,
      usageLeft: 3,
    }
    await add(store, record('k', counted))
    await tryUpdate(store, {
      record: record('k', { name: 'new', usageLimit: 10, useCount: 1, usageLeft: 10 }),
    })
    await assertHolds(tested, record('k', { ...counted, name: 'new', rev: 2 }))
  },

  async 'an update that resets the usage writes what is left, and nothing else that is counted'(tested) {
    const { store } = tested
    const used = { useCount: 7, lastUsedAt: 1_700_000_000_000, lastUsedAddress: '192.0.2.1' }
    await add(store, record('k', { ...used, usageLimit: 10, usageLeft: 3 }))
    await tryUpdate(store, { record: record('k', { usageLimit: 20, usageLeft: 20 }), resetUsage: true })
    await assertHolds(tested, record('k', { ...used, usageLimit: 20, usageLeft: 20, rev: 2 }))
    await tryUpdate(store, { record: record('k', { rev: 2 }), resetUsage: true })
    await assertHolds(tested, record('k', { ...used, rev: 3 }))
  },

  async 'tells who listens in this process, before the commit resolves'({ store }) {
    await add(store, record('k'), record('other'))
    const told: string[] = []
    let seen: Promise<string> | undefined
    const stop = store.onChange(({ topic, ref }) => {
      told.push(`${topic} ${ref}`)
      seen ??= found(store, 'k').then(({ name }) => name)
    })
    const committed = store
      .commit({
        update: [{ record: record('k', { name: 'new' }) }, { record: record('other') }],
        revoke: [{ name: 'jti', kind: 'token' }],
        audit: [entry()],
      })
      .then(() => [...told])
    assert.deepEqual((await committed).sort(), ['key k', 'key other', 'revocation jti'])
    assert.equal(await seen, 'new', 'told before it was done')

    assert.equal(await tryUpdate(store, { record: record('k') }), false)
    assert.equal(told.length, 3, 'told of what was not done')
    stop()
    await update(store, 'k', { name: 'newer' })
    assert.equal(told.length, 3, 'told though it was stopped')
  },

  async 'has committed, and told everybody, even if somebody who listens throws'({ store }) {
    await add(store, record('k'))
    const told: Change[] = []
    const stops = [
      store.onChange(() => {
        throw new Error('no luck')
      }),
      store.onChange((change) => void told.push(change)),
    ]
    assert.equal(await tryUpdate(store, { record: record('k', { name: 'new' }) }), true)
    assert.deepEqual(
      told.map(({ ref }) => ref),
      ['k'],
    )
    for (const stop of stops) stop()
  },
}

/** Tries a commit that cannot be, and looks into every corner. `old1` and `old2` are there, and `new1` and `new2` are not. */
async function leavesNothing(
  { store, other }: Tested,
  changes: Omit<KeyChanges, 'audit' | 'revoke'> & { readonly audit?: readonly AuditEntry[] },
  throws?: typeof Error,
): Promise<void> {
  const state = async () => ({
    keys: (await other.list({})).map(({ id, name, rev }) => ({ id, name, rev })),
    events: (await other.readAudit({ limit: 1000 })).length,
    revocations: await other.revocations(),
  })
  const before = await state()
  const { cursor } = await other.changes(undefined)
  const told: Change[] = []
  const stop = store.onChange((change) => void told.push(change))
  const tried = store.commit({ audit: [entry()], revoke: [{ name: 'jti', kind: 'token' }], ...changes })
  if (throws === undefined) assert.equal(await tried, false)
  else await assert.rejects(tried, throws)
  stop()
  assert.deepEqual(await state(), before)
  assert.deepEqual(told, [], 'told of what was not done')
  assert.equal(
    (await other.changes(cursor)).changes.some(({ ref }) => ref === 'jti'),
    false,
  )
}
