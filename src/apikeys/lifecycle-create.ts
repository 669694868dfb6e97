import type { ApiKey, BulkResult, By, CreatedApiKey, NewApiKey } from './api-key.ts'
import type { AuditEntry } from './audit-event.ts'
import { inChunks } from './bulk.ts'
import { type Doer, readBy } from './by.ts'
import { makeKey } from './format.ts'
import { type KeyDraft, readNewKey } from './key-draft.ts'
import type { KeyEnvironment, KeyRecord } from './key-record.ts'
import { attempts, type Lifecycle, newRecord, timeOf, tooBusy } from './lifecycle.ts'
import { recordForAudit, toApiKey } from './view.ts'

/** See `ApiKeys.create`. */
export async function create(life: Lifecycle, key: NewApiKey, by?: By): Promise<CreatedApiKey> {
  const doer = readBy('create', by)
  const now = timeOf(life)
  const made = await write(life, [readNewKey('create', key, life, now)], doer, now)
  return made[0]!
}

/** See `ApiKeys.createMany`. */
export async function createMany(
  life: Lifecycle,
  keys: readonly NewApiKey[],
  by?: By,
): Promise<readonly BulkResult<CreatedApiKey>[]> {
  const doer = readBy('createMany', by)
  return inChunks('createMany', keys, async (chunk) => {
    const now = timeOf(life)
    const drafts = chunk.read((key, owner) => readNewKey(owner, key, life, now))
    return drafts.length === 0 ? [] : write(life, drafts, doer, now)
  })
}

/** Makes the keys and their rows. An id that exists already, once in a few universes, costs another attempt. */
async function write(
  life: Lifecycle,
  drafts: readonly KeyDraft[],
  doer: Doer,
  now: number,
): Promise<readonly CreatedApiKey[]> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const made = drafts.map((draft) => make(life, life, draft, doer, now))
    const add = made.map(({ record }) => record)
    if (await life.store.commit({ add, audit: add.map((record) => createdEntry(record, doer)) })) {
      return made.map(({ key, record }) => created(key, record, now))
    }
  }
  throw tooBusy('create')
}

/** A key that was made and is not written yet. */
export interface MadeKey {
  readonly key: string
  readonly record: KeyRecord
}

/** Makes a key of this package's format, and its record. */
export function make(
  { hasher }: Lifecycle,
  { prefix, environment }: { readonly prefix: string; readonly environment: KeyEnvironment },
  draft: KeyDraft,
  doer: Doer,
  now: number,
): MadeKey {
  const { key, id } = makeKey(prefix, environment)
  const identity = { id, prefix, environment, hash: hasher.hash(key), isImported: false }
  return { key, record: newRecord({ ...identity, hashAlgorithm: hasher.algorithm }, draft, doer, now) }
}

/** The only time the key is seen. */
export function created(key: string, record: KeyRecord, now: number): CreatedApiKey {
  return Object.freeze({ key, apiKey: toApiKey(record, now) })
}

/** Tells that a key was made; of one that replaces another, which one that is. */
export function createdEntry(record: KeyRecord, { told }: Doer, replaces?: ApiKey['id']): AuditEntry {
  return {
    event: 'key.create',
    outcome: 'success',
    severity: 'notice',
    ...told,
    keyId: record.id,
    lineageId: record.lineageId,
    changes: { before: {}, after: recordForAudit(record) },
    ...(replaces !== undefined && { details: { replaces } }),
  }
}
