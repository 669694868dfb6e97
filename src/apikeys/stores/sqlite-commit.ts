import type { Change, KeyChanges } from '../key-store.ts'
import { checkAudited } from './queries.ts'
import type { SqliteAudit } from './sqlite-audit.ts'
import type { SqliteChanges } from './sqlite-changes.ts'
import type { SqliteDatabase } from './sqlite-driver.ts'
import type { SqliteKeys } from './sqlite-keys.ts'
import type { SqliteRevocations } from './sqlite-revocations.ts'
import { inTransaction } from './sqlite-transaction.ts'

/** The tables a change of keys writes to. */
export interface ChangedTables {
  readonly keys: SqliteKeys
  readonly audit: SqliteAudit
  readonly changes: SqliteChanges
  readonly revocations: SqliteRevocations
}

/** Makes all of the changes in one transaction, and gives what others must be told; `undefined` when it did nothing. */
export type SqliteCommit = (wanted: KeyChanges, now: number) => readonly Change[] | undefined

/** Makes {@link SqliteCommit}. */
export function sqliteCommit(database: SqliteDatabase, tables: ChangedTables): SqliteCommit {
  const { keys, audit, changes, revocations } = tables
  return (wanted, now) => {
    checkAudited(wanted)
    const { add = [], update = [], revoke = [] } = wanted
    // Nobody remembers a key that is only now made.
    const told: readonly Change[] = [
      ...update.map(({ record }) => ({ topic: 'key' as const, ref: record.id })),
      ...revoke.map(({ name }) => ({ topic: 'revocation' as const, ref: name })),
    ]
    const done = inTransaction(database, () => {
      for (const record of add) if (!keys.add(record)) return false
      for (const one of update) if (!keys.update(one)) return false
      for (const one of revoke) revocations.revoke(one)
      changes.append(told, now)
      audit.append(wanted.audit, now)
      return told
    })
    if (done === false) return undefined
    changes.touched()
    return done
  }
}
