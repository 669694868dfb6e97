import type { Clock } from '../../core/clock.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import type { Change, KeyStore } from '../key-store.ts'
import { checkMigrated, type MigrationReport, migrate } from './migration.ts'
import { changesSince } from './postgres-changes.ts'
import { databaseClock } from './postgres-clock.ts'
import { channel, record, writeChanges } from './postgres-commit.ts'
import {
  type DriverName,
  type DriverSettings,
  openDriver,
  type PostgresDriver,
  type Query,
} from './postgres-driver.ts'
import { finder } from './postgres-find.ts'
import { closedError, guarded } from './postgres-guard.ts'
import { type Listener, listener } from './postgres-listener.ts'
import {
  dropEmptyBuckets,
  listKeys,
  pour,
  prune,
  readAudit,
  readRevocations,
  takeUses,
} from './postgres-queries.ts'
import { numberCell } from './postgres-rows.ts'
import { migrations, postgresDialect } from './postgres-schema.ts'
import { forgetDays, readDays, recordUses } from './postgres-uses.ts'
import { checkAudited } from './queries.ts'
import { dayOf, readDaysAsked } from './use-days.ts'

/** How {@link postgresKeyStore} uses the database. */
export interface PostgresKeyStoreOptions {
  /** The package that talks to it: `pg` 8, or `postgres` 3.4. Default: `pg` where it is installed, else `postgres`. */
  readonly driver?: DriverName
  /** Whether the schema is brought up to date. When not, an older one is an error. Default: true. */
  readonly migrate?: boolean
  /** Connections that are open at the most; one more listens. 1 to 1000. Default: 10. */
  readonly poolSize?: number
  /** Milliseconds to wait for a connection. 1 to 600,000. Default: 5000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds after which a statement is given up. 1 to 600,000. Default: 5000. */
  readonly statementTimeoutMs?: number
  /** Whether statements are prepared; not to be, through poolers that cannot hand them on. Default: true. */
  readonly prepare?: boolean
  /** The time in place of that of the database, for tests. */
  readonly clock?: Clock
}

/**
 * A {@link KeyStore} in PostgreSQL 14 or newer, for any number of nodes. Needs the package `pg` or `postgres`. Its tables
 * are named `mcp_bearer_…`, in the first schema of the `search_path`; its messages to other nodes go by
 * `LISTEN`/`NOTIFY`, on a connection of its own, which must not go through a pooler of transactions. Without that nodes
 * still tell each other, within a second.
 *
 * @param url such as `postgres://user:password@host:5432/database?sslmode=verify-full`; what may stand in it is said by
 *   the driver
 * @throws TypeError when the URL or an option is not right; the URL is not repeated
 * @throws AuthError `verifier_unavailable` when the database cannot be reached
 * @throws Error with the npm command when there is no driver, or when the schema is one of a newer version
 *
 * @example
 * ```ts
 * import { apiKeys, postgresKeyStore } from 'mcp-bearer/keys'
 *
 * const store = await postgresKeyStore('postgres://keys@db.internal/keys')
 * const keys = apiKeys({ store })
 * const { key } = await keys.create({ name: 'CI', owner: 'alice@example.com', scopes: ['files:read'] })
 * ```
 */
export async function postgresKeyStore(
  url: string | URL,
  options: PostgresKeyStoreOptions = {},
): Promise<KeyStore> {
  const { settings, clock, isMigrated, driverName } = readOptions(url, options)
  const driver = guarded(await openDriver(settings, driverName), settings.url)
  try {
    const dialect = postgresDialect(driver)
    await (isMigrated ? migrate(dialect, migrations) : checkMigrated(dialect, migrations))
    const store = keyStoreOver(driver, clock)
    // Knows the time, before anybody asks.
    await store.changes(undefined)
    return store
  } catch (error) {
    await driver.close()
    throw error
  }
}

/**
 * Brings the schema of a database up to date, as {@link postgresKeyStore} does at its start. Nodes may do so at the same
 * time, and go on working with the schema before while it lasts.
 *
 * @param options.dryRun only says what would be done. Default: false
 * @throws the same as {@link postgresKeyStore}
 */
export async function migratePostgres(
  url: string | URL,
  options: { readonly dryRun?: boolean; readonly driver?: DriverName } = {},
): Promise<MigrationReport> {
  checkOptions('migratePostgres', options, ['dryRun', 'driver'])
  const { dryRun = false, ...others } = options
  const { settings, driverName } = readOptions(url, others)
  const driver = guarded(await openDriver(settings, driverName), settings.url)
  try {
    return await migrate(postgresDialect(driver), migrations, dryRun)
  } finally {
    await driver.close()
  }
}

/** After so many pours somebody looks for buckets that are empty. */
const poursBetweenSweeps = 1000

function keyStoreOver(driver: PostgresDriver, clock: Clock | undefined): KeyStore {
  const { query } = driver
  const databaseTime = databaseClock()
  /** The time as a parameter: null, and the database takes its own. */
  const now = () => numberCell(clock?.())
  const time = clock ? () => clock() : databaseTime.time
  const tidyDays = daysTidier(query)
  const tellers = new Set<(change: Change) => void>()
  const hints = sharedHints(driver)
  let pours = 0
  let closed: Promise<void> | undefined

  return {
    time,
    find: finder(query, databaseTime),
    list: (asked) => listKeys(query, asked),
    async commit(changes) {
      checkAudited(changes)
      const done = await driver.transaction((ask) => writeChanges(ask, changes, now()))
      for (const change of done ?? []) tell(tellers, change)
      return done !== undefined
    },
    recordUses: (uses) => recordUses(query, uses).then(() => tidyDays(time())),
    usesByDay: async (ids, since) => readDays(query, readDaysAsked(ids, since, time())),
    takeUses: (id, wanted) => takeUses(query, id, wanted),
    async appendAudit(entries) {
      if (entries.length === 0) return
      await driver.transaction(async (ask) => {
        await record(ask, entries, [], now())
        return true
      })
    },
    readAudit: (asked) => readAudit(query, asked),
    changes: (cursor) => changesSince(query, databaseTime, cursor),
    async listen(hint) {
      if (closed) throw closedError()
      return await hints.listen(hint)
    },
    onChange(changed) {
      // Wrapped, so that one who listens twice is told twice, and stops one of them.
      const teller = (change: Change) => changed(change)
      tellers.add(teller)
      return () => void tellers.delete(teller)
    },
    revocations: () => readRevocations(query, now()),
    async pour(name, amount, capacity) {
      const poured = await pour(query, [name, amount, capacity], now())
      pours++
      // In the background, and if it fails another time: an empty bucket is only in the way.
      if (pours % poursBetweenSweeps === 0) void dropEmptyBuckets(query, now()).catch(() => {})
      return poured
    },
    async prune(limits) {
      const counts = await driver.transaction((ask) => prune(ask, limits))
      return counts as NonNullable<typeof counts>
    },
    close() {
      closed ??= Promise.all([hints.close(), driver.close()]).then(() => tellers.clear())
      return closed
    },
  }
}

/** Forgets days of uses that are too old, once a day, in the background; if it fails, another time. */
function daysTidier(query: Query): (now: number) => void {
  let tidied = Number.NEGATIVE_INFINITY
  return (now) => {
    const today = dayOf(now)
    if (tidied === today) return
    tidied = today
    const again = () => {
      tidied = Number.NEGATIVE_INFINITY
    }
    void forgetDays(query, now).then((isMore) => isMore && again(), again)
  }
}

/** One connection that listens, for all who want to hear; it goes with the last of them. */
function sharedHints(driver: PostgresDriver) {
  const hints = new Set<() => void>()
  let listening: Listener | undefined

  const close = async () => {
    hints.clear()
    const ended = listening
    listening = undefined
    await ended?.stop()
  }
  return {
    async listen(hint: () => void): Promise<() => Promise<void>> {
      const mine = () => hint()
      hints.add(mine)
      listening ??= listener(driver, channel, () => {
        for (const each of [...hints]) each()
      })
      await listening.started
      return async () => {
        if (hints.delete(mine) && hints.size === 0) await close()
      }
    },
    close,
  }
}

/** The change is committed, whatever somebody who listens makes of it; and all are told. */
function tell(tellers: ReadonlySet<(change: Change) => void>, change: Change): void {
  for (const teller of [...tellers]) {
    try {
      teller({ ...change })
    } catch {
      // Nobody to tell: to reject would say that nothing was changed.
    }
  }
}

function readOptions(url: unknown, options: PostgresKeyStoreOptions) {
  checkOptions('postgresKeyStore', options, [
    'driver',
    'migrate',
    'poolSize',
    'connectTimeoutMs',
    'statementTimeoutMs',
    'prepare',
    'clock',
  ])
  const { driver: driverName, migrate: isMigrated = true, prepare = true, clock } = options
  if (driverName !== undefined && driverName !== 'pg' && driverName !== 'postgres') {
    throw new TypeError('postgresKeyStore: driver must be "pg" or "postgres"')
  }
  for (const [name, value] of Object.entries({ migrate: isMigrated, prepare })) {
    if (typeof value !== 'boolean') throw new TypeError(`postgresKeyStore: ${name} must be true or false`)
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw new TypeError('postgresKeyStore: clock must be a function')
  }
  const whole = (name: 'poolSize' | 'connectTimeoutMs' | 'statementTimeoutMs', usual: number, most: number) =>
    Math.ceil(numberBetween(`postgresKeyStore: ${name}`, options[name] ?? usual, 1, most))
  const settings: DriverSettings = {
    url: databaseUrl(url),
    prepare,
    poolSize: whole('poolSize', 10, 1000),
    connectTimeoutMs: whole('connectTimeoutMs', 5000, 600_000),
    statementTimeoutMs: whole('statementTimeoutMs', 5000, 600_000),
  }
  return { settings, clock, isMigrated, driverName }
}

/** The text of the URL. It holds a password, so no message repeats it. */
function databaseUrl(url: unknown): string {
  const text = url instanceof URL ? url.href : url
  if (typeof text !== 'string' || !/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) {
    throw new TypeError('postgresKeyStore: url must be a URL such as postgres://user@host:5432/database')
  }
  return text
}
