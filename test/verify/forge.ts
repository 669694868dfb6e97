import { constants, createHmac, type KeyObject, sign } from 'node:crypto'

/** The fixtures of the requirements: our server, its issuer, and a moment that does not pass. */
export const audience = 'https://mcp.example.com/mcp'
export const issuer = 'https://as.example.com'
export const now = 1_800_000_000
export const clock = () => now * 1000
export const quiet = () => {}

/** Claims of a good token at `now`. */
export const goodClaims = {
  iss: issuer,
  sub: 'user-1',
  client_id: 'app-1',
  aud: audience,
  scope: 'mcp:read',
  iat: now - 120,
  exp: now + 300,
}

/** A part of a token: an object is written as JSON, text and bytes go in as they are. */
export type Part = object | string | Uint8Array

export function encodePart(part: Part): string {
  const bytes = typeof part === 'string' ? part : part instanceof Uint8Array ? part : JSON.stringify(part)
  return Buffer.from(bytes as string).toString('base64url')
}

/** A compact JWS around anything, really signed: RS256, ES256 (raw r and s), or EdDSA, by the type of the key. */
export function forge(key: KeyObject, header: Part, payload: Part): string {
  return forgeWith(isEdwards(key) ? edwards(key) : key.asymmetricKeyType === 'ec' ? ecdsa(key) : pkcs1(key))(
    header,
    payload,
  )
}

/** Makes the signature of what is to be signed, whatever the header says of it. */
export type Signer = (input: Buffer) => Uint8Array

/** A compact JWS around anything, signed in this way. */
export const forgeWith = (signer: Signer) => (header: Part, payload: Part) =>
  signParts(signer, encodePart(header), encodePart(payload))

/** The same for parts that are already spelt, perhaps in a way that nobody should spell them. */
export function signParts(signer: Signer, header: string, payload: string): string {
  return `${header}.${payload}.${encodePart(signer(Buffer.from(`${header}.${payload}`)))}`
}

export type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** RS256 and its sisters: RSASSA-PKCS1-v1_5. */
export const pkcs1 =
  (key: KeyObject, hash: Hash = 'sha256'): Signer =>
  (input) =>
    sign(hash, input, key)

/** PS256 and its sisters: RSASSA-PSS, by default with a salt as long as the hash. */
export const pss =
  (key: KeyObject, hash: Hash = 'sha256', saltLength: number = constants.RSA_PSS_SALTLEN_DIGEST): Signer =>
  (input) =>
    sign(hash, input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })

/** ES256 and its sisters: r and s side by side (RFC 7518 section 3.4), or DER as everybody else has it. */
export const ecdsa =
  (key: KeyObject, hash: Hash = 'sha256', dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): Signer =>
  (input) =>
    sign(hash, input, { key, dsaEncoding })

/** Ed25519 and Ed448. */
export const edwards =
  (key: KeyObject): Signer =>
  (input) =>
    sign(null, input, key)

/** HS256 and its sisters. */
export const hmac =
  (secret: string | Uint8Array, hash: Hash = 'sha256'): Signer =>
  (input) =>
    createHmac(hash, secret).update(input).digest()

const isEdwards = (key: KeyObject) => key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448'

/** A number as bytes, most significant first, cut or filled to this length. */
export function bigEndian(value: bigint, length: number): Buffer {
  return Buffer.from(
    value
      .toString(16)
      .padStart(length * 2, '0')
      .slice(-length * 2),
    'hex',
  )
}

export function readBigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
