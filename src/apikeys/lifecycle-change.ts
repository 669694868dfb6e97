import type { ApiKey, ApiKeyUpdate, By } from './api-key.ts'
import type { AuditEntry, AuditEventName } from './audit-event.ts'
import { type Doer, readBy } from './by.ts'
import { givenOptions } from './input.ts'
import { checkSpan, futureMoment, readMembers } from './key-draft.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyUpdate } from './key-store.ts'
import { changeKey, type Lifecycle, type Plan, timeOf } from './lifecycle.ts'
import { changesForAudit, toApiKey } from './view.ts'

/** What `null` takes away, and which members of a record hold it. */
const removable: Readonly<Record<string, readonly (keyof KeyRecord)[]>> = {
  tenant: ['tenant'],
  tools: ['tools'],
  audience: ['audiences'],
  addresses: ['addresses'],
  rateLimit: ['rateLimit'],
  usageLimit: ['usageLimit', 'usageLeft'],
  notBefore: ['notBefore'],
  expiresAt: ['expiresAt'],
}
const changeable = [...Object.keys(removable), 'name', 'owner', 'scopes', 'metadata']

/** See `ApiKeys.update`. */
export async function update(life: Lifecycle, id: string, change: ApiKeyUpdate, by?: By): Promise<ApiKey> {
  const doer = readBy('update', by)
  const given = givenOptions('update', change, changeable)
  const isNull = (name: string) => Reflect.get(given, name) === null
  const lasting = Object.keys(given).find((name) => isNull(name) && !Object.hasOwn(removable, name))
  if (lasting !== undefined) throw new TypeError(`update: ${lasting} cannot be taken away`)
  const read = readMembers('update', given)
  if (read.scopes) life.policy.checkScopes('update: scopes', read.scopes)
  const gone = new Set(
    Object.keys(removable)
      .filter(isNull)
      .flatMap((name) => removable[name]!),
  )

  return changeKey(life, 'update', id, (record) => {
    refuseRevoked('update', record)
    const now = timeOf(life)
    if (read.usageLimit !== undefined && record.replacedBy !== undefined) {
      throw new TypeError('update: usageLimit: a key that was replaced shares what its successor has left')
    }
    const expiry = given.expiresAt === undefined ? {} : newExpiry(life, record, given.expiresAt, now)
    const after = { ...without(record, gone), ...read, ...expiry, updatedAt: now }
    checkSpan('update', after.notBefore, after.expiresAt)
    return planOf('key.update', record, after, doer, now, given.usageLimit !== undefined)
  })
}

/** See `ApiKeys.disable` and `ApiKeys.enable`. */
export async function setEnabled(life: Lifecycle, id: string, isEnabled: boolean, by?: By): Promise<ApiKey> {
  const action = isEnabled ? 'enable' : 'disable'
  const doer = readBy(action, by)
  return changeKey(life, action, id, (record) => {
    refuseRevoked(action, record)
    const now = timeOf(life)
    return planOf(`key.${action}`, record, { ...record, isEnabled, updatedAt: now }, doer, now)
  })
}

/** What is done, and told. When nothing differs, nothing: an audit log of what did not happen helps nobody. */
export function planOf(
  event: AuditEventName,
  before: KeyRecord,
  after: KeyRecord,
  { told }: Doer,
  now: number,
  resetUsage = false,
): Plan<ApiKey> {
  const changes = changesForAudit(before, after)
  const isSame = Object.keys(changes.before).length + Object.keys(changes.after).length === 0
  // What is left may have become less since it was read.
  if (isSame && !resetUsage) return { answer: toApiKey(before, now) }
  const entry: AuditEntry = {
    event,
    outcome: 'success',
    severity: 'notice',
    ...told,
    keyId: before.id,
    lineageId: before.lineageId,
    changes,
  }
  const written: KeyUpdate = { record: after, resetUsage }
  return { changes: { update: [written], audit: [entry] }, answer: toApiKey(after, now) }
}

function refuseRevoked(action: string, { id, state }: KeyRecord): void {
  if (state === 'revoked') throw new RangeError(`${action}: key ${id} is revoked`)
}

/** @throws TypeError when the policy forbids it, or a key that was replaced would live longer than it was left */
function newExpiry(
  { policy }: Lifecycle,
  record: KeyRecord,
  wanted: Date | null,
  now: number,
): Pick<KeyRecord, 'expiresAt'> {
  const option = 'update: expiresAt'
  const at = wanted === null ? undefined : futureMoment(option, wanted, now)
  const expiresAt = policy.expiry(option, record.createdAt, at)
  if (expiresAt !== undefined && expiresAt <= now) {
    throw new TypeError(`${option}: the key is older than the policy lets keys become`)
  }
  if (record.state === 'grace' && !(expiresAt !== undefined && expiresAt <= (record.expiresAt ?? 0))) {
    throw new TypeError(`${option}: a key that was replaced can only end earlier`)
  }
  return expiresAt === undefined ? {} : { expiresAt }
}

function without(record: KeyRecord, names: ReadonlySet<string>): KeyRecord {
  return Object.fromEntries(
    Object.entries(record).filter(([name]) => !names.has(name)),
  ) as unknown as KeyRecord
}
