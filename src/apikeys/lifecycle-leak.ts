import { isBearerToken } from '../core/authorization.ts'
import { redact } from '../core/redact.ts'
import type { By } from './api-key.ts'
import type { AuditEntry } from './audit-event.ts'
import { type Doer, readBy } from './by.ts'
import { importedId, parseKey } from './format.ts'
import { digestOf } from './import-digest.ts'
import type { KeyRecord } from './key-record.ts'
import { attempts, type Lifecycle, timeOf, tooBusy } from './lifecycle.ts'
import { revoked } from './lifecycle-revoke.ts'
import { changesForAudit } from './view.ts'

/**
 * See `ApiKeys.revokeLeaked`. Whoever asks learns nothing, from the time it takes neither: what may be a key costs one
 * look-up, one comparison and one durable write, whether it is one or not.
 */
export async function revokeLeaked(life: Lifecycle, key: string, by?: By): Promise<void> {
  if (typeof key !== 'string') throw new TypeError('revokeLeaked: key must be a string')
  const doer = readBy('revokeLeaked', withoutKey(by, key))
  const id = idOfKey(key)
  if (id === undefined) return
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const record = await life.store.find(id)
    // By the key, by nothing less: else an id, which is public, would do to end it.
    const isHeld = life.hasher.matches(key, record)
    const found = isHeld ? record : undefined
    if (await report(life, record, found, doer)) return
  }
  throw tooBusy('revokeLeaked')
}

/** Whoever pastes the key may do so twice, and one that was imported looks like nothing a redactor knows. */
function withoutKey(by: By | undefined, key: string): By | undefined {
  return typeof by?.reason === 'string' ? { ...by, reason: redact(by.reason, [key]) } : by
}

/** Under which id a key would be kept; of what cannot be one, which anybody can see, none. */
export function idOfKey(key: string): string | undefined {
  const parsed = parseKey(key)
  if (typeof parsed === 'object') return parsed.id
  return parsed === 'malformed' && isBearerToken(key) ? importedId(digestOf(key)) : undefined
}

/** @returns false when somebody else has changed the key meanwhile */
async function report(
  life: Lifecycle,
  named: KeyRecord | undefined,
  found: KeyRecord | undefined,
  doer: Doer,
): Promise<boolean> {
  const told: AuditEntry = {
    event: 'key.leak_reported',
    outcome: found === undefined ? 'failure' : 'success',
    severity: found === undefined ? 'notice' : 'critical',
    ...doer.told,
    ...(named !== undefined && { keyId: named.id, lineageId: named.lineageId }),
  }
  if (found === undefined || found.state === 'revoked') {
    const reason = named === undefined ? 'unknown_key' : 'wrong_secret'
    await life.store.appendAudit([found === undefined ? { ...told, reason } : told])
    return true
  }
  const record = revoked(found, leaked(doer), timeOf(life))
  return life.store.commit({
    update: [{ record }],
    audit: [{ ...told, changes: changesForAudit(found, record) }],
  })
}

/** A leak is the reason, unless somebody says more. */
function leaked({ name, told }: Doer): Doer {
  return { name, told: { reason: 'leaked', ...told } }
}
