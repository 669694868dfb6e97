import assert from 'node:assert/strict'
import { add, type Cases, entry, record, revoke, update } from './tested.ts'

const old = Date.UTC(2020, 0, 1)
const limit = Date.UTC(2021, 0, 1)

/** What goes, and what stays until it is sent away. */
export const pruneCases: Cases = {
  async 'removes keys that were revoked or have expired before, and no others'({ store, other }) {
    await add(
      store,
      record('expired', { expiresAt: old }),
      record('revoked', { state: 'revoked', revokedAt: limit - 1, expiresAt: limit + 1 }),
      record('both', { state: 'revoked', revokedAt: old, expiresAt: old }),
      record('atLimit', { expiresAt: limit }),
      record('revokedAtLimit', { state: 'revoked', revokedAt: limit }),
      record('later', { expiresAt: limit + 1 }),
      record('never', { createdAt: old, updatedAt: old, lastUsedAt: old }),
      record('disabled', { isEnabled: false, createdAt: old }),
    )
    const none = { keys: 0, changes: 0, audit: 0, revocations: 0 }
    assert.deepEqual({ ...(await store.prune({})) }, none)
    assert.equal((await store.list({})).length, 8)
    assert.deepEqual({ ...(await store.prune({ keys: limit })) }, { ...none, keys: 3 })
    const left = (await other.list({})).map(({ id }) => id)
    assert.deepEqual(left, ['atLimit', 'disabled', 'later', 'never', 'revokedAtLimit'])
    assert.equal(await other.find('expired'), undefined)
    assert.deepEqual({ ...(await other.prune({ keys: limit })) }, none)
  },

  async 'removes revocations that are over, and no others'({ store, other }) {
    await revoke(
      store,
      { name: 'over', kind: 'token', until: old },
      { name: 'cut over', kind: 'cut_off', cutOff: 1, until: limit - 1 },
      { name: 'at limit', kind: 'token', until: limit },
      { name: 'for ever', kind: 'cut_off', cutOff: 1 },
      { name: 'later', kind: 'token', until: store.time() + 60_000 },
    )
    assert.equal((await store.prune({ revocations: limit })).revocations, 2)
    const left = (await other.revocations()).map(({ name }) => name)
    assert.deepEqual(left.sort(), ['for ever', 'later'])
    assert.equal((await store.prune({ revocations: limit + 1 })).revocations, 1)
  },

  async 'removes nothing that is younger, and counts what it removes'({ store, other }) {
    await add(store, record('k'))
    await update(store, 'k')
    await store.appendAudit([entry()])
    const { cursor } = await other.changes(undefined)
    const past = store.time() - 3_600_000
    const none = { keys: 0, changes: 0, audit: 0, revocations: 0 }
    assert.deepEqual(
      { ...(await store.prune({ keys: past, changes: past, audit: past, revocations: past })) },
      none,
    )
    assert.equal((await other.readAudit({})).length, 3)
    assert.equal((await other.changes(cursor)).isComplete, true)
    const future = store.time() + 3_600_000
    const all = await store.prune({ keys: future, changes: future, audit: future, revocations: future })
    assert.deepEqual({ ...all }, { keys: 0, changes: 1, audit: 3, revocations: 0 })
    assert.equal((await other.readAudit({})).length, 0)
    assert.equal((await other.list({})).length, 1)
  },

  async 'what was pruned can come again'({ store }) {
    await add(store, record('k', { expiresAt: old }))
    await store.prune({ keys: limit })
    await add(store, record('k', { name: 'another' }))
    assert.equal((await store.find('k'))?.name, 'another')
  },
}
