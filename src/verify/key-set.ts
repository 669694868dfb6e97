import type { JwsAlgorithm } from './algorithms.ts'
import { isObject, own } from './json.ts'
import { importJwk, type VerificationKey } from './keys.ts'
import type { SignatureCheck } from './signature-backend.ts'

/** Where the checks for a token come from. An empty list: no key will do. */
export interface KeySource {
  /**
   * The checks to try for a token; it is good when one of them passes.
   * @throws AuthError `verifier_unavailable` when that cannot be told right now
   */
  find(
    algorithm: JwsAlgorithm,
    kid: string | undefined,
  ): readonly SignatureCheck[] | Promise<readonly SignatureCheck[]>
  /** Stops a fetch that is under way, and all further ones. */
  close(): void
}

/** The usable keys of a JSON Web Key Set. */
export interface KeySet {
  /**
   * The checks of the keys that fit, or `undefined` when this set does not know the key and a newer one might.
   * Without `kid` exactly one key must fit: to guess among several is to let the sender choose (RFC 7515 section 6).
   */
  find(algorithm: JwsAlgorithm, kid: string | undefined): readonly SignatureCheck[] | undefined
  /** How many keys were left out because they held private or secret members. */
  readonly exposed: number
}

/** A key that is given once has no id: `kid` is not compared. */
export function singleKey(key: VerificationKey): KeySource {
  const checks = new Map([...key.checks].map(([algorithm, check]) => [algorithm, [check]]))
  return { find: (algorithm) => checks.get(algorithm) ?? none, close() {} }
}

/** No key will do. */
export const none: readonly SignatureCheck[] = Object.freeze([])

/** More keys than any issuer has. */
const maxKeys = 100

/**
 * Reads a JSON Web Key Set (RFC 7517 section 5). A key that is malformed, meant for something else, too weak, private
 * or of an unknown type is left out and spoils nothing; keys that share an id are all kept.
 * @throws Error when it is not a set at all, or unreasonably large
 */
export function readKeySet(json: unknown, algorithms: ReadonlySet<JwsAlgorithm>): KeySet {
  const list = isObject(json) ? own(json, 'keys') : undefined
  if (!Array.isArray(list)) throw new Error('not a JSON Web Key Set')
  if (list.length > maxKeys) throw new Error(`more than ${maxKeys} keys`)
  const judged = list.map((jwk: unknown) => (isObject(jwk) ? importJwk(jwk, algorithms) : 'malformed'))
  const keys = judged.filter((key) => typeof key !== 'string')
  const byId = new Map<string, VerificationKey[]>()
  for (const key of keys) {
    if (key.kid !== undefined) byId.set(key.kid, [...(byId.get(key.kid) ?? []), key])
  }
  return {
    exposed: judged.filter((key) => key === 'private').length,
    find(algorithm, kid) {
      if (kid !== undefined) return byId.get(kid)?.flatMap((key) => key.checks.get(algorithm) ?? [])
      const fitting = keys.flatMap((key) => key.checks.get(algorithm) ?? [])
      if (fitting.length === 0) return undefined
      return fitting.length === 1 ? fitting : none
    },
  }
}
