import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import {
  AccessToken,
  AuthError,
  type AuthEvent,
  bearerGate,
  type CompleteTokenVerifier,
  scopePolicy,
  type TokenVerifier,
  type Verdict,
  type VerifyContext,
} from 'mcp-bearer'
import {
  anyOf,
  BearerAuthProvider,
  cached,
  clientSecretBasic,
  introspectionVerifier,
  jwtVerifier,
  type MemoryRevocations,
  memoryRevocations,
  type RefusalReason,
  revocable,
  staticVerifier,
} from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { audience, forge, goodClaims, issuer, now, quiet } from './forge.ts'
import { json, keyServer, status } from './key-server.ts'

const keyA = generateKeyPairSync('ed25519')
const keyB = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const issuerB = 'https://as-b.example.com'
const pem = (key: typeof keyA) => key.publicKey.export({ format: 'pem', type: 'spki' })
const header = { alg: 'EdDSA', typ: 'JWT', kid: 'same' }
const tokenOf = (claims: object = {}) => forge(keyA.privateKey, header, { ...goodClaims, ...claims })

/** A clock that moves by hand, and all that is told. */
function worldOf() {
  let time = now * 1000
  const events: AuthEvent[] = []
  const reasons: RefusalReason[] = []
  const logged: string[] = []
  return {
    reasons,
    logged,
    environment: {
      clock: () => time,
      logger: ({ event }: { event: string }) => void logged.push(event),
      onEvent: (event: AuthEvent) => void events.push(event),
      onRefused: ({ reason }: { reason: RefusalReason }) => void reasons.push(reason),
    },
    /** What became of each `verifyToken`, since this was asked last. */
    verdicts: () =>
      events
        .splice(0)
        .filter((event) => event.type === 'accepted' || event.type === 'refused' || event.type === 'failed'),
    pass(seconds: number) {
      time += seconds * 1000
    },
  }
}
type World = ReturnType<typeof worldOf>

const jwt = ({ environment }: World, more: object = {}) =>
  jwtVerifier(
    { publicKey: `${pem(keyA)}`, algorithm: 'EdDSA', issuer, audience, clockSkew: 0, ...more },
    environment,
  )
const custom = (answer: () => unknown, traits: Partial<TokenVerifier> = {}): TokenVerifier => ({
  ...traits,
  verifyToken: async () => answer() as Verdict,
})

/** What stands around a verifier. None of them reports anything of its own about what is decided within. */
const layers = {
  anyOf: (verifier: TokenVerifier, { environment: { clock } }: World) => {
    // Nested, each needs an issuer of its own.
    const taken = verifier.issuers?.filter((name) => name.startsWith(issuerB)).length ?? 0
    const other = jwtVerifier(
      { publicKey: `${pem(keyB)}`, algorithm: 'EdDSA', issuer: `${issuerB}/${taken}`, audience },
      { logger: quiet, clock },
    )
    return anyOf([other, verifier], { logger: quiet, clock })
  },
  cached: (verifier: TokenVerifier, { environment: { clock } }: World) =>
    cached(verifier, {}, { logger: quiet, clock }),
  revocable: (verifier: TokenVerifier, { environment: { clock } }: World, list = memoryRevocations(clock)) =>
    revocable(verifier, list, clock),
}
type Layer = keyof typeof layers
const names = Object.keys(layers) as Layer[]
const longer = (short: Layer[][]) => short.flatMap((rest) => names.map((name) => [name, ...rest]))
const twos = longer(longer([[]]))
/** Every order of up to three layers, outermost first. */
const nestings = [...longer([[]]), ...twos, ...longer(twos)].map((order) => ({
  order,
  name: order.join(' around '),
  hasCache: order.includes('cached'),
  wrap: (verifier: TokenVerifier, world: World, list?: MemoryRevocations) =>
    order.reduceRight((within, name) => layers[name](within, world, list), verifier) as CompleteTokenVerifier,
}))

/** What is refused, and why; what is thrown. */
async function outcome(
  verifier: TokenVerifier,
  token: string,
  context: VerifyContext = {},
): Promise<unknown> {
  const told: string[] = []
  try {
    const verdict = await verifier.verifyToken(token, { ...context, refused: (reason) => told.push(reason) })
    return verdict === null ? told : told.length === 0 && verdict instanceof AccessToken && verdict.token
  } catch (error) {
    return error instanceof AuthError ? error.code : error
  }
}

describe.each(nestings)('$name', ({ wrap, hasCache }) => {
  it('B-122 a good token passes, a bad one does not, and each is reported once, by whoever decided', async () => {
    const world = worldOf()
    const verifier = wrap(jwt(world), world)
    const [good, bad] = [tokenOf(), tokenOf({ aud: 'other' })]
    for (const cache of ['miss', 'hit']) {
      expect(await outcome(verifier, good)).toBe(good)
      expect(world.verdicts()).toMatchObject([{ type: 'accepted', method: 'jwt', cache }])
    }
    for (const cache of ['miss', hasCache ? 'hit' : 'miss']) {
      expect(await outcome(verifier, bad)).toEqual(['wrong_audience'])
      expect(world.verdicts()).toMatchObject([
        { type: 'refused', method: 'jwt', cache, reason: 'wrong_audience' },
      ])
    }
    expect(world.reasons).toEqual(['wrong_audience', 'wrong_audience'])
    expect(world.logged).toEqual(['token_refused'])
  })

  it('B-122 the label of a cache is that of the one that was asked', async () => {
    const world = worldOf()
    const verifier = wrap(staticVerifier({ one: {} }, world.environment), world)
    for (const cache of hasCache ? ['miss', 'hit'] : ['none', 'none']) {
      expect(await outcome(verifier, 'one')).toBe('one')
      expect(world.verdicts()).toMatchObject([{ type: 'accepted', method: 'static', cache }])
    }
  })

  it('B-62 a JWT of another issuer, or one that looks like ours, is refused', async () => {
    const world = worldOf()
    const verifier = wrap(jwt(world), world)
    const foreign = [
      forge(keyB.privateKey, header, goodClaims),
      tokenOf({ iss: issuerB }),
      tokenOf({ iss: `${issuerB}/0` }),
      tokenOf({ iss: 'https://attacker.example.com' }),
      tokenOf({ iss: undefined }),
      'x',
      'a.b.c',
      '',
    ]
    for (const token of foreign) expect(await outcome(verifier, token)).toHaveLength(1)
  })

  it('A-64 the scopes it needs are asked for on each use, by the hierarchy of each caller', async () => {
    const world = worldOf()
    const leaves = [
      jwt(world, { requiredScopes: ['write'] }),
      new BearerAuthProvider(
        { publicKey: `${pem(keyA)}`, algorithm: 'EdDSA', issuer, audience, requiredScopes: ['write'] },
        world.environment,
      ),
      custom(() => ({ token: tokenOf({ scope: 'admin' }), scopes: ['admin'] }), {
        requiredScopes: ['write'],
      }),
    ]
    const token = tokenOf({ scope: 'admin' })
    const covers = { scopes: scopePolicy({ admin: ['write'] }) }
    const other = { scopes: scopePolicy({ admin: ['read'] }) }
    for (const leaf of leaves) {
      const verifier = wrap(leaf, world)
      for (const [context, expected] of [
        [{}, 'insufficient_scope'],
        [covers, token],
        [other, 'insufficient_scope'],
        [{}, 'insufficient_scope'],
        [covers, token],
      ] as const) {
        expect(await outcome(verifier, token, context)).toBe(expected)
      }
      await expect(verifier.verifyToken(token)).rejects.toMatchObject({ scopes: ['write'] })
    }
  })

  it('a bad token is bad, and not merely short of a scope', async () => {
    const world = worldOf()
    const list = memoryRevocations(world.environment.clock)
    const verifier = wrap(revocable(jwt(world, { requiredScopes: ['write'] }), list), world, list)
    const [token, other] = [tokenOf({ jti: 'j' }), tokenOf({ exp: now + 10 })]
    for (const one of [token, other]) expect(await outcome(verifier, one)).toBe('insufficient_scope')
    world.verdicts()
    list.revoke({ issuer, jti: 'j' })
    expect(await outcome(verifier, token)).toEqual(['revoked'])
    world.pass(10)
    expect(await outcome(verifier, other)).toEqual(['expired'])
    expect(world.verdicts()).toMatchObject([
      { type: 'refused', method: 'jwt', reason: 'revoked' },
      { type: 'refused', method: 'jwt', reason: 'expired' },
    ])
  })

  it('FL-98 B-121 a token that expires is refused at that moment, for whatever time it is remembered', async () => {
    const world = worldOf()
    const leaves = [jwt(world), custom(() => ({ token: tokenOf({ exp: now + 3 }), expiresAt: now + 3 }))]
    const token = tokenOf({ exp: now + 3 })
    const verifiers = leaves.map((leaf) => wrap(leaf, world))
    world.pass(2.999)
    for (const verifier of verifiers) expect(await outcome(verifier, token)).toBe(token)
    world.pass(0.001)
    for (const verifier of verifiers) expect(await outcome(verifier, token)).toEqual(['expired'])
  })

  it('D6 FL-58 an outage is an outage each time, reported once, never a verdict, and over when it is over', async () => {
    const world = worldOf()
    const server = await keyServer(status(500))
    const options = { jwksUri: server.url, algorithm: 'EdDSA', issuer, audience } as const
    const verifier = wrap(jwtVerifier(options, world.environment), world)
    const token = tokenOf()
    for (let n = 0; n < 3; n++) {
      expect(await outcome(verifier, token)).toBe('verifier_unavailable')
      expect(world.verdicts()).toMatchObject([
        { type: 'failed', method: 'jwt', cache: 'miss', error: 'verifier_unavailable' },
      ])
    }
    server.answer = json({ keys: [{ ...keyA.publicKey.export({ format: 'jwk' }), kid: 'same' }] })
    world.pass(120)
    expect(await outcome(verifier, token)).toBe(token)
    expect(world.reasons).toEqual([])
  })

  it('D6 an authorization server that cannot be asked is an outage, reported once', async () => {
    const world = worldOf()
    const server = await keyServer(status(500))
    const asking = introspectionVerifier(
      { endpoint: server.url, client: clientSecretBasic('me', 'secret'), audience },
      world.environment,
    )
    const verifier = wrap(asking, world)
    expect(await outcome(verifier, 'opaque')).toBe('verifier_unavailable')
    expect(world.verdicts()).toMatchObject([
      { type: 'failed', method: 'introspection', cache: 'miss', error: 'verifier_unavailable' },
    ])
  })

  it('B-106 what somebody else’s verifier says and throws stays what it is', async () => {
    const world = worldOf()
    const error = new RangeError('a bug')
    const fail = (thrown: unknown) => () => {
      throw thrown
    }
    const table: readonly [() => unknown, unknown][] = [
      [() => null, ['unknown_token']],
      [() => undefined, ['unknown_token']],
      [() => false, ['unknown_token']],
      [() => ({ token: 'x' }), 'x'],
      [() => ({ token: 'x', expiresAt: new Date(now * 1000) }), ['expired']],
      [() => ({ token: 'x', expiresAt: now - 1 }), ['expired']],
      [() => new AccessToken({ token: 'x', expiresAt: 1 }), ['expired']],
      ...[0, '', 1, true, 'x', [], {}, () => ({ token: 'x' }), Symbol('x'), new Map([['token', 'x']])].map(
        (junk): [() => unknown, unknown] => [() => junk, expect.any(TypeError)],
      ),
      ...[{ token: '' }, { token: 1 }, { token: 'x', exp: 1 }, { token: 'x', scopes: 'a' }].map(
        (junk): [() => unknown, unknown] => [() => junk, expect.any(TypeError)],
      ),
      [fail(error), error],
      [fail(undefined), undefined],
      [fail('a text'), 'a text'],
      [fail(new AuthError('verifier_unavailable')), 'verifier_unavailable'],
      [fail(new AuthError('access_denied')), 'access_denied'],
    ]
    for (const [answer, expected] of table) {
      const verifier = wrap(custom(answer), world)
      for (let n = 0; n < 2; n++) expect(await outcome(verifier, 'x')).toEqual(expected)
    }
    const sync = wrap({ verifyToken: fail(error) }, world)
    const plain = wrap(
      Object.assign(
        custom(() => 0),
        { verifyToken: () => ({ token: 'x' }) },
      ),
      world,
    )
    expect([await outcome(sync, 'x'), await outcome(plain, 'x')]).toEqual([error, 'x'])
  })

  it('a verifier that never answers keeps nobody waiting but those who asked about that token', async () => {
    const world = worldOf()
    const verifier = wrap(
      { verifyToken: (token) => (token === 'stuck' ? new Promise(() => {}) : Promise.resolve({ token })) },
      world,
    )
    const stuck = verifier.verifyToken('stuck')
    const turn = new Promise((resolve) => setImmediate(() => resolve('open')))
    expect(await outcome(verifier, 'x')).toBe('x')
    expect(await Promise.race([stuck, turn])).toBe('open')
  })

  it('what validate says counts, and what it throws is an error', async () => {
    const world = worldOf()
    for (const [validate, expected] of [
      [() => false, ['rejected']],
      [() => true, tokenOf()],
      [async () => true, expect.any(TypeError)],
      [() => undefined, expect.any(TypeError)],
    ]) {
      const verifier = wrap(jwt(world, { rules: { validate } }), world)
      for (let n = 0; n < 2; n++) expect(await outcome(verifier, tokenOf())).toEqual(expected)
    }
    expect(world.verdicts()).toHaveLength(8)
  })

  it('D15 B-124 callers stay apart, remembered or not', async () => {
    const world = worldOf()
    const verifier = wrap({ verifyToken: async (token) => ({ token }) }, world)
    const clients = []
    for (const token of ['one', 'two', 'one']) clients.push((await verifier.verifyToken(token))?.clientId)
    expect(clients[0]).toBe(clients[2])
    expect(clients[0]).not.toBe(clients[1])
  })

  it('closes what is within', () => {
    const world = worldOf()
    let closed = 0
    const closing = { ...custom(() => null), close: () => void closed++ }
    wrap(closing, world).close?.()
    expect(closed).toBe(1)
  })
})

describe('FL-98 FL-99 any sequence of revocations, around and within anything', () => {
  const few = <T>(...values: T[]) => fc.constantFrom(...values)
  const subjects = ['alice', 'bob']
  /** All tokens there are: of two subjects, issued in ten seconds, each with an id of its own. */
  const tokens = subjects.flatMap((sub) =>
    Array.from({ length: 10 }, (_, at) => ({
      token: `${sub}-${at}`,
      claims: { iss: issuer, sub, iat: now + at, jti: `id-${sub}-${at}` },
    })),
  )
  const known = new Map(tokens.map((one) => [one.token, one]))
  const leaf: TokenVerifier = { verifyToken: async (token) => known.get(token) ?? null }
  const step = fc.oneof(
    few(...tokens).map(({ token }) => ({ revoke: { token } })),
    few(...tokens).map(({ claims: { jti } }) => ({ revoke: { issuer, jti } })),
    fc.tuple(few(...subjects), fc.integer({ min: 0, max: 9 })).map(([subject, at]) => ({
      cutOff: { issuer, subject, issuedUntil: new Date((now + at) * 1000) },
    })),
    few(...tokens).map((verify) => ({ verify })),
    few(...tokens).map((verify) => ({ verify })),
    fc.integer({ min: 0, max: 40 }).map((pass) => ({ pass })),
  )

  it('refuses what was revoked until now, and nothing else', async () => {
    let refused = 0
    let accepted = 0
    const steps = fc.array(step, { minLength: 10, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(few(...nestings), fc.boolean(), steps, async ({ wrap }, isInside, all) => {
        const world = worldOf()
        const list = memoryRevocations(world.environment.clock)
        const verifier = isInside ? wrap(revocable(leaf, list), world) : revocable(wrap(leaf, world), list)
        const ids = new Set<string>()
        const cutOffs: { subject: string; until: number }[] = []
        for (const one of all) {
          if ('revoke' in one) {
            list.revoke(one.revoke)
            for (const id of Object.values(one.revoke)) ids.add(id)
          } else if ('cutOff' in one) {
            list.cutOff(one.cutOff)
            cutOffs.push({ subject: one.cutOff.subject, until: one.cutOff.issuedUntil.getTime() / 1000 })
          } else if ('pass' in one) world.pass(one.pass)
          else {
            const { token, claims } = one.verify
            const isCutOff = cutOffs.some(
              ({ subject, until }) => subject === claims.sub && claims.iat <= until,
            )
            const isRevoked = ids.has(token) || ids.has(claims.jti) || isCutOff
            expect((await verifier.verifyToken(token)) === null).toBe(isRevoked)
            if (isRevoked) refused++
            else accepted++
          }
        }
      }),
      { seed: 99, numRuns: 400 },
    )
    expect(Math.min(refused, accepted)).toBeGreaterThan(500)
  })
})

describe('issuers with their own keys, audiences and algorithms', () => {
  const audienceB = 'https://mcp-b.example.com/mcp'
  const jwk = (key: typeof keyA, kid = 'same') => ({ ...key.publicKey.export({ format: 'jwk' }), kid })
  const tokenOfB = (claims: object = {}) =>
    forge(
      rsa.privateKey,
      { alg: 'RS256', typ: 'JWT', kid: 'same' },
      {
        ...goodClaims,
        iss: issuerB,
        aud: audienceB,
        ...claims,
      },
    )

  async function made() {
    const world = worldOf()
    const a = await keyServer(json({ keys: [jwk(keyA)] }))
    const b = await keyServer(json({ keys: [jwk(rsa), jwk(keyB, 'other')] }))
    const verifier = anyOf(
      [
        jwtVerifier({ jwksUri: a.url, algorithm: 'EdDSA', issuer, audience }, world.environment),
        jwtVerifier({ jwksUri: b.url, issuer: issuerB, audience: audienceB }, world.environment),
      ],
      world.environment,
    )
    return { world, a, b, verifier }
  }

  it('B-61 J21 each token only by its issuer’s key, under the same id', async () => {
    const { verifier } = await made()
    expect(await outcome(verifier, tokenOf())).toBe(tokenOf())
    expect(await outcome(verifier, tokenOfB())).toBe(tokenOfB())
    expect(await outcome(verifier, tokenOf({ iss: issuerB, aud: audienceB }))).toEqual([
      'algorithm_not_allowed',
    ])
    expect(await outcome(verifier, tokenOfB({ iss: issuer, aud: audience }))).toEqual([
      'algorithm_not_allowed',
    ])
    const signedByB = (kid: string) => forge(keyB.privateKey, { alg: 'EdDSA', typ: 'JWT', kid }, goodClaims)
    expect(await outcome(verifier, signedByB('same'))).toEqual(['bad_signature'])
    expect(await outcome(verifier, signedByB('other'))).toEqual(['no_matching_key'])
    expect(await outcome(verifier, tokenOf({ aud: audienceB }))).toEqual(['wrong_audience'])
    expect(await outcome(verifier, tokenOfB({ aud: audience }))).toEqual(['wrong_audience'])
  })

  it('B-60 nothing is fetched for a token of an unknown issuer, and of a known one from that one alone', async () => {
    const { verifier, a, b, world } = await made()
    for (const iss of [
      'https://attacker.example.com',
      a.url,
      b.url,
      `${issuer}/`,
      '',
      undefined,
      null,
      [issuer],
    ]) {
      expect(await outcome(verifier, tokenOf({ iss }))).toEqual(['not_recognized'])
    }
    expect([a.requests, b.requests]).toEqual([[], []])
    expect(world.verdicts()).toHaveLength(8)
    await verifier.verifyToken(forge(keyB.privateKey, header, goodClaims))
    expect([a.requests.length, b.requests.length]).toEqual([1, 0])
  })

  it('B-61 two issuers with one key set have each their own copy of it', async () => {
    const { environment } = worldOf()
    const shared = await keyServer(json({ keys: [jwk(keyA)] }))
    const of = (iss: string) =>
      jwtVerifier({ jwksUri: shared.url, algorithm: 'EdDSA', issuer: iss, audience }, environment)
    const verifier = anyOf([of(issuer), of(issuerB)], environment)
    const [one, two] = [tokenOf(), tokenOf({ iss: issuerB })]
    for (const token of [one, two]) expect(await outcome(verifier, token)).toBe(token)
    expect(shared.requests).toHaveLength(2)
  })

  it('FL-58 one issuer that is down does not touch the tokens of the other', async () => {
    const { verifier, a } = await made()
    a.answer = status(500)
    expect(await outcome(verifier, tokenOf())).toBe('verifier_unavailable')
    expect(await outcome(verifier, tokenOfB())).toBe(tokenOfB())
  })
})

describe('behind a gate', () => {
  it('D6 each outcome has its status, whatever stands around', async () => {
    const world = worldOf()
    const list = memoryRevocations(world.environment.clock)
    const broken: TokenVerifier = {
      recognizes: (token) => token.startsWith('sk_'),
      async verifyToken(token) {
        if (token === 'sk_down') throw new AuthError('verifier_unavailable', undefined, { retryAfter: 3 })
        if (token === 'sk_bug') throw new RangeError('a bug')
        return token === 'sk_junk' ? (7 as unknown as null) : { token, scopes: ['write'] }
      },
    }
    const gate = bearerGate({
      verifier: cached(
        anyOf(
          [revocable(jwt(world, { requiredScopes: ['write'] }), list), cached(broken)],
          world.environment,
        ),
        {},
        world.environment,
      ),
      logger: quiet,
      clock: world.environment.clock,
      scopeHierarchy: { admin: ['write'] },
    })
    const ask = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      const answer = await gate(new Request('https://mcp.example.com/mcp', { headers }))
      return answer instanceof Response ? answer.status : 200
    }
    const revoked = tokenOf({ jti: 'j' })
    const admin = tokenOf({ scope: 'admin' })
    list.revoke({ issuer, jti: 'j' })
    for (let n = 0; n < 2; n++) {
      expect(await ask(admin)).toBe(200)
      expect(await ask(tokenOf())).toBe(403)
      expect(await ask(revoked)).toBe(401)
      expect(await ask(tokenOf({ exp: now }))).toBe(401)
      expect(await ask('unknown')).toBe(401)
      expect(await ask('sk_good')).toBe(200)
      expect(await ask('sk_down')).toBe(503)
      expect(await ask('sk_bug')).toBe(500)
      expect(await ask('sk_junk')).toBe(500)
    }
    list.revoke({ token: admin })
    expect(await ask(admin)).toBe(401)
  })
})
