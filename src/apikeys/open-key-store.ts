import type { Clock } from '../core/clock.ts'
import type { KeyStore } from './key-store.ts'
import { memoryKeyStore } from './stores/memory.ts'
import type { MigrationReport } from './stores/migration.ts'
import { migrateSqlite, sqliteKeyStore } from './stores/sqlite.ts'

/** How {@link openKeyStore} opens whatever it opens. */
export interface OpenKeyStoreOptions {
  /** The time, in milliseconds since 1970. For tests. Default: the time of the database. */
  readonly clock?: Clock
  /** Whether to make the tables, or to bring them up to date. Default: true. */
  readonly migrate?: boolean
}

/**
 * Opens the {@link KeyStore} that a text names: what `--db` and `MCP_BEARER_DB` take.
 *
 * | text | store |
 * |---|---|
 * | `postgres://…`, `postgresql://…` | PostgreSQL; needs the package `pg` or `postgres` |
 * | `keys.db`, `sqlite:keys.db`, `file:///srv/keys.db` | a SQLite file |
 * | `memory:` | the memory of this process |
 *
 * @param db a path, or one of the URLs
 * @throws TypeError when it is something else; the text, which may hold a password, is not repeated
 * @throws what `postgresKeyStore` or `sqliteKeyStore` throw
 *
 * @example
 * ```ts
 * import { apiKeys, openKeyStore } from 'mcp-bearer/keys'
 *
 * const keys = apiKeys({ store: await openKeyStore('keys.db') })
 * ```
 */
export async function openKeyStore(db: string, options: OpenKeyStoreOptions = {}): Promise<KeyStore> {
  const place = await placeOf('openKeyStore', db)
  switch (place.kind) {
    case 'postgres': {
      const { postgresKeyStore } = await import('./stores/postgres.ts')
      return postgresKeyStore(place.url, options)
    }
    case 'sqlite':
      return sqliteKeyStore(place.file, options)
    case 'memory': {
      const { migrate: _nothingToMigrate, ...rest } = options
      return memoryKeyStore(rest)
    }
  }
}

/**
 * Makes the tables of a key database, or brings them up to date. {@link openKeyStore} does so by itself; this is for those
 * who want to see the SQL first, or to run it with the rights of somebody else.
 *
 * @param db as for {@link openKeyStore}
 * @param options `dryRun` says what would be done, and does nothing; default: false
 * @throws as {@link openKeyStore}; Error saying what to do, when the tables were made by a newer version of this package
 *
 * @example
 * ```ts
 * import { migrateKeyStore } from 'mcp-bearer/keys'
 *
 * const { from, to, steps } = await migrateKeyStore('keys.db', { dryRun: true })
 * const sql = steps.flatMap((step) => step.sql)
 * ```
 */
export async function migrateKeyStore(
  db: string,
  options: { readonly dryRun?: boolean } = {},
): Promise<MigrationReport> {
  const place = await placeOf('migrateKeyStore', db)
  switch (place.kind) {
    case 'postgres': {
      const { migratePostgres } = await import('./stores/postgres.ts')
      return migratePostgres(place.url, options)
    }
    case 'sqlite':
      return migrateSqlite(place.file, options)
    case 'memory':
      return { from: 0, to: 0, steps: [] }
  }
}

/** Where keys are. */
type Place =
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'memory' }

/** Two letters at least: `C:\keys.db` is a path. */
const withScheme = /^([a-z][a-z0-9+.-]+):(.*)$/is

async function placeOf(owner: string, db: unknown): Promise<Place> {
  const strange = new TypeError(
    `${owner}: db must be postgres://user:password@host/database, the path of a SQLite file (./keys.db, sqlite:keys.db, file:///srv/keys.db), or memory:`,
  )
  if (typeof db !== 'string' || db.trim() === '' || db.includes('\0')) throw strange
  const [, scheme, rest = ''] = withScheme.exec(db) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return { kind: 'sqlite', file: db }
    case 'postgres':
    case 'postgresql':
      return { kind: 'postgres', url: db }
    case 'memory':
      if (rest !== '') throw strange
      return { kind: 'memory' }
    case 'sqlite': {
      // `sqlite:///srv/keys.db` is absolute; what `sqlite://keys.db` would be, nobody agrees on.
      const file = rest.startsWith('///') ? rest.slice(2) : rest
      if (file === '' || /^(?:\/\/|file:)/.test(file)) throw strange
      return { kind: 'sqlite', file }
    }
    case 'file':
      return { kind: 'sqlite', file: await pathOf(db, strange) }
    default:
      throw strange
  }
}

async function pathOf(url: string, strange: TypeError): Promise<string> {
  const { fileURLToPath } = await import('node:url')
  try {
    return fileURLToPath(url)
  } catch {
    throw strange
  }
}
