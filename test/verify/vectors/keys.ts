import { constants, publicDecrypt } from 'node:crypto'
import { ecdsa, edwards, forge, forgeWith, goodClaims, hmac, pkcs1, pss, type Signer } from '../forge.ts'
import { smallOrder, smallOrder448 } from './key-sets.ts'
import {
  ed448,
  ed25519,
  p256,
  p384,
  pem,
  publicJwk,
  rsa,
  secp256k1,
  secret,
  strangerP256,
  strangerRsa,
  weakRsa,
} from './material.ts'
import { goodHeader } from './tokens.ts'
import { refused, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

const der = (type: 'spki' | 'pkcs1') => rsa.publicKey.export({ type, format: 'der' })
const pkcs1Pem = String(rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }))
const modulus = String(publicJwk(rsa).n)

/** Everything that is public of an RSA key, in each form somebody might hand to an HMAC. */
const publicForms: readonly (readonly [form: string, bytes: string | Uint8Array])[] = [
  ['as PEM', pem],
  ['as PEM without the last line break', pem.trim()],
  ['as PEM with the line breaks of Windows', pem.replaceAll('\n', '\r\n')],
  ['as PEM with its line breaks spelt out', pem.replaceAll('\n', '\\n')],
  ['as the text between the lines of a PEM', pem.split('\n').slice(1, -2).join('')],
  ['as PKCS #1 PEM', pkcs1Pem],
  ['as DER', der('spki')],
  ['as PKCS #1 DER', der('pkcs1')],
  ['as JWK', JSON.stringify(publicJwk(rsa))],
  ['as JWK over several lines', JSON.stringify(publicJwk(rsa), undefined, 2)],
  ['as JWK with its members in order', JSON.stringify({ e: publicJwk(rsa).e, kty: 'RSA', n: modulus })],
  ['by its modulus', Buffer.from(modulus, 'base64url')],
  ['by its modulus in base64url', modulus],
  ['by its modulus in hexadecimal digits', Buffer.from(modulus, 'base64url').toString('hex')],
  ['by its id', 'k1'],
]

const asHmac = (alg: 'HS256' | 'HS384' | 'HS512', key: string | Uint8Array, kid = 'k1') =>
  forgeWith(hmac(key, alg === 'HS256' ? 'sha256' : alg === 'HS384' ? 'sha384' : 'sha512'))(
    { alg, typ: 'JWT', kid },
    goodClaims,
  )

const confusion: readonly Vector[] = [
  ...publicForms.map(([form, bytes]) =>
    refused(
      'B-04 FL-38',
      `HS256 keyed with the public key ${form}`,
      () => asHmac('HS256', bytes),
      'algorithm_not_allowed',
    ),
  ),
  ...(['HS384', 'HS512'] as const).map((alg) =>
    refused(
      'B-04 FL-38',
      `${alg} keyed with the public key as PEM`,
      () => asHmac(alg, pem),
      'algorithm_not_allowed',
    ),
  ),
  refused(
    'B-04 FL-38',
    'HS256 keyed with the PEM where the key is configured as PEM',
    () => asHmac('HS256', pem),
    'algorithm_not_allowed',
    'pem',
  ),
  refused(
    'B-04 FL-38',
    'HS256 keyed with a public key of the set, by its kid',
    () => asHmac('HS256', JSON.stringify(publicJwk(rsa)), 'rsa'),
    'algorithm_not_allowed',
    'jwks',
  ),
  refused(
    'B-04 FL-38',
    'HS256 keyed with the public EC key as PEM',
    () => asHmac('HS256', String(p256.publicKey.export({ type: 'spki', format: 'pem' }))),
    'algorithm_not_allowed',
    'es256',
  ),
  refused(
    'B-04 FL-38',
    'HS256 keyed with the 32 bytes of the public Ed25519 key',
    () => asHmac('HS256', Buffer.from(String(publicJwk(ed25519).x), 'base64url')),
    'algorithm_not_allowed',
    'eddsa',
  ),
  refused(
    'B-04',
    'RS256 that is really HS256, keyed with the PEM',
    () => forgeWith(hmac(pem))(goodHeader, goodClaims),
    'bad_signature',
  ),
  refused(
    'B-05',
    'HS256 with the empty key where RS256 is named',
    () => asHmac('HS256', ''),
    'algorithm_not_allowed',
  ),
  refused(
    'B-09 J22',
    'HS256 with the secret that the set holds, by its kid',
    () => asHmac('HS256', secret, 'secret'),
    'algorithm_not_allowed',
    'jwks',
  ),
]

/** Rightly signed for the key under this id, if that could be used. */
const ofSet = (
  ids: string,
  name: string,
  kid: string | undefined,
  signer: Signer = pkcs1(rsa.privateKey),
  { alg = 'RS256', verifier = 'jwks' }: { alg?: string; verifier?: VerifierName } = {},
) =>
  refused(
    ids,
    name,
    () => forgeWith(signer)({ alg, typ: 'JWT', kid }, goodClaims),
    'no_matching_key',
    verifier,
  )

const p256Signer = ecdsa(p256.privateKey)
const edSigner = edwards(ed25519.privateKey)

/** With an exponent of 1 the padded hash is its own signature. */
const paddedHash: Signer = (input) =>
  publicDecrypt({ key: rsa.publicKey, padding: constants.RSA_NO_PADDING }, pkcs1(rsa.privateKey)(input))

const unusable: readonly Vector[] = [
  ofSet('B-06', 'an RSA key of 1024 bits', 'rsa-1024', pkcs1(weakRsa.privateKey)),
  ofSet(
    'B-06',
    'an RSA key whose exponent is 1, with the padded hash as signature',
    'exponent-1',
    paddedHash,
  ),
  ofSet('B-06', 'a P-384 key for ES256', 'p-384', ecdsa(p384.privateKey), { alg: 'ES256' }),
  ofSet('B-06', 'a secp256k1 key for ES256', 'secp256k1', ecdsa(secp256k1.privateKey), { alg: 'ES256' }),
  ofSet('B-06', 'an X25519 key for EdDSA', 'x25519', edSigner, { alg: 'EdDSA' }),
  ofSet('B-06', 'an Ed448 key for EdDSA where Ed448 is not named', 'ed448', edwards(ed448.privateKey), {
    alg: 'EdDSA',
  }),
  ofSet('B-06', 'an EC key whose point is not on the curve', 'off-the-curve', p256Signer, { alg: 'ES256' }),
  ofSet('B-06', 'an EC key without y', 'no-y', p256Signer, { alg: 'ES256' }),
  ...Object.entries(smallOrder).map(([kid, x]) =>
    ofSet(
      'B-06 B-10',
      `an Ed25519 key ${kid}, and the same as signature`,
      kid,
      () => Buffer.concat([Buffer.from(x, 'base64url'), Buffer.alloc(32)]),
      { alg: 'EdDSA' },
    ),
  ),
  ofSet(
    'B-06 B-10',
    'an Ed448 key of small order, and a signature that then fits many tokens',
    'small-order-448',
    () => Buffer.concat([Buffer.from(smallOrder448, 'base64url'), Buffer.alloc(57)]),
    { alg: 'Ed448', verifier: 'jwks-448' },
  ),
  ofSet('B-07', 'a key without kty', 'no-type'),
  ofSet('B-07', 'a key whose kty is in small letters', 'type-in-small-letters'),
  ofSet('B-07', 'ES256 under the kid of an RSA key', 'rsa', p256Signer, { alg: 'ES256' }),
  ofSet('B-07', 'RS256 under the kid of an EC key', 'ec'),
  ofSet('B-07', 'EdDSA under the kid of an RSA key', 'rsa', edSigner, { alg: 'EdDSA' }),
  ofSet('B-07', 'RS256 under the kid of an Ed25519 key', 'ed'),
  ofSet('B-07', 'PS256 with a key bound to RS256', 'rsa-for-rs256', pss(rsa.privateKey), { alg: 'PS256' }),
  ofSet('B-07', 'RS256 with a key bound to RS512', 'for-rs512'),
  ofSet('B-07', 'RS256 with a key bound to RSA-OAEP', 'for-encryption-algorithm'),
  ofSet('B-07', 'RS256 with a key bound to an alg in small letters', 'alg-in-small-letters'),
  ofSet('B-07', 'RS256 with a key whose alg is a list', 'alg-a-list'),
  ofSet('B-08', 'a key whose use is enc', 'use-enc'),
  ofSet('B-08', 'a key whose use is SIG', 'use-in-capitals'),
  ofSet('B-08', 'a key whose use is a list', 'use-a-list'),
  ofSet('B-08', 'a key whose key_ops is sign alone', 'sign-only'),
  ofSet('B-08', 'a key whose key_ops is empty', 'no-operation'),
  ofSet('B-08', 'a key whose key_ops is a text', 'operation-a-text'),
  ofSet('B-09 J23', 'a key that is published with its private half', 'private'),
  ofSet('B-09', 'RS256 under the kid of a secret', 'secret'),
  ofSet('B-24', 'no kid, and several keys of the set fit', undefined, pkcs1(rsa.privateKey), {
    verifier: 'jwks-two',
  }),
  ofSet('B-24', 'no kid, and many keys of a large set fit', undefined),
  ofSet('B-23', 'a kid that only another set knows', 'rsa', pkcs1(rsa.privateKey), { verifier: 'jwks-two' }),
  ofSet('J12', 'any kid where the set is empty', 'rsa', pkcs1(rsa.privateKey), { verifier: 'jwks-empty' }),
  ofSet('B-24', 'no kid where the set is empty', undefined, pkcs1(rsa.privateKey), {
    verifier: 'jwks-empty',
  }),
  ofSet(
    'B-07',
    'an allowed algorithm that is none of the one key',
    undefined,
    ecdsa(strangerP256.privateKey),
    { alg: 'ES256', verifier: 'many-algorithms' },
  ),
]

const wrongKey: readonly Vector[] = [
  refused(
    'B-24',
    "a stranger's key under an id that several keys share",
    () => forge(strangerP256.privateKey, { alg: 'ES256', kid: 'same' }, goodClaims),
    'bad_signature',
    'jwks',
  ),
  refused(
    'B-24',
    "a stranger's key, no kid, and one key of the set fits",
    () => forge(strangerRsa.privateKey, { alg: 'RS256' }, goodClaims),
    'bad_signature',
    'jwks-one-of-each',
  ),
  refused(
    'B-11 B-23',
    'a good key of the set under the kid of another',
    () => forge(strangerRsa.privateKey, { alg: 'RS256', kid: 'r' }, goodClaims),
    'bad_signature',
    'jwks-two',
  ),
]

export const keys: readonly Vector[] = [...confusion, ...unusable, ...wrongKey]
