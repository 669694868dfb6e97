import { checkOptions } from '../core/options.ts'
import { nodeCrypto } from '../core/runtime.ts'
import type { HashAlgorithm, KeyRecord } from './key-record.ts'

/**
 * A secret of the servers that goes into the digests of keys. With it, whoever reads the database cannot tell whether a
 * string is a key, and whoever writes to it cannot digest a key of his own making.
 */
export interface Pepper {
  /** Kept beside each digest: 1 to 64 letters, digits, `.`, `_` and `-`. Never use one twice. */
  readonly id: string
  /** At least 32 random bytes; of a string, in UTF-8. The same on all servers, and not in the database. */
  readonly secret: string | Uint8Array
}

/** Digests keys, and compares them with digests. */
export interface KeyHasher {
  /** How {@link KeyHasher.hash} digests: with the first pepper, or `sha256` without one. */
  readonly algorithm: HashAlgorithm
  /** The digest of a whole key, 32 bytes. */
  hash(key: string): Uint8Array
  /**
   * Whether the key is the one of the record, in constant time. Without a record it does the same work and says no, and
   * so it does when the digest was made with a pepper it has not.
   */
  matches(key: string, record: Pick<KeyRecord, 'hash' | 'hashAlgorithm'> | undefined): boolean
}

/** Compared with where there is nothing to compare with. */
const nobody = new Uint8Array(32)

/**
 * Makes a {@link KeyHasher}. The whole key is digested, so prefix, environment and id are bound to the secret. One round
 * is enough: 190 random bits cannot be guessed, and a slow digest is a lever for whoever sends many wrong keys.
 *
 * @param peppers the newest first; keys of the others match as long as those are here. Default: none
 * @param takesPlain whether digests without a pepper match where there are peppers (default: false): those of keys from the time before,
 *   and of keys imported by their digest, until they have been digested anew. Meanwhile whoever writes to the database
 *   can digest a key of his own making
 * @throws TypeError when the list is empty, a pepper is too short or misnamed, or two have one id; shows none of them.
 *   Also where the runtime has no `node:crypto`
 */
export function keyHasher(peppers?: readonly Pepper[], takesPlain = false): KeyHasher {
  const crypto = nodeCrypto
  if (crypto === undefined) throw new TypeError('API keys need a runtime with node:crypto')
  const sha256 = (key: string): Uint8Array => crypto.hash('sha256', key, 'buffer')
  const digests = new Map<string, (key: string) => Uint8Array>([['sha256', sha256]])
  for (const { id, secret } of readPeppers(peppers)) {
    // Held by the runtime: neither a debugger nor a dump of objects shows it.
    const held = crypto.createSecretKey(secret)
    secret.fill(0)
    digests.set(`hmac-sha256:${id}`, (key) => crypto.createHmac('sha256', held).update(key).digest())
  }
  const algorithm = ([...digests.keys()][1] ?? 'sha256') as HashAlgorithm
  const hash = digests.get(algorithm)!
  const stranger = { hash: nobody, hashAlgorithm: algorithm }
  if (algorithm !== 'sha256' && !takesPlain) digests.delete('sha256')

  return {
    algorithm,
    hash,
    matches(key, record) {
      const { hash: expected, hashAlgorithm } = record ?? stranger
      const digest = digests.get(hashAlgorithm)
      const isComparable = digest !== undefined && expected.length === nobody.length
      // A copy: bytes that were compared before are compared faster, and those of nobody always were.
      const bytes = new Uint8Array(isComparable ? expected : nobody)
      const isEqual = crypto.timingSafeEqual((digest ?? hash)(key), bytes)
      return isEqual && isComparable && record !== undefined
    },
  }
}

/** The peppers with their secrets as bytes of our own. */
function readPeppers(
  peppers: readonly Pepper[] | undefined,
): { readonly id: string; readonly secret: Uint8Array }[] {
  if (peppers === undefined) return []
  if (!Array.isArray(peppers) || peppers.length === 0) {
    throw new TypeError('peppers must be a non-empty list; leave it out to have none')
  }
  const ids = new Set<string>()
  return peppers.map((pepper: Pepper) => {
    checkOptions('peppers', pepper, ['id', 'secret'])
    const { id, secret } = pepper
    if (typeof id !== 'string' || !/^[\w.-]{1,64}$/.test(id)) {
      throw new TypeError('peppers: id must be 1 to 64 letters, digits, ".", "_" and "-"')
    }
    if (ids.has(id)) throw new TypeError(`peppers: there are two with the id "${id}"`)
    ids.add(id)
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
    if (!(bytes instanceof Uint8Array && bytes.length >= 32)) {
      throw new TypeError(`peppers: the secret of "${id}" must be at least 32 bytes`)
    }
    return { id, secret: Uint8Array.from(bytes) }
  })
}
