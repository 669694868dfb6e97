import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SseEvent, sseParser } from './sse-parser.ts'

function read(...pieces: readonly string[]): SseEvent[] {
  const parser = sseParser()
  return pieces.flatMap((piece) => parser.feed(piece))
}

const event = (data: string, name = 'message', id?: string): SseEvent => ({ event: name, data, id })

describe('a stream of events', () => {
  it.each<[string, string, SseEvent[]]>([
    ['one line', 'data: a\n\n', [event('a')]],
    ['several lines', 'data: a\ndata:b\ndata\n\n', [event('a\nb\n')]],
    ['one blank behind the colon is none of the text', 'data:  a\n\n', [event(' a')]],
    [
      'a name and an id, which stays',
      'event: x\nid: 7\ndata: a\n\ndata: b\n\n',
      [event('a', 'x', '7'), event('b', 'message', '7')],
    ],
    [
      'CRLF and CR end lines, too',
      'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
      [event('a'), event('b'), event('c')],
    ],
    ['comments and fields nobody knows', ': hello\nfoo: bar\ndata: a\n\n', [event('a')]],
    ['nothing without data', 'event: x\n\nid: 1\n\n', []],
    ['nothing that does not end', 'data: a\n', []],
    ['an id with a zero is none', 'id: a\0b\ndata: a\n\n', [event('a')]],
    ['a mark of byte order in front', '\uFEFFdata: a\n\n', [event('a')]],
  ])('%s', (_what, text, events) => {
    expect(read(text)).toEqual(events)
  })

  it('says how long to leave it alone, when that is a number', () => {
    const parser = sseParser()
    parser.feed('retry: soon\nretry: 250\n\n')
    expect(parser.retry).toBe(250)
  })

  it('is read alike wherever it is cut', () => {
    const piece = fc.constantFrom(
      'data: a',
      'data:b',
      'event: x',
      'id: 1',
      ': c',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      '\uFEFF',
      'é',
      ':',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (pieces, cuts) => {
          const text = pieces.join('')
          const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
          const cut = places.slice(1).map((end, at) => text.slice(places[at]!, end))
          expect(read(...cut)).toEqual(read(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['in one line', ['data: ', 'x'.repeat(90), 'x'.repeat(90)]],
    ['in many', Array.from({ length: 30 }, () => 'data: xxxxxxxxxx\n')],
    ['in a name without end', ['x'.repeat(101)]],
  ])('an event that is too long is refused: %s', (_what, pieces) => {
    const parser = sseParser(100)
    expect(() => pieces.map((piece) => parser.feed(piece))).toThrow(RangeError)
  })

  it('comments without end cost nothing', () => {
    const parser = sseParser(100)
    for (let round = 0; round < 1000; round++) parser.feed(': still here\n\n')
    expect(parser.feed('data: a\n\n')).toEqual([event('a')])
  })
})
