import type { AuditEntry } from '../../src/apikeys/audit-event.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'

/** A record as a test needs it. */
export function keyRecord(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id,
    lineageId: id,
    prefix: 'mcpk',
    environment: 'live',
    hash: new Uint8Array(32).fill(1),
    hashAlgorithm: 'sha256',
    isImported: false,
    name: `key ${id}`,
    owner: { id: 'alice' },
    clientId: id,
    scopes: [],
    metadata: {},
    isEnabled: true,
    state: 'active',
    useCount: 0,
    createdAt: 1_800_000_000_000,
    updatedAt: 1_800_000_000_000,
    rev: 1,
    ...more,
  }
}

/** Some event, for a change that is about something else. */
export const someAudit: readonly AuditEntry[] = [
  { event: 'key.update', outcome: 'success', severity: 'info', actor: { type: 'system' } },
]
