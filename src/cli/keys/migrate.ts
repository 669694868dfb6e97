import { databaseName } from './database.ts'
import { keysCommand } from './keys-command.ts'

/** `mcp-bearer keys migrate`: brings the tables up to date. */
export const migrate = keysCommand({
  summary: 'bring the tables of a database up to date',
  usage: 'migrate [--dry-run] [options]',
  about: `Makes or changes the tables that keys are kept in. Servers do so when they start; this is for
databases whose servers may not. --dry-run prints the SQL.

  mcp-bearer keys migrate --db postgres://db.example.com/keys --dry-run`,
  optionsHelp: '  --dry-run          print the SQL, and do nothing',
  options: { 'dry-run': { type: 'boolean' } },
  words: [0, 0],
  async run({ values: { db, 'dry-run': dryRun = false }, terminal }) {
    const name = databaseName(db, terminal)
    const { migrateKeyStore } = await import('../../apikeys/open-key-store.ts')
    const { from, to, steps } = await migrateKeyStore(name, { dryRun })
    const version = steps.length === 0 ? `Up to date: version ${to}.` : `From version ${from} to ${to}.`
    const done = steps.map(({ version, name }) => `  ${version}  ${name}`)
    const sql = steps.flatMap(({ version, name, sql }) => [
      `-- ${version} ${name}`,
      ...sql.map((one) => `${one.trim().replace(/;$/, '')};`),
      '',
    ])
    return {
      json: { dryRun, from, to, steps },
      lines: dryRun ? [`-- ${version}`, ...sql] : [version, ...done],
    }
  },
})
