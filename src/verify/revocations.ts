import type { AccessToken } from '../core/access-token.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { cutOffEntry, revocationTable, tokenEntry } from './revocation-table.ts'

/** Knows which tokens are good no longer. Asked on every request: it answers from memory. */
export interface Revocations {
  /** `revoked` for this one token, `cut_off` when all that were issued until a certain time are, else `undefined`. */
  reasonFor(token: AccessToken): 'revoked' | 'cut_off' | undefined
}

/** One token that is revoked: by its text, or by the id its issuer gave it. */
export interface RevokedToken {
  /** The token itself, nothing before or after it; only its digest is kept. Of a JWT also the spellings that differ in the signature. */
  readonly token?: string
  /** The `jti` claim (RFC 7519 section 4.1.7), instead of `token`. */
  readonly jti?: string
  /** The `iss` claim; ids are unique only within an issuer. Needed with `jti`, unless the tokens carry no `iss`. */
  readonly issuer?: string
  /** When the token expires anyway, and may be forgotten; a `Date`, or seconds since 1970. Default: never. */
  readonly expiresAt?: Date | number
}

/** All tokens of an issuer, or of one subject or client of it, that were issued until a moment. */
export interface CutOff {
  /** The `iss` claim. */
  readonly issuer: string
  /** Only tokens with this `sub`. */
  readonly subject?: string
  /** Only tokens of this client. */
  readonly clientId?: string
  /** The moment. Default: now. A token issued in the same second counts as issued before (`iat` knows no less). */
  readonly issuedUntil?: Date
}

/** Revocations in the memory of this process. */
export interface MemoryRevocations extends Revocations {
  /** Refuses one token from now on. @throws TypeError when it is not said which */
  revoke(which: RevokedToken): void
  /** Refuses all tokens of an issuer, subject or client until a moment; of several, the latest that applies counts. @throws TypeError when a member has the wrong type */
  cutOff(which: CutOff): void
  /** How many entries there are. */
  readonly size: number
}

/**
 * A list of revoked tokens in the memory of this process: it is empty after a restart, and other processes know nothing
 * of it. Entries of single tokens go when the token has expired.
 *
 * @example
 * ```ts
 * import { jwtVerifier, memoryRevocations, revocable } from 'mcp-bearer/verify'
 *
 * const issuer = 'https://idp.example.com'
 * const revocations = memoryRevocations()
 * const verifier = revocable(jwtVerifier({ jwksUri: `${issuer}/jwks`, issuer, audience: 'my-server' }), revocations)
 *
 * revocations.revoke({ issuer, jti: 'f81d4fae' })
 * revocations.cutOff({ issuer, subject: 'alice' }) // she has to sign in again, everywhere
 * ```
 */
export function memoryRevocations(clock: Clock = systemClock): MemoryRevocations {
  if (typeof clock !== 'function') throw new TypeError('memoryRevocations: clock must be a function')
  const table = revocationTable()
  let nextSweep = 0

  return {
    get size() {
      return table.size
    },
    reasonFor: table.reasonFor,
    revoke(which) {
      const entry = tokenEntry(which)
      sweep()
      table.add(entry)
    },
    cutOff(which) {
      table.add(cutOffEntry(which, clock() / 1000))
    },
  }

  /** Now and then, so that revoking stays cheap. */
  function sweep(): void {
    const now = clock()
    if (now < nextSweep) return
    nextSweep = now + 60_000
    table.prune(now)
  }
}
