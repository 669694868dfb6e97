import assert from 'node:assert/strict'
import type { AuditEntry, AuditEvent, AuditQuery } from '../../apikeys/audit-event.ts'
import { canonicalJson, chainedHash, chainStart } from '../../apikeys/audit-hash.ts'
import type { KeyStore } from '../../apikeys/key-store.ts'
import { add, type Cases, entry, found, numbers, record, tryUpdate } from './tested.ts'

/** Fails unless each event follows the one before, from the first one there ever was. */
function assertChained(events: readonly AuditEvent[], previous = chainStart, sequence = 0): void {
  let last = { hash: previous, sequence }
  for (const event of events) {
    assert.equal(event.sequence, last.sequence + 1, 'there is a gap')
    assert.equal(event.hash, chainedHash(last.hash, event), `event ${event.sequence} breaks the chain`)
    last = event
  }
}

function bare({ sequence: _1, time: _2, hash: _3, ...rest }: AuditEvent): AuditEntry {
  return rest
}

const full: AuditEntry = {
  event: 'key.leak_reported',
  outcome: 'failure',
  severity: 'critical',
  reason: 'Grüße \u{1f511} "quoted"',
  actor: { type: 'user', id: 'alice', name: 'Alice' },
  keyId: 'k1',
  lineageId: 'l1',
  address: '2001:db8::1',
  requestId: 'request-1',
  count: 12,
  changes: {
    before: { scopes: ['a', 'b'], z: 1, a: null, nested: { y: 1.5, b: [true] } },
    after: JSON.parse('{"__proto__":{"x":1},"constructor":2,"scopes":[]}'),
  },
  details: JSON.parse('{"tries":3,"forced":false,"why":"","__proto__":"x"}'),
}

/** Events. */
export const auditCases: Cases = {
  async 'reads events as they were recorded, in their order'({ store, other }) {
    const entries = [
      full,
      entry({ event: 'auth.failure' }),
      entry({ actor: { type: 'cli', id: '' }, reason: '' }),
    ]
    await store.appendAudit(entries)
    const events = await other.readAudit({})
    assert.equal(canonicalJson(events.map(bare)), canonicalJson(entries))
    for (const event of events) {
      assert.equal(
        Object.values(event).some((value) => value === undefined || value === null),
        false,
        'what is absent is there',
      )
      assert.ok(Math.abs(event.time - store.time()) < 10_000, 'the time is not that of the database')
    }
    await store.appendAudit([])
    assert.equal((await store.readAudit({})).length, 3)
  },

  async 'chains events without a gap'({ store, other }) {
    await add(store, record('k'))
    await other.appendAudit([full, entry()])
    await tryUpdate(store, { record: await found(store, 'k') })
    // One that was not done leaves no gap either.
    await tryUpdate(other, { record: record('k', { rev: 77 }) })
    await store.appendAudit([entry({ event: 'auth.failure' })])
    const events = await other.readAudit({})
    assert.equal(events.length, 5)
    assertChained(events)
  },

  async 'chains events of processes that record at the same time'({ store, other }) {
    await add(store, record('k'))
    const before = await found(store, 'k')
    await Promise.all(
      numbers(60).map((n): Promise<unknown> => {
        const from = n % 2 ? store : other
        if (n % 3 === 0) return from.appendAudit([entry({ keyId: `${n}` }), entry({ keyId: `${n}` })])
        return n % 3 === 1 ? add(from, record(`k${n}`)) : tryUpdate(from, { record: before })
      }),
    )
    const events = await store.readAudit({ limit: 1000 })
    assert.equal(events.length, 1 + 40 + 20 + 1)
    assertChained(events)
    const appended = events.filter(({ keyId }) => keyId !== undefined)
    for (const [index, event] of appended.entries()) {
      if (index % 2)
        assert.equal(event.keyId, appended[index - 1]?.keyId, 'events of one call are torn apart')
    }
  },

  async 'finds events by all that can be asked for'({ store, clock }) {
    const alice = { type: 'user', id: 'alice' } as const
    await store.appendAudit([
      entry({ keyId: 'a', lineageId: 'L', actor: alice }),
      entry({ keyId: 'b', lineageId: 'L', event: 'key.revoke' }),
      entry({ keyId: 'a', outcome: 'failure', event: 'auth.failure' }),
    ])
    clock?.advance(1000)
    await store.appendAudit([entry({ keyId: 'A', lineageId: 'l', actor: alice })])
    const sequences = async (query: AuditQuery) =>
      (await store.readAudit(query)).map(({ sequence }) => sequence)
    assert.deepEqual(await sequences({ keyId: 'a' }), [1, 3])
    assert.deepEqual(await sequences({ lineageId: 'L' }), [1, 2])
    assert.deepEqual(await sequences({ event: 'key.revoke' }), [2])
    assert.deepEqual(await sequences({ outcome: 'failure' }), [3])
    assert.deepEqual(await sequences({ actorId: 'alice' }), [1, 4])
    assert.deepEqual(await sequences({ after: 2 }), [3, 4])
    assert.deepEqual(await sequences({ limit: 2 }), [1, 2])
    assert.deepEqual(await sequences({ after: 1, limit: 2 }), [2, 3])
    assert.deepEqual(
      await sequences({ keyId: 'a', outcome: 'success', lineageId: 'L', actorId: 'alice' }),
      [1],
    )
    assert.deepEqual(await sequences({ keyId: '__proto__' }), [])
    const times = (await store.readAudit({})).map(({ time }) => time)
    const from = (time: number) =>
      numbers(4)
        .filter((n) => times[n]! >= time)
        .map((n) => n + 1)
    for (const time of [times[0]!, times[0]! + 1, times[3]!, times[3]! + 1]) {
      assert.deepEqual(await sequences({ since: time }), from(time))
      assert.deepEqual(
        await sequences({ until: time }),
        [1, 2, 3, 4].filter((sequence) => !from(time).includes(sequence)),
      )
    }
  },

  async 'reads the newest first where that is asked for'({ store, clock }) {
    await store.appendAudit(numbers(4).map((n) => entry({ keyId: n % 2 ? 'odd' : 'even', lineageId: 'L' })))
    const sequences = async (query: AuditQuery) =>
      (await store.readAudit(query)).map(({ sequence }) => sequence)
    assert.deepEqual(await sequences({ order: 'desc' }), [4, 3, 2, 1])
    assert.deepEqual(await sequences({ order: 'asc' }), [1, 2, 3, 4])
    assert.deepEqual(await sequences({ order: 'desc', limit: 3 }), [4, 3, 2])
    assert.deepEqual(await sequences({ order: 'desc', limit: 3, before: 2 }), [1])
    assert.deepEqual(await sequences({ order: 'desc', before: 1 }), [])
    assert.deepEqual(await sequences({ order: 'desc', before: 4, after: 1 }), [3, 2])
    assert.deepEqual(await sequences({ before: 3 }), [1, 2])
    assert.deepEqual(await sequences({ order: 'desc', keyId: 'even' }), [3, 1])
    assert.deepEqual(await sequences({ order: 'desc', lineageId: 'L', before: 4, limit: 1 }), [3])
    clock?.advance(1000)
    await store.appendAudit([entry(), entry()])
    if (!clock) return
    const [{ time: since }] = (await store.readAudit({ order: 'desc', limit: 1 })) as [AuditEvent]
    assert.deepEqual(await sequences({ order: 'desc', since }), [6, 5])
    assert.deepEqual(await sequences({ order: 'desc', since, before: 6 }), [5])
    assert.deepEqual(await sequences({ order: 'desc', until: since, limit: 1 }), [4])
  },

  async 'reads 100 events unless it is told otherwise, and up to 1000'({ store }) {
    await store.appendAudit(numbers(1001).map(() => entry()))
    assert.equal((await store.readAudit({})).length, 100)
    assert.equal((await store.readAudit({ limit: 1000 })).length, 1000)
    assert.deepEqual(
      (await store.readAudit({ after: 1000 })).map(({ sequence }) => sequence),
      [1001],
    )
  },

  async 'goes on with the chain when events were pruned, all of them too'({ store, other }) {
    await store.appendAudit([entry(), entry(), full])
    const [, , last] = await store.readAudit({})
    assert.deepEqual(await lengthAfterPruning(store), 0)
    await other.appendAudit([entry(), full])
    assertChained(await store.readAudit({}), last!.hash, last!.sequence)
  },
}

async function lengthAfterPruning(store: KeyStore): Promise<number> {
  const { audit } = await store.prune({ audit: store.time() + 60_000 })
  assert.equal(audit, 3)
  return (await store.readAudit({})).length
}
