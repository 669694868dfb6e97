import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { openKeyStore } from '../../src/apikeys/open-key-store.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'
import { type PostgresServer, startPostgres } from '../keys/postgres-server.ts'
import { type Ledger, ledger } from './kill-check.ts'
import { type Databases, postgresDatabases, sqliteDatabases } from './kill-databases.ts'
import { type Program, program, progress, randomFrom, spin, tell } from './program.ts'

/**
 * `kill -9`, in the middle of whatever a process is doing. When, is drawn: after so many lines that it has written, and so
 * many microseconds; the seed is told, and `SEED=… npm run test:keys` draws the same. What the operating system does
 * meanwhile is not drawn, so no two runs are the same.
 */
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
/** Kills while keys are changed, and while tables are made, on each kind of database. */
const kills = { changes: 160, migrations: 40 }
/** Those on one database; then a new one, which is faster to check. */
const killsADatabase = 20
/** Databases that are in use at the same time. */
const lanes = 2

let server: PostgresServer

beforeAll(async () => {
  // Durability is the subject.
  server = await startPostgres({ fsync: true })
})
afterAll(() => server.stop())

describe.each([
  ['SQLite', async () => sqliteDatabases(), 1],
  ['PostgreSQL', async () => postgresDatabases(server.url), 3],
] as const)('FL-101 on %s', (name, make, workers) => {
  let databases: Databases
  beforeAll(async () => {
    databases = await make()
  })
  afterAll(() => databases.close())

  test(`${kills.changes} kills while keys are created, rotated, revoked and changed: what was acknowledged is there, and nothing is half done`, async () => {
    const random = randomFrom(seed)
    const started = performance.now()
    const total = { kills: 0, changes: 0, keys: 0 }
    const lane = async () => {
      while (total.kills < kills.changes) {
        const db = await databases.create()
        const said = ledger()
        for (let here = 0; here < killsADatabase && total.kills < kills.changes; ) {
          // Two at a time now and then: what one of them leaves behind when it is killed must not stop the other.
          const count = random() < 0.25 ? 2 : 1
          total.kills += count
          here += count
          const running = Array.from({ length: count }, () => startAndKill(db, workers, random))
          await checkAfter(databases, db, said, await Promise.all(running))
          progress(`${name}: ${total.kills} of ${kills.changes} kills`)
        }
        total.changes += said.changes
        total.keys += said.keys
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    const seconds = (performance.now() - started) / 1000
    tell(
      `${name}: ${total.kills} kills in ${seconds.toFixed(1)} s (${(total.kills / seconds).toFixed(1)}/s, seed ${seed}), ${total.changes} changes of ${total.keys} keys acknowledged`,
    )
    expect(total.changes).toBeGreaterThan(3 * kills.changes)
  })

  test(`${kills.migrations} kills while the tables are made, by two processes at once: whoever comes next makes all of them`, async () => {
    const random = randomFrom(seed + 1)
    const undisturbed = await databases.create()
    // As long as it takes here and now.
    const first = program('migrate-program', undisturbed)
    await first.said(2)
    const takesMs = Number(first.lines[1])
    await ended(first)
    const whole = await databases.schema(undisturbed)
    let killed = 0
    let unfinished = 0
    while (killed < kills.migrations) {
      const db = await databases.create()
      const [one, other] = [program('migrate-program', db), program('migrate-program', db)]
      const isSpared = random() < 0.4
      killed += isSpared ? 1 : 2
      const killing = [one, ...(isSpared ? [] : [other])].map(async (victim) => {
        await victim.said(1)
        spin(random() * takesMs * 1.2)
        victim.kill()
        await victim.ended
        if (victim.lines.length < 2) unfinished += 1
      })
      if (isSpared) {
        await other.said(2)
        await ended(other)
      }
      await Promise.all(killing)
      await databases.settled(db)
      await isUsable(db)
      expect(await databases.schema(db)).toBe(whole)
      progress(`${name}: ${killed} of ${kills.migrations} kills of migrations`)
    }
    tell(
      `${name}: ${killed} kills of migrations of ${takesMs.toFixed(0)} ms, ${unfinished} before they were done`,
    )
    expect(unfinished).toBeGreaterThan(kills.migrations / 4)
  })
})

test('ten times SIGKILL of PostgreSQL itself in the middle of commits: what was acknowledged is there after its recovery', async () => {
  const random = randomFrom(seed + 2)
  const databases = postgresDatabases(server.url)
  const db = await databases.create()
  const said = ledger()
  for (let run = 1; run <= 10; run += 1) {
    const running = [0, 1].map(() => program('kill-program', db, drawn(random), '3'))
    await Promise.all(running.map((one) => one.said(2 + Math.floor(random() * 60))))
    spin(random() * 3)
    await server.halt('kill')
    await server.resume()
    // They end by themselves when a change fails, or go on.
    for (const one of running) one.kill()
    await Promise.all(running.map((one) => one.ended))
    for (const { lines } of running) said.add(lines)
    await databases.settled(db)
    await check(databases, db, said)
    progress(`PostgreSQL killed ${run} of 10 times`)
  }
  tell(`PostgreSQL killed 10 times: ${said.changes} changes of ${said.keys} keys acknowledged`)
  expect(said.changes).toBeGreaterThan(100)
  await databases.close()
})

/** @returns all it has said */
async function startAndKill(db: string, workers: number, random: () => number): Promise<readonly string[]> {
  const one = program('kill-program', db, drawn(random), String(workers))
  // Often soon, so that its first steps are met as well.
  await one.said(1 + Math.floor(random() ** 2 * 60))
  spin(random() * 3)
  one.kill()
  const { code, stderr } = await one.ended
  if (code !== null) throw new Error(`the program ended by itself (${code}): ${stderr}`)
  return one.lines
}

async function checkAfter(
  databases: Databases,
  db: string,
  said: Ledger,
  lines: readonly (readonly string[])[],
): Promise<void> {
  for (const those of lines) said.add(those)
  await databases.settled(db)
  await check(databases, db, said)
}

/** As whoever comes next finds it: nobody has cleaned up. */
async function check(databases: Databases, db: string, said: Ledger): Promise<void> {
  const store = await openKeyStore(db)
  try {
    await said.check(store, await databases.told(db))
  } finally {
    await store.close()
  }
}

/** Fails unless keys can be made and used. */
async function isUsable(db: string): Promise<void> {
  const store = await openKeyStore(db)
  const keys = apiKeys({ store })
  const verifier = apiKeyVerifier({ store }, { logger: () => {} })
  const { key, apiKey } = await keys.create({ name: 'first', owner: 'alice' })
  expect(await verifier.verifyToken(key)).not.toBeNull()
  await keys.revoke(apiKey.id)
  expect(await verifier.verifyToken(key)).toBeNull()
  await verifier.close()
  await store.close()
}

/** Lets it end by itself, and fails unless it does so well. */
async function ended(one: Program): Promise<void> {
  one.finish()
  expect(await one.ended).toMatchObject({ code: 0 })
}

function drawn(random: () => number): string {
  return String(Math.floor(random() * 2 ** 31))
}
