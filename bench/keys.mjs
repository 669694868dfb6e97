// What an API key costs: to make, to verify, to keep; with a million of them in SQLite and in PostgreSQL, and beside
// better-auth's.
//
//   npm run bench:keys                     the whole run, about six minutes
//   npm run bench:keys -- --quick          a short one, to see that it works
//   npm run bench:keys -- --keys=100000    with fewer than a million: two minutes less
//   npm run bench:keys -- --json           for programs
//   npm run bench:keys -- --only=verify    one part: create, verify, postgres, memory, beside; several with commas
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureBeside } from './keys/beside.mjs'
import { measureMemory } from './keys/memory.mjs'
import { startPostgres } from './keys/postgres.mjs'
import { measurePostgres, wantedRatio } from './keys/postgres-keys.mjs'
import { creationRow, sqliteOf } from './keys/sqlite.mjs'
import {
  measureGrowth,
  measureRefusals,
  measureUses,
  measureWarm,
  wantedColdSqlite,
  wantedWarm,
} from './keys/verify.mjs'
import { watchOthers } from './server/others.mjs'

const wantedCreation = 10_000

const quick = process.argv.includes('--quick')
const json = process.argv.includes('--json')
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice(7)
  .split(',')

const mostKeys = Number(
  process.argv.find((argument) => argument.startsWith('--keys='))?.slice(7) ?? 1_000_000,
)
const amounts = quick
  ? [100, 1000, 10_000]
  : [1000, 10_000, 100_000, 1_000_000].filter((amount) => amount <= mostKeys)
const most = amounts.at(-1)
const folder = mkdtempSync(join(tmpdir(), 'mcp-bearer-bench-keys-'))
chmodSync(folder, 0o755)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const opened = []

/** SQLite files with few and with many keys. Made when they are needed, and only as many as are. */
const files = {
  async one(amount) {
    const known = opened.find((one) => one.amount === amount)
    if (known) return known
    const made = await sqliteOf(folder, amount, Math.min(amount, quick ? 2000 : 9000))
    opened.push(made)
    return made
  },
  async all() {
    const made = []
    for (const amount of amounts) made.push(await this.one(amount))
    return made
  },
}

const few = quick ? 100 : 1000
const parts = {
  async create() {
    // The first keys are made while the code is not hot yet.
    for (const amount of amounts) await files.one(amount)
    const file = await files.one(most)
    show(`Creation with createMany (wanted, in SQLite: at least ${wantedCreation} keys/s)`, [
      creationRow(file),
    ])
    show('Bytes in SQLite, with indexes', [{ 'a key': file.bytes.key, 'its audit event': file.bytes.event }])
  },
  async verify() {
    const databases = await files.all()
    const large = databases.at(-1)
    show(
      `Warm: CPU µs per remembered key (wanted: at most ${wantedWarm})`,
      await measureWarm(
        large,
        quick
          ? { few, many: 5000, lookUps: 2000, rounds: 3 }
          : { few, many: 100_000, lookUps: 9000, rounds: 9 },
      ),
    )
    show(
      `Cold, and growth: CPU µs per key (wanted: at most ${wantedColdSqlite} cold, and flat)`,
      await measureGrowth(
        databases,
        quick ? { few, lookUps: 500, rounds: 3 } : { few, lookUps: 2000, rounds: 21 },
      ),
    )
    show(
      'Refusals: CPU µs per text',
      await measureRefusals(large, quick ? { lookUps: 200, rounds: 3 } : { lookUps: 1000, rounds: 15 }),
    )
    const micros = await measureUses(large, quick ? 1000 : 8000)
    show('In the background', [{ 'last use of a key, once a minute': `${micros} CPU µs` }])
  },
  async postgres() {
    const server = await startPostgres(join(folder, 'postgres'))
    try {
      say(`\nPostgreSQL ${server.version}`)
      const result = await measurePostgres(
        server.url,
        quick
          ? { amounts, created: 1000, lookUps: 100, rounds: 3 }
          : { amounts, created: 10_000, lookUps: 400, rounds: 21 },
      )
      show('Creation with createMany in PostgreSQL', [result.create])
      show(
        `Cold, PostgreSQL (wanted: at most ${wantedRatio} times the row, one after the other)`,
        result.cold,
      )
      show('Growth, PostgreSQL', result.growth)
      show('Bytes in PostgreSQL', [
        {
          'a key, with indexes': result.bytes.key,
          'indexes alone': result.bytes.keyIndexes,
          'an audit event': result.bytes.event,
        },
      ])
    } finally {
      await server.stop()
    }
  },
  async memory() {
    show('Memory: bytes per remembered key, heap and external', [
      await measureMemory(folder, quick ? 5000 : 100_000),
    ])
  },
  async beside() {
    const result = await measureBeside(
      folder,
      await files.one(most),
      quick ? { created: 50, lookUps: 50, rounds: 3 } : { created: 500, lookUps: 300, rounds: 15 },
    )
    show(`Creation one by one, ${most} keys in SQLite`, result.create)
    show(`Verification beside better-auth, ${most} keys in SQLite`, result.verify)
  },
}

const shown = {}

function say(text) {
  if (!json) console.log(text)
}

/** A table that can be put into documentation as it is. */
function show(title, rows) {
  shown[title] = rows
  const names = Object.keys(rows[0])
  const line = (cells) => `| ${cells.join(' | ')} |`
  const cell = (value) => (typeof value === 'number' ? value.toLocaleString('en-US') : value)
  say(`\n${title}\n`)
  say([line(names.map((name) => name.trim())), line(names.map(() => '---'))].join('\n'))
  for (const row of rows) say(line(names.map((name) => cell(row[name]))))
}

const { version, devDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)))
const { dependencies } = JSON.parse(readFileSync(new URL('../.bench/package.json', import.meta.url)))
const machine = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  cpu: cpus()[0].model,
  cores: cpus().length,
  versions: {
    'mcp-bearer': version,
    'better-auth': dependencies['better-auth'],
    '@better-auth/api-key': dependencies['@better-auth/api-key'],
    pg: devDependencies.pg,
    postgres: devDependencies.postgres,
  },
}
const started = performance.now()
const others = watchOthers([process.pid])
say(`${machine.date}, Node ${machine.node}, ${machine.cores} cores of ${machine.cpu}`)
say(
  Object.entries(machine.versions)
    .map((pair) => pair.join(' '))
    .join(', '),
)
for (const [name, run] of Object.entries(parts)) if (only === undefined || only.includes(name)) await run()
for (const { store } of opened) await store.close()
const seconds = Math.round((performance.now() - started) / 1000)
const busy = others()
if (json) console.log(JSON.stringify({ ...machine, seconds, othersPercent: busy, ...shown }, undefined, 2))
else console.log(`\n${seconds} s; others, the PostgreSQL server included, took ${busy} % of the machine`)
