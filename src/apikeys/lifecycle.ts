import { AuthError } from '../core/errors.ts'
import type { Doer } from './by.ts'
import type { KeyHasher } from './hash.ts'
import type { KeyDraft } from './key-draft.ts'
import type { HashAlgorithm, KeyEnvironment, KeyRecord } from './key-record.ts'
import type { KeyChanges, KeyStore } from './key-store.ts'
import type { CheckedPolicy } from './policy.ts'

/** What everything that is done with keys has in common. */
export interface Lifecycle {
  readonly store: KeyStore
  readonly hasher: KeyHasher
  readonly policy: CheckedPolicy
  readonly prefix: string
  readonly environment: KeyEnvironment
  /** Of keys that name none. */
  readonly audiences: readonly string[] | undefined
}

/** The time of the database; whole milliseconds, as databases keep them. */
export function timeOf({ store }: Lifecycle): number {
  return Math.floor(store.time())
}

/** How often something is made anew from what somebody else has just written. More than ever want the same key at once. */
export const attempts = 64

/** Given up, with nothing changed. */
export function tooBusy(what: string): AuthError {
  return new AuthError('verifier_unavailable', `${what}: others change it all the time; try again`)
}

/** What shall be done with a key, and what to answer then. Without changes nothing is written. */
export interface Plan<T> {
  readonly changes?: KeyChanges
  readonly answer: T
}

/**
 * Changes one key: reads it, plans, writes, and begins anew when somebody else was faster.
 *
 * @param action what is done, for messages
 * @throws RangeError when there is no such key; and whatever `plan` throws
 * @throws AuthError `verifier_unavailable`
 */
export async function changeKey<T>(
  { store }: Lifecycle,
  action: string,
  id: string,
  plan: (record: KeyRecord) => Plan<T> | Promise<Plan<T>>,
): Promise<T> {
  if (!isId(id)) throw noSuchKey(action, id)
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const record = await store.find(id)
    if (record === undefined) throw noSuchKey(action, id)
    const { changes, answer } = await plan(record)
    if (changes === undefined || (await store.commit(changes))) return answer
  }
  throw tooBusy(`${action}: key ${id}`)
}

/** Whether a text can be the id of a key. What cannot is not asked for, nor shown: it may be a whole key. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && /^[0-9A-Za-z]{12}$/.test(id)
}

/** @returns the error that says so; of a text that is no id it shows nothing */
export function noSuchKey(action: string, id: unknown): RangeError {
  return new RangeError(
    isId(id)
      ? `${action}: there is no key ${id}`
      : `${action}: there is no such key; an id has 12 letters and digits`,
  )
}

/** What makes a key this one. */
export interface KeyIdentity {
  readonly id: string
  readonly prefix: string
  readonly environment: KeyEnvironment
  readonly hash: Uint8Array
  readonly hashAlgorithm: HashAlgorithm
  readonly isImported: boolean
}

/** The record of a new key. */
export function newRecord(
  identity: KeyIdentity,
  draft: KeyDraft,
  { name: maker }: Doer,
  now: number,
): KeyRecord {
  return {
    lineageId: identity.id,
    clientId: identity.id,
    isEnabled: true,
    state: 'active',
    ...draft,
    ...identity,
    useCount: 0,
    createdAt: now,
    createdBy: maker,
    updatedAt: now,
    rev: 1,
  }
}
