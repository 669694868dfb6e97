import type { By, CreatedApiKey, Rotation } from './api-key.ts'
import type { AuditEntry } from './audit-event.ts'
import { type Doer, readBy } from './by.ts'
import { givenOptions } from './input.ts'
import { checkSpan, futureMoment, type KeyDraft } from './key-draft.ts'
import type { KeyRecord } from './key-record.ts'
import { changeKey, type Lifecycle, timeOf } from './lifecycle.ts'
import { created, createdEntry, make } from './lifecycle-create.ts'
import { changesForAudit, isOver } from './view.ts'

/** A {@link Rotation} that was checked. */
interface CheckedRotation {
  readonly graceMs: number
  /** Whether the old key goes on as it is until the new one is used. */
  readonly waits: boolean
  readonly expiresAt: Rotation['expiresAt']
}

/** See `ApiKeys.rotate`. */
export async function rotate(
  life: Lifecycle,
  id: string,
  how: Rotation = {},
  by?: By,
): Promise<CreatedApiKey> {
  const doer = readBy('rotate', by)
  const rotation = readRotation(life, how)
  const { key, record, old, now } = await changeKey(life, 'rotate', id, async (old) => {
    const now = timeOf(life)
    await refuseUnfit(life, old, now)
    const { key, record } = successor(life, old, rotation, doer, now)
    const replaced = predecessor(old, record.id, rotation, now)
    return {
      changes: {
        add: [record],
        update: [{ record: replaced }],
        audit: [rotatedEntry(old, replaced, rotation, doer), createdEntry(record, doer, old.id)],
      },
      answer: { key, record, old, now },
    }
  })
  if (record.usageLimit === undefined) return created(key, record, now)
  return created(key, { ...record, usageLeft: await moveUses(life, old, record.id) }, now)
}

/**
 * What is left of a usage limit goes along with a rotation. It is taken before it is given, so that it is never there
 * twice, whoever uses the old key meanwhile: that one takes from its successor what it needs. Never rejects, for the new
 * key is there and has to be told: what cannot be moved has to be set anew.
 */
async function moveUses({ store }: Lifecycle, old: KeyRecord, next: string): Promise<number> {
  let moved = 0
  try {
    // A successor that ended before anybody used it has the rest.
    for (const id of [old.id, old.replacedBy]) {
      const left = id === undefined ? 0 : await store.takeUses(id, Number.MAX_SAFE_INTEGER)
      if (left > 0) moved -= await store.takeUses(next, -left)
    }
  } catch {
    // The database has gone in between: then nobody has what was taken.
  }
  return moved
}

function readRotation({ policy }: Lifecycle, how: Rotation): CheckedRotation {
  const given = givenOptions('rotate', how, ['graceSeconds', 'activate', 'expiresAt'])
  const { activate = 'now', graceSeconds, expiresAt } = given
  if (activate !== 'now' && activate !== 'on-first-use') {
    throw new TypeError("rotate: activate must be 'now' or 'on-first-use'")
  }
  const graceMs = policy.grace('rotate: graceSeconds', graceSeconds)
  return { graceMs, waits: activate === 'on-first-use', expiresAt }
}

/** One key has one successor, or nobody could say which of them is in use. */
async function refuseUnfit({ store }: Lifecycle, old: KeyRecord, now: number): Promise<void> {
  const refuse = (why: string) => new RangeError(`rotate: key ${old.id} ${why}`)
  if (old.state === 'revoked') throw refuse('is revoked')
  if (isOver(old, now)) throw refuse('has expired')
  if (old.state === 'pending') {
    throw refuse('replaces another one and was not used yet; to start over, revoke it and rotate the other')
  }
  if (old.replacedBy === undefined) return
  if (old.state === 'grace') throw refuse(`was replaced by ${old.replacedBy} already`)
  // A successor that ended before anybody used it has replaced nothing.
  const next = await store.find(old.replacedBy)
  if (next !== undefined && next.state !== 'revoked' && !isOver(next, now)) {
    throw refuse(`was replaced by ${old.replacedBy} already, which was not used yet`)
  }
}

/** The new key: the same rights, a life of its own. Whether it is switched off goes along; what is left of its uses is yet to come. */
function successor(
  life: Lifecycle,
  old: KeyRecord,
  { graceMs, waits, expiresAt: wanted }: CheckedRotation,
  doer: Doer,
  now: number,
) {
  const { policy } = life
  policy.checkScopes('rotate: scopes', old.scopes)
  const span = old.expiresAt === undefined ? undefined : old.expiresAt - old.createdAt
  const option = 'rotate: expiresAt'
  const expiresAt =
    wanted === undefined
      ? policy.inherited(option, now, span)
      : policy.expiry(option, now, futureMoment(option, wanted, now))
  checkSpan('rotate', old.notBefore, expiresAt)
  const draft: KeyDraft = {
    ...rightsOf(old),
    ...(old.usageLimit !== undefined && { usageLeft: 0 }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(waits && { state: 'pending', graceMs }),
  }
  // A key of others gets a successor of our own making; a test key never one that is live.
  return make(life, old.isImported ? { ...old, prefix: life.prefix } : old, draft, doer, now)
}

const rights = [
  'lineageId',
  'name',
  'owner',
  'tenant',
  'clientId',
  'scopes',
  'audiences',
  'tools',
  'addresses',
  'rateLimit',
  'usageLimit',
  'metadata',
  'isEnabled',
  'notBefore',
] as const satisfies (keyof KeyRecord)[]

function rightsOf(old: KeyRecord): Pick<KeyRecord, (typeof rights)[number]> {
  return Object.fromEntries(
    rights.flatMap((name) => (old[name] === undefined ? [] : [[name, old[name]]])),
  ) as unknown as Pick<KeyRecord, (typeof rights)[number]>
}

/** The old key. Grace may shorten its life, and never lengthens it. */
function predecessor(
  old: KeyRecord,
  next: string,
  { graceMs, waits }: CheckedRotation,
  now: number,
): KeyRecord {
  const replaced = { ...old, replacedBy: next, updatedAt: now }
  if (waits) return replaced
  const expiresAt = Math.min(old.expiresAt ?? Number.POSITIVE_INFINITY, now + graceMs)
  return { ...replaced, state: 'grace', expiresAt }
}

function rotatedEntry(
  old: KeyRecord,
  replaced: KeyRecord,
  { graceMs, waits }: CheckedRotation,
  { told }: Doer,
): AuditEntry {
  return {
    event: 'key.rotate',
    outcome: 'success',
    severity: 'notice',
    ...told,
    keyId: old.id,
    lineageId: old.lineageId,
    changes: changesForAudit(old, replaced),
    details: { graceSeconds: graceMs / 1000, activate: waits ? 'on-first-use' : 'now' },
  }
}
