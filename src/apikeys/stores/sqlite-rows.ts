import type { HashAlgorithm, KeyEnvironment, KeyRecord, KeyState } from '../key-record.ts'
import type { SqliteRow, SqliteValue } from './sqlite-driver.ts'

/** The columns of a key, in the order of the values of {@link keyValues} and {@link keyRecord}. */
export const keyColumns = [
  'id, lineage_id, prefix, env, hash, hash_alg, imported, name, owner_type, owner_id, tenant_id, client_id',
  'scopes, audiences, tools, ip_allow, rate_limit, usage_limit, usage_left, metadata, enabled, state',
  'not_before, expires_at, grace_ms, replaced_by, revoked_at, revoked_by, revoke_reason, first_used_at',
  'last_used_at, last_used_ip, use_count, created_at, created_by, updated_at, rev',
].join(', ')

/** As the database keeps it. */
export function keyValues(record: KeyRecord): SqliteValue[] {
  const { owner } = record
  return [
    record.id,
    record.lineageId,
    record.prefix,
    record.environment,
    record.hash,
    record.hashAlgorithm,
    record.isImported ? 1 : 0,
    record.name,
    owner.type ?? null,
    owner.id,
    record.tenant ?? null,
    record.clientId,
    JSON.stringify(record.scopes),
    jsonOrNull(record.audiences),
    jsonOrNull(record.tools),
    jsonOrNull(record.addresses),
    record.rateLimit ?? null,
    record.usageLimit ?? null,
    record.usageLeft ?? null,
    JSON.stringify(record.metadata),
    record.isEnabled ? 1 : 0,
    record.state,
    record.notBefore ?? null,
    record.expiresAt ?? null,
    record.graceMs ?? null,
    record.replacedBy ?? null,
    record.revokedAt ?? null,
    record.revokedBy ?? null,
    record.revokeReason ?? null,
    record.firstUsedAt ?? null,
    record.lastUsedAt ?? null,
    record.lastUsedAddress ?? null,
    record.useCount,
    record.createdAt,
    record.createdBy ?? null,
    record.updatedAt,
    record.rev,
  ]
}

/** The columns an update leaves alone: what is counted while a key is in use, and its id. */
const keptColumns = ['id', 'usage_left', 'last_used_at', 'last_used_ip', 'use_count', 'rev']
const names = keyColumns.split(', ')
const written = names.flatMap((name, index) => (keptColumns.includes(name) ? [] : [index]))
const usageLeft = names.indexOf('usage_left')

/** Takes the values of {@link updateValues}. Changes no row when the key has another `rev` by now. */
export const updateKey = [
  `update mcp_bearer_keys set ${written.map((index) => `${names[index]} = ?`).join(', ')},`,
  'usage_left = case when ? then ? else usage_left end, rev = rev + 1 where id = ? and rev = ?',
].join(' ')

/** What {@link updateKey} takes. */
export function updateValues(record: KeyRecord, resetUsage: boolean): SqliteValue[] {
  const values = keyValues(record)
  const changed = written.map((index) => values[index]!)
  return [...changed, resetUsage ? 1 : 0, values[usageLeft]!, record.id, record.rev]
}

/** As the rest of the package knows it. A member that is `NULL` is absent. */
export function keyRecord(row: SqliteRow): KeyRecord {
  const ownerType = row[8] as string | null
  const owner = ownerType === null ? { id: row[9] as string } : { type: ownerType, id: row[9] as string }
  const record: { -readonly [Member in keyof KeyRecord]: KeyRecord[Member] } = {
    id: row[0] as string,
    lineageId: row[1] as string,
    prefix: row[2] as string,
    environment: row[3] as KeyEnvironment,
    hash: row[4] as Uint8Array,
    hashAlgorithm: row[5] as HashAlgorithm,
    isImported: row[6] === 1,
    name: row[7] as string,
    owner,
    clientId: row[11] as string,
    scopes: JSON.parse(row[12] as string),
    metadata: JSON.parse(row[19] as string),
    isEnabled: row[20] === 1,
    state: row[21] as KeyState,
    useCount: row[32] as number,
    createdAt: row[33] as number,
    updatedAt: row[35] as number,
    rev: row[36] as number,
  }
  if (row[10] !== null) record.tenant = row[10] as string
  if (row[13] !== null) record.audiences = JSON.parse(row[13] as string)
  if (row[14] !== null) record.tools = JSON.parse(row[14] as string)
  if (row[15] !== null) record.addresses = JSON.parse(row[15] as string)
  for (const [index, member] of optional) if (row[index] !== null) Reflect.set(record, member, row[index])
  return record
}

/** Members that are kept as they are, by their column. */
const optional = [
  [16, 'rateLimit'],
  [17, 'usageLimit'],
  [18, 'usageLeft'],
  [22, 'notBefore'],
  [23, 'expiresAt'],
  [24, 'graceMs'],
  [25, 'replacedBy'],
  [26, 'revokedAt'],
  [27, 'revokedBy'],
  [28, 'revokeReason'],
  [29, 'firstUsedAt'],
  [30, 'lastUsedAt'],
  [31, 'lastUsedAddress'],
  [34, 'createdBy'],
] as const satisfies readonly (readonly [index: number, member: keyof KeyRecord])[]

function jsonOrNull(list: readonly string[] | undefined): string | null {
  return list === undefined ? null : JSON.stringify(list)
}
