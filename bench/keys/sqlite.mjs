// SQLite files with keys in them, filled the way anybody would: by `createMany`. And how fast that was.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { sqliteKeyStore } from '../../dist/apikeys/index.js'
import { sqliteDriver } from '../../dist/apikeys/stores/sqlite-driver.js'
import { note, round } from '../measure.mjs'
import { createKeys, idOf } from './keys.mjs'
import { measured } from './rounds.mjs'

/**
 * Makes a file with so many keys. Of very many, the most are written by SQL, like one that was made: what is measured is
 * the last tenth, when the indexes are large.
 * @param keep how many of the keys are kept to be verified
 */
export async function sqliteOf(folder, amount, keep) {
  const file = join(folder, `${amount}.db`)
  const store = await sqliteKeyStore(file)
  const first = amount > mostCreated ? 1000 : 0
  const created = amount > mostCreated ? amount / 10 : amount
  await createKeys(store, first)
  if (first > 0) await fill(file, amount - created - first)
  note(`SQLite: ${created} of ${amount} keys`)
  let keys = []
  const { cpu, wall } = await measured(async () => {
    keys = await createKeys(store, created, { keep, from: amount - created })
  })
  note('')
  await wereUsed(file, keys.map(idOf))
  return { file, store, amount, keys, creation: { created, cpu, wall }, bytes: await bytesOf(file, amount) }
}

/** More would take minutes. */
const mostCreated = 100_000

export function creationRow({ amount, creation: { created, cpu, wall } }, store = 'SQLite') {
  return {
    store,
    'keys there, at the end': amount,
    created,
    'keys/s': Math.round(created / (wall / 1e6)),
    'CPU µs per key': round(cpu / created, 1),
  }
}

/** Keys nobody has, and their events. */
async function fill(file, amount) {
  const database = (await sqliteDriver())(file)
  inABurst(database)
  const insert = (table, made, from) => {
    const columns = database
      .prepare('select name from pragma_table_info(?)')
      .all(table)
      .map(({ name }) => name)
    database.exec(`insert into ${table} (${columns.join(', ')})
      with recursive n(n) as (select 1 union all select n + 1 from n where n < ${from.count})
      select ${columns.map((name) => made[name] ?? `one.${name}`).join(', ')}
      from (select n, substr(hex(randomblob(6)), 1, 12) as id from n) as x, (select * from ${table} limit 1) as one`)
  }
  const step = 50_000
  for (let done = 0; done < amount; done += step) {
    note(`SQLite: ${done} of ${amount} keys are filled in`)
    const count = Math.min(step, amount - done)
    const key = { id: 'x.id', lineage_id: 'x.id', client_id: 'x.id', hash: 'randomblob(32)' }
    insert(
      'mcp_bearer_keys',
      { ...key, name: "'CI of project ' || x.n", owner_id: "'user-' || x.n % 50000 || '@example.com'" },
      { count },
    )
    const [{ last }] = database.prepare('select max(seq) as last from mcp_bearer_audit').all()
    insert(
      'mcp_bearer_audit',
      { seq: `${last} + x.n`, key_id: 'x.id', lineage_id: 'x.id', hash: 'lower(hex(randomblob(32)))' },
      { count },
    )
  }
  database.exec('update mcp_bearer_state set audit_seq = (select max(seq) from mcp_bearer_audit)')
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
}

/** Whoever fills a file for a benchmark needs neither its safety nor its thrift. */
export function inABurst(database) {
  database.exec('pragma synchronous = off')
  database.exec('pragma cache_size = -1000000')
  database.exec('pragma wal_autocheckpoint = 1000000')
}

/** As if each had been used before: the first use of a key is written down at once, and is no use like any other. */
async function wereUsed(file, ids) {
  const database = (await sqliteDriver())(file)
  const now = Date.now()
  const use = database.prepare('update mcp_bearer_keys set first_used_at = ? where id = ?')
  database.exec('begin immediate')
  for (const id of ids) use.run(now, id)
  database.exec('commit')
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
}

/** What a key and an event take, with their indexes. */
async function bytesOf(file, amount) {
  const database = (await sqliteDriver())(file)
  const rows = database.prepare('select name, sum(pgsize) as bytes from dbstat group by name').all()
  database.close()
  const sum = (word) =>
    rows.filter(({ name }) => name.includes(word)).reduce((total, { bytes }) => total + Number(bytes), 0)
  return {
    key: Math.round(sum('mcp_bearer_keys') / amount),
    event: Math.round(sum('mcp_bearer_audit') / amount),
    file: statSync(file).size,
  }
}
