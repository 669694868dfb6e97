import type { Options, PostgresType, Sql, TransactionSql } from 'postgres'
import type {
  Cell,
  DriverSettings,
  ListenerConnection,
  ListenerEvents,
  PostgresDriver,
  Query,
  Row,
  Statement,
} from './postgres-driver.ts'
import { patienceOf } from './postgres-driver.ts'

/** Loads the package `postgres`, and gives what opens it. */
export async function openPostgresJs(): Promise<(settings: DriverSettings) => PostgresDriver> {
  const { default: postgres } = await import('postgres')
  return (settings) => postgresJsDriver(postgres, settings)
}

type Postgres = (url: string, options: Options<Record<string, PostgresType>>) => Sql

function postgresJsDriver(postgres: Postgres, settings: DriverSettings): PostgresDriver {
  const open = () => postgres(settings.url, poolOptions(settings))
  let sql = open()
  let isClosed = false

  /** The package waits for ever for a server that is silent: then all its connections go, and new ones are made. */
  const renew = (silent: Sql) => {
    if (silent !== sql || isClosed) return
    sql = open()
    void silent.end({ timeout: 0 }).catch(ignore)
  }
  const asking = (asked: Pick<Sql, 'unsafe'>, pool: Sql): Query => {
    return (statement: Statement, parameters: readonly Cell[] = []) => {
      const prepare = statement.name !== undefined && settings.prepare
      const answer = asked.unsafe<Row[]>(statement.text, [...parameters], { prepare })
      return within(patienceOf(statement, settings), answer, () => renew(pool))
    }
  }

  return {
    query: (statement, parameters) => asking(sql, sql)(statement, parameters),
    transaction: (work) => {
      const pool = sql
      return transaction(pool, (one) => work(asking(one, pool)))
    },
    connectListener: (channel, hear) => connectListener(postgres, settings, channel, hear),
    async close() {
      isClosed = true
      await sql.end({ timeout: settings.statementTimeoutMs / 1000 })
    },
  }
}

const undone = Symbol('undone')

async function transaction<T>(
  pool: Sql,
  work: (sql: Pick<TransactionSql, 'unsafe'>) => Promise<T | undefined>,
): Promise<T | undefined> {
  // What is asked on a connection that was lost would go to the next one, without a transaction around it.
  let isOver = false
  try {
    const done = await pool.begin('isolation level read committed', async (sql) => {
      const unsafe: TransactionSql['unsafe'] = (...asked) => {
        if (isOver) throw new Error('The connection was lost in a transaction')
        return sql.unsafe(...asked)
      }
      const result = await work({ unsafe })
      if (isOver) throw new Error('The connection was lost in a transaction')
      if (result === undefined) throw undone
      return { result }
    })
    return (done as { result: T }).result
  } catch (error) {
    isOver = true
    if (error === undone) return undefined
    throw error
  }
}

async function connectListener(
  postgres: Postgres,
  settings: DriverSettings,
  channel: string,
  { notified, lost }: ListenerEvents,
): Promise<ListenerConnection> {
  // `sql.listen` would reconnect by itself, but does not notice a connection that is silent.
  const own = { onnotify: notified, onclose: lost, max: 1, idle_timeout: 0, max_lifetime: null }
  const sql = postgres(settings.url, { ...connectionOptions(settings), ...own })
  const close = () => void sql.end({ timeout: 0 }).catch(ignore)
  const ask = async (text: string) => {
    await within(settings.connectTimeoutMs, sql.unsafe(text), ignore)
  }
  try {
    await ask(`listen ${channel}`)
  } catch (error) {
    close()
    throw error
  }
  return { ping: () => ask('select 1'), close }
}

function poolOptions(settings: DriverSettings): Options<Record<string, PostgresType>> {
  return {
    ...connectionOptions(settings),
    max: settings.poolSize,
    // A process that has nothing else to do may end.
    idle_timeout: 10,
    connection: { statement_timeout: settings.statementTimeoutMs },
  }
}

function connectionOptions({ url, connectTimeoutMs }: DriverSettings): Options<Record<string, PostgresType>> {
  const connectTimeout = connectTimeoutMs / 1000
  return {
    connect_timeout: connectTimeout,
    // Whoever asks is told at once that the database is not there, and not after a wait that grows.
    backoff: () => 0,
    fetch_types: false,
    onnotice: ignore,
    types: { text: textOnly },
    ...(url.includes('keep_alive') ? {} : { keep_alive: 30 }),
  }
}

/** Every type this package knows how to parse, left as text. */
const textOnly: PostgresType = {
  to: 25,
  from: [16, 17, 20, 21, 23, 26, 114, 700, 701, 1082, 1114, 1184, 3802],
  serialize: (text: unknown) => text,
  parse: (text: unknown) => text,
}

function within<T>(milliseconds: number, answer: Promise<T>, late: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      late()
      reject(new Error(`PostgreSQL has not answered within ${milliseconds} ms`))
    }, milliseconds)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function ignore(): void {}
