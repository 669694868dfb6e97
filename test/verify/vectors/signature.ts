import { encodePart, forgeWith, goodClaims, hmac, pkcs1 } from '../forge.ts'
import { rsa, secret, strangerRsa, strangerSecret } from './material.ts'
import { curveSignatures, untouchedCurves } from './signature-curves.ts'
import { rsaSignatures } from './signature-rsa.ts'
import { flipped, good, goodHeader, parts, resigned, signed, withClaims } from './tokens.ts'
import { badSignature, type Vector } from './vector.ts'

const altered: readonly Vector[] = [
  badSignature('B-11', "a stranger's signature", () =>
    forgeWith(pkcs1(strangerRsa.privateKey))(goodHeader, goodClaims),
  ),
  badSignature(
    'B-11',
    "a stranger's signature under a known kid",
    () => forgeWith(pkcs1(strangerRsa.privateKey))({ ...goodHeader, kid: 'rsa' }, goodClaims),
    'jwks',
  ),
  badSignature(
    'B-11',
    "a stranger's signature where the key is a PEM",
    () => forgeWith(pkcs1(strangerRsa.privateKey))(goodHeader, goodClaims),
    'pem',
  ),
  badSignature('B-11', 'an exchanged payload', () =>
    [parts()[0], encodePart({ ...goodClaims, scope: 'admin' }), parts()[2]].join('.'),
  ),
  badSignature('B-11', 'the signature of another good token', () =>
    [parts()[0], parts()[1], withClaims({ jti: 'x' }).split('.')[2]].join('.'),
  ),
  badSignature('B-11', 'the first bit of the signature changed', () => resigned(good(), flipped(0))),
  badSignature('B-11', 'the last bit of the signature changed', () => resigned(good(), flipped(-1))),
  badSignature('B-11', 'a signature that lacks its last three bytes', () =>
    resigned(good(), (raw) => raw.subarray(0, -3)),
  ),
  badSignature('B-11', 'a signature of one byte', () => resigned(good(), (raw) => raw.subarray(0, 1))),
  badSignature('B-11', 'a signature with a zero in front', () =>
    resigned(good(), (raw) => Buffer.concat([Buffer.alloc(1), raw])),
  ),
  badSignature('B-11', 'a signature with a zero behind', () =>
    resigned(good(), (raw) => Buffer.concat([raw, Buffer.alloc(1)])),
  ),
  badSignature('B-11', 'the signature twice', () => resigned(good(), (raw) => Buffer.concat([raw, raw]))),
  badSignature('B-11', 'the signature backwards', () =>
    resigned(good(), (raw) => Uint8Array.from(raw).reverse()),
  ),
  badSignature('B-11', 'the signature of the payload alone', () =>
    overSomethingElse((_header, payload) => payload),
  ),
  badSignature('B-11', 'the signature of the header alone', () => overSomethingElse((header) => header)),
  badSignature('B-11', 'the signature of the claims before they are encoded', () =>
    overSomethingElse((header) => `${header}.${JSON.stringify(goodClaims)}`),
  ),
  badSignature('B-11', 'the signature of payload and header in the other order', () =>
    overSomethingElse((header, payload) => `${payload}.${header}`),
  ),
]

function overSomethingElse(input: (header: string, payload: string) => string): string {
  const [header, payload] = parts()
  return `${header}.${payload}.${encodePart(pkcs1(rsa.privateKey)(Buffer.from(input(header, payload))))}`
}

const hs256 = (key: string | Uint8Array) => () => forgeWith(hmac(key))({ alg: 'HS256' }, goodClaims)
const ofHs = (name: string, change: (raw: Buffer) => Uint8Array) =>
  badSignature('B-10', `HS256 with ${name}`, () => resigned(hs256(secret)(), change), 'hs256')

const ofHmac: readonly Vector[] = [
  badSignature('B-05', 'HS256 with the empty key', hs256(''), 'hs256'),
  badSignature('B-05', 'HS256 with a key of one zero', hs256(Buffer.alloc(1)), 'hs256'),
  badSignature('B-05', 'HS256 with a key of 32 zeros', hs256(Buffer.alloc(32)), 'hs256'),
  badSignature('B-05', 'HS256 with the word secret', hs256('secret'), 'hs256'),
  badSignature('B-05', 'HS256 with the word undefined', hs256('undefined'), 'hs256'),
  badSignature('B-11', "HS256 with a stranger's secret", hs256(strangerSecret), 'hs256'),
  badSignature('B-11', 'HS256 with the first 32 bytes of the secret', hs256(secret.slice(0, 32)), 'hs256'),
  badSignature('B-11', 'HS256 with the secret and a line break', hs256(`${secret}\n`), 'hs256'),
  badSignature('B-11', 'HS256 with the secret decoded', hs256(Buffer.from(secret, 'base64url')), 'hs256'),
  badSignature('B-11', 'HS256 with the secret in capitals', hs256(secret.toUpperCase()), 'hs256'),
  ofHs('one byte less', (raw) => raw.subarray(0, 31)),
  ofHs('half of its bytes', (raw) => raw.subarray(0, 16)),
  ofHs('one byte more', (raw) => Buffer.concat([raw, Buffer.alloc(1)])),
  ofHs('zeros only', () => Buffer.alloc(32)),
  ofHs('a cut SHA-512 hash', () =>
    hmac(secret, 'sha512')(Buffer.from(hs256(secret)().replace(/\.[^.]*$/, ''))).slice(0, 32),
  ),
  badSignature(
    'B-10',
    'HS512 with a SHA-256 hash',
    () => forgeWith(hmac(secret))({ alg: 'HS512' }, goodClaims),
    'hs512',
  ),
]

export const signature: readonly Vector[] = [...altered, ...rsaSignatures, ...curveSignatures, ...ofHmac]

/** Untouched tokens by their verifier: what is refused above is refused for the change alone. */
export const untouched = {
  ...untouchedCurves,
  hs256: hs256(secret),
  rs256: () => signed(goodHeader, goodClaims),
}
