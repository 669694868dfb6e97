/** Who did something. */
export interface Actor {
  readonly type: 'key' | 'user' | 'cli' | 'system'
  readonly id?: string
  readonly name?: string
}

/** What happened. The names never change. */
export type AuditEventName =
  | 'key.create'
  | 'key.import'
  | 'key.update'
  | 'key.enable'
  | 'key.disable'
  | 'key.rotate'
  | 'key.revoke'
  | 'key.first_use'
  | 'key.used_in_grace'
  | 'key.leak_reported'
  | 'key.purge'
  | 'auth.failure'
  | 'auth.rate_limited'
  | 'jwt.revoke'
  | 'jwt.cutoff_set'
  | 'audit.gap'

/** What is recorded of one event. Never a secret, nor the digest of one. */
export interface AuditEntry {
  readonly event: AuditEventName
  readonly outcome: 'success' | 'failure'
  readonly severity: 'info' | 'notice' | 'warning' | 'critical'
  /** Why something was refused or done: a word of the closed list of refusal reasons, or what the actor said. */
  readonly reason?: string
  readonly actor: Actor
  /** The key it is about. */
  readonly keyId?: string
  readonly lineageId?: string
  /** Where a request came from. */
  readonly address?: string
  readonly requestId?: string
  /** How often it happened since the entry before of the same kind, where several are told of at once. Default: once. */
  readonly count?: number
  /** What changed, and how. */
  readonly changes?: {
    readonly before: Readonly<Record<string, unknown>>
    readonly after: Readonly<Record<string, unknown>>
  }
  /** What else is to be said, as flat facts. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/** An event as it was recorded. Events form a chain: one that was removed or changed later shows. */
export interface AuditEvent extends AuditEntry {
  /** Grows; nothing is recorded between two that follow each other. */
  readonly sequence: number
  /** Milliseconds since 1970, of the database. */
  readonly time: number
  /** SHA-256, in hex, of the hash of the event before and this one. */
  readonly hash: string
}

/** Which events are asked for. All conditions hold together. */
export interface AuditQuery {
  readonly keyId?: string
  readonly lineageId?: string
  readonly event?: AuditEventName
  readonly outcome?: 'success' | 'failure'
  readonly actorId?: string
  /** Milliseconds since 1970, inclusive. */
  readonly since?: number
  /** Milliseconds since 1970, exclusive. */
  readonly until?: number
  /** Only events after this `sequence`. */
  readonly after?: number
  /** Only events before this `sequence`. */
  readonly before?: number
  /** `desc`: the newest first; read on with `before`. Default: `asc`; read on with `after`. */
  readonly order?: 'asc' | 'desc'
  /** 1 to 1000. Default: 100. */
  readonly limit?: number
}
