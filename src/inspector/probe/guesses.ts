import { isObject } from '../../verify/json.ts'
import { parsePart } from '../../verify/part.ts'

/** The parts of a JWT that can be read; nothing of it is verified. */
export interface ReadJwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly parts: readonly [header: string, payload: string, signature: string]
}

/** Reads a token that is a JWT; `undefined` when it is something else. */
export function readJwt(token: string): ReadJwt | undefined {
  const parts = token.split('.')
  const [head = '', payload = '', signature = ''] = parts
  const header = parsePart(head)
  const claims = parsePart(payload)
  if (!isObject(header) || !isObject(claims) || parts.length !== 3) return undefined
  return { header, claims, parts: [head, payload, signature] }
}

/** Random text of a bearer token's characters. */
export function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('')
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** A JWT of these parts. Its signature is what it is given. */
export function jwtOf(header: object, claims: object, signature: string): string {
  return `${encodePart(header)}.${encodePart(claims)}.${signature}`
}

/** JSON in base64url. */
export function encodePart(value: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** 256 bytes that no key has signed, as RS256 has them. */
export function noSignature(): string {
  // 342 characters of base64url; the unused bits of the last one are zero.
  return `${randomText(341)}A`
}

/** One character in the middle, changed. At the end it might be one whose bits nobody looks at. */
export function withOneChange(text: string): string {
  const at = Math.floor(text.length / 2)
  return `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`
}
