/** What a column holds. */
export type SqliteValue = string | number | Uint8Array | null

/** As much of `node:sqlite` as is used here. All of it is synchronous. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

/** A prepared statement. Prepared once, it is run as often as one likes. */
export interface SqliteStatement {
  get(...values: readonly SqliteValue[]): unknown
  all(...values: readonly SqliteValue[]): readonly unknown[]
  run(...values: readonly SqliteValue[]): { readonly changes: number | bigint }
  /** Rows as arrays, which are made faster. Missing in older runtimes. */
  setReturnArrays?(on: boolean): void
}

/** Which implementation of SQLite is used. */
export type SqliteDriver = 'node:sqlite' | '@photostructure/sqlite'

/** Both of them export this. */
interface SqliteModule {
  readonly DatabaseSync: new (file: string) => SqliteDatabase
}

/**
 * Loads SQLite: what the runtime brings along (Node 22.13, Bun 1.4, Deno 2.9 or newer), else the optional peer, which has
 * the same interface.
 *
 * @param driver the one to use; default: the first one that is there
 * @returns what opens a file
 * @throws Error saying what to install, when there is none
 */
export async function sqliteDriver(driver?: SqliteDriver): Promise<(file: string) => SqliteDatabase> {
  const found =
    (driver === '@photostructure/sqlite' ? undefined : builtIn()) ??
    (driver === 'node:sqlite' ? undefined : await peer())
  if (found === undefined) {
    throw new Error(
      driver === 'node:sqlite'
        ? 'This runtime has no node:sqlite; use Node 22.13 or newer, or `npm install @photostructure/sqlite`'
        : 'API keys in a file need SQLite: `npm install @photostructure/sqlite`, or use Node 22.13 or newer, which has it built in',
    )
  }
  const { DatabaseSync } = found
  return (file) => new DatabaseSync(file)
}

/** Asked for and not imported: an import of what does not exist is an error that bundlers report. */
function builtIn(): SqliteModule | undefined {
  const { emitWarning } = process
  // Node 22 announces that the module is experimental. Whoever keeps keys has not chosen it, and the tests of this
  // package cover it. Nothing else can run between these lines, so no other warning is lost.
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule?.('node:sqlite') as SqliteModule | undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

async function peer(): Promise<SqliteModule | undefined> {
  try {
    return await import('@photostructure/sqlite')
  } catch (error) {
    // One that is there and cannot be loaded says why itself.
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** The rows of a statement, each as the list of its columns. */
export interface SqliteQuery {
  one(...values: readonly SqliteValue[]): SqliteRow | undefined
  all(...values: readonly SqliteValue[]): readonly SqliteRow[]
}

/** Columns, in the order the statement names them. */
export type SqliteRow = readonly SqliteValue[]

/** Prepares a statement that gives rows. Its columns have different names, none of them a number. */
export function sqliteQuery(database: SqliteDatabase, sql: string): SqliteQuery {
  const statement = database.prepare(sql)
  statement.setReturnArrays?.(true)
  const columns = (row: unknown): SqliteRow =>
    Array.isArray(row) ? row : Object.values(row as Record<string, SqliteValue>)
  return {
    one(...values) {
      const row = statement.get(...values)
      return row === undefined || row === null ? undefined : columns(row)
    },
    all: (...values) => statement.all(...values).map(columns),
  }
}
