import type { KeyRecord } from '../key-record.ts'
import type { Cell, Row } from './postgres-driver.ts'

/** How a column travels: as it is, or as something text can be made of and read from. */
type Kind = 'text' | 'number' | 'boolean' | 'json' | 'jsonb' | 'time' | 'bytes'

/** The columns of a key and the member each is of, but for the owner, who has two. */
const columns: readonly (readonly [column: string, kind: Kind, member: keyof KeyRecord | undefined])[] = [
  ['id', 'text', 'id'],
  ['lineage_id', 'text', 'lineageId'],
  ['prefix', 'text', 'prefix'],
  ['env', 'text', 'environment'],
  ['hash', 'bytes', 'hash'],
  ['hash_alg', 'text', 'hashAlgorithm'],
  ['is_imported', 'boolean', 'isImported'],
  ['name', 'text', 'name'],
  ['owner_type', 'text', undefined],
  ['owner_id', 'text', undefined],
  ['tenant_id', 'text', 'tenant'],
  ['client_id', 'text', 'clientId'],
  ['scopes', 'jsonb', 'scopes'],
  ['audiences', 'jsonb', 'audiences'],
  ['tools', 'jsonb', 'tools'],
  ['ip_allow', 'jsonb', 'addresses'],
  ['rate_limit', 'number', 'rateLimit'],
  ['usage_limit', 'number', 'usageLimit'],
  ['usage_left', 'number', 'usageLeft'],
  ['metadata', 'json', 'metadata'],
  ['enabled', 'boolean', 'isEnabled'],
  ['state', 'text', 'state'],
  ['not_before', 'time', 'notBefore'],
  ['expires_at', 'time', 'expiresAt'],
  ['grace_ms', 'number', 'graceMs'],
  ['replaced_by', 'text', 'replacedBy'],
  ['revoked_at', 'time', 'revokedAt'],
  ['revoked_by', 'text', 'revokedBy'],
  ['revoke_reason', 'text', 'revokeReason'],
  ['first_used_at', 'time', 'firstUsedAt'],
  ['last_used_at', 'time', 'lastUsedAt'],
  ['last_used_ip', 'text', 'lastUsedAddress'],
  ['use_count', 'number', 'useCount'],
  ['created_at', 'time', 'createdAt'],
  ['created_by', 'text', 'createdBy'],
  ['updated_at', 'time', 'updatedAt'],
  ['rev', 'number', 'rev'],
]

/** What is counted while a key is in use, and so is not written by those who change it. */
const counted = ['usage_left', 'last_used_at', 'last_used_ip', 'use_count']

/** The columns of a key from a table `k`, as {@link fromRow} reads them. */
export const selectedColumns = columns
  .map(([column, kind]) => `${reading(`k.${column}`, kind)} as ${column}`)
  .join(', ')

/**
 * A key from a table `k` in one column, as {@link fromJson} reads it. To take 37 columns apart costs a driver as much as
 * the rest of its round trip.
 */
export const keyAsJson = `json_build_array(${columns
  .map(([column, kind]) => reading(`k.${column}`, kind))
  .join(', ')})`

/** Rows made from the JSON of the first parameter, as {@link toJson} writes it; `reset` is of an update. */
const given = `json_to_recordset($1::text::json) as x(${columns
  .map(([column, kind]) => `${column} ${carrier(kind)}`)
  .join(', ')}, reset boolean)`

/** Adds those that are not there yet, and tells how many. */
export const insertKeys = `with added as (
  insert into mcp_bearer_keys (${columns.map(([column]) => column).join(', ')})
  select ${columns.map(([column, kind]) => writing(`x.${column}`, kind)).join(', ')} from ${given}
  on conflict (id) do nothing returning 1
) select count(*) as count from added`

/** Changes those that still have the `rev` they were read with, and tells how many. In the order of ids: nobody waits for each other. */
export const updateKeys = `with given as materialized (select * from ${given}),
found as materialized (
  select k.id from mcp_bearer_keys k join given x on k.id = x.id and k.rev = x.rev order by k.id for no key update of k
), changed as (
  update mcp_bearer_keys k set ${columns
    .filter(([column]) => column !== 'id' && column !== 'rev' && !counted.includes(column))
    .map(([column, kind]) => `${column} = ${writing(`x.${column}`, kind)}`)
    .join(', ')},
    usage_left = case when x.reset then x.usage_left else k.usage_left end, rev = k.rev + 1
  from given x join found on found.id = x.id
  where k.id = x.id and k.rev = x.rev returning 1
) select count(*) as count from changed`

/** One record as a row of the JSON that is given to the database. */
export function toJson(record: KeyRecord): Record<string, unknown> {
  const row: Record<string, unknown> = { owner_type: record.owner.type, owner_id: record.owner.id }
  for (const [column, kind, member] of columns) {
    const value = member && record[member]
    if (value !== undefined) row[column] = kind === 'bytes' ? hex(value as Uint8Array) : value
  }
  return row
}

/** The record of a row of {@link selectedColumns}. */
export function fromRow(row: Row): KeyRecord {
  const type = row.owner_type ?? undefined
  const owner = { ...(type === undefined ? {} : { type }), id: String(row.owner_id) }
  const record: Record<string, unknown> = { owner }
  for (const [column, kind, member] of columns) {
    const cell = row[column]
    if (member !== undefined && cell !== null && cell !== undefined) record[member] = value(cell, kind)
  }
  return record as unknown as KeyRecord
}

/** The record of {@link keyAsJson}. */
export function fromJson(json: string): KeyRecord {
  const cells: readonly unknown[] = JSON.parse(json)
  const [type, id] = [cells[ownerType] ?? undefined, String(cells[ownerType + 1])]
  const record: Record<string, unknown> = { owner: type === undefined ? { id } : { type, id } }
  columns.forEach(([, kind, member], index) => {
    const cell = cells[index]
    if (member === undefined || cell === null) return
    record[member] = kind === 'bytes' ? value(String(cell), kind) : cell
  })
  return record as unknown as KeyRecord
}

/** Where the owner's type is; his id comes next. */
const ownerType = columns.findIndex(([column]) => column === 'owner_type')

/** The elements of a PostgreSQL array of text, for `$1::text::text[]`. */
export function arrayLiteral(texts: Iterable<string>): string {
  const quoted = Array.from(texts, (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`)
  return `{${quoted.join(',')}}`
}

/** SQL of a time as milliseconds. */
export function milliseconds(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::int8`
}

/** SQL of milliseconds as a time. */
export function timestamp(ms: string): string {
  return `to_timestamp(${ms} / 1000)`
}

/** SQL of the time a parameter gives in milliseconds; when it is null, that of the database. */
export function timeGivenBy(parameter: string): string {
  return `coalesce(${timestamp(`${parameter}::text::float8`)}, clock_timestamp())`
}

/** A number, or null, as it is given to the database. */
export function numberCell(number: number | undefined): Cell {
  return number === undefined ? null : String(number)
}

function reading(column: string, kind: Kind): string {
  if (kind === 'time') return milliseconds(column)
  return kind === 'bytes' ? `encode(${column}, 'hex')` : column
}

function writing(column: string, kind: Kind): string {
  if (kind === 'time') return timestamp(column)
  return kind === 'bytes' ? `decode(${column}, 'hex')` : column
}

function carrier(kind: Kind): string {
  const types = { text: 'text', number: 'int8', boolean: 'boolean', time: 'float8', bytes: 'text' } as const
  return kind === 'json' || kind === 'jsonb' ? kind : types[kind]
}

function value(cell: string, kind: Kind): unknown {
  switch (kind) {
    case 'number':
    case 'time':
      return Number(cell)
    case 'boolean':
      return cell === 't'
    case 'json':
    case 'jsonb':
      return JSON.parse(cell)
    case 'bytes':
      return Uint8Array.from(Buffer.from(cell, 'hex'))
    case 'text':
      return cell
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
