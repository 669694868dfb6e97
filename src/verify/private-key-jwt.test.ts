import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { inspect } from 'node:util'
import { type JWTPayload, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { ClientAuthentication } from './client-authentication.ts'
import { type PrivateKeyJwtOptions, privateKeyJwt } from './private-key-jwt.ts'

const endpoint = 'https://idp.example.com/introspect?tenant=1'
const now = 1_800_000_000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const pkcs8 = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }))
const jwk = p256.export({ format: 'jwk' })

/** The form after the client was authenticated, at `now` and a bit. */
async function formOf(client: ClientAuthentication): Promise<URLSearchParams> {
  const form = new URLSearchParams({ token: 'abc' })
  const headers = {}
  await client({ endpoint: new URL(endpoint), headers, form, clock: () => now * 1000 + 999 })
  expect(headers).toEqual({})
  return form
}

/** What the authorization server sees: header and claims, the signature checked by somebody else's code. */
async function assertionOf(options: PrivateKeyJwtOptions, key: KeyObject, algorithm: string) {
  const form = await formOf(privateKeyJwt('my-server', options))
  const { payload, protectedHeader } = await jwtVerify(
    form.get('client_assertion') ?? '',
    createPublicKey(key),
    {
      algorithms: [algorithm],
      issuer: 'my-server',
      subject: 'my-server',
      audience: options.audience ?? endpoint,
      requiredClaims: ['jti', 'iat', 'exp'],
      currentDate: new Date(now * 1000),
    },
  )
  return { claims: payload as JWTPayload & { jti: string }, header: protectedHeader }
}

function messageOf(clientId: unknown, options: unknown): string {
  try {
    privateKeyJwt(clientId as string, options as PrivateKeyJwtOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).cause).toBeUndefined()
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('privateKeyJwt', () => {
  it('B-90 adds the three members of RFC 7523 section 2.2, and touches no other', async () => {
    const form = await formOf(privateKeyJwt('my server+1', { privateKey: pkcs8(p256) }))
    expect([...form.keys()]).toEqual(['token', 'client_id', 'client_assertion_type', 'client_assertion'])
    expect(form.get('client_id')).toBe('my server+1')
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  })

  it('B-90 signs the claims of RFC 7523 section 3, good for a minute, for this endpoint', async () => {
    const { claims, header } = await assertionOf({ privateKey: pkcs8(p256) }, p256, 'ES256')
    expect(header).toEqual({ alg: 'ES256', typ: 'JWT' })
    expect(claims).toEqual({
      iss: 'my-server',
      sub: 'my-server',
      aud: endpoint,
      jti: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
      iat: now,
      exp: now + 60,
    })
  })

  it('B-90 names the issuer, the key and the lifetime it is given', async () => {
    const options = {
      privateKey: pkcs8(p256),
      audience: 'https://idp.example.com',
      kid: '2026-01',
      lifetimeInSeconds: 300,
    }
    const { claims, header } = await assertionOf(options, p256, 'ES256')
    expect(header.kid).toBe('2026-01')
    expect(claims).toMatchObject({ aud: 'https://idp.example.com', iat: now, exp: now + 300 })
  })

  it('B-90 no two requests carry the same jti', async () => {
    const client = privateKeyJwt('my-server', { privateKey: pkcs8(ed25519) })
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const assertion = (await formOf(client)).get('client_assertion') ?? ''
        return (await jwtVerify(assertion, createPublicKey(ed25519), { currentDate: new Date(now * 1000) }))
          .payload.jti
      }),
    )
    expect(ids).not.toContain(undefined)
    expect(new Set(ids).size).toBe(20)
  })

  it('B-90 an assertion of an earlier attempt is replaced, not joined by another', async () => {
    const client = privateKeyJwt('my-server', { privateKey: pkcs8(ed25519) })
    const form = new URLSearchParams()
    const request = { endpoint: new URL(endpoint), headers: {}, form, clock: () => now * 1000 }
    await client(request)
    const first = form.get('client_assertion')
    await client(request)
    expect(form.getAll('client_assertion')).toHaveLength(1)
    expect(form.get('client_assertion')).not.toBe(first)
  })
})

describe('privateKeyJwt signs with', () => {
  const { d: _, ...withoutPrivate } = jwk
  const ecParameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'

  it.each<[string, PrivateKeyJwtOptions['privateKey'], KeyObject, string]>([
    ['RSA in PKCS #8', pkcs8(rsa), rsa, 'RS256'],
    ['RSA in PKCS #1', String(rsa.export({ type: 'pkcs1', format: 'pem' })), rsa, 'RS256'],
    ['RSA as JWK', rsa.export({ format: 'jwk' }), rsa, 'RS256'],
    ['P-256 in PKCS #8', pkcs8(p256), p256, 'ES256'],
    ['P-256 in SEC 1', String(p256.export({ type: 'sec1', format: 'pem' })), p256, 'ES256'],
    [
      'P-256 as openssl ecparam writes it',
      ecParameters + String(p256.export({ type: 'sec1', format: 'pem' })),
      p256,
      'ES256',
    ],
    ['P-256 as JWK', jwk, p256, 'ES256'],
    ['P-256 as JWK in a text', ` ${JSON.stringify(jwk)}\n`, p256, 'ES256'],
    ['P-384', pkcs8(p384), p384, 'ES384'],
    ['P-521', pkcs8(p521), p521, 'ES512'],
    ['Ed25519 in PKCS #8', pkcs8(ed25519), ed25519, 'EdDSA'],
    ['Ed25519 as JWK', ed25519.export({ format: 'jwk' }), ed25519, 'EdDSA'],
    ['PEM with its line breaks spelt out', pkcs8(p256).replaceAll('\n', '\\n'), p256, 'ES256'],
    ['indented PEM', `\n    ${pkcs8(p256).replaceAll('\n', '\n    ')}`, p256, 'ES256'],
    ['a JWK that names another algorithm', { ...rsa.export({ format: 'jwk' }), alg: 'PS384' }, rsa, 'PS384'],
    ['a JWK for signatures', { ...jwk, use: 'sig', key_ops: ['sign'] }, p256, 'ES256'],
  ])('B-90 %s', async (_name, privateKey, key, algorithm) => {
    expect((await assertionOf({ privateKey }, key, algorithm)).header.alg).toBe(algorithm)
  })

  it.each<[NonNullable<PrivateKeyJwtOptions['algorithm']>, KeyObject]>([
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['PS512', rsa],
    ['ES256', p256],
    ['Ed25519', ed25519],
  ])('B-90 %s when told to', async (algorithm, key) => {
    const { header } = await assertionOf({ privateKey: pkcs8(key), algorithm }, key, algorithm)
    expect(header.alg).toBe(algorithm)
  })

  it('B-90 Ed448', async () => {
    const ed448 = generateKeyPairSync('ed448').privateKey
    const form = await formOf(privateKeyJwt('my-server', { privateKey: pkcs8(ed448) }))
    const [header = '', claims = '', signature = ''] = form.get('client_assertion')?.split('.') ?? []
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'Ed448', typ: 'JWT' })
    const input = Buffer.from(`${header}.${claims}`)
    expect(verify(null, input, createPublicKey(ed448), Buffer.from(signature, 'base64url'))).toBe(true)
  })

  it('B-90 the kid of a JWK, unless another is given', async () => {
    const privateKey = { ...jwk, kid: 'in-the-key' }
    expect((await assertionOf({ privateKey }, p256, 'ES256')).header.kid).toBe('in-the-key')
    expect((await assertionOf({ privateKey, kid: 'given' }, p256, 'ES256')).header.kid).toBe('given')
  })

  it('its own copy of a JWK', async () => {
    const privateKey = { ...jwk, kid: 'k1' }
    const client = privateKeyJwt('my-server', { privateKey })
    Object.assign(privateKey, p384.export({ format: 'jwk' }), { kid: 'k2' })
    const assertion = (await formOf(client)).get('client_assertion') ?? ''
    const { protectedHeader } = await jwtVerify(assertion, createPublicKey(p256), {
      currentDate: new Date(now * 1000),
    })
    expect(protectedHeader.kid).toBe('k1')
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^privateKeyJwt: privateKey is empty or not set; set the environment variable/],
    ['an empty text', '', /privateKey is empty or not set/],
    ['the word undefined', 'undefined', /privateKey is empty or not set/],
    ['a number', 7, /privateKey must be a string/],
    ['a plain text', 'hush-hush', /one readable private key/],
    ['bytes', Buffer.from(pkcs8(p256)), /one readable private key/],
    ['a broken PEM', pkcs8(p256).replace(/\n[\w+/]{8}/, '\n'), /one readable private key/],
    ['two keys', pkcs8(p256) + pkcs8(p384), /one readable private key/],
    [
      'an encrypted key',
      p256.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush-hush' }),
      /not encrypted/,
    ],
    ['a public key', createPublicKey(p256).export({ type: 'spki', format: 'pem' }), /private key/],
    ['a public JWK', withoutPrivate, /private JWK/],
    ['a secret as JWK', { kty: 'oct', k: 'aHVzaC1odXNo' }, /one readable private key/],
    ['broken JSON', JSON.stringify(jwk).slice(0, -1), /one readable private key/],
    ['a JWK for encryption', { ...jwk, use: 'enc' }, /not meant for signing/],
    ['a JWK for other operations', { ...jwk, key_ops: ['deriveBits'] }, /not meant for signing/],
    ['a JWK of another algorithm', { ...jwk, alg: 'ES384' }, /bound by its "alg"/],
    ['a JWK with a numeric id', { ...jwk, kid: 1 }, /one readable private key/],
    ['secp256k1', pkcs8(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey), /not supported/],
    ['X25519', pkcs8(generateKeyPairSync('x25519').privateKey), /not supported/],
    ['RSA-PSS', pkcs8(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey), /not supported/],
    ['RSA of 1024 bits', pkcs8(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /too weak/],
  ])('B-90 FL-71 never %s, and does not show it', (_name, privateKey, message) => {
    const said = messageOf('my-server', { privateKey })
    expect(said).toMatch(message)
    expect(said).not.toMatch(/hush|aHVz/)
    for (const line of inspect(privateKey).match(/[\w+/-]{20,}/g) ?? []) expect(said).not.toContain(line)
  })
})

describe('privateKeyJwt refuses when made', () => {
  const privateKey = pkcs8(p256)

  it.each<[string, object, RegExp]>([
    ['an unknown option', { lifetime: 60 }, /unknown option "lifetime"/],
    [
      'an algorithm of another key',
      { algorithm: 'RS256' },
      /^privateKeyJwt: algorithm must fit privateKey: ES256$/,
    ],
    ['a shared-secret algorithm', { algorithm: 'HS256' }, /algorithm must fit privateKey/],
    ['no algorithm at all', { algorithm: 'none' }, /algorithm must fit privateKey/],
    ['an audience that was not set', { audience: undefined }, /^privateKeyJwt: audience is empty or not set/],
    ['an empty audience', { audience: '' }, /audience is empty/],
    ['a list of audiences', { audience: ['a', 'b'] }, /audience must be a string/],
    ['a kid that was not set', { kid: undefined }, /^privateKeyJwt: kid is empty or not set/],
    ['a numeric kid', { kid: 1 }, /kid must be a string/],
    ['a lifetime below 10 seconds', { lifetimeInSeconds: 9 }, /lifetimeInSeconds must be .* 10 to 300/],
    ['a lifetime above 300 seconds', { lifetimeInSeconds: 301 }, /lifetimeInSeconds must be .* 10 to 300/],
    ['a lifetime as text', { lifetimeInSeconds: '60' }, /lifetimeInSeconds must be a number/],
  ])('B-90 %s', (_name, options, message) => {
    expect(messageOf('my-server', { privateKey, ...options })).toMatch(message)
  })

  it('B-90 an algorithm that a JWK is not for', () => {
    const bound = { ...rsa.export({ format: 'jwk' }), alg: 'RS256' }
    expect(messageOf('my-server', { privateKey: bound, algorithm: 'PS256' })).toBe(
      'privateKeyJwt: algorithm must fit privateKey: RS256',
    )
  })

  it('B-90 a missing bag of options', () => {
    expect(messageOf('my-server', undefined)).toBe('privateKeyJwt: options must be an object')
  })

  it.each([[undefined], [null], [''], ['undefined'], [7], ['a\nb']])('B-90 client id %#', (id) => {
    expect(messageOf(id, { privateKey })).toMatch(/^privateKeyJwt: clientId (is empty|must be|holds a line)/)
  })
})

it('B-90 FL-71 privateKeyJwt shows nothing of the key', () => {
  const client = privateKeyJwt('my-server', { privateKey: jwk })
  const shown = [
    inspect(client, { depth: 9, showHidden: true, getters: true }),
    JSON.stringify({ client, ...client }),
    JSON.stringify(Object.getOwnPropertyDescriptors(client)),
    String(client),
  ].join('\n')
  expect(shown).not.toContain(String(jwk.d))
  expect(shown).not.toContain('PRIVATE KEY')
})
