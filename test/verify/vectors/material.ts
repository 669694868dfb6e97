import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { PublicJwk } from 'mcp-bearer/verify'

/** Fresh keys, each run. `stranger` is whoever wants in without being allowed to. */
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const strangerRsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const weakRsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
export const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
export const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
export const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
export const strangerP256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const ed25519 = generateKeyPairSync('ed25519')
export const strangerEd25519 = generateKeyPairSync('ed25519')
export const ed448 = generateKeyPairSync('ed448')
export const x25519 = generateKeyPairSync('x25519')

/** Shared secrets, as text: long enough for every HMAC. */
export const secret = randomBytes(48).toString('base64url')
export const strangerSecret = randomBytes(48).toString('base64url')

/** The public half as JWK. */
export function publicJwk({ publicKey }: { publicKey: KeyObject }, members: object = {}): PublicJwk {
  return { ...publicKey.export({ format: 'jwk' }), ...members }
}

export const pem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))
