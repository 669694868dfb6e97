import { type Clock, systemClock } from '../../core/clock.ts'
import { checkOptions } from '../../core/options.ts'
import type { AuditEntry, AuditQuery } from '../audit-event.ts'
import type { KeyChanges, KeyQuery, KeyStore, KeyUse, PruneLimits } from '../key-store.ts'
import { changeListeners } from './change-listeners.ts'
import { checkMigrated, type MigrationReport, migrate } from './migration.ts'
import { sqliteAudit } from './sqlite-audit.ts'
import { sqliteChanges } from './sqlite-changes.ts'
import { sqliteCommit } from './sqlite-commit.ts'
import { sqliteCounters } from './sqlite-counters.ts'
import type { SqliteDatabase, SqliteDriver } from './sqlite-driver.ts'
import { sqliteFailure, sqliteUnavailable } from './sqlite-failure.ts'
import { closeSqlite, openSqlite, sqliteDialect, sqliteExists } from './sqlite-file.ts'
import { sqliteKeys } from './sqlite-keys.ts'
import { sqlitePrune } from './sqlite-prune.ts'
import { sqliteRevocations } from './sqlite-revocations.ts'
import { sqliteMigrations } from './sqlite-schema.ts'
import { inTransaction } from './sqlite-transaction.ts'
import { sqliteUses } from './sqlite-uses.ts'
import { readDaysAsked } from './use-days.ts'

/** How {@link sqliteKeyStore} keeps keys. */
export interface SqliteKeyStoreOptions {
  /** The time, in milliseconds since 1970; that of the database, which is on this machine. Default: the clock of this machine. */
  readonly clock?: Clock
  /** Whether to make the tables, or to bring them up to date. Without it, a database that is not is refused. Default: true. */
  readonly migrate?: boolean
  /** Which SQLite: the runtime's own, or the package. Default: the runtime's own where it has one. */
  readonly driver?: SqliteDriver
}

/**
 * A {@link KeyStore} in a SQLite file: for one machine, and any number of processes on it. Needs Node 22.13 or newer, Bun,
 * Deno, or the package `@photostructure/sqlite`.
 *
 * The file is made when it does not exist, readable by its owner only (0600), and so are the `-wal` and `-shm` files beside
 * it that SQLite keeps. One that exists keeps the permissions it has. Copy all three together, or only while no process
 * has it open. Never put it on a network file system. What was committed survives a loss of power (`synchronous=full`);
 * whoever writes waits up to 5 seconds for another process that does.
 *
 * @param file path of the database, or `:memory:` for one that nobody else sees and that ends with the store
 * @throws TypeError when an option is wrong
 * @throws AuthError `verifier_unavailable` when the file cannot be opened, is no database, or stays locked
 * @throws Error saying what to do, when there is no SQLite, or the database was made by a newer version of this package
 *
 * @example
 * ```ts
 * import { apiKeys, sqliteKeyStore } from 'mcp-bearer/keys'
 *
 * const keys = apiKeys({ store: await sqliteKeyStore('keys.db') })
 * const { key } = await keys.create({ name: 'CI', owner: 'alice@example.com', scopes: ['files:read'] })
 * ```
 */
export async function sqliteKeyStore(file: string, options: SqliteKeyStoreOptions = {}): Promise<KeyStore> {
  checkFile('sqliteKeyStore', file)
  checkOptions('sqliteKeyStore', options, ['clock', 'migrate', 'driver'])
  const { clock = systemClock, migrate: isMigrated = true, driver } = options
  if (typeof clock !== 'function') throw new TypeError('sqliteKeyStore: clock must be a function')
  if (typeof isMigrated !== 'boolean') throw new TypeError('sqliteKeyStore: migrate must be true or false')
  if (driver !== undefined && driver !== 'node:sqlite' && driver !== '@photostructure/sqlite') {
    throw new TypeError('sqliteKeyStore: driver must be "node:sqlite" or "@photostructure/sqlite"')
  }
  const database = await openSqlite(file, driver)
  try {
    const dialect = sqliteDialect(database, clock)
    await (isMigrated ? migrate(dialect, sqliteMigrations) : checkMigrated(dialect, sqliteMigrations))
    return keyStoreOver(database, () => Math.floor(clock()))
  } catch (error) {
    closeSqlite(database)
    throw error
  }
}

/**
 * Makes the tables of a SQLite file, or brings them up to date.
 *
 * @param dryRun says what would be done, and does nothing: a file that does not exist is not made
 * @throws as {@link sqliteKeyStore}
 */
export async function migrateSqlite(
  file: string,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<MigrationReport> {
  checkFile('migrateSqlite', file)
  if (dryRun && !(await sqliteExists(file))) {
    return migrate({ applied: () => [], upgrade() {} }, sqliteMigrations, true)
  }
  const database = await openSqlite(file)
  try {
    return await migrate(sqliteDialect(database, systemClock), sqliteMigrations, dryRun)
  } finally {
    closeSqlite(database)
  }
}

/** SQLite takes `file:` for a URL, with options that break promises, and makes its file itself: readable by everybody. */
function checkFile(owner: string, file: unknown): void {
  if (typeof file !== 'string' || file === '' || file.includes('\0') || file.startsWith('file:')) {
    throw new TypeError(`${owner}: file must be the path of a file, or ":memory:"`)
  }
}

function keyStoreOver(database: SqliteDatabase, time: Clock): KeyStore {
  const keys = sqliteKeys(database)
  const uses = sqliteUses(database)
  const audit = sqliteAudit(database)
  const changes = sqliteChanges(database)
  const revocations = sqliteRevocations(database)
  const commit = sqliteCommit(database, { keys, audit, changes, revocations })
  const pour = sqliteCounters(database)
  const prune = sqlitePrune(database)
  const listeners = changeListeners()
  let isClosed = false

  /** A question. SQLite answers at once; only what is promised about failures takes a function around it. */
  const step =
    <Given extends unknown[], Found>(run: (...given: Given) => Found | Promise<Found>) =>
    async (...given: Given): Promise<Found> => {
      if (isClosed) throw sqliteUnavailable('the key store is closed')
      try {
        return await run(...given)
      } catch (error) {
        throw sqliteFailure(error)
      }
    }

  return {
    time,
    find: step((id: string) => keys.find(id)),
    list: step((query: KeyQuery) => keys.list(query)),
    commit: step((wanted: KeyChanges) => {
      const told = commit(wanted, time())
      if (told) listeners.tell(told)
      return told !== undefined
    }),
    recordUses: step((told: readonly KeyUse[]) => uses.record(told, time())),
    usesByDay: step((ids: readonly string[], since: string) => uses.byDay(readDaysAsked(ids, since, time()))),
    takeUses: step((id: string, wanted: number) => keys.takeUses(id, wanted)),
    appendAudit: step((entries: readonly AuditEntry[]) => {
      if (entries.length === 0) return
      inTransaction(database, () => audit.append(entries, time()))
    }),
    readAudit: step((query: AuditQuery) => audit.read(query)),
    changes: step((cursor: string | undefined) => changes.since(cursor)),
    onChange: (changed) => listeners.add(changed),
    revocations: step(() => revocations.all(time())),
    pour: step((name: string, amount: number, capacity: number) => pour(name, amount, capacity, time())),
    prune: step(async (limits: PruneLimits) => {
      try {
        return await prune(limits)
      } finally {
        changes.touched()
      }
    }),
    async close() {
      if (isClosed) return
      isClosed = true
      listeners.clear()
      closeSqlite(database)
    },
  }
}
