import { AuthError } from '../../core/errors.ts'

/** What SQLite's result codes mean (https://www.sqlite.org/rescode.html). Its own messages may name files. */
const meanings: ReadonlyMap<number, string> = new Map([
  [5, 'another process keeps the database locked'],
  [6, 'the database is locked'],
  [7, 'out of memory'],
  [8, 'the database is read-only'],
  [10, 'reading or writing the file failed'],
  [11, 'the file is damaged'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
  [15, 'another process keeps the database locked'],
  [23, 'access is denied'],
  [26, 'the file is no database'],
])

/** SQLITE_BUSY */
const busy = 5

/** Whether it failed only because somebody else writes. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === busy
}

/**
 * What to throw when a database fails: whether a key is good cannot be told. Misuse, which is a `TypeError`, stays what it is.
 * Nothing of what the database said is passed on but its code: it may name files, and hold what is stored in them.
 */
export function sqliteFailure(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof AuthError) return error
  const code = resultCode(error)
  if (code !== undefined)
    return sqliteUnavailable(`${meanings.get(code) ?? 'an error'} (result code ${code})`)
  // The package for Node 20 leaves the number out of what fails while many rows are read.
  const isSqlite = error instanceof Error && Reflect.get(error, 'code') === 'ERR_SQLITE_ERROR'
  return sqliteUnavailable(isSqlite ? 'reading rows failed' : 'what was read makes no sense')
}

/** The same, for what is found out without an error. */
export function sqliteUnavailable(reason: string): AuthError {
  return new AuthError('verifier_unavailable', 'The key database cannot be used right now', {
    cause: new Error(`SQLite: ${reason}`),
  })
}

/** The primary result code: the lower byte of the extended one. */
function resultCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
