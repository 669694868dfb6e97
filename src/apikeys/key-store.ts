import type { SharedCounters } from '../core/counters.ts'
import type { AuditEntry, AuditEvent, AuditQuery } from './audit-event.ts'
import type { KeyRecord } from './key-record.ts'

/**
 * What a database must do for API keys. The seam between this package and whatever keeps your keys; the promises are
 * checked by `keyStoreContract` of `mcp-bearer/testing`, which the three stores of this package pass.
 *
 * Every method that asks the database rejects with `AuthError('verifier_unavailable')` when it cannot be reached, whose
 * `cause` holds no password of the connection. No method ever answers as if there were no key when it cannot be told.
 */
export interface KeyStore extends SharedCounters {
  /**
   * The time of the database, in milliseconds since 1970, as well as it is known without asking. Decides what has
   * expired, on every node alike: the clock of a node may be wrong. Never behind the time of the database by more than
   * the drift of a second or two, and ahead by no more than a round trip.
   */
  time(): number
  /** The key with this id, read from the database now. */
  find(id: string): Promise<KeyRecord | undefined>
  /** Keys in the order of their ids. */
  list(query: KeyQuery): Promise<readonly KeyRecord[]>
  /**
   * Makes all of the changes and records their events, or does nothing. One transaction, durable when it resolves.
   * Then, and before it resolves, it tells those who {@link KeyStore.onChange listen} in this process.
   *
   * @returns false, with nothing done, when a key that is added exists already, or one that is updated does not have the
   *   `rev` any more that the update was made from
   */
  commit(changes: KeyChanges): Promise<boolean>
  /**
   * Counts uses: adds to `useCount` and to the day of `at`, and moves `lastUsedAt` forward, never back. Leaves `rev`
   * alone; unknown ids are ignored.
   */
  recordUses(uses: readonly KeyUse[]): Promise<void>
  /**
   * How often keys were used on each day (UTC), from a day on up to today. Days without a use may be left out, and so may unknown ids.
   * Days that are more than 400 days past are forgotten, and so are those of keys that were removed. Absent where uses are
   * not counted by day.
   *
   * @param ids at most 100
   * @param since `YYYY-MM-DD`, at most 400 days ago
   */
  usesByDay?(ids: readonly string[], since: string): Promise<readonly DayOfUses[]>
  /**
   * Takes so many of the uses that are left of a key, or as many as there are. A negative number gives back what was
   * taken and not used. One step: nodes that take at the same time never get more than there were.
   *
   * @returns how many were taken: 0 when none are left, or the key does not exist or has no usage limit
   */
  takeUses(id: string, wanted: number): Promise<number>
  /** Records events that come with no change of a key. Durable when it resolves, in the order given. */
  appendAudit(entries: readonly AuditEntry[]): Promise<void>
  /** Events in the order they were recorded, or in the other one; those that come first, where there is a limit. */
  readAudit(query: AuditQuery): Promise<readonly AuditEvent[]>
  /**
   * What was changed since `cursor`, by whatever process. Nothing that is committed is ever left out; something may be
   * told twice.
   *
   * @param cursor of the answer before; `undefined` to begin now
   */
  changes(cursor: string | undefined): Promise<ChangeBatch>
  /**
   * Calls `hint` when another process may have changed something: ask {@link KeyStore.changes} then. Only an accelerator:
   * hints may be missing, and calling it too often is harmless. Absent where the database cannot tell.
   *
   * @param hint also called each time the connection was lost and is there again
   * @returns stops it
   */
  listen?(hint: () => void): Promise<() => Promise<void>>
  /** Calls `changed` for each change this very store object commits, before `commit` resolves. Returns what stops it. */
  onChange(changed: (change: Change) => void): () => void
  /** All revocations of JWTs that are not over yet. */
  revocations(): Promise<readonly StoredRevocation[]>
  /** Removes what is older. Tombstones, changes, events and revocations stay until somebody calls this. */
  prune(limits: PruneLimits): Promise<PruneCounts>
  /** Closes the connection. Everything that is asked afterwards is `verifier_unavailable`. Twice is once. */
  close(): Promise<void>
}

/** Which keys. All conditions hold together. */
export interface KeyQuery {
  /** At most 1000. */
  readonly ids?: readonly string[]
  readonly ownerId?: string
  readonly tenant?: string
  readonly lineageId?: string
  /** Only keys whose id comes after this one, byte by byte. */
  readonly after?: string
  /** 1 to 1000. Default: 100. */
  readonly limit?: number
}

/** What one transaction changes. */
export interface KeyChanges {
  readonly add?: readonly KeyRecord[]
  readonly update?: readonly KeyUpdate[]
  /** Adds them, or replaces those of the same `name`: the later `until` of both counts, and a cut-off never gets earlier. */
  readonly revoke?: readonly StoredRevocation[]
  /** Recorded in the same transaction. At least one: nothing changes unseen. */
  readonly audit: readonly AuditEntry[]
}

/** A key as it shall be. The store keeps `useCount`, `lastUsedAt`, `lastUsedAddress` and `usageLeft` as they are, unless `resetUsage`. */
export interface KeyUpdate {
  /** With the `rev` it was made from; the store adds one. */
  readonly record: KeyRecord
  /** Writes `usageLeft` too. Default: false. */
  readonly resetUsage?: boolean
}

/** How a key was used since it was told before. */
export interface KeyUse {
  readonly id: string
  /** How often. 1 or more. */
  readonly count: number
  /** Milliseconds since 1970, of the database. */
  readonly at: number
  readonly address?: string
}

/** How often a key was used on one day. */
export interface DayOfUses {
  readonly id: string
  /** `YYYY-MM-DD`, in UTC. */
  readonly day: string
  readonly count: number
}

/** Something that was changed. */
export interface Change {
  /** `key`: one that existed was changed; `ref` is its id. `revocation`: JWTs were revoked; `ref` is its name. */
  readonly topic: 'key' | 'revocation'
  readonly ref: string
}

/** What {@link KeyStore.changes} found. */
export interface ChangeBatch {
  readonly cursor: string
  readonly changes: readonly Change[]
  /** False when changes since the cursor were pruned: anything may have changed. */
  readonly isComplete: boolean
}

/** JWTs that are good no longer. */
export interface StoredRevocation {
  /** What tells them apart from others; holds no token. One name has one entry. */
  readonly name: string
  readonly kind: 'token' | 'cut_off'
  /** For a cut-off: tokens issued until then are refused. Seconds since 1970. */
  readonly cutOff?: number
  /** When all of them have expired, and the entry may go. Milliseconds since 1970. Absent: it stays. */
  readonly until?: number
}

/** Times before which things are removed, in milliseconds since 1970. What is absent is kept. */
export interface PruneLimits {
  /** Keys that were revoked before, or have expired before. */
  readonly keys?: number
  readonly changes?: number
  readonly audit?: number
  /** Revocations of JWTs that have expired before. */
  readonly revocations?: number
}

/** How many were removed. */
export interface PruneCounts {
  readonly keys: number
  readonly changes: number
  readonly audit: number
  readonly revocations: number
}
