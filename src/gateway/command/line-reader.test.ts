import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { lineReader } from './line-reader.ts'

interface Read {
  readonly text: string
  readonly isTooLong: boolean
}

function read(chunks: readonly Buffer[], maxBytes: number): Read[] {
  const lines: Read[] = []
  const reader = lineReader({
    maxBytes,
    onLine: (text) => lines.push({ text, isTooLong: false }),
    onTooLong: (text) => lines.push({ text, isTooLong: true }),
  })
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return lines
}

/** The same of all bytes at once, in the plainest way. */
function model(bytes: Buffer, maxBytes: number): Read[] {
  const parts = bytes.toString('latin1').split('\n')
  if (parts.at(-1) === '') parts.pop()
  return parts.map((part) => {
    const line = Buffer.from(part, 'latin1')
    if (line.length > maxBytes) return { text: line.subarray(0, maxBytes).toString('utf8'), isTooLong: true }
    return { text: Buffer.from(part.replace(/\r$/, ''), 'latin1').toString('utf8'), isTooLong: false }
  })
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end))
}

describe('lineReader', () => {
  it('reads the same lines wherever the bytes are cut', () => {
    const piece = fc.oneof(
      fc
        .constantFrom('\n', '\r\n', '\r', '', 'ä', '\u{1F511}', '{"a":1}', 'x'.repeat(40))
        .map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.nat(1000), { maxLength: 30 }),
        fc.integer({ min: 1, max: 60 }),
        (pieces, places, maxBytes) => {
          const bytes = Buffer.concat(pieces)
          expect(read(cut(bytes, places), maxBytes)).toEqual(model(bytes, maxBytes))
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('reads the same lines byte by byte', () => {
    const bytes = Buffer.from('{"a":"ä\u{1F511}"}\r\n\nlast')
    const single = Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1))
    expect(read(single, 100).map(({ text }) => text)).toEqual(['{"a":"ä\u{1F511}"}', '', 'last'])
  })

  it('holds no more than a line in little parts', () => {
    const byte = Buffer.from('x')
    const reader = lineReader({ maxBytes: 20_000_000, onLine: () => {}, onTooLong: () => {} })
    const before = process.memoryUsage()
    const held = () => {
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external - before.heapUsed - before.external
    }
    for (let n = 0; n < 1_000_000; n++) reader.push(byte)
    expect(held()).toBeLessThan(30_000_000)
  })

  it('moves a long line that comes in many parts only a few times', () => {
    const blocks = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const part = Buffer.alloc(64, 'x')
    const lines: number[] = []
    const reader = lineReader({
      maxBytes: 50_000_000,
      onLine: ({ length }) => lines.push(length),
      onTooLong: () => {},
    })
    for (let n = 0; n < 100_000; n++) reader.push(part)
    reader.push(Buffer.from('\n'))
    expect(lines).toEqual([6_400_000])
    expect(blocks.mock.calls.length).toBeLessThan(20)
    blocks.mockRestore()
  })
})
