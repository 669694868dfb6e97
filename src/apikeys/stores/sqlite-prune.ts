import type { PruneCounts, PruneLimits } from '../key-store.ts'
import { type SqliteDatabase, type SqliteRow, sqliteQuery } from './sqlite-driver.ts'
import { inTransaction } from './sqlite-transaction.ts'

/** Rows that are looked at in one transaction. Others write, and this process answers, between two. */
const slice = 5000

/** Removes what is older, a slice after the other: all of it may be many rows, and SQLite is synchronous. */
export type SqlitePrune = (limits: PruneLimits) => Promise<PruneCounts>

/** Makes {@link SqlitePrune}. */
export function sqlitePrune(database: SqliteDatabase): SqlitePrune {
  const pruned = database.prepare('update mcp_bearer_state set pruned_seq = max(pruned_seq, ?)')
  const nothing = () => {}
  return async ({ keys, changes, audit, revocations }) => ({
    keys: keys === undefined ? 0 : await endedKeys(database, keys),
    changes:
      changes === undefined
        ? 0
        : await beginningOf(database, 'mcp_bearer_changes', changes, (last) => void pruned.run(last)),
    audit: audit === undefined ? 0 : await beginningOf(database, 'mcp_bearer_audit', audit, nothing),
    revocations: revocations === undefined ? 0 : overRevocations(database, revocations),
  })
}

/** There is no index of when keys end: few ask, and every new key would pay for it. */
async function endedKeys(database: SqliteDatabase, before: number): Promise<number> {
  const end = sqliteQuery(
    database,
    `select max(rowid) as last, count(*) as found from (select rowid from mcp_bearer_keys where rowid > ? order by rowid limit ${slice})`,
  )
  const ended = 'from mcp_bearer_keys where rowid > ? and rowid <= ? and (revoked_at < ? or expires_at < ?)'
  const uses = database.prepare(
    `${daysThereAre} delete from mcp_bearer_uses where day in (select day from days) and key_id in (select id ${ended})`,
  )
  const remove = database.prepare(`delete ${ended}`)
  return inSlices((from) =>
    inTransaction(database, () => {
      const [last, found] = end.one(from) as [number | null, number]
      if (last === null) return { removed: 0, last: undefined }
      uses.run(from, last, before, before)
      const removed = Number(remove.run(from, last, before, before).changes)
      return { removed, last: found < slice ? undefined : last }
    }),
  )
}

/** From one to the next: a key is looked for on each of them, and not in all that was ever counted. */
const daysThereAre = `with recursive days(day) as (select min(day) from mcp_bearer_uses union all
  select (select min(day) from mcp_bearer_uses u where u.day > days.day) from days where days.day is not null)`

/** From the beginning up to the first row that is not older, so that what is left has no gap. */
async function beginningOf(
  database: SqliteDatabase,
  table: 'mcp_bearer_changes' | 'mcp_bearer_audit',
  before: number,
  removed: (last: number) => void,
): Promise<number> {
  const first = sqliteQuery(database, `select seq, at from ${table} order by seq limit ${slice}`)
  const remove = database.prepare(`delete from ${table} where seq <= ?`)
  return inSlices(() =>
    inTransaction(database, () => {
      const rows: readonly SqliteRow[] = first.all()
      const kept = rows.findIndex(([, at]) => (at as number) >= before)
      const count = kept === -1 ? rows.length : kept
      if (count === 0) return { removed: 0, last: undefined }
      const last = rows[count - 1]![0] as number
      remove.run(last)
      removed(last)
      return { removed: count, last: count < slice ? undefined : last }
    }),
  )
}

function overRevocations(database: SqliteDatabase, before: number): number {
  return Number(database.prepare('delete from mcp_bearer_revocations where until < ?').run(before).changes)
}

/** What became of a slice; `last` is the number of its last row, when there may be more. */
interface Slice {
  readonly removed: number
  readonly last: number | undefined
}

async function inSlices(next: (from: number) => Slice | false): Promise<number> {
  let count = 0
  let from: number | undefined = -1
  while (from !== undefined) {
    const { removed, last }: Slice = next(from) as Slice
    count += removed
    from = last
    if (from !== undefined) await new Promise((resolve) => setImmediate(resolve))
  }
  return count
}
