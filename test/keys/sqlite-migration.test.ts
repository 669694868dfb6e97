import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openKeyStore } from '../../src/apikeys/open-key-store.ts'
import { migrateSqlite, sqliteKeyStore } from '../../src/apikeys/stores/sqlite.ts'
import { sqliteQuery } from '../../src/apikeys/stores/sqlite-driver.ts'
import { closeSqlite, openSqlite } from '../../src/apikeys/stores/sqlite-file.ts'
import { sqliteMigrations } from '../../src/apikeys/stores/sqlite-schema.ts'
import { assertKept, type KillProgram, killProgram } from './kill-program.ts'

let program: KillProgram
let folder: string
let file: string
const newest = sqliteMigrations.length

beforeAll(async () => {
  program = await killProgram()
})
afterAll(() => program.remove())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-sqlite-'))
  file = join(folder, 'keys.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function edit(sql: string): Promise<void> {
  const database = await openSqlite(file)
  database.exec(sql)
  closeSqlite(database)
}

async function applied(): Promise<readonly unknown[]> {
  const database = await openSqlite(file)
  const rows = sqliteQuery(database, 'select version from mcp_bearer_migrations order by version').all()
  closeSqlite(database)
  return rows.map(([version]) => version)
}

test('processes that open the same new file at the same time all succeed, and migrate it once', async () => {
  const said = await Promise.all([1, 2, 3, 4].map(() => program.runAndKill(file, 4)))
  for (const lines of said) expect(lines[0]).toBe('ready')
  expect(await applied()).toEqual(sqliteMigrations.map(({ version }) => version))
  const store = await openKeyStore(file)
  await assertKept(store, '0', said.flat())
  await store.close()
})

test('stores of one process that open the same new file at the same time all succeed', async () => {
  const stores = await Promise.all(Array.from({ length: 8 }, () => sqliteKeyStore(file)))
  for (const store of stores) {
    expect(await store.find('nobody')).toBeUndefined()
    await store.close()
  }
  expect(await applied()).toHaveLength(newest)
})

test('a second start changes nothing', async () => {
  expect(await migrateSqlite(file)).toEqual({ from: 0, to: newest, steps: sqliteMigrations })
  const before = readFileSync(file)
  expect(await migrateSqlite(file)).toEqual({ from: newest, to: newest, steps: [] })
  expect(readFileSync(file).equals(before)).toBe(true)
})

test('a migration that is not what was applied is refused, and nothing is changed', async () => {
  await migrateSqlite(file)
  await edit("update mcp_bearer_migrations set sha256 = 'changed' where version = 1")
  await expect(sqliteKeyStore(file)).rejects.toThrow(/Migration 1 .* not the one this mcp-bearer has/)
  await expect(sqliteKeyStore(file, { migrate: false })).rejects.toThrow(/Migration 1/)
  await expect(migrateSqlite(file, { dryRun: true })).rejects.toThrow(/Migration 1/)
  // Nothing is left open or locked.
  await edit('update mcp_bearer_state set audit_seq = audit_seq')
})

test('a database of a newer version is refused, and the error says what to do', async () => {
  await migrateSqlite(file)
  await edit(`insert into mcp_bearer_migrations values (${newest + 1}, 'from the future', 'x', 0)`)
  await expect(openKeyStore(file)).rejects.toThrow(/update mcp-bearer/)
  await expect(openKeyStore(file, { migrate: false })).rejects.toThrow(/update mcp-bearer/)
  expect(await applied()).toHaveLength(newest + 1)
})

test('a refusal during the migration itself undoes all of it', async () => {
  await edit('create table mcp_bearer_audit (mine text)')
  await expect(sqliteKeyStore(file)).rejects.toMatchObject({ code: 'verifier_unavailable' })
  const database = await openSqlite(file)
  const tables = sqliteQuery(database, "select name from sqlite_schema where type = 'table'").all()
  closeSqlite(database)
  expect(tables).toEqual([['mcp_bearer_audit']])
})

test('without the right to migrate, a database that is not up to date is refused as it is', async () => {
  await expect(sqliteKeyStore(file, { migrate: false })).rejects.toThrow(/run `mcp-bearer keys migrate`/)
  await migrateSqlite(file)
  const store = await sqliteKeyStore(file, { migrate: false })
  expect(await store.find('nobody')).toBeUndefined()
  await store.close()
})

test('where there is no SQLite, the error says what to install', async () => {
  const bare = await killProgram(false)
  try {
    const ran = bare.runAndKill(file, 1)
    if (process.getBuiltinModule('node:sqlite')) expect(await ran).toEqual(['ready'])
    else await expect(ran).rejects.toThrow(/npm install @photostructure\/sqlite/)
  } finally {
    bare.remove()
  }
})
