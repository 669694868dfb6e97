import type { ApiKey, BulkResult, By, ImportedApiKey } from './api-key.ts'
import type { AuditEntry } from './audit-event.ts'
import { type Chunk, inChunks } from './bulk.ts'
import { type Doer, readBy } from './by.ts'
import { importedIdentity } from './import-digest.ts'
import { givenOptions } from './input.ts'
import { newKeyMembers, readNewKey } from './key-draft.ts'
import type { KeyRecord } from './key-record.ts'
import { attempts, type Lifecycle, newRecord, timeOf, tooBusy } from './lifecycle.ts'
import { textsOf } from './metadata.ts'
import { recordForAudit, toApiKey } from './view.ts'

const ownMembers = ['key', 'sha256', 'allowWeak']

/** See `ApiKeys.import`. */
export async function importKeys(
  life: Lifecycle,
  keys: readonly ImportedApiKey[],
  by?: By,
): Promise<readonly BulkResult<ApiKey>[]> {
  const doer = readBy('import', by)
  /** Ids of all that was given so far, of chunks before as well. */
  const given = new Set<string>()
  return inChunks('import', keys, async (chunk) => {
    const now = timeOf(life)
    const records = chunk.read((key, owner) => {
      const record = readImported(life, key, owner, doer, now)
      if (given.has(record.id)) throw new RangeError(`${owner}: this key was given before (${record.id})`)
      given.add(record.id)
      return record
    })
    const added = await addNew(life, chunk, records, doer)
    return added.map((record) => toApiKey(record, now))
  })
}

function readImported(
  life: Lifecycle,
  item: ImportedApiKey,
  owner: string,
  doer: Doer,
  now: number,
): KeyRecord {
  const given = givenOptions(owner, item, [...newKeyMembers, ...ownMembers])
  const { key, sha256: _sha256, allowWeak: _allowWeak, ...rest } = given
  const draft = readNewKey(owner, rest, life, now)
  // One of others looks like nothing in particular, and tables that are taken over have it where one does not think of it.
  if (typeof key === 'string' && textsOf(draft).some((text) => shows(text, key))) {
    throw new TypeError(
      `${owner}: the key stands in another member, too; what is there is shown to everybody`,
    )
  }
  return newRecord(importedIdentity(owner, given, life), draft, doer, now)
}

/** What is short may be in any text by chance. */
function shows(text: string, key: string): boolean {
  return text === key || (key.length >= 8 && text.includes(key))
}

/** Adds those that are not there yet. Somebody else may add some between the question and the answer. */
async function addNew(
  { store }: Lifecycle,
  chunk: Chunk<ImportedApiKey>,
  records: readonly KeyRecord[],
  doer: Doer,
): Promise<readonly KeyRecord[]> {
  if (records.length === 0) return []
  const ids = records.map(({ id }) => id)
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const found = new Set((await store.list({ ids, limit: ids.length })).map(({ id }) => id))
    const add = records.filter(({ id }) => !found.has(id))
    if (add.length > 0 && !(await store.commit({ add, audit: add.map((one) => importedEntry(one, doer)) }))) {
      continue
    }
    for (const [at, id] of ids.entries()) {
      if (found.has(id)) chunk.fail(at, new RangeError(`import: this key exists already (${id})`))
    }
    return add
  }
  throw tooBusy('import')
}

function importedEntry(record: KeyRecord, { told }: Doer): AuditEntry {
  return {
    event: 'key.import',
    outcome: 'success',
    severity: 'notice',
    ...told,
    keyId: record.id,
    lineageId: record.lineageId,
    changes: { before: {}, after: recordForAudit(record) },
  }
}
