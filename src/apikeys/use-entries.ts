import type { AuditEntry } from './audit-event.ts'
import { wordsHoldCredential } from './credential-shape.ts'
import type { KeyRecord } from './key-record.ts'
import type { UseContext } from './key-uses.ts'

/** What is told of a key. */
export type NamedKey = Pick<KeyRecord, 'id' | 'lineageId' | 'name'>

/** Something that happened to a key while it was presented, as long as nobody has written it down. */
export interface Occasion {
  readonly event: 'auth.failure' | 'auth.rate_limited' | 'key.used_in_grace'
  readonly reason: string | undefined
  /** Absent for a key that does not exist. */
  readonly record: NamedKey | undefined
  readonly use: UseContext
}

/** What is recorded of it. */
export function occasionEntry({ event, reason, record, use }: Occasion): AuditEntry {
  return {
    event,
    outcome: event === 'key.used_in_grace' ? 'success' : 'failure',
    severity: alarming.has(reason) ? 'warning' : 'notice',
    ...(reason !== undefined && { reason }),
    ...(record === undefined ? { actor: { type: 'key' } } : aboutKey(record)),
    // Who knows the id and not the secret has not shown to be the key.
    ...(reason === 'wrong_secret' && { actor: { type: 'key' } }),
    ...sourceOf(use),
  }
}

/** What hints at a key in the wrong hands. */
const alarming: ReadonlySet<string | undefined> = new Set(['wrong_secret', 'revoked', 'address_not_allowed'])

/** Who did it and to what: a key, to itself. */
export function aboutKey({
  id,
  lineageId,
  name,
}: NamedKey): Pick<AuditEntry, 'actor' | 'keyId' | 'lineageId'> {
  return { actor: { type: 'key', id, name }, keyId: id, lineageId }
}

/** Where a request came from. What a caller calls it may be anything, its key too: then it has no name. */
export function sourceOf({ address, requestId }: UseContext): Pick<AuditEntry, 'address' | 'requestId'> {
  const isNamed = requestId !== undefined && !wordsHoldCredential([requestId])
  return { ...(address !== undefined && { address }), ...(isNamed && { requestId }) }
}
