import type { AuditEventName, AuditQuery } from '../../apikeys/audit-event.ts'
import { UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { printableJson } from '../printable.ts'
import { taken } from './async-items.ts'
import { markOf, verifyChain } from './chain.ts'
import { eventLine, eventsOf } from './events.ts'
import { printJsonList } from './json-list.ts'
import { keysCommand } from './keys-command.ts'
import { dateOf, momentOf } from './times.ts'
import { countOf, keyIdOf, oneOf } from './words.ts'

const eventNames: readonly AuditEventName[] = [
  'key.create',
  'key.import',
  'key.update',
  'key.enable',
  'key.disable',
  'key.rotate',
  'key.revoke',
  'key.first_use',
  'key.used_in_grace',
  'key.leak_reported',
  'key.purge',
  'auth.failure',
  'auth.rate_limited',
  'jwt.revoke',
  'jwt.cutoff_set',
  'audit.gap',
]

/** `mcp-bearer keys audit`: what happened. */
export const audit = keysCommand({
  summary: 'read, export and check the audit log',
  usage: 'audit [options]',
  about: `Prints what happened, the oldest first. --verify checks that no event was removed or changed:
exit code 1 if one was.

  mcp-bearer keys audit --key 4fVqmPzLk2aB --since 7d
  mcp-bearer keys audit --jsonl > audit.jsonl
  mcp-bearer keys audit --verify`,
  optionsHelp: `  --key ID           events of this key
  --event NAME       events of this name, such as key.revoke
  --since WHEN       from then on: a date, or 7d, 12h, 30m ago
  --until WHEN       before then
  --limit N          no more than so many
  --jsonl            one JSON document a line
  --verify           check the chain of all events
  --known MARK       what an earlier --verify printed: it must still be there`,
  options: {
    key: { type: 'string' },
    event: { type: 'string' },
    since: { type: 'string' },
    until: { type: 'string' },
    limit: { type: 'string' },
    jsonl: { type: 'boolean' },
    verify: { type: 'boolean' },
    known: { type: 'string' },
  },
  words: [0, 0],
  async run({ values, terminal, signal, open }) {
    const { key, event, jsonl = false, verify = false } = values
    const since = values.since === undefined ? undefined : momentOf(values.since, '--since')
    const until = values.until === undefined ? undefined : momentOf(values.until, '--until')
    const limit = values.limit === undefined ? undefined : countOf(values.limit, '--limit')
    const query: AuditQuery = {
      ...(key !== undefined && { keyId: keyIdOf(key) }),
      ...(event !== undefined && { event: oneOf(event, '--event', eventNames) }),
    }
    if (verify && (Object.keys(query).length > 0 || since || until || limit || jsonl))
      throw new UsageError('--verify looks at all events; give it alone')
    if (jsonl && values.json === true) throw new UsageError('give --json or --jsonl, not both')
    const known = values.known === undefined ? undefined : markOf(values.known)
    if (known && !verify) throw new UsageError('--known goes with --verify')
    const { keys, store } = await open()
    if (verify) return verifyChain(store, known)
    const now = store.time()
    const all = eventsOf(
      keys,
      {
        ...query,
        ...(since && { since: dateOf(since, now, -1).getTime() }),
        ...(until && { until: dateOf(until, now, -1).getTime() }),
      },
      signal,
    )
    const events = limit === undefined ? all : taken(all, limit)
    if (values.json === true) return printJsonList('events', events, terminal, signal)
    let count = 0
    for await (const one of events) {
      count += 1
      terminal.line(jsonl ? printableJson(one, 0) : eventLine(one))
    }
    if (count === 0) terminal.note('No such events.')
    return exitCode.ok
  },
})
