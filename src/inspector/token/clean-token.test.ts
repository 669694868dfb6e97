import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanToken } from './clean-token.ts'

const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'

describe('a pasted token', () => {
  it('that is clean stays as it is', () => {
    expect(cleanToken(token)).toEqual({ token, changes: [] })
    expect(cleanToken('')).toEqual({ token: '', changes: [] })
  })

  it.each<[string, string, RegExp[]]>([
    ['blanks', ` \t${token}\r\n`, [/^Blanks/]],
    ['a byte order mark', `\uFEFF${token}`, [/^Blanks/]],
    ['its scheme', `Bearer ${token}`, [/^"Bearer" stands before the token and/]],
    ['its scheme in small letters', `bearer\t${token}`, [/^"Bearer"/]],
    ['its header', `Authorization: Bearer ${token}`, [/name of the header/, /^"Bearer"/]],
    ['quotes', `"${token}"`, [/^Quotes/]],
    ['quotes of a text editor', `\u201C${token}\u201D`, [/^Quotes/]],
    [
      'a member of JSON',
      `"Authorization": "Bearer ${token}"`,
      [/name of the header/, /^"Bearer"/, /^Quotes/],
    ],
    [
      'a header in quotes',
      `'Authorization: Bearer ${token}'`,
      [/name of the header/, /^"Bearer"/, /^Quotes/],
    ],
    [
      'a header with quotes',
      `Authorization: "Bearer ${token}"`,
      [/name of the header/, /^"Bearer"/, /^Quotes/],
    ],
    ['the scheme twice', `Bearer Bearer ${token}`, [/more than once/]],
    ['quotes behind the scheme', ` Bearer "${token}" `, [/^Blanks/, /^"Bearer"/, /^Quotes/]],
  ])('loses %s, and it is said', (_name, text, said) => {
    const clean = cleanToken(text)
    expect(clean.token).toBe(token)
    expect(clean.changes).toHaveLength(said.length)
    for (const pattern of said) expect(clean.changes.some((change) => pattern.test(change))).toBe(true)
  })

  it('keeps what only looks like its surroundings', () => {
    for (const text of ['Bearertoken', '"half', "a'b'", 'Basic dXNlcjpwYXNz', '"']) {
      expect(cleanToken(text)).toEqual({ token: text, changes: [] })
    }
  })

  it('of a scheme alone nothing is left', () => {
    expect(cleanToken('Bearer').token).toBe('')
    expect(cleanToken('Authorization: Bearer ').token).toBe('')
  })

  it('is a part of what was pasted, and no part of what is said', () => {
    const pieces = ['"', "'", '\u201C', '\u201D', ' ', '\n', ':', 'Bearer', 'Bearer ', 'Authorization', 'x.y']
    const pasted = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(pasted, (text) => {
        const { token: left, changes } = cleanToken(text)
        expect(text).toContain(left)
        expect(changes.length === 0).toBe(left === text)
      }),
    )
  })
})
