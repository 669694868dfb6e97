import { describe, expect, it } from 'vitest'
import {
  AccessToken,
  AuthError,
  type AuthEvent,
  scopePolicy,
  type TokenVerifier,
  type Verdict,
} from '../core/index.ts'
import { ECKeyPair, RSAKeyPair } from '../issuer/index.ts'
import { anyOf } from './any-of.ts'
import { BearerAuthProvider } from './bearer-auth-provider.ts'
import { cached } from './cached.ts'
import { clientSecretBasic } from './client-authentication.ts'
import type { VerifierEnvironment } from './environment.ts'
import { introspectionVerifier } from './introspection.ts'
import { jwtVerifier } from './jwt.ts'
import type { RefusalReason } from './refusal.ts'
import { revocable } from './revocable.ts'
import { type MemoryRevocations, memoryRevocations } from './revocations.ts'
import { staticVerifier } from './static.ts'

const quiet = { logger: () => {} }
const start = 1_800_000_000_000
const clock = () => start
const pair = await RSAKeyPair.generate()
const base = { issuer: 'https://as.example.com', audience: 'me' }
const mint = (more: object = {}, jti = 'j') =>
  pair.createToken({ ...base, additionalClaims: { jti }, ...more }, clock)

function recorder() {
  const events: AuthEvent[] = []
  const reasons: RefusalReason[] = []
  const environment: VerifierEnvironment = {
    ...quiet,
    clock,
    onEvent: (event) => events.push(event),
    onRefused: ({ reason }) => reasons.push(reason),
  }
  return {
    reasons,
    environment,
    verdicts: () => events.filter(({ type }) => ['accepted', 'refused', 'failed'].includes(type)),
  }
}

const jwt = (more: object = {}, environment: VerifierEnvironment = { ...quiet, clock }) =>
  jwtVerifier({ publicKey: pair.publicKey, ...base, ...more }, environment)
const saying = (verdict: Verdict): TokenVerifier => ({ verifyToken: async () => verdict })

describe('FL-98 a token that is revoked is refused on the very next request', () => {
  const nestings: Readonly<Record<string, (list: MemoryRevocations) => TokenVerifier>> = {
    'remembered by jwtVerifier': (list) => revocable(jwt(), list),
    'remembered by nobody': (list) => revocable(jwt({}, { ...quiet, clock, rememberTokens: 0 }), list),
    'with a cache within': (list) => revocable(cached(jwt(), {}, { clock, ...quiet }), list),
    'with a cache around': (list) => cached(revocable(jwt(), list), {}, { clock, ...quiet }),
    'with caches everywhere': (list) =>
      cached(
        cached(revocable(cached(jwt(), {}, { clock, ...quiet }), list), {}, { clock, ...quiet }),
        {},
        { clock, ...quiet },
      ),
    'by a member': (list) => anyOf([revocable(jwt(), list), saying(null)], quiet),
    'by a member, with a cache around': (list) =>
      cached(anyOf([saying(null), revocable(jwt(), list)], quiet), {}, { clock, ...quiet }),
    'by a member in a cache': (list) =>
      anyOf([cached(revocable(jwt(), list), {}, { clock, ...quiet })], quiet),
    'around members': (list) =>
      revocable(anyOf([cached(jwt(), {}, { clock, ...quiet }), saying(null)], quiet), list),
    'with another list within': (list) => revocable(revocable(jwt(), memoryRevocations()), list),
    'with another list around': (list) =>
      cached(revocable(revocable(jwt(), list), memoryRevocations()), {}, { clock, ...quiet }),
    'by a provider': (list) =>
      revocable(new BearerAuthProvider({ publicKey: pair.publicKey, ...base }, { ...quiet, clock }), list),
    'by somebody else’s verifier around it': (list) => {
      const within = revocable(jwt(), list)
      return cached(
        {
          verifyToken: (token) => within.verifyToken(token),
          recheck: (token) => within.recheck?.(token),
        },
        {},
        { clock },
      )
    },
  }
  const ways: readonly [string, (token: string) => Parameters<MemoryRevocations['revoke']>[0]][] = [
    ['its text', (token) => ({ token })],
    ['its jti', () => ({ issuer: base.issuer, jti: 'j' })],
  ]

  describe.each(Object.keys(nestings))('%s', (name) => {
    it.each(ways)('by %s', async (_way, which) => {
      const list = memoryRevocations(clock)
      const verifier = nestings[name]?.(list) ?? saying(null)
      const [token, other] = [await mint(), await mint({}, 'k')]
      for (let n = 0; n < 2; n++) expect(await verifier.verifyToken(token)).not.toBeNull()
      list.revoke({ issuer: 'https://other.example.com', jti: 'j' })
      expect(await verifier.verifyToken(token)).not.toBeNull()
      list.revoke(which(token))
      for (let n = 0; n < 2; n++) expect(await verifier.verifyToken(token)).toBeNull()
      expect(await verifier.verifyToken(other)).not.toBeNull()
    })

    it('FL-99 by a cut-off, and the next one that is issued is taken', async () => {
      const list = memoryRevocations(clock)
      const verifier = nestings[name]?.(list) ?? saying(null)
      const token = await mint()
      expect(await verifier.verifyToken(token)).not.toBeNull()
      list.cutOff({ issuer: base.issuer, subject: 'fastmcp-user' })
      expect(await verifier.verifyToken(token)).toBeNull()
      const next = await pair.createToken(base, () => start + 1000)
      expect(await verifier.verifyToken(next)).not.toBeNull()
    })
  })
})

describe('what is revoked by its text', () => {
  /** The order of the group of P-256. */
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

  it('a JWT signed with ECDSA does not come back with the other signature everybody can make of it', async () => {
    const ec = await ECKeyPair.generate()
    const list = memoryRevocations()
    const within = jwtVerifier({ publicKey: ec.publicKey, algorithm: 'ES256', ...base }, quiet)
    const verifier = cached(revocable(within, list))
    const token = await ec.createToken(base)
    const at = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(at + 1), 'base64url')
    const other = order - BigInt(`0x${signature.subarray(32).toString('hex')}`)
    const twin = Buffer.concat([
      signature.subarray(0, 32),
      Buffer.from(other.toString(16).padStart(64, '0'), 'hex'),
    ])
    const spelling = `${token.slice(0, at)}.${twin.toString('base64url')}`
    expect(spelling).not.toBe(token)
    expect(await verifier.verifyToken(spelling)).not.toBeNull()
    list.revoke({ token })
    for (const one of [token, spelling]) {
      expect(await within.verifyToken(one)).not.toBeNull()
      expect(await verifier.verifyToken(one)).toBeNull()
    }
  })

  it('counts for the token that was presented, and for the one its verifier puts in its place', async () => {
    const list = memoryRevocations()
    const verifier = revocable(saying({ token: 'internal', subject: 'alice' }), list)
    expect((await verifier.verifyToken('one'))?.token).toBe('internal')
    list.revoke({ token: 'one' })
    expect(await verifier.verifyToken('one')).toBeNull()
    expect(await verifier.verifyToken('two')).not.toBeNull()
    list.revoke({ token: 'internal' })
    expect(await verifier.verifyToken('two')).toBeNull()
  })

  it('an opaque token, and one the authorization server gives an id', async () => {
    const list = memoryRevocations(clock)
    const verifier = revocable(
      introspectionVerifier(
        {
          endpoint: 'https://as.example.com/introspect',
          client: clientSecretBasic('me', 's'),
          audience: 'me',
        },
        {
          ...quiet,
          clock,
          fetch: async (_url, init) =>
            Response.json({
              active: true,
              aud: 'me',
              sub: 'u',
              jti: new URLSearchParams(`${init?.body}`).get('token'),
            }),
        },
      ),
      list,
    )
    for (const token of ['one', 'two', 'three']) expect(await verifier.verifyToken(token)).not.toBeNull()
    list.revoke({ token: 'one' })
    list.revoke({ issuer: base.issuer, jti: 'two' })
    expect(await verifier.verifyToken('one')).toBeNull()
    expect(await verifier.verifyToken('two')).toBeNull()
    expect(await verifier.verifyToken('three')).not.toBeNull()
  })
})

describe('a bad token is bad, and not merely short of a scope', () => {
  it.each<[string, object]>([
    ['remembered', {}],
    ['not remembered', { rememberTokens: 0 }],
  ])('a revoked one (%s)', async (_name, more) => {
    const { environment, verdicts, reasons } = recorder()
    const list = memoryRevocations(clock)
    const verifier = revocable(jwt({ requiredScopes: ['write'] }, { ...environment, ...more }), list)
    const token = await mint({ scopes: ['read'] })
    await expect(verifier.verifyToken(token)).rejects.toMatchObject({ scopes: ['write'] })
    const scopes = scopePolicy({ read: ['write'] })
    expect(await verifier.verifyToken(token, { scopes })).not.toBeNull()
    list.revoke({ token })
    expect(await verifier.verifyToken(token)).toBeNull()
    expect(verdicts().map(({ type }) => type)).toEqual(['failed', 'accepted', 'refused'])
    expect(reasons).toEqual(['revoked'])
  })

  it('an expired one, of somebody else’s verifier too', async () => {
    const verifier = revocable(
      { ...saying({ token: 'x', expiresAt: start / 1000 }), requiredScopes: ['write'] },
      memoryRevocations(),
      clock,
    )
    const told: string[] = []
    expect(await verifier.verifyToken('x', { refused: (reason) => told.push(reason) })).toBeNull()
    expect(told).toEqual(['expired'])
  })
})

describe('a list of somebody’s own', () => {
  const asking = (answer: unknown) =>
    revocable(saying({ token: 'x' }), { reasonFor: () => answer as 'revoked' })

  it.each<[unknown, string | undefined]>([
    ['revoked', 'revoked'],
    ['cut_off', 'cut_off'],
    ['stolen', 'revoked'],
    ['', 'revoked'],
    [true, 'revoked'],
    [false, 'revoked'],
    [0, 'revoked'],
    [{ token: 'x' }, 'revoked'],
    [new AccessToken({ token: 'x' }), 'revoked'],
    [Promise.resolve(undefined), 'revoked'],
    [undefined, undefined],
    [null, undefined],
  ])('that says %j refuses with %j, also when it is rechecked', async (answer, expected) => {
    const verifier = asking(answer)
    const told: string[] = []
    const token = await verifier.verifyToken('x', { refused: (reason) => told.push(reason) })
    expect(token === null ? told : []).toEqual(expected === undefined ? [] : [expected])
    expect(verifier.recheck?.(new AccessToken({ token: 'x' }))).toBe(expected)
  })

  it('that throws lets nobody in', async () => {
    const reasonFor = () => {
      throw new RangeError('no list')
    }
    const { environment, verdicts } = recorder()
    for (const within of [jwt({}, environment), saying({ token: 'x' })]) {
      const verifier = revocable(within, { reasonFor })
      for (let n = 0; n < 2; n++) await expect(verifier.verifyToken(await mint())).rejects.toThrow(RangeError)
    }
    expect(verdicts().map(({ type }) => type)).toEqual(['failed', 'failed'])
  })

  it('is asked about good tokens only, with all that is known of them', async () => {
    const asked: AccessToken[] = []
    const verifier = revocable(jwt(), { reasonFor: (token) => void asked.push(token) })
    await verifier.verifyToken(await mint({ audience: 'other' }))
    await verifier.verifyToken(await mint({ scopes: ['read'] }))
    expect(asked).toEqual([expect.objectContaining({ issuer: base.issuer, scopes: ['read'] })])
  })
})

describe('what revocable reports, through whoever decided', () => {
  it('each verdict once: good, revoked, out of reach, broken', async () => {
    const { environment, verdicts, reasons } = recorder()
    const list = memoryRevocations(clock)
    const verifier = revocable(staticVerifier({ one: {}, two: {} }, environment), list)
    list.revoke({ token: 'two' })
    for (const token of ['one', 'two', 'three']) await verifier.verifyToken(token)
    expect(verdicts()).toMatchObject([
      { type: 'accepted', method: 'static', cache: 'none' },
      { type: 'refused', method: 'static', cache: 'none', reason: 'revoked' },
      { type: 'refused', method: 'static', cache: 'none', reason: 'unknown_token' },
    ])
    expect(reasons).toEqual(['revoked', 'unknown_token'])
  })

  it('D6 an outage once, with its method', async () => {
    const { environment, verdicts } = recorder()
    const fetch = async () => {
      throw new TypeError('unreachable')
    }
    const remote = jwtVerifier({ jwksUri: 'https://as.example.com/jwks', ...base }, { ...environment, fetch })
    const verifier = revocable(revocable(remote, memoryRevocations()), memoryRevocations())
    await expect(verifier.verifyToken(await mint())).rejects.toMatchObject({ code: 'verifier_unavailable' })
    expect(verdicts()).toMatchObject([
      { type: 'failed', method: 'jwt', cache: 'miss', error: 'verifier_unavailable' },
    ])
  })

  it('an outage of somebody else’s verifier is passed on as it is', async () => {
    const error = new AuthError('verifier_unavailable', 'down', { retryAfter: 9 })
    const down: TokenVerifier = { verifyToken: () => Promise.reject(error) }
    await expect(revocable(down, memoryRevocations()).verifyToken('x')).rejects.toBe(error)
  })
})

describe('recheck of a token that was good', () => {
  it('is what the verifier within says, else what the list says', () => {
    const list = memoryRevocations(clock)
    const token = new AccessToken({ token: 'x', issuer: base.issuer })
    const said: { now?: string | null } = {}
    const verifier = revocable({ ...saying(null), recheck: () => said.now as string }, list)
    expect(verifier.recheck?.(token)).toBeUndefined()
    list.cutOff({ issuer: base.issuer })
    expect(verifier.recheck?.(token)).toBe('cut_off')
    said.now = null
    expect(verifier.recheck?.(token)).toBe('cut_off')
    said.now = 'expired'
    expect(verifier.recheck?.(token)).toBe('expired')
    said.now = 'whatever'
    expect(verifier.recheck?.(token)).toBe('revoked')
  })
})

describe('B-63 revocable refuses when made', () => {
  it.each<[string, unknown[], RegExp]>([
    ['no verifier', [undefined, memoryRevocations()], /verifyToken/],
    ['no list', [saying(null)], /reasonFor/],
    ['a list of words', [saying(null), ['x']], /reasonFor/],
    ['null', [saying(null), null], /reasonFor/],
    ['an environment in the place of a clock', [saying(null), memoryRevocations(), { clock }], /clock/],
  ])('%s', (_name, given, message) => {
    expect(() => Reflect.apply(revocable, undefined, given)).toThrow(TypeError)
    expect(() => Reflect.apply(revocable, undefined, given)).toThrow(message)
  })
})
