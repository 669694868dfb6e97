import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ECKeyPair, Ed25519KeyPair, RSAKeyPair } from './index.ts'
import type { CreateTokenOptions } from './key-pair.ts'

const now = 1_800_000_000
const clock = () => now * 1000
const pair = await ECKeyPair.generate()
const part = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split('.')[index]!, 'base64url').toString()) as Record<string, unknown>

describe('createToken', () => {
  it('has the defaults of the Python class', async () => {
    const token = await pair.createToken({}, clock)
    expect(part(token, 0)).toEqual({ alg: 'ES256', typ: 'JWT', kid: pair.kid })
    expect(part(token, 1)).toEqual({
      iss: 'https://fastmcp.example.com',
      sub: 'fastmcp-user',
      iat: now,
      exp: now + 3600,
    })
  })

  it('writes what it is given', async () => {
    const options = {
      subject: 'dev-user',
      issuer: 'https://dev.example.com',
      audience: ['a', 'b'],
      scopes: ['read', 'write'],
      expiresInSeconds: -60,
      additionalClaims: { email: 'a@example.com' },
      kid: 'k1',
    }
    const token = await pair.createToken(options, clock)
    expect(part(token, 0).kid).toBe('k1')
    expect(part(token, 1)).toEqual({
      iss: 'https://dev.example.com',
      sub: 'dev-user',
      aud: ['a', 'b'],
      scope: 'read write',
      iat: now,
      exp: now - 60,
      email: 'a@example.com',
    })
  })

  it('lets additional claims replace any claim, or take it away', async () => {
    const additionalClaims = { sub: 'other', exp: undefined, iat: 5 }
    const claims = part(await pair.createToken({ additionalClaims }, clock), 1)
    expect(claims).toEqual({ iss: 'https://fastmcp.example.com', sub: 'other', iat: 5 })
  })

  it.each<[string, object]>([
    ['an unknown option', { expiresIn: 60 }],
    ['a numeric subject', { subject: 1 }],
    ['a numeric kid', { kid: 1 }],
    ['an empty audience', { audience: [] }],
    ['a text for scopes', { scopes: 'read write' }],
    ['a scope with a space', { scopes: ['read write'] }],
    ['a hole among scopes', { scopes: Array(1) }],
    ['no number of seconds', { expiresInSeconds: Number.NaN }],
    ['claims in a list', { additionalClaims: [] }],
  ])('FL-23 refuses %s', async (_name, options) => {
    await expect(pair.createToken(options as CreateTokenOptions)).rejects.toThrow(TypeError)
  })
})

describe.each([
  ['RSAKeyPair', () => RSAKeyPair.generate(), RSAKeyPair.fromPem, 'RS256', 'RSA'],
  ['ECKeyPair', () => ECKeyPair.generate(), ECKeyPair.fromPem, 'ES256', 'EC'],
  ['ECKeyPair on P-384', () => ECKeyPair.generate({ curve: 'P-384' }), ECKeyPair.fromPem, 'ES384', 'EC'],
  ['ECKeyPair on P-521', () => ECKeyPair.generate({ curve: 'P-521' }), ECKeyPair.fromPem, 'ES512', 'EC'],
  ['Ed25519KeyPair', () => Ed25519KeyPair.generate(), Ed25519KeyPair.fromPem, 'EdDSA', 'OKP'],
] as const)('%s', (_name, generate, fromPem, alg, kty) => {
  it('has a public half in PEM and as a key set, without anything private', async () => {
    const made = await generate()
    expect(made.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
    expect(made.jwks().keys).toEqual([expect.objectContaining({ kty, alg, kid: made.kid, use: 'sig' })])
    expect(Object.keys(made.jwks().keys[0]!)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(d|p|q|dp|dq|qi|k)$/)]),
    )
  })

  it('comes back from its private key the same', async () => {
    const made = await generate()
    const again = fromPem(made.privateKey)
    expect({ ...again }).toEqual({ ...made })
  })

  it('FL-71 shows its private key nowhere', async () => {
    const made = await generate()
    const secret = String(createPrivateKey(made.privateKey).export({ format: 'jwk' }).d)
    const line = made.privateKey.split('\n')[1]!
    const shown =
      inspect(made, { depth: 9, showHidden: true }) + JSON.stringify(made) + JSON.stringify({ ...made })
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain(line)
    expect(Object.keys(made)).not.toContain('privateKey')
  })
})

describe('FL-37 pairs refuse what does not fit them', () => {
  const rsa = String(
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  )

  it.each<[string, () => unknown]>([
    ['a text that is no key', () => RSAKeyPair.fromPem('my-private-key')],
    ['a public key', () => RSAKeyPair.fromPem(pair.publicKey)],
    ['an EC key for RSA', () => RSAKeyPair.fromPem(pair.privateKey)],
    ['an RSA key for EC', () => ECKeyPair.fromPem(rsa)],
    ['an RSA key for Ed25519', () => Ed25519KeyPair.fromPem(rsa)],
    [
      'an algorithm of another kind',
      () => Reflect.apply(RSAKeyPair.fromPem, RSAKeyPair, [rsa, { algorithm: 'ES256' }]),
    ],
  ])('%s', (_name, make) => {
    expect(make).toThrow(TypeError)
    expect(make).not.toThrow(/my-private-key|MII/)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['1024 bits', () => RSAKeyPair.generate({ modulusLength: 1024 })],
    ['an unknown option', () => Reflect.apply(RSAKeyPair.generate, RSAKeyPair, [{ bits: 4096 }])],
    ['an unknown curve', () => Reflect.apply(ECKeyPair.generate, ECKeyPair, [{ curve: 'secp256k1' }])],
    [
      'the name of a curve as OpenSSL has it',
      () => Reflect.apply(ECKeyPair.generate, ECKeyPair, [{ curve: 'prime256v1' }]),
    ],
  ])('%s', async (_name, make) => {
    await expect(make()).rejects.toThrow(TypeError)
  })
})
