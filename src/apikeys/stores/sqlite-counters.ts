import type { Poured } from '../../core/counters.ts'
import { checkPour } from './queries.ts'
import { type SqliteDatabase, sqliteQuery } from './sqlite-driver.ts'
import { inTransaction } from './sqlite-transaction.ts'

/** Milliseconds in which a full bucket leaks out. */
const minute = 60_000
/** Less than any amount, and more than what is lost in adding fractions. */
const rounding = 1e-6

/** Pours into a bucket of the database, in a transaction of its own. See {@link SharedCounters}. */
export type SqliteCounters = (name: string, amount: number, capacity: number, now: number) => Poured

/** Makes {@link SqliteCounters}. */
export function sqliteCounters(database: SqliteDatabase): SqliteCounters {
  const find = sqliteQuery(database, 'select level, at from mcp_bearer_counters where bucket = ?')
  const write = database.prepare('insert or replace into mcp_bearer_counters values (?, ?, ?)')
  const sweep = database.prepare('delete from mcp_bearer_counters where at <= ?')
  let swept = Number.NEGATIVE_INFINITY

  return (name, amount, capacity, now) => {
    checkPour(amount, capacity)
    const poured = inTransaction(database, () => {
      // A bucket nobody pours into for a minute is empty, which is the same as none.
      if (now - swept >= minute || now < swept) {
        sweep.run(now - minute)
        swept = now
      }
      const [level = 0, at = now] = (find.one(name) ?? []) as number[]
      const before = leaked(level, now - at, capacity)
      const isPoured = before + amount <= capacity + rounding
      const after = isPoured ? before + amount : before
      write.run(name, after, now)
      return { isPoured, level: after }
    })
    return poured as Poured
  }
}

/** What is left in a bucket. One that got smaller lost what it cannot hold; a clock that was set back lets nothing leak. */
function leaked(level: number, elapsed: number, capacity: number): number {
  return Math.max(0, Math.min(level, capacity) - (Math.max(0, elapsed) * capacity) / minute)
}
