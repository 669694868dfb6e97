import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { apiKeys, openKeyStore } from '../../apikeys/index.ts'
import { checkKeys, keysPlace, openKeys } from './keys.ts'

let folder: string
const usual = () => join(folder, 'mcp-bearer', 'keys.db')
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-gateway-'))
  vi.stubEnv('XDG_DATA_HOME', folder)
  vi.stubEnv('MCP_BEARER_DB', undefined)
  vi.stubEnv('MCP_BEARER_PEPPER', undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

it('keys are in a database of the user when nobody names anything, else where somebody says, else nowhere', () => {
  expect(keysPlace({})).toEqual({ db: usual(), name: usual(), isUsual: true })
  expect(keysPlace({ jwks: 'https://id.example.com/jwks' })).toBeUndefined()
  expect(keysPlace({ jwks: 'https://id.example.com/jwks', keys: 'a.db' })).toMatchObject({
    db: 'a.db',
    isUsual: false,
  })
  vi.stubEnv('MCP_BEARER_DB', 'postgres://me:hunter2@db/keys')
  expect(keysPlace({})).toMatchObject({ db: 'postgres://me:hunter2@db/keys', isUsual: false })
  expect(keysPlace({})?.name).not.toContain('hunter2')
  expect(keysPlace({ keys: 'env:MCP_BEARER_DB' })).toMatchObject({ name: 'env:MCP_BEARER_DB' })
  expect(keysPlace({ publicKey: 'a.pem' })).toBeUndefined()
  expect(() => keysPlace({ keys: 'env:NOT_SET_HERE' })).toThrow('not set')
  expect(() => keysPlace({ keys: 'memory:' })).toThrow('no key in it')
})

it('a first key is made once, and not again when every key was revoked', async () => {
  const first = await openKeys(keysPlace({})!)
  const created = await first.first()
  expect(created?.apiKey).toMatchObject({ name: 'first key', scopes: [] })
  await apiKeys({ store: first.store }).revoke(created!.apiKey.id)
  await first.store.close()
  const second = await openKeys(keysPlace({})!)
  expect([second.isEmpty, await second.first()]).toEqual([false, undefined])
  await second.store.close()
})

it('a database that somebody named gets no key of its own, and a misspelt one is not made', async () => {
  const db = join(folder, 'own.db')
  await expect(openKeys(keysPlace({ keys: db })!)).rejects.toThrow(`keys create --db ${db} --name laptop`)
  expect(existsSync(db)).toBe(false)
  await (await openKeyStore(db)).close()
  const opened = await openKeys(keysPlace({ keys: db })!)
  expect([opened.isEmpty, await opened.first()]).toEqual([true, undefined])
  await opened.store.close()
})

it('a look makes nothing, and finds a file that is no database', async () => {
  await checkKeys(keysPlace({})!)
  expect(existsSync(usual())).toBe(false)
  const file = join(folder, 'text.db')
  await writeFile(file, 'this is no database, however long one looks at it'.repeat(100))
  await expect(checkKeys(keysPlace({ keys: file })!)).rejects.toThrow()
})

it('without a place for a file keys are in memory, but never instead of keys that are there', async () => {
  await writeFile(join(folder, 'mcp-bearer'), 'in the way')
  const opened = await openKeys(keysPlace({})!)
  expect(opened.problem).toMatch(/EEXIST|ENOTDIR/)
  expect((await opened.first())?.key).toMatch(/^mcpk_live_/)
  await opened.store.close()
  await rm(join(folder, 'mcp-bearer'))
  const { store } = await openKeys(keysPlace({})!)
  await store.close()
  await writeFile(usual(), 'spoilt'.repeat(1000))
  await expect(openKeys(keysPlace({})!)).rejects.toThrow()
})
