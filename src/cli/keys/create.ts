import type { NewApiKey } from '../../apikeys/api-key.ts'
import { UsageError } from '../command.ts'
import { createMany } from './create-many.ts'
import { issuedLines, issuedQuietly } from './issued.ts'
import { keysCommand } from './keys-command.ts'
import { propertiesOf, propertyHelp, propertyOptions } from './properties.ts'
import { dateOf, durationOf, momentOf } from './times.ts'
import { countOf, oneOf } from './words.ts'

/** Keys of one call. */
const most = 100_000

/** `mcp-bearer keys create`: a key, shown once. */
export const create = keysCommand({
  summary: 'make a key, and show it once',
  usage: 'create --name TEXT --owner [TYPE:]ID [options]',
  about: `Makes a key and shows it, once: of its secret only a digest is kept. A database that does
not exist is made.

  mcp-bearer keys create --name ci --owner service:build --scope reports:read --expires 90d
  mcp-bearer keys create --name ci --owner service:build --quiet | gh secret set MCP_API_KEY`,
  optionsHelp: `${propertyHelp}
  --env live|test    what servers it is for; otherwise live
  --prefix WORD      what it begins with; otherwise mcpk
  --count N          so many keys, called NAME-1, NAME-2 and so on
  --quiet            print the key alone; all else goes to standard error`,
  options: {
    ...propertyOptions,
    env: { type: 'string' },
    prefix: { type: 'string' },
    count: { type: 'string' },
    quiet: { type: 'boolean' },
  },
  words: [0, 0],
  async run({ values, terminal, signal, open }) {
    const { quiet = false, json = false, env, prefix, reason, 'max-lifetime': lifetime } = values
    if (quiet && json) throw new UsageError('--quiet and --json are two ways to print it; give one')
    const { name, owner, ...properties } = propertiesOf(values)
    if (name === undefined || owner === undefined) {
      throw new UsageError(
        'give --name, for people to know it by, and --owner, whose it is: --name ci --owner service:build',
      )
    }
    const count = values.count === undefined ? undefined : countOf(values.count, '--count', most)
    const expires = values.expires === undefined ? undefined : momentOf(values.expires, '--expires')
    const begins =
      values['not-before'] === undefined ? undefined : momentOf(values['not-before'], '--not-before')
    const database = await open({
      make: true,
      prefix,
      environment: env === undefined ? undefined : oneOf(env, '--env', ['live', 'test']),
      maxLifetimeSeconds: lifetime === undefined ? undefined : durationOf(lifetime, '--max-lifetime'),
    })
    signal.throwIfAborted()
    const key = {
      ...(properties as Partial<NewApiKey>),
      name,
      owner,
      ...(begins && { notBefore: dateOf(begins, database.store.time()) }),
      ...(expires &&
        ('date' in expires ? { expiresAt: expires.date } : { expiresInSeconds: expires.seconds })),
    }
    if (count !== undefined)
      return createMany(key, count, database.by(reason), {
        keys: database.keys,
        quiet,
        json,
        terminal,
        signal,
      })
    const created = await database.keys.create(key, database.by(reason))
    if (quiet) return issuedQuietly(created, terminal)
    return { json: { ...created }, lines: issuedLines(created, database.store.time()) }
  },
})
