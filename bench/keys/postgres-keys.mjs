// Verification against PostgreSQL: each key is read, and beside it the bare round trip of the same driver.

import pg from 'pg'
import postgres from 'postgres'
import { postgresKeyStore } from '../../dist/apikeys/index.js'
import { apiKeyVerifier } from '../../dist/verify/index.js'
import { note } from '../measure.mjs'
import { createKeys, idOf } from './keys.mjs'
import { breathe, measured, medianOf, pick, ratioOf, sample, takeRounds } from './rounds.mjs'
import { creationRow } from './sqlite.mjs'
import { copyOf, logger } from './verify.mjs'

export const wantedRatio = 1.3
const concurrently = 64

/**
 * Fills a database step by step and measures at each; at the last all of it.
 * @returns rows of creation, of growth, of the comparison, and bytes
 */
export async function measurePostgres(url, { amounts, created, lookUps, rounds }) {
  const store = await postgresKeyStore(url, { driver: 'pg' })
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  try {
    const growth = []
    let there = 0
    let creation
    let keys = []
    for (const amount of amounts) {
      const real = Math.min(amount - there, created)
      const made = await measured(async () => {
        keys = keys.concat(await createKeys(store, real, { keep: real, from: there }))
      })
      creation = { created: real, ...made }
      await fill(admin, amount - there - real)
      there = amount
      await wereUsed(admin, keys)
      growth.push({ amount, samples: await growthAt(store, url, keys, { lookUps, rounds }) })
    }
    return {
      create: creationRow({ amount: there, creation }, 'PostgreSQL'),
      growth: growthRows(growth),
      bytes: await bytesOf(admin),
      cold: await comparison(url, keys, { lookUps, rounds }),
    }
  } finally {
    await admin.end()
    await store.close()
  }
}

/** Keys nobody has, like one that somebody has: the database makes them faster than anybody could send them. */
async function fill(admin, amount) {
  const { rows } = await admin.query(
    `select column_name as name from information_schema.columns where table_name = 'mcp_bearer_keys' order by ordinal_position`,
  )
  const made = {
    id: 'x.id',
    lineage_id: 'x.id',
    client_id: 'x.id',
    hash: 'sha256(x.id::bytea)',
    name: `'CI of project ' || x.n`,
    owner_id: `'user-' || x.n % 50000 || '@example.com'`,
  }
  const names = rows.map(({ name }) => name)
  const step = 100_000
  for (let done = 0; done < amount; done += step) {
    note(`PostgreSQL: ${done} of ${amount} keys are filled in`)
    const count = Math.min(step, amount - done)
    await admin.query(`insert into mcp_bearer_keys (${names.join(', ')})
      select ${names.map((name) => made[name] ?? `one.${name}`).join(', ')}
      from (select * from mcp_bearer_keys limit 1) as one, (
        select n, substr(translate(encode(decode(md5(random()::text || n), 'hex'), 'base64'), '+/=', 'xyz'), 1, 12) as id
        from generate_series(1, ${count}) as n
      ) as x on conflict (id) do nothing`)
  }
  await admin.query('vacuum analyze mcp_bearer_keys')
  await admin.query('checkpoint')
}

/** As if each had been used before: the first use of a key is written down at once. */
async function wereUsed(admin, keys) {
  await admin.query('update mcp_bearer_keys set first_used_at = now() where id = any($1)', [keys.map(idOf)])
}

async function growthAt(store, url, keys, { lookUps, rounds }) {
  const bare = await bareOf('pg', url)
  const ours = verifying('verify', store, keys, lookUps)
  const base = asking('one', bare.one, keys, lookUps)
  const samples = await takeRounds('PostgreSQL, growth', [base, ours], {
    rounds: Math.ceil(rounds / 2),
    warmUp: 2,
  })
  await ours.close()
  await bare.close()
  return samples
}

function growthRows(growth) {
  return growth.map(({ amount, samples }) => ({
    'keys in PostgreSQL': amount,
    'select 1, µs': medianOf(samples, 'one', 'wall'),
    'cold, µs': medianOf(samples, 'verify', 'wall'),
    'times select 1': ratioOf(samples, 'verify', 'one', 'wall'),
  }))
}

async function comparison(url, keys, { lookUps, rounds }) {
  const rows = []
  for (const driver of ['pg', 'postgres']) {
    const store = await postgresKeyStore(url, { driver })
    const bare = await bareOf(driver, url)
    const inTurn = [
      asking('select 1, prepared', bare.one, keys, lookUps),
      asking('the row by its id, prepared', bare.row, keys, lookUps),
      verifying('apiKeyVerifier', store, keys, lookUps),
    ]
    const atOnce = [
      asking('select 1, prepared', bare.one, keys, lookUps * 4, concurrently),
      asking('the row by its id, prepared', bare.row, keys, lookUps * 4, concurrently),
      verifying('apiKeyVerifier', store, keys, lookUps * 4, concurrently),
    ]
    for (const [how, variants] of [
      ['one after the other', inTurn],
      [`${concurrently} at once`, atOnce],
    ]) {
      const samples = await takeRounds(`PostgreSQL, ${driver}, ${how}`, variants, { rounds, warmUp: 3 })
      for (const { name } of variants) {
        rows.push({
          driver,
          how,
          variant: name,
          µs: medianOf(samples, name, 'wall'),
          'times the row': ratioOf(samples, name, 'the row by its id, prepared', 'wall'),
          'CPU µs here': medianOf(samples, name, 'cpu'),
        })
      }
    }
    for (const { close } of [...inTurn, ...atOnce]) await close?.()
    await bare.close()
    await store.close()
  }
  return rows
}

const rowById = 'select * from mcp_bearer_keys where id = $1'
const one = 'select 1 as one where $1::text is not null'

/** What a driver needs at the least: ten connections, statements that are prepared. */
async function bareOf(driver, url) {
  if (driver === 'pg') {
    const pool = new pg.Pool({ connectionString: url, max: 10 })
    const ask = (name, text) => async (id) => (await pool.query({ name, text, values: [id] })).rows[0]
    return { one: ask('bare_one', one), row: ask('bare_row', rowById), close: () => pool.end() }
  }
  const sql = postgres(url, { max: 10, onnotice: logger })
  const ask = (text) => async (id) => (await sql.unsafe(text, [id], { prepare: true }))[0]
  return { one: ask(one), row: ask(rowById), close: () => sql.end() }
}

function asking(name, ask, keys, operations, atOnce = 1) {
  const ids = keys.map(idOf)
  return running(name, () => pick(ids, operations), ask, atOnce)
}

function verifying(name, store, keys, operations, atOnce = 1) {
  const verifier = apiKeyVerifier({ store, maxAge: 0 }, { logger })
  const verify = (key) => verifier.verifyToken(key)
  const variant = running(name, () => sample(keys, operations).map(copyOf), verify, atOnce)
  variant.close = () => verifier.close()
  return variant
}

/** So many workers take from one list. */
function running(name, inputsOf, ask, atOnce) {
  let inputs = []
  const work = async (queue) => {
    for (const input of queue) if (!(await ask(input))) throw new Error(`${name}: not the expected answer`)
  }
  const variant = {
    name,
    operations: 1,
    async prepare() {
      inputs = inputsOf()
      variant.operations = inputs.length
      await breathe()
    },
    async run() {
      const queue = inputs.values()
      await Promise.all(Array.from({ length: atOnce }, () => work(queue)))
    },
  }
  return variant
}

async function bytesOf(admin) {
  const { rows } = await admin.query(`select
    (select pg_total_relation_size('mcp_bearer_keys') / count(*) from mcp_bearer_keys) as key,
    (select pg_indexes_size('mcp_bearer_keys') / count(*) from mcp_bearer_keys) as key_indexes,
    (select pg_total_relation_size('mcp_bearer_audit') / count(*) from mcp_bearer_audit) as event`)
  const [{ key, key_indexes: indexes, event }] = rows
  return { key: Number(key), keyIndexes: Number(indexes), event: Number(event) }
}
