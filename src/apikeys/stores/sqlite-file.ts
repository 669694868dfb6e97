import { type Clock, stopwatch } from '../../core/clock.ts'
import type { AppliedMigration, Migration, MigrationDialect } from './migration.ts'
import { checksum } from './migration.ts'
import { type SqliteDatabase, type SqliteDriver, sqliteDriver, sqliteQuery } from './sqlite-driver.ts'
import { isBusy, sqliteFailure, sqliteUnavailable } from './sqlite-failure.ts'
import { sqliteMigrationsTable } from './sqlite-schema.ts'
import { inTransaction } from './sqlite-transaction.ts'

/** A database that exists only as long as it is open. */
export const inMemory = ':memory:'
/** Milliseconds to wait for another process that writes. */
const patience = 5000

/**
 * Opens a database for reading and writing, and makes it when it does not exist: readable by its owner only.
 *
 * @param file its path, or `:memory:`
 * @throws AuthError `verifier_unavailable`; Error when there is no SQLite, or no lasting promise can be made with the file
 */
export async function openSqlite(file: string, driver?: SqliteDriver): Promise<SqliteDatabase> {
  const open = await sqliteDriver(driver)
  if (file !== inMemory) await createPrivately(file)
  const database = attempt(() => open(file))
  try {
    attempt(() => database.exec(`pragma busy_timeout = ${patience}`))
    await useLog(database, file)
    // What is acknowledged survives a loss of power. The log is written back less often than by default: pages that many
    // new keys change are then written once and not a dozen times.
    const settings = 'pragma synchronous = full; pragma wal_autocheckpoint = 8000; pragma cache_size = -32000'
    attempt(() => database.exec(settings))
  } catch (error) {
    closeSqlite(database)
    throw error
  }
  return database
}

/**
 * Closes a database. What is in the log goes to the file it belongs in first: the package for Node 20 keeps the connection
 * until its statements are garbage, and the log with it.
 */
export function closeSqlite(database: SqliteDatabase): void {
  try {
    database.exec('pragma busy_timeout = 0; pragma wal_checkpoint(truncate)')
  } catch {
    // Others use it, or nothing can be written: whoever opens it next reads the log, and nothing is lost.
  }
  database.close()
}

/** Whether a database is there already. */
export async function sqliteExists(file: string): Promise<boolean> {
  const { existsSync } = await import('node:fs')
  return file !== inMemory && existsSync(file)
}

/** Runs what only SQLite can make fail. */
function attempt<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw sqliteFailure(error)
  }
}

/**
 * SQLite gives the files beside it, which hold the same, the permissions of the database itself. A file that exists is
 * not even opened here: to close it again would drop the locks this process holds on it through SQLite
 * (https://www.sqlite.org/howtocorrupt.html section 2.2).
 */
async function createPrivately(file: string): Promise<void> {
  const [{ closeSync, existsSync, mkdirSync, openSync }, { dirname }] = await Promise.all([
    import('node:fs'),
    import('node:path'),
  ])
  if (existsSync(file)) return
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Made by another process meanwhile. A link that leads nowhere exists as well, and SQLite would make its target.
    if (code === 'EEXIST' && existsSync(file)) return
    throw sqliteUnavailable(`the file cannot be made (${code})`)
  }
}

/**
 * Readers do not wait for writers then. Two processes that do this to a new file at the same time are told at once that
 * it is busy, whatever the timeout: SQLite does not wait where two could wait for each other.
 */
async function useLog(database: SqliteDatabase, file: string): Promise<void> {
  const begun = stopwatch()
  for (;;) {
    try {
      const mode = sqliteQuery(database, 'pragma journal_mode = wal').one()?.[0]
      if (mode === 'wal' || (mode === 'memory' && file === inMemory)) return
      throw sqliteUnavailable('the file system cannot keep a write-ahead log; use a local disk')
    } catch (error) {
      if (!isBusy(error) || stopwatch() - begun > patience) throw sqliteFailure(error)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** How SQLite keeps its schema. */
export function sqliteDialect(database: SqliteDatabase, clock: Clock): MigrationDialect {
  const applied = (): readonly AppliedMigration[] => {
    const table = "select 1 as found from sqlite_schema where name = 'mcp_bearer_migrations'"
    if (sqliteQuery(database, table).one() === undefined) return []
    const rows = 'select version, name, sha256 from mcp_bearer_migrations order by version'
    return sqliteQuery(database, rows)
      .all()
      .map(([version, name, sha256]) => ({ version, name, sha256 }) as AppliedMigration)
  }
  return {
    applied: () => attempt(applied),
    upgrade(missing) {
      let refusal: unknown
      const done = attempt(() =>
        inTransaction(database, () => {
          database.exec(sqliteMigrationsTable)
          const found = applied()
          let steps: readonly Migration[]
          try {
            steps = missing(found)
          } catch (error) {
            // No failure of the database: it is one that must not be used.
            refusal = error
            return false
          }
          return apply(database, steps, clock())
        }),
      )
      if (done === false) throw refusal
    },
  }
}

function apply(database: SqliteDatabase, steps: readonly Migration[], now: number): readonly Migration[] {
  const note = database.prepare('insert into mcp_bearer_migrations values (?, ?, ?, ?)')
  for (const step of steps) {
    for (const sql of step.sql) database.exec(sql)
    note.run(step.version, step.name, checksum(step), Math.floor(now))
  }
  return steps
}
