import type { Grant } from '../core/access-token.ts'
import { nodeCrypto } from '../core/runtime.ts'
import type { JwsAlgorithm } from './algorithms.ts'
import type { SignatureCheck } from './signature-backend.ts'

/** What is remembered of a token that was good. Not the token: it cannot be read back. */
export interface Verified {
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
  /** The check that passed; it belongs to one key. */
  readonly check: SignatureCheck
  /** What the token says, all but the token. */
  readonly grant: Grant
}

/** Things by the digest of a token, at most so many; beyond it the oldest is forgotten. */
export interface TokenMap<T> {
  get(digest: string): T | undefined
  keep(digest: string, value: T): void
  drop(digest: string): void
}

/** Makes a {@link TokenMap}. */
export function tokenMap<T>(capacity: number): TokenMap<T> {
  const byDigest = new Map<string, T>()
  return {
    get: (digest) => byDigest.get(digest),
    keep(digest, value) {
      // What is there already takes no other's place.
      byDigest.delete(digest)
      if (byDigest.size >= capacity) byDigest.delete(byDigest.keys().next().value ?? '')
      byDigest.set(digest, value)
    },
    drop: (digest) => void byDigest.delete(digest),
  }
}

/**
 * SHA-256 of a token, as the key under which something is remembered of it; the token cannot be read back.
 * @returns `undefined` where the runtime has no `node:crypto`: nothing is remembered then
 */
export function digestOf(token: string): string | undefined {
  return nodeCrypto?.hash('sha256', token, 'base64')
}
