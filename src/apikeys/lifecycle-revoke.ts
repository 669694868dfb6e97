import type { ApiKey, BulkResult, By } from './api-key.ts'
import { type Chunk, inChunks } from './bulk.ts'
import { type Doer, readBy } from './by.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyChanges } from './key-store.ts'
import {
  attempts,
  changeKey,
  isId,
  type Lifecycle,
  noSuchKey,
  type Plan,
  timeOf,
  tooBusy,
} from './lifecycle.ts'
import { planOf } from './lifecycle-change.ts'

/** See `ApiKeys.revoke`. */
export async function revoke(life: Lifecycle, id: string, by?: By): Promise<ApiKey> {
  const doer = readBy('revoke', by)
  return changeKey(life, 'revoke', id, (record) => planRevocation(record, doer, timeOf(life)))
}

/** See `ApiKeys.revokeMany`. */
export async function revokeMany(
  life: Lifecycle,
  ids: readonly string[],
  by?: By,
): Promise<readonly BulkResult<ApiKey>[]> {
  const doer = readBy('revokeMany', by)
  return inChunks('revokeMany', ids, async (chunk) => {
    const wanted = chunk.read((id) => {
      if (!isId(id)) throw noSuchKey('revokeMany', id)
      return id
    })
    return wanted.length === 0 ? [] : revokeAll(life, chunk, wanted, doer)
  })
}

/** The tombstone of a key. Of one that is revoked already, itself: who was first, and why, stays. */
export function revoked(record: KeyRecord, { name, told: { reason } }: Doer, now: number): KeyRecord {
  if (record.state === 'revoked') return record
  const end = { state: 'revoked' as const, revokedAt: now, revokedBy: name, updatedAt: now }
  return { ...record, ...end, ...(reason !== undefined && { revokeReason: reason }) }
}

function planRevocation(record: KeyRecord, doer: Doer, now: number): Plan<ApiKey> {
  return planOf('key.revoke', record, revoked(record, doer, now), doer, now)
}

/** In one transaction, as soon as nobody changes one of them in between. */
async function revokeAll(
  life: Lifecycle,
  chunk: Chunk<string>,
  wanted: readonly string[],
  doer: Doer,
): Promise<readonly ApiKey[]> {
  const ids = [...new Set(wanted)]
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const now = timeOf(life)
    const records = await life.store.list({ ids, limit: ids.length })
    const plans = new Map(records.map((record) => [record.id, planRevocation(record, doer, now)]))
    const changes = together([...plans.values()])
    if (changes === undefined || (await life.store.commit(changes))) {
      return wanted.flatMap((id, at) => {
        const plan = plans.get(id)
        if (plan === undefined) chunk.fail(at, noSuchKey('revokeMany', id))
        return plan === undefined ? [] : [plan.answer]
      })
    }
  }
  throw tooBusy('revokeMany')
}

function together(plans: readonly Plan<ApiKey>[]): KeyChanges | undefined {
  const changes = plans.flatMap(({ changes: one }) => (one === undefined ? [] : [one]))
  if (changes.length === 0) return undefined
  return {
    update: changes.flatMap(({ update = [] }) => update),
    audit: changes.flatMap(({ audit }) => audit),
  }
}
