import type { AuditEntry } from '../audit-event.ts'
import { chainedHash, placed } from '../audit-hash.ts'
import type { Change, KeyChanges, KeyUpdate, StoredRevocation } from '../key-store.ts'
import type { Cell, Query } from './postgres-driver.ts'
import { insertKeys, milliseconds, timeGivenBy, timestamp, toJson, updateKeys } from './postgres-rows.ts'
import { mergedRevocation } from './revocation-merge.ts'

/** The channel on which others are told that something was changed. Its messages say nothing more. */
export const channel = 'mcp_bearer'

/**
 * Makes changes in a transaction. A thousand keys take as many statements as one.
 * @param now the time in milliseconds; null for that of the database
 * @returns the changes others are to be told of; `undefined` when it is to be undone
 */
export async function writeChanges(
  query: Query,
  { add = [], update = [], revoke = [], audit }: KeyChanges,
  now: Cell,
): Promise<readonly Change[] | undefined> {
  if (add.length > 0 && !(await all(query, insert, add.map(toJson)))) return undefined
  for (const round of rounds(update)) {
    if (!(await all(query, change, round.map(toUpdate)))) return undefined
  }
  if (revoke.length > 0) await query(addRevocations, [JSON.stringify(merged(revoke))])
  const changes: readonly Change[] = [
    ...update.map(({ record }) => ({ topic: 'key' as const, ref: record.id })),
    ...revoke.map(({ name }) => ({ topic: 'revocation' as const, ref: name })),
  ]
  await record(query, audit, changes, now)
  return changes
}

/**
 * Adds events to the end of their chain, and changes to their log, in one transaction. The row of the chain's end is
 * held from here to the commit: late, so that it is short, and so that sequences are given in the order of commits.
 */
export async function record(
  query: Query,
  entries: readonly AuditEntry[],
  changes: readonly Change[],
  now: Cell,
): Promise<void> {
  const [head] = await query(holdHead, [now])
  let previous = String(head?.audit_hash)
  const first = Number(head?.audit_sequence) + 1
  const time = Number(head?.time)
  const events = entries.map((entry, index) => {
    // What is hashed is what is kept, and what is kept is JSON.
    const data = JSON.parse(JSON.stringify(entry)) as AuditEntry
    const sequence = first + index
    previous = chainedHash(previous, placed(data, sequence, time))
    return { sequence, hash: previous, data }
  })
  await query(append, [
    JSON.stringify(events),
    JSON.stringify(changes),
    String(first + events.length - 1),
    previous,
    String(time),
  ])
}

async function all(query: Query, statement: typeof insert, rows: readonly unknown[]): Promise<boolean> {
  const [done] = await query(statement, [JSON.stringify(rows)])
  return Number(done?.count) === rows.length
}

/** Updates one after the other where they are of the same key: a statement changes a row once. */
function rounds(updates: readonly KeyUpdate[]): readonly (readonly KeyUpdate[])[] {
  const made: Map<string, KeyUpdate>[] = []
  for (const update of updates) {
    const free = made.find((round) => !round.has(update.record.id))
    if (free) free.set(update.record.id, update)
    else made.push(new Map([[update.record.id, update]]))
  }
  return made.map((round) => [...round.values()])
}

function toUpdate({ record, resetUsage = false }: KeyUpdate) {
  return { ...toJson(record), reset: resetUsage }
}

/** One of each name, in the order of names: two nodes that revoke the same ones wait for each other, and not forever. */
function merged(revocations: readonly StoredRevocation[]): readonly StoredRevocation[] {
  const byName = new Map<string, StoredRevocation>()
  for (const one of revocations) byName.set(one.name, mergedRevocation(byName.get(one.name), one))
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}

const insert = { name: 'mcp_bearer_insert', text: insertKeys }
const change = { name: 'mcp_bearer_update', text: updateKeys }

/** The same as {@link mergedRevocation}. */
const addRevocations = {
  name: 'mcp_bearer_revoke',
  text: `insert into mcp_bearer_revocations as r (name, kind, cut_off, until)
  select x.name, x.kind, x."cutOff", ${timestamp('x.until')}
  from json_to_recordset($1::text::json) as x(name text, kind text, "cutOff" float8, until float8)
  on conflict (name) do update set kind = excluded.kind,
    cut_off = greatest(r.cut_off, excluded.cut_off),
    until = case when r.until is not null and excluded.until is not null then greatest(r.until, excluded.until) end`,
}

/** A change that is acknowledged is on disk, also where the database was told not to wait for it. */
const holdHead = {
  name: 'mcp_bearer_hold',
  text: `select audit_sequence, audit_hash, ${milliseconds(timeGivenBy('$1'))} as time,
    case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) end as sync
  from mcp_bearer_head for no key update`,
}

/** Whoever is told by a notification holds a lock of the whole database at commit: so only for what others must know. */
const append = {
  name: 'mcp_bearer_append',
  text: `with head as (
  update mcp_bearer_head set audit_sequence = $3::text::int8, audit_hash = $4::text
), events as (
  insert into mcp_bearer_audit (sequence, at, hash, data)
  select x.sequence, ${timestamp('$5::text::float8')}, x.hash, x.data
  from json_to_recordset($1::text::json) as x(sequence int8, hash text, data json)
), changes as (
  insert into mcp_bearer_changes (at, topic, ref)
  select ${timestamp('$5::text::float8')}, x.topic, x.ref
  from json_to_recordset($2::text::json) as x(topic text, ref text)
) select pg_notify('${channel}', 'x') where $2::text <> '[]'`,
}
