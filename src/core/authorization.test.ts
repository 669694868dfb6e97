import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Credential, isBearerToken, maxTokenLength, readAuthorization } from './authorization.ts'

const T = 'abc.DEF-123_~+/=='
const none: Credential = { kind: 'none' }
const malformed: Credential = { kind: 'malformed' }
const ambiguous: Credential = { kind: 'ambiguous' }
const token = (text: string): Credential => ({ kind: 'token', token: text })

/** Rows of the raw-header vectors that concern the text of the header: id, what it says, lines, result. */
const vectors: readonly (readonly [
  id: string,
  what: string,
  lines: readonly string[],
  result: Credential,
])[] = [
  ['X01', 'no header', [], none],
  ['X02', 'an empty value', [''], none],
  ['X02', 'a blank value', [' \t '], none],
  ['X03', 'a bare scheme', ['Bearer'], none],
  ['X04', 'a bare scheme and a blank', ['Bearer '], none],
  ['X04', 'a bare scheme and a tab', ['Bearer\t'], none],
  ['X05', 'one token', [`Bearer ${T}`], token(T)],
  ['X06', 'the scheme in lower case', [`bearer ${T}`], token(T)],
  ['X06', 'the scheme in upper case', [`BEARER ${T}`], token(T)],
  ['X06', 'the scheme in mixed case', [`bEaReR ${T}`], token(T)],
  ['X07', 'several blanks', [`Bearer   ${T}`], token(T)],
  ['X08', 'trailing blanks', [`Bearer ${T}  `], token(T)],
  ['X08', 'a trailing tab', [`Bearer ${T}\t`], token(T)],
  ['X09', 'leading blanks', [`  \tBearer ${T}`], token(T)],
  ['X10', 'a tab for a blank', [`Bearer\t${T}`], malformed],
  ['X10', 'a tab after a blank', [`Bearer \t${T}`], malformed],
  ['X11', 'no blank', [`Bearer${T}`], none],
  ['X11', 'another scheme that begins alike', [`Bearer-${T}`], none],
  ['X11', 'another scheme that is longer', [`Bearers ${T}`], none],
  ['X12', 'text after the token', [`Bearer ${T} extra`], malformed],
  ['X13', 'a quote in the token', ['Bearer a"b'], malformed],
  ['X13', 'a quoted token', [`Bearer "${T}"`], malformed],
  ['X14', 'a parameter', ['Bearer token="T"'], malformed],
  ['X14', 'a parameter in token form', ['Bearer access_token=T'], malformed],
  ['X15', 'a comma after the token', [`Bearer ${T},`], ambiguous],
  ['X15', 'a comma before the token', [`Bearer ,${T}`], ambiguous],
  ['X15', 'a comma right after the scheme', [`Bearer,${T}`], ambiguous],
  ['X16', 'padding in the middle', ['Bearer a=b'], malformed],
  ['X17', 'one padding sign', ['Bearer ='], malformed],
  ['X17', 'padding only', ['Bearer =='], malformed],
  ['X18', 'braces', ['Bearer {T}'], malformed],
  ['X18', 'angle brackets', ['Bearer <T>'], malformed],
  ['X18', 'a parameter after a semicolon', ['Bearer T;x=1'], malformed],
  ['X19', 'a letter outside ASCII', ['Bearer é'], malformed],
  ['X19', 'a byte 0x80', ['Bearer \u0080'], malformed],
  ['X19', 'a no-break space for a blank', [`Bearer\u00A0${T}`], none],
  ['X20', 'percent-encoding', ['Bearer %41%42'], malformed],
  ['X21', 'the word null, which is a token like any other', ['Bearer null'], token('null')],
  ['X21', 'an object as text', ['Bearer [object Object]'], malformed],
  ['X21', 'a placeholder nobody filled in', ['Bearer $' + '{TOKEN}'], malformed],
  ['X22', 'the scheme twice', [`Bearer Bearer ${T}`], malformed],
  ['X23', '8192 bytes', [`Bearer ${'a'.repeat(8192)}`], token('a'.repeat(8192))],
  ['X24', '8193 bytes', [`Bearer ${'a'.repeat(8193)}`], malformed],
  ['X25', 'the same line twice', [`Bearer ${T}`, `Bearer ${T}`], ambiguous],
  ['X26', 'two lines', [`Bearer ${T}`, 'Bearer other'], ambiguous],
  ['X27', 'two lines of two schemes', ['Basic x', `Bearer ${T}`], ambiguous],
  ['X27', 'an empty line and a token', ['', `Bearer ${T}`], ambiguous],
  ['X28', 'a list of two tokens', [`Bearer ${T}, Bearer other`], ambiguous],
  ['X29', 'a list of two schemes', [`Basic dXNlcjpwYXNz, Bearer ${T}`], ambiguous],
  ['X29', 'a list of two schemes without a blank', [`Basic dXNlcjpwYXNz,bearer ${T}`], ambiguous],
  ['X30', 'a token as the password of Basic', ['Basic dXNlcjpUX09L'], none],
  ['X31', 'a DPoP token', [`DPoP ${T}`], none],
  ['X39', 'a NUL', ['Bearer a\0b'], malformed],
  ['X43', 'two lines joined by a runtime that follows Fetch', [`Bearer ${T}, Bearer ${T}`], ambiguous],
  ['FL-29', 'a line break at the end of the token', [`Bearer ${T}\n`], malformed],
  ['FL-29', 'a line break for a blank', [`Bearer\r\n ${T}`], none],
]

describe('readAuthorization', () => {
  it.each(vectors)('%s reads %s', (_id, _what, lines, result) => {
    expect(readAuthorization(lines)).toEqual(result)
  })

  it('FL-29 never throws, and a token is always what the grammar says', () => {
    const pieces = fc.constantFrom(
      'Bearer',
      'bearer',
      'Basic',
      ' ',
      '\t',
      ',',
      '=',
      'abc',
      '"',
      '\n',
      'é',
      'ſ',
      'K',
    )
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
        const read = readAuthorization(lines)
        if (read.kind === 'token') expect(isOneBearerCredential(lines, read.token)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('reads back every token of the grammar, whatever the case of the scheme and the blanks around', () => {
    const scheme = fc.mixedCase(fc.constant('bearer'))
    const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 4 })
    const gap = fc.integer({ min: 1, max: 5 }).map((count) => ' '.repeat(count))
    fc.assert(
      fc.property(blanks, scheme, gap, bearerToken, blanks, (before, word, blank, text, after) => {
        expect(readAuthorization([before + word + blank + text + after])).toEqual(token(text))
      }),
    )
  })

  it('reads long hostile lines to the end', () => {
    expect(readAuthorization([`Bearer ${' '.repeat(100_000)}x y`])).toEqual(malformed)
    expect(readAuthorization([`Basic x${', '.repeat(100_000)}`])).toEqual(none)
    expect(readAuthorization([`Bearer ${'='.repeat(100_000)}`])).toEqual(malformed)
  })
})

describe('isBearerToken', () => {
  it('takes the alphabet of RFC 6750 section 2.1 and nothing else', () => {
    for (let code = 0; code < 0x250; code++) {
      const char = String.fromCharCode(code)
      const inGrammar = /[A-Za-z0-9]/.test(char) || '-._~+/'.includes(char)
      expect([char, isBearerToken(char)]).toEqual([char, inGrammar])
    }
  })

  it.each([
    ['', false],
    ['a=', true],
    ['a===', true],
    ['=a', false],
    ['a\n', false],
    ['a'.repeat(maxTokenLength), true],
    ['a'.repeat(maxTokenLength + 1), false],
  ])('judges %j', (text, good) => {
    expect(isBearerToken(text)).toBe(good)
  })
})

const bearerToken = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/'),
      minLength: 1,
      maxLength: 60,
    }),
    fc.nat(3),
  )
  .map(([text, padding]) => text + '='.repeat(padding))

/** The grammar once more, in other words: blanks, the scheme, blanks, one token, blanks; nothing else. */
function isOneBearerCredential(lines: readonly string[], found: string): boolean {
  const [line, ...others] = lines
  if (line === undefined || others.length > 0) return false
  const body = line.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
  if (!body.endsWith(found) || body.length === found.length) return false
  const head = body.slice(0, body.length - found.length)
  const letters = [...head.slice(0, 6)].map((char) => char.charCodeAt(0) | 0x20)
  const isScheme = String.fromCharCode(...letters) === 'bearer' && head.length > 6
  const isBlank = [...head.slice(6)].every((char) => char === ' ')
  const unpadded = found.replace(/=+$/, '')
  const isToken = unpadded !== '' && [...unpadded].every((char) => char <= '~' && /^[\w.~+/-]$/.test(char))
  return isScheme && isBlank && isToken && found.length <= 8192
}
