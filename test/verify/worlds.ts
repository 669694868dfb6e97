import type { KeyObject } from 'node:crypto'
import { type CryptoKey, compactVerify, importJWK, type JWK, jwtVerify } from 'jose'
import type { JwsAlgorithm, JwtVerifierOptions, PublicJwk } from 'mcp-bearer/verify'
import {
  audience,
  bigEndian,
  ecdsa,
  edwards,
  hmac,
  issuer,
  now,
  pkcs1,
  pss,
  readBigEndian,
  type Signer,
} from './forge.ts'
import type { Demands } from './reference.ts'
import {
  ed25519,
  p256,
  pem,
  publicJwk,
  rsa,
  secret,
  strangerEd25519,
  strangerP256,
  strangerRsa,
  strangerSecret,
} from './vectors/material.ts'

/** One key, what signs with it, and what pretends to. */
export interface World {
  readonly algorithm: JwsAlgorithm
  /** Where the verifier has the key from, and what it allows. */
  readonly keys: Pick<JwtVerifierOptions, 'publicKey' | 'secret' | 'jwksUri' | 'algorithms'>
  /** What is at `jwksUri`. */
  readonly keySet?: object
  readonly demands: Pick<Demands, 'algorithms' | 'hasKey'>
  readonly right: Signer
  readonly wrong: readonly Signer[]
  /** What everybody knows, and somebody might use as the secret of an HMAC. */
  readonly openSecrets: readonly (string | Uint8Array)[]
  readonly joseKey: () => Promise<CryptoKey | Uint8Array>
}

/** What becomes of a good signature in the hands of somebody who has no key. */
const damaged = (right: Signer): readonly Signer[] =>
  [
    (signature: Buffer) => signature.map((byte, at) => (at === 0 ? byte ^ 0x80 : byte)),
    (signature: Buffer) => signature.map((byte, at) => (at === signature.length - 1 ? byte ^ 1 : byte)),
    (signature: Buffer) => signature.subarray(1),
    (signature: Buffer) => signature.subarray(0, -1),
    (signature: Buffer) => Buffer.concat([signature, Buffer.alloc(1)]),
    (signature: Buffer) => Buffer.concat([Buffer.alloc(1), signature]),
    (signature: Buffer) => Buffer.concat([signature, signature]),
    (signature: Buffer) => Buffer.alloc(signature.length),
    (signature: Buffer) => Buffer.alloc(signature.length, 0xff),
    (signature: Buffer) => Buffer.from(signature).reverse(),
    () => Buffer.alloc(0),
    () => Buffer.alloc(1),
  ].map(
    (change): Signer =>
      (input) =>
        change(Buffer.from(right(input))),
  )

/** Signs something else than it is told to. */
const other =
  (right: Signer): Signer =>
  (input) =>
    right(Buffer.concat([input, Buffer.from('.')]))

const joseKey = (jwk: PublicJwk, algorithm: string) => importJWK(jwk as JWK, algorithm)

const byKey = ({ algorithms }: { readonly algorithms: readonly string[] }, ...fitting: string[]) => ({
  algorithms,
  hasKey: (algorithm: string) => fitting.includes(algorithm),
})

const hs256: World = {
  algorithm: 'HS256',
  keys: { secret, algorithms: ['HS256'] },
  demands: byKey({ algorithms: ['HS256'] }, 'HS256'),
  right: hmac(secret),
  wrong: [
    ...damaged(hmac(secret)),
    other(hmac(secret)),
    ...[strangerSecret, '', secret.slice(1), `${secret}\0`, Buffer.from(secret, 'base64url')].map((wrong) =>
      hmac(wrong),
    ),
    hmac(secret, 'sha1'),
    hmac(secret, 'sha512'),
    (input) => hmac(secret, 'sha512')(input).subarray(0, 32),
  ],
  openSecrets: ['', 'k1', issuer, audience, strangerSecret, Buffer.alloc(64)],
  // Imported once: jose would do it again for each token.
  joseKey: () =>
    crypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']),
}

const order25519 = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

/** S and S plus the order of the group sign the same; only the smaller one is a signature (RFC 8032 section 5.1.7). */
const largerS: Signer = (input) => {
  const signature = Buffer.from(edwards(ed25519.privateKey)(input))
  const s = readBigEndian(Buffer.from(signature.subarray(32)).reverse())
  return Buffer.concat([signature.subarray(0, 32), bigEndian(s + order25519, 32).reverse()])
}

const rawEd25519 = Buffer.from(String(publicJwk(ed25519).x), 'base64url')

/** Its keys are in a set, so that `kid` counts, and another key is beside them. */
const eddsa: World = {
  algorithm: 'EdDSA',
  keys: { jwksUri: 'https://as.example.com/jwks', algorithms: ['EdDSA', 'ES256'] },
  keySet: { keys: [publicJwk(ed25519, { kid: 'k1' }), publicJwk(p256, { kid: 'k2' })] },
  demands: {
    algorithms: ['EdDSA', 'ES256'],
    hasKey: (algorithm, kid) => kid === undefined || kid === (algorithm === 'EdDSA' ? 'k1' : 'k2'),
  },
  right: edwards(ed25519.privateKey),
  wrong: [
    ...damaged(edwards(ed25519.privateKey)),
    other(edwards(ed25519.privateKey)),
    edwards(strangerEd25519.privateKey),
    largerS,
    // The neutral point and 0: good for every token, were the key one of small order.
    () => Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]),
    hmac(rawEd25519),
  ],
  openSecrets: [rawEd25519, String(publicJwk(ed25519).x), JSON.stringify(publicJwk(ed25519)), ''],
  joseKey: () => joseKey(publicJwk(ed25519), 'EdDSA'),
}

const p256Pem = String(p256.publicKey.export({ type: 'spki', format: 'pem' }))
const es256: World = {
  algorithm: 'ES256',
  keys: { publicKey: publicJwk(p256), algorithms: ['ES256', 'RS256'] },
  demands: byKey({ algorithms: ['ES256', 'RS256'] }, 'ES256'),
  right: ecdsa(p256.privateKey),
  wrong: [
    ...damaged(ecdsa(p256.privateKey)),
    other(ecdsa(p256.privateKey)),
    ecdsa(strangerP256.privateKey),
    ecdsa(p256.privateKey, 'sha512'),
    ecdsa(p256.privateKey, 'sha256', 'der'),
    hmac(p256Pem),
  ],
  openSecrets: [
    p256Pem,
    p256.publicKey.export({ type: 'spki', format: 'der' }),
    String(publicJwk(p256).x),
    '',
  ],
  joseKey: () => joseKey(publicJwk(p256), 'ES256'),
}

const rs256: World = {
  algorithm: 'RS256',
  keys: { publicKey: publicJwk(rsa), algorithms: ['RS256', 'EdDSA'] },
  demands: byKey({ algorithms: ['RS256', 'EdDSA'] }, 'RS256'),
  right: pkcs1(rsa.privateKey),
  wrong: [
    ...damaged(pkcs1(rsa.privateKey)),
    other(pkcs1(rsa.privateKey)),
    pkcs1(strangerRsa.privateKey),
    pkcs1(rsa.privateKey, 'sha1'),
    pkcs1(rsa.privateKey, 'sha512'),
    pss(rsa.privateKey),
    hmac(pem),
    // Made with the public key alone: 1 and the modulus less 1 are their own powers.
    () => bigEndian(1n, 256),
    () => bigEndian(readBigEndian(Buffer.from(String(publicJwk(rsa).n), 'base64url')) - 1n, 256),
  ],
  openSecrets: [
    pem,
    pem.trim(),
    rsa.publicKey.export({ type: 'spki', format: 'der' }),
    String(publicJwk(rsa).n),
    JSON.stringify(publicJwk(rsa)),
    '',
  ],
  joseKey: () => joseKey(publicJwk(rsa), 'RS256'),
}

export const worlds = { HS256: hs256, EdDSA: eddsa, ES256: es256, RS256: rs256 } as const

const second = { issuer: 'https://second.example', audience: 'https://second.example/mcp' }

/** What the verifiers of a world ask for; a recipe chooses one. */
export const manners: readonly Omit<Demands, 'algorithms' | 'hasKey'>[] = [
  { issuers: [issuer], audiences: [audience], clockSkew: 60 },
  { issuers: [issuer], audiences: [audience], clockSkew: 60 },
  { clockSkew: 60 },
  { issuers: [issuer], audiences: [audience], clockSkew: 0, profile: 'rfc9068' },
  { issuers: [issuer], audiences: [audience], clockSkew: 60, maxTokenAge: 600 },
  { audiences: [audience], clockSkew: 300, maxTokenAge: 600, allowMissingExp: true },
  {
    issuers: [second.issuer, issuer],
    audiences: [second.audience, audience],
    clockSkew: 300,
    requiredScopes: ['mcp:read'],
  },
  { issuers: [issuer], clockSkew: 0, allowMissingExp: true },
]

/** The options with which a verifier asks for that. */
export function optionsOf(demands: Omit<Demands, 'algorithms' | 'hasKey'>): Partial<JwtVerifierOptions> {
  const { issuers, audiences, clockSkew, requiredScopes, maxTokenAge, allowMissingExp, profile } = demands
  return {
    clockSkew,
    ...(issuers && { issuer: issuers }),
    ...(audiences && { audience: audiences }),
    ...(requiredScopes && { requiredScopes }),
    rules: {
      ...(maxTokenAge !== undefined && { maxTokenAge }),
      ...(allowMissingExp && { allowMissingExp }),
      ...(profile && { profile }),
      validate: ({ tid }) => tid !== 'stranger',
    },
  }
}

/** Whether jose takes the token, asked for the same as far as it can be asked. */
export async function joseTakes(
  token: string,
  key: CryptoKey | KeyObject | Uint8Array,
  algorithm: string,
  demands: Omit<Demands, 'algorithms' | 'hasKey'>,
): Promise<boolean> {
  const { issuers, audiences, clockSkew, maxTokenAge, allowMissingExp, profile } = demands
  try {
    await jwtVerify(token, key, {
      algorithms: [algorithm],
      ...(issuers && { issuer: [...issuers] }),
      ...(audiences && { audience: [...audiences] }),
      ...(maxTokenAge !== undefined && { maxTokenAge }),
      ...(profile && { typ: 'at+jwt' }),
      requiredClaims: allowMissingExp ? [] : ['exp'],
      clockTolerance: clockSkew,
      currentDate: new Date(now * 1000),
    })
    return true
  } catch {
    return false
  }
}

/** Whether jose finds the signature good, whatever the claims say. */
export async function joseVerifies(
  token: string,
  key: CryptoKey | KeyObject | Uint8Array,
  algorithm: string,
): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}
