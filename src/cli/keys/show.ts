import type { ApiKey, ApiKeys } from '../../apikeys/api-key.ts'
import type { AuditEvent } from '../../apikeys/audit-event.ts'
import { distance } from '../../inspector/token/times.ts'
import { eventLine, eventsOf } from './events.ts'
import { keyFacts } from './facts.ts'
import { keysCommand } from './keys-command.ts'
import { keyIdOf } from './words.ts'

/** Events that are shown. */
const recent = 10

/** `mcp-bearer keys show`: all that is known of one key. */
export const show = keysCommand({
  summary: 'show all of one key',
  usage: 'show ID [options]',
  about: `Shows what is known of a key, the keys it replaced or was replaced by, and what happened to
them last. Its secret is not known to anybody.

  mcp-bearer keys show 4fVqmPzLk2aB`,
  options: {},
  words: [1, 1],
  async run({ words: [word = ''], signal, open }) {
    const id = keyIdOf(word)
    const { keys, store } = await open()
    const key = await keys.get(id)
    if (key === undefined) throw new RangeError(`there is no key ${id}`)
    const lineage = await lineageOf(key, keys)
    const events = await lastEvents(key, keys, signal)
    const now = store.time()
    const others = lineage.filter((one) => one.id !== id)
    return {
      json: { apiKey: key, lineage: lineage.map(({ id, status }) => ({ id, status })), audit: events },
      lines: [
        ...keyFacts(key, now),
        ...(others.length === 0 ? [] : ['', 'Other keys of this lineage, the oldest first']),
        ...others.map(({ id, status, createdAt }) => `  ${id}  ${status}, made ${distance(createdAt, now)}`),
        ...(events.length === 0 ? [] : ['', 'What happened last']),
        ...events.map((event) => `  ${eventLine(event)}`),
      ],
    }
  },
})

async function lineageOf({ lineageId }: ApiKey, keys: ApiKeys): Promise<ApiKey[]> {
  const lineage: ApiKey[] = []
  for await (const one of keys.all({ lineageId })) lineage.push(one)
  return lineage.sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime())
}

async function lastEvents({ lineageId }: ApiKey, keys: ApiKeys, signal: AbortSignal): Promise<AuditEvent[]> {
  const last: AuditEvent[] = []
  for await (const event of eventsOf(keys, { lineageId }, signal)) {
    last.push(event)
    if (last.length > recent) last.shift()
  }
  return last
}
