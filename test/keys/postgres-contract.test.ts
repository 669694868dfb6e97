import pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { postgresKeyStore } from '../../src/apikeys/stores/postgres.ts'
import { type FakeClock, fakeClock } from '../../src/testing/fake-clock.ts'
import { keyStoreContract } from '../../src/testing/key-store-contract.ts'
import { testDatabase } from './postgres-database.ts'

const url = await testDatabase()
const admin = new pg.Client({ connectionString: url })
let schemas = 0

beforeAll(() => admin.connect())
afterAll(() => admin.end())

describe('PostgreSQL through pg, on a clock of the test', () => {
  for (const { name, run } of keyStoreContract(() => make('pg', fakeClock()))) test(name, run)
})

describe('PostgreSQL through postgres, on the clock of the database', () => {
  for (const { name, run } of keyStoreContract(() => make('postgres'))) test(name, run)
})

/** Two nodes on a schema of their own, which is the quickest empty database there is. */
async function make(driver: 'pg' | 'postgres', clock?: FakeClock) {
  schemas++
  const schema = `contract_${schemas}`
  await admin.query(`create schema ${schema}`)
  const at = new URL(url)
  at.searchParams.set('options', `-c search_path=${schema}`)
  const options = { driver, poolSize: 4, ...(clock ? { clock } : {}) }
  const [store, other] = await Promise.all([postgresKeyStore(at, options), postgresKeyStore(at, options)])
  return {
    store,
    other,
    clock,
    async close() {
      await Promise.all([store.close(), other.close()])
      await admin.query(`drop schema ${schema} cascade`)
    },
  }
}
