import { describe, expect, it } from 'vitest'
import { eventReader, eventsIn } from './sse-events.ts'

const bytes = (text: string) => Buffer.from(text)

/** All that is read when a text comes in pieces of a length. */
function inPieces(whole: Buffer, length: number, max = 10_000): string | undefined {
  const reader = eventReader(max)
  let all = ''
  for (let at = 0; at < whole.length; at += length) {
    const read = reader.read(whole.subarray(at, at + length))
    if (read === undefined) return undefined
    all += read
  }
  return all
}

describe('reading events', () => {
  const text = 'data: a\ndata: ü🐎\n\n: c\n\n\nid: 1\nevent: x\ndata\n\n'

  it('is the same in pieces of any length and with any line end', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const whole = bytes(text.replaceAll('\n', end))
      for (let length = 1; length <= whole.length; length++) expect(inPieces(whole, length)).toBe(text)
    }
  })

  it('keeps what is no whole event', () => {
    const reader = eventReader(1000)
    expect(reader.read(bytes('data: a'))).toBe('')
    expect(reader.read(bytes('\n'))).toBe('')
    expect(reader.read(bytes('\ndata: b\n'))).toBe('data: a\n\n')
    expect(reader.read(bytes(''))).toBe('')
    expect(reader.read(bytes('\ndata: c'))).toBe('data: b\n\n')
  })

  it('leaves out a byte order mark at the beginning, and nowhere else', () => {
    expect(inPieces(bytes('\uFEFFdata: \uFEFFa\n\n'), 1)).toBe('data: \uFEFFa\n\n')
  })

  it('refuses an event that is too long, whether it ends or not, and takes many short ones', () => {
    expect(inPieces(bytes(`data: ${'x'.repeat(2000)}`), 100, 1000)).toBeUndefined()
    expect(inPieces(bytes(`data: ${'x'.repeat(2000)}\n\n`), 5000, 1000)).toBeUndefined()
    expect(inPieces(bytes('data: x\n\n'.repeat(1000)), 5000, 1000)).toBe('data: x\n\n'.repeat(1000))
  })

  it('counts what a piece takes, however small it is', () => {
    expect(inPieces(bytes('x'.repeat(500)), 1, 10_000)).toBeUndefined()
    expect(inPieces(bytes('x'.repeat(500)), 500, 10_000)).toBe('')
  })

  it('takes no time that grows with the square of an event', () => {
    const half = Buffer.alloc(16_384, 0x78)
    const reader = eventReader(2 ** 28)
    // Appended to each time, this would copy hundreds of gigabytes.
    for (let at = 0; at < 4096; at++) expect(reader.read(half)).toBe('')
    expect(reader.read(bytes('\n\n'))?.length).toBe(4096 * 16_384 + 2)
  })
})

describe('an event taken apart', () => {
  it('has its data joined, and its other lines as they are', () => {
    expect(eventsIn('event: message\nid:7\nretry: 9\ndata: {\ndata:}\n: c\nother: x\n\n')).toEqual([
      { head: 'event: message\nid: 7\nretry: 9\n', data: '{\n}' },
    ])
  })

  it('has no data, or an empty one', () => {
    expect(eventsIn(': c\n\nid: 1\n\ndata\n\ndata:\ndata:  x\n\n')).toEqual([
      { head: '', data: undefined },
      { head: 'id: 1\n', data: undefined },
      { head: '', data: '' },
      { head: '', data: '\n x' },
    ])
  })
})
