import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { getHeapSnapshot } from 'node:v8'
import { describe, expect, it } from 'vitest'
import {
  AccessToken,
  AuthError,
  type AuthEvent,
  scopePolicy,
  type TokenVerifier,
  type Verdict,
  type VerifyContext,
} from '../core/index.ts'
import { RSAKeyPair } from '../issuer/index.ts'
import { type CachedOptions, cached } from './cached.ts'
import { jwtVerifier } from './jwt.ts'
import { tokenMap } from './remembered.ts'
import { revocable } from './revocable.ts'
import { memoryRevocations } from './revocations.ts'
import { staticVerifier } from './static.ts'

const quiet = { logger: () => {} }
const start = 1_800_000_000_000
const good = (token: string): Verdict => ({ token, subject: 'alice', scopes: ['read'] })

/** A verifier behind a cache whose clock moves by hand, and what the verifier was asked. */
function made(
  answer: (token: string, context?: VerifyContext) => Verdict | Promise<Verdict> = good,
  options: CachedOptions = {},
  traits: Partial<TokenVerifier> = {},
) {
  let now = start
  const asked: string[] = []
  const events: AuthEvent[] = []
  const verifier = cached(
    {
      ...traits,
      async verifyToken(token, context) {
        asked.push(token)
        return answer(token, context)
      },
    },
    options,
    { ...quiet, clock: () => now, onEvent: (event) => events.push(event) },
  )
  return {
    asked,
    events,
    verifier,
    verify: async (token: string, context?: VerifyContext) =>
      (await verifier.verifyToken(token, context)) !== null,
    passSeconds: (seconds: number) => {
      now += seconds * 1000
    },
  }
}

/** An answer that comes when it is told to. */
function later() {
  let resolve: (verdict: Verdict) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Verdict>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

/** Whether a promise is still open when everything that can happen without waiting has happened. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open')
  const turn = new Promise((resolve) => setImmediate(() => resolve(open)))
  return (await Promise.race([promise, turn])) === open
}

describe('what cached remembers', () => {
  it('B-95 a good token for maxAge, and not a moment longer', async () => {
    const { verify, asked, passSeconds } = made(good, { maxAge: 10 })
    await verify('x')
    passSeconds(9.999)
    expect(await verify('x')).toBe(true)
    expect(asked).toHaveLength(1)
    passSeconds(0.001)
    expect(await verify('x')).toBe(true)
    expect(asked).toHaveLength(2)
  })

  it('B-95 by default 30 seconds a good token, 5 a refusal', async () => {
    const { verify, asked, passSeconds } = made((token) => (token === 'x' ? { token } : null))
    await verify('x')
    await verify('bad')
    passSeconds(4.999)
    await verify('bad')
    passSeconds(0.001)
    await verify('bad')
    expect(asked).toEqual(['x', 'bad', 'bad'])
    passSeconds(24.999)
    await verify('x')
    expect(asked).toHaveLength(3)
    passSeconds(0.001)
    await verify('x')
    expect(asked).toHaveLength(4)
  })

  it('no refusal where maxAgeOfRefusals is 0', async () => {
    const { verify, asked } = made(() => null, { maxAgeOfRefusals: 0 })
    for (let n = 0; n < 3; n++) expect(await verify('x')).toBe(false)
    expect(asked).toHaveLength(3)
  })

  it('with a clock that stands still, all of it', async () => {
    const { verify, asked } = made()
    for (let n = 0; n < 100; n++) await verify('x')
    expect(asked).toHaveLength(1)
  })

  it('counts from when it asked, so that nothing on its way makes it learn later of a revocation', async () => {
    const slow = later()
    const { verify, asked, passSeconds } = made(() => slow.promise, { maxAge: 10 })
    const first = verify('x')
    passSeconds(8)
    slow.resolve({ token: 'x' })
    expect(await first).toBe(true)
    passSeconds(1.999)
    await verify('x')
    expect(asked).toHaveLength(1)
    passSeconds(0.001)
    await verify('x')
    expect(asked).toHaveLength(2)
  })

  it('nothing for longer because the clock was set back', async () => {
    const { verify, asked, passSeconds } = made()
    await verify('x')
    passSeconds(-3600)
    await verify('x')
    expect(asked).toHaveLength(2)
  })

  it.each([3600, 30, 1])(
    'FL-98 B-121 no token past its expiry, remembered for %d seconds',
    async (maxAge) => {
      const expiresAt = start / 1000 + 20
      const { verify, passSeconds } = made((token) => ({ token, expiresAt }), { maxAge })
      expect(await verify('x')).toBe(true)
      passSeconds(19.999)
      expect(await verify('x')).toBe(true)
      passSeconds(0.001)
      expect(await verify('x')).toBe(false)
    },
  )

  it('B-121 B-95 nothing is remembered beyond expiry; the clock skew of a verifier is granted by asking it', async () => {
    const { verify, asked, passSeconds } = made(
      (token) => ({ token, expiresAt: start / 1000 + 5, clockSkew: 10 }),
      { maxAge: 60 },
    )
    await verify('x')
    passSeconds(4.999)
    expect(await verify('x')).toBe(true)
    expect(asked).toHaveLength(1)
    passSeconds(10)
    expect(await verify('x')).toBe(true)
    expect(asked).toHaveLength(2)
    passSeconds(0.001)
    expect(await verify('x')).toBe(false)
  })

  it('the same as the first time, in a token of its own for each caller', async () => {
    const verifier = cached(
      staticVerifier({ x: { subject: 'alice', scopes: ['read'], claims: { n: 1 } } }, quiet),
    )
    const [first, second] = [await verifier.verifyToken('x'), await verifier.verifyToken('x')]
    expect(second).toEqual(first)
    expect(second?.toJSON()).toEqual(first?.toJSON())
    expect(second?.token).toBe('x')
    expect(second).not.toBe(first)
  })

  it('D15 B-124 nobody’s principal changes with it', async () => {
    const { verifier } = made((token) => ({ token }))
    const ids = []
    for (const token of ['one', 'two', 'one', 'two']) ids.push((await verifier.verifyToken(token))?.clientId)
    expect(ids[0]).toBe(ids[2])
    expect(ids[1]).toBe(ids[3])
    expect(ids[0]).not.toBe(ids[1])
  })

  it('no token that its verifier has put in the place of the one it got', async () => {
    const { verifier, asked } = made(() => ({ token: 'other' }))
    for (let n = 0; n < 2; n++) expect((await verifier.verifyToken('x'))?.token).toBe('other')
    expect(asked).toEqual(['x', 'x'])
  })

  it.each(['x\ud800', '\udfff', 'x\ufffd\ud800'])(
    'nothing for a text that is no Unicode, whose bytes are those of another (%#)',
    async (token) => {
      const { verify, asked } = made()
      await verify('x\ufffd')
      await verify('\ufffd')
      await verify('x\ufffd\ufffd')
      expect(await verify(token)).toBe(false)
      expect(asked).not.toContain(token)
    },
  )

  it.each([undefined, null, 7, {}, ['x'], new String('x')])('nothing that is no text (%#)', async (token) => {
    const { verifier, asked } = made()
    expect(await Reflect.apply(verifier.verifyToken, undefined, [token])).toBeNull()
    expect(asked).toEqual([])
  })
})

describe('D6 an outage, and an error', () => {
  it.each<[string, () => never]>([
    [
      'an outage',
      () => {
        throw new AuthError('verifier_unavailable', 'down', { retryAfter: 7 })
      },
    ],
    [
      'a bug',
      () => {
        throw new RangeError('down')
      },
    ],
  ])('%s is never remembered, and never a verdict', async (_name, fail) => {
    let isDown = true
    const { verify, asked } = made((token) => (isDown ? fail() : { token }))
    for (let n = 0; n < 3; n++) await expect(verify('x')).rejects.toThrow('down')
    expect(asked).toHaveLength(3)
    isDown = false
    expect(await verify('x')).toBe(true)
    isDown = true
    expect(await verify('x')).toBe(true)
  })

  it('reaches all who wait for it, once each', async () => {
    const slow = later()
    const { verify, asked, events } = made(() => slow.promise)
    const waiting = Array.from({ length: 10 }, () => verify('x'))
    slow.reject(new AuthError('verifier_unavailable'))
    const results = await Promise.allSettled(waiting)
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect(asked).toHaveLength(1)
    expect(events.filter(({ type }) => type === 'cache.miss')).toHaveLength(10)
  })
})

describe('B-95 many at once', () => {
  it('a hundred requests with one token ask once, and each gets its verdict', async () => {
    for (const verdict of [good('x'), null]) {
      const slow = later()
      const { verify, asked } = made(() => slow.promise)
      const waiting = Array.from({ length: 100 }, () => verify('x'))
      slow.resolve(verdict)
      expect(await Promise.all(waiting)).toEqual(Array(100).fill(verdict !== null))
      expect(asked).toHaveLength(1)
    }
  })

  it('two tokens do not wait for each other', async () => {
    const slow = later()
    const { verify } = made((token) => (token === 'slow' ? slow.promise : { token }))
    const waiting = verify('slow')
    expect(await verify('x')).toBe(true)
    expect(await isPending(waiting)).toBe(true)
    slow.resolve(null)
    expect(await waiting).toBe(false)
  })

  it('a verifier that never answers locks a token out for half a minute, and not for good', async () => {
    let isStuck = true
    const { verify, asked, passSeconds } = made((token) => (isStuck ? new Promise(() => {}) : { token }))
    const waiting = [verify('x'), verify('x')]
    isStuck = false
    passSeconds(29.999)
    waiting.push(verify('x'))
    for (const one of waiting) expect(await isPending(one)).toBe(true)
    expect(asked).toHaveLength(1)
    passSeconds(0.001)
    expect(await verify('x')).toBe(true)
    expect(asked).toHaveLength(2)
  })

  it('nor longer because somebody asked about another token again', async () => {
    let isStuck = true
    const { verify, passSeconds } = made((token) => (isStuck ? new Promise(() => {}) : { token }))
    const waiting = [verify('x')]
    passSeconds(1)
    waiting.push(verify('y'))
    passSeconds(19)
    waiting.push(verify('x', { scopes: scopePolicy() }))
    isStuck = false
    passSeconds(11)
    expect(await verify('y')).toBe(true)
    for (const one of waiting) expect(await isPending(one)).toBe(true)
  })

  it('an answer that comes late does not replace a newer one, for better or worse', async () => {
    for (const [late, newer] of [
      [good('x'), null],
      [null, good('x')],
    ] as const) {
      const slow = later()
      let answer: Promise<Verdict> | Verdict = slow.promise
      const { verify, asked, passSeconds } = made(() => answer)
      const first = verify('x')
      passSeconds(30)
      answer = newer
      expect(await verify('x')).toBe(newer !== null)
      slow.resolve(late)
      expect(await first).toBe(late !== null)
      expect(await verify('x')).toBe(newer !== null)
      expect(asked).toHaveLength(2)
    }
  })

  it('who compares scopes in another way does not get the answer to somebody else’s question', async () => {
    const policy = scopePolicy({ admin: ['write'] })
    const inner = staticVerifier({ x: { scopes: ['admin'] } }, quiet)
    const slow = later()
    // Asks for scopes itself, as somebody else's verifier may.
    const { verify } = made(
      async (token, context) => {
        await slow.promise
        const verdict = await inner.verifyToken(token)
        if ((context?.scopes ?? scopePolicy()).covers(verdict?.scopes ?? [], ['write'])) return verdict
        throw new AuthError('insufficient_scope', undefined, { scopes: ['write'] })
      },
      {},
      { requiredScopes: ['write'] },
    )
    const all = [verify('x'), verify('x', { scopes: policy }), verify('x'), verify('x', { scopes: policy })]
    slow.resolve(null)
    const results = await Promise.allSettled(all)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
  })

  it('a caller who leaves does not take the others’ answer along', async () => {
    const seen: unknown[] = []
    const { verify } = made((token, context) => {
      seen.push(context?.signal)
      return { token }
    })
    expect(await verify('x', { signal: AbortSignal.abort() })).toBe(true)
    expect(seen).toEqual([undefined])
  })
})

describe('scopes and a cache', () => {
  it('A-64 are asked for on each use, by the hierarchy of each caller', async () => {
    const { verifier, asked } = made(
      (token) => ({ token, scopes: ['admin'] }),
      {},
      { requiredScopes: ['read'] },
    )
    const covers = { scopes: scopePolicy({ admin: ['read'] }) }
    const other = { scopes: scopePolicy({ admin: ['write'] }) }
    for (let n = 0; n < 3; n++) {
      for (const context of [undefined, {}, other]) {
        await expect(verifier.verifyToken('x', context)).rejects.toMatchObject({
          code: 'insufficient_scope',
          scopes: ['read'],
        })
      }
      expect(await verifier.verifyToken('x', covers)).not.toBeNull()
    }
    expect(asked).toHaveLength(1)
  })

  it('an expired token that lacks a scope is expired', async () => {
    const { verify, passSeconds } = made(
      (token) => ({ token, expiresAt: start / 1000 + 5 }),
      { maxAge: 60 },
      { requiredScopes: ['read'] },
    )
    await expect(verify('x')).rejects.toMatchObject({ code: 'insufficient_scope' })
    passSeconds(5)
    expect(await verify('x')).toBe(false)
  })
})

describe('recheck', () => {
  it('is asked on each use, with the token', async () => {
    const rechecked: string[] = []
    const { verify } = made(good, {}, { recheck: ({ token }) => void rechecked.push(token) })
    for (let n = 0; n < 3; n++) expect(await verify('x')).toBe(true)
    expect(rechecked).toEqual(['x', 'x', 'x'])
  })

  it.each<[unknown, string | undefined]>([
    ['revoked', 'revoked'],
    ['expired', 'expired'],
    ['out of fashion', 'revoked'],
    ['', 'revoked'],
    [false, 'revoked'],
    [Promise.resolve(undefined), 'revoked'],
    [undefined, undefined],
    [null, undefined],
  ])('that answers %j refuses with %j', async (answer, expected) => {
    const told: string[] = []
    const { verify } = made(good, {}, { recheck: () => answer as string })
    for (let n = 0; n < 2; n++) await verify('x', { refused: (reason) => told.push(reason) })
    expect(told).toEqual(expected === undefined ? [] : [expected, expected])
  })

  it('that throws lets nobody in, and is no verdict', async () => {
    const { verify } = made(
      good,
      {},
      {
        recheck() {
          throw new RangeError('no list')
        },
      },
    )
    for (let n = 0; n < 2; n++) await expect(verify('x')).rejects.toThrow(RangeError)
  })

  it('FL-98 a token that is revoked while the answer is on its way is refused', async () => {
    const list = memoryRevocations()
    const slow = later()
    const verifier = cached(revocable({ verifyToken: () => slow.promise }, list), {}, quiet)
    const waiting = verifier.verifyToken('x')
    list.revoke({ token: 'x' })
    slow.resolve({ token: 'x' })
    expect(await waiting).toBeNull()
  })
})

describe('B-121 how much cached remembers', () => {
  const isGood = (token: string) => (token.startsWith('good') ? { token } : null)

  it('is bounded for good tokens', async () => {
    const { verify, asked } = made(isGood, { maxEntries: 3 })
    for (const n of [1, 2, 3, 4]) await verify(`good-${n}`)
    await verify('good-4')
    await verify('good-2')
    expect(asked).toHaveLength(4)
    await verify('good-1')
    expect(asked).toHaveLength(5)
  })

  it('is bounded for refusals', async () => {
    const { verify, asked } = made(isGood, { maxEntries: 3 })
    for (const n of [1, 2, 3, 4]) await verify(`bad-${n}`)
    await verify('bad-2')
    expect(asked).toHaveLength(4)
    await verify('bad-1')
    expect(asked).toHaveLength(5)
  })

  it('is no less for good tokens after a flood of bad ones', async () => {
    const { verify, asked } = made(isGood, { maxEntries: 10 })
    for (let n = 0; n < 10; n++) await verify(`good-${n}`)
    for (let n = 0; n < 5000; n++) await verify(`bad-${n}`)
    for (let n = 0; n < 10; n++) expect(await verify(`good-${n}`)).toBe(true)
    expect(asked).toHaveLength(5010)
  })

  it('is no less because one of them is kept again, and that one counts as new', () => {
    const map = tokenMap<number>(2)
    for (const digest of ['one', 'two', 'two']) map.keep(digest, 1)
    expect([map.get('one'), map.get('two')]).toEqual([1, 1])
    for (const digest of ['one', 'three']) map.keep(digest, 1)
    expect([map.get('one'), map.get('two')]).toEqual([1, undefined])
  })

  it('is no less because tokens were asked about again', async () => {
    const { verify, asked, passSeconds } = made(isGood, { maxEntries: 3, maxAge: 10 })
    for (const n of [1, 2, 3]) await verify(`good-${n}`)
    passSeconds(10)
    for (const n of [1, 2, 3, 1, 2, 3]) await verify(`good-${n}`)
    expect(asked).toHaveLength(6)
  })
})

describe('B-121 B-100 no token stays behind', () => {
  it('where util.inspect finds it', async () => {
    const { verifier, verify } = made((token) => (token.startsWith('good') ? { token } : null))
    const tokens = [`good-${randomBytes(20).toString('hex')}`, `bad-${randomBytes(20).toString('hex')}`]
    for (const token of tokens) await verify(token)
    const shown = inspect(verifier, { depth: 20, showHidden: true, maxStringLength: null })
    for (const token of tokens) expect(shown.includes(token.slice(5))).toBe(false)
  })

  it('nowhere on the heap', async () => {
    const pair = await RSAKeyPair.generate()
    const kept: string[] = []
    const jwt = jwtVerifier({ publicKey: pair.publicKey }, quiet)
    const verifiers = [
      jwt,
      cached(jwt, {}, quiet),
      revocable(cached(revocable(jwt, memoryRevocations())), memoryRevocations()),
      cached({ verifyToken: async (token) => (token.startsWith('good') ? { token } : null) }, {}, quiet),
    ]
    // What is looked for is never a text here, or it would be found.
    const control = await traces(async (secret) => void kept.push(`kept-${secret}`))
    const opaque = await traces(async (secret) => {
      for (const verifier of verifiers) {
        for (const token of [`good-${secret}`, `bad-${secret}`]) await use(verifier, token)
      }
    })
    const signed = await traces(async (secret) => {
      const token = await pair.createToken({ additionalClaims: { secret } })
      const [, payload = ''] = token.split('.')
      for (const verifier of verifiers) {
        for (const one of [token, altered(token), `${token}.`]) await use(verifier, one)
      }
      // Long before its end: the snapshot cuts texts.
      return payload.slice(-60, -20)
    })
    const revoked = await traces(async (secret) => memoryRevocations().revoke({ token: secret }))
    expect(await countOnHeap([control, opaque, signed, revoked])).toEqual([1, 0, 0, 0])
    expect([kept.length, verifiers.length]).toEqual([1, 4])
    // A snapshot of a whole process takes its time.
  }, 120_000)
})

/** Twice: what is remembered is another path. */
async function use(verifier: TokenVerifier, token: string): Promise<void> {
  await verifier.verifyToken(token)
  await verifier.verifyToken(token)
}

/** Does something with a secret that nobody else knows. @returns the bytes of it, or of what was made of it */
async function traces(work: (secret: string) => Promise<unknown>): Promise<Buffer> {
  const bytes = randomBytes(20)
  const made = await work(bytes.toString('hex'))
  return Buffer.from(typeof made === 'string' ? made : bytes.toString('hex'))
}

/** In how many texts of the heap each of these stands; 1 counts for many. */
async function countOnHeap(wanted: readonly Buffer[]): Promise<number[]> {
  const found = wanted.map(() => 0)
  // The runtime itself keeps the text of the last match of an expression.
  expect('another text').toMatch(/another/)
  const overlap = Math.max(...wanted.map(({ length }) => length))
  let rest = Buffer.alloc(0)
  for await (const chunk of getHeapSnapshot()) {
    const text = Buffer.concat([rest, chunk as Buffer])
    for (const [at, bytes] of wanted.entries()) if (text.includes(bytes)) found[at] = 1
    rest = text.subarray(-overlap)
  }
  return found
}

function altered(token: string): string {
  const at = token.lastIndexOf('.') + 5
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

describe('what cached tells', () => {
  it('B-122 each look-up, and the verdicts of a verifier that tells nothing by itself, once each', async () => {
    const { verify, events } = made((token) => (token === 'x' ? { token } : null))
    for (const token of ['x', 'x', 'y', 'y']) await verify(token)
    const told = ['miss', 'hit'].flatMap((cache) => [
      { type: `cache.${cache}`, cache: 'verdict' },
      { type: 'accepted', method: 'custom', cache, seconds: expect.any(Number) },
    ])
    const refused = ['miss', 'hit'].flatMap((cache) => [
      { type: `cache.${cache}`, cache: 'verdict' },
      { type: 'refused', method: 'custom', cache, reason: 'unknown_token', seconds: expect.any(Number) },
    ])
    expect(events).toEqual([...told, ...refused])
  })
})

describe('B-63 cached refuses when made', () => {
  it.each<[string, unknown[]]>([
    ['no verifier', []],
    ['a verifier without verifyToken', [{}]],
    ['options that are none', [{ verifyToken: good }, 30]],
    ['an unknown option', [{ verifyToken: good }, { ttl: 30 }]],
    ...[0, 0.5, 3601, Number.NaN, '30', null, Number.POSITIVE_INFINITY].map((maxAge): [string, unknown[]] => [
      `maxAge ${maxAge}`,
      [{ verifyToken: good }, { maxAge }],
    ]),
    ...[-1, 61, Number.NaN, '5'].map((maxAgeOfRefusals): [string, unknown[]] => [
      `maxAgeOfRefusals ${maxAgeOfRefusals}`,
      [{ verifyToken: good }, { maxAgeOfRefusals }],
    ]),
    ...[0, 1_000_001, Number.NaN].map((maxEntries): [string, unknown[]] => [
      `maxEntries ${maxEntries}`,
      [{ verifyToken: good }, { maxEntries }],
    ]),
    ['an unknown member of the environment', [{ verifyToken: good }, {}, { onRefusal() {} }]],
    ['a clock that is none', [{ verifyToken: good }, {}, { clock: 7 }]],
  ])('%s', (_name, given) => {
    expect(() => Reflect.apply(cached, undefined, given)).toThrow(TypeError)
  })
})

describe('an access token that was remembered', () => {
  it('B-120 is frozen, and nobody’s change of one is seen by the next', async () => {
    const { verifier } = made((token) => ({ token, expiresAt: start / 1000 + 9, claims: { deep: { n: 1 } } }))
    const first = await verifier.verifyToken('x')
    first?.expiresAt?.setTime(0)
    expect(() => Object.assign(first?.claims.deep as object, { n: 2 })).toThrow(TypeError)
    const second = await verifier.verifyToken('x')
    expect(second).toBeInstanceOf(AccessToken)
    expect(Object.isFrozen(second)).toBe(true)
    expect(second?.expiresAt?.getTime()).toBe(start + 9000)
    expect(second?.claims).toEqual({ deep: { n: 1 } })
  })
})
