import type { JwtVerifierOptions, RefusalReason } from 'mcp-bearer/verify'
import { now } from '../forge.ts'
import type { Identity } from './vector.ts'

/** The access tokens of one provider, in the shape its documentation shows, and how this package is set up for them. */
export interface Provider {
  /** Who, and which of its kinds of access token. */
  readonly about: string
  /** All but the key. */
  readonly options: Omit<JwtVerifierOptions, 'publicKey' | 'secret'>
  readonly header: object
  readonly claims: object
  /** What a good token must be read as. */
  readonly expects: Identity
  /** One thing changed, and why the token is refused then. */
  readonly refused: readonly Change[]
  /**
   * Options by which a check is loosened for this provider, and what becomes of the good token without each: how it is
   * refused, or what it is read as instead.
   */
  readonly without?: Readonly<Record<string, RefusalReason | Partial<Identity>>>
}

export interface Change {
  readonly name: string
  /** Members of the payload that differ; `undefined` takes one away. */
  readonly claims?: object
  /** Members of the header that differ. */
  readonly header?: object
  readonly reason: RefusalReason
}

/** An hour that began two minutes ago. */
export const hour = { iat: now - 120, exp: now + 3480 }

/** What befalls the tokens of every provider. */
export const commonChanges: readonly Change[] = [
  { name: 'expired', claims: { iat: now - 7200, exp: now - 3600 }, reason: 'expired' },
  { name: 'without exp', claims: { exp: undefined }, reason: 'missing_claim' },
  { name: 'from another issuer', claims: { iss: 'https://stranger.example/' }, reason: 'wrong_issuer' },
]

/** A member of an object that may be none. */
export function member(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, name)
    ? (object as Readonly<Record<string, unknown>>)[name]
    : undefined
}
