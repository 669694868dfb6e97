import assert from 'node:assert/strict'
import { verifyAudit } from '../../src/apikeys/audit-chain.ts'
import type { AuditEvent } from '../../src/apikeys/audit-event.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { statusOf } from '../../src/apikeys/view.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'

/** What has become of a key, as far as it was acknowledged. */
interface Acknowledged {
  readonly id: string
  readonly key: string
  isRevoked?: boolean
  isEnabled?: boolean
  name?: string
  replacedBy?: string
}

/** What programs have acknowledged that were killed then. */
export interface Ledger {
  /** How many changes that is. */
  readonly changes: number
  readonly keys: number
  /** Takes down what one of them has said until it was killed. */
  add(lines: readonly string[]): void
  /**
   * Fails unless a store, opened anew, has every change that was acknowledged, and no half of any; and unless a verifier
   * takes each key that is good, and none that is not.
   *
   * @param told how often others were told of a change of each key, since the store was empty
   */
  check(store: KeyStore, told: ReadonlyMap<string, number>): Promise<void>
}

/** Makes a {@link Ledger}. */
export function ledger(): Ledger {
  const known = new Map<string, Acknowledged>()
  /** Those that are yet to be shown to a verifier. */
  const fresh = new Set<string>()
  let changes = 0

  return {
    get changes() {
      return changes
    },
    get keys() {
      return known.size
    },
    add(lines) {
      // A worker that has begun something and was killed leaves these in any state, and nobody else touches them.
      const begun = new Map<string, readonly string[]>()
      for (const line of lines) {
        const [what, ...more] = JSON.parse(line)
        if (what === 'begin') for (const id of more[0]) begun.set(id, more[0])
        else if (what !== 'ready') {
          changes += 1
          for (const id of acknowledge(what, more)) {
            fresh.add(id)
            begun.delete(id)
          }
        }
      }
      for (const id of begun.keys()) forget(id)
    },
    async check(store, told) {
      const records = await allKeys(store)
      checkWhole(records, await allEvents(store), told)
      const { isIntact, broken } = await verifyAudit(store)
      assert.ok(isIntact, `the chain of events is broken: ${JSON.stringify(broken)}`)
      for (const one of known.values()) checkKept(one, records.get(one.id))
      await checkVerdicts(store, records)
    },
  }

  /** @returns the keys it is about */
  function acknowledge(what: string, more: unknown[]): readonly string[] {
    const [first, second, third] = more as [string, string, string]
    switch (what) {
      case 'created':
        for (const [id, key] of more[0] as [string, string][]) known.set(id, { id, key })
        return (more[0] as [string, string][]).map(([id]) => id)
      case 'rotated':
        known.set(second, { id: second, key: third })
        of(first).replacedBy = second
        return [first, second]
      case 'revoked':
        for (const id of more[0] as string[]) of(id).isRevoked = true
        return more[0] as string[]
      case 'enabled':
        of(first).isEnabled = more[1] === true
        return [first]
      case 'named':
        of(first).name = second
        return [first]
      default:
        throw new Error(`not understood: ${what}`)
    }
  }

  function of(id: string): Acknowledged {
    const one = known.get(id)
    assert.ok(one, `${id} was changed and never created`)
    return one
  }

  /** All that is known of a key is that it is there. */
  function forget(id: string): void {
    const { key, isRevoked } = of(id)
    known.set(id, { id, key, ...(isRevoked && { isRevoked }) })
    fresh.add(id)
  }

  async function checkVerdicts(store: KeyStore, records: ReadonlyMap<string, KeyRecord>): Promise<void> {
    const verifier = apiKeyVerifier({ store }, { logger: () => {} })
    for (const id of fresh) {
      const { key, isRevoked } = of(id)
      const status = statusOf(records.get(id)!, store.time())
      const isTaken = (await verifier.verifyToken(key)) !== null
      assert.ok(!(isTaken && isRevoked), `${id} was acknowledged as revoked and is accepted`)
      assert.equal(
        isTaken,
        ['active', 'pending', 'grace'].includes(status),
        `the verdict of ${id}, ${status}`,
      )
    }
    fresh.clear()
    await verifier.close()
  }
}

function checkKept(one: Acknowledged, record: KeyRecord | undefined): void {
  assert.ok(record, `acknowledged and lost: key ${one.id}`)
  const { id, isRevoked, isEnabled, name, replacedBy } = one
  if (isRevoked) assert.equal(record.state, 'revoked', `acknowledged and lost: the end of ${id}`)
  if (replacedBy) assert.equal(record.replacedBy, replacedBy, `acknowledged and lost: what replaced ${id}`)
  if (name) assert.equal(record.name, name, `acknowledged and lost: the name of ${id}`)
  if (isEnabled !== undefined)
    assert.equal(record.isEnabled, isEnabled, `acknowledged and lost: ${id} on/off`)
}

/** Each change has its event and its entry in the log of changes, and a rotation has both of its keys. */
function checkWhole(
  records: ReadonlyMap<string, KeyRecord>,
  events: readonly AuditEvent[],
  told: ReadonlyMap<string, number>,
): void {
  const recorded = new Map<string, number>()
  for (const { event, keyId, changes } of events) {
    // A leak that changed nothing, and a use in grace, are no changes.
    const isChange = changing.has(event) || (event === 'key.leak_reported' && changes !== undefined)
    if (!isChange || keyId === undefined) continue
    assert.ok(records.has(keyId), `an event of a key that is not there: ${event}`)
    recorded.set(keyId, (recorded.get(keyId) ?? 0) + 1)
  }
  const replaced = new Map<string, number>()
  for (const record of records.values()) {
    const { id, rev, replacedBy, lineageId, state } = record
    assert.equal(recorded.get(id), rev, `events of ${id}, which is at revision ${rev}`)
    assert.equal(told.get(id) ?? 0, rev - 1, `changes that were told of ${id}, which is at revision ${rev}`)
    assert.equal(state === 'revoked', record.revokedAt !== undefined, `${id} is half revoked`)
    if (state === 'grace') assert.ok(record.expiresAt && replacedBy, `${id} is in a grace that never ends`)
    if (replacedBy === undefined) continue
    replaced.set(replacedBy, (replaced.get(replacedBy) ?? 0) + 1)
    assert.equal(records.get(replacedBy)?.lineageId, lineageId, `${id} was replaced by nothing`)
  }
  for (const { id, lineageId } of records.values()) {
    assert.equal(replaced.get(id) ?? 0, lineageId === id ? 0 : 1, `how many keys ${id} replaces`)
  }
  for (const id of told.keys()) assert.ok(records.has(id), `told of a key that is not there: ${id}`)
}

const changing: ReadonlySet<string> = new Set([
  'key.create',
  'key.rotate',
  'key.update',
  'key.enable',
  'key.disable',
  'key.revoke',
  'key.first_use',
])

async function allKeys(store: KeyStore): Promise<ReadonlyMap<string, KeyRecord>> {
  const keys = new Map<string, KeyRecord>()
  for (let after = ''; ; ) {
    const page = await store.list({ limit: 1000, ...(after !== '' && { after }) })
    for (const key of page) keys.set(key.id, key)
    if (page.length < 1000) return keys
    after = page.at(-1)!.id
  }
}

async function allEvents(store: KeyStore): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = []
  while (true) {
    const page = await store.readAudit({ after: events.at(-1)?.sequence ?? 0, limit: 1000 })
    events.push(...page)
    if (page.length < 1000) return events
  }
}
