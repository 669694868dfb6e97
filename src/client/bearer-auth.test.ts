import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBearerToken } from '../core/index.ts'
import { BearerAuth, readToken } from './bearer-auth.ts'
import { tokenSource } from './token-source.ts'

describe('a pasted token', () => {
  it.each([
    ['sk-abc123', 'sk-abc123'],
    [' sk-abc123\n', 'sk-abc123'],
    ['\tsk-abc123\r\n', 'sk-abc123'],
    ['"sk-abc123"', 'sk-abc123'],
    ["'sk-abc123'", 'sk-abc123'],
    ['Bearer sk-abc123', 'sk-abc123'],
    ['bearer\tsk-abc123', 'sk-abc123'],
    ['BEARER  "sk-abc123"', 'sk-abc123'],
    ['"Bearer sk-abc123"', 'sk-abc123'],
    ['Bearer bearer sk-abc123', 'sk-abc123'],
    ['a.b.c-_~+/==', 'a.b.c-_~+/=='],
    ['bearer-of-news', 'bearer-of-news'],
  ])('E-07, FL-79 %j is read as %s', async (pasted, token) => {
    expect(await new BearerAuth(pasted).token()).toBe(token)
  })

  it.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['""', 'is empty'],
    ['Bearer', 'is empty'],
    ['bearer ', 'is empty'],
    ['undefined', 'is the word "undefined"'],
    ['Bearer undefined', 'is the word "undefined"'],
    ['null', 'is the word "null"'],
    ['oauth', 'is the word "oauth"'],
    ['${MCP_TOKEN}', 'placeholder'],
    ['$MCP_TOKEN', 'placeholder'],
    ['{{ token }}', 'placeholder'],
    ['{env:TOKEN}', 'placeholder'],
    ['%MCP_TOKEN%', 'placeholder'],
    ['<your-token>', 'placeholder'],
    ['abc def', 'white space'],
    ['abc\r\nX: y', 'control character'],
    ['abc\u0000', 'control character'],
    ['abc\u00E9', 'characters that a token cannot have'],
    ['a=b', 'characters that a token cannot have'],
    ['a,b', 'characters that a token cannot have'],
    ['a'.repeat(8193), 'longer than 8192'],
  ])('E-07 %j is refused: %s', (pasted, reason) => {
    expect(() => new BearerAuth(pasted)).toThrow(TypeError)
    expect(() => new BearerAuth(pasted)).toThrow(/^BearerAuth: token /)
    expect(readToken(pasted).fault).toContain(reason)
  })

  it('FL-73 whatever is read is a token, and a complaint never holds what it is about', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((value) => `Bearer ${value}`),
    )
    fc.assert(
      fc.property(text, fc.stringMatching(/^[A-Z0-9]{12}$/), (noise, secret) => {
        const { token, fault } = readToken(noise + secret)
        if (token === undefined) expect(fault).not.toContain(secret)
        else expect(isBearerToken(token) && token.endsWith(secret)).toBe(true)
      }),
    )
  })
})

describe('BearerAuth', () => {
  it('FL-72 does not show its token', () => {
    const auth = new BearerAuth('sk-secret-0123456789')
    const shown = [
      inspect(auth, { showHidden: true, depth: 9 }),
      JSON.stringify(auth),
      JSON.stringify({ ...auth }),
      String(auth),
      `${auth}`,
    ]
    for (const text of shown) expect(text).not.toContain('sk-secret')
    expect(inspect(auth)).toBe('BearerAuth([redacted])')
  })

  it('is a source that cannot renew', () => {
    expect('refused' in new BearerAuth('abc')).toBe(false)
  })
})

describe('the auth option', () => {
  it('takes a string, a BearerAuth and any source', async () => {
    const source = { token: async () => 'abc' }
    expect(tokenSource(source)).toBe(source)
    const auth = new BearerAuth('abc')
    expect(tokenSource(auth)).toBe(auth)
    expect(await tokenSource('Bearer abc').token({ url: 'https://mcp.example.com' })).toBe('abc')
  })

  it.each([[undefined], [null], [5], [{}], [{ token: 'abc' }], [['abc']], [() => 'abc']])(
    'FL-77 refuses %j',
    (auth) => {
      expect(() => tokenSource(auth)).toThrow(TypeError)
      expect(() => tokenSource(auth)).toThrow(/^auth /)
    },
  )
})
