import { algorithmRules, fittingAlgorithms, type JwsAlgorithm, type KeyKind } from './algorithms.ts'
import { decodeBase64url } from './bytes.ts'
import { isObject, type JsonObject, own } from './json.ts'
import { signatures } from './signature.ts'
import type { CheckingKey, SignatureCheck } from './signature-backend.ts'
import { isSmallOrder } from './small-order.ts'

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
  const names = [...able.checks.keys()]
  throw new TypeError(
    names.includes('Ed448')
      ? 'publicKey is a key for Ed448, which algorithms has to name; EdDSA alone means Ed25519'
      : `publicKey is a key for ${names.join(' or ')}, and algorithms allows ${[...algorithms].join(', ')}`,
  )
}

const everyAlgorithm: Algorithms = new Set(Object.keys(algorithmRules) as JwsAlgorithm[])

function judgeStatic(source: string | PublicJwk, algorithms: Algorithms): VerificationKey | KeyFault {
  if (typeof source !== 'string') return importJwk(source, algorithms)
  const key = signatures.publicKey(source)
  return key === undefined ? 'malformed' : judge(key, undefined, algorithms)
}

/**
 * Reads the `secret` option for HMAC (RFC 7518 section 3.2).
 * @throws TypeError when it is shorter than the longest hash it is used with, or looks like a public key
 */
export function importSecret(value: unknown, algorithms: Algorithms): VerificationKey {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new TypeError('secret must be a string or a Uint8Array')
  }
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  // Whoever can read a public key could sign with it (RFC 8725 section 3.1).
  if (/-----BEGIN|^\s*\{/.test(new TextDecoder('latin1').decode(bytes))) {
    throw new TypeError(
      'secret holds a PEM or JWK; a shared secret is random bytes. Use publicKey for a public key',
    )
  }
  const needed = Math.max(...[...algorithms].map((name) => algorithmRules[name].size ?? 0))
  if (bytes.length < needed) {
    throw new TypeError(`secret must have at least ${needed} bytes for ${[...algorithms].join(', ')}`)
  }
  const key = signatures.secretKey(bytes)
  return { kid: undefined, checks: new Map([...algorithms].map((name) => [name, key.check(name)])) }
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
  const key = signatures.publicKey(jwk)
  if (key === undefined) return 'malformed'
  return judge(key, kid, algorithms, pinned)
}

function judge(
  key: CheckingKey,
  kid: string | undefined,
  algorithms: Algorithms,
  pinned?: string,
): VerificationKey | KeyFault {
  const jwk = key.jwk ?? {}
  const kind = kindOf(jwk)
  if (kind === undefined) return 'unsupported'
  if (kind === 'RSA' && isWeakRsa(jwk)) return 'weak'
  if (
    (kind === 'Ed25519' || kind === 'Ed448') &&
    isSmallOrder(kind, decodeBase64url(String(own(jwk, 'x'))))
  ) {
    return 'weak'
  }
  const fitting = [...fittingAlgorithms(kind, algorithms)].filter(
    ([name]) => pinned === undefined || name === pinned,
  )
  if (fitting.length === 0) return 'algorithm'
  return { kid, checks: new Map(fitting.map(([name, rule]) => [name, key.check(rule)])) }
}

/** Key types and curves (RFC 7518 section 6, RFC 8037 section 2). */
const kinds: ReadonlyMap<string, KeyKind> = new Map([
  ['RSA', 'RSA'],
  ['EC P-256', 'P-256'],
  ['EC P-384', 'P-384'],
  ['EC P-521', 'P-521'],
  ['OKP Ed25519', 'Ed25519'],
  ['OKP Ed448', 'Ed448'],
])

function kindOf(jwk: JsonObject): KeyKind | undefined {
  const type = own(jwk, 'kty')
  return kinds.get(type === 'RSA' ? type : `${type} ${own(jwk, 'crv')}`)
}

/** RFC 7518 section 3.3: 2048 bits or more. With an exponent of 1 everything is its own signature, and 2 is none. */
function isWeakRsa(jwk: JsonObject): boolean {
  const exponent = decodeBase64url(String(own(jwk, 'e')))
  return (
    bitsOf(decodeBase64url(String(own(jwk, 'n')))) < 2048 ||
    bitsOf(exponent) < 2 ||
    (exponent.at(-1) ?? 0) % 2 === 0
  )
}

function bitsOf(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24)
}

/** A PEM text, tidied up, or a JWK. */
function readPublicKey(value: unknown): string | PublicJwk {
  if (isObject(value)) return value
  if (typeof value !== 'string') throw new TypeError('publicKey must be a PEM text or a JWK')
  if (!value.trim().startsWith('{')) return readPem(value)
  try {
    const jwk: unknown = JSON.parse(value)
    if (isObject(jwk)) return jwk
  } catch {
    // The parser's message would quote the text.
  }
  throw new TypeError('publicKey looks like a JWK and is not valid JSON')
}

function readPem(text: string): string {
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
  if (!signatures.readsPem) {
    throw new TypeError('publicKey must be a JWK on this runtime: it has no node:crypto, which reads PEM')
  }
  return pem
}

/** What a person is told; the key itself is never shown. */
const complaints: Readonly<Record<KeyFault, string>> = {
  private: 'holds a private or secret key; give only the public half (for HMAC use secret)',
  malformed: 'is not a readable public key',
  unsupported: 'has a type that is not supported: use RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448',
  weak: 'is too weak: RSA keys need at least 2048 bits and an exponent of 3 or more, EdDSA keys a point of large order',
  use: 'is not meant for checking signatures: its "use" or "key_ops" says so',
  algorithm: 'is bound by its "alg" to an algorithm that is not supported for its type',
}
