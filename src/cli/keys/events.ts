import type { ApiKeys } from '../../apikeys/api-key.ts'
import type { AuditEvent, AuditQuery } from '../../apikeys/audit-event.ts'
import { timeText } from '../../inspector/token/times.ts'
import { entryLine, printableLine } from '../printable.ts'

/** Events of one question to the database. */
const page = 1000

/** All events of a query, read as they are wanted. */
export async function* eventsOf(
  keys: Pick<ApiKeys, 'audit'>,
  query: AuditQuery,
  signal: AbortSignal,
): AsyncGenerator<AuditEvent> {
  let after = query.after
  while (true) {
    const events = await keys.audit({ ...query, limit: page, ...(after !== undefined && { after }) })
    signal.throwIfAborted()
    yield* events
    after = events.at(-1)?.sequence
    if (events.length < page) return
  }
}

/** Characters of the columns. */
const widest = 'key.used_in_grace'.length
const idLength = 12

/** An event in one line: when, what, which key, who, and what else is said. */
export function eventLine(event: AuditEvent): string {
  const { time, keyId = '-', actor, reason, address, count = 1, requestId, changes, outcome } = event
  const more = [
    reason !== undefined && `${outcome === 'failure' ? 'refused' : 'because'}: ${reason}`,
    // Of a new key, that is everything; "show" tells it better.
    changes && Object.keys(changes.before).length > 0 && `changed: ${Object.keys(changes.after).join(', ')}`,
    address !== undefined && `from ${address}`,
    count > 1 && `${count} times`,
    requestId !== undefined && `request ${requestId}`,
  ].filter((part) => typeof part === 'string')
  return [
    timeText(new Date(time)),
    printableLine(event.event, widest).padEnd(widest),
    printableLine(keyId, idLength).padEnd(idLength),
    entryLine(`${actor.type} ${actor.name ?? actor.id ?? ''}`, ...more),
  ].join('  ')
}
