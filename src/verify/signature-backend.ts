import type { JwsAlgorithm } from './algorithms.ts'
import type { JsonObject } from './json.ts'

/** Whether `signature` is one of the key over `input`. All that can be prepared once is prepared. Never throws. */
export type SignatureCheck = (input: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>

/** A key that can check signatures. */
export interface CheckingKey {
  /** Its public members, in the spelling of RFC 7518 section 6; `undefined` for a secret. */
  readonly jwk: JsonObject | undefined
  /** @param algorithm must fit the key; `keys.ts` sees to it */
  check(algorithm: JwsAlgorithm): SignatureCheck
}

/** The cryptography of a runtime, as far as this room needs it. */
export interface SignatureBackend {
  /** Reads a PEM text, or a JWK as object. @returns `undefined` when it is not a readable public key */
  publicKey(source: string | JsonObject): CheckingKey | undefined
  secretKey(bytes: Uint8Array): CheckingKey
  /** Whether {@link publicKey} reads PEM. */
  readonly readsPem: boolean
}
