import type { AuditQuery } from '../audit-event.ts'
import type { KeyChanges, KeyQuery } from '../key-store.ts'

/** How many rows a question may give at once. */
export const largestPage = 1000

/**
 * How many rows are asked for: 100 unless it is said.
 * @throws TypeError when it is no whole number from 1 to 1000, or more than 1000 ids are asked for
 */
export function pageLimit({ limit = 100, ids }: Pick<KeyQuery & AuditQuery, 'limit' | 'ids'>): number {
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= largestPage)) {
    throw new TypeError(`KeyStore: limit must be a whole number from 1 to ${largestPage}`)
  }
  if (ids !== undefined && ids.length > largestPage) {
    throw new TypeError(`KeyStore: ids must be at most ${largestPage}`)
  }
  return limit
}

/** @throws TypeError when a change would go unseen: it comes without an event */
export function checkAudited({ audit }: KeyChanges): void {
  if (audit.length === 0) throw new TypeError('KeyStore: commit needs at least one audit entry')
}

/** @throws TypeError when a bucket is asked for what is no whole number of 1 or more */
export function checkPour(amount: number, capacity: number): void {
  if (!(Number.isSafeInteger(amount) && amount >= 1)) {
    throw new TypeError('KeyStore: pour: amount must be a whole number, 1 or more')
  }
  if (!(Number.isFinite(capacity) && capacity > 0)) {
    throw new TypeError('KeyStore: pour: capacity must be a positive number')
  }
}

/** @throws TypeError when it is no whole number */
export function checkWanted(wanted: number): void {
  if (!Number.isSafeInteger(wanted)) throw new TypeError('KeyStore: takeUses: wanted must be a whole number')
}
