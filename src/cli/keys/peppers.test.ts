import { describe, expect, it } from 'vitest'
import { UsageError } from '../command.ts'
import { peppersOf } from './peppers.ts'

const text = 'p'.repeat(40)
const bytes = Buffer.alloc(32, 7)

describe('the peppers of the environment', () => {
  it('are texts or bytes, the newest first', () => {
    expect(peppersOf(`new:base64:${bytes.toString('base64')}, old:${text}`)).toEqual([
      { id: 'new', secret: new Uint8Array(bytes) },
      { id: 'old', secret: text },
    ])
    expect(peppersOf(`u:base64:${Buffer.alloc(33, 255).toString('base64url')}`)).toEqual([
      { id: 'u', secret: new Uint8Array(33).fill(255) },
    ])
  })

  it('a text that looks like base64 is a text: what it is is said, never guessed', () => {
    const hex = 'ab'.repeat(32)
    expect(peppersOf(`a:${hex}`)).toEqual([{ id: 'a', secret: hex }])
    expect(peppersOf(`a:has:colons:${text}`)).toEqual([{ id: 'a', secret: `has:colons:${text}` }])
  })

  it.each([undefined, '', '  '])('are none when it is %j', (value) => {
    expect(peppersOf(value)).toBeUndefined()
  })

  it('that are too short are not repeated: id and secret may have changed places', () => {
    const secret = 'ab'.repeat(32)
    for (const given of [`${secret}:2026-11`, `${secret}:base64:AAAA`]) {
      expect(() => peppersOf(given)).toThrow(UsageError)
      expect(() => peppersOf(given)).toThrow(/at least 32 bytes/)
      expect(() => peppersOf(given)).not.toThrow(secret)
    }
  })

  it.each([text, `:${text}`, 'a:', `a:${text},`, 'a:base64:', 'a:base64:***'])(
    'that are none are no use, and not repeated: %s',
    (value) => {
      expect(() => peppersOf(value)).toThrow(UsageError)
      expect(() => peppersOf(value)).toThrow(/^MCP_BEARER_PEPPER must be ID:SECRET/)
      expect(() => peppersOf(value)).not.toThrow(text)
    },
  )
})
