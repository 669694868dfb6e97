import { ecdsa, edwards, encodePart, forgeWith, goodClaims, hmac, pkcs1, pss } from '../forge.ts'
import {
  ed448,
  ed25519,
  p256,
  p384,
  publicJwk,
  rsa,
  secret,
  strangerEd25519,
  strangerP256,
  strangerRsa,
  strangerSecret,
} from './material.ts'
import { good, goodHeader, parts, signed, withHeader } from './tokens.ts'
import { refused, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

const withKey = (alg: string, signer: Parameters<typeof forgeWith>[0]) => () =>
  forgeWith(signer)({ alg, typ: 'JWT' }, goodClaims)

/** Rightly signed with the key of the verifier, by an algorithm that is not on its list. */
const notNamed: readonly Vector[] = (
  [
    ['RS384', 'RS256', withKey('RS384', pkcs1(rsa.privateKey, 'sha384')), 'rs256'],
    ['RS512', 'RS256', withKey('RS512', pkcs1(rsa.privateKey, 'sha512')), 'rs256'],
    ['PS256', 'RS256', withKey('PS256', pss(rsa.privateKey)), 'rs256'],
    ['PS384', 'RS256', withKey('PS384', pss(rsa.privateKey, 'sha384')), 'rs256'],
    ['PS512', 'RS256', withKey('PS512', pss(rsa.privateKey, 'sha512')), 'rs256'],
    ['RS256', 'PS256', good, 'ps256'],
    ['RS256', 'RS512', good, 'rs512'],
    ['ES256', 'ES384', withKey('ES256', ecdsa(p256.privateKey)), 'es384'],
    ['ES384', 'ES256', withKey('ES384', ecdsa(p384.privateKey, 'sha384')), 'es256'],
    ['EdDSA', 'Ed25519', withKey('EdDSA', edwards(ed25519.privateKey)), 'ed25519'],
    ['Ed25519', 'EdDSA', withKey('Ed25519', edwards(ed25519.privateKey)), 'eddsa'],
    ['Ed448', 'EdDSA', withKey('Ed448', edwards(ed448.privateKey)), 'eddsa'],
    ['EdDSA', 'Ed448', withKey('EdDSA', edwards(ed448.privateKey)), 'ed448'],
    ['HS512', 'HS256', withKey('HS512', hmac(secret, 'sha512')), 'hs256'],
    ['HS256', 'HS512', withKey('HS256', hmac(secret)), 'hs512'],
    ['RS256', 'HS256', good, 'hs256'],
    ['RS256', 'ES256', good, 'es256'],
    ['RS256', 'EdDSA', good, 'eddsa'],
  ] as const
).map(([alg, named, token, verifier]) =>
  refused('B-01 FL-39', `${alg} where ${named} is named`, token, 'algorithm_not_allowed', verifier),
)

const text = (alg: string) => JSON.stringify(alg)
/** Signed with RS256, so that whoever ignores the header would let it in. */
const algorithmIs = (ids: string, about: string, alg: unknown) =>
  refused(ids, `alg ${about}`, () => withHeader({ alg }), 'algorithm_not_allowed')
const unsigned = (alg: unknown, signature: string) =>
  `${encodePart({ alg, typ: 'JWT' })}.${encodePart(goodClaims)}.${signature}`

const names: readonly Vector[] = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', ''].map((alg) =>
    algorithmIs('B-02', `${text(alg)} over a good signature`, alg),
  ),
  ...['none', 'nOnE'].map((alg) =>
    refused(
      'B-02',
      `alg ${text(alg)} with a signature of one byte`,
      () => unsigned(alg, 'AA'),
      'algorithm_not_allowed',
    ),
  ),
  refused('B-02', 'alg "none" with an empty signature', () => unsigned('none', ''), 'malformed'),
  refused(
    'B-02',
    'alg "none" where a secret is configured',
    () => unsigned('none', 'AA'),
    'algorithm_not_allowed',
    'hs256',
  ),
  refused(
    'B-02',
    'alg "none" where Ed25519 is configured',
    () => unsigned('none', 'AA'),
    'algorithm_not_allowed',
    'eddsa',
  ),
  algorithmIs('B-02', 'missing', undefined),
  algorithmIs('B-02', 'null', null),
  algorithmIs('B-02', 'a number', 256),
  algorithmIs('B-02', 'true', true),
  algorithmIs('B-02', 'a list that holds the right one', ['RS256']),
  algorithmIs('B-02', 'an object', { RS256: true }),
  ...['rs256', 'Rs256', 'RS256 ', ' RS256', 'RS256\n', '\tRS256', 'RS256\0', 'RS256,none', 'RS-256'].map(
    (alg) => algorithmIs('B-03', text(alg), alg),
  ),
  algorithmIs('B-03', 'in full-width letters', '\uFF32\uFF33256'),
  ...['RS1', 'HS1', 'ES256K', 'RSA-OAEP', 'RSA1_5', 'dir', 'A128KW', 'SHA256withRSA', 'ML-DSA-44'].map(
    (alg) => algorithmIs('B-01', text(alg), alg),
  ),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((alg) =>
    algorithmIs('B-01 B-34', `${text(alg)}, a name that objects are born with`, alg),
  ),
  refused(
    'B-34',
    'alg only in a member __proto__ of the header',
    () => signed('{"__proto__":{"alg":"RS256"},"typ":"JWT"}', goodClaims),
    'algorithm_not_allowed',
  ),
]

const strangerJwk = publicJwk(strangerRsa)
/** Signed by a stranger, who brings the key along. */
const ownKey = (ids: string, about: string, members: object, verifier: VerifierName = 'rs256') =>
  refused(
    ids,
    `a stranger's key ${about}`,
    () => forgeWith(pkcs1(strangerRsa.privateKey))({ ...goodHeader, ...members }, goodClaims),
    'bad_signature',
    verifier,
  )
const elsewhere = 'https://stranger.example/keys'

const keysInTheHeader: readonly Vector[] = [
  ownKey('B-20', 'in jwk', { jwk: strangerJwk }),
  ownKey('B-20', 'in jwk, with the trusted kid', { jwk: { ...strangerJwk, kid: 'rsa' }, kid: 'rsa' }, 'jwks'),
  ownKey('B-20', 'behind jku', { jku: elsewhere }),
  ownKey('B-20', 'behind jku, with the trusted kid', { jku: elsewhere, kid: 'rsa' }, 'jwks'),
  ownKey(
    'B-20',
    'behind jku on the host of the issuer',
    { jku: 'https://as.example.com/uploads/keys', kid: 'rsa' },
    'jwks',
  ),
  ownKey('B-20', 'behind jku on this machine', { jku: 'http://127.0.0.1:9/keys', kid: 'rsa' }, 'jwks'),
  ownKey('B-20', 'behind x5u', { x5u: elsewhere }),
  ownKey('B-20', 'behind x5u, with the trusted kid', { x5u: elsewhere, kid: 'rsa' }, 'jwks'),
  ownKey('B-20', 'in x5c', {
    x5c: [strangerRsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
  }),
  ownKey(
    'B-20',
    'in x5c, with the trusted kid',
    { x5c: [strangerRsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')], kid: 'rsa' },
    'jwks',
  ),
  ownKey('B-20', 'by its thumbprint in x5t', { x5t: 'YWJj', 'x5t#S256': 'YWJj' }),
  refused(
    'B-20 B-60',
    "a stranger's key behind jku, under a kid nobody knows",
    () =>
      forgeWith(pkcs1(strangerRsa.privateKey))({ ...goodHeader, jku: elsewhere, kid: 'mine' }, goodClaims),
    'no_matching_key',
    'jwks',
  ),
  refused(
    'B-20',
    "a stranger's EC key in jwk where ES256 is named",
    () =>
      forgeWith(ecdsa(strangerP256.privateKey))({ alg: 'ES256', jwk: publicJwk(strangerP256) }, goodClaims),
    'bad_signature',
    'es256',
  ),
  refused(
    'B-20',
    "a stranger's Ed25519 key in jwk where EdDSA is named",
    () =>
      forgeWith(edwards(strangerEd25519.privateKey))(
        { alg: 'EdDSA', jwk: publicJwk(strangerEd25519) },
        goodClaims,
      ),
    'bad_signature',
    'eddsa',
  ),
  refused(
    'B-20',
    "a stranger's secret in jwk where HS256 is named",
    () =>
      forgeWith(hmac(strangerSecret))(
        { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.from(strangerSecret).toString('base64url') } },
        goodClaims,
      ),
    'bad_signature',
    'hs256',
  ),
  refused(
    'B-04 B-20',
    "a stranger's secret in jwk where RS256 is named",
    () =>
      forgeWith(hmac(strangerSecret))(
        { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.from(strangerSecret).toString('base64url') } },
        goodClaims,
      ),
    'algorithm_not_allowed',
  ),
]

const critical = (ids: string, name: string, members: object) =>
  refused(ids, name, () => withHeader(members), 'critical_header')

const extensions: readonly Vector[] = [
  critical('B-21', 'crit naming an unknown parameter that is there', { crit: ['exp'], exp: 1 }),
  critical('B-21', 'crit naming an unknown parameter by a URL', {
    crit: ['https://example.com/extension'],
    'https://example.com/extension': true,
  }),
  critical('B-21', 'crit naming an absent parameter', { crit: ['b64'] }),
  critical('B-21', 'crit naming an absent parameter that objects are born with', { crit: ['constructor'] }),
  critical('B-21', 'crit naming b64 twice', { crit: ['b64', 'b64'], b64: true }),
  critical('B-21', 'crit naming b64 and another', { crit: ['b64', 'x'], b64: true, x: 1 }),
  critical('B-21', 'crit naming alg, which is no extension', { crit: ['alg'] }),
  critical('B-21', 'crit naming kid, which is no extension', { crit: ['kid'] }),
  critical('B-21', 'crit naming itself', { crit: ['crit'] }),
  critical('B-21', 'crit naming the empty text', { crit: [''], '': 1 }),
  critical('B-21', 'an empty crit', { crit: [] }),
  critical('B-21', 'crit a text', { crit: 'b64', b64: true }),
  critical('B-21', 'crit null', { crit: null }),
  critical('B-21', 'crit true', { crit: true }),
  critical('B-21', 'crit an object', { crit: { 0: 'b64', length: 1 }, b64: true }),
  critical('B-21', 'crit a list that holds a number', { crit: [1] }),
  critical('B-21', 'crit a list within a list', { crit: [['b64']], b64: true }),
  critical('B-22', 'b64 false', { b64: false }),
  critical('B-22', 'b64 false and critical', { b64: false, crit: ['b64'] }),
  critical('B-22', 'b64 null', { b64: null }),
  critical('B-22', 'b64 the text "true"', { b64: 'true' }),
  critical('B-22', 'b64 the number 1', { b64: 1 }),
  critical('B-22', 'b64 the text "true", critical', { b64: 'true', crit: ['b64'] }),
  refused(
    'B-22',
    'a payload that is not encoded, with b64 false and critical, rightly signed',
    () => {
      const header = encodePart({ ...goodHeader, b64: false, crit: ['b64'] })
      const input = `${header}.${JSON.stringify(goodClaims)}`
      return `${input}.${encodePart(pkcs1(rsa.privateKey)(Buffer.from(input)))}`
    },
    'malformed',
  ),
]

const unknownKey = (about: string, kid: string) =>
  refused('B-23', `kid ${about}`, () => withHeader({ kid }), 'no_matching_key', 'jwks')

const ids: readonly Vector[] = [
  ...([7, null, true, ['rsa'], { kid: 'rsa' }] as const).map((kid) =>
    refused(
      'B-23',
      `kid ${JSON.stringify(kid)}, which is no text`,
      () => withHeader({ kid }),
      'malformed',
      'jwks',
    ),
  ),
  refused('B-23', 'kid a number beside a single key', () => withHeader({ kid: 1 }), 'malformed'),
  refused('B-23', 'kid null beside a single key', () => withHeader({ kid: null }), 'malformed'),
  ...['', 'RSA', 'rsa ', 'rs', 'rsa\0', '*', '0', 'undefined', 'null'].map((kid) =>
    unknownKey(text(kid), kid),
  ),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'].map((kid) =>
    unknownKey(text(kid), kid),
  ),
  ...[
    '../../../../dev/null',
    '/dev/null',
    'file:///dev/null',
    elsewhere,
    "rsa' OR '1'='1",
    'rsa;id',
    '$(id)',
    '%72sa',
  ].map((kid) => unknownKey(text(kid), kid)),
  unknownKey('of 5000 letters', 'k'.repeat(5000)),
  unknownKey('with line breaks and an escape sequence', 'rsa\r\n\x1b[2J'),
  unknownKey('that spells a known one with another accent', 'rsa\u0301'),
]

/** The signature is that of the good header; the header is another. */
const exchanged: readonly Vector[] = [
  refused(
    'B-11',
    'an exchanged header that names the same algorithm',
    () => [encodePart({ alg: 'RS256' }), parts()[1], parts()[2]].join('.'),
    'bad_signature',
  ),
  refused(
    'B-11',
    'an exchanged header that changes only the order of its members',
    () => [encodePart({ kid: 'k1', typ: 'at+jwt', alg: 'RS256' }), parts()[1], parts()[2]].join('.'),
    'bad_signature',
  ),
]

export const header: readonly Vector[] = [
  ...notNamed,
  ...names,
  ...keysInTheHeader,
  ...extensions,
  ...ids,
  ...exchanged,
]
