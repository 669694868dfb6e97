import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessToken, type AccessTokenInit } from '../core/index.ts'
import { ECKeyPair } from '../issuer/index.ts'
import { type CutOff, memoryRevocations, type RevokedToken } from './revocations.ts'

const issuer = 'https://as.example.com'
/** Seconds since 1970. */
const start = 1_800_000_000

function made() {
  let now = start
  const list = memoryRevocations(() => now * 1000)
  return {
    list,
    passSeconds: (seconds: number) => {
      now += seconds
    },
  }
}

const accessToken = (claims: object, more: Partial<AccessTokenInit> = {}) =>
  new AccessToken({ token: 'some.token', claims: { iss: issuer, ...claims }, ...more })

describe('a token that is revoked', () => {
  it('by its text is refused, and no other', () => {
    const { list } = made()
    list.revoke({ token: 'one' })
    expect(list.reasonFor(new AccessToken({ token: 'one' }))).toBe('revoked')
    for (const token of ['One', 'one ', 'one.', 'on', 'two']) {
      expect(list.reasonFor(new AccessToken({ token }))).toBeUndefined()
    }
  })

  it('by its jti is refused when the issuer is the same, and only then', () => {
    const { list } = made()
    list.revoke({ issuer, jti: 'j' })
    expect(list.reasonFor(accessToken({ jti: 'j' }))).toBe('revoked')
    for (const claims of [
      { jti: 'J' },
      { jti: 'k' },
      { jti: ['j'] },
      { jti: null },
      {},
      { jti: 'j', iss: `${issuer}/` },
      { jti: 'j', iss: undefined },
    ]) {
      expect(list.reasonFor(accessToken(claims))).toBeUndefined()
    }
  })

  it('by its jti alone, when its issuer does not say who it is', () => {
    const { list } = made()
    list.revoke({ jti: 'j' })
    expect(list.reasonFor(new AccessToken({ token: 'x', claims: { jti: 'j' } }))).toBe('revoked')
    expect(list.reasonFor(accessToken({ jti: 'j' }))).toBeUndefined()
    expect(list.reasonFor(accessToken({ jti: 'j', iss: 'null' }))).toBeUndefined()
  })

  it('by a jti that its issuer writes as a number', () => {
    const { list } = made()
    list.revoke({ issuer, jti: '17' })
    expect(list.reasonFor(accessToken({ jti: 17 }))).toBe('revoked')
    expect(list.reasonFor(accessToken({ jti: 18 }))).toBeUndefined()
  })

  it('by the issuer its verifier names, where the claims name none', () => {
    const { list } = made()
    list.revoke({ issuer, jti: 'j' })
    const token = new AccessToken({ token: 'x', issuer, claims: { jti: 'j' } })
    expect(list.reasonFor(token)).toBe('revoked')
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '["x"]', '\ud800', ' '])(
    'FL-33 a jti of %j is an id like any other',
    (jti) => {
      const { list } = made()
      expect(list.reasonFor(accessToken({ jti }))).toBeUndefined()
      list.revoke({ issuer, jti: 'other' })
      expect(list.reasonFor(accessToken({ jti }))).toBeUndefined()
      list.revoke({ issuer, jti })
      expect(list.reasonFor(accessToken({ jti }))).toBe('revoked')
    },
  )

  it('no two pairs of issuer and jti look alike, nor like the text of a token', () => {
    const { list } = made()
    list.revoke({ issuer: 'a","b', jti: 'c' })
    list.revoke({ issuer: 'a', jti: '["b"]' })
    for (const [iss, jti] of [
      ['a', 'b","c'],
      ['a","b', 'c"'],
      ['a', 'b'],
    ]) {
      expect(list.reasonFor(accessToken({ iss, jti }))).toBeUndefined()
    }
  })

  it('a JWT is revoked in each spelling of its signature, and with no other payload', async () => {
    const pair = await ECKeyPair.generate()
    const { list } = made()
    const token = await pair.createToken({ issuer })
    list.revoke({ token })
    const at = token.lastIndexOf('.')
    for (const spelling of [token, `${token.slice(0, at)}.AAAA`]) {
      expect(list.reasonFor(new AccessToken({ token: spelling }))).toBe('revoked')
    }
    const other = await pair.createToken({ issuer, subject: 'somebody-else' })
    expect(list.reasonFor(new AccessToken({ token: other }))).toBeUndefined()
    expect(list.reasonFor(new AccessToken({ token: token.slice(0, at) }))).toBeUndefined()
  })

  it('what has dots and is no JWT is one text', () => {
    const { list } = made()
    list.revoke({ token: 'key.id.one' })
    expect(list.reasonFor(new AccessToken({ token: 'key.id.one' }))).toBe('revoked')
    expect(list.reasonFor(new AccessToken({ token: 'key.id.two' }))).toBeUndefined()
  })
})

describe('FL-99 a cut-off', () => {
  const upTo = (seconds: number) => new Date(seconds * 1000)

  it.each<[string, unknown, 'cut_off' | undefined]>([
    ['long before', start - 1000, 'cut_off'],
    ['in the second', start, 'cut_off'],
    ['a fraction of it later', start + 0.001, undefined],
    ['in the next second', start + 1, undefined],
    ['never, it says', undefined, 'cut_off'],
    ['in a text', String(start + 1), 'cut_off'],
    ['in a list', [start + 1], 'cut_off'],
    ['null', null, 'cut_off'],
    ['in milliseconds', (start + 1) * 1000, 'cut_off'],
    ['at infinity', Number.POSITIVE_INFINITY, 'cut_off'],
    ['not a number', Number.NaN, 'cut_off'],
    ['below zero', -1, 'cut_off'],
  ])('refuses a token that was issued until then: %s', (_name, iat, expected) => {
    const { list } = made()
    list.cutOff({ issuer, issuedUntil: upTo(start) })
    expect(list.reasonFor(accessToken({ iat }))).toBe(expected)
  })

  it('is now when it is not said: the whole second counts, and the next token works', () => {
    const { list, passSeconds } = made()
    passSeconds(0.7)
    list.cutOff({ issuer })
    expect(list.reasonFor(accessToken({ iat: start }))).toBe('cut_off')
    expect(list.reasonFor(accessToken({ iat: start + 0.7 }))).toBe('cut_off')
    expect(list.reasonFor(accessToken({ iat: start + 0.8 }))).toBeUndefined()
    expect(list.reasonFor(accessToken({ iat: start + 1 }))).toBeUndefined()
  })

  it.each<[string, Omit<CutOff, 'issuer'>, object, object]>([
    ['an issuer', {}, { sub: 'anybody' }, { iss: 'https://b.example.com' }],
    ['a subject', { subject: 'alice' }, { sub: 'alice' }, { sub: 'bob' }],
    ['a client', { clientId: 'app' }, { sub: 'bob', client_id: 'app' }, { sub: 'bob', client_id: 'web' }],
  ])('of %s touches nobody else', (_name, which, touched, untouched) => {
    const { list } = made()
    list.cutOff({ issuer, ...which })
    expect(list.reasonFor(accessToken({ iat: start, ...touched }))).toBe('cut_off')
    expect(list.reasonFor(accessToken({ iat: start, ...untouched }))).toBeUndefined()
    expect(
      list.reasonFor(accessToken({ iat: start, ...touched, iss: 'https://b.example.com' })),
    ).toBeUndefined()
    expect(list.reasonFor(accessToken({ iat: start, ...touched, iss: undefined }))).toBeUndefined()
  })

  it('without iat a token is refused only where a cut-off applies to it', () => {
    const { list } = made()
    list.cutOff({ issuer, subject: 'alice' })
    expect(list.reasonFor(accessToken({ sub: 'alice' }))).toBe('cut_off')
    expect(list.reasonFor(accessToken({ sub: 'bob' }))).toBeUndefined()
  })

  it('of a subject is none of a client of that name, nor of an issuer', () => {
    const { list } = made()
    list.cutOff({ issuer, subject: 'x' })
    expect(list.reasonFor(accessToken({ iat: start, sub: 'y', client_id: 'x' }))).toBeUndefined()
    expect(list.reasonFor(accessToken({ iat: start, sub: 'y', iss: 'x' }))).toBeUndefined()
  })

  it('the latest of all that apply counts, whatever the order', () => {
    const cutOffs: readonly [CutOff, number][] = [
      [{ issuer, issuedUntil: upTo(start + 10) }, start + 10],
      [{ issuer, subject: 'alice', issuedUntil: upTo(start + 20) }, start + 20],
      [{ issuer, clientId: 'app', issuedUntil: upTo(start + 30) }, start + 30],
    ]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [1, 0],
      [0, 2],
      [2, 0],
    ]) {
      const { list } = made()
      let latest = 0
      for (const at of order) {
        const [cutOff, until] = cutOffs[at] ?? []
        if (cutOff) list.cutOff(cutOff)
        latest = Math.max(latest, until ?? 0)
      }
      const token = (iat: number) => accessToken({ iat, sub: 'alice', client_id: 'app' })
      expect(list.reasonFor(token(latest))).toBe('cut_off')
      expect(list.reasonFor(token(latest + 1))).toBeUndefined()
    }
  })

  it('an earlier one does not take a later one back', () => {
    const { list } = made()
    list.cutOff({ issuer, issuedUntil: upTo(start) })
    list.cutOff({ issuer, issuedUntil: upTo(start - 100) })
    expect(list.reasonFor(accessToken({ iat: start - 50 }))).toBe('cut_off')
    expect(list.size).toBe(1)
  })

  it('may be before 1970', () => {
    const { list } = made()
    list.cutOff({ issuer, issuedUntil: upTo(-1) })
    expect(list.reasonFor(accessToken({ iat: 0 }))).toBeUndefined()
    expect(list.reasonFor(accessToken({}))).toBe('cut_off')
  })
})

describe('entries', () => {
  it('go when the token has expired, the greatest clock skew later, and not before', () => {
    const { list, passSeconds } = made()
    const revoked = new AccessToken({ token: 'short' })
    list.revoke({ token: 'short', expiresAt: start + 100 })
    list.revoke({ token: 'dated', expiresAt: new Date((start + 100) * 1000) })
    list.revoke({ token: 'for ever' })
    passSeconds(400)
    list.revoke({ token: 'now' })
    expect(list.reasonFor(revoked)).toBe('revoked')
    expect(list.size).toBe(4)
    passSeconds(60)
    list.revoke({ token: 'later' })
    expect(list.reasonFor(revoked)).toBeUndefined()
    expect(list.reasonFor(new AccessToken({ token: 'for ever' }))).toBe('revoked')
    expect(list.size).toBe(3)
  })

  it('last as long as the longest of what was said of one token', () => {
    const { list, passSeconds } = made()
    list.revoke({ token: 'x' })
    list.revoke({ token: 'x', expiresAt: start - 1000 })
    list.revoke({ token: 'y', expiresAt: start - 1000 })
    list.revoke({ token: 'y', expiresAt: start + 10_000 })
    expect(list.size).toBe(2)
    passSeconds(5000)
    list.revoke({ token: 'z' })
    for (const token of ['x', 'y']) expect(list.reasonFor(new AccessToken({ token }))).toBe('revoked')
  })

  it('of cut-offs stay', () => {
    const { list, passSeconds } = made()
    list.cutOff({ issuer })
    passSeconds(86_400 * 365)
    list.revoke({ token: 'x' })
    expect(list.reasonFor(accessToken({ iat: start }))).toBe('cut_off')
  })

  it('do not pile up when tokens are short-lived', () => {
    const { list, passSeconds } = made()
    let most = 0
    for (let n = 0; n < 5000; n++) {
      passSeconds(1)
      list.revoke({ issuer, jti: `${n}`, expiresAt: start + n + 60 })
      most = Math.max(most, list.size)
    }
    expect(most).toBeLessThan(60 + 300 + 60 + 2)
  })
})

describe('B-63 what cannot be meant is refused, and nothing of a token is shown', () => {
  const secret = 'sk-secret'
  it.each<[string, unknown, RegExp]>([
    ['nothing', {}, /either token or jti/],
    ['token and jti', { token: secret, jti: 'j' }, /either token or jti/],
    ['an empty token', { token: '' }, /token/],
    ['a token that is no text', { token: 7 }, /token/],
    ['null', { token: null }, /token/],
    ['an empty jti', { issuer, jti: '' }, /jti/],
    ['a jti that is no text', { issuer, jti: 17 }, /jti/],
    ['an empty issuer', { issuer: '', jti: 'j' }, /issuer/],
    ['an issuer from a variable that was not set', { issuer: undefined, jti: 'j' }, /issuer is undefined/],
    ['a header instead of a token', { token: `Bearer ${secret}` }, /alone/],
    ['a line instead of a token', { token: `${secret}\n` }, /alone/],
    ['a blank before a token', { token: ` ${secret}` }, /alone/],
    ['an unknown member', { token: secret, until: 1 }, /until/],
    ['expiresAt that is no time', { token: secret, expiresAt: 'soon' }, /Date/],
    ['expiresAt in milliseconds', { token: secret, expiresAt: start * 1000 }, /seconds/],
    ['an invalid date', { token: secret, expiresAt: new Date(Number.NaN) }, /Date/],
    ['no object', secret, /object/],
  ])('revoke: %s', (_name, which, message) => {
    const { list } = made()
    expect(() => list.revoke(which as RevokedToken)).toThrow(TypeError)
    expect(() => list.revoke(which as RevokedToken)).toThrow(message)
    expect(() => list.revoke(which as RevokedToken)).not.toThrow(/secret/)
    expect(list.size).toBe(0)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', {}, /issuer/],
    ['no issuer', { subject: 'alice' }, /issuer/],
    ['an empty issuer', { issuer: '' }, /issuer/],
    ['subject and client', { issuer, subject: 'alice', clientId: 'app' }, /exclude/],
    ['a subject from a variable that was not set', { issuer, subject: undefined }, /subject is undefined/],
    ['a client from a variable that was not set', { issuer, clientId: undefined }, /clientId is undefined/],
    ['an empty subject', { issuer, subject: '' }, /subject/],
    ['null', { issuer, subject: null }, /subject/],
    ['a misspelt subject', { issuer, sub: 'alice' }, /sub/],
    ['an invalid date', { issuer, issuedUntil: new Date(Number.NaN) }, /Date/],
    ['milliseconds', { issuer, issuedUntil: start * 1000 }, /Date/],
    ['a text', { issuer, issuedUntil: '2027-01-01' }, /Date/],
  ])('cutOff: %s', (_name, which, message) => {
    const { list } = made()
    expect(() => list.cutOff(which as CutOff)).toThrow(TypeError)
    expect(() => list.cutOff(which as CutOff)).toThrow(message)
    expect(list.size).toBe(0)
  })

  it('a clock that is none', () => {
    expect(() => Reflect.apply(memoryRevocations, undefined, [{ clock: () => 0 }])).toThrow(/clock/)
  })
})

/** What the list should do, written down without a thought for speed: everything that was ever said is kept. */
function model() {
  const revoked: RevokedToken[] = []
  const cutOffs: CutOff[] = []
  const until = ({ issuedUntil }: CutOff) => (issuedUntil?.getTime() ?? 0) / 1000
  return {
    revoked,
    cutOffs,
    reasonFor({ token, issuer: iss, subject, clientId, claims: { jti, iat } }: AccessToken) {
      if (revoked.some((one) => one.token === token)) return 'revoked'
      if (revoked.some((one) => one.jti !== undefined && one.jti === jti && one.issuer === iss))
        return 'revoked'
      const applies = cutOffs.filter(
        (one) =>
          one.issuer === iss &&
          (one.subject === undefined || one.subject === subject) &&
          (one.clientId === undefined || one.clientId === clientId),
      )
      return applies.some((one) => typeof iat !== 'number' || iat <= until(one)) ? 'cut_off' : undefined
    },
  }
}

describe('FL-98 FL-99 any sequence of revocations', () => {
  const few = <T>(...values: T[]) => fc.constantFrom(...values)
  const optional = <T>(name: string, ...values: T[]) =>
    few(...values.map((value) => ({ [name]: value })), {} as { [name: string]: T })
  const issuers = few('a', 'b', '["a"]')
  const seconds = fc.integer({ min: 0, max: 20 }).map((n) => start + n / 2)

  /** When all tokens of these tests expire, and their revocations may be forgotten some time after. */
  const expiry = start + 200
  const revoke = fc.oneof(
    fc
      .tuple(few('t1', 't2', '__proto__'), optional('expiresAt', expiry))
      .map(([token, more]): RevokedToken => ({ token, ...more })),
    fc
      .tuple(optional('issuer', 'a', 'b', '["a"]'), few('j1', 'j2', '__proto__'))
      .map(([more, jti]): RevokedToken => ({ ...more, jti })),
  )
  const cutOff = fc
    .tuple(issuers, optional('subject', 's1', 'x'), optional('clientId', 'c1', 'x'), seconds)
    .filter(([, subject, client]) => Object.keys({ ...subject, ...client }).length < 2)
    .map(
      ([iss, subject, client, at]): CutOff => ({
        issuer: iss,
        ...subject,
        ...client,
        issuedUntil: new Date(at * 1000),
      }),
    )
  const token = fc
    .tuple(
      few('t1', 't2', 't3', '__proto__'),
      optional('iss', 'a', 'b', '["a"]'),
      optional('sub', 's1', 's2', 'x'),
      optional('client_id', 'c1', 'x'),
      optional('jti', 'j1', 'j2', '__proto__'),
      fc.option(seconds, { nil: undefined }),
    )
    .map(
      ([text, iss, sub, client, jti, iat]) =>
        new AccessToken({
          token: text,
          claims: { ...iss, ...sub, ...client, ...jti, ...(iat !== undefined && { iat }) },
        }),
    )
  const manyTokens = fc.array(token, { minLength: 5, maxLength: 40 })
  const step = fc.oneof(
    revoke.map((which) => ({ revoke: which })),
    cutOff.map((which) => ({ cutOff: which })),
    token.map((which) => ({ verify: which })),
    fc.integer({ min: 0, max: 100 }).map((pass) => ({ pass })),
  )

  it('ends as if nothing that was said had ever been forgotten', () => {
    const seen = { revoked: 0, cut_off: 0, undefined: 0 }
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), manyTokens, (steps, last) => {
        const { list, passSeconds } = made()
        const expected = model()
        let now = start
        const compare = (one: AccessToken) => {
          // Over, with the greatest clock skew: no verifier takes it any more.
          if (now >= expiry + 300) return
          const reason = expected.reasonFor(one)
          seen[`${reason}`] += 1
          expect(list.reasonFor(one)).toBe(reason)
        }
        for (const one of steps) {
          if ('revoke' in one) {
            list.revoke(one.revoke)
            expected.revoked.push(one.revoke)
          } else if ('cutOff' in one) {
            list.cutOff(one.cutOff)
            expected.cutOffs.push(one.cutOff)
          } else if ('verify' in one) compare(one.verify)
          else {
            passSeconds(one.pass)
            now += one.pass
          }
        }
        for (const one of last) compare(one)
      }),
      { seed: 98, numRuns: 1000 },
    )
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(1000)
  })
})
