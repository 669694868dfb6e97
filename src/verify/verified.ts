import { hash } from 'node:crypto'
import type { AccessTokenInit } from '../core/access-token.ts'
import type { JwsAlgorithm } from './algorithms.ts'
import type { JsonObject } from './json.ts'
import type { SignatureCheck } from './signature.ts'

/** What is remembered of a token that was good. Not the token: it cannot be read back. */
export interface Verified {
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
  /** The check that passed; it belongs to one key. */
  readonly check: SignatureCheck
  /** What the token says, all but the token. */
  readonly grant: Omit<AccessTokenInit, 'token'> & { readonly claims: JsonObject }
}

/** Tokens that were good, by digest. */
export interface VerifiedTokens {
  get(digest: string): Verified | undefined
  keep(digest: string, verified: Verified): void
}

/** How many tokens are remembered; beyond it the oldest is forgotten. Only good ones get in. */
const capacity = 10_000

/**
 * Remembers what cannot change of a token: its signature and its claims, so that they are judged once and not on every
 * request. The time, and whether the key is still there, are judged on every request.
 */
export function verifiedTokens(): VerifiedTokens {
  const byDigest = new Map<string, Verified>()
  return {
    get: (digest) => byDigest.get(digest),
    keep(digest, verified) {
      if (byDigest.size >= capacity) byDigest.delete(byDigest.keys().next().value!)
      byDigest.set(digest, verified)
    },
  }
}

/** SHA-256 of a token, as the key under which it is remembered. */
export function digestOf(token: string): string {
  return hash('sha256', token, 'base64')
}
