import type { DayOfUses, KeyUse } from '../key-store.ts'
import { type SqliteDatabase, sqliteQuery } from './sqlite-driver.ts'
import { inTransaction } from './sqlite-transaction.ts'
import { type DaysAsked, dayOf, dayOfUse, dayOfUses, keptDays } from './use-days.ts'

/** How keys were used: the columns of the keys, and the table of days. */
export interface SqliteUses {
  /** In one transaction of its own. */
  record(uses: readonly KeyUse[], now: number): void
  byDay(asked: DaysAsked): readonly DayOfUses[]
}

/** Rows that are forgotten at once: whoever counts does not wait for a year of them. */
const slice = 1000

/** Makes {@link SqliteUses}. */
export function sqliteUses(database: SqliteDatabase): SqliteUses {
  const use = database.prepare(recordUse)
  const count = database.prepare(countUse)
  const forget = database.prepare(forgetDays)
  const find = sqliteQuery(database, findDays)
  /** The day on which everything that is too old was gone. */
  let tidied = Number.NEGATIVE_INFINITY

  return {
    record(uses, now) {
      if (uses.length === 0) return
      const today = dayOf(now)
      inTransaction(database, () => {
        for (const one of uses) {
          const { id, count: times, at, address = null } = one
          const { changes } = use.run(times, at, address, at, id)
          if (Number(changes) === 1) count.run(dayOfUse(one), id, times)
        }
        if (tidied !== today && Number(forget.run(today - keptDays).changes) < slice) tidied = today
      })
    },
    byDay({ ids, days }) {
      return find
        .all(JSON.stringify(days), JSON.stringify(ids))
        .map(([id, day, times]) => dayOfUses(String(id), Number(day), Number(times)))
    },
  }
}

/** The address belongs to the time: that of an earlier use would be a lie. All of it sees the row as it was. */
const recordUse = `update mcp_bearer_keys set use_count = use_count + ?,
  last_used_ip = iif(? > coalesce(last_used_at, -1), ?, last_used_ip),
  last_used_at = max(coalesce(last_used_at, -1), ?) where id = ?`

const countUse = `insert into mcp_bearer_uses (day, key_id, count) values (?, ?, ?)
  on conflict (day, key_id) do update set count = count + excluded.count`

const forgetDays = `delete from mcp_bearer_uses where (day, key_id) in
  (select day, key_id from mcp_bearer_uses where day < ? limit ${slice})`

/** Each day of each key is looked up: from one day on there may be a million rows of other keys. */
const findDays = `select key_id, day, count from mcp_bearer_uses
  where day in (select value from json_each(?)) and key_id in (select value from json_each(?))`
