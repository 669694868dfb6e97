import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { algorithmRules, type JwsAlgorithm } from './algorithms.ts'
import { importJwk, importPublicKey, importSecret } from './keys.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = rsa.publicKey.export({ format: 'jwk' })
const pem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))
const privatePem = String(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))
const only = (...names: JwsAlgorithm[]) => new Set(names)
const all = new Set(Object.keys(algorithmRules) as JwsAlgorithm[])

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).cause).toBeUndefined()
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('importPublicKey', () => {
  it.each<[string, unknown]>([
    ['PEM', pem],
    ['indented PEM', `\n    ${pem.trim().replaceAll('\n', '\n    ')}\n  `],
    ['PEM with its line breaks spelt out', pem.replaceAll('\n', '\\n')],
    ['PKCS #1 PEM', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' })],
    ['JWK', { ...jwk, use: 'sig', key_ops: ['verify'] }],
    ['JWK as text', ` ${JSON.stringify(jwk)}\n`],
  ])('takes %s', (_name, key) => {
    expect([...importPublicKey(key, only('RS256')).checks.keys()]).toEqual(['RS256'])
  })

  it.each<[string, unknown, RegExp]>([
    ['a plain text', 'my-key', /one PEM/],
    ['an empty text', '', /one PEM/],
    ['a number', 7, /PEM text or a JWK/],
    ['a list', [pem], /PEM text or a JWK/],
    ['two keys', pem + pem, /one PEM/],
    ['a broken PEM', pem.replace(/\n[A-Za-z0-9]{8}/, '\n'), /not a readable/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /openssl x509/],
    ['broken JSON', '{"kty":"RSA"', /not valid JSON/],
    ['a JWK without a modulus', { kty: 'RSA', e: 'AQAB' }, /not a readable/],
    ['a JWK for encryption', { ...jwk, use: 'enc' }, /not meant for checking signatures/],
    ['a JWK with a numeric id', { ...jwk, kid: 1 }, /not a readable/],
    ['a secret as JWK', { kty: 'oct', k: 'AAAA' }, /private or secret/],
    ['a JWK bound to no known algorithm', { ...jwk, alg: 'RSA-OAEP' }, /bound by its "alg"/],
  ])('FL-37 refuses %s', (_name, key, message) => {
    expect(messageOf(() => importPublicKey(key, only('RS256')))).toMatch(message)
  })

  it('B-06 FL-37 refuses RSA below 2048 bits', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const text = weak.export({ type: 'spki', format: 'pem' })
    expect(messageOf(() => importPublicKey(text, only('RS256')))).toMatch(/too weak/)
  })

  it('refuses RSA with an exponent of 1, under which everything is its own signature', () => {
    expect(messageOf(() => importPublicKey({ ...jwk, e: 'AQ' }, only('RS256')))).toMatch(/too weak|readable/)
  })

  it.each<[string, 'x25519' | 'secp256k1']>([
    ['X25519', 'x25519'],
    ['secp256k1', 'secp256k1'],
  ])('B-06 refuses %s', (_name, kind) => {
    const pair =
      kind === 'secp256k1' ? generateKeyPairSync('ec', { namedCurve: kind }) : generateKeyPairSync('x25519')
    const text = pair.publicKey.export({ type: 'spki', format: 'pem' })
    expect(messageOf(() => importPublicKey(text, all))).toMatch(/type that is not supported/)
  })

  it('B-06 takes Ed448 only where it is named, and then for EdDSA as well', () => {
    const key = generateKeyPairSync('ed448').publicKey.export({ type: 'spki', format: 'pem' })
    const fits = (...names: JwsAlgorithm[]) => [...importPublicKey(key, only(...names)).checks.keys()]
    expect(fits('Ed448')).toEqual(['Ed448'])
    expect(fits('EdDSA', 'Ed448', 'RS256')).toEqual(['Ed448', 'EdDSA'])
    expect(messageOf(() => importPublicKey(key, only('EdDSA')))).toBe(
      'publicKey is a key for Ed448, which algorithms has to name; EdDSA alone means Ed25519',
    )
  })

  it('B-01 says which algorithms a key would fit when it fits none that is allowed', () => {
    const key = ec.publicKey.export({ type: 'spki', format: 'pem' })
    expect(messageOf(() => importPublicKey(key, only('RS256')))).toBe(
      'publicKey is a key for ES256, and algorithms allows RS256',
    )
  })

  it.each<[string, unknown]>([
    ['PEM', privatePem],
    ['PKCS #1', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
    ['SEC 1', ec.privateKey.export({ type: 'sec1', format: 'pem' })],
    ['JWK', rsa.privateKey.export({ format: 'jwk' })],
    ['JWK text', JSON.stringify(rsa.privateKey.export({ format: 'jwk' }))],
  ])('FL-71 refuses a private key as %s, and does not show it', (_name, key) => {
    const message = messageOf(() => importPublicKey(key, only('RS256')))
    expect(message).toMatch(/private/)
    const body = String(typeof key === 'string' ? key : key instanceof Object && 'd' in key ? key.d : key)
    for (const line of body.split('\n').filter((part) => part.length > 20 && !part.startsWith('-'))) {
      expect(message).not.toContain(line)
    }
  })
})

describe('importJwk', () => {
  it('B-07 works with every fitting algorithm that is allowed, or with the one the key names', () => {
    const fits = (key: object, algorithms: ReadonlySet<JwsAlgorithm>) => {
      const judged = importJwk({ ...key }, algorithms)
      return typeof judged === 'string' ? judged : [...judged.checks.keys()]
    }
    expect(fits(jwk, all)).toEqual(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
    expect(fits({ ...jwk, alg: 'PS256' }, all)).toEqual(['PS256'])
    expect(fits({ ...jwk, alg: 'PS256' }, only('RS256'))).toBe('algorithm')
    expect(fits(ec.publicKey.export({ format: 'jwk' }), all)).toEqual(['ES256'])
    expect(fits(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), all)).toEqual([
      'EdDSA',
      'Ed25519',
    ])
  })

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'B-09 refuses the private member %s, whatever it holds',
    (name) => {
      expect(importJwk({ ...jwk, [name]: null }, only('RS256'))).toBe('private')
    },
  )
})

describe('importSecret', () => {
  it.each<[JwsAlgorithm, number]>([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ])('B-05 %s needs %i bytes', (name, bytes) => {
    expect([...importSecret('x'.repeat(bytes), only(name)).checks.keys()]).toEqual([name])
    expect([...importSecret(new Uint8Array(bytes), only(name)).checks.keys()]).toEqual([name])
    expect(messageOf(() => importSecret('x'.repeat(bytes - 1), only(name)))).toMatch(
      `at least ${bytes} bytes`,
    )
    expect(messageOf(() => importSecret('', only(name)))).toMatch(`at least ${bytes} bytes`)
  })

  it('B-05 the longest of several algorithms decides', () => {
    expect(messageOf(() => importSecret('x'.repeat(63), only('HS256', 'HS512')))).toMatch('at least 64 bytes')
  })

  it.each<[string, unknown]>([
    ['PEM', pem],
    ['PEM in bytes', Buffer.from(pem)],
    ['JWK text', JSON.stringify(jwk)],
    ['a number', 7],
    ['a JWK', jwk],
  ])('B-04 FL-38 refuses %s', (_name, secret) => {
    expect(messageOf(() => importSecret(secret, only('HS256')))).toMatch(/^secret (holds|must be)/)
  })
})
