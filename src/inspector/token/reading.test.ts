import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeKey } from '../../apikeys/format.ts'
import { readToken } from './reading.ts'

const now = Date.UTC(2026, 10, 26, 21, 1)
const seconds = (from: number) => now / 1000 + from

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (header: object, claims: object, signature = 'c2lnbmF0dXJl') =>
  `${part(header)}.${part(claims)}.${signature}`

describe('a token that is read', () => {
  it('says what a JWT is, in words, and trusts nothing of it', () => {
    const token = jwt(
      { alg: 'RS256', kid: 'first' },
      {
        jti: 'x',
        exp: seconds(59 * 60),
        iss: 'https://a.example',
        sub: 'alice',
        scope: 'r w r',
        aud: ['me'],
      },
    )
    const reading = readToken(token, now)
    expect(reading).toMatchObject({
      kind: 'jwt',
      headline: 'A JWT.',
      characters: token.length,
      advice: ['Not verified: anybody could have written this.'],
      header: [
        { name: 'alg', value: 'RS256' },
        { name: 'kid', value: 'first' },
      ],
      scopes: ['r', 'w'],
      times: { exp: { date: new Date(now + 59 * 60_000), words: 'in 59 min' } },
      warnings: [],
    })
    expect(reading.claims?.map(({ name }) => name)).toEqual(['sub', 'iss', 'aud', 'scope', 'exp', 'jti'])
    expect(reading.claims).toContainEqual({
      name: 'exp',
      value: '2026-11-26 22:00:00Z',
      words: 'in 59 min',
      meaning: 'when it ends',
    })
  })

  it('reads scopes as a server does: scope before scp, a text or a list, and nothing else', () => {
    const scopes = (claims: object) => readToken(jwt({ alg: 'RS256' }, claims), now).scopes
    expect(scopes({ scope: 'a b', scp: ['c'] })).toEqual(['a', 'b'])
    expect(scopes({ scp: ['c', 'd'] })).toEqual(['c', 'd'])
    expect(scopes({ scope: '' })).toEqual([])
    for (const wrong of [{}, { scope: 7 }, { scope: [1] }, { scp: ['a b'] }, { scope: null, scp: 'a' }]) {
      expect(scopes(wrong)).toBeUndefined()
    }
  })

  it('has no time where a claim has none', () => {
    const reading = readToken(jwt({ alg: 'RS256' }, { exp: 'tomorrow', nbf: 1e300, iat: seconds(0) }), now)
    expect(Object.keys(reading.times ?? {})).toEqual(['iat'])
    expect(reading.claims).toContainEqual(
      expect.objectContaining({ name: 'exp', value: 'tomorrow', words: 'no time' }),
    )
  })

  it('shows the public parts of an API key, and nothing else of it', () => {
    const { key, id } = makeKey('acme', 'test')
    const reading = readToken(key, now)
    expect(reading).toMatchObject({
      kind: 'api_key',
      key: { prefix: 'acme', environment: 'test', id, checksum: 'good' },
    })
    expect(JSON.stringify(reading)).not.toContain(key.split('_')[3]?.slice(0, 6))
  })

  it('names the service of a foreign key, and what a placeholder lacks', () => {
    expect(readToken(`ghp_${'a1B2'.repeat(9)}`, now)).toMatchObject({
      kind: 'foreign_key',
      service: 'GitHub',
    })
    expect(readToken('$' + '{MCP_TOKEN}', now)).toMatchObject({
      kind: 'placeholder',
      advice: [expect.stringContaining('name of a variable')],
    })
    expect(readToken('', now)).toMatchObject({ kind: 'empty', advice: [], warnings: [] })
  })

  it('shows no credential that somebody wrote into a claim, not even the signature itself', () => {
    const signature = 'b7Qx0pPzL4mN2vRt8sYw'
    const token = jwt(
      { alg: 'RS256', kid: signature },
      { sub: `x ${signature}`, a: `ghp_${'a1B2'.repeat(9)}`, [signature]: 1, b: [{ c: signature }] },
      signature,
    )
    const shown = JSON.stringify(readToken(token, now))
    expect(shown).not.toContain(signature)
    expect(shown).not.toContain('a1B2a1B2')
    expect(shown).toContain('[redacted]')
  })

  it('has nothing in it that deceives the eye, and no value without an end', () => {
    const reading = readToken(
      jwt(
        { alg: 'RS256' },
        { sub: 'a\u202Eb\u0000c\nd', ['n\u200B'.repeat(99)]: 'x', long: 'y'.repeat(3000) },
      ),
      now,
    )
    const shown = (reading.claims ?? []).map(({ name, value }) => name + value).join()
    for (const hidden of ['\u202E', '\u200B', '\0', '\n']) expect(shown).not.toContain(hidden)
    for (const { name, value } of reading.claims ?? []) {
      expect(name.length).toBeLessThanOrEqual(60)
      expect(value.length).toBeLessThanOrEqual(300)
    }
  })

  it('FL-104 keeps claims whose names are those of the language', () => {
    const claims = JSON.parse('{"__proto__":{"x":1},"constructor":"c","exp":1}')
    const names = readToken(jwt({ alg: 'RS256' }, claims), now).claims?.map(({ name }) => name)
    expect(names).toEqual(['exp', '__proto__', 'constructor'])
  })
})

/** What a text must not show of itself: long words that are no public part. */
function secretsOf(text: string): string[] {
  const { kind } = readToken(text, now)
  if (kind === 'jwt' || kind === 'encrypted_jwt') return text.split('.').filter((part) => part.length >= 8)
  if (kind === 'api_key') return [text.split('_')[3]!]
  return text.length >= 8 ? [text] : []
}

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ maxLength: 200 }),
  fc.base64String({ maxLength: 200 }),
  fc
    .tuple(fc.constantFrom('eyJ', 'sk-', 'ghp_', 'Bearer ', '"', '${', 'mcpk_live_', 'ya29.'), fc.string())
    .map(([front, rest]) => front + rest),
  fc
    .array(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => Buffer.from(json).toString('base64url')),
      ),
      {
        minLength: 1,
        maxLength: 6,
      },
    )
    .map((parts) => parts.join('.')),
)
const token = fc
  .tuple(
    fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('exp', 'nbf', 'iat', 'scope', 'aud', '__proto__'), fc.string()),
      fc.jsonValue(),
      {
        maxKeys: 8,
      },
    ),
    fc.base64String({ minLength: 8, maxLength: 64 }).map((text) => text.replace(/[=+/]/g, 'A')),
  )
  .map(([header, claims, signature]) => {
    // Somebody may write the signature anywhere.
    return jwt(
      { alg: 'RS256', ...header, kid: signature },
      { ...claims, note: `see ${signature}` },
      signature,
    )
  })

describe('whatever is read', () => {
  it('never throws, and shows neither the token nor a secret part of it', () => {
    fc.assert(
      fc.property(fc.oneof(odd, token), (text) => {
        const shown = JSON.stringify(readToken(text, now))
        for (const secret of secretsOf(text)) {
          if (!isWordOfOurs(secret)) expect(shown).not.toContain(JSON.stringify(secret).slice(1, -1))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('takes little time for as many claims as a token can hold', () => {
    const claims = Object.fromEntries(Array.from({ length: 780 }, (_, at) => [at.toString(36), 1]))
    const started = performance.now()
    const reading = readToken(jwt({ alg: 'RS256' }, claims, 'x'.repeat(342)), now)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(reading.claims).toHaveLength(780)
  })

  it('is not looked into when it is longer than servers take, and that is said', () => {
    const reading = readToken(jwt({ alg: 'RS256' }, { sub: 'x'.repeat(9000) }), now)
    expect(reading).toMatchObject({
      kind: 'broken_jwt',
      headline: expect.stringContaining('servers take 8192'),
    })
  })

  it.each<[string, (length: number) => string]>([
    ['dots', (length) => '.'.repeat(length)],
    ['one part', (length) => `eyJ${'a'.repeat(length)}`],
    ['parts', (length) => 'eyJhbGciOiJSUzI1NiJ9.'.repeat(length / 21)],
    ['a large payload', (length) => jwt({ alg: 'RS256' }, { sub: 'x'.repeat(length) })],
    ['a large header', (length) => jwt({ alg: 'x'.repeat(length) }, {})],
    ['blanks', (length) => ' '.repeat(length)],
    ['quotes', (length) => '"'.repeat(length)],
    ['brackets', (length) => `eyJ${Buffer.from('['.repeat(length)).toString('base64url')}.e30.c2ln`],
    ['placeholders', (length) => `<${'-'.repeat(length)}`],
    ['words of examples', (length) => 'your_'.repeat(length / 5)],
    ['schemes', (length) => 'Bearer '.repeat(length / 7)],
    [
      'claims',
      (length) =>
        jwt({ alg: 'RS256' }, Object.fromEntries(Array.from({ length: length / 8 }, (_, at) => [at, 1]))),
    ],
    ['underscores', (length) => 'a_'.repeat(length / 2)],
  ])('takes linear time: a megabyte of %s', (_name, make) => {
    const text = make(1_048_576)
    const started = performance.now()
    const reading = readToken(text, now)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(JSON.stringify(reading).length).toBeLessThan(10_000)
  })
})

/** A text that is a word of our sentences says nothing of the token. */
function isWordOfOurs(secret: string): boolean {
  return JSON.stringify(readToken('x', now)).includes(secret)
}
