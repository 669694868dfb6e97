import { AuthError } from '../../core/errors.ts'
import type { PostgresDriver, Query } from './postgres-driver.ts'
import { isConflict, storeError } from './postgres-errors.ts'

/** How often a transaction is tried that others got in the way of. */
const attempts = 5

/**
 * A driver whose errors may be told to anybody, that tries again what got in the way of another transaction, and that is
 * closed for good: nothing is asked afterwards.
 */
export function guarded(driver: PostgresDriver, url: string): PostgresDriver {
  let closed: Promise<void> | undefined
  const told = (error: unknown) => (closed ? closedError() : storeError(error, url))
  const query: Query = async (statement, parameters) => {
    if (closed) throw closedError()
    try {
      return await driver.query(statement, parameters)
    } catch (error) {
      throw told(error)
    }
  }

  return {
    query,
    async transaction(work) {
      for (let attempt = 1; ; attempt++) {
        if (closed) throw closedError()
        const failures = new Set<unknown>()
        try {
          return await driver.transaction((ask) => marking(work(noting(ask, failures)), failures))
        } catch (error) {
          if (error instanceof Own) throw error.error
          if (!isConflict(error) || attempt === attempts) throw told(error)
        }
      }
    },
    connectListener: (channel, hear) => driver.connectListener(channel, hear),
    close() {
      closed ??= driver.close().catch(() => {})
      return closed
    },
  }
}

/** What the code in a transaction threw, and not the database. */
class Own {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

/** Notes the errors that are of the database. */
function noting(query: Query, failures: Set<unknown>): Query {
  return async (statement, parameters) => {
    try {
      return await query(statement, parameters)
    } catch (error) {
      failures.add(error)
      throw error
    }
  }
}

async function marking<T>(work: Promise<T>, failures: ReadonlySet<unknown>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw failures.has(error) ? error : new Own(error)
  }
}

/** What everything rejects with that is asked of a store that was closed. */
export function closedError(): AuthError {
  return new AuthError('verifier_unavailable', 'The key store is closed')
}
