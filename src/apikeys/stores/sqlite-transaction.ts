import type { SqliteDatabase } from './sqlite-driver.ts'

/** Does the work in one transaction, which nobody else writes during. It is undone when the work gives `false`, or throws. */
export function inTransaction<T>(database: SqliteDatabase, work: () => T | false): T | false {
  // Deferred, it would fail in the middle when somebody else has written since it read.
  database.exec('begin immediate')
  try {
    const done = work()
    database.exec(done === false ? 'rollback' : 'commit')
    return done
  } catch (error) {
    undo(database)
    throw error
  }
}

/** Reads of one state of the database, whatever others write meanwhile. */
export function inSnapshot<T>(database: SqliteDatabase, read: () => T): T {
  database.exec('begin')
  try {
    return read()
  } finally {
    undo(database)
  }
}

function undo(database: SqliteDatabase): void {
  try {
    database.exec('rollback')
  } catch {
    // SQLite has done so itself: what went wrong before says why.
  }
}
