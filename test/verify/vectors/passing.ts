import {
  audience,
  ecdsa,
  edwards,
  forge,
  forgeWith,
  goodClaims,
  hmac,
  now,
  type Part,
  pkcs1,
  pss,
  type Signer,
} from '../forge.ts'
import { ed448, ed25519, p256, p384, p521, publicJwk, rsa, secret, strangerRsa } from './material.ts'
import { mirrored } from './signature-curves.ts'
import { tokenOfLength } from './structure.ts'
import {
  claimsText,
  good,
  goodHeader,
  headerText,
  nested,
  signed,
  withClaims,
  withHeader,
  withPayload,
} from './tokens.ts'
import { accepted, type Vector } from './vector.ts'
import type { VerifierName } from './verifiers.ts'

const byKey = (alg: string, signer: Signer, verifier: VerifierName, more = '') =>
  accepted(
    'B-01 FL-39',
    `${alg}${more}`,
    () => forgeWith(signer)({ alg, typ: 'JWT' }, goodClaims),
    {},
    verifier,
  )

const algorithms: readonly Vector[] = [
  accepted('B-01', 'a plain good token', good),
  accepted('B-01', 'a plain good token, where the key is a PEM', good, {}, 'pem'),
  byKey('RS256', pkcs1(rsa.privateKey), 'rs256'),
  byKey('RS384', pkcs1(rsa.privateKey, 'sha384'), 'rs384'),
  byKey('RS512', pkcs1(rsa.privateKey, 'sha512'), 'rs512'),
  byKey('PS256', pss(rsa.privateKey), 'ps256'),
  byKey('PS384', pss(rsa.privateKey, 'sha384'), 'ps384'),
  byKey('PS512', pss(rsa.privateKey, 'sha512'), 'ps512'),
  byKey('PS256', pss(rsa.privateKey, 'sha256', 32), 'ps256', ' with a salt of 32 bytes'),
  byKey('ES256', ecdsa(p256.privateKey), 'es256'),
  byKey('ES384', ecdsa(p384.privateKey, 'sha384'), 'es384'),
  byKey('ES512', ecdsa(p521.privateKey, 'sha512'), 'es512'),
  byKey('EdDSA', edwards(ed25519.privateKey), 'eddsa'),
  byKey('Ed25519', edwards(ed25519.privateKey), 'ed25519'),
  byKey('Ed448', edwards(ed448.privateKey), 'ed448'),
  byKey('EdDSA', edwards(ed448.privateKey), 'eddsa-448', ' with a key on Ed448'),
  byKey('HS256', hmac(secret), 'hs256'),
  byKey('HS384', hmac(secret, 'sha384'), 'hs384'),
  byKey('HS512', hmac(secret, 'sha512'), 'hs512'),
  byKey('RS256', pkcs1(rsa.privateKey), 'rs256-ps256', ' where PS256 is allowed too'),
  byKey('PS256', pss(rsa.privateKey), 'rs256-ps256', ' where RS256 is allowed too'),
  byKey('RS256', pkcs1(rsa.privateKey), 'many-algorithms', ' where algorithms of other keys are allowed too'),
  accepted(
    'B-10',
    'ES256 with s mirrored, which ECDSA takes for as good as the first',
    mirrored,
    {},
    'es256',
  ),
]

const header: readonly Vector[] = [
  accepted('B-20', 'carrying jku, x5u, x5c and jwk of anybody', () =>
    withHeader({
      jku: 'https://stranger.example',
      x5u: 'https://stranger.example',
      x5c: ['x'],
      jwk: { kty: 'oct' },
    }),
  ),
  accepted(
    'B-20',
    'carrying jku, x5u, x5c and jwk of anybody, where the keys are in a set',
    () =>
      withHeader({
        kid: 'rsa',
        jku: 'https://stranger.example',
        x5u: 'https://stranger.example',
        x5c: ['x'],
        jwk: publicJwk(strangerRsa),
      }),
    {},
    'jwks',
  ),
  accepted('B-20', 'carrying thumbprints of a certificate', () =>
    withHeader({ x5t: 'YWJj', 'x5t#S256': 'YWJj' }),
  ),
  accepted('B-22', 'b64 true', () => withHeader({ b64: true })),
  accepted('B-21 B-22', 'b64 true and critical', () => withHeader({ b64: true, crit: ['b64'] })),
  accepted('B-23', 'any kid beside a single key', () => withHeader({ kid: '../../etc/passwd' })),
  accepted('B-23', 'an empty kid beside a single key', () => withHeader({ kid: '' })),
  accepted('B-23', 'no kid', () => withHeader({ kid: undefined })),
  ...['JWT', 'jwt', 'Jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT'].map((typ) =>
    accepted('B-25', `typ ${typ}`, () => withHeader({ typ })),
  ),
  accepted('B-25', 'no typ', () => withHeader({ typ: undefined })),
  ...['vnd.example+jwt', 'VND.Example+JWT', 'application/vnd.example+jwt'].map((typ) =>
    accepted(
      'B-25 FL-48',
      `typ ${typ}, where rules.types names it`,
      () => withHeader({ typ }),
      {},
      'own-type',
    ),
  ),
  accepted('B-26', 'unknown header parameters', () => withHeader({ 'x-unknown': { a: [1] }, zip: 'DEF' })),
  accepted('B-26', 'a cty that is not JWT', () => withHeader({ cty: 'json' })),
]

const ofSet = (
  ids: string,
  name: string,
  kid: string | undefined,
  signer: Signer = pkcs1(rsa.privateKey),
  { alg = 'RS256', verifier = 'jwks' }: { alg?: string; verifier?: VerifierName } = {},
) => accepted(ids, name, () => forgeWith(signer)({ alg, typ: 'JWT', kid }, goodClaims), {}, verifier)

const keys: readonly Vector[] = [
  ofSet('B-07 J11', 'RS256 with a key without alg, in a set full of odd ones', 'rsa'),
  ofSet('B-07', 'PS256 with the same key', 'rsa', pss(rsa.privateKey), { alg: 'PS256' }),
  ofSet('B-07 B-08', 'a key that says alg, use and key_ops', 'rsa-for-rs256'),
  ofSet('B-07', 'ES256 by the kid of the EC key', 'ec', ecdsa(p256.privateKey), { alg: 'ES256' }),
  ofSet('B-07', 'EdDSA by the kid of the Ed25519 key', 'ed', edwards(ed25519.privateKey), { alg: 'EdDSA' }),
  ofSet('B-07', 'EdDSA with an Ed25519 key bound to EdDSA', 'ed-for-eddsa', edwards(ed25519.privateKey), {
    alg: 'EdDSA',
  }),
  ofSet(
    'B-06',
    'Ed448 by the kid of the Ed448 key, where Ed448 is named',
    'ed448',
    edwards(ed448.privateKey),
    { alg: 'Ed448', verifier: 'jwks-448' },
  ),
  ofSet('B-06', 'EdDSA with an Ed448 key, where Ed448 is named too', 'ed448', edwards(ed448.privateKey), {
    alg: 'EdDSA',
    verifier: 'jwks-448',
  }),
  ofSet(
    'B-06 B-07',
    'EdDSA with an Ed448 key bound to EdDSA, where Ed448 is named too',
    'ed448-for-eddsa',
    edwards(ed448.privateKey),
    { alg: 'EdDSA', verifier: 'jwks-448' },
  ),
  ofSet('B-08', 'a key whose key_ops holds verify beside others', 'several-operations'),
  ofSet('B-23', 'a kid full of what means something in a URL', 'x/../y#?"'),
  ofSet('B-24', 'the first of several keys with one id', 'same'),
  ofSet('B-24', 'the second of several keys with one id', 'same', pkcs1(strangerRsa.privateKey)),
  ofSet('B-24', 'a key of another type with the same id', 'same', ecdsa(p256.privateKey), { alg: 'ES256' }),
  ofSet('B-24', 'no kid, where one key of the set fits', undefined, pkcs1(rsa.privateKey), {
    verifier: 'jwks-one-of-each',
  }),
  ofSet('B-24', 'no kid, where one other key of the set fits', undefined, ecdsa(p256.privateKey), {
    alg: 'ES256',
    verifier: 'jwks-one-of-each',
  }),
]

const structure: readonly Vector[] = [
  accepted('B-33', 'exactly 8 KiB', () => tokenOfLength(8192)),
  accepted('B-33', 'claims nested 32 deep', () => withPayload(claimsText(nested(31)))),
  accepted('B-33', 'a header nested 32 deep', () => signed(headerText(nested(31)), goodClaims)),
  accepted('B-33', 'brackets and quotes within texts', () =>
    withClaims({ note: `${'[{"a":1,"a":'.repeat(40)}\\"` }),
  ),
  accepted('B-32', 'blanks and line breaks around the claims', () =>
    withPayload(` \r\n\t${JSON.stringify(goodClaims, undefined, 2)}\n`),
  ),
  accepted('B-32', 'names and texts that are escaped', () =>
    withPayload(JSON.stringify(goodClaims).replace('"sub":"u', '"\\u0073ub":"\\u0075')),
  ),
  accepted('B-32', 'texts in other scripts', () => withClaims({ name: 'Зоя 陳 \u{1F511}', naïve: true })),
  accepted('B-32', 'half a surrogate pair, escaped, in a claim nobody reads', () =>
    withPayload(claimsText('"x":"\\ud800"')),
  ),
  accepted('B-27', 'one name in several objects', () =>
    withPayload(claimsText('"a":{"x":1},"b":{"x":2},"c":[{"x":3},{"x":4}],"x":5')),
  ),
  accepted('B-27', 'names that differ in case', () => withPayload(claimsText('"AUD":"other","Exp":1'))),
  accepted('B-27', 'a name that is a text elsewhere', () =>
    withPayload(claimsText('"x":"aud","y":["aud","aud"]')),
  ),
]

const complete =
  (header: Part, members: object = {}) =>
  () =>
    forge(rsa.privateKey, header, { ...goodClaims, jti: 'token-1', ...members })
const profile: readonly Vector[] = [
  accepted(
    'B-25',
    'at+jwt with all that the rfc9068 profile asks for',
    complete({ alg: 'RS256', typ: 'at+jwt' }),
    {},
    'rfc9068',
  ),
  accepted(
    'B-25',
    'application/at+jwt with all that the rfc9068 profile asks for',
    complete({ ...goodHeader, typ: 'application/at+jwt' }),
    {},
    'rfc9068',
  ),
  accepted(
    'B-25',
    'AT+JWT with more than the rfc9068 profile asks for',
    complete({ ...goodHeader, typ: 'AT+JWT' }, { auth_time: now - 120, groups: ['g'], aud: [audience] }),
    {},
    'rfc9068',
  ),
]

/** Tokens that must pass for their form, their algorithm and their key. */
export const passing: readonly Vector[] = [...algorithms, ...header, ...keys, ...structure, ...profile]
