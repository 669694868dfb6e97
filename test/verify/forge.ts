import { type KeyObject, sign } from 'node:crypto'

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
  const input = `${encodePart(header)}.${encodePart(payload)}`
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const signature = sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
