import { createHash } from 'node:crypto'
import type { JwsAlgorithm } from './algorithms.ts'
import type { JsonObject } from './json.ts'
import type { SignatureCheck } from './signature.ts'

/** What is remembered of a token whose signature was good. Not the token: it cannot be read back. */
export interface Verified {
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
  readonly claims: JsonObject
  /** The check that passed; it belongs to one key. */
  readonly check: SignatureCheck
}

/** Tokens whose signature was good, by digest. */
export interface VerifiedTokens {
  get(digest: string): Verified | undefined
  keep(digest: string, verified: Verified): void
}

/** How many tokens are remembered; beyond it the oldest is forgotten. Only good signatures get in. */
const capacity = 10_000

/**
 * Remembers signatures, so that a token costs one check and not one for each request. Nothing else is remembered: the
 * time, the other claims and whether the key is still there are judged on every request.
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
  return createHash('sha256').update(token).digest('base64')
}
