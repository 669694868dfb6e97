import type { AuditEntry, AuditEvent, AuditQuery } from '../audit-event.ts'
import { chainedHash, placed } from '../audit-hash.ts'
import { pageLimit } from './queries.ts'
import { type SqliteDatabase, type SqliteRow, sqliteQuery } from './sqlite-driver.ts'
import { type Condition, queriesOf } from './sqlite-where.ts'

/** The table of events. */
export interface SqliteAudit {
  /** Runs in the caller's transaction. */
  append(entries: readonly AuditEntry[], now: number): void
  read(query: AuditQuery): readonly AuditEvent[]
}

/** A lineage's own events, and those of its first key. */
const ofLineage =
  'lineage_id = ? and seq in (select seq from mcp_bearer_audit where lineage_id = ? and lineage_id is not key_id union all select seq from mcp_bearer_audit where key_id = ?)'
/**
 * Where events since a time begin. Rows are read in the order of their numbers, and without this all of those before.
 * Times are nearly in that order and not quite: a clock may be set back.
 */
const fromTime = '+at >= ? and seq >= (select min(+seq) from mcp_bearer_audit where at >= ?)'

/** Makes {@link SqliteAudit}. */
export function sqliteAudit(database: SqliteDatabase): SqliteAudit {
  const last = sqliteQuery(database, 'select audit_seq, audit_hash from mcp_bearer_state')
  const remember = database.prepare('update mcp_bearer_state set audit_seq = ?, audit_hash = ?')
  const insert = database.prepare('insert into mcp_bearer_audit values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const ordered = (order: 'asc' | 'desc') =>
    queriesOf(
      database,
      'select seq, at, hash, data, event, outcome, key_id, lineage_id, actor_id from mcp_bearer_audit',
      `order by seq ${order} limit ?`,
    )
  const events = { asc: ordered('asc'), desc: ordered('desc') }

  return {
    append(entries, now) {
      let [sequence, hash] = last.one() as [number, string]
      for (const entry of entries) {
        sequence += 1
        hash = chainedHash(hash, placed(entry, sequence, now))
        const { event, outcome, keyId = null, lineageId = null, actor, ...rest } = entry
        const { id = null, ...who } = actor
        const data = JSON.stringify({ ...rest, actor: who })
        insert.run(sequence, now, event, outcome, keyId, lineageId, id, data, hash)
      }
      remember.run(sequence, hash)
    },
    read(query) {
      const limit = pageLimit(query)
      const found = events[query.order === 'desc' ? 'desc' : 'asc']
      return found(conditionsOf(query))(limit).map(auditEvent)
    },
  }
}

function conditionsOf(query: AuditQuery): Condition[] {
  const { keyId, lineageId, event, outcome, actorId, since, until, after, before } = query
  return [
    keyId !== undefined && ['key_id = ?', keyId],
    lineageId !== undefined && [ofLineage, lineageId, lineageId, lineageId],
    event !== undefined && ['event = ?', event],
    outcome !== undefined && ['outcome = ?', outcome],
    actorId !== undefined && ['actor_id = ?', actorId],
    // Whoever reads page by page has found the beginning already.
    since !== undefined && (after === undefined ? [fromTime, since, since] : ['+at >= ?', since]),
    until !== undefined && ['+at < ?', until],
    after !== undefined && ['seq > ?', after],
    before !== undefined && ['seq < ?', before],
  ]
}

/** What events are searched by stands in the columns, and only there: where one is changed, the hash fits no more. */
function auditEvent([sequence, time, hash, data, ...columns]: SqliteRow): AuditEvent {
  const [event, outcome, keyId, lineageId, id] = columns
  const { actor, ...rest } = JSON.parse(data as string) as AuditEntry
  const found = { event, outcome, ...given({ keyId, lineageId }), actor: { ...actor, ...given({ id }) } }
  return { ...rest, ...found, sequence, time, hash } as AuditEvent
}

function given(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}
