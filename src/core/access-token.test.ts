import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessToken, type AccessTokenInit, completeVerdict, principalOf } from './access-token.ts'

const secret = 'sk-S3CRET-abc123'
const minute = 60_000
const noon = Date.UTC(2026, 10, 20, 12)

describe('AccessToken', () => {
  it('B-124 needs the token only; the rest has defaults', () => {
    const token = new AccessToken({ token: secret })
    expect(token).toMatchObject({ token: secret, scopes: [], claims: {}, expiresAt: undefined })
    expect(token.clientId).toMatch(/^token-[0-9a-f]{32}$/)
    expect(Object.keys(token).sort()).toEqual(['claims', 'clientId', 'scopes'])
  })

  it('B-124 takes subject, issuer and client id from the claims, and from the init first', () => {
    const claims = { sub: 'alice', iss: 'https://id.example', client_id: 'app' }
    expect(new AccessToken({ token: secret, claims })).toMatchObject({
      subject: 'alice',
      issuer: 'https://id.example',
      clientId: 'app',
    })
    const named = { subject: 's', issuer: 'i', clientId: 'c' }
    expect(new AccessToken({ token: secret, claims, ...named })).toMatchObject(named)
  })

  it.each([
    [{ client_id: 'a', azp: 'b', appid: 'c', cid: 'd', sub: 'e' }, 'a'],
    [{ azp: 'b', appid: 'c', cid: 'd', sub: 'e' }, 'b'],
    [{ appid: 'c', cid: 'd', sub: 'e' }, 'c'],
    [{ cid: 'd', sub: 'e' }, 'd'],
    [{ sub: 'e' }, 'e'],
    [{ client_id: 5, azp: '', sub: 'e' }, 'e'],
  ])('B-124 chooses the client id of %j', (claims, clientId) => {
    expect(new AccessToken({ token: secret, claims }).clientId).toBe(clientId)
  })

  it('B-120 reveals the token to nobody but who asks for it', () => {
    const token = new AccessToken({
      token: secret,
      scopes: ['read'],
      expiresAt: 2e9,
      claims: { sub: 'alice', nested: { list: [1] } },
    })
    const shown = [
      JSON.stringify(token),
      JSON.stringify({ auth: [token] }),
      JSON.stringify({ ...token }),
      JSON.stringify(Object.assign({}, token)),
      JSON.stringify(structuredClone(token)),
      Object.keys(token).join(),
      JSON.stringify(Object.entries(token)),
      Object.getOwnPropertyNames(token).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(token)),
      String(token),
      `${token}`,
      `${[token]}`,
      serialize(token).toString('latin1'),
      inspect(token),
      inspect({ deep: { deeper: { deepest: [token] } } }, { depth: 9 }),
      inspect(token, { showHidden: true, depth: Number.POSITIVE_INFINITY, showProxy: true }),
      inspect(token, { showHidden: true, customInspect: false }),
      inspect(token, { getters: true }),
      inspect(token, { depth: -1 }),
      inspect(new Map([[token, token]])),
    ]
    for (const text of shown) expect(text).not.toContain('S3CRET')
    let seen = ''
    for (const name in token) seen += name
    expect(seen).not.toContain('token')
    expect(token.token).toBe(secret)
  })

  it('FL-72 says what it is without the token: JSON, text and inspect', () => {
    const token = new AccessToken({ token: secret, clientId: 'app', expiresAt: 1e9, scopes: ['read'] })
    expect(JSON.parse(JSON.stringify(token))).toEqual({
      token: '[redacted]',
      clientId: 'app',
      scopes: ['read'],
      expiresAt: '2001-09-09T01:46:40.000Z',
      claims: {},
    })
    expect(String(token)).toBe('AccessToken(app, token [redacted])')
    expect(inspect(token)).toMatch(/^AccessToken \{.*\[redacted\]/s)
  })

  it('B-120 is frozen, claims and scopes deeply', () => {
    const token = new AccessToken({
      token: secret,
      scopes: ['a'],
      claims: { list: [{ a: 1 }], deep: { er: {} } },
    })
    const parts = [
      token,
      token.scopes,
      token.claims,
      ...Object.values(token.claims),
      ...(token.claims.list as object[]),
    ]
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
    expect(() => Object.assign(token, { clientId: 'other' })).toThrow(TypeError)
    expect(() => Object.assign(token, { token: 'other' })).toThrow(TypeError)
    expect(() => (token.scopes as string[]).push('admin')).toThrow(TypeError)
    expect(() => Object.assign(token.claims, { admin: true })).toThrow(TypeError)
  })

  it('leaves the objects of the caller as they were, and does not follow their changes', () => {
    const given = { token: secret, scopes: ['a b', 'a'], claims: { roles: ['x'], sub: 'alice' } }
    const before = structuredClone(given)
    const token = new AccessToken(given)
    expect(given).toEqual(before)
    for (const part of [given, given.scopes, given.claims, given.claims.roles])
      expect(Object.isFrozen(part)).toBe(false)
    given.claims.roles.push('admin')
    given.scopes.push('admin')
    expect(token.claims).toEqual({ roles: ['x'], sub: 'alice' })
    expect(token.scopes).toEqual(['a', 'b'])
  })

  it('takes frozen input', () => {
    const given = Object.freeze({
      token: secret,
      scopes: Object.freeze(['a']),
      claims: Object.freeze({ sub: 'b' }),
    })
    expect(new AccessToken(given).subject).toBe('b')
  })

  it('B-120 lets no change of a Date prolong it', () => {
    const given = new Date(noon)
    const token = new AccessToken({ token: secret, expiresAt: given })
    given.setTime(noon + 100 * minute)
    token.expiresAt!.setTime(noon + 100 * minute)
    expect(token.expiresAt).toEqual(new Date(noon))
    expect(token.isExpired(noon)).toBe(true)
  })

  it('turns a Date among the claims into text, which nobody can change', () => {
    expect(new AccessToken({ token: secret, claims: { at: new Date(noon) } }).claims.at).toBe(
      '2026-11-20T12:00:00.000Z',
    )
  })

  it('takes claims named like members of objects as claims (CWE-1321)', () => {
    const claims = JSON.parse(
      '{"__proto__":{"sub":"evil","admin":true},"constructor":"c","a":{"__proto__":[1]}}',
    )
    const token = new AccessToken({ token: secret, claims })
    expect(token.subject).toBeUndefined()
    expect(token.claims.admin).toBeUndefined()
    expect(Object.keys(token.claims)).toEqual(['__proto__', 'constructor', 'a'])
    expect(Object.getPrototypeOf(token.claims)).toBeNull()
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
  })

  it('does not read claims that were inherited', () => {
    const claims = Object.create({ sub: 'alice', iss: 'x' }) as Record<string, unknown>
    expect(new AccessToken({ token: secret, claims }).subject).toBeUndefined()
  })

  it('splits and collects scopes, each once', () => {
    expect(new AccessToken({ token: secret, scopes: ['a b', 'b', ' c '] }).scopes).toEqual(['a', 'b', 'c'])
  })

  const circle: Record<string, unknown> = {}
  circle.self = [circle]
  let tower: unknown = 'top'
  for (let floor = 0; floor < 20_000; floor++) tower = [tower]

  it.each<[string, unknown]>([
    ['no object', undefined],
    ['null', null],
    ['a text', secret],
    ['a list', [secret]],
    ['no token', {}],
    ['an empty token', { token: '' }],
    ['a token that is no text', { token: 5 }],
    ['an empty client id', { token: secret, clientId: '' }],
    ['a client id that is no text', { token: secret, clientId: 5 }],
    ['a subject that is null', { token: secret, subject: null }],
    ['an issuer that is no text', { token: secret, issuer: ['a'] }],
    ['scopes as text', { token: secret, scopes: 'a b' }],
    ['scopes that are no texts', { token: secret, scopes: ['a', 5] }],
    ['scopes with a hole', { token: secret, scopes: new Array(1) }],
    ['an expiry as text', { token: secret, expiresAt: '2026-11-20' }],
    ['an expiry that is null', { token: secret, expiresAt: null }],
    ['an invalid Date', { token: secret, expiresAt: new Date(Number.NaN) }],
    ['an infinite expiry', { token: secret, expiresAt: Number.POSITIVE_INFINITY }],
    ['an expiry in milliseconds', { token: secret, expiresAt: noon }],
    ['a negative clock skew', { token: secret, clockSkew: -1 }],
    ['a clock skew beyond 300 seconds', { token: secret, clockSkew: 301 }],
    ['a clock skew as text', { token: secret, clockSkew: '60' }],
    ['claims as text', { token: secret, claims: 'a' }],
    ['claims as a list', { token: secret, claims: [] }],
    ['claims that are null', { token: secret, claims: null }],
    ['a function among the claims', { token: secret, claims: { a: [() => 1] } }],
    ['a symbol among the claims', { token: secret, claims: { a: Symbol('x') } }],
    ['an invalid Date among the claims', { token: secret, claims: { a: new Date(Number.NaN) } }],
    ['claims that contain themselves', { token: secret, claims: circle }],
    ['claims nested without end', { token: secret, claims: { tower } }],
  ])('refuses %s with a TypeError that does not show the token', (_what, init) => {
    const attempt = () => new AccessToken(init as AccessTokenInit)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(/^AccessToken: /)
    expect(attempt).toThrow(expect.not.objectContaining({ message: expect.stringContaining('S3CRET') }))
  })

  it('takes any JSON object for claims and gives it back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (claims) => {
        const token = new AccessToken({ token: secret, claims })
        expect(JSON.parse(JSON.stringify(token.claims))).toEqual(JSON.parse(JSON.stringify(claims)))
      }),
    )
  })

  it.each([
    [0, -1, false],
    [0, 0, true],
    [60, 0, false],
    [60, minute - 1, false],
    [60, minute, true],
  ])('with %d s of clock skew, %d ms after its end, is over: %s', (clockSkew, after, over) => {
    const token = new AccessToken({ token: secret, expiresAt: noon / 1000, clockSkew })
    expect(token.isExpired(noon + after)).toBe(over)
  })

  it('never ends without an expiry', () => {
    expect(new AccessToken({ token: secret, clockSkew: 60 }).isExpired(Number.MAX_SAFE_INTEGER)).toBe(false)
  })
})

describe('a clock that is broken', () => {
  it('B-48 lets nobody in: neither a token with an expiry nor one without', () => {
    for (const init of [{ token: secret, expiresAt: 4_000_000_000 }, { token: secret }]) {
      expect(new AccessToken(init).isExpired(Number.NaN)).toBe(true)
      expect(completeVerdict(init, () => Number.NaN)).toBeNull()
    }
  })
})

describe('principalOf', () => {
  const of = (init: Partial<AccessTokenInit>) => principalOf(new AccessToken({ token: secret, ...init }))

  it('FL-41 tells the same subject at two issuers apart', () => {
    expect(of({ issuer: 'https://a.example', subject: 's' })).not.toBe(
      of({ issuer: 'https://b.example', subject: 's' }),
    )
  })

  it('FL-02 is the same for another token of the same user', () => {
    const claims = { iss: 'https://a.example', sub: 's' }
    expect(of({ token: 'one', claims })).toBe(of({ token: 'two', claims, scopes: ['a'] }))
  })

  it('B-124 is different for two tokens without claims, and does not hold them', () => {
    expect(of({ token: 'S3CRET-one' })).not.toBe(of({ token: 'S3CRET-two' }))
    expect(of({ token: 'S3CRET-one' })).toBe(of({ token: 'S3CRET-one' }))
    expect(of({ token: 'S3CRET-one' })).not.toContain('S3CRET')
  })

  it('D15 is the client where issuer or subject is missing, and never lumps two users or issuers together', () => {
    expect(of({ clientId: 'app' })).toBe(of({ clientId: 'app', token: 'another', scopes: ['a'] }))
    const different = [
      of({ clientId: 'app' }),
      of({ clientId: 'other' }),
      of({ clientId: 'app', subject: 's' }),
      of({ clientId: 'app', subject: 't' }),
      of({ clientId: 'app', issuer: 'i' }),
      of({ clientId: 'app', issuer: 'j' }),
    ]
    expect(new Set(different).size).toBe(different.length)
  })

  it('never is the same for two different identities', () => {
    const text = fc.oneof(fc.constantFrom('a', '"', '","', '\\', ',', '["sub"'), fc.string({ minLength: 1 }))
    const identity = fc.oneof(fc.record({ issuer: text, subject: text }), fc.record({ clientId: text }))
    fc.assert(
      fc.property(identity, identity, (one, two) => {
        expect(of(one) === of(two)).toBe(JSON.stringify(one) === JSON.stringify(two))
      }),
    )
  })
})

describe('completeVerdict', () => {
  const clock = () => noon

  it.each([null, undefined, false])('refuses on %s', (verdict) => {
    expect(completeVerdict(verdict, clock)).toBeNull()
  })

  it('completes a plain object, and leaves an AccessToken as it is', () => {
    const token = new AccessToken({ token: secret })
    expect(completeVerdict(token, clock)).toBe(token)
    const completed = completeVerdict({ token: secret, claims: { email: 'alice@example.com' } }, clock)
    expect(completed).toBeInstanceOf(AccessToken)
    expect(completed?.claims).toEqual({ email: 'alice@example.com' })
  })

  it('FL-43 refuses what is over, the clock skew granted', () => {
    const expiresAt = noon / 1000 - 30
    expect(completeVerdict({ token: secret, expiresAt }, clock)).toBeNull()
    expect(completeVerdict(new AccessToken({ token: secret, expiresAt }), clock)).toBeNull()
    expect(completeVerdict({ token: secret, expiresAt, clockSkew: 60 }, clock)).not.toBeNull()
  })

  it.each(
    [true, 1, 0, '', secret, {}, [], { token: '' }, Symbol('x'), () => ({ token: secret })].map((verdict) => [
      verdict,
    ]),
  )('FL-45 throws a TypeError for the broken verdict %s', (verdict) => {
    expect(() => completeVerdict(verdict, clock)).toThrow(TypeError)
  })
})
