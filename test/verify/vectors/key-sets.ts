import {
  ed448,
  ed25519,
  p256,
  p384,
  publicJwk,
  rsa,
  secp256k1,
  secret,
  strangerRsa,
  weakRsa,
  x25519,
} from './material.ts'

const hexToBase64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

/** Points of small order (RFC 8032 section 5.1.7): with such a key one signature is good for every token, or for many. */
export const smallOrder: Readonly<Record<string, string>> = {
  'that is the neutral point': hexToBase64url(`01${'00'.repeat(31)}`),
  'that is the neutral point, not canonically spelt': hexToBase64url(`ee${'ff'.repeat(30)}7f`),
  'that is the neutral point with the sign of a negative x': hexToBase64url(`01${'00'.repeat(30)}80`),
  'of order 2': hexToBase64url(`ec${'ff'.repeat(30)}7f`),
  'of order 4': hexToBase64url('00'.repeat(32)),
  'of order 4, not canonically spelt': hexToBase64url(`ed${'ff'.repeat(30)}7f`),
  'of order 8': hexToBase64url('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
  'of order 8, another': hexToBase64url('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
}
export const smallOrder448 = hexToBase64url('00'.repeat(57))

/**
 * One set with every kind of key an issuer should not publish, each under an id of its own, beside a few good ones.
 * What is wrong is never the key itself where it can be avoided: the token that names it is signed with the right one.
 */
const oddKeys = [
  publicJwk(rsa, { kid: 'rsa' }),
  publicJwk(rsa, { kid: 'rsa-for-rs256', alg: 'RS256', use: 'sig', key_ops: ['verify'] }),
  publicJwk(p256, { kid: 'ec' }),
  publicJwk(ed25519, { kid: 'ed' }),
  publicJwk(ed25519, { kid: 'ed-for-eddsa', alg: 'EdDSA' }),
  publicJwk(rsa, { kid: 'same' }),
  publicJwk(strangerRsa, { kid: 'same' }),
  publicJwk(p256, { kid: 'same' }),
  publicJwk(rsa, { kid: 'several-operations', key_ops: ['sign', 'verify'] }),
  publicJwk(rsa, { kid: 'x/../y#?"' }),
  publicJwk(weakRsa, { kid: 'rsa-1024' }),
  publicJwk(rsa, { kid: 'exponent-1', e: 'AQ' }),
  publicJwk(p384, { kid: 'p-384' }),
  publicJwk(secp256k1, { kid: 'secp256k1' }),
  publicJwk(x25519, { kid: 'x25519' }),
  publicJwk(ed448, { kid: 'ed448' }),
  publicJwk(ed448, { kid: 'ed448-for-eddsa', alg: 'EdDSA' }),
  publicJwk(p256, { kid: 'off-the-curve', y: publicJwk(p384).y }),
  publicJwk(p256, { kid: 'no-y', y: undefined }),
  publicJwk(rsa, { kid: 'no-type', kty: undefined }),
  publicJwk(rsa, { kid: 'type-in-small-letters', kty: 'rsa' }),
  ...Object.entries(smallOrder).map(([kid, x]) => publicJwk(ed25519, { kid, x })),
  publicJwk(ed448, { kid: 'small-order-448', x: smallOrder448 }),
  publicJwk(rsa, { kid: 'for-rs512', alg: 'RS512' }),
  publicJwk(rsa, { kid: 'for-encryption-algorithm', alg: 'RSA-OAEP' }),
  publicJwk(rsa, { kid: 'alg-in-small-letters', alg: 'rs256' }),
  publicJwk(rsa, { kid: 'alg-a-list', alg: ['RS256'] }),
  publicJwk(rsa, { kid: 'use-enc', use: 'enc' }),
  publicJwk(rsa, { kid: 'use-in-capitals', use: 'SIG' }),
  publicJwk(rsa, { kid: 'use-a-list', use: ['sig'] }),
  publicJwk(rsa, { kid: 'sign-only', key_ops: ['sign'] }),
  publicJwk(rsa, { kid: 'no-operation', key_ops: [] }),
  publicJwk(rsa, { kid: 'operation-a-text', key_ops: 'verify' }),
  { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private' },
  { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'secret' },
  publicJwk(rsa, { kid: 7 }),
  null,
  'a text',
]

/** What each `jwks_uri` answers. */
export const keySets: Readonly<Record<string, object>> = {
  'https://as.example.com/jwks': { keys: oddKeys },
  // Of two types: for each algorithm there is but one.
  'https://as.example.com/jwks-one-of-each': {
    keys: [publicJwk(rsa, { kid: 'r' }), publicJwk(p256, { kid: 'e' })],
  },
  'https://as.example.com/jwks-two': {
    keys: [publicJwk(rsa, { kid: 'r' }), publicJwk(strangerRsa, { kid: 's' })],
  },
  'https://as.example.com/jwks-empty': { keys: [] },
}
