import { describe, expect, it } from 'vitest'
import { makeKey } from '../../src/apikeys/format.ts'
import { cli, forged, shows, tokenFolder } from './token-support.ts'

tokenFolder()
const explain = (token: string, ...argv: string[]) => cli(['explain', '-', ...argv], { input: token })
const json = async (token: string) => (await explain(token, '--json')).json() as Record<string, unknown>
const seconds = (from: number) => Math.floor(Date.now() / 1000) + from
const good = {
  iss: 'https://a.example',
  aud: 'me',
  sub: 'alice',
  scope: 'r',
  iat: seconds(-60),
  exp: seconds(3600),
}

describe('mcp-bearer token explain', () => {
  it('shows header and claims with times as distances, and says that nothing is verified', async () => {
    const token = forged({ alg: 'RS256', kid: 'first' }, { ...good, nbf: seconds(-120) })
    const ran = await explain(token)
    expect([ran.exit, ran.err]).toEqual([0, ''])
    expect(ran.out).toMatch(/^A JWT\.\nNot verified/)
    expect(ran.out).toMatch(/alg {2}RS256\n {2}kid {2}first/)
    expect(ran.out).toMatch(/sub +alice[\s\S]*iss +https:\/\/a\.example[\s\S]*exp +20.* \(in 60 min\)/)
    expect(ran.out).toMatch(/nbf .*\(2 min ago\)/)
    expect(ran.out).not.toContain('warnings')
    expect(shows(ran.out, token)).toBe(false)
    expect(await json(token)).toMatchObject({
      verified: false,
      kind: 'jwt',
      header: { alg: 'RS256' },
      claims: { sub: 'alice' },
      times: { exp: { distance: 'in 60 min', secondsFromNow: expect.any(Number) } },
      warnings: [],
    })
  })

  it.each<[string, object, object, RegExp]>([
    ['expired', {}, { exp: seconds(-7200) }, /It has expired, 2 h ago/],
    ['just expired', {}, { exp: seconds(-10) }, /^(?![\s\S]*has expired)[\s\S]*It has just expired/],
    ['not valid yet', {}, { nbf: seconds(10_800) }, /not valid yet; it will be, in 3 h/],
    ['made in the future', {}, { iat: seconds(7200) }, /made in the future/],
    ['milliseconds', {}, { exp: Date.now() + 3_600_000 }, /exp looks like milliseconds/],
    ['a text for a time', {}, { exp: 'tomorrow' }, /exp is no number of seconds/],
    ['a time of no calendar', {}, { exp: 1e300 }, /exp looks like milliseconds/],
    ['no end', {}, { exp: undefined }, /It never expires/],
    ['no issuer', {}, { iss: undefined }, /does not say who made it/],
    ['no audience', {}, { aud: undefined }, /does not say whom it is for/],
    ['nobody', {}, { sub: undefined }, /neither a subject nor a client/],
    ['no scopes', {}, { scope: undefined }, /has no scopes/],
    ['scopes of another type', {}, { scope: 7 }, /neither a text nor a list of scopes/],
    ['an ID token', {}, { nonce: 'n' }, /looks like an ID token/],
    ['bound to a key', {}, { cnf: { jkt: 'x' } }, /bound to a key of its client/],
    ['a shared secret', { alg: 'HS256' }, {}, /shared secret \(HS256\)/],
    ['no algorithm', { alg: 'None' }, {}, /not signed at all/],
    ['a refresh token', { typ: 'rt+jwt' }, {}, /typ is not that of an access token/],
    ['a key of its own', { jku: 'https://evil.example' }, {}, /brings along where its key is \(jku\)/],
    ['critical', { crit: ['b64'] }, {}, /crit header/],
  ])('warns of %s', async (_name, header, claims, why) => {
    const token = forged({ alg: 'RS256', ...header }, { ...good, ...claims })
    const { out, exit } = await explain(token)
    expect(exit).toBe(0)
    expect(out.split('warnings\n')[1]).toMatch(why)
    expect(((await json(token)).warnings as string[]).join('\n')).toMatch(why)
  })

  it('reads a token that nobody signed', async () => {
    const { out } = await explain(forged({ alg: 'none' }, good, ''))
    expect(out).toMatch(/^A JWT without a signature\.\nNot verified/)
    expect(out).toContain('not signed at all')
  })

  it('reads a key of this package: prefix, id, checksum, and nothing of its secret', async () => {
    const { key, id } = makeKey('acme', 'test')
    const ran = await explain(key)
    expect(ran.exit).toBe(0)
    expect(ran.out).toMatch(/for tests[\s\S]*prefix +acme[\s\S]*checksum +good/)
    expect(ran.out).toContain(`mcp-bearer keys show ${id}`)
    const mistyped = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')
    const bad = await explain(mistyped)
    expect(bad.out).toMatch(/checksum +bad[\s\S]*No server takes it/)
    expect(await json(mistyped)).toMatchObject({
      kind: 'api_key',
      prefix: 'acme',
      environment: 'test',
      id,
      checksum: 'bad',
    })
    for (const text of [ran.out, bad.out, (await explain(key, '--json')).out])
      expect(text).not.toContain(key.split('_')[3]!.slice(0, 8))
  })

  it.each<[string, string, string, RegExp]>([
    ['an opaque token', 'b7Qx0pPzL4mN2vRt8sYw', 'opaque', /opaque token of 20 characters[\s\S]*RFC 7662/],
    ['half a quote', '"b7Qx0pPzL4mN2v', 'opaque', /It has quotes in it/],
    ['blanks', 'b7Qx0p PzL4', 'opaque', /blanks or line breaks/],
    ['other characters', 'pässword', 'opaque', /no bearer token has/],
    ['something long', 'x'.repeat(9000), 'opaque', /8192 characters/],
    ['a key of GitHub', `ghp_${'a1B2'.repeat(9)}`, 'foreign_key', /another service: GitHub/],
    ['a key of a model', `sk-ant-${'a1B2'.repeat(9)}`, 'foreign_key', /Anthropic/],
    ['a variable', '$' + '{MCP_TOKEN}', 'placeholder', /name of a variable/],
    ['an example', 'CHANGE_ME', 'placeholder', /an example/],
    ['half a JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0', 'broken_jwt', /has 2 of the three parts/],
    ['a JWT cut at the front', 'eyJhbGciOiJ.eyJzdWIiOiJhIn0.c2ln', 'broken_jwt', /its header cannot be read/],
    [
      'a payload that is no JSON',
      'eyJhbGciOiJSUzI1NiJ9.aGVsbG8.c2ln',
      'broken_jwt',
      /second part is no JSON/,
    ],
    [
      'an encrypted JWT',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y3Q.dGFn',
      'encrypted_jwt',
      /RFC 7516/,
    ],
  ])('says what it is: %s', async (_name, token, kind, why) => {
    const ran = await explain(token)
    expect([ran.exit, ran.err]).toEqual([0, ''])
    expect(ran.out).toMatch(why)
    expect(ran.out).not.toContain(token)
    const document = await explain(token, '--json')
    expect(document.json()).toMatchObject({ verified: false, kind, characters: token.length })
    expect(document.out).not.toContain(token)
  })

  it('does nothing to a terminal, and shows no credential that stands in a claim', async () => {
    const token = forged(
      { alg: 'RS256', 'k\u001b[2J': 'x' },
      {
        ...good,
        name: '\u001b]0;owned\u0007',
        nested: { inner: `ghp_${'a1B2'.repeat(9)}` },
        plain: `ghp_${'a1B2'.repeat(9)}`,
        long: 'y'.repeat(5000),
      },
    )
    for (const { out } of [await explain(token), await explain(token, '--json')]) {
      expect(out.includes('\u001b')).toBe(false)
      expect(out).not.toContain('ghp_a1B2')
    }
    expect((await explain(token)).out.split('\n').every((line) => line.length < 500)).toBe(true)
  })

  it('shows a signature nowhere, not even where somebody wrote it into a claim', async () => {
    const signature = 'b7Qx0pPzL4mN2vRt8sYw'
    const token = forged({ alg: 'RS256', kid: signature }, { ...good, sub: `of ${signature}` }, signature)
    for (const { out } of [await explain(token), await explain(token, '--json')]) {
      expect(out).not.toContain(signature)
      expect(out).toContain('of [redacted]')
    }
  })

  it('keeps claims whose names are those of the language', async () => {
    const token = forged({ alg: 'RS256' }, JSON.parse('{"__proto__":{"x":1},"constructor":"c","exp":1}'))
    const { out } = await explain(token)
    expect(out).toMatch(/__proto__ +\{"x":1\}/)
    expect(out).toMatch(/constructor +c/)
    expect(Object.keys((await json(token)).claims as object)).toEqual(['__proto__', 'constructor', 'exp'])
  })

  it('takes "Bearer" off, and says so; nothing at all is an error', async () => {
    const ran = await explain(`Authorization: Bearer ${forged({ alg: 'RS256' }, good)}`)
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining('"Bearer" stands before the token')])
    expect(await explain('')).toMatchObject({ exit: 10, out: 'There is no token: it is empty.' })
  })
})
