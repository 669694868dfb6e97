import type { StoredRevocation } from '../key-store.ts'
import { mergedRevocation } from './revocation-merge.ts'
import { type SqliteDatabase, type SqliteRow, sqliteQuery } from './sqlite-driver.ts'

/** The table of revoked JWTs. */
export interface SqliteRevocations {
  /** Runs in the caller's transaction. */
  revoke(revocation: StoredRevocation): void
  /** Those that are not over. */
  all(now: number): readonly StoredRevocation[]
}

/** Makes {@link SqliteRevocations}. */
export function sqliteRevocations(database: SqliteDatabase): SqliteRevocations {
  const columns = 'name, kind, cut_off, until'
  const find = sqliteQuery(database, `select ${columns} from mcp_bearer_revocations where name = ?`)
  const current = sqliteQuery(
    database,
    `select ${columns} from mcp_bearer_revocations where until is null or until >= ?`,
  )
  const replace = database.prepare(
    `insert or replace into mcp_bearer_revocations (${columns}) values (?, ?, ?, ?)`,
  )

  return {
    revoke(revocation) {
      const row = find.one(revocation.name)
      const { name, kind, cutOff = null, until = null } = mergedRevocation(row && stored(row), revocation)
      replace.run(name, kind, cutOff, until)
    },
    all: (now) => current.all(now).map(stored),
  }
}

function stored([name, kind, cutOff, until]: SqliteRow): StoredRevocation {
  return {
    name: name as string,
    kind: kind as StoredRevocation['kind'],
    ...(cutOff === null ? {} : { cutOff: cutOff as number }),
    ...(until === null ? {} : { until: until as number }),
  }
}
