import type { KeyRecord } from '../key-record.ts'
import type { KeyQuery, KeyUpdate } from '../key-store.ts'
import { checkWanted, pageLimit } from './queries.ts'
import { type SqliteDatabase, type SqliteValue, sqliteQuery } from './sqlite-driver.ts'
import { keyColumns, keyRecord, keyValues, updateKey, updateValues } from './sqlite-rows.ts'
import { inTransaction } from './sqlite-transaction.ts'
import { queriesOf } from './sqlite-where.ts'

/** The table of keys. What writes runs in the caller's transaction, unless it says that it makes one. */
export interface SqliteKeys {
  find(id: string): KeyRecord | undefined
  list(query: KeyQuery): readonly KeyRecord[]
  /** @returns false when there is one with this id */
  add(record: KeyRecord): boolean
  /** @returns false when it is not there with the `rev` the update was made from */
  update(update: KeyUpdate): boolean
  /** In one transaction of its own. */
  takeUses(id: string, wanted: number): number
}

/** A list is as long as it wants in one parameter. */
const anyOfIds = 'id in (select value from json_each(?))'
/** Most keys are a lineage of one, and not in the index. */
const ofLineage =
  'id in (select id from mcp_bearer_keys where lineage_id = ? and lineage_id <> id union all select id from mcp_bearer_keys where id = ? and lineage_id = ?)'

/** Makes {@link SqliteKeys}. */
export function sqliteKeys(database: SqliteDatabase): SqliteKeys {
  const find = sqliteQuery(database, `select ${keyColumns} from mcp_bearer_keys where id = ?`)
  const lists = queriesOf(database, `select ${keyColumns} from mcp_bearer_keys`, 'order by id limit ?')
  const marks = keyColumns.replace(/\w+/g, '?')
  const insert = database.prepare(
    `insert into mcp_bearer_keys (${keyColumns}) values (${marks}) on conflict (id) do nothing`,
  )
  const update = database.prepare(updateKey)
  const left = sqliteQuery(database, 'select usage_limit, usage_left from mcp_bearer_keys where id = ?')
  const take = database.prepare('update mcp_bearer_keys set usage_left = ? where id = ?')

  return {
    find(id) {
      const row = find.one(id)
      return row && keyRecord(row)
    },
    list(query) {
      const limit = pageLimit(query)
      const { ids, ownerId, tenant, lineageId, after } = query
      const matching = lists([
        ids && [anyOfIds, JSON.stringify(ids)],
        ownerId !== undefined && ['owner_id = ?', ownerId],
        tenant !== undefined && ['tenant_id = ?', tenant],
        lineageId !== undefined && [ofLineage, lineageId, lineageId, lineageId],
        after !== undefined && ['id > ?', after],
      ])
      return matching(limit).map(keyRecord)
    },
    add: (record) => changed(insert, keyValues(record)),
    update: ({ record, resetUsage = false }) => changed(update, updateValues(record, resetUsage)),
    takeUses(id, wanted) {
      checkWanted(wanted)
      const taken = inTransaction(database, () => {
        const [limit, before] = (left.one(id) ?? []) as (number | null)[]
        if (typeof limit !== 'number') return false
        const had = before ?? 0
        // What is given back after the limit was set anew must not make it more than the limit.
        const then = Math.min(Math.max(had - wanted, 0), Math.max(limit, had))
        if (then === had) return false
        take.run(then, id)
        return had - then
      })
      return taken === false ? 0 : taken
    },
  }
}

function changed(
  statement: { run(...values: SqliteValue[]): { changes: number | bigint } },
  values: SqliteValue[],
) {
  return Number(statement.run(...values).changes) === 1
}
