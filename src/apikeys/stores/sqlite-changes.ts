import type { Change, ChangeBatch } from '../key-store.ts'
import { type SqliteDatabase, sqliteQuery } from './sqlite-driver.ts'
import { inSnapshot } from './sqlite-transaction.ts'

/** The table of changes. */
export interface SqliteChanges {
  /** Runs in the caller's transaction. */
  append(changes: readonly Change[], now: number): void
  since(cursor: string | undefined): ChangeBatch
  /** Says that this connection may have written. */
  touched(): void
}

/** Whoever has missed more than this is told that anything may have changed. */
const mostChanges = 10_000

/** Makes {@link SqliteChanges}. */
export function sqliteChanges(database: SqliteDatabase): SqliteChanges {
  const version = sqliteQuery(database, 'pragma data_version')
  const state = sqliteQuery(database, 'select change_seq, pruned_seq from mcp_bearer_state')
  const remember = database.prepare('update mcp_bearer_state set change_seq = ?')
  const insert = database.prepare('insert into mcp_bearer_changes values (?, ?, ?, ?)')
  const rows = sqliteQuery(
    database,
    `select topic, ref from mcp_bearer_changes where seq > ? order by seq limit ${mostChanges + 1}`,
  )
  let known: { readonly version: unknown; readonly last: number } | undefined

  return {
    append(changes, now) {
      if (changes.length === 0) return
      let [sequence] = state.one() as [number]
      for (const { topic, ref } of changes) {
        sequence += 1
        insert.run(sequence, now, topic, ref)
      }
      remember.run(sequence)
    },
    since(cursor) {
      // The version grows when another connection writes, and only then. It is read before the rows: what is written in
      // between is found the next time.
      const current = version.one()?.[0]
      if (known?.version === current && cursor === String(known?.last)) {
        return { cursor, changes: [], isComplete: true }
      }
      return inSnapshot(database, () => {
        const [last, pruned] = state.one() as [number, number]
        known = { version: current, last }
        return batch(cursor, last, pruned)
      })
    },
    touched() {
      known = undefined
    },
  }

  function batch(cursor: string | undefined, last: number, pruned: number): ChangeBatch {
    const nothing = { cursor: String(last), changes: [] }
    if (cursor === undefined) return { ...nothing, isComplete: true }
    const since = /^\d{1,15}$/.test(cursor) ? Number(cursor) : -1
    // A cursor of some other database, or of the time before this one was restored, says nothing of what happened since.
    if (since < pruned || since > last) return { ...nothing, isComplete: false }
    const found = rows.all(since)
    if (found.length > mostChanges) return { ...nothing, isComplete: false }
    return { ...nothing, changes: found.map(([topic, ref]) => ({ topic, ref }) as Change), isComplete: true }
  }
}
