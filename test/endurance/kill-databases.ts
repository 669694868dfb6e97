import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type SqliteValue, sqliteDriver } from '../../src/apikeys/stores/sqlite-driver.ts'
import { createDatabase } from '../keys/postgres-server.ts'

/** Databases for programs that are killed. */
export interface Databases {
  /** An empty one, as `openKeyStore` takes it. */
  create(): Promise<string>
  /** Resolves when nobody does anything in it any more: what was sent before a kill may be done after it. */
  settled(db: string): Promise<void>
  /** How often each key is in the log of changes. */
  told(db: string): Promise<ReadonlyMap<string, number>>
  /** The tables and indexes in it, as text, and the migrations it remembers. */
  schema(db: string): Promise<string>
  close(): Promise<void>
}

const toldQuery = `select ref, count(*) as count from mcp_bearer_changes where topic = 'key' group by ref`
const migrationsQuery = 'select version, sha256 from mcp_bearer_migrations order by version'

/** Databases in files of a folder of their own. */
export function sqliteDatabases(): Databases {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-endurance-'))
  let made = 0
  const rows = async (db: string, sql: string): Promise<Record<string, SqliteValue>[]> => {
    const database = (await sqliteDriver())(db)
    try {
      return database.prepare(sql).all() as Record<string, SqliteValue>[]
    } finally {
      database.close()
    }
  }
  return {
    create: async () => join(folder, `${++made}.db`),
    // The lock of a process goes with it.
    settled: async () => {},
    told: async (db) => counts(await rows(db, toldQuery)),
    async schema(db) {
      const tables = await rows(db, 'select name, sql from sqlite_master order by type, name')
      const heads = await rows(db, 'select count(*) as heads from mcp_bearer_state')
      return JSON.stringify([tables, heads, await rows(db, migrationsQuery)])
    },
    async close() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Databases on a server. */
export function postgresDatabases(url: string): Databases {
  const admin = new pg.Pool({ connectionString: url, max: 4 })
  admin.on('error', () => {})
  const rows = async (db: string, sql: string) => {
    const client = new pg.Client({ connectionString: db })
    await client.connect()
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }
  return {
    create: () => createDatabase(url),
    async settled(db) {
      const busy = `select count(*)::int as count from pg_stat_activity where datname = $1`
      while ((await admin.query(busy, [new URL(db).pathname.slice(1)])).rows[0].count > 0);
    },
    told: async (db) => counts(await rows(db, toldQuery)),
    async schema(db) {
      const columns = await rows(
        db,
        `select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
         where table_schema = 'public' order by 1, 2`,
      )
      const indexes = await rows(db, `select indexdef from pg_indexes where schemaname = 'public' order by 1`)
      const heads = await rows(db, 'select count(*) as heads from mcp_bearer_head')
      return JSON.stringify([columns, indexes, heads, await rows(db, migrationsQuery)])
    },
    close: () => admin.end(),
  }
}

function counts(rows: readonly Record<string, unknown>[]): ReadonlyMap<string, number> {
  return new Map(rows.map(({ ref, count }) => [String(ref), Number(count)]))
}
