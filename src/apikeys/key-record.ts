/** Whether a key is for real use, or for tests. A server takes keys of one kind only. */
export type KeyEnvironment = 'live' | 'test'

/**
 * Where a key is in its life.
 *
 * | state | meaning |
 * |---|---|
 * | `active` | usable |
 * | `pending` | made by a rotation that waits for its first use; usable, and its first use starts the grace of the old key |
 * | `grace` | replaced by another key, and usable until `expiresAt` |
 * | `revoked` | never usable again; kept as a tombstone |
 */
export type KeyState = 'active' | 'pending' | 'grace' | 'revoked'

/** How the digest of a key was made: `sha256`, or with a pepper, `hmac-sha256:<id of the pepper>`. */
export type HashAlgorithm = 'sha256' | `hmac-sha256:${string}`

/** Whose key it is. */
export interface KeyOwner {
  /** Such as `user`, `team` or `service`. */
  readonly type?: string
  readonly id: string
}

/**
 * A key as a {@link KeyStore} keeps it. All of the key but its secret, of which there is a digest. Times are milliseconds
 * since 1970, of the database. A member that is absent is `NULL`.
 */
export interface KeyRecord {
  /** 12 characters of base62; public. */
  readonly id: string
  /** The id of the first key in a row of rotations: its own for a key that replaced none. */
  readonly lineageId: string
  readonly prefix: string
  readonly environment: KeyEnvironment
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly hashAlgorithm: HashAlgorithm
  /** Whether it was made by somebody else and imported: then it does not look like one of ours. */
  readonly isImported: boolean
  readonly name: string
  readonly owner: KeyOwner
  readonly tenant?: string
  /** The `clientId` of the access token. The same in a lineage. */
  readonly clientId: string
  readonly scopes: readonly string[]
  /** The servers it is for; absent for a key of a store that only one server uses. */
  readonly audiences?: readonly string[]
  /** The only tools it may use, and nothing else. Absent: whatever its scopes allow. */
  readonly tools?: readonly string[]
  /** The only networks it may be used from, as `192.0.2.0/24`, `2001:db8::/32` or a single address. */
  readonly addresses?: readonly string[]
  /** Requests a minute. */
  readonly rateLimit?: number
  /** Requests altogether. */
  readonly usageLimit?: number
  /** What is left of `usageLimit`. Present when that is. */
  readonly usageLeft?: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly isEnabled: boolean
  readonly state: KeyState
  readonly notBefore?: number
  readonly expiresAt?: number
  /** Milliseconds the replaced key has left when a `pending` one is used for the first time. */
  readonly graceMs?: number
  /** The key that took its place. */
  readonly replacedBy?: string
  readonly revokedAt?: number
  readonly revokedBy?: string
  readonly revokeReason?: string
  readonly firstUsedAt?: number
  readonly lastUsedAt?: number
  readonly lastUsedAddress?: string
  readonly useCount: number
  readonly createdAt: number
  readonly createdBy?: string
  readonly updatedAt: number
  /** Grows by one with each change; an update names the one it was made from. Uses do not count as changes. */
  readonly rev: number
}
