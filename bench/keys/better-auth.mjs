// better-auth's API keys, set up as its documentation has it: its own SQLite dialect, rate limiting off, and the settings
// of the file that ours has (write-ahead log, full sync).

import { join } from 'node:path'
import { load } from '../../.bench/load.mjs'
import { sqliteDriver } from '../../dist/apikeys/stores/sqlite-driver.js'
import { note } from '../measure.mjs'
import { measured } from './rounds.mjs'
import { creationRow, inABurst } from './sqlite.mjs'

/**
 * Makes a file with so many keys, of which the first ones are made by the library itself, and the others written by SQL in
 * its own format: it makes one at a time.
 */
export async function betterAuthOf(folder, amount, created) {
  const { betterAuth } = await load('better-auth')
  const { getMigrations } = await load('better-auth/db/migration')
  const { apiKey } = await load('@better-auth/api-key')
  const { NodeSqliteDialect } = await load('@better-auth/kysely-adapter/node-sqlite-dialect')
  const database = (await sqliteDriver())(join(folder, 'better-auth.db'))
  database.exec('pragma journal_mode = wal')
  database.exec('pragma synchronous = full')
  const options = {
    baseURL: 'http://127.0.0.1:3000',
    secret: 'not a secret, as nobody signs in here',
    telemetry: { enabled: false },
    logger: { disabled: true },
    database: { dialect: new NodeSqliteDialect({ database }), type: 'sqlite', transaction: true },
    plugins: [apiKey({ rateLimit: { enabled: false }, enableMetadata: true })],
  }
  await (await getMigrations(options)).runMigrations()
  database.exec(`insert into user (id, name, email, emailVerified, createdAt, updatedAt)
    values ('alice', 'Alice', 'alice@example.com', 1, '2026-01-01', '2026-01-01')`)
  const { api } = betterAuth(options)
  await create(api, 50, 0)
  fill(database, amount - created - 50)
  note('better-auth: making keys')
  let keys = []
  const creation = await measured(async () => {
    keys = await create(api, created, 50)
  })
  note('')
  const verify = async (key) => (await api.verifyApiKey({ body: { key } })).valid
  await assertChecks(verify, keys)
  return {
    name: 'better-auth',
    keys,
    verify,
    creation: creationRow({ amount, creation: { created, ...creation } }, 'SQLite, better-auth, one by one'),
    close: () => database.close(),
  }
}

async function create(api, amount, from) {
  const keys = []
  for (let made = 0; made < amount; made++) {
    const { key } = await api.createApiKey({
      body: {
        name: `CI of project ${from + made}`,
        userId: 'alice',
        expiresIn: 90 * 86_400,
        permissions: { files: ['read', 'write'] },
        metadata: { plan: 'team', project: from + made },
      },
    })
    keys.push(key)
  }
  return keys
}

/** Like the first one, but for what tells keys apart. Its digest is 43 characters of base64url. */
function fill(database, amount) {
  inABurst(database)
  const columns = database
    .prepare('select name from pragma_table_info(?)')
    .all('apikey')
    .map(({ name }) => name)
  const made = { id: 'hex(randomblob(16))', key: 'substr(hex(randomblob(22)), 1, 43)' }
  const step = 100_000
  for (let done = 0; done < amount; done += step) {
    note(`better-auth: ${done} of ${amount} keys are filled in`)
    database.exec(`insert into apikey (${columns.map((name) => `"${name}"`).join(', ')})
      with recursive n(n) as (select 1 union all select n + 1 from n where n < ${Math.min(step, amount - done)})
      select ${columns.map((name) => made[name] ?? `one."${name}"`).join(', ')}
      from n, (select * from apikey limit 1) as one`)
  }
  database.exec('pragma wal_checkpoint(truncate)')
  database.exec('pragma synchronous = full')
  database.exec('pragma cache_size = -2000')
  database.exec('pragma wal_autocheckpoint = 1000')
}

/** A benchmark of checks that are not made would be worth nothing. */
async function assertChecks(verify, [key]) {
  if (!(await verify(key))) throw new Error('better-auth refuses a good key')
  if (await verify(`${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`)) {
    throw new Error('better-auth takes a key that nobody has')
  }
}
