import type { AccessToken, Clock, Logger } from '../core/index.ts'
import type { RateLimiter } from '../core/rate-limit.ts'
import type { CallContext } from './call-context.ts'
import type { CheckedLimits } from './limits.ts'
import type { Middleware } from './middleware.ts'
import type { Registry } from './registry.ts'
import type { Icon } from './types.ts'

/** What a server says of itself (MCP "Implementation"). */
export interface ServerIdentity {
  readonly name: string
  readonly version: string
  readonly title?: string
  readonly description?: string
  readonly websiteUrl?: string
  readonly icons?: readonly Icon[]
}

/** What every exchange of one server shares. */
export interface Served {
  readonly identity: ServerIdentity
  readonly instructions: string | undefined
  readonly registry: Registry
  readonly limits: CheckedLimits
  readonly logger: Logger
  readonly clock: Clock
  /** Calls that are running now. */
  readonly inFlight: Set<CallContext>
  /** What stands around every request, the first outermost. */
  readonly middleware: readonly Middleware[]
  /** How many requests one principal may make; `undefined` for any number. */
  readonly limiter: RateLimiter | undefined
  /** Whether lists are the same for everybody who can ask at all. */
  readonly isOpen: boolean
  /** Signs what clients carry between the rounds of a call. */
  readonly stateKey: string | Uint8Array
  /** Whether a token's scopes cover these, the hierarchy counted. */
  covers(token: AccessToken, scopes: readonly string[]): boolean
}
