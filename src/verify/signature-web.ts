import { algorithmRules, type JwsAlgorithm } from './algorithms.ts'
import { isObject, type JsonObject, own } from './json.ts'
import { decodePart } from './part.ts'
import type { CheckingKey, SignatureBackend, SignatureCheck } from './signature-backend.ts'

type Subtle = typeof globalThis.crypto.subtle
type ImportParameters = Parameters<Subtle['importKey']>[2]
type VerifyParameters = Parameters<Subtle['verify']>[0]
type WebKey = Awaited<ReturnType<Subtle['importKey']>>

/**
 * Signatures by Web Crypto (W3C Web Cryptography Level 2), for runtimes without `node:crypto`. It imports keys for one
 * algorithm each and asynchronously, so a key is judged by its members and imported when it is first used.
 *
 * @param read reads keys where the runtime can do that at once; without it, PEM cannot be read
 */
export function webBackend(
  subtle: Subtle,
  read?: (source: string | JsonObject) => JsonObject | undefined,
): SignatureBackend {
  return {
    readsPem: read !== undefined,
    publicKey(source): CheckingKey | undefined {
      const readable = read ? read(source) : source
      const jwk = isObject(readable) ? publicMembers(readable) : undefined
      return (
        jwk && { jwk, check: (algorithm) => checkWith(subtle, algorithm, importer(subtle, algorithm, jwk)) }
      )
    },
    secretKey(bytes): CheckingKey {
      const copy = Uint8Array.from(bytes)
      return {
        jwk: undefined,
        check: (algorithm) =>
          checkWith(subtle, algorithm, () =>
            subtle.importKey('raw', copy, importParameters(algorithm), false, ['verify']),
          ),
      }
    },
  }
}

/** The members that make a public key (RFC 7518 section 6, RFC 8037 section 2); `undefined` unless all are canonical. */
function publicMembers(source: JsonObject): JsonObject | undefined {
  const kty = own(source, 'kty')
  const names = membersOf.get(kty)
  if (names === undefined) return undefined
  const members = Object.fromEntries(names.map((name) => [name, own(source, name)]))
  if (!Object.entries(members).every(([name, value]) => isMember(name, value))) return undefined
  // Optional in Web Crypto, and no runtime that gets here has it: better said now than with every token.
  if (members.crv === 'Ed448') return undefined
  return { kty, ...members }
}

/** Asked here, because what decodes later throws for a length that no bytes have, and one key would spoil its set. */
function isMember(name: string, value: unknown): boolean {
  return typeof value === 'string' && value !== '' && (name === 'crv' || isBase64url(value))
}

function isBase64url(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text) && decodePart(text) !== undefined
}

const membersOf: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
])

function importer(subtle: Subtle, algorithm: JwsAlgorithm, jwk: JsonObject): () => Promise<WebKey> {
  // Without `alg`: of EdDSA there are two spellings, and the caller has compared it already.
  return () => subtle.importKey('jwk', { ...jwk }, importParameters(algorithm), false, ['verify'])
}

function checkWith(
  subtle: Subtle,
  algorithm: JwsAlgorithm,
  importKey: () => Promise<WebKey>,
): SignatureCheck {
  const { size } = algorithmRules[algorithm]
  const how = verifyParameters(algorithm)
  let imported: Promise<WebKey> | undefined
  return async (input, signature) => {
    if (size !== undefined && signature.length !== size) return false
    imported ??= importKey()
    try {
      return await subtle.verify(how, await imported, signature, input)
    } catch {
      // A point that is not on its curve, or a curve this runtime has not: no signature of such a key is good.
      return false
    }
  }
}

function importParameters(algorithm: JwsAlgorithm): ImportParameters {
  const { kind, hash, pss } = algorithmRules[algorithm]
  if (kind === 'RSA') return { name: pss ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: webHash(hash) }
  if (kind === 'secret') return { name: 'HMAC', hash: webHash(hash) }
  return kind === 'Ed25519' || kind === 'Ed448' ? { name: kind } : { name: 'ECDSA', namedCurve: kind }
}

function verifyParameters(algorithm: JwsAlgorithm): VerifyParameters {
  const { kind, hash, pss } = algorithmRules[algorithm]
  if (kind === 'RSA') {
    // RFC 7518 section 3.5: the salt is as long as the hash.
    return pss ? { name: 'RSA-PSS', saltLength: hashBytes(hash) } : { name: 'RSASSA-PKCS1-v1_5' }
  }
  if (kind === 'secret') return { name: 'HMAC' }
  if (kind === 'Ed25519' || kind === 'Ed448') return { name: kind }
  return { name: 'ECDSA', hash: webHash(hash) }
}

function webHash(hash: string | undefined): string {
  return `SHA-${hash?.slice(3) ?? '256'}`
}

function hashBytes(hash: string | undefined): number {
  return Number(hash?.slice(3) ?? 256) / 8
}
