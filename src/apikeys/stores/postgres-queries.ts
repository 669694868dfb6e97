import type { Poured } from '../../core/counters.ts'
import type { AuditEvent, AuditQuery } from '../audit-event.ts'
import type { KeyRecord } from '../key-record.ts'
import type { KeyQuery, PruneCounts, PruneLimits, StoredRevocation } from '../key-store.ts'
import type { Cell, Query, Row } from './postgres-driver.ts'
import {
  arrayLiteral,
  fromRow,
  milliseconds,
  numberCell,
  selectedColumns,
  timeGivenBy,
  timestamp,
} from './postgres-rows.ts'
import { checkPour, checkWanted, pageLimit } from './queries.ts'

/** Keys in the order of their ids. */
export async function listKeys(query: Query, asked: KeyQuery): Promise<readonly KeyRecord[]> {
  const limit = pageLimit(asked)
  const { ids, ownerId, tenant, lineageId, after } = asked
  const { where, parameters } = conditions([
    ['id = any(?::text::text[])', ids && arrayLiteral(ids.filter((id) => !id.includes('\0')))],
    ['owner_id = ?::text', ownerId],
    ['tenant_id = ?::text', tenant],
    ['lineage_id = ?::text', lineageId],
    ['id > ?::text', after],
  ])
  const text = `select ${selectedColumns} from mcp_bearer_keys k ${where} order by id limit ${limit}`
  return (await query({ text }, parameters)).map(fromRow)
}

/** Events in the order of their chain, or in the other one. */
export async function readAudit(query: Query, asked: AuditQuery): Promise<readonly AuditEvent[]> {
  const limit = pageLimit(asked)
  const { keyId, lineageId, event, outcome, actorId, since, until, after, before, order } = asked
  const { where, parameters } = conditions([
    ['key_id = ?::text', keyId],
    ['lineage_id = ?::text', lineageId],
    ['event = ?::text', event],
    ['outcome = ?::text', outcome],
    ['actor_id = ?::text', actorId],
    [`at >= ${timestamp('?::text::float8')}`, since],
    [`at < ${timestamp('?::text::float8')}`, until],
    ['sequence > ?::text::int8', after],
    ['sequence < ?::text::int8', before],
  ])
  const text = `select sequence, ${milliseconds('at')} as time, hash, data from mcp_bearer_audit ${where}
  order by sequence ${order === 'desc' ? 'desc' : 'asc'} limit ${limit}`
  return (await query({ text }, parameters)).map(toEvent)
}

/** Takes uses that are left, or gives them back. */
export async function takeUses(query: Query, id: string, wanted: number): Promise<number> {
  checkWanted(wanted)
  if (id.includes('\0')) return 0
  const [taken] = await query(take, [id, String(wanted)])
  return Number(taken?.taken ?? 0)
}

/** Pours into a bucket, if it fits. */
export async function pour(
  query: Query,
  [name, amount, capacity]: readonly [string, number, number],
  now: Cell,
): Promise<Poured> {
  checkPour(amount, capacity)
  const [bucket] = await query(fill, [name, String(amount), String(capacity), now])
  return { isPoured: bucket?.was_poured === 't', level: Number(bucket?.level) }
}

/** Removes buckets that have leaked out; one that is not there is empty, which is the same. */
export async function dropEmptyBuckets(query: Query, now: Cell): Promise<void> {
  await query(
    {
      text: `delete from mcp_bearer_counters where filled_at < ${timeGivenBy('$1')} - interval '2 minutes'`,
      name: 'mcp_bearer_leaked',
    },
    [now],
  )
}

/** Revocations that are not over. */
export async function readRevocations(query: Query, now: Cell): Promise<readonly StoredRevocation[]> {
  const rows = await query(revocationsNow, [now])
  return rows.map(({ name, kind, cut_off, until }) => ({
    name: String(name),
    kind: kind as StoredRevocation['kind'],
    ...(typeof cut_off === 'string' ? { cutOff: Number(cut_off) } : {}),
    ...(typeof until === 'string' ? { until: Number(until) } : {}),
  }))
}

/**
 * Removes what is older; to be asked in a transaction. From a log only at its beginning, so that what is left has no
 * gap. Changes come last: from then on nobody else can commit any.
 */
export async function prune(query: Query, limits: PruneLimits): Promise<PruneCounts> {
  const removed = async (sql: string, limit: number | undefined) => {
    if (limit === undefined) return 0
    const [row] = await query({ text: `${sql} select count(*) as count from gone`, patienceMs: pruneMs }, [
      numberCell(limit),
    ])
    return Number(row?.count)
  }
  await query({ text: `set local statement_timeout = ${pruneMs}` })
  return {
    keys: await removed(pruneKeys, limits.keys),
    audit: await removed(pruneAudit, limits.audit),
    revocations: await removed(pruneRevocations, limits.revocations),
    changes: await removed(pruneChanges, limits.changes),
  }
}

/** Ten minutes for each table: there may be years of it. */
const pruneMs = 600_000

const limitTime = timestamp('$1::text::float8')

const pruneKeys = `with gone as (
  delete from mcp_bearer_keys where revoked_at < ${limitTime} or expires_at < ${limitTime} returning id
), uses as (
  delete from mcp_bearer_uses where key_id in (select id from gone)
)`

const pruneAudit = `with gone as (
  delete from mcp_bearer_audit where at < ${limitTime} and sequence < coalesce(
    (select min(sequence) from mcp_bearer_audit where at >= ${limitTime}), 9223372036854775807) returning 1
)`

const pruneRevocations = `with gone as (
  delete from mcp_bearer_revocations where until < ${limitTime} returning 1
)`

/** Remembers how far: whoever knows less than that has missed something. */
const pruneChanges = `with last as (
  select max(seq) as seq from mcp_bearer_changes where seq < coalesce(
    (select min(seq) from mcp_bearer_changes where at >= ${limitTime}), 9223372036854775807)
), remembered as (
  update mcp_bearer_head set changes_pruned = greatest(changes_pruned, last.seq) from last where last.seq is not null
), gone as (
  delete from mcp_bearer_changes where seq <= (select seq from last) returning 1
)`

function conditions(given: readonly (readonly [sql: string, value: string | number | undefined])[]) {
  const held = given.filter((one): one is readonly [string, string | number] => one[1] !== undefined)
  const sql = held.map(([text], index) => text.replace('?', `$${index + 1}`))
  return {
    where: sql.length === 0 ? '' : `where ${sql.join(' and ')}`,
    parameters: held.map(([, value]) => String(value)),
  }
}

function toEvent({ sequence, time, hash, data }: Row): AuditEvent {
  const entry = JSON.parse(String(data)) as AuditEvent
  return { ...entry, sequence: Number(sequence), time: Number(time), hash: String(hash) }
}

/** What is given back after the limit was set anew must not make it more than the limit. */
const take = {
  name: 'mcp_bearer_take',
  text: `update mcp_bearer_keys k
  set usage_left = least(greatest(o.usage_left - $2::text::int8, 0), greatest(o.usage_limit, o.usage_left))
  from (select id, usage_limit, coalesce(usage_left, 0) as usage_left from mcp_bearer_keys
    where id = $1::text and usage_limit is not null for no key update) o
  where k.id = o.id returning o.usage_left - k.usage_left as taken`,
}

/**
 * In the bucket there is what has not leaked out since it was filled last; one that got smaller lost what it cannot
 * hold. The time is read once, after whoever poured at the same time has finished.
 */
const fill = {
  name: 'mcp_bearer_pour',
  text: `insert into mcp_bearer_counters as c (bucket, level, filled_at, was_poured)
  select $1::text, case when x.fits then $2::text::float8 else 0 end, ${timeGivenBy('$4')}, x.fits
  from (select $2::text::float8 <= $3::text::float8 + 1e-6 as fits) as x
  on conflict (bucket) do update set (level, filled_at, was_poured) = (
    select found.level + case when found.fits then $2::text::float8 else 0 end, found.now, found.fits from (
      select held.level, held.now, held.level + $2::text::float8 <= $3::text::float8 + 1e-6 as fits from (
        select greatest(0, least(c.level, $3::text::float8)
          - greatest(0, extract(epoch from clock.now - c.filled_at)::float8) * $3::text::float8 / 60) as level, clock.now
        from (select ${timeGivenBy('$4')} as now) as clock
      ) as held
    ) as found
  )
  returning level, was_poured`,
}

const revocationsNow = {
  name: 'mcp_bearer_revocations',
  text: `select name, kind, cut_off, ${milliseconds('until')} as until from mcp_bearer_revocations
  where until is null or until >= ${timeGivenBy('$1')}`,
}
