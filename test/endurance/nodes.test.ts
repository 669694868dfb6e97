import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiKeys } from '../../src/apikeys/api-key.ts'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { postgresKeyStore } from '../../src/apikeys/stores/postgres.ts'
import { AuthError } from '../../src/core/errors.ts'
import { ECKeyPair } from '../../src/issuer/ec.ts'
import { storedRevocations } from '../../src/verify/stored-revocations.ts'
import { type PostgresServer, startPostgres } from '../keys/postgres-server.ts'
import { assertGood, type Ending, endUnderLoad, type Lags, summary } from './lag.ts'
import { type Load, load, openStream, statusOf } from './load.ts'
import { type Program, program, progress, tell } from './program.ts'
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts'

/**
 * Two servers and their load, in processes of their own, on one PostgreSQL. Keys are ended by this process, a third one.
 * Measured is from the acknowledgement of the end to what each node does, by the stopwatch of this process alone.
 */
let server: PostgresServer
let admin: pg.Pool
let store: KeyStore
let keys: ApiKeys
/** As the nodes see it: of a role from whom something can be taken away. */
let db: string
const issuer = 'https://issuer.example.com'
let pair: ECKeyPair
const nodes: Program[] = []
const report: Record<string, unknown> = {}

const quick: Ending = { bound: 2000, mayFail: false }
const hard: Ending = { bound: 5000, mayFail: false }

beforeAll(async () => {
  server = await startPostgres()
  const own = await server.createDatabase()
  admin = new pg.Pool({ connectionString: own, max: 2 })
  admin.on('error', () => {})
  store = await postgresKeyStore(own)
  keys = apiKeys({ store })
  await admin.query(`create role node login password 'node'`)
  await admin.query('grant select, insert, update, delete on all tables in schema public to node')
  await admin.query('grant usage on all sequences in schema public to node')
  const url = new URL(own)
  url.username = url.password = 'node'
  db = url.href
  pair = await ECKeyPair.generate()
})
afterAll(async () => {
  for (const node of nodes) node.kill()
  await store.close()
  await admin.end()
  await server.stop()
  const file = new URL('../../build/keys-lag.json', import.meta.url)
  mkdirSync(fileURLToPath(new URL('.', file)), { recursive: true })
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
})

interface NodeOptions {
  readonly db?: string
  readonly listens?: boolean
  readonly clockOff?: number
}

/** @returns its URL, and what ends it */
async function startNode(options: NodeOptions = {}): Promise<{ url: string; stop(): Promise<void> }> {
  const publicKey = pair.publicKey
  const all = { db, listens: true, clockOff: 0, issuer, publicKey, ...options }
  const node = program('node-program', JSON.stringify(all))
  nodes.push(node)
  await node.said(1)
  const [url] = node.lines
  if (url === undefined) throw new Error(`a node does not start: ${(await node.ended).stderr}`)
  return {
    url,
    async stop() {
      node.kill()
      await node.ended
    },
  }
}

async function startNodes(...options: readonly NodeOptions[]) {
  const all = await Promise.all(options.map(startNode))
  return { urls: all.map(({ url }) => url), stop: () => Promise.all(all.map(({ stop }) => stop())) }
}

async function made(count: number) {
  const results = await keys.createMany(
    Array.from({ length: count }, (_, n) => ({ name: `${n}`, owner: 'o' })),
  )
  return results.map((result) => {
    if (!result.ok) throw result.error
    return { key: result.value.key, id: result.value.apiKey.id }
  })
}

/** Again and again while the database is away. */
async function revoke(id: string): Promise<void> {
  while (true) {
    try {
      await keys.revoke(id)
      return
    } catch (error) {
      if (!(error instanceof AuthError && error.code === 'verifier_unavailable')) throw error
    }
  }
}

/**
 * Revokes so many keys under load, so many of them at the same time, and tells how long it took.
 * @param meanwhile gets how many are revoked already
 */
async function measure(
  name: string,
  under: Load,
  ending: Ending,
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
  meanwhile: (revoked: () => number) => Promise<void> = async () => {},
): Promise<void> {
  const queue = await made(count)
  const lags: Lags = { refused: [], accepted: [] }
  const [goodKey] = await made(1)
  const good = under.watch(goodKey!.key)
  const over: Promise<void>[] = []
  const started = performance.now()
  const before = new Map(under.statuses)
  const worker = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { key, id } = next
      over.push((await endUnderLoad(under, key, () => revoke(id), ending, lags)).over)
      // Told by what waits for all of them.
      over.at(-1)?.catch(() => {})
      progress(`${name}: ${over.length} of ${count} keys revoked`)
    }
  }
  await Promise.all([...Array.from({ length: atOnce }, worker), meanwhile(() => over.length)])
  await Promise.all(over)
  under.unwatch(good)
  assertGood(good, ending.mayFail)
  const seconds = (performance.now() - started) / 1000
  const answers = Object.fromEntries(
    [...under.statuses].map(([status, now]) => [status, now - (before.get(status) ?? 0)]),
  )
  const result = {
    keys: count,
    firstRefusal: summary(lags.refused),
    lastAccept: summary(lags.accepted),
    bound: ending.bound,
    seconds: Math.round(seconds),
    answers,
  }
  report[name] = result
  const show = ({ p50, p99, max }: ReturnType<typeof summary>) => `p50 ${p50} p99 ${p99} max ${max} ms`
  tell(
    `${name}: ${count} keys on 2 nodes; first refusal ${show(result.firstRefusal)}; last accept ${show(result.lastAccept)}; bound ${ending.bound} ms; ${JSON.stringify(answers)} in ${result.seconds} s`,
  )
  // Nothing else was answered.
  for (const status of under.statuses.keys()) expect([200, 401, 503]).toContain(status)
}

/** Streams that are open and silent, on every node; their keys are revoked. */
async function measureStreams(name: string, urls: readonly string[], bound: number): Promise<void> {
  const lags = await Promise.all(
    (await made(5)).map(async ({ key, id }) => {
      const streams = await Promise.all(urls.map((url) => openStream(url, key)))
      await keys.revoke(id)
      const acknowledged = performance.now()
      const ends = await Promise.all(streams.map(({ ended }) => ended))
      return ends.map((at) => Math.max(0, at - acknowledged))
    }),
  )
  const found = summary(lags.flat())
  report[`${name}, streams`] = found
  tell(`${name}: streams end after p50 ${found.p50} max ${found.max} ms; bound ${bound} ms`)
  expect(found.max).toBeLessThan(bound)
}

/** Every connection that listens, of whichever node: what it asked last was to listen, or whether somebody is there. */
const cutListeners = `select count(pg_terminate_backend(pid))::int as cut from pg_stat_activity
  where usename = 'node' and (query ilike 'listen%' or query ilike 'select 1%')`

describe('FL-98 B-104 two nodes on one PostgreSQL under load', () => {
  let urls: readonly string[]
  let stop: () => Promise<unknown>
  let under: Load
  beforeAll(async () => {
    ;({ urls, stop } = await startNodes({}, {}))
    under = load(urls, 4)
  })
  afterAll(async () => {
    await under.stop()
    await stop()
  })

  test('refuse a key that was revoked elsewhere within two seconds', async () => {
    await measure('healthy', under, quick, { count: 120, atOnce: 8 })
  })

  test('so they do while the connections are cut on which they are told', async () => {
    const count = 120
    let cuts = 0
    await measure('listen connections cut', under, quick, { count, atOnce: 8 }, async (revoked) => {
      while (revoked() < count) {
        cuts += (await admin.query(cutListeners)).rows[0].cut
        await under.until('a few more answers', passing(under, 50), 10_000)
      }
    })
    tell(`listen connections cut ${cuts} times`)
    expect(cuts).toBeGreaterThan(5)
  })

  test('end the streams of a revoked key, a look at them later', async () => {
    // Streams that are silent are looked at once a second.
    await measureStreams('healthy', urls, quick.bound + 1000)
  })

  test('hold the five seconds while the database is restarted, fast and by a crash, and recover by themselves', async () => {
    await measure(
      'database restarted',
      under,
      { bound: 5000, mayFail: true },
      { count: 60, atOnce: 10 },
      async (revoked) => {
        for (const [how, after] of [
          ['fast', 15],
          ['immediate', 30],
          ['kill', 45],
        ] as const) {
          await under.until(`${after} revoked`, () => revoked() >= after, 60_000)
          await server.restart(how)
        }
      },
    )
    await measure('after the restarts', under, quick, { count: 20, atOnce: 10 })
  })

  test('hold the five seconds when they hear of nothing at all', async () => {
    await admin.query('revoke select on mcp_bearer_changes from node')
    await admin.query(cutListeners)
    try {
      await measure('told nothing', under, hard, { count: 40, atOnce: 40 })
      await measureStreams('told nothing', urls, hard.bound + 2000)
    } finally {
      await admin.query('grant select on mcp_bearer_changes to node')
    }
    await measure('told again', under, quick, { count: 20, atOnce: 10 })
  })
})

/** Whether so many more answers have come than when it was made. */
function passing({ statuses }: Load, count: number): () => boolean {
  const sum = () => [...statuses.values()].reduce((all, one) => all + one, 0)
  const enough = sum() + count
  return () => sum() >= enough
}

test('FL-98 two nodes that are never told and have to look refuse within two seconds', async () => {
  const { urls, stop } = await startNodes({ listens: false }, { listens: false })
  const under = load(urls, 4)
  await measure('polling only', under, quick, { count: 120, atOnce: 30 })
  await measureStreams('polling only', urls, quick.bound + 1000)
  await under.stop()
  await stop()
})

test('B-104 two nodes whose clocks are ten minutes apart agree', async () => {
  const { urls, stop } = await startNodes({ clockOff: -300_000 }, { clockOff: 300_000 })
  const under = load(urls, 4)
  await measure('clocks five minutes off', under, quick, { count: 60, atOnce: 8 })

  // A key that expires: the time of the database decides.
  const { key, apiKey } = await keys.create({ name: 'short', owner: 'o', expiresInSeconds: 3 })
  const expiry = performance.now() + (apiKey.expiresAt!.getTime() - store.time())
  const short = under.watch(key)
  await under.until('after the expiry', () => performance.now() > expiry + 1500, 30_000)
  under.unwatch(short)
  const early = Math.min(...short.seen.map(({ firstRefusalAt }) => firstRefusalAt)) - expiry
  const late = Math.max(...short.seen.map(({ lastAccepted }) => lastAccepted)) - expiry
  report['clocks five minutes off, expiry'] = { early, late }
  tell(`expiry: refused from ${early.toFixed(0)} ms on, accepted until ${late.toFixed(0)} ms`)
  expect(early).toBeGreaterThan(-250)
  expect(late).toBeLessThan(250)

  // JWTs that were issued before a moment.
  const token = (subject: string) =>
    pair.createToken({ subject, issuer, audience: issuer }, () => Date.now() - 600_000)
  const other = under.watch(await token('bob'))
  const revocations = await storedRevocations(store)
  const lags: Lags = { refused: [], accepted: [] }
  const cut = () => revocations.cutOff({ issuer, subject: 'alice' })
  await (await endUnderLoad(under, await token('alice'), cut, quick, lags)).over
  assertGood(other, false)
  under.unwatch(other)
  revocations.close()
  report['clocks five minutes off, JWT cut off'] = summary(lags.refused)
  tell(`JWTs cut off: refused after ${summary(lags.refused).max} ms`)
  await under.stop()
  await stop()
})

describe('a node that is cut off from the database', () => {
  let proxy: TcpProxy
  let url: string
  let stop: () => Promise<unknown>
  beforeAll(async () => {
    proxy = await tcpProxy(server.port)
    const through = new URL(db)
    through.port = String(proxy.port)
    ;({ url, stop } = await startNode({ db: through.href }))
  })
  afterAll(async () => {
    await stop()
    proxy.close()
  })

  test.each(['refusing', 'silent'] as const)(
    'FL-100 takes nobody after five seconds, good or bad, and recovers by itself: %s',
    async (weather) => {
      const agent = new Agent({ keepAlive: true })
      const [good, revoked] = await made(2)
      const jwt = await pair.createToken({ subject: 'bob', issuer, audience: issuer })
      const tokens = [good!.key, revoked!.key, jwt]
      for (const token of tokens) expect(await statusOf(url, token, agent)).toBe(200)
      await keys.revoke(revoked!.id)
      proxy.become(weather)
      const cut = performance.now()
      const answers = new Map<string, number>()
      const asking = async (token: string) => {
        while (performance.now() < cut + 9000) {
          const sent = performance.now()
          const status = await statusOf(url, token, agent)
          const when = sent > cut + 5000 ? 'later' : 'at first'
          answers.set(`${status} ${when}`, (answers.get(`${status} ${when}`) ?? 0) + 1)
        }
      }
      await Promise.all(tokens.map(asking))
      tell(`cut off from the database (${weather}): ${JSON.stringify(Object.fromEntries(answers))}`)
      report[`cut off, ${weather}`] = Object.fromEntries(answers)
      expect([...answers.keys()].filter((answer) => answer.endsWith('later'))).toEqual(['503 later'])
      proxy.become('clear')
      const healed = performance.now()
      const expected = [200, 401, 200]
      for (const [index, token] of tokens.entries()) {
        let status = 0
        while (status !== expected[index]) {
          status = await statusOf(url, token, agent)
          expect([expected[index], 503]).toContain(status)
          if (performance.now() > healed + 20_000) throw new Error('it does not recover')
        }
      }
      const recovered = performance.now() - healed
      report[`cut off, ${weather}, recovered`] = Math.round(recovered)
      tell(`recovered after ${recovered.toFixed(0)} ms`)
      agent.destroy()
    },
  )
})
