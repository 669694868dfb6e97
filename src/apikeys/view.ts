import type { ApiKey, ApiKeyStatus } from './api-key.ts'
import type { AuditEntry } from './audit-event.ts'
import type { KeyRecord } from './key-record.ts'
import { frozenData, redactedData } from './metadata.ts'

/**
 * What may be shown of a key, as it is at a moment. Frozen; a copy, so that nobody changes what a store or a cache keeps.
 *
 * @param now milliseconds since 1970, of the database: `store.time()`
 */
export function toApiKey(record: KeyRecord, now: number): ApiKey {
  const { id, lineageId, prefix, environment, isImported, name, clientId, useCount } = record
  const { tenant, rateLimit, usageLimit, usageLeft, replacedBy, revokedBy, revokeReason } = record
  return Object.freeze({
    id,
    lineageId,
    status: statusOf(record, now),
    prefix,
    environment,
    isImported,
    name,
    owner: Object.freeze({ ...record.owner }),
    clientId,
    scopes: Object.freeze([...record.scopes]),
    metadata: frozenData(record.metadata) as ApiKey['metadata'],
    useCount,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    ...(tenant !== undefined && { tenant }),
    ...(record.audiences && { audiences: Object.freeze([...record.audiences]) }),
    ...(record.tools && { tools: Object.freeze([...record.tools]) }),
    ...(record.addresses && { addresses: Object.freeze([...record.addresses]) }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(usageLimit !== undefined && { usageLimit }),
    ...(usageLeft !== undefined && { usageLeft }),
    ...(record.notBefore !== undefined && { notBefore: new Date(record.notBefore) }),
    ...(record.expiresAt !== undefined && { expiresAt: new Date(record.expiresAt) }),
    ...(replacedBy !== undefined && { replacedBy }),
    ...(record.revokedAt !== undefined && { revokedAt: new Date(record.revokedAt) }),
    ...(revokedBy !== undefined && { revokedBy }),
    ...(revokeReason !== undefined && { revokeReason }),
    ...(record.firstUsedAt !== undefined && { firstUsedAt: new Date(record.firstUsedAt) }),
    ...(record.lastUsedAt !== undefined && { lastUsedAt: new Date(record.lastUsedAt) }),
    ...(record.lastUsedAddress !== undefined && { lastUsedAddress: record.lastUsedAddress }),
    ...(record.createdBy !== undefined && { createdBy: record.createdBy }),
  })
}

/**
 * What has become of a key. Where several things are true, the one that is hardest to undo.
 *
 * @param now milliseconds since 1970, of the database: `store.time()`
 */
export function statusOf(record: KeyRecord, now: number): ApiKeyStatus {
  const { state, isEnabled, notBefore, usageLimit, usageLeft = 0, replacedBy } = record
  if (state === 'revoked') return 'revoked'
  if (isOver(record, now)) return 'expired'
  if (!isEnabled) return 'disabled'
  // One that was replaced takes what is left from its successor.
  if (usageLimit !== undefined && !(usageLeft > 0) && replacedBy === undefined) return 'exhausted'
  if (notBefore !== undefined && !(notBefore <= now)) return 'not_yet_valid'
  return state
}

/** Whether a key has expired. Written so that a clock that says NaN ends it. */
export function isOver({ expiresAt }: Pick<KeyRecord, 'expiresAt'>, now: number): boolean {
  return expiresAt !== undefined && !(now < expiresAt)
}

/**
 * Why a key is worth a look.
 *
 * | reason | meaning |
 * |---|---|
 * | `never_expires` | it works until somebody thinks of it |
 * | `never_used` | for a day since it could be used |
 * | `idle_90_days` | used, and not since 90 days |
 * | `in_grace` | replaced, and still usable |
 * | `unlimited_scope` | it has a scope that reads like all of them: `*`, or one that ends in `:*`, `.*` or `/*` |
 */
export type StaleReason = 'never_expires' | 'never_used' | 'idle_90_days' | 'in_grace' | 'unlimited_scope'

/**
 * Why a key is worth a look: the hygiene report. Nothing is said of keys that are over.
 *
 * @param now milliseconds since 1970, of the database: `store.time()`
 *
 * @example
 * ```ts
 * import { apiKeys, memoryKeyStore, staleReasons } from 'mcp-bearer/keys'
 *
 * const store = memoryKeyStore()
 * for await (const key of apiKeys({ store }).all({ stale: true })) {
 *   key.name // 'CI'
 *   staleReasons(key, store.time()) // ['never_expires']
 * }
 * ```
 */
export function staleReasons(key: ApiKey, now: number): readonly StaleReason[] {
  const { status, expiresAt, scopes, createdAt, notBefore } = key
  if (status === 'revoked' || status === 'expired') return Object.freeze([])
  const lastUse = (key.lastUsedAt ?? key.firstUsedAt)?.getTime()
  const usableSince = Math.max(createdAt.getTime(), notBefore?.getTime() ?? 0)
  const reasons: readonly (StaleReason | false)[] = [
    expiresAt === undefined && 'never_expires',
    lastUse === undefined && now - usableSince >= day && 'never_used',
    lastUse !== undefined && now - lastUse >= 90 * day && 'idle_90_days',
    status === 'grace' && 'in_grace',
    scopes.some((scope) => /(?:^|[:./])\*$/.test(scope)) && 'unlimited_scope',
  ]
  return Object.freeze(reasons.filter((reason) => reason !== false))
}

const day = 86_400_000

/** What grows by itself, is told elsewhere in the same event, or is secret. */
const unaudited: ReadonlySet<string> = new Set([
  'hash',
  'id',
  'lineageId',
  'rev',
  'createdAt',
  'updatedAt',
  'useCount',
  'lastUsedAt',
  'lastUsedAddress',
])

/**
 * What the audit log keeps of a key, frozen: not its digest, nor what is counted while it is used. Values of metadata
 * that look like a credential are taken out, whoever has written them.
 */
export function recordForAudit(record: Partial<KeyRecord>): Readonly<Record<string, unknown>> {
  const told: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    if (unaudited.has(name) || value === undefined || isEmpty(value)) continue
    told[name] = name === 'metadata' ? redactedData(value) : frozenData(value)
  }
  return Object.freeze(told)
}

/** An empty list of scopes, or no metadata: nothing to tell. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** What differs between two states of a key, for its audit entry. */
export function changesForAudit(before: KeyRecord, after: KeyRecord): NonNullable<AuditEntry['changes']> {
  const [was, is] = [recordForAudit(before), recordForAudit(after)]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  const changed = names.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]))
  const only = (told: Readonly<Record<string, unknown>>) =>
    Object.freeze(
      Object.fromEntries(changed.flatMap((name) => (Object.hasOwn(told, name) ? [[name, told[name]]] : []))),
    )
  return Object.freeze({ before: only(was), after: only(is) })
}
