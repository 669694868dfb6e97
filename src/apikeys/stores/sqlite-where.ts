import {
  type SqliteDatabase,
  type SqliteQuery,
  type SqliteRow,
  type SqliteValue,
  sqliteQuery,
} from './sqlite-driver.ts'

/** A condition with its parameters; or none, where it was not asked for. */
export type Condition = readonly [sql: string, ...values: SqliteValue[]] | false | undefined

/** Asks for the rows that meet all conditions, at most so many. */
export type ConditionalQuery = (conditions: readonly Condition[]) => (limit: number) => readonly SqliteRow[]

/**
 * A question whose conditions come and go. Each combination is prepared once. There are as many as the code has, since
 * values are parameters and never a part of the SQL.
 */
export function queriesOf(database: SqliteDatabase, select: string, end: string): ConditionalQuery {
  const prepared = new Map<string, SqliteQuery>()
  return (conditions) => {
    const wanted = conditions.filter((one) => one !== undefined && one !== false)
    const where = wanted.map(([condition]) => condition).join(' and ')
    const sql = `${select}${where === '' ? '' : ` where ${where}`} ${end}`
    const query = prepared.get(sql) ?? sqliteQuery(database, sql)
    prepared.set(sql, query)
    return (limit) => query.all(...wanted.flatMap(([, ...values]) => values), limit)
  }
}
