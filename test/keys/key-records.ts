import type { AuditEntry } from '../../src/apikeys/audit-event.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import { record } from '../../src/testing/key-store/tested.ts'

/** A record as a test needs it. */
export function keyRecord(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  const made = 1_800_000_000_000
  return record(id, { hash: new Uint8Array(32).fill(1), createdAt: made, updatedAt: made, ...more })
}

/** Some event, for a change that is about something else. */
export const someAudit: readonly AuditEntry[] = [
  { event: 'key.update', outcome: 'success', severity: 'info', actor: { type: 'system' } },
]
