import { expect, test } from 'vitest'
import {
  type AppliedMigration,
  checkMigrated,
  checksum,
  type Migration,
  type MigrationDialect,
  migrate,
} from './migration.ts'

const first: Migration = { version: 1, name: 'first', sql: ['create table a (b int)'] }
const second: Migration = { version: 2, name: 'second', sql: ['create table c (d int)', 'drop table a'] }
const known = [first, second]
const remembered = (migration: Migration): AppliedMigration => {
  const { version, name } = migration
  return { version, name, sha256: checksum(migration) }
}

/** A database that remembers what was done to it. */
function database(...applied: AppliedMigration[]) {
  const done: Migration[] = []
  let upgrades = 0
  const dialect: MigrationDialect = {
    applied: () => [...applied],
    upgrade(missing) {
      upgrades += 1
      for (const step of missing([...applied])) {
        done.push(step)
        applied.push(remembered(step))
      }
    },
  }
  return { dialect, done, applied, upgrades: () => upgrades }
}

test('an empty database gets all steps in order, and a second run has nothing to do', async () => {
  const { dialect, done, upgrades } = database()
  expect(await migrate(dialect, known)).toEqual({ from: 0, to: 2, steps: known })
  expect(done).toEqual(known)
  expect(await migrate(dialect, known)).toEqual({ from: 2, to: 2, steps: [] })
  expect(upgrades()).toBe(1)
})

test('only what is missing is done', async () => {
  const { dialect, done } = database(remembered(first))
  expect(await migrate(dialect, known)).toEqual({ from: 1, to: 2, steps: [second] })
  expect(done).toEqual([second])
})

test('a dry run says what would be done, and does nothing', async () => {
  const { dialect, done, upgrades } = database(remembered(first))
  expect(await migrate(dialect, known, true)).toEqual({ from: 1, to: 2, steps: [second] })
  expect([done, upgrades()]).toEqual([[], 0])
})

test('what another process did between the look and the lock is not done again', async () => {
  const { dialect, done, applied } = database()
  const late: MigrationDialect = {
    applied: dialect.applied,
    upgrade(missing) {
      applied.push(remembered(first), remembered(second))
      return dialect.upgrade(missing)
    },
  }
  expect(await migrate(late, known)).toEqual({ from: 2, to: 2, steps: [] })
  expect(done).toEqual([])
})

test('a database of a newer version is refused, and the error says what to do', async () => {
  const newer = remembered({ version: 3, name: 'third', sql: [] })
  const { dialect, upgrades } = database(remembered(first), remembered(second), newer)
  await expect(migrate(dialect, known)).rejects.toThrow(/version 3, .* up to 2; update mcp-bearer/)
  await expect(migrate(dialect, known, true)).rejects.toThrow(/update mcp-bearer/)
  await expect(checkMigrated(dialect, known)).rejects.toThrow(/update mcp-bearer/)
  expect(upgrades()).toBe(0)
})

test('a step that is not what was applied is refused', async () => {
  const changed = { ...remembered(first), sha256: checksum({ ...first, sql: ['create table a (b text)'] }) }
  const { dialect, done } = database(changed)
  await expect(migrate(dialect, known)).rejects.toThrow(/Migration 1 .* not the one this mcp-bearer has/)
  await expect(checkMigrated(dialect, known)).rejects.toThrow(/Migration 1/)
  expect(done).toEqual([])
})

test('a step that is missing in between is refused', async () => {
  await expect(migrate(database(remembered(second)).dialect, known)).rejects.toThrow(
    /Migration 2 .* not the one/,
  )
})

test('the checksum is of the SQL, statement by statement, and not of the name', () => {
  expect(checksum({ ...first, name: 'other' })).toBe(checksum(first))
  expect(checksum({ ...first, sql: ['create table a', ' (b int)'] })).not.toBe(checksum(first))
  expect(checksum({ ...first, version: 2 })).not.toBe(checksum(first))
  expect(checksum(first)).toMatch(/^[0-9a-f]{64}$/)
})

test('whoever does not migrate is told of a database that is not up to date, and how to migrate it', async () => {
  await expect(checkMigrated(database().dialect, known)).rejects.toThrow(
    /version 0, .* needs 2; run `mcp-bearer keys migrate`/,
  )
  await checkMigrated(database(remembered(first), remembered(second)).dialect, known)
})
