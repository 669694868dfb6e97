import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { sqliteKeyStore } from '../../src/apikeys/stores/sqlite.ts'
import type { SqliteDriver } from '../../src/apikeys/stores/sqlite-driver.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'
import { keyStoreContract } from '../../src/testing/key-store-contract.ts'

/** The package always, and what the runtime brings along where it does. */
const drivers: SqliteDriver[] = ['@photostructure/sqlite']
if (process.getBuiltinModule('node:sqlite')) drivers.push('node:sqlite')

describe.each(drivers)('a SQLite file, by %s', (driver) => {
  const make = async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-sqlite-'))
    const file = join(folder, 'keys.db')
    const clock = fakeClock()
    const store = await sqliteKeyStore(file, { driver, clock })
    const other = await sqliteKeyStore(file, { driver, clock })
    const close = async () => {
      await Promise.all([store.close(), other.close()])
      rmSync(folder, { recursive: true, force: true })
    }
    return { store, other, clock, close }
  }
  for (const { name, run } of keyStoreContract(make)) test(name, run)
})

describe('a SQLite database in memory', () => {
  const make = async () => {
    const store = await sqliteKeyStore(':memory:')
    return { store, close: () => store.close() }
  }
  for (const { name, run } of keyStoreContract(make)) test(name, run)
})
