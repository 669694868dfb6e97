import { createHmac, generateKeyPairSync, sign, timingSafeEqual, verify } from 'node:crypto'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const secret = 'the secret of the servers of known weakness'
const encoding = { dsaEncoding: 'ieee-p1363' } as const

/** What a server looks at. */
export interface Looks {
  readonly signature: boolean
  readonly expiry: boolean
  readonly audience: boolean
  /** Takes tokens of `alg: none`, signed by nobody. */
  readonly none: boolean
}

/** What the servers are for. */
export const audience = 'weak-server-audience'

/** What one of them is called that is not on this machine. */
export const publicOrigin = 'https://mcp.example.com'
/** The same without TLS. */
export const plainOrigin = 'http://mcp.example.com'

/** Where their tokens come from. */
export const issuer = 'https://id.example'

const audiences: readonly unknown[] = [audience, `${publicOrigin}/mcp`, `${plainOrigin}/mcp`]

/** What a token is made of, besides the usual. `undefined` takes a claim away. */
export interface TokenWish {
  readonly alg?: 'ES256' | 'HS256'
  /** Seconds until it expires; of a negative number it has. Default: 3600. */
  readonly secondsLeft?: number
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A signed token. */
export function mint({ alg = 'ES256', secondsLeft = 3600, claims = {} }: TokenWish = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const iat = Math.min(now, now + secondsLeft - 3600)
  const all = { iss: issuer, sub: 'alice', aud: audience, iat, exp: now + secondsLeft, ...claims }
  const text = `${encoded({ alg, typ: 'JWT' })}.${encoded(all)}`
  return `${text}.${signatureOf(text, alg)}`
}

/** Whether a token is good, as far as it is looked at. */
export function isGood(token: string, looks: Partial<Looks> = {}): boolean {
  const {
    signature: looksAtSignature = true,
    expiry = true,
    audience: looksAtAudience = true,
    none = false,
  } = looks
  const parts = token.split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3) return false
  const { alg } = decoded(header)
  const isUnsigned = none && alg === 'none' && signature === ''
  if (looksAtSignature && !isUnsigned && !isSignedBy(`${header}.${payload}`, signature, alg)) return false
  const { exp, aud } = decoded(payload)
  if (looksAtAudience && !audiences.includes(aud)) return false
  return !expiry || exp === undefined || (typeof exp === 'number' && exp > Date.now() / 1000)
}

function signatureOf(text: string, alg: 'ES256' | 'HS256'): string {
  return alg === 'HS256'
    ? createHmac('sha256', secret).update(text).digest('base64url')
    : sign('sha256', Buffer.from(text), { key: privateKey, ...encoding }).toString('base64url')
}

function isSignedBy(text: string, signature: string, alg: unknown): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  // The last letter of base64url holds bits that nothing reads: another one is another token.
  if (bytes.toString('base64url') !== signature) return false
  if (alg === 'ES256') return verify('sha256', Buffer.from(text), { key: publicKey, ...encoding }, bytes)
  if (alg !== 'HS256') return false
  const own = createHmac('sha256', secret).update(text).digest()
  return own.length === bytes.length && timingSafeEqual(own, bytes)
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decoded(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
