import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { generateKeyPair, keyPairFromPem, type SigningAlgorithm, signingAlgorithms } from './index.ts'

describe('generateKeyPair', () => {
  it.each(signingAlgorithms)(
    '%s: makes a key that signs with it, and is read again from its PEM',
    async (algorithm) => {
      const pair = await generateKeyPair(algorithm)
      const again = keyPairFromPem(pair.privateKey, algorithm)
      expect([again.kid, again.algorithm, again.publicKey]).toEqual([pair.kid, algorithm, pair.publicKey])
      const [header] = (await again.createToken()).split('.')
      expect(JSON.parse(Buffer.from(header!, 'base64url').toString())).toMatchObject({
        alg: algorithm,
        kid: pair.kid,
      })
    },
  )

  it('makes an RS256 key by default, and no key for a name it does not know', async () => {
    expect((await generateKeyPair()).algorithm).toBe('RS256')
    for (const name of ['none', 'HS256', 'rs256', '__proto__', 'constructor', ''])
      await expect(generateKeyPair(name as SigningAlgorithm)).rejects.toThrow('algorithm must be one of')
  })
})

describe('keyPairFromPem', () => {
  const rsa = (modulusLength: number) =>
    generateKeyPairSync('rsa', { modulusLength }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string

  it('finds the algorithm by the key', async () => {
    for (const algorithm of ['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const)
      expect(keyPairFromPem((await generateKeyPair(algorithm)).privateKey).algorithm).toBe(algorithm)
  })

  it('reads the first of several keys', async () => {
    const [first, second] = [await generateKeyPair('EdDSA'), await generateKeyPair('ES256')]
    expect(keyPairFromPem(first.privateKey + second.privateKey).kid).toBe(first.kid)
  })

  it('refuses an algorithm that is not for the key, weak keys, and what is no key; nothing of it is shown', async () => {
    const ed = (await generateKeyPair('EdDSA')).privateKey
    const cases: [string, SigningAlgorithm | undefined, string][] = [
      [ed, 'ES256', 'signs with EdDSA, and not with ES256'],
      [ed, 'RS256', 'signs with EdDSA, and not with RS256'],
      [rsa(2048), 'ES256', 'signs with RS256, and not with ES256'],
      [rsa(1024), undefined, 'at least 2048 bits'],
      [ed, 'HS256' as SigningAlgorithm, 'algorithm must be one of'],
      [ed.replace(/\n.{10}/, '\n'), undefined, 'not a readable private key'],
      [
        generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        undefined,
        'no RSA, EC or Ed25519 key',
      ],
    ]
    for (const [pem, algorithm, why] of cases) {
      const read = () => keyPairFromPem(pem, algorithm)
      expect(read).toThrow(TypeError)
      expect(read).toThrow(why)
      expect(read).not.toThrow(pem.split('\n')[1])
    }
  })
})
