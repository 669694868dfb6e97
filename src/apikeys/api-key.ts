import type { Actor, AuditEvent, AuditQuery } from './audit-event.ts'
import type { KeyEnvironment, KeyOwner } from './key-record.ts'

/**
 * What has become of a key. Refused are all but `active`, `pending` and `grace`.
 *
 * | status | meaning |
 * |---|---|
 * | `active` | usable |
 * | `pending` | made by a rotation, not used yet; usable |
 * | `grace` | replaced, and usable for a while |
 * | `not_yet_valid` | usable from `notBefore` on |
 * | `disabled` | switched off, until it is enabled again |
 * | `exhausted` | all uses are used up |
 * | `expired` | over |
 * | `revoked` | over, by hand |
 */
export type ApiKeyStatus =
  | 'active'
  | 'pending'
  | 'grace'
  | 'not_yet_valid'
  | 'disabled'
  | 'exhausted'
  | 'expired'
  | 'revoked'

/** All that may be shown of a key. The secret is not in it, nor its digest. */
export interface ApiKey {
  /** Public: log it, list it, revoke by it. */
  readonly id: string
  /** The id of the first key in a row of rotations. */
  readonly lineageId: string
  readonly status: ApiKeyStatus
  readonly prefix: string
  readonly environment: KeyEnvironment
  readonly isImported: boolean
  readonly name: string
  readonly owner: KeyOwner
  readonly tenant?: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly audiences?: readonly string[]
  readonly tools?: readonly string[]
  readonly addresses?: readonly string[]
  /** Requests a minute. */
  readonly rateLimit?: number
  readonly usageLimit?: number
  /** What is left of `usageLimit`; less than what was used while nodes hold some of it in advance. */
  readonly usageLeft?: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly notBefore?: Date
  /** Absent: never. */
  readonly expiresAt?: Date
  readonly replacedBy?: string
  readonly revokedAt?: Date
  readonly revokedBy?: string
  readonly revokeReason?: string
  readonly firstUsedAt?: Date
  /** Up to a minute late. */
  readonly lastUsedAt?: Date
  readonly lastUsedAddress?: string
  readonly useCount: number
  readonly createdAt: Date
  readonly createdBy?: string
  readonly updatedAt: Date
}

/** What a key shall be. */
export interface NewApiKey {
  /** For people. 1 to 200 characters. */
  readonly name: string
  /** Whose it is: the `subject` of the access token. */
  readonly owner: string | KeyOwner
  readonly tenant?: string
  /** The `clientId` of the access token. Default: the `lineageId`, so that sessions outlive a rotation, and no two keys are one caller. */
  readonly clientId?: string
  /** Default: none. */
  readonly scopes?: readonly string[]
  /** The only tools it may use; then it opens nothing else. Default: whatever the scopes allow. */
  readonly tools?: readonly string[]
  /** The servers it is for. Default: that of {@link ApiKeysOptions}. */
  readonly audience?: string | readonly string[]
  /** The only networks it may be used from: `192.0.2.0/24`, `2001:db8::/32`, or single addresses. Default: from anywhere. */
  readonly addresses?: readonly string[]
  /** Requests a minute, all nodes together. 1 to 1,000,000. Default: no limit. */
  readonly rateLimit?: number
  /** Requests altogether. 1 or more. Default: no limit. */
  readonly usageLimit?: number
  /** Default: at once. */
  readonly notBefore?: Date
  /** Default: never, unless the policy says otherwise. Not together with `expiresInSeconds`. */
  readonly expiresAt?: Date
  readonly expiresInSeconds?: number
  /** Whatever else is to be known of it; comes back in `claims.metadata`. At most 8 KiB of JSON. Never a secret. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** What can be changed of a key. `null` takes a limit away. */
export interface ApiKeyUpdate {
  readonly name?: string
  readonly owner?: string | KeyOwner
  readonly tenant?: string | null
  readonly scopes?: readonly string[]
  readonly tools?: readonly string[] | null
  readonly audience?: string | readonly string[] | null
  readonly addresses?: readonly string[] | null
  readonly rateLimit?: number | null
  /** Sets what is left, too. */
  readonly usageLimit?: number | null
  readonly notBefore?: Date | null
  /** Never later than the policy allows, counted from when the key was made. */
  readonly expiresAt?: Date | null
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** A key that exists elsewhere. Either the key itself, which is hashed at once, or its SHA-256. */
export interface ImportedApiKey extends NewApiKey {
  /** The key as callers send it: at least 20 characters of the grammar of RFC 6750. */
  readonly key?: string
  /** SHA-256 of the key as callers send it: 64 hex digits, or base64, or base64url. */
  readonly sha256?: string
  /** Takes a `key` too short or too simple to be random. Whoever can guess it is let in. Default: false. */
  readonly allowWeak?: boolean
}

/** Which keys. All conditions hold together. */
export interface ApiKeyFilter {
  readonly owner?: string
  readonly tenant?: string
  readonly lineageId?: string
  readonly status?: ApiKeyStatus | readonly ApiKeyStatus[]
  /** Only what is worth a look: see {@link staleReasons}. */
  readonly stale?: boolean
}

/** A key that was just made. The only time it can be seen. */
export interface CreatedApiKey {
  /** The key itself. Hand it over and forget it. */
  readonly key: string
  readonly apiKey: ApiKey
}

/** What became of one of many: its result, or why not. In the order they were given. */
export type BulkResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Error }

/** How a key is replaced. */
export interface Rotation {
  /** How long the old key still works; it never works longer than it would have. 0 to the policy's `maxGraceSeconds`. Default: 86,400 (a day), or the policy's maximum if that is less. */
  readonly graceSeconds?: number
  /** When the grace of the old key begins: `now`, or `on-first-use` of the new one. Default: `now`. */
  readonly activate?: 'now' | 'on-first-use'
  /** When the new key expires. Default: as long a life as the old one was given, counted from now. */
  readonly expiresAt?: Date
}

/** Who does something, and on what occasion; for the audit log. */
export interface By {
  /** Default: `{ type: 'system' }`. */
  readonly actor?: Actor
  readonly requestId?: string
  readonly reason?: string
}

/** What keys of a project must be like. */
export interface KeyPolicy {
  /** Seconds from when a key is made to when it expires at the latest. A key without expiry gets this one. Default: no limit. */
  readonly maxLifetimeSeconds?: number
  /** Refuses keys that never expire. Default: false. */
  readonly requireExpiry?: boolean
  /** Seconds an old key may live on beside the one that replaces it. Default: 2,592,000 (30 days). */
  readonly maxGraceSeconds?: number
  /** The only scopes a key may have. Default: any. */
  readonly allowedScopes?: readonly string[]
}

/** Issues, changes and ends API keys. Made by `apiKeys`. */
export interface ApiKeys {
  /** Makes a key. @throws TypeError naming the member that is wrong or that the policy forbids */
  create(key: NewApiKey, by?: By): Promise<CreatedApiKey>
  /**
   * Makes many, at best a thousand in one transaction. One that is wrong does not stop the others. When the database
   * fails half-way, what was made before is in the results, and the rest are errors.
   */
  createMany(keys: readonly NewApiKey[], by?: By): Promise<readonly BulkResult<CreatedApiKey>[]>
  /**
   * Takes over keys that exist elsewhere; they go on working as they are. Verifiers need `imported: true`. Keys of the
   * format of this package are given as `key`, and keep their id.
   */
  import(keys: readonly ImportedApiKey[], by?: By): Promise<readonly BulkResult<ApiKey>[]>
  get(id: string): Promise<ApiKey | undefined>
  /** One page of keys in the order of their ids, and where the next one begins. */
  list(
    filter?: ApiKeyFilter,
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<ApiKeyPage>
  /** All keys the filter lets through, read as they are wanted. */
  all(filter?: ApiKeyFilter): AsyncIterable<ApiKey>
  /** A key in grace can only end earlier. @throws RangeError when there is no such key, or it was revoked */
  update(id: string, change: ApiKeyUpdate, by?: By): Promise<ApiKey>
  disable(id: string, by?: By): Promise<ApiKey>
  enable(id: string, by?: By): Promise<ApiKey>
  /**
   * Replaces a key by a new one of the same lineage, with the same rights, and disabled if it was. What is left of its
   * usage limit goes to the new one, which shares it with the old one. A key whose successor ended unused can be rotated again.
   * @throws RangeError when there is no such key, or it is revoked, expired, replaced already, or still waiting for its
   *   first use
   */
  rotate(id: string, how?: Rotation, by?: By): Promise<CreatedApiKey>
  /** Ends a key for good. Revoking it again changes nothing. @throws RangeError when there is no such key */
  revoke(id: string, by?: By): Promise<ApiKey>
  /** Ends many; one that does not exist does not stop the others. */
  revokeMany(ids: readonly string[], by?: By): Promise<readonly BulkResult<ApiKey>[]>
  /** Ends a key by showing it: whoever holds one may. Says nothing of whether it existed. */
  revokeLeaked(key: string, by?: By): Promise<void>
  /** Audit events in the order they were recorded, or with `order: 'desc'` the newest first. */
  audit(query?: AuditQuery): Promise<readonly AuditEvent[]>
  /**
   * How often keys were used on each of the last days (UTC), up to today by the clock of the database. A use is counted on
   * the day it is written, which is up to a minute after it happened. Days are kept for 400 days.
   *
   * @param ids at most 100; of keys that are not there nothing was used
   * @returns `undefined` when the store does not count by day
   */
  uses(
    ids: readonly string[],
    range?: {
      /** Today and the days before it. 1 to 400. Default: 30. */
      readonly days?: number
    },
  ): Promise<ApiKeyUses | undefined>
  /** Removes keys that were revoked or have expired that many seconds ago, and with them the traces of their changes. */
  purge(olderThanSeconds: number, by?: By): Promise<{ readonly keys: number }>
}

/** How often keys were used on each day of some. */
export interface ApiKeyUses {
  /** The first day, `YYYY-MM-DD` in UTC. */
  readonly from: string
  readonly days: number
  /** Of each key that was asked for, as many numbers as there are days; today's is the last. */
  readonly byId: ReadonlyMap<string, readonly number[]>
}

/** Some of the keys. */
export interface ApiKeyPage {
  readonly keys: readonly ApiKey[]
  /** The `after` of the next page; absent on the last one. */
  readonly next?: string
}
