import { createHash, createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { keyHasher, type Pepper } from './hash.ts'
import type { HashAlgorithm } from './key-record.ts'

const key = `mcpk_live_${'0'.repeat(12)}_${'0'.repeat(38)}`
const secret = 'a pepper of more than thirty-two bytes'
const older = new Uint8Array(32).fill(7)

describe('a hasher without peppers', () => {
  const hasher = keyHasher()

  test('B-100 keeps SHA-256 of the whole key', () => {
    expect(hasher.algorithm).toBe('sha256')
    expect(Buffer.from(hasher.hash(key))).toEqual(createHash('sha256').update(key).digest())
  })

  test('K08, B-101 matches the key and nothing else', () => {
    const record = { hash: hasher.hash(key), hashAlgorithm: 'sha256' as const }
    expect(hasher.matches(key, record)).toBe(true)
    expect(hasher.matches(`${key.slice(0, -1)}1`, record)).toBe(false)
    expect(hasher.matches(key.replace('live', 'test'), record)).toBe(false)
    expect(hasher.matches('', record)).toBe(false)
  })

  test('K07 does not take a digest for a key', () => {
    const hash = hasher.hash(key)
    const record = { hash, hashAlgorithm: 'sha256' as const }
    for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
      expect(hasher.matches(Buffer.from(hash).toString(encoding), record)).toBe(false)
    }
  })

  test('B-101 says no and never throws where there is nothing to compare with', () => {
    expect(hasher.matches(key, undefined)).toBe(false)
    for (const length of [0, 31, 33, 64]) {
      expect(hasher.matches(key, { hash: new Uint8Array(length), hashAlgorithm: 'sha256' })).toBe(false)
    }
    for (const hashAlgorithm of ['hmac-sha256:gone', '__proto__', 'md5', ''] as HashAlgorithm[]) {
      expect(hasher.matches(key, { hash: hasher.hash(key), hashAlgorithm })).toBe(false)
      expect(hasher.matches(key, { hash: new Uint8Array(32), hashAlgorithm })).toBe(false)
    }
  })

  test('takes a digest as a database gives it', () => {
    const hash = Buffer.from(hasher.hash(key))
    expect(hasher.matches(key, { hash, hashAlgorithm: 'sha256' })).toBe(true)
    expect(hasher.matches(key, { hash: new Uint8Array(hash), hashAlgorithm: 'sha256' })).toBe(true)
  })
})

describe('a hasher with peppers', () => {
  const hasher = keyHasher([
    { id: '2026', secret },
    { id: '2025', secret: older },
  ])

  test('digests with the first', () => {
    expect(hasher.algorithm).toBe('hmac-sha256:2026')
    expect(Buffer.from(hasher.hash(key))).toEqual(createHmac('sha256', secret).update(key).digest())
  })

  test('matches digests of each pepper, and those without one only when that is asked for', () => {
    const before = createHmac('sha256', older).update(key).digest()
    expect(hasher.matches(key, { hash: hasher.hash(key), hashAlgorithm: 'hmac-sha256:2026' })).toBe(true)
    expect(hasher.matches(key, { hash: before, hashAlgorithm: 'hmac-sha256:2025' })).toBe(true)
    const plain = { hash: keyHasher().hash(key), hashAlgorithm: 'sha256' } as const
    expect(hasher.matches(key, plain)).toBe(false)
    expect(keyHasher([{ id: '2026', secret }], true).matches(key, plain)).toBe(true)
    expect(keyHasher().matches(key, plain)).toBe(true)
  })

  test('matches no digest under the name of another', () => {
    const before = createHmac('sha256', older).update(key).digest()
    expect(hasher.matches(key, { hash: before, hashAlgorithm: 'hmac-sha256:2026' })).toBe(false)
    expect(hasher.matches(key, { hash: before, hashAlgorithm: 'hmac-sha256:2024' })).toBe(false)
    expect(hasher.matches(key, { hash: before, hashAlgorithm: 'sha256' })).toBe(false)
    expect(hasher.matches(key, { hash: keyHasher().hash(key), hashAlgorithm: 'hmac-sha256:2026' })).toBe(
      false,
    )
  })

  test('uses all bytes of a pepper, beyond a block of SHA-256 too', () => {
    const long = randomBytes(200)
    const cut = Uint8Array.from(long)
    cut[199]! ^= 1
    const other = keyHasher([{ id: 'a', secret: cut }]).hash(key)
    expect(keyHasher([{ id: 'a', secret: long }]).hash(key)).not.toEqual(other)
  })

  test('keeps bytes of its own', () => {
    const bytes = Uint8Array.from(randomBytes(32))
    const own = keyHasher([{ id: 'a', secret: bytes }])
    const before = own.hash(key)
    expect(bytes.some((byte) => byte !== 0)).toBe(true)
    bytes.fill(0)
    expect(own.hash(key)).toEqual(before)
  })

  test('shows no pepper', () => {
    expect(inspect(hasher, { showHidden: true, depth: null })).not.toContain('thirty-two')
    expect(JSON.stringify(hasher)).not.toContain('thirty-two')
  })
})

test.each([
  ['none', []],
  ['one that is short', [{ id: 'a', secret: 'x'.repeat(31) }]],
  ['one of short bytes', [{ id: 'a', secret: new Uint8Array(31) }]],
  ['one that was not set', [{ id: 'a', secret: undefined }]],
  ['one that is no text', [{ id: 'a', secret: 12 }]],
  ['one without a name', [{ id: '', secret }]],
  ['one with a colon in its name', [{ id: 'a:b', secret }]],
  ['one with a long name', [{ id: 'a'.repeat(65), secret }]],
  [
    'two of one name',
    [
      { id: 'a', secret },
      { id: 'a', secret: older },
    ],
  ],
  ['one with a misspelt member', [{ id: 'a', secret, secrets: secret }]],
  ['no list', { id: 'a', secret }],
])('B-105 %s is no list of peppers, and the message does not show it', (_what, peppers) => {
  const make = () => keyHasher(peppers as readonly Pepper[])
  expect(make).toThrow(TypeError)
  expect(make).toThrow(/pepper/)
  expect(make).not.toThrow(/thirty-two|xxx/)
})
