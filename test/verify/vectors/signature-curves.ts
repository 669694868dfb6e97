import { createHash } from 'node:crypto'
import { bigEndian, ecdsa, edwards, forgeWith, goodClaims, readBigEndian } from '../forge.ts'
import { ed448, ed25519, p256, p384, p521, strangerEd25519, strangerP256 } from './material.ts'
import { flipped, resigned } from './tokens.ts'
import { badSignature, type Vector } from './vector.ts'

/** Orders of the curves (FIPS 186-5, RFC 8032). */
const orders = {
  p256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  p521: BigInt(`0x1${'f'.repeat(65)}a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
  ed25519: 2n ** 252n + 27742317777372353535851937790883648493n,
  ed448: 2n ** 446n - 13818066809895115352007386748515426880336692474882178609894547503885n,
}

const es256 = () => forgeWith(ecdsa(p256.privateKey))({ alg: 'ES256' }, goodClaims)
const es512 = () => forgeWith(ecdsa(p521.privateKey, 'sha512'))({ alg: 'ES512' }, goodClaims)

/** A token with r and s changed. Both are numbers of half the signature. */
function withPoint(token: string, change: (r: bigint, s: bigint) => readonly [bigint, bigint]): string {
  return resigned(token, (raw) => {
    const half = raw.length / 2
    const [r, s] = change(readBigEndian(raw.subarray(0, half)), readBigEndian(raw.subarray(half)))
    return Buffer.concat([bigEndian(r, half), bigEndian(s, half)])
  })
}
/** The mirrored signature: as good as the first, and anybody can make it (SEC 1 section 4.1.4). */
export const mirrored = () => withPoint(es256(), (r, s) => [r, orders.p256 - s])

const point = (name: string, change: Parameters<typeof withPoint>[1]) =>
  badSignature('B-10', `ES256 with ${name}`, () => withPoint(es256(), change), 'es256')
const of256 = (name: string, change: (raw: Buffer) => Uint8Array) =>
  badSignature('B-10', `ES256 with ${name}`, () => resigned(es256(), change), 'es256')

/** Signs until r begins with a zero, and leaves it out. */
function withoutLeadingZero(): string {
  for (;;) {
    const token = es256()
    if (Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')[0] === 0)
      return resigned(token, (raw) => raw.subarray(1))
  }
}

const ofEc: readonly Vector[] = [
  badSignature(
    'B-11',
    "ES256 with a stranger's key",
    () => forgeWith(ecdsa(strangerP256.privateKey))({ alg: 'ES256' }, goodClaims),
    'es256',
  ),
  badSignature(
    'B-10',
    'ES256 as DER',
    () => forgeWith(ecdsa(p256.privateKey, 'sha256', 'der'))({ alg: 'ES256' }, goodClaims),
    'es256',
  ),
  badSignature(
    'B-10',
    'ES384 as DER',
    () => forgeWith(ecdsa(p384.privateKey, 'sha384', 'der'))({ alg: 'ES384' }, goodClaims),
    'es384',
  ),
  point('zero r', (_r, s) => [0n, s]),
  point('zero s', (r) => [r, 0n]),
  point('zero r and s', () => [0n, 0n]),
  point('r and s exchanged', (r, s) => [s, r]),
  point('the order of the curve as r', (_r, s) => [orders.p256, s]),
  point('the order of the curve as s', (r) => [r, orders.p256]),
  point('the order of the curve as r and s', () => [orders.p256, orders.p256]),
  point('the greatest numbers there are as r and s', () => [2n ** 256n - 1n, 2n ** 256n - 1n]),
  point('one as r and s', () => [1n, 1n]),
  of256('one byte less', (raw) => raw.subarray(0, 63)),
  of256('one byte more', (raw) => Buffer.concat([raw, Buffer.alloc(1)])),
  of256('each half filled up to 48 bytes', (raw) =>
    Buffer.concat([Buffer.alloc(16), raw.subarray(0, 32), Buffer.alloc(16), raw.subarray(32)]),
  ),
  badSignature('B-10', 'ES256 without the zero that r begins with', withoutLeadingZero, 'es256'),
  badSignature(
    'B-10',
    'ES256 over a SHA-512 hash',
    () => forgeWith(ecdsa(p256.privateKey, 'sha512'))({ alg: 'ES256' }, goodClaims),
    'es256',
  ),
  badSignature(
    'B-10',
    'ES256 with a signature of ES384',
    () => forgeWith(ecdsa(p384.privateKey, 'sha384'))({ alg: 'ES256' }, goodClaims),
    'es256',
  ),
  badSignature('B-10', 'ES512 with zero r and s', () => withPoint(es512(), () => [0n, 0n]), 'es512'),
  badSignature(
    'B-10',
    'ES512 with the order of the curve added to r',
    () => withPoint(es512(), (r, s) => [r + orders.p521, s]),
    'es512',
  ),
  badSignature(
    'B-10',
    'ES512 with the order of the curve added to s',
    () => withPoint(es512(), (r, s) => [r, s + orders.p521]),
    'es512',
  ),
]

const ed = () => forgeWith(edwards(ed25519.privateKey))({ alg: 'EdDSA' }, goodClaims)
const ed4 = () => forgeWith(edwards(ed448.privateKey))({ alg: 'Ed448' }, goodClaims)
/** RFC 8032: R and S side by side, both least significant byte first. */
function withS(token: string, change: (s: bigint) => bigint): string {
  return resigned(token, (raw) => {
    const half = raw.length / 2
    const s = change(readBigEndian(Uint8Array.from(raw.subarray(half)).reverse()))
    return Buffer.concat([raw.subarray(0, half), bigEndian(s, half).reverse()])
  })
}
const ofEd = (name: string, change: (raw: Buffer) => Uint8Array) =>
  badSignature('B-10', `EdDSA with ${name}`, () => resigned(ed(), change), 'eddsa')
const identity = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])

const ofEdwards: readonly Vector[] = [
  badSignature(
    'B-11',
    "EdDSA with a stranger's key",
    () => forgeWith(edwards(strangerEd25519.privateKey))({ alg: 'EdDSA' }, goodClaims),
    'eddsa',
  ),
  badSignature(
    'B-10',
    'EdDSA with S raised by the order of the group',
    () => withS(ed(), (s) => s + orders.ed25519),
    'eddsa',
  ),
  badSignature('B-10', 'EdDSA with S zero', () => withS(ed(), () => 0n), 'eddsa'),
  badSignature('B-10', 'EdDSA with S mirrored', () => withS(ed(), (s) => orders.ed25519 - s), 'eddsa'),
  badSignature(
    'B-10',
    'EdDSA with the highest bit of S set',
    () => withS(ed(), (s) => s + 2n ** 255n),
    'eddsa',
  ),
  ofEd('the neutral point as R and S zero', () => Buffer.concat([identity, Buffer.alloc(32)])),
  ofEd('the neutral point as R', (raw) => Buffer.concat([identity, raw.subarray(32)])),
  ofEd('the neutral point as R, not canonically spelt', (raw) =>
    Buffer.concat([Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex'), raw.subarray(32)]),
  ),
  ofEd('zeros only', () => Buffer.alloc(64)),
  ofEd('R mirrored', flipped(31, 0x80)),
  ofEd('R and S exchanged', (raw) => Buffer.concat([raw.subarray(32), raw.subarray(0, 32)])),
  ofEd('one byte less', (raw) => raw.subarray(0, 63)),
  ofEd('one byte more', (raw) => Buffer.concat([raw, Buffer.alloc(1)])),
  badSignature(
    'B-10',
    'EdDSA over the hash of what is to be signed',
    () =>
      forgeWith((input) => edwards(ed25519.privateKey)(createHash('sha512').update(input).digest()))(
        { alg: 'EdDSA' },
        goodClaims,
      ),
    'eddsa',
  ),
  badSignature(
    'B-10',
    'EdDSA with a signature of Ed448',
    () => forgeWith(edwards(ed448.privateKey))({ alg: 'EdDSA' }, goodClaims),
    'eddsa',
  ),
  badSignature('B-10', 'EdDSA with a signature of Ed25519 where the key is on Ed448', ed, 'eddsa-448'),
  badSignature(
    'B-10',
    'Ed448 with S raised by the order of the group',
    () => withS(ed4(), (s) => s + orders.ed448),
    'ed448',
  ),
  badSignature('B-10', 'Ed448 with the last byte of S not zero', () => resigned(ed4(), flipped(-1)), 'ed448'),
  badSignature('B-10', 'Ed448 with zeros only', () => resigned(ed4(), () => Buffer.alloc(114)), 'ed448'),
  badSignature(
    'B-10',
    'Ed448 with one byte less',
    () => resigned(ed4(), (raw) => raw.subarray(0, 113)),
    'ed448',
  ),
]

export const curveSignatures: readonly Vector[] = [...ofEc, ...ofEdwards]

/** Untouched tokens by their verifier: what is refused above is refused for the change alone. */
export const untouchedCurves = { es256, es512, eddsa: ed, ed448: ed4 }
