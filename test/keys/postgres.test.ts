import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { migratePostgres, postgresKeyStore } from '../../src/apikeys/stores/postgres.ts'
import { openDriver } from '../../src/apikeys/stores/postgres-driver.ts'
import { listener } from '../../src/apikeys/stores/postgres-listener.ts'
import { keyRecord, someAudit } from './key-records.ts'
import { testDatabase } from './postgres-database.ts'
import { createDatabase, startPostgres } from './postgres-server.ts'

const url = await testDatabase()
const admin = new pg.Client({ connectionString: url })
const drivers = ['pg', 'postgres'] as const
const unavailable = { name: 'AuthError', code: 'verifier_unavailable' }

beforeAll(() => admin.connect())
afterAll(() => admin.end())

test('nodes that start at once on an empty database make one schema', async () => {
  const empty = await createDatabase(url)
  const stores = await Promise.all(
    [0, 1, 2, 3].map((index) => postgresKeyStore(empty, { driver: drivers[index % 2]! })),
  )
  for (const [index, store] of stores.entries()) {
    expect(await store.commit({ add: [keyRecord(`key${index}`)], audit: someAudit })).toBe(true)
  }
  expect((await stores[0]!.list({})).map(({ id }) => id)).toEqual(['key0', 'key1', 'key2', 'key3'])
  await Promise.all(stores.map((store) => store.close()))
})

test('a dry run says what would be done and does nothing; an older schema is refused where it may not be changed', async () => {
  const empty = await createDatabase(url)
  const planned = await migratePostgres(empty, { dryRun: true })
  expect(planned).toMatchObject({ from: 0, to: planned.steps.length })
  expect(planned.steps[0]?.sql.join('\n')).toContain('create table mcp_bearer_keys')
  await expect(postgresKeyStore(empty, { migrate: false })).rejects.toThrow('mcp-bearer keys migrate')
  expect(await migratePostgres(empty)).toMatchObject({ from: 0, to: planned.to })
  expect(await migratePostgres(empty)).toMatchObject({ from: planned.to, steps: [] })
  await (await postgresKeyStore(empty, { migrate: false })).close()
})

test('a schema that is another one is not touched', async () => {
  const other = await createDatabase(url)
  await migratePostgres(other)
  const client = new pg.Client({ connectionString: other })
  await client.connect()
  await client.query(`update mcp_bearer_migrations set sha256 = repeat('0', 64)`)
  await client.end()
  await expect(postgresKeyStore(other)).rejects.toThrow('Migration 1')
})

test('misuse is a TypeError that names the option, and does not repeat the URL', async () => {
  const secret = 'mysql://keys:hunter2hunter2@db.internal/keys'
  await expect(postgresKeyStore(secret)).rejects.toThrow(/^postgresKeyStore: url must be/)
  await expect(postgresKeyStore(url, { driver: 'mysql' as 'pg' })).rejects.toThrow('driver')
  await expect(postgresKeyStore(url, { poolSize: 0 })).rejects.toThrow('poolSize')
  await expect(postgresKeyStore(url, { statementTimeoutMs: Number.NaN })).rejects.toThrow(
    'statementTimeoutMs',
  )
  await expect(postgresKeyStore(url, { pool: 3 } as object)).rejects.toThrow('unknown option "pool"')
  await expect(postgresKeyStore(url, { migrate: 'no' as unknown as boolean })).rejects.toThrow('migrate')
})

describe.each(drivers)('through %s', (driver) => {
  let store: KeyStore
  beforeAll(async () => {
    store = await postgresKeyStore(url, { driver })
  })
  afterAll(() => store.close())

  test('a change with a lower number that commits after one with a higher is not missed, nor told twice', async () => {
    const { cursor: start } = await store.changes(undefined)
    const slow = new pg.Client({ connectionString: url })
    await slow.connect()
    await slow.query('begin')
    await slow.query(`insert into mcp_bearer_changes (topic, ref) values ('key', 'slow')`)
    await admin.query(`insert into mcp_bearer_changes (topic, ref) values ('key', 'quick')`)

    const first = await store.changes(start)
    expect(first).toMatchObject({ changes: [{ topic: 'key', ref: 'quick' }], isComplete: true })
    const nothing = await store.changes(first.cursor)
    expect(nothing).toMatchObject({ changes: [], isComplete: true })
    await slow.query('commit')
    await slow.end()
    const second = await store.changes(nothing.cursor)
    expect(second).toMatchObject({ changes: [{ topic: 'key', ref: 'slow' }], isComplete: true })
    expect(await store.changes(second.cursor)).toMatchObject({ changes: [], isComplete: true })
  })

  test('a cursor that only looks like one is incomplete, and no error', async () => {
    const { cursor } = await store.changes(undefined)
    const [server] = cursor.split('/')
    for (const lie of [
      '',
      '1',
      `${server}/1/9:3:`,
      `${server}/999999/3:3:`,
      `1/1/3:3:`,
      `${server}/1/3:5:9,4`,
    ]) {
      expect(await store.changes(lie)).toMatchObject({ changes: [], isComplete: false })
    }
  })

  test('keys asked for at once are told apart, whatever they are called', async () => {
    const ids = [`a-${driver}`, `"${driver}"`, `{${driver}}`, `\\${driver},`, `null-${driver}`]
    await store.commit({ add: ids.map((id) => keyRecord(id)), audit: someAudit })
    const found = await Promise.all([...ids, 'NULL', 'a\0', '', ids[0]!].map((id) => store.find(id)))
    expect(found.map((key) => key?.id)).toEqual([...ids, undefined, undefined, undefined, ids[0]])
    expect(found[0]).not.toBe(found.at(-1))
  })

  test('a value PostgreSQL cannot keep is refused as such, and leaves nothing', async () => {
    const add = [keyRecord(`ok-${driver}`), keyRecord(`bad-${driver}`, { name: 'a\0b' })]
    await expect(store.commit({ add, audit: someAudit })).rejects.toThrow(TypeError)
    expect(await store.find(`ok-${driver}`)).toBeUndefined()
  })

  test('the time is that of the database, and not of this node', async () => {
    const { rows } = await admin.query('select extract(epoch from clock_timestamp()) * 1000 as now')
    await store.changes(undefined)
    const ahead = store.time() - Number(rows[0].now)
    expect(ahead).toBeGreaterThanOrEqual(0)
    expect(ahead).toBeLessThan(10_000)
    expect(Number.isInteger(store.time())).toBe(true)
  })

  test('a connection that listens and is cut comes back, and says so', async () => {
    const hint = vi.fn()
    const stop = await store.listen!(hint)
    await expect.poll(() => hint.mock.calls.length).toBeGreaterThan(0)
    const before = hint.mock.calls.length
    const cut = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen mcp_bearer' and datname = current_database()`,
    )
    expect(cut.rowCount).toBe(1)
    await expect.poll(() => hint.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(before)

    const again = hint.mock.calls.length
    await store.commit({ revoke: [{ name: `cut ${driver}`, kind: 'token' }], audit: someAudit })
    await expect.poll(() => hint.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(again)
    await stop()
  })

  test('a connection that listens to nobody is noticed', async () => {
    const proxy = await silenceableProxy(url)
    const settings = {
      url: proxy.url,
      poolSize: 1,
      connectTimeoutMs: 3000,
      statementTimeoutMs: 3000,
      prepare: true,
    }
    const opened = await openDriver(settings, driver)
    const hint = vi.fn()
    const listening = listener(opened, 'mcp_bearer_silent', hint, {
      heartbeatMs: 20,
      firstPauseMs: 10,
      longestPauseMs: 50,
    })
    await listening.started
    expect(hint).toHaveBeenCalledTimes(1)
    proxy.silence()
    await expect.poll(() => hint.mock.calls.length, { timeout: 20_000 }).toBe(2)
    await listening.stop()
    await opened.close()
    proxy.close()
  })

  test('requests fail while the server is away, and go on by themselves when it is back', async () => {
    const server = await startPostgres()
    const own = await postgresKeyStore(server.url, { driver, connectTimeoutMs: 2000 })
    const hint = vi.fn()
    await own.listen!(hint)
    await own.commit({ add: [keyRecord('kept')], audit: someAudit })
    const { cursor } = await own.changes(undefined)

    await server.halt('kill')
    await expect(own.find('kept')).rejects.toMatchObject(unavailable)
    await expect(own.commit({ add: [keyRecord('lost')], audit: someAudit })).rejects.toMatchObject(
      unavailable,
    )
    await expect(own.changes(cursor)).rejects.toMatchObject(unavailable)
    await expect(own.pour('bucket', 1, 10)).rejects.toMatchObject(unavailable)
    const before = hint.mock.calls.length

    await server.resume()
    await expect
      .poll(() => own.find('kept').catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({ id: 'kept' })
    await expect.poll(() => hint.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(before)
    // What the server was when it fell may not be what it is now.
    expect(await own.changes(cursor)).toMatchObject({ isComplete: false })
    expect(await own.find('lost')).toBeUndefined()
    await own.close()
    await server.stop()
  })

  test('the password of the connection is in no error and in nothing that can be looked into', async () => {
    const secrets = ['hunter2-hunter2', new URL(url).password]
    const wrong = new URL(url)
    wrong.password = secrets[0]!
    const refused = new URL(wrong)
    refused.port = '1'
    const errors = await Promise.all(
      [wrong, refused].map((at) => postgresKeyStore(at, { driver }).catch((error: unknown) => error)),
    )
    for (const error of errors) expect(error).toMatchObject(unavailable)
    const shown = [...errors, store].map(
      (one) => inspect(one, { depth: 9, showHidden: true }) + JSON.stringify(one),
    )
    for (const secret of secrets) expect(shown.join('\n')).not.toContain(secret)
  })
})

/** Passes bytes on until it falls silent: then the connections there are stay open, and nothing comes any more. */
async function silenceableProxy(to: string) {
  const { hostname, port } = new URL(to)
  const through = new URL(to)
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.pipe(into)
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address && typeof address === 'object') through.port = String(address.port)
  return {
    url: through.href,
    silence() {
      for (const socket of sockets) socket.unpipe().resume()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }
}
