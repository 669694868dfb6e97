// Keys, and access tokens of about 1 kB with the claims a real issuer writes.
import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto'

export const issuer = 'https://idp.example.com/'
export const audience = 'https://mcp.example.com/mcp'
const kid = '2026-11-signing-key'
const length = 1000

const rsa = (modulusLength) => () => generateKeyPairSync('rsa', { modulusLength })
const ec = (namedCurve) => () => generateKeyPairSync('ec', { namedCurve })

/** What can be measured. The name is the algorithm, and the size of the key where it is not the usual one. */
const kinds = {
  RS256: rsa(2048),
  'RS256, 4096 bits': rsa(4096),
  PS512: rsa(2048),
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  EdDSA: () => generateKeyPairSync('ed25519'),
  HS256: undefined,
}

/**
 * A fresh key, in all forms the libraries want it in.
 * @returns `{ algorithm, secret?, publicPem?, publicKey, jwk?, sign(input) }`; `publicKey` is a `KeyObject`
 */
export function makeKey(name) {
  const algorithm = name.split(',')[0]
  if (algorithm.startsWith('HS')) {
    const secret = randomBytes(32)
    const publicKey = createSecretKey(secret)
    return { algorithm, secret, publicKey, sign: (input) => hmac(publicKey, input) }
  }
  const { privateKey } = kinds[name]()
  const publicKey = createPublicKey(privateKey)
  return {
    algorithm,
    publicKey,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }),
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' },
    sign: (input) =>
      sign(hashOf(algorithm), Buffer.from(input), { key: privateKey, ...detailsOf(algorithm) }),
  }
}

/** The digest of an algorithm, as `node:crypto` names it; Ed25519 brings its own. */
export function hashOf(algorithm) {
  return algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`
}

/** What `sign` and `verify` must be told (RFC 7518 sections 3.4 and 3.5). */
export function detailsOf(algorithm) {
  if (!algorithm.startsWith('PS')) return { dsaEncoding: 'ieee-p1363' }
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

export function hmac(key, input) {
  return createHmac('sha256', key).update(input).digest()
}

/** The claims of a good token. No two are equal. @param extra overrides; `undefined` leaves a claim out */
export function makeClaims(extra = {}) {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    aud: audience,
    sub: `auth0|${randomBytes(12).toString('hex')}`,
    client_id: randomUUID(),
    scope: 'files:read files:write prompts:read',
    iat: now - 10,
    exp: now + 36_000,
    jti: randomUUID(),
    email: 'alice@example.com',
    auth_time: now - 600,
    ...extra,
  }
}

/** Signs any header and payload. @param payload an object, or the bytes themselves */
export function makeToken(key, payload, header = { alg: key.algorithm, typ: 'at+jwt', kid }) {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${key.sign(input).toString('base64url')}`
}

/** A good token of about 1 kB; the group list of its user fills it up. */
export function makeTokenOfUsualSize(key) {
  const claims = makeClaims()
  const groups = Array(key.groups ?? 0).fill('engineering')
  const token = makeToken(key, groups.length === 0 ? claims : { ...claims, groups })
  if (token.length >= length) return token
  key.groups = groups.length + 1
  return makeTokenOfUsualSize(key)
}

/** A token comes as a new string with each request; with an old one, V8 would remember its hash. */
export function copyOf(token) {
  return Buffer.from(token, 'latin1').toString('latin1')
}

export function encode(value) {
  const bytes = value instanceof Uint8Array || typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(bytes).toString('base64url')
}
