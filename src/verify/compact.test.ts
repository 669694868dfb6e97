import { describe, expect, it } from 'vitest'
import { parseCompact } from './compact.ts'
import { defaultTypes, headerJudge } from './header.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const encode = (text: string) => Buffer.from(text).toString('base64url')
const judgeHeader = headerJudge({ algorithms: new Set(['RS256']), types: defaultTypes })
const parse = (...parts: readonly string[]) => parseCompact(parts.join('.'), judgeHeader.judge)
const header = encode('{"alg":"RS256","kid":"k1"}')
const payload = encode('{"sub":"user-1"}')

describe('parseCompact', () => {
  it('takes a token apart', () => {
    expect(parse(header, payload, 'AQID')).toEqual({
      header: { algorithm: 'RS256', kid: 'k1' },
      encodedHeader: header,
      claims: { sub: 'user-1' },
      input: Buffer.from(`${header}.${payload}`),
      signature: Buffer.from([1, 2, 3]),
    })
  })

  it.each([1, 2, 3])('B-31 knows one spelling only of %i bytes at the end of a part', (bytes) => {
    const padded = encode(`{"sub":"${'x'.repeat(bytes)}"}`)
    const signature = Buffer.alloc(bytes, 0xa5).toString('base64url')
    const spellings = (part: string) => [...alphabet].map((last) => part.slice(0, -1) + last)
    const same = (part: string) =>
      spellings(part).filter((other) =>
        Buffer.from(other, 'base64url').equals(Buffer.from(part, 'base64url')),
      )
    const isTaken = (...parts: string[]) => typeof parse(...parts) !== 'string'
    expect(same(signature).filter((other) => isTaken(header, payload, other))).toEqual([signature])
    expect(same(padded).filter((other) => isTaken(header, other, signature))).toEqual([padded])
  })

  it('B-30 refuses a part of a length no bytes have', () => {
    expect(parse(header, payload, 'AAAAA')).toBe('malformed')
  })

  it('B-33 takes 8192 characters and not 8193', () => {
    const room = 8192 - header.length - payload.length - 2
    const signature = 'A'.repeat(room - (room % 4))
    const longer = `${signature}AAAA`
    expect(typeof parse(header, payload, signature)).toBe('object')
    expect(parse(header, payload, longer)).toBe('too_long')
  })
})
