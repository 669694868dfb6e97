/** What is asked of PostgreSQL. With a name it is prepared once a connection, and only executed from then on. */
export interface Statement {
  readonly text: string
  readonly name?: string
  /** Milliseconds to wait for the answer, where that may take long. Default: those of the settings. */
  readonly patienceMs?: number
}

/**
 * As PostgreSQL writes it. All that goes to the database or comes from it is text: then it does not matter which driver
 * carries it, or which parsers somebody else in this process has set for it.
 */
export type Cell = string | null

/** Rows by the names of their columns. */
export type Row = Readonly<Record<string, Cell>>

/** Asks one question. Rejects with what the driver throws, whatever that is. */
export type Query = (statement: Statement, parameters?: readonly Cell[]) => Promise<readonly Row[]>

/** The little that is needed of a driver of PostgreSQL. */
export interface PostgresDriver {
  readonly query: Query
  /**
   * Runs `work` in one transaction, `read committed` whatever the default of the database is. `undefined`, or an
   * error, undoes all of it.
   */
  transaction<T>(work: (query: Query) => Promise<T | undefined>): Promise<T | undefined>
  /** Listens to a channel on a connection of its own, which no pooler may share. */
  connectListener(channel: string, hear: ListenerEvents): Promise<ListenerConnection>
  /** Lets what was asked end, and closes all but the listeners. */
  close(): Promise<void>
}

/** What a connection that listens tells. */
export interface ListenerEvents {
  readonly notified: () => void
  /** It is gone. Maybe told more than once. */
  readonly lost: () => void
}

/** A connection that listens. */
export interface ListenerConnection {
  /** Rejects when the other end is silent. */
  ping(): Promise<void>
  /** Never rejects, and does not wait for the other end. */
  close(): void
}

/** What both drivers are told. */
export interface DriverSettings {
  readonly url: string
  readonly poolSize: number
  /** Milliseconds to wait for a connection. */
  readonly connectTimeoutMs: number
  /** Milliseconds after which the database gives up on a statement. */
  readonly statementTimeoutMs: number
  /** Whether statements are prepared. */
  readonly prepare: boolean
}

/** The names of the packages. */
export type DriverName = 'pg' | 'postgres'

type DriverLoader = () => Promise<(settings: DriverSettings) => PostgresDriver>

const loaders: Readonly<Record<DriverName, DriverLoader>> = {
  pg: async () => (await import('./postgres-driver-pg.ts')).openPg(),
  postgres: async () => (await import('./postgres-driver-js.ts')).openPostgresJs(),
}

/**
 * Opens the driver of that name, else the one that is installed: `pg` before `postgres`.
 * @throws Error with the npm command, when it is not installed
 */
export async function openDriver(
  settings: DriverSettings,
  name?: DriverName,
  load: Readonly<Record<DriverName, DriverLoader>> = loaders,
): Promise<PostgresDriver> {
  let cause: unknown
  for (const wanted of name === undefined ? (['pg', 'postgres'] as const) : [name]) {
    try {
      return (await load[wanted]())(settings)
    } catch (error) {
      if (!isMissing(error)) throw error
      cause = error
    }
  }
  throw new Error(`PostgreSQL needs a driver; install one: \`npm install ${name ?? 'pg'}\``, { cause })
}

/** How long an answer may take: a little longer than the database itself waits, so that it is the one who says so. */
export function patienceOf({ patienceMs }: Statement, { statementTimeoutMs }: DriverSettings): number {
  return patienceMs ?? statementTimeoutMs + 1000
}

function isMissing(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}
