import { describe, expect, it } from 'vitest'
import { AuthError, type AuthEvent, type TokenVerifier, type Verdict } from '../core/index.ts'
import { ECKeyPair, RSAKeyPair } from '../issuer/index.ts'
import { anyOf } from './any-of.ts'
import { BearerAuthProvider } from './bearer-auth-provider.ts'
import { cached } from './cached.ts'
import { clientSecretBasic } from './client-authentication.ts'
import { introspectionVerifier } from './introspection.ts'
import { jwtVerifier } from './jwt.ts'
import type { RefusalReason } from './refusal.ts'
import { revocable } from './revocable.ts'
import { memoryRevocations } from './revocations.ts'
import { staticVerifier } from './static.ts'

const quiet = { logger: () => {} }
const [pairA, pairB] = await Promise.all([RSAKeyPair.generate(), ECKeyPair.generate()])
const a = { issuer: 'https://a.example.com', audience: 'server-of-a' }
const b = { issuer: 'https://b.example.com', audience: 'server-of-b' }

const jwtA = (more: object = {}) => jwtVerifier({ publicKey: pairA.publicKey, ...a, ...more }, quiet)
const jwtB = () => jwtVerifier({ publicKey: pairB.publicKey, algorithm: 'ES256', ...b }, quiet)
const anyIssuer = () => jwtVerifier({ publicKey: pairA.publicKey }, quiet)

/** A member of somebody else's: what it answers, and which tokens it was shown. */
function member(answer: (token: string) => Verdict, traits: Partial<TokenVerifier> = {}) {
  const shown: string[] = []
  const verifier: TokenVerifier = {
    ...traits,
    async verifyToken(token) {
      shown.push(token)
      return answer(token)
    },
  }
  return { shown, verifier }
}
const knows = (...tokens: string[]) =>
  member((token) => (tokens.includes(token) ? { token, subject: 'somebody' } : null))
const down = () => {
  throw new AuthError('verifier_unavailable')
}

/** An authorization server that takes everything, and the tokens it was asked about. */
function introspection(more: object = {}) {
  const shown: string[] = []
  const verifier = introspectionVerifier(
    {
      endpoint: 'http://127.0.0.1:9/introspect',
      client: clientSecretBasic('me', 'secret'),
      audience: 'me',
      ...more,
    },
    {
      ...quiet,
      fetch: async (_url, init) => {
        shown.push(new URLSearchParams(String(init?.body)).get('token') ?? '')
        return Response.json({ active: true, aud: 'me', sub: 'somebody' })
      },
    },
  )
  return { shown, verifier }
}

function recorder() {
  const events: AuthEvent[] = []
  const reasons: RefusalReason[] = []
  return {
    events,
    reasons,
    environment: {
      ...quiet,
      onEvent: (event: AuthEvent) => events.push(event),
      onRefused: ({ reason }: { reason: RefusalReason }) => reasons.push(reason),
    },
  }
}

describe('anyOf with several issuers', () => {
  it('B-61 each token is judged by the keys, the audience and the algorithm of its own issuer', async () => {
    const verifier = anyOf([jwtA(), jwtB()], quiet)
    expect((await verifier.verifyToken(await pairA.createToken(a)))?.issuer).toBe(a.issuer)
    expect((await verifier.verifyToken(await pairB.createToken(b)))?.issuer).toBe(b.issuer)
    const crossed = [
      pairB.createToken(a),
      pairA.createToken(b),
      pairA.createToken({ ...a, audience: b.audience }),
      pairB.createToken({ ...b, audience: a.audience }),
    ]
    for (const token of crossed) expect(await verifier.verifyToken(await token)).toBeNull()
  })

  it.each(['https://attacker.example.com', `${a.issuer}/`, 'HTTPS://A.EXAMPLE.COM', '*', '__proto__'])(
    'B-60 a token of %j is nobody’s',
    async (issuer) => {
      const { environment, reasons, events } = recorder()
      const verifier = anyOf([jwtA(), jwtB()], environment)
      expect(await verifier.verifyToken(await pairA.createToken({ ...a, issuer }))).toBeNull()
      expect(reasons).toEqual(['not_recognized'])
      expect(events).toEqual([expect.objectContaining({ type: 'refused', method: 'custom', cache: 'none' })])
    },
  )

  it('B-60 iss in a list, or no iss, is nobody’s', async () => {
    const verifier = anyOf([jwtA(), jwtB()], quiet)
    for (const iss of [[a.issuer], { 0: a.issuer }, null, 7]) {
      const token = await pairA.createToken({ ...a, additionalClaims: { iss } })
      expect(await verifier.verifyToken(token)).toBeNull()
    }
  })

  it('names all authorization servers and issuers, and the scopes that all need', () => {
    const jwksUri = 'https://idp.example.com/jwks'
    const verifier = anyOf(
      [
        jwtVerifier({ jwksUri, ...a, requiredScopes: ['read', 'a'] }, quiet),
        jwtVerifier({ jwksUri, ...b, requiredScopes: ['b', 'read'] }, quiet),
      ],
      quiet,
    )
    expect(verifier.authorizationServers).toEqual([a.issuer, b.issuer])
    expect(verifier.issuers).toEqual([a.issuer, b.issuer])
    expect(verifier.requiredScopes).toEqual(['read'])
    expect(anyOf([verifier, staticVerifier({ x: {} }, quiet)]).requiredScopes).toEqual([])
  })
})

describe('B-63 anyOf refuses when made', () => {
  const broken: readonly [string, () => unknown, RegExp][] = [
    ['no list', () => undefined, /members/],
    ['an empty list', () => [], /members/],
    ['a set', () => new Set([jwtA()]), /members/],
    ['a hole', () => Array(1), /verifyToken/],
    ['nothing', () => [null], /verifyToken/],
    ['a function', () => [() => null], /verifyToken/],
    ['one issuer twice', () => [jwtA(), jwtA()], /same issuer/],
    ['one issuer within a list', () => [jwtA({ issuer: [b.issuer, a.issuer] }), jwtB()], /same issuer/],
    [
      'one issuer within a cache',
      () => [cached(jwtA()), revocable(jwtA(), memoryRevocations())],
      /same issuer/,
    ],
    ['one issuer within another anyOf', () => [anyOf([jwtA(), jwtB()]), jwtB()], /same issuer/],
    ['JWTs of any issuer beside others', () => [anyIssuer(), jwtA()], /needs issuer/],
    ['JWTs of any issuer twice', () => [anyIssuer(), anyIssuer()], /needs issuer/],
    ['JWTs of any issuer within a cache', () => [jwtA(), cached(anyIssuer())], /needs issuer/],
    [
      'JWTs of any issuer within a provider',
      () => [jwtA(), new BearerAuthProvider({ publicKey: pairA.publicKey }, quiet)],
      /needs issuer/,
    ],
    ['scopes that are no list', () => [{ ...knows().verifier, requiredScopes: 'read' }], /requiredScopes/],
    ['recognizes that is no method', () => [{ ...knows().verifier, recognizes: true }], /recognizes/],
    ['recheck that is no method', () => [{ ...knows().verifier, recheck: 'never' }], /recheck/],
  ]
  it.each(broken)('%s', (_name, members, message) => {
    expect(() => Reflect.apply(anyOf, undefined, [members()])).toThrow(TypeError)
    expect(() => Reflect.apply(anyOf, undefined, [members()])).toThrow(message)
  })

  it('an unknown member of the environment', () => {
    expect(() => Reflect.apply(anyOf, undefined, [[jwtA()], { onRefusal() {} }])).toThrow(/onRefusal/)
  })

  it('and takes JWTs of any issuer beside what is no JWT verifier', () => {
    expect(() => anyOf([anyIssuer(), introspection().verifier, knows().verifier], quiet)).not.toThrow()
  })

  it('keeps its own copy of the list', async () => {
    const members = [knows('one').verifier]
    const verifier = anyOf(members, quiet)
    members[0] = knows('two').verifier
    expect(await verifier.verifyToken('one')).not.toBeNull()
    expect(await verifier.verifyToken('two')).toBeNull()
  })
})

describe('B-62 K16 anyOf asks those only that recognise a token', () => {
  const bad: readonly [string, () => Promise<string>][] = [
    ['expired', () => pairA.createToken(a, () => 1_000_000_000_000)],
    ['for another audience', () => pairA.createToken({ ...a, audience: 'other' })],
    ['of another key', () => pairB.createToken(a)],
    ['with an altered signature', async () => altered(await pairA.createToken(a))],
  ]
  it.each(bad)(
    'a JWT that is %s is shown to nobody else, wherever its verifier stands',
    async (_name, make) => {
      const token = await make()
      const lists = [
        (own: TokenVerifier, asked: TokenVerifier, mine: TokenVerifier) => [own, asked, mine],
        (own: TokenVerifier, asked: TokenVerifier, mine: TokenVerifier) => [mine, asked, own],
        (own: TokenVerifier, asked: TokenVerifier, mine: TokenVerifier) => [mine, anyOf([asked, own])],
        // A member of its own that cannot tell must not make all of it look as if it could not.
        (own: TokenVerifier, asked: TokenVerifier, mine: TokenVerifier) => [
          mine,
          anyOf([own, knows().verifier]),
          asked,
        ],
        (own: TokenVerifier, asked: TokenVerifier, mine: TokenVerifier) => [
          mine,
          asked,
          cached(revocable(anyOf([own, knows().verifier]), memoryRevocations())),
        ],
      ]
      for (const list of lists) {
        const asked = introspection()
        const mine = knows()
        expect(await anyOf(list(jwtA(), asked.verifier, mine.verifier), quiet).verifyToken(token)).toBeNull()
        expect([asked.shown, mine.shown]).toEqual([[], []])
      }
    },
  )

  it('what looks like a JWT and is none goes to those that are there for opaque tokens', async () => {
    const asked = introspection()
    const verifier = anyOf([jwtA(), asked.verifier], quiet)
    expect((await verifier.verifyToken('a.b.c'))?.subject).toBe('somebody')
    expect(asked.shown).toEqual(['a.b.c'])
  })

  it('a JWT goes to the authorization server only where that is asked for', async () => {
    const token = await pairB.createToken(b)
    const [opaque, all] = [introspection(), introspection({ tokens: 'all' })]
    expect(await anyOf([jwtA(), opaque.verifier], quiet).verifyToken(token)).toBeNull()
    expect(await anyOf([jwtA(), all.verifier], quiet).verifyToken(token)).not.toBeNull()
    expect([opaque.shown, all.shown]).toEqual([[], [token]])
  })

  it('a key with a prefix goes to the member that has the prefix, good or not', async () => {
    const keys = member((token) => (token === 'sk_good' ? { token } : null), {
      recognizes: (token) => token.startsWith('sk_'),
    })
    const [asked, mine] = [introspection(), knows('sk_bad', 'other')]
    const verifier = anyOf([mine.verifier, keys.verifier, asked.verifier], quiet)
    expect(await verifier.verifyToken('sk_good')).not.toBeNull()
    expect(await verifier.verifyToken('sk_bad')).toBeNull()
    expect(keys.shown).toEqual(['sk_good', 'sk_bad'])
    expect([asked.shown, mine.shown]).toEqual([[], []])
  })

  it('members that cannot tell are asked in their order, until one knows the token', async () => {
    const [one, two, three] = [knows('x'), knows('y'), knows('y', 'z')]
    const verifier = anyOf([one.verifier, two.verifier, jwtA(), three.verifier], quiet)
    expect(await verifier.verifyToken('y')).not.toBeNull()
    expect(await verifier.verifyToken('w')).toBeNull()
    expect([one.shown, two.shown, three.shown]).toEqual([['y', 'w'], ['y', 'w'], ['w']])
  })

  it('only a plain yes is recognition', async () => {
    const answers: readonly unknown[] = [1, 'yes', {}, null, undefined, Promise.resolve(true)]
    for (const answer of answers) {
      const odd = member((token) => ({ token }))
      Object.assign(odd.verifier, { recognizes: () => answer })
      expect(await anyOf([odd.verifier, knows().verifier], quiet).verifyToken('x')).toBeNull()
      expect(odd.shown).toEqual([])
    }
  })

  it('recognizes is asked as a method, and what it throws is an error, never a verdict', async () => {
    const { environment, events } = recorder()
    class Prefixed implements TokenVerifier {
      readonly prefix = 'sk_'
      recognizes(token: string) {
        if (token === 'trouble') throw new RangeError('out of order')
        return token.startsWith(this.prefix)
      }
      async verifyToken(token: string) {
        return { token }
      }
    }
    const verifier = anyOf([new Prefixed(), knows().verifier], environment)
    expect(await verifier.verifyToken('sk_1')).not.toBeNull()
    await expect(verifier.verifyToken('trouble')).rejects.toThrow(RangeError)
    expect(events).toEqual([
      expect.objectContaining({ type: 'accepted', method: 'custom' }),
      expect.objectContaining({ type: 'failed', error: 'verifier_error' }),
    ])
  })

  it('what somebody else’s verifier recognises is its own to say, whatever issuers it names, in a cache too', async () => {
    const odd = member((token) => ({ token }), { issuers: [b.issuer], recognizes: (token) => token === 'x' })
    for (const verifier of [
      anyOf([jwtA(), odd.verifier], quiet),
      anyOf([jwtA(), cached(odd.verifier)], quiet),
      anyOf([jwtA(), anyOf([revocable(odd.verifier, memoryRevocations())])], quiet),
    ]) {
      expect(await verifier.verifyToken('x')).not.toBeNull()
      expect(await verifier.verifyToken(await pairB.createToken(b))).toBeNull()
    }
  })

  it('JWTs of any issuer are recognised beside other members, when their iss is a text or absent', async () => {
    const mine = knows()
    const verifier = anyOf([mine.verifier, anyIssuer()], quiet)
    const of = (iss: unknown) => pairA.createToken({ additionalClaims: { iss } })
    for (const iss of ['https://x.example.com', undefined]) {
      expect(await verifier.verifyToken(await of(iss))).not.toBeNull()
    }
    expect(mine.shown).toEqual([])
  })

  it('recognises for others what its members recognise, and cannot say when one of them cannot', () => {
    expect(anyOf([jwtA(), jwtB()]).recognizes?.('x')).toBe(false)
    expect(anyOf([jwtA(), introspection().verifier]).recognizes?.('x')).toBe(true)
    expect(anyOf([jwtA(), knows().verifier]).recognizes).toBeUndefined()
  })
})

describe('several members that recognise a token', () => {
  const recognizes = () => true

  it('B-62 the first that knows it decides: what is expired, revoked or not meant for us stops there', async () => {
    const token = await pairA.createToken({ ...a, audience: 'other' })
    const list = memoryRevocations()
    const good = await pairA.createToken(a)
    list.revoke({ token: good })
    for (const [own, shown] of [
      [jwtA(), token],
      [revocable(jwtA(), list), good],
    ] as const) {
      const all = introspection({ tokens: 'all' })
      expect(await anyOf([own, all.verifier], quiet).verifyToken(shown)).toBeNull()
      expect(all.shown).toEqual([])
    }
    const expired = staticVerifier({ old: { expiresAt: 1 } }, quiet)
    const asked = introspection()
    expect(await anyOf([expired, asked.verifier], quiet).verifyToken('old')).toBeNull()
    expect(asked.shown).toEqual([])
  })

  it('B-62 a JWT whose signature proves nothing is shown to the next one, where that takes all tokens', async () => {
    const [, payload = '', signature = ''] = (await pairA.createToken(a)).split('.')
    const headers = [
      { alg: 'none' },
      { alg: 'RS256', typ: 'other' },
      { alg: 'RS256', crit: ['exp'] },
      { alg: 'RS256', kid: 7 },
    ]
    const unread = headers.map(
      (header) => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`,
    )
    for (const token of [await pairB.createToken(a), altered(await pairA.createToken(a)), ...unread]) {
      const all = introspection({ tokens: 'all' })
      expect(await anyOf([jwtA(), all.verifier], quiet).verifyToken(token)).not.toBeNull()
      expect(all.shown).toEqual([token])
    }
  })

  it('inactive leaves it open: another authorization server may know the token', async () => {
    const second = introspection()
    expect((await anyOf([inactive(), second.verifier], quiet).verifyToken('x'))?.subject).toBe('somebody')
  })

  it('a token that one member has revoked is let in by no other', async () => {
    const list = memoryRevocations()
    list.revoke({ token: 'shared' })
    const one = revocable(knows('shared').verifier, list)
    const two = knows('shared')
    expect(await anyOf([one, two.verifier], quiet).verifyToken('shared')).toBeNull()
    expect(await anyOf([cached(one), two.verifier], quiet).verifyToken('shared')).toBeNull()
    expect(two.shown).toEqual([])
  })

  it('a token that one member has cut off is let in by no other', async () => {
    const list = memoryRevocations()
    list.cutOff({ issuer: 'x' })
    const one = revocable(member((token) => ({ token, issuer: 'x' })).verifier, list)
    const two = knows('shared')
    expect(await anyOf([one, two.verifier], quiet).verifyToken('shared')).toBeNull()
    expect(two.shown).toEqual([])
  })

  it('FL-58 D6 one that is down is an outage, wherever it stands before the one that knows', async () => {
    const broken = member(down, { recognizes })
    const unsure = member(down)
    for (const verifier of [
      anyOf([broken.verifier, introspection().verifier], quiet),
      anyOf([unsure.verifier, knows('x').verifier], quiet),
      anyOf([knows().verifier, unsure.verifier], quiet),
      anyOf([anyOf([knows().verifier, unsure.verifier]), knows('x').verifier], quiet),
      anyOf([cached(unsure.verifier), knows().verifier], quiet),
    ]) {
      await expect(verifier.verifyToken('x')).rejects.toMatchObject({ code: 'verifier_unavailable' })
    }
  })

  it('one that is down does not touch tokens of others', async () => {
    const broken = member(down, { recognizes: (token) => token.startsWith('sk_') })
    const verifier = anyOf([broken.verifier, jwtA(), knows('x').verifier], quiet)
    expect(await verifier.verifyToken(await pairA.createToken(a))).not.toBeNull()
    expect(await verifier.verifyToken('x')).not.toBeNull()
    expect(await verifier.verifyToken('y')).toBeNull()
  })

  it('a good token that lacks a scope of its member is not shown to the next', async () => {
    const one = member((token) => ({ token, scopes: ['read'] }), { requiredScopes: ['write'] })
    const two = knows('x')
    await expect(anyOf([one.verifier, two.verifier], quiet).verifyToken('x')).rejects.toMatchObject({
      code: 'insufficient_scope',
      scopes: ['write'],
    })
    expect(two.shown).toEqual([])
  })
})

describe('what anyOf reports', () => {
  it('the verdict of a member goes to that member’s listeners, with its method and its cache', async () => {
    const [own, other, outer] = [recorder(), recorder(), recorder()]
    const remembering = cached(staticVerifier({ one: {} }, other.environment))
    const verifier = anyOf(
      [remembering, staticVerifier({ two: {} }, own.environment), knows().verifier],
      outer.environment,
    )
    await verifier.verifyToken('two')
    expect(own.events).toEqual([
      expect.objectContaining({ type: 'accepted', method: 'static', cache: 'none' }),
    ])
    await verifier.verifyToken('one')
    await verifier.verifyToken('one')
    expect(other.events).toEqual([
      expect.objectContaining({ type: 'accepted', method: 'static', cache: 'miss' }),
      expect.objectContaining({ type: 'accepted', method: 'static', cache: 'hit' }),
    ])
    expect(outer.events).toEqual([])
  })

  it('the label of a cache is not that of the member that was asked after it', async () => {
    const { environment, events } = recorder()
    const verifier = anyOf([inactive(), staticVerifier({ two: {} }, environment)], quiet)
    await verifier.verifyToken('two')
    expect(events).toEqual([expect.objectContaining({ type: 'accepted', method: 'static', cache: 'none' })])
  })

  it('closes all members, also when one of them fails', () => {
    const closed: string[] = []
    const closing = (name: string, fails = false): TokenVerifier =>
      Object.assign(knows().verifier, {
        close() {
          closed.push(name)
          if (fails) throw new RangeError(name)
        },
      })
    const verifier = anyOf([closing('one'), closing('two', true), knows().verifier, closing('three')], quiet)
    expect(() => verifier.close?.()).toThrow(RangeError)
    expect(closed).toEqual(['one', 'two', 'three'])
  })
})

/** An authorization server that knows no token. */
function inactive() {
  return introspectionVerifier(
    { endpoint: 'http://127.0.0.1:9/', client: clientSecretBasic('me', 'secret'), audience: 'me' },
    { ...quiet, fetch: async () => Response.json({ active: false }) },
  )
}

function altered(token: string): string {
  const at = token.lastIndexOf('.') + 5
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}
