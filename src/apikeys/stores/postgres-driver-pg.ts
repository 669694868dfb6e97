import type { Client, ClientConfig, PoolConfig, QueryConfig } from 'pg'
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

/** Loads the package `pg`, and gives what opens it. */
export async function openPg(): Promise<(settings: DriverSettings) => PostgresDriver> {
  // By its default export: version 8 had no other for long.
  const { default: pg } = await import('pg')
  return (settings) => pgDriver(pg, settings)
}

interface Pg {
  readonly Client: new (config: ClientConfig) => Client
  readonly Pool: typeof import('pg').Pool
}

function pgDriver({ Client, Pool }: Pg, settings: DriverSettings): PostgresDriver {
  const pool = new Pool(poolConfig(settings))
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', ignore)

  return {
    query: asking(pool, settings),
    async transaction(work) {
      const client = await pool.connect()
      client.on('error', ignore)
      // Until it has ended well: a connection in an unknown state goes, and with it what is not committed.
      let isBroken = true
      try {
        const query = asking(client, settings)
        await query({ text: 'begin isolation level read committed' })
        const done = await work(query)
        await query({ text: done === undefined ? 'rollback' : 'commit' })
        isBroken = false
        return done
      } finally {
        client.off('error', ignore)
        client.release(isBroken)
      }
    },
    connectListener: (channel, hear) => connectListener(new Client(listenerConfig(settings)), channel, hear),
    close: () => pool.end(),
  }
}

interface Asked {
  query(config: QueryConfig & { query_timeout: number }): Promise<{ rows: Row[] }>
}

function asking(asked: unknown, settings: DriverSettings): Query {
  const target = asked as Asked
  return async (statement: Statement, parameters: readonly Cell[] = []) => {
    const { text, name } = statement
    const { rows } = await target.query({
      text,
      values: [...parameters],
      ...(name !== undefined && settings.prepare ? { name } : {}),
      query_timeout: patienceOf(statement, settings),
    })
    return rows
  }
}

async function connectListener(
  client: Client,
  channel: string,
  { notified, lost }: ListenerEvents,
): Promise<ListenerConnection> {
  client.on('error', lost)
  client.on('end', lost)
  client.on('notification', notified)
  // Nothing waits for the goodbye of a server that may be gone.
  const close = () => void client.end().catch(ignore)
  try {
    await client.connect()
    await client.query(`listen ${channel}`)
  } catch (error) {
    close()
    throw error
  }
  return {
    async ping() {
      await client.query('select 1')
    },
    close,
  }
}

function poolConfig(settings: DriverSettings): PoolConfig {
  return {
    ...connectionConfig(settings),
    max: settings.poolSize,
    statement_timeout: settings.statementTimeoutMs,
    // A process that has nothing else to do may end.
    allowExitOnIdle: true,
  }
}

function listenerConfig(settings: DriverSettings): ClientConfig {
  return { ...connectionConfig(settings), query_timeout: settings.connectTimeoutMs }
}

function connectionConfig({ url, connectTimeoutMs }: DriverSettings): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    types: { getTypeParser: () => (text: unknown) => text } as NonNullable<ClientConfig['types']>,
  }
}

function ignore(): void {}
