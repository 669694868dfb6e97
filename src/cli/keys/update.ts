import type { ApiKeyUpdate } from '../../apikeys/api-key.ts'
import { UsageError } from '../command.ts'
import { keyFacts } from './facts.ts'
import { keysCommand } from './keys-command.ts'
import { propertiesOf, propertyHelp, propertyOptions } from './properties.ts'
import { dateOf, durationOf, momentOf } from './times.ts'
import { keyIdOf, oneOf } from './words.ts'

/** What can be taken away, and the member that is then `null`. */
const clearable = {
  tenant: 'tenant',
  tools: 'tools',
  audience: 'audience',
  addresses: 'addresses',
  'rate-limit': 'rateLimit',
  'usage-limit': 'usageLimit',
  'not-before': 'notBefore',
  expires: 'expiresAt',
} as const satisfies Record<string, keyof ApiKeyUpdate>

const clearableNames = Object.keys(clearable) as (keyof typeof clearable)[]

/** `mcp-bearer keys update`: other rights, the same secret. */
export const update = keysCommand({
  summary: 'change what a key is and may',
  usage: 'update ID [options]',
  about: `Changes what is given, and leaves the rest. Scopes, tools, audiences, addresses and metadata
are replaced as a whole. The secret stays: "rotate" makes a new one.

  mcp-bearer keys update 4fVqmPzLk2aB --scope 'reports:read reports:write' --expires 30d
  mcp-bearer keys update 4fVqmPzLk2aB --clear rate-limit`,
  optionsHelp: `${propertyHelp}
  --clear WHAT       take away a limit; several times: ${clearableNames.slice(0, 5).join(', ')},
                     ${clearableNames.slice(5).join(', ')}`,
  options: { ...propertyOptions, clear: { type: 'string', multiple: true } },
  words: [1, 1],
  async run({ values, words: [word = ''], open }) {
    const id = keyIdOf(word)
    const { expires, 'not-before': begins, 'max-lifetime': lifetime, clear = [], reason } = values
    const properties = propertiesOf(values)
    const cleared = Object.fromEntries(
      clear
        .flatMap((names) => names.split(','))
        .map((name) => [clearable[oneOf(name, '--clear', clearableNames)], null]),
    ) as ApiKeyUpdate
    const ends = expires === undefined ? undefined : momentOf(expires, '--expires')
    const starts = begins === undefined ? undefined : momentOf(begins, '--not-before')
    const twice = Object.keys(cleared).find((name) => {
      return Object.hasOwn(properties, name) || (name === 'expiresAt' ? ends : name === 'notBefore' && starts)
    })
    if (twice !== undefined) throw new UsageError(`--clear takes away what is given as well: ${twice}`)
    if (!ends && !starts && Object.keys({ ...properties, ...cleared }).length === 0)
      throw new UsageError('nothing to change; --help lists what can be given')
    const { keys, store, by } = await open({
      maxLifetimeSeconds: lifetime === undefined ? undefined : durationOf(lifetime, '--max-lifetime'),
    })
    const now = store.time()
    const apiKey = await keys.update(
      id,
      {
        ...properties,
        ...cleared,
        ...(ends && { expiresAt: dateOf(ends, now) }),
        ...(starts && { notBefore: dateOf(starts, now) }),
      },
      by(reason),
    )
    return { json: { apiKey }, lines: [`Changed ${id}.`, '', ...keyFacts(apiKey, now)] }
  },
})
