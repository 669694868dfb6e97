import type { ApiKey, ApiKeyFilter, ApiKeyStatus } from '../../apikeys/api-key.ts'
import { distance } from '../../inspector/token/times.ts'
import { exitCode } from '../exit-codes.ts'
import { kept, mapped, taken, until } from './async-items.ts'
import { type Column, printTable } from './columns.ts'
import { printJsonList } from './json-list.ts'
import { keysCommand } from './keys-command.ts'
import { countOf, oneOf, ownerOf, ownerText } from './words.ts'

const statuses: readonly ApiKeyStatus[] = [
  'active',
  'pending',
  'grace',
  'not_yet_valid',
  'disabled',
  'exhausted',
  'expired',
  'revoked',
]

/** `mcp-bearer keys list`: the keys there are, as they are read. */
export const list = keysCommand({
  summary: 'list keys',
  usage: 'list [options]',
  about: `Lists keys in the order of their ids. A table that fits the screen; --json has all of each.

  mcp-bearer keys list --owner service:build
  mcp-bearer keys list --stale
  mcp-bearer keys list --status expired --status revoked --json`,
  optionsHelp: `  --owner WHO        keys of this owner: an id, or type:id
  --tenant ID        keys of this tenant
  --status STATUS    several times; ${statuses.slice(0, 4).join(', ')},
                     ${statuses.slice(4).join(', ')}
  --stale            only what is worth a look, and why
  --limit N          no more than so many`,
  options: {
    owner: { type: 'string' },
    tenant: { type: 'string' },
    status: { type: 'string', multiple: true },
    stale: { type: 'boolean' },
    limit: { type: 'string' },
  },
  words: [0, 0],
  async run({ values, terminal, signal, open }) {
    const { tenant, stale = false } = values
    const owner = values.owner === undefined ? undefined : ownerOf(values.owner)
    const status = values.status
      ?.flatMap((words) => words.split(','))
      .map((word) => oneOf(word, '--status', statuses))
    const limit = values.limit === undefined ? undefined : countOf(values.limit, '--limit')
    const { keys, store } = await open()
    const { staleReasons } = await import('../../apikeys/view.ts')
    const now = store.time()
    const filter: ApiKeyFilter = {
      ...(owner && { owner: owner.id }),
      ...(tenant !== undefined && { tenant }),
      ...(status && { status }),
      ...(stale && { stale }),
    }
    const isAsked = ({ owner: { type } }: ApiKey) => owner?.type === undefined || owner.type === type
    const all = kept(until(keys.all(filter), signal), isAsked)
    const found = limit === undefined ? all : taken(all, limit)
    const why = (key: ApiKey): readonly string[] => staleReasons(key, now)
    if (values.json === true) {
      const told = stale ? mapped(found, (key) => ({ ...key, stale: why(key) })) : found
      return printJsonList('keys', told, terminal, signal)
    }
    const rows = await printTable(columnsOf(now, stale ? why : undefined), found, terminal)
    if (rows === 0) terminal.note('No such keys.')
    return exitCode.ok
  },
})

function columnsOf(now: number, why: ((key: ApiKey) => readonly string[]) | undefined): Column<ApiKey>[] {
  const when = (date: Date | undefined) => (date === undefined ? 'never' : distance(date, now))
  return [
    { title: 'ID', most: 12, cell: ({ id }) => id },
    { title: 'NAME', most: 64, shrinks: true, cell: ({ name }) => name },
    { title: 'OWNER', most: 64, shrinks: true, cell: ({ owner }) => ownerText(owner) },
    { title: 'STATUS', most: 13, cell: ({ status }) => status },
    why
      ? { title: 'WHY', most: 64, shrinks: true, cell: (key) => why(key).join(' ') }
      : { title: 'SCOPES', most: 64, shrinks: true, cell: ({ scopes }) => scopes.join(' ') || '-' },
    { title: 'EXPIRES', most: 12, cell: ({ expiresAt }) => when(expiresAt) },
    { title: 'LAST USED', most: 12, cell: ({ lastUsedAt, firstUsedAt }) => when(lastUsedAt ?? firstUsedAt) },
  ]
}
