import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { migrateSqlite, sqliteKeyStore } from '../../src/apikeys/stores/sqlite.ts'
import { sqliteQuery } from '../../src/apikeys/stores/sqlite-driver.ts'
import { closeSqlite, openSqlite } from '../../src/apikeys/stores/sqlite-file.ts'
import { sqliteMigrations } from '../../src/apikeys/stores/sqlite-schema.ts'
import { keysAdmin } from '../../src/http/admin/index.ts'
import { type FakeClock, fakeClock } from '../../src/testing/fake-clock.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'

const dayMs = 86_400_000

interface Told {
  readonly usage: Record<string, readonly number[]>
  readonly days: number
  readonly error?: string
  readonly error_description?: string
}
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-usage-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'keys.db')
}

async function sqlite(clock: FakeClock, at = file()): Promise<KeyStore> {
  const store = await sqliteKeyStore(at, { clock })
  closing.push(() => store.close())
  return store
}

const makes: readonly [string, (clock: FakeClock) => Promise<KeyStore>][] = [
  ['memory', async (clock) => memoryKeyStore({ clock })],
  ['SQLite', (clock) => sqlite(clock)],
]

describe.each(makes)('uses by day, in %s', (_name, make) => {
  async function world() {
    const clock = fakeClock()
    const store = await make(clock)
    const keys = apiKeys({ store })
    const { apiKey, key } = await keys.create({ name: 'one', owner: 'alice' })
    return { clock, store, keys, id: apiKey.id, key }
  }

  it('are a number for each day, of which today is the last', async () => {
    const { clock, store, keys, id } = await world()
    await store.recordUses([{ id, count: 3, at: clock() - 2 * dayMs }])
    await store.recordUses([{ id, count: 4, at: clock() }])
    const uses = await keys.uses([id, id], { days: 4 })
    expect(uses).toEqual({ from: '2025-12-29', days: 4, byId: new Map([[id, [0, 3, 0, 4]]]) })
    clock.advance(dayMs)
    expect((await keys.uses([id], { days: 3 }))?.byId.get(id)).toEqual([0, 4, 0])
    const { from, byId } = (await keys.uses([id]))!
    expect([from, byId.get(id)?.length]).toEqual(['2025-12-04', 30])
  })

  it('are none of a key that is not there, and what is no id is not asked for, nor shown', async () => {
    const { keys, id, key } = await world()
    expect((await keys.uses(['000000000000'], { days: 2 }))?.byId.get('000000000000')).toEqual([0, 0])
    expect((await keys.uses([]))?.byId.size).toBe(0)
    for (const ids of [[key], ['__proto__'], [7], 'x', new Array(101).fill(id)]) {
      const asked = keys.uses(ids as string[])
      await expect(asked).rejects.toThrow(/^uses: ids must be a list of at most 100 ids/)
      await expect(asked).rejects.not.toThrow(key)
    }
    for (const days of [0, 401, 1.5, '7']) {
      await expect(keys.uses([id], { days: days as number })).rejects.toThrow('uses: days must be')
    }
  })

  it('leave what a node counted whose clock is ahead for tomorrow', async () => {
    const { clock, store, keys, id } = await world()
    await store.recordUses([{ id, count: 1, at: clock() + dayMs }])
    expect((await keys.uses([id], { days: 2 }))?.byId.get(id)).toEqual([0, 0])
    clock.advance(dayMs)
    expect((await keys.uses([id], { days: 2 }))?.byId.get(id)).toEqual([0, 1])
  })

  it('come from real use of the key', async () => {
    const { store, keys, id, key } = await world()
    const verifier = apiKeyVerifier({ store }, { logger: () => {} })
    for (let use = 0; use < 3; use += 1) expect(await verifier.verifyToken(key)).not.toBeNull()
    await verifier.close?.()
    expect((await keys.uses([id], { days: 1 }))?.byId.get(id)).toEqual([3])
  })

  it('are those of a key that was imported, too, and more than 32 bits of them', async () => {
    const { clock, store, keys } = await world()
    const [result] = await keys.import([
      { key: 'an-old-key-of-another-system-4711-0815-xyz', name: 'old', owner: 'a' },
    ])
    const id = result?.ok ? result.value.id : ''
    for (const count of [2 ** 31, 2 ** 40]) await store.recordUses([{ id, count, at: clock() }])
    expect((await keys.uses([id], { days: 1 }))?.byId.get(id)).toEqual([2 ** 31 + 2 ** 40])
  })

  it('stay when the clock goes back, and goes on again', async () => {
    const { clock, store, keys, id } = await world()
    await store.recordUses([{ id, count: 1, at: clock() }])
    clock.advance(-3 * dayMs)
    await store.recordUses([{ id, count: 2, at: clock() }])
    expect((await keys.uses([id], { days: 2 }))?.byId.get(id)).toEqual([0, 2])
    clock.advance(3 * dayMs)
    await store.recordUses([{ id, count: 4, at: clock() }])
    expect((await keys.uses([id], { days: 4 }))?.byId.get(id)).toEqual([2, 0, 0, 5])
  })

  it('are forgotten with the key, when old ones are purged', async () => {
    const { clock, store, keys, id } = await world()
    await store.recordUses([{ id, count: 5, at: clock() }])
    await keys.revoke(id)
    clock.advance(1000)
    expect(await keys.purge(0)).toEqual({ keys: 1 })
    expect((await keys.uses([id], { days: 1 }))?.byId.get(id)).toEqual([0])
  })
})

describe('GET usage', () => {
  async function world(change: (store: KeyStore) => KeyStore = (store) => store) {
    const clock = fakeClock()
    const store = memoryKeyStore({ clock })
    const keys = apiKeys({ store })
    const admin = await keys.create({ name: 'admin', owner: 'root', scopes: ['keys:admin'] })
    const verifier = apiKeyVerifier({ store }, { logger: () => {} })
    closing.push(() => verifier.close?.())
    const { fetch } = keysAdmin({ store: change(store), auth: verifier, logger() {}, clock })
    const get = async (query: string) => {
      const headers = { authorization: `Bearer ${admin.key}` }
      const answer = await fetch(new Request(`http://127.0.0.1/admin/usage${query}`, { headers }))
      return { status: answer.status, value: (await answer.json()) as Told }
    }
    return { clock, store, get, id: admin.apiKey.id }
  }

  it('tells a number for each day of each key', async () => {
    const { clock, store, get, id } = await world()
    await store.recordUses([{ id, count: 2, at: clock() - dayMs }])
    expect(await get(`?days=3&id=${id}&id=000000000000`)).toEqual({
      status: 200,
      value: { from: '2025-12-30', days: 3, usage: { [id]: [0, 2, 0], '000000000000': [0, 0, 0] } },
    })
    const { value } = await get(`?id=${id}`)
    expect(value.usage[id]).toHaveLength(30)
    expect(await get('')).toEqual({ status: 200, value: { from: '2025-12-03', days: 30, usage: {} } })
    expect((await get(`?days=90&id=${id}`)).value.days).toBe(90)
  })

  it.each([
    'days=0',
    'days=91',
    'days=x',
    'days=-1',
    'id=__proto__',
    'id=',
    `${'id=000000000000&'.repeat(101)}days=1`,
  ])('refuses ?%s', async (query) => {
    const { get } = await world()
    const { status, value } = await get(`?${query}`)
    expect([status, value.error]).toEqual([400, 'invalid_request'])
    expect(value.error_description).toMatch(/^(days|uses: ids) must be/)
  })

  it('is 404 where the database does not count by day', async () => {
    const { get, id } = await world(({ usesByDay: _, ...store }) => store)
    expect(await get(`?id=${id}`)).toEqual({ status: 404, value: { error: 'not_found' } })
  })
})

describe('a SQLite file of the version before', () => {
  it('goes on working with the programs that have it open while it is migrated', async () => {
    const at = file()
    const database = await openSqlite(at)
    closing.push(() => closeSqlite(database))
    await migrateSqlite(at)
    // As it was: what a program of the version before writes with is all there still.
    database.exec('drop table mcp_bearer_uses')
    database.exec('delete from mcp_bearer_migrations where version > 1')
    const clock = fakeClock()
    const store = await sqlite(clock, at)
    const { apiKey } = await apiKeys({ store }).create({ name: 'one', owner: 'alice' })
    database.exec(`update mcp_bearer_keys set use_count = use_count + 1 where id = '${apiKey.id}'`)
    await store.recordUses([{ id: apiKey.id, count: 1, at: clock() }])
    expect((await store.find(apiKey.id))?.useCount).toBe(2)
    const applied = sqliteQuery(database, 'select count(*) from mcp_bearer_migrations').one()
    expect(applied).toEqual([sqliteMigrations.length])
  })

  it('forgets years of days some at a time', async () => {
    const at = file()
    const clock = fakeClock()
    const store = await sqlite(clock, at)
    const { apiKey } = await apiKeys({ store }).create({ name: 'one', owner: 'alice' })
    const database = await openSqlite(at)
    closing.push(() => closeSqlite(database))
    database.exec(`with recursive days(day) as (select 1 union all select day + 1 from days where day < 2500)
      insert into mcp_bearer_uses select day, '${apiKey.id}', 1 from days`)
    const left = () => Number(sqliteQuery(database, 'select count(*) from mcp_bearer_uses').one()?.[0])
    const counts: number[] = []
    for (let use = 0; use < 4; use += 1) {
      await store.recordUses([{ id: apiKey.id, count: 1, at: clock() }])
      counts.push(left())
    }
    expect(counts).toEqual([1501, 501, 1, 1])
  })
})
