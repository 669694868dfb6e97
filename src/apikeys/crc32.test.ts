import { randomBytes } from 'node:crypto'
import { crc32 as reference } from 'node:zlib'
import { expect, test } from 'vitest'
import { crc32 } from './crc32.ts'

test('a CRC-32 is the one of zlib', () => {
  const texts = [
    '',
    'a',
    '123456789',
    ...Array.from({ length: 2000 }, (_, n) => randomBytes(n % 97).toString('hex')),
  ]
  for (const text of texts) expect(crc32(text)).toBe(reference(text))
  expect(crc32('123456789')).toBe(0xcbf43926)
})

test('a CRC-32 of the beginning leaves the rest alone', () => {
  expect(crc32('123456789 and more', 9)).toBe(0xcbf43926)
})
