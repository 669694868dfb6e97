import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { ECKeyPair, Ed25519KeyPair, type KeyPair, RSAKeyPair } from 'mcp-bearer/issuer'
import type { JwtVerifierOptions } from 'mcp-bearer/verify'
import {
  audience,
  clock,
  ecdsa,
  edwards,
  encodePart,
  forgeWith,
  goodClaims,
  hmac,
  issuer,
  now,
  pkcs1,
  pss,
  type Signer,
  signParts,
} from '../verify/forge.ts'
import type { Need, Vector } from './vectors.ts'

/**
 * What can come out differently from runtime to runtime: each algorithm with each form of its key, odd keys, odd
 * signatures, and everything that is decoded.
 */
export async function ownVectors(): Promise<readonly Vector[]> {
  const pairs = await keyPairs()
  const perPair = await Promise.all(pairs.map(vectorsOf))
  return [...perPair.flat(), ...secretVectors(), ...signatureVectors(), ...keyVectors(), ...textVectors()]
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed448 = generateKeyPairSync('ed448')
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const names = { issuer, audience }

function vector(
  name: string,
  options: JwtVerifierOptions,
  token: string,
  expected: string,
  needs?: Need,
): Vector {
  return { name, options: { ...names, ...options }, token, now, expected, ...(needs && { needs }) }
}

async function keyPairs(): Promise<readonly KeyPair[]> {
  const pem = String(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const ofRsa = (['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const).map((algorithm) =>
    RSAKeyPair.fromPem(pem, { algorithm }),
  )
  const ofCurves = (['P-256', 'P-384', 'P-521'] as const).map((curve) => ECKeyPair.generate({ curve }))
  return [...ofRsa, ...(await Promise.all([...ofCurves, Ed25519KeyPair.generate()]))]
}

/** A good token of the pair and bad ones, for the key as PEM, as JWK, and as JWK in a text. */
async function vectorsOf(pair: KeyPair): Promise<readonly Vector[]> {
  const jwk = pair.jwks().keys[0] ?? {}
  const forms = { 'as PEM': pair.publicKey, 'as a JWK': jwk, 'as a JWK in a text': JSON.stringify(jwk) }
  const algorithm = pair.algorithm as NonNullable<JwtVerifierOptions['algorithm']>
  const good = await pair.createToken({ ...names, scopes: ['mcp:read'] }, clock)
  return Object.entries(forms).flatMap(([form, publicKey]) => {
    const options = { publicKey, algorithm }
    const strict = { ...options, requiredScopes: ['mcp:admin'] }
    const needs = form === 'as PEM' ? 'PEM' : undefined
    const about = (what: string) => `${algorithm}, the key ${form}: ${what}`
    return [
      vector(about('a good token'), options, good, 'accepted', needs),
      vector(about('a scope is missing'), strict, good, 'insufficient_scope', needs),
      vector(about('another signature'), options, withSignature(good, turnOneBit), 'bad_signature', needs),
      vector(about('a signature too short'), options, withSignature(good, cut), 'bad_signature', needs),
      vector(about('a signature of zeros'), options, withSignature(good, zeros), 'bad_signature', needs),
    ]
  })
}

/** HMAC, with a secret that is not ASCII: it counts as UTF-8. */
function secretVectors(): readonly Vector[] {
  const secret = `${'🔑 ключ é '.repeat(4)}-0123456789`
  return ([256, 384, 512] as const).flatMap((bits) => {
    const options = { secret, algorithm: `HS${bits}` } as const
    const good = forgeWith(hmac(secret, `sha${bits}`))({ alg: `HS${bits}` }, goodClaims)
    return [
      vector(`HS${bits}: a good token`, options, good, 'accepted'),
      vector(`HS${bits}: another signature`, options, withSignature(good, turnOneBit), 'bad_signature'),
      vector(`HS${bits}: a signature too short`, options, withSignature(good, cut), 'bad_signature'),
    ]
  })
}

/** Good keys, and signatures that one library or another has been seen to take. */
function signatureVectors(): readonly Vector[] {
  const rs256 = { publicKey: publicJwk(rsa.publicKey) }
  const ps256 = { ...rs256, algorithm: 'PS256' } as const
  const es256 = { publicKey: publicJwk(p256.publicKey), algorithm: 'ES256' } as const
  const byRsa = (signer: Signer, alg: string) => forgeWith(signer)({ alg }, goodClaims)
  const key = rsa.privateKey
  return [
    vector('RS256: signed as PS256', rs256, byRsa(pss(key), 'RS256'), 'bad_signature'),
    vector('PS256: signed as RS256', ps256, byRsa(pkcs1(key), 'PS256'), 'bad_signature'),
    vector('PS256: without salt', ps256, byRsa(pss(key, 'sha256', 0), 'PS256'), 'bad_signature'),
    vector('PS256: with a longer salt', ps256, byRsa(pss(key, 'sha256', 64), 'PS256'), 'bad_signature'),
    vector('RS256: the hash of RS512', rs256, byRsa(pkcs1(key, 'sha512'), 'RS256'), 'bad_signature'),
    vector(
      'RS256: a zero in front',
      rs256,
      withSignature(byRsa(pkcs1(key), 'RS256'), zeroInFront),
      'bad_signature',
    ),
    vector(
      'ES256: r and s are zero',
      es256,
      withSignature(byRsa(pkcs1(key), 'ES256'), noPoint),
      'bad_signature',
    ),
  ]
}

/** Keys in odd forms, and keys that nobody should use. */
function keyVectors(): readonly Vector[] {
  const good = forgeWith(pkcs1(rsa.privateKey))({ alg: 'RS256' }, goodClaims)
  const by448 = forgeWith(edwards(ed448.privateKey))({ alg: 'Ed448' }, goodClaims)
  const of448 = { publicKey: publicJwk(ed448.publicKey), algorithm: 'Ed448' } as const
  const jwk = publicJwk(rsa.publicKey)
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey
  const unfit = {
    'RSA of 1024 bits': weak,
    secp256k1: curve,
    X25519: generateKeyPairSync('x25519').publicKey,
  }
  const offCurve = {
    publicKey: { ...publicJwk(p256.publicKey), y: encodePart(Buffer.alloc(32, 1)) },
    algorithm: 'ES256',
  } as const
  const byP256 = forgeWith(ecdsa(p256.privateKey))({ alg: 'ES256' }, goodClaims)
  return [
    vector('PKCS #1', { publicKey: pem(rsa.publicKey, 'pkcs1') }, good, 'accepted', 'PEM'),
    vector('not extractable', { publicKey: { ...jwk, ext: false } }, good, 'accepted'),
    vector(
      'for this algorithm',
      { publicKey: { ...jwk, alg: 'RS256', key_ops: ['verify'] } },
      good,
      'accepted',
    ),
    vector('with a chain', { publicKey: { ...jwk, x5c: ['AAAA'], x5t: 'AAAA' } }, good, 'accepted'),
    vector('Ed448', of448, by448, 'accepted', 'Ed448'),
    vector('Ed448: another signature', of448, withSignature(by448, turnOneBit), 'bad_signature', 'Ed448'),
    vector('not on its curve', offCurve, byP256, 'unsupported', 'early look at keys'),
    ...Object.entries(unfit).flatMap(([about, key]) => [
      vector(`${about} as PEM`, { publicKey: pem(key) }, good, 'unsupported'),
      vector(`${about} as a JWK`, { publicKey: publicJwk(key) }, good, 'unsupported'),
    ]),
  ]
}

/** Well-signed tokens: what is told here is told by the decoders of base64url, UTF-8 and JSON. */
function textVectors(): readonly Vector[] {
  const options = { publicKey: publicJwk(rsa.publicKey) }
  const signer = pkcs1(rsa.privateKey)
  const header = { alg: 'RS256' }
  const of = (payload: string | Uint8Array) => forgeWith(signer)(header, payload)
  const claims = JSON.stringify(goodClaims)
  const withClaims = (more: object) => of(JSON.stringify({ ...goodClaims, ...more }))
  const spelt = (payload: string) => signParts(signer, encodePart(header), payload)
  // Every character of the alphabet, `-` and `_` among them, and every number of characters left over.
  const bytes = [0, 1, 2].map((more) => `ÿþ~?>${'ÿ¿ﻼ🂡𝄞'.repeat(9)}${'x'.repeat(more)}`)
  return [
    ...bytes.map((note, at) =>
      vector(`all of Unicode ${at}`, options, withClaims({ note, 'ключ 🔑': note }), 'accepted'),
    ),
    vector('half a character', options, of(claims.replace(/\}$/, ',"half":"\\ud83d"}')), 'accepted'),
    vector('no UTF-8', options, of(Buffer.from(claims.replace('user-1', 'user-ÿ'), 'latin1')), 'malformed'),
    vector('a byte order mark', options, of(`\ufeff${claims}`), 'malformed'),
    vector('a member twice', options, of(claims.replace(/\}$/, ',"s\\u0075b":"user-2"}')), 'malformed'),
    vector('padding', options, spelt(`${encodePart(claims)}=`), 'malformed'),
    vector('unused bits', options, spelt(withUnusedBits(claims)), 'malformed'),
    vector('plain base64', options, spelt(plainBase64({ ...goodClaims, note: '??>>' })), 'malformed'),
    vector('nested too deeply', options, of(`{"a":${'['.repeat(9000)}`), 'too_long'),
    vector('nested deeply', options, of(`{"a":${'['.repeat(40)}1${']'.repeat(40)}}`), 'malformed'),
    vector('too large a number', options, of(claims.replace(/"exp":\d+/, '"exp":1e999')), 'invalid_time'),
    vector('expired', options, withClaims({ iat: now - 90, exp: now - 60 }), 'expired'),
    vector('good for one more second', options, withClaims({ iat: now - 90, exp: now - 59 }), 'accepted'),
    vector(
      'a prototype',
      options,
      of(claims.replace(/\}$/, ',"__proto__":{"scope":"mcp:admin"}}')),
      'accepted',
    ),
  ]
}

function publicJwk(key: KeyObject) {
  return key.export({ format: 'jwk' })
}

function pem(key: KeyObject, type: 'spki' | 'pkcs1' = 'spki'): string {
  return String(key.export({ type, format: 'pem' }))
}

function withSignature(token: string, change: (signature: Buffer) => Uint8Array): string {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + encodePart(change(Buffer.from(token.slice(at), 'base64url')))
}

const turnOneBit = (signature: Buffer) => signature.map((byte, at) => (at === 9 ? byte ^ 1 : byte))
const cut = (signature: Buffer) => signature.subarray(1)
const zeros = (signature: Buffer) => Buffer.alloc(signature.length)
const zeroInFront = (signature: Buffer) => Buffer.concat([Buffer.alloc(1), signature])
/** CVE-2022-21449: with both numbers zero the equation holds for every token. */
const noPoint = () => Buffer.alloc(64)

/** RFC 4648 section 4, with `+` or `/` in it, wherever the note begins; without padding, that is another matter. */
function plainBase64(claims: object): string {
  return Buffer.from(JSON.stringify(claims)).toString('base64').replaceAll('=', '')
}

/** The last character says more than there are bits to fill. */
function withUnusedBits(claims: string): string {
  const padded = claims + ' '.repeat((4 - (Buffer.byteLength(claims) % 3)) % 3)
  return encodePart(padded).replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))
}
