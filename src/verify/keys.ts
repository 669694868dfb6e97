import { Buffer } from 'node:buffer'
import { createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from 'node:crypto'
import { algorithmRules, algorithmsOf, type JwsAlgorithm, type KeyKind } from './algorithms.ts'
import { isObject, type JsonObject, own } from './json.ts'
import { type SignatureCheck, signatureCheck } from './signature.ts'

/** A public key as JSON (RFC 7517), without private members. */
export interface PublicJwk {
  readonly kty?: string | undefined
  readonly [member: string]: unknown
}

/** A key that was judged fit, with a ready check for each allowed algorithm it may be used with; at least one. */
export interface VerificationKey {
  readonly kid: string | undefined
  readonly checks: ReadonlyMap<string, SignatureCheck>
}

/** Why a key is not used. */
export type KeyFault = 'private' | 'malformed' | 'unsupported' | 'weak' | 'use' | 'algorithm'

type Algorithms = ReadonlySet<JwsAlgorithm>

/**
 * Reads the `publicKey` option: PEM (SPKI, or PKCS #1 for RSA), a JWK, or a JWK as JSON text.
 * @throws TypeError saying what is wrong with the key, without showing it
 */
export function importPublicKey(value: unknown, algorithms: Algorithms): VerificationKey {
  const key = readPublicKey(value)
  const judged = judgeStatic(key, algorithms)
  if (typeof judged !== 'string') return judged
  const able = judged === 'algorithm' ? judgeStatic(key, everyAlgorithm) : judged
  if (typeof able === 'string') throw new TypeError(`publicKey ${complaints[able]}`)
  throw new TypeError(
    `publicKey is a key for ${[...able.checks.keys()].join(' or ')}, and algorithms allows ${[...algorithms].join(', ')}`,
  )
}

const everyAlgorithm: Algorithms = new Set(Object.keys(algorithmRules) as JwsAlgorithm[])

function judgeStatic(key: KeyObject | JsonObject, algorithms: Algorithms): VerificationKey | KeyFault {
  return key instanceof KeyObject ? judge(key, undefined, algorithms) : importJwk(key, algorithms)
}

/**
 * Reads the `secret` option for HMAC (RFC 7518 section 3.2).
 * @throws TypeError when it is shorter than the longest hash it is used with, or looks like a public key
 */
export function importSecret(value: unknown, algorithms: Algorithms): VerificationKey {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new TypeError('secret must be a string or a Uint8Array')
  }
  const bytes = Buffer.from(value)
  // Whoever can read a public key could sign with it (RFC 8725 section 3.1).
  if (/-----BEGIN|^\s*\{/.test(bytes.toString('latin1'))) {
    throw new TypeError(
      'secret holds a PEM or JWK; a shared secret is random bytes. Use publicKey for a public key',
    )
  }
  const needed = Math.max(...[...algorithms].map((name) => algorithmRules[name].size ?? 0))
  if (bytes.length < needed) {
    throw new TypeError(`secret must have at least ${needed} bytes for ${[...algorithms].join(', ')}`)
  }
  const key = createSecretKey(bytes)
  return { kid: undefined, checks: new Map([...algorithms].map((name) => [name, signatureCheck(name, key)])) }
}

/** Members that only a private or secret key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Judges one JWK (RFC 7517 section 4): public members only, `use` and `key_ops` for signatures, `alg` pins the
 * algorithm, key type and curve decide which algorithms are left. Never throws.
 */
export function importJwk(jwk: JsonObject, algorithms: Algorithms): VerificationKey | KeyFault {
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return 'private'
  const use = own(jwk, 'use')
  const operations = own(jwk, 'key_ops')
  if (use !== undefined && use !== 'sig') return 'use'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return 'use'
  const kid = own(jwk, 'kid')
  const pinned = own(jwk, 'alg')
  if (kid !== undefined && typeof kid !== 'string') return 'malformed'
  if (pinned !== undefined && typeof pinned !== 'string') return 'malformed'
  const key = publicKeyOf({ key: jwk as JsonWebKey, format: 'jwk' })
  if (key === undefined) return 'malformed'
  const allowed = [...algorithms].filter((name) => pinned === undefined || name === pinned)
  return judge(key, kid, new Set(allowed))
}

function judge(key: KeyObject, kid: string | undefined, algorithms: Algorithms): VerificationKey | KeyFault {
  const kind = kindOf(key)
  if (kind === undefined) return 'unsupported'
  if (kind === 'RSA' && isWeakRsa(key)) return 'weak'
  const fitting = algorithmsOf(kind).filter((name) => algorithms.has(name))
  if (fitting.length === 0) return 'algorithm'
  return { kid, checks: new Map(fitting.map((name) => [name, signatureCheck(name, key)])) }
}

const curves: Readonly<Record<string, KeyKind>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

function kindOf(key: KeyObject): KeyKind | undefined {
  if (key.asymmetricKeyType === 'rsa') return 'RSA'
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519'
  return key.asymmetricKeyType === 'ec' ? curves[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined
}

/** RFC 7518 section 3.3: 2048 bits or more. With an exponent of 1 everything is its own signature. */
function isWeakRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  return modulusLength < 2048 || publicExponent < 3n
}

function readPublicKey(value: unknown): KeyObject | JsonObject {
  if (isObject(value)) return value
  if (typeof value !== 'string') throw new TypeError('publicKey must be a PEM text or a JWK')
  if (!value.trim().startsWith('{')) return importPem(value)
  try {
    const jwk: unknown = JSON.parse(value)
    if (isObject(jwk)) return jwk
  } catch {
    // The parser's message would quote the text.
  }
  throw new TypeError('publicKey looks like a JWK and is not valid JSON')
}

function importPem(text: string): KeyObject {
  // Indented in source code, or with \n spelt out in an environment variable: both are common, neither is ambiguous.
  const pem = text
    .replaceAll('\\n', '\n')
    .replace(/^[ \t]+/gm, '')
    .trim()
  if (pem.includes('PRIVATE KEY-----')) {
    throw new TypeError(
      'publicKey holds a private key. Give its public half (openssl pkey -pubout), and replace the key if others could read it here',
    )
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new TypeError('publicKey holds a certificate. Give the key in it (openssl x509 -pubkey -noout)')
  }
  if (!/^-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem) || pem.split('-----BEGIN').length !== 2) {
    throw new TypeError('publicKey must be one PEM that begins with -----BEGIN PUBLIC KEY-----, or a JWK')
  }
  const key = publicKeyOf(pem)
  if (key === undefined) throw new TypeError(`publicKey ${complaints.malformed}`)
  return key
}

function publicKeyOf(input: Parameters<typeof createPublicKey>[0]): KeyObject | undefined {
  try {
    return createPublicKey(input)
  } catch {
    return undefined
  }
}

/** What a person is told; the key itself is never shown. */
const complaints: Readonly<Record<KeyFault, string>> = {
  private: 'holds a private or secret key; give only the public half (for HMAC use secret)',
  malformed: 'is not a readable public key',
  unsupported: 'has a type that is not supported: use RSA, EC on P-256, P-384 or P-521, or Ed25519',
  weak: 'is too weak: RSA keys need at least 2048 bits, and an exponent of 3 or more',
  use: 'is not meant for checking signatures: its "use" or "key_ops" says so',
  algorithm: 'is bound by its "alg" to an algorithm that is not supported for its type',
}
