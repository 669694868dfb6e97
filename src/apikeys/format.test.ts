import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isBearerToken } from '../core/authorization.ts'
import { redact } from '../core/redact.ts'
import { alphabet, base62OfBytes, base62OfUint32 } from './base62.ts'
import { crc32 } from './crc32.ts'
import { checkPrefix, importedId, keyExpression, keyPattern, makeKey, parseKey } from './format.ts'
import type { KeyEnvironment } from './key-record.ts'

const many = 100_000
const prefixes = ['mcpk', 'ab', 'a1', 'z'.repeat(16), 'live', 'test', 'x0123456789abcde']

function madeKeys(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const prefix = prefixes[index % prefixes.length]!
    const environment: KeyEnvironment = index % 2 === 0 ? 'live' : 'test'
    return { ...makeKey(prefix, environment), prefix, environment }
  })
}

/** Places and characters that differ from run to run but not from one to the other. */
function choices(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

describe('B-102 a key that is made', () => {
  const made = madeKeys(many)

  test('parses back, each of 100,000', () => {
    const wrong = made.filter(({ key, id, prefix, environment }) => {
      const parsed = parseKey(key)
      return (
        typeof parsed === 'string' ||
        parsed.id !== id ||
        parsed.prefix !== prefix ||
        parsed.environment !== environment
      )
    })
    expect(wrong).toEqual([])
  })

  test('is unique, and so are its id and its secret, among 100,000', () => {
    expect(new Set(made.map(({ key }) => key)).size).toBe(many)
    expect(new Set(made.map(({ id }) => id)).size).toBe(many)
    expect(new Set(made.map(({ key }) => key.slice(-38, -6))).size).toBe(many)
  })

  test('has no character but those of base62 and "_", and is a b64token and one word', () => {
    const shape = /^[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/
    expect(made.filter(({ key }) => !shape.test(key) || !keyPattern.test(key))).toEqual([])
    expect(made.slice(0, 1000).filter(({ key }) => !isBearerToken(key) || !/^\w+$/.test(key))).toEqual([])
    expect(makeKey('mcpk', 'live').key).toHaveLength(61)
  })

  test('fails with any one character changed, dropped, doubled, or swapped with its neighbour', () => {
    const any = choices(1)
    const characters = `${alphabet}_`
    const survivors: string[] = []
    for (const { key } of made) {
      const at = any(key.length)
      const [before, one, after] = [key.slice(0, at), key[at]!, key.slice(at + 1)]
      const other = characters[(characters.indexOf(one) + 1 + any(62)) % 63]!
      const damaged = [before + other + after, before + after, before + one + one + after]
      if (after !== '' && after[0] !== one) damaged.push(before + after[0] + one + after.slice(1))
      survivors.push(...damaged.filter((text) => typeof parseKey(text) !== 'string'))
    }
    expect(survivors).toEqual([])
  })

  test('fails with any character changed, dropped, doubled or swapped, at each of its places', () => {
    const { key } = makeKey('mcpk', 'live')
    const survivors: string[] = []
    for (let at = 0; at < key.length; at++) {
      const [before, one, after] = [key.slice(0, at), key[at]!, key.slice(at + 1)]
      const damaged = [...`${alphabet}_-. é\u{1f600}`]
        .filter((other) => other !== one)
        .map((other) => before + other + after)
      damaged.push(before + after, before + one + one + after)
      if (after !== '' && after[0] !== one) damaged.push(before + after[0] + one + after.slice(1))
      survivors.push(...damaged.filter((text) => typeof parseKey(text) !== 'string'))
    }
    expect(survivors).toEqual([])
  })

  test('has each character as often as any other in its secret', () => {
    const counts = new Map([...alphabet].map((character) => [character, 0]))
    for (const { key } of made) {
      for (const character of key.slice(-38, -6)) counts.set(character, counts.get(character)! + 1)
    }
    const expected = (many * 32) / 62
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    // 61 degrees of freedom: beyond 150 once in 10^9 runs. Bytes modulo 62 without rejection give about 18,000.
    expect(counts.size).toBe(62)
    expect(chiSquare).toBeLessThan(150)
  })
})

describe('a text that is no key', () => {
  const { key } = makeKey('mcpk', 'live')
  const wrongSum = `mcpk_live_${'0'.repeat(12)}_${'0'.repeat(38)}`

  test('is told why', () => {
    expect(parseKey('x'.repeat(513))).toBe('too_long')
    expect(parseKey(key + 'x'.repeat(512))).toBe('too_long')
    expect(parseKey('x'.repeat(512))).toBe('malformed')
    expect(parseKey(wrongSum)).toBe('bad_checksum')
  })

  test.each([
    ['', 'nothing'],
    [` ${key}`, 'a blank before'],
    [`${key}\n`, 'a line break behind'],
    [`Bearer ${key}`, 'a scheme'],
    [key.toUpperCase(), 'capitals'],
    [key.replace('_live_', '_prod_'), 'an environment nobody knows'],
    [key.replace('mcpk', 'm'), 'a prefix of one letter'],
    [key.replace('mcpk', '1mcpk'), 'a prefix that begins with a digit'],
    [key.replace('mcpk', 'a'.repeat(17)), 'a long prefix'],
    [key.replace('mcpk', 'mc_pk'), 'a prefix with an underscore'],
    [key.replace('mcpk', 'mcpK'), 'a prefix with a capital'],
    [`${key.slice(0, -1)}\u0660`, 'a digit of another script'],
    ['__proto__', 'the name of a prototype'],
    ['constructor', 'the name of a method'],
    ['eyJhbGciOiJub25lIn0.e30.', 'a JWT'],
  ])('K03, K04, K11 %j is malformed: %s', (text) => {
    expect(parseKey(text)).toBe('malformed')
  })

  test.each([[undefined], [null], [1], [{}], [[key]]])('nor is %j, and it does not throw', (value) => {
    expect(parseKey(value as unknown as string)).toBe('malformed')
  })

  test('K10 costs next to nothing when it is long', () => {
    expect(parseKey('a'.repeat(1_000_000))).toBe('too_long')
    expect(parseKey(`${'a_live_'.repeat(73)}`)).toBe('malformed')
  })

  test('has the checksum of the prefix, the environment and the id too, not of the secret alone', () => {
    expect(parseKey(key.replace('mcpk', 'mcpj'))).toBe('bad_checksum')
    expect(parseKey(key.replace('_live_', '_test_'))).toBe('bad_checksum')
  })
})

test('the checksum is that of the tokens of GitHub', () => {
  expect(base62OfUint32(crc32('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ'))).toBe('0mLq17')
})

test('a checksum has six characters, and two checksums never look alike', () => {
  expect(base62OfUint32(0)).toBe('000000')
  expect(base62OfUint32(61)).toBe('00000z')
  expect(base62OfUint32(62)).toBe('000010')
  expect(base62OfUint32(0xffffffff)).toBe('4gfFC3')
})

test('a prefix is 2 to 16 lower-case letters and digits, the first a letter', () => {
  for (const good of prefixes) expect(checkPrefix('keys', good)).toBe(good)
  const bad = [
    '',
    'a',
    'A1',
    '1a',
    'a_b',
    'a-b',
    'a'.repeat(17),
    'äb',
    'ab\n',
    ' ab',
    undefined,
    null,
    12,
    ['ab'],
  ]
  for (const prefix of bad) expect(() => checkPrefix('keys', prefix)).toThrow(/^keys: prefix must be/)
  expect(() => makeKey('no_prefix', 'live')).toThrow(TypeError)
  expect(() => makeKey('mcpk', 'prod' as KeyEnvironment)).toThrow('environment')
})

test('the redactor of logs knows every key', () => {
  const kept = madeKeys(1000).filter(
    ({ key }) => redact(`a key ${key} in a text`) !== 'a key [redacted] in a text',
  )
  expect(kept).toEqual([])
  expect(new RegExp(`^${keyExpression('mcpk')}$`).test(makeKey('mcpk', 'test').key)).toBe(true)
})

test('the id of an imported key is that of its digest, 12 characters of base62', () => {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const ids = Array.from({ length: 10_000 }, (_, index) => importedId(digest(`key ${index}`)))
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.filter((id) => !/^[0-9A-Za-z]{12}$/.test(id))).toEqual([])
  expect(importedId(digest('key 7'))).toBe(ids[7])
  expect(importedId(new Uint8Array(32))).toBe('0'.repeat(12))
  expect(() => importedId(new Uint8Array(31))).toThrow(TypeError)
})

test('bytes as base62 are one number, high byte first', () => {
  expect(base62OfBytes(Uint8Array.of(1, 0), 3)).toBe('048')
  expect(base62OfBytes(Uint8Array.of(0, 61), 2)).toBe('0z')
})
