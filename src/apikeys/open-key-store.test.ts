import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateKeyStore, openKeyStore } from './open-key-store.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-open-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a path, sqlite: and file: open a SQLite file', async () => {
  const names: [db: string, file: string][] = [
    [join(folder, 'a.db'), 'a.db'],
    [`sqlite:${join(folder, 'b.db')}`, 'b.db'],
    [`sqlite://${join(folder, 'c.db')}`, 'c.db'],
    [pathToFileURL(join(folder, 'd e.db')).href, 'd e.db'],
    [`SQLite:${join(folder, 'f.db')}`, 'f.db'],
  ]
  for (const [db, file] of names) {
    const store = await openKeyStore(db)
    expect(await store.find('nobody')).toBeUndefined()
    await store.close()
    expect(existsSync(join(folder, file)), db).toBe(true)
  }
})

test('memory: opens a store in memory, which needs no tables', async () => {
  const store = await openKeyStore('memory:', { clock: () => 42, migrate: false })
  expect(store.time()).toBe(42)
  expect(await migrateKeyStore('memory:')).toEqual({ from: 0, to: 0, steps: [] })
})

test('options reach the store', async () => {
  const file = join(folder, 'options.db')
  await expect(openKeyStore(file, { migrate: false })).rejects.toThrow(/run `mcp-bearer keys migrate`/)
  const store = await openKeyStore(file, { clock: () => 4711 })
  expect(store.time()).toBe(4711)
  await store.close()
})

test('anything else is refused by both, with what is accepted and without what was given', async () => {
  const password = 'hunter2-hunter2'
  const strange = [
    `mysql://keys:${password}@db.example.com/keys`,
    `redis:${password}`,
    `postgress://u:${password}@db`,
    `memory:${password}`,
    `sqlite://${password}/keys.db`,
    `sqlite:`,
    `file://host:${password}/keys.db`,
    `${password}\0`,
    '',
    ' ',
    undefined,
    42,
    { db: password },
  ]
  for (const db of strange) {
    for (const open of [openKeyStore, migrateKeyStore]) {
      const error: Error = await open(db as string).then(
        () => expect.unreachable(`took ${String(db)}`),
        (refusal) => refusal,
      )
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain(`${open.name}: db must be postgres://`)
      expect(error.message).toContain('memory:')
      expect(inspect(error)).not.toContain(password)
    }
  }
})

test('a dry run gives the SQL, and makes no file; then the same is done', async () => {
  const file = join(folder, 'dry.db')
  const dry = await migrateKeyStore(file, { dryRun: true })
  expect(existsSync(file)).toBe(false)
  expect(dry.from).toBe(0)
  expect(dry.steps.flatMap(({ sql }) => sql).join(';')).toContain('create table mcp_bearer_keys')
  expect(await migrateKeyStore(file)).toEqual(dry)
  expect(await migrateKeyStore(file, { dryRun: true })).toEqual({ from: dry.to, to: dry.to, steps: [] })
})
