import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Challenge,
  formatChallenge,
  parseChallenges,
  readBearerChallenge,
  readTokenChallenge,
} from './challenge.ts'

/** Challenges as plain objects, for comparing: `params` has no prototype. */
const plain = (challenges: readonly Challenge[]) =>
  challenges.map(({ scheme, params, token68 }) => ({
    scheme,
    params: Object.entries(params),
    ...(token68 !== undefined && { token68 }),
  }))

describe('readBearerChallenge and parseChallenges', () => {
  it('W01 reads a realm alone: no error, no scope', () => {
    expect(readBearerChallenge('Bearer realm="x"')).toEqual({ realm: 'x', scopes: [] })
  })

  it('W02 reads commas and escaped quotes inside a quoted string', () => {
    const line = String.raw`Bearer error="invalid_token", error_description="a, b=\"c\""`
    expect(readBearerChallenge(line)).toEqual({
      error: 'invalid_token',
      errorDescription: 'a, b="c"',
      scopes: [],
    })
  })

  it('W03 finds the real Bearer challenge, not the one inside a quoted realm', () => {
    const line = String.raw`Basic realm="a, Bearer error=\"x\"", Bearer scope="s1 s2"`
    expect(readBearerChallenge(line)).toEqual({ scopes: ['s1', 's2'] })
    expect(parseChallenges(line)).toHaveLength(2)
  })

  it('W04 finds Bearer on the second line', () => {
    expect(readBearerChallenge(['Basic realm="a"', 'Bearer scope="s"'])).toEqual({ scopes: ['s'] })
  })

  it('W05 takes names in any case, and values in token form', () => {
    expect(readBearerChallenge('bearer SCOPE=s1, Resource_Metadata="https://mcp.example.com/meta"')).toEqual({
      scopes: ['s1'],
      resourceMetadata: 'https://mcp.example.com/meta',
    })
  })

  it('W06 reads a bare Bearer as a challenge without parameters', () => {
    expect(readBearerChallenge('Bearer')).toEqual({ scopes: [] })
    expect(plain(parseChallenges('Bearer'))).toEqual([{ scheme: 'Bearer', params: [] }])
  })

  it('W07 steps over a token68 challenge', () => {
    const line = 'Negotiate abc==, Bearer realm="x"'
    expect(readBearerChallenge(line)).toEqual({ realm: 'x', scopes: [] })
    expect(parseChallenges(line)[0]).toMatchObject({ scheme: 'Negotiate', token68: 'abc==' })
  })

  it.each(['Bearer realm="unterminated', 'Bearer realm="a\\', 'Bearer realm="'])(
    'W08 leaves out what does not end: %s',
    (line) => {
      expect(readBearerChallenge(line)).toEqual({ scopes: [] })
    },
  )

  it('W08 leaves out what does not parse and reads on after the comma', () => {
    expect(readBearerChallenge('Bearer realm=, "x", =, scope="s"')).toEqual({ scopes: ['s'] })
  })

  it('W09 keeps the first of a repeated parameter', () => {
    expect(readBearerChallenge('Bearer scope="a", scope="b"')).toEqual({ scopes: ['a'] })
    expect(readBearerChallenge('Bearer scope="a", SCOPE="b"')).toEqual({ scopes: ['a'] })
  })

  it('W10 keeps two schemes apart', () => {
    const line = 'DPoP error="use_dpop_nonce", Bearer error="invalid_token"'
    expect(readBearerChallenge(line)).toEqual({ error: 'invalid_token', scopes: [] })
    expect(plain(parseChallenges(line))).toEqual([
      { scheme: 'DPoP', params: [['error', 'use_dpop_nonce']] },
      { scheme: 'Bearer', params: [['error', 'invalid_token']] },
    ])
  })

  const long = 100_000
  it.each<[string, string, number]>([
    ['commas', ','.repeat(long), 0],
    ['a long token68', `Bearer ${'a'.repeat(long)}`, 1],
    ['padding that ends in something else', `Bearer a${'='.repeat(long)}x`, 1],
    ['schemes', 'a '.repeat(long / 2), long / 2 - 1],
    ['quotes', '"'.repeat(long), 0],
    ['quoted strings that do not end', 'a="'.repeat(long / 3), 0],
    ['backslashes', `Bearer a="${'\\'.repeat(long)}`, 1],
    ['blanks', `Bearer ${' '.repeat(long)}=`, 0],
    ['blanks between words', `${'a'.padEnd(400)}`.repeat(long / 400), long / 400 - 1],
    ['parameters', `Bearer ${Array.from({ length: long / 10 }, (_, n) => `p${n}=1`).join(',')}`, 1],
  ])('W11 reads 100 KB of %s to the end', (_what, line, count) => {
    expect(parseChallenges(line)).toHaveLength(count)
  })

  it.each(['javascript:1', '//evil.example', '/relative', 'ftp://x.example/', 'https://', 'https:x', ''])(
    'W12 ignores resource_metadata="%s"',
    (url) => {
      expect(readBearerChallenge(`Bearer resource_metadata="${url}"`)).toEqual({ scopes: [] })
    },
  )

  it('W13 reads an empty scope as no scopes', () => {
    expect(readBearerChallenge('Bearer scope=""')).toEqual({ scopes: [] })
    expect(readBearerChallenge('Bearer scope="  a   b "')).toEqual({ scopes: ['a', 'b'] })
  })

  it('W14 takes blanks around the equals sign and the comma', () => {
    expect(readBearerChallenge('Bearer error = "x" , scope\t=\t"s"')).toEqual({ error: 'x', scopes: ['s'] })
  })

  it('W15 finds nothing where there is no header', () => {
    expect(readBearerChallenge([])).toBeUndefined()
    expect(readBearerChallenge('')).toBeUndefined()
  })

  it('W16 does not take BearerX for Bearer', () => {
    expect(readBearerChallenge('BearerX scope="s"')).toBeUndefined()
  })

  it('keeps parameters named like members of objects apart from those', () => {
    const [challenge] = parseChallenges('Bearer __proto__="a", constructor="b"')
    expect(Object.entries(challenge!.params)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    expect(Object.getPrototypeOf(challenge!.params)).toBeNull()
    expect(readBearerChallenge('Bearer constructor="b"')).toEqual({ scopes: [] })
  })

  it('never throws, whatever a server sends', () => {
    const pieces = fc.constantFrom('Bearer', 'a', ' ', '\t', ',', '=', '"', '\\', 'é', '\0', '==', 'x y')
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
        for (const { scheme } of parseChallenges(lines)) expect(scheme).toMatch(/^[!#$%&'*+\-.^_`|~\w]+$/)
        readBearerChallenge(lines)
      }),
      { numRuns: 2000 },
    )
  })
})

const name = fc.string({
  unit: fc.constantFrom(..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"),
  minLength: 1,
  maxLength: 12,
})
const printable = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
const rfc6750Names = ['scope', 'error', 'error_description', 'error_uri']
const params = fc
  .uniqueArray(
    fc.tuple(
      fc
        .oneof(fc.constantFrom('realm', '__proto__', 'resource_metadata'), name)
        .filter((each) => !rfc6750Names.includes(each)),
      fc.oneof(printable, fc.constantFrom('\t', '"', '\\', '\\"', 'a, Bearer b="c"')),
    ),
    { selector: ([each]) => each, minLength: 1, maxLength: 5 },
  )
  .map(withoutPrototype)

function withoutPrototype(entries: readonly (readonly [string, string])[]): Record<string, string> {
  const object = Object.create(null) as Record<string, string>
  for (const [key, value] of entries) object[key] = value
  return object
}

describe('formatChallenge', () => {
  it('writes the scheme and its parameters in order', () => {
    expect(
      formatChallenge({ scheme: 'Bearer', params: { realm: 'mcp', error: 'invalid_token', scope: 'a b' } }),
    ).toBe('Bearer realm="mcp", error="invalid_token", scope="a b"')
  })

  it('FL-62 is read back as it was written, for all schemes and parameters', () => {
    fc.assert(
      fc.property(name, params, (scheme, written) => {
        const challenge = { scheme, params: written }
        expect(plain(parseChallenges(formatChallenge(challenge)))).toEqual(plain([challenge]))
      }),
      { numRuns: 1000 },
    )
  })

  it('A-69 is read back from a list of several', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ scheme: name, params }), { maxLength: 4 }), (challenges) => {
        const line = challenges.map((challenge) => formatChallenge(challenge)).join(', ')
        expect(plain(parseChallenges(line))).toEqual(plain(challenges))
      }),
    )
  })

  it('writes a token68, and not beside parameters', () => {
    expect(formatChallenge({ scheme: 'Negotiate', params: {}, token68: 'abc==' })).toBe('Negotiate abc==')
    expect(() => formatChallenge({ scheme: 'Negotiate', params: { a: 'b' }, token68: 'abc' })).toThrow(
      TypeError,
    )
    expect(() => formatChallenge({ scheme: 'Negotiate', params: {}, token68: 'a b' })).toThrow(TypeError)
  })

  it.each(['Bearer', 'bearer'])('A-60 refuses a bare %s: the scheme needs a parameter', (scheme) => {
    expect(() => formatChallenge({ scheme, params: {} })).toThrow(TypeError)
    expect(() => formatChallenge({ scheme, params: {}, token68: 'abc' })).toThrow(TypeError)
    expect(formatChallenge({ scheme: 'Negotiate', params: {} })).toBe('Negotiate')
  })

  it.each([
    ['error_description', 'a"b'],
    ['error_description', 'a\\b'],
    ['error_description', 'a\r\nX: y'],
    ['error_description', 'é'],
    ['error_description', ''],
    ['ERROR_DESCRIPTION', 'a"b'],
    ['error', 'a"b'],
    ['error_uri', 'https://a b'],
    ['scope', 'a  b'],
    ['scope', ' a'],
    ['scope', 'a"b'],
    ['scope', ''],
  ])('A-66 refuses %s=%j, which RFC 6750 section 3 does not allow even escaped', (parameter, value) => {
    expect(() => formatChallenge({ scheme: 'Bearer', params: { [parameter]: value } })).toThrow(TypeError)
  })

  it('A-68 refuses a repeated parameter, in any case of its name', () => {
    expect(() => formatChallenge({ scheme: 'Bearer', params: { realm: 'a', Realm: 'b' } })).toThrow(TypeError)
  })

  it.each([
    { scheme: 'Bearer', params: { realm: 'a"\r\nX-Evil: 1' } },
    { scheme: 'Bearer', params: { realm: 'a\nb' } },
    { scheme: 'Bearer', params: { realm: 'a\0' } },
    { scheme: 'Bearer', params: { realm: 'ü' } },
    { scheme: 'Bearer', params: { 'a b': 'c' } },
    { scheme: 'Bearer', params: { '': 'c' } },
    { scheme: 'Bearer', params: { 'a\r\nX-Evil': 'c' } },
    { scheme: 'Bearer x', params: { realm: 'a' } },
    { scheme: 'Bearer\r\nX-Evil:', params: { realm: 'a' } },
    { scheme: '', params: { realm: 'a' } },
  ])('A-70 refuses what is not safe in a header: %j', (challenge) => {
    expect(() => formatChallenge(challenge)).toThrow(TypeError)
  })

  it('A-70 writes printable ASCII on one line, or throws a TypeError that does not repeat the value', () => {
    const anything = fc.dictionary(fc.oneof(name, fc.string()), fc.string({ unit: 'binary' }), { minKeys: 1 })
    fc.assert(
      fc.property(fc.oneof(name, fc.string()), anything, (scheme, values) => {
        try {
          expect(formatChallenge({ scheme, params: values })).toMatch(/^[\t\x20-\x7E]+$/)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      }),
    )
    expect(() => formatChallenge({ scheme: 'Bearer', params: { realm: 'S3CRET\n' } })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('S3CRET') }),
    )
  })
})

describe('readTokenChallenge', () => {
  const either = ['dpop', 'bearer']
  it.each([
    ['DPoP error="invalid_token", Bearer error="other"', 'invalid_token'],
    ['Bearer error="other", DPoP error="use_dpop_nonce"', 'use_dpop_nonce'],
    ['Bearer error="insufficient_scope", DPoP algs="ES256"', 'insufficient_scope'],
    ['DPoP algs="ES256"', undefined],
    ['Basic error="x", BEARER error="invalid_token"', 'invalid_token'],
  ])('RFC 9449 section 7.1 takes from %s the challenge that says what is wrong', (line, error) => {
    expect(readTokenChallenge(line, either)?.error).toBe(error)
  })

  it('takes the scheme that is named first when none says', () => {
    const line = 'Bearer scope="b", DPoP scope="d"'
    expect(readTokenChallenge(line, either)).toEqual({ scopes: ['d'] })
    expect(readTokenChallenge(line, ['bearer', 'dpop'])).toEqual({ scopes: ['b'] })
    expect(readTokenChallenge('Basic realm="a"', either)).toBeUndefined()
  })
})
