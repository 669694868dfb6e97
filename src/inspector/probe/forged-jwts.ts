import { encodePart } from './guesses.ts'

/**
 * Copies of a JWT that are signed well, by somebody who may not: with an empty secret, and with a new key that the token
 * brings along (RFC 8725 sections 2.1 and 3.5; RFC 7515 section 4.1.3).
 * @returns none where there is no cryptography: on a web page that came over plain http
 */
export async function forgedJwts(
  header: object,
  claims: object,
): Promise<readonly (readonly [name: string, token: string])[]> {
  if (globalThis.crypto?.subtle === undefined) return []
  return [
    ['your token signed with an empty secret (HS256)', await withEmptySecret(header, claims)],
    ['your token signed with a new key that it brings along (jwk)', await withOwnKey(header, claims)],
  ]
}

async function withEmptySecret(header: object, claims: object): Promise<string> {
  // HMAC fills a key up with zeros (RFC 2104 section 2): one zero is the same key as none, and can be imported.
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', new Uint8Array(1), hmac, false, ['sign'])
  return signed({ ...header, alg: 'HS256' }, claims, key, hmac)
}

async function withOwnKey(header: object, claims: object): Promise<string> {
  const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  return signed({ ...header, alg: 'ES256', jwk: { kty, crv, x, y } }, claims, privateKey, ecdsa)
}

type Sign = typeof crypto.subtle.sign

async function signed(
  header: object,
  claims: object,
  key: Parameters<Sign>[1],
  algorithm: Parameters<Sign>[0],
): Promise<string> {
  const text = `${encodePart(header)}.${encodePart(claims)}`
  const signature = await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(text))
  const base64 = btoa(String.fromCharCode(...new Uint8Array(signature)))
  return `${text}.${base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`
}
