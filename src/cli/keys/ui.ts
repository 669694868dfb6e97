import { notes } from '../credential.ts'
import { runSite, siteHelp, siteOptions, sitePort } from '../inspect/run-site.ts'
import { databaseLabel, databaseName } from './database.ts'
import { keysCommand } from './keys-command.ts'
import { durationOf } from './times.ts'
import { oneOf } from './words.ts'

/** `mcp-bearer keys ui`: the page for API keys. */
export const ui = keysCommand({
  summary: 'look at the keys in the browser, and change them',
  usage: 'ui [options]',
  about: `Shows a page on this machine: the keys there are and how they are used, a new one, rotation,
revocation, the audit log. No MCP server is needed.

  mcp-bearer keys ui --db keys.db

It prints an address with a key in it, which lets one page in, once; a new one with Enter. The
page may do everything with the keys of this database.`,
  optionsHelp: `  --env live|test    what servers new keys are for; otherwise live
  --prefix WORD      what new keys begin with; otherwise mcpk
  --max-lifetime T   refuse keys with a longer life than this, such as 90d
${siteHelp}`,
  options: {
    ...siteOptions,
    env: { type: 'string' },
    prefix: { type: 'string' },
    'max-lifetime': { type: 'string' },
  },
  words: [0, 0],
  async run({ values, terminal, signal, open }) {
    const port = sitePort(values.port)
    const { env, prefix, 'max-lifetime': lifetime, db }: typeof values & { db?: string } = values
    const { options, by } = await open({
      prefix,
      environment: env === undefined ? undefined : oneOf(env, '--env', ['live', 'test']),
      maxLifetimeSeconds: lifetime === undefined ? undefined : durationOf(lifetime, '--max-lifetime'),
    })
    signal.throwIfAborted()
    const name = databaseLabel(databaseName(db, terminal))
    const { keysSite } = await import('../../inspector/bridge/keys-site.ts')
    const { actor = { type: 'cli' } } = by()
    const site = await keysSite({ keys: options, name, actor, port, logger: notes(terminal) })
    return runSite({
      site,
      title: `The API keys of ${name}`,
      advice: ['Open it in a browser of this machine. Whoever opens it first may make, change and end keys.'],
      json: { database: name },
      values,
      terminal,
      signal,
    })
  },
})
