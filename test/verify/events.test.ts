import { generateKeyPairSync } from 'node:crypto'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { AuthError, type AuthEvent, type EventSink, type TokenVerifier } from 'mcp-bearer'
import {
  anyOf,
  BearerAuthProvider,
  cached,
  clientSecretBasic,
  diagnosticsEvents,
  introspectionVerifier,
  type JwtVerifierOptions,
  jwtVerifier,
  memoryRevocations,
  metricEvents,
  revocable,
  staticVerifier,
  type VerifierEnvironment,
} from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { audience, clock, forge, goodClaims, issuer, now, quiet } from './forge.ts'
import { json, keyServer, status } from './key-server.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
const basic: JwtVerifierOptions = { publicKey: pem, issuer, audience, algorithm: 'EdDSA' }
const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }

const tokenOf = (claims: object = {}, kid = 'k1') =>
  forge(privateKey, { alg: 'EdDSA', typ: 'JWT', kid }, { ...goodClaims, exp: now + 86_400, ...claims })

/** A world that remembers what it was told, with a clock that only moves by hand. */
function worldOf(more: VerifierEnvironment = {}) {
  let time = now * 1000
  const events: AuthEvent[] = []
  const environment: VerifierEnvironment = {
    clock: () => time,
    logger: quiet,
    onEvent: (event) => events.push(event),
    ...more,
  }
  return {
    environment,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    /** What one verification told, without how long things took. */
    async told(verifier: TokenVerifier, token: string) {
      events.length = 0
      await verifier.verifyToken(token).catch((error: unknown) => expect(error).toBeInstanceOf(Error))
      return events.map((event) => {
        if (!('seconds' in event)) return event
        const { seconds, ...facts } = event
        expect(seconds).toBeGreaterThanOrEqual(0)
        expect(seconds).toBeLessThan(30)
        return facts
      })
    },
  }
}

const verdictTypes: readonly string[] = ['accepted', 'refused', 'failed']
const miss = (cache: 'token' | 'verdict') => ({ type: 'cache.miss', cache })
const hit = (cache: 'token' | 'verdict') => ({ type: 'cache.hit', cache })

describe('B-122 a verifier of JWTs', () => {
  it('tells of each verification once: accepted, refused, failed, with method and cache', async () => {
    const { environment, told } = worldOf()
    const verifier = jwtVerifier({ ...basic, requiredScopes: ['mcp:read'] }, environment)
    const good = tokenOf()
    const refused = (reason: string) => ({ type: 'refused', method: 'jwt', cache: 'miss', reason })
    expect(await told(verifier, good)).toEqual([
      miss('token'),
      { type: 'accepted', method: 'jwt', cache: 'miss' },
    ])
    expect(await told(verifier, good)).toEqual([
      hit('token'),
      { type: 'accepted', method: 'jwt', cache: 'hit' },
    ])
    expect(await told(verifier, tokenOf({ aud: 'other' }))).toEqual([
      miss('token'),
      refused('wrong_audience'),
    ])
    expect(await told(verifier, tokenOf({ exp: now - 60 }))).toEqual([miss('token'), refused('expired')])
    expect(await told(verifier, tokenOf({ scope: 'other' }))).toEqual([
      miss('token'),
      { type: 'failed', method: 'jwt', cache: 'miss', error: 'insufficient_scope' },
    ])
    expect(await told(verifier, 'x'.repeat(9000))).toEqual([
      { type: 'refused', method: 'jwt', cache: 'none', reason: 'too_long' },
    ])
    expect(await told(verifier, 7 as unknown as string)).toEqual([
      { type: 'refused', method: 'jwt', cache: 'none', reason: 'malformed' },
    ])
  })

  it('that remembers nothing says so', async () => {
    const { environment, told } = worldOf({ rememberTokens: 0 })
    expect(await told(jwtVerifier(basic, environment), tokenOf())).toEqual([
      { type: 'accepted', method: 'jwt', cache: 'none' },
    ])
  })

  it('tells of a hook that throws as what it is', async () => {
    const { environment, told } = worldOf()
    const throwing = (error: Error) => ({
      ...basic,
      rules: {
        validate: () => {
          throw error
        },
      },
    })
    const failed = (error: string) => ({ type: 'failed', method: 'jwt', cache: 'miss', error })
    const broken = jwtVerifier(throwing(new RangeError('broken')), environment)
    expect(await told(broken, tokenOf())).toEqual([miss('token'), failed('verifier_error')])
    const denying = jwtVerifier(throwing(new AuthError('access_denied')), environment)
    expect(await told(denying, tokenOf())).toEqual([miss('token'), failed('access_denied')])
  })

  it('tells of the fetches of its keys, and of old ones that serve', async () => {
    const server = await keyServer(status(500))
    const { environment, told, pass } = worldOf()
    const { publicKey: _none, ...others } = basic
    const verifier = jwtVerifier({ ...others, jwksUri: server.url }, environment)
    const fetched = (result: string) => ({ type: 'jwks.fetched', result })
    const unavailable = {
      type: 'failed',
      method: 'jwt',
      cache: 'miss',
      error: 'verifier_unavailable',
    }
    expect(await told(verifier, tokenOf())).toEqual([miss('token'), fetched('failed'), unavailable])
    // During the pause nothing is fetched, and nothing is told of it.
    expect(await told(verifier, tokenOf())).toEqual([miss('token'), unavailable])
    pass(1)
    server.answer = json(keys)
    const accepted = (cache: string) => ({ type: 'accepted', method: 'jwt', cache })
    expect(await told(verifier, tokenOf())).toEqual([miss('token'), fetched('ok'), accepted('miss')])
    expect(await told(verifier, tokenOf())).toEqual([hit('token'), accepted('hit')])
    server.answer = status(500)
    pass(600)
    expect(await told(verifier, tokenOf())).toEqual([
      hit('token'),
      fetched('failed'),
      { type: 'jwks.stale', age: 600 },
      accepted('hit'),
    ])
    expect(await told(verifier, tokenOf())).toEqual([
      hit('token'),
      { type: 'jwks.stale', age: 600 },
      accepted('hit'),
    ])
  })

  it('64 parallel first tokens tell of one fetch and of 64 verdicts', async () => {
    const server = await keyServer(json(keys))
    const events: AuthEvent[] = []
    const { publicKey: _none, ...others } = basic
    const verifier = jwtVerifier(
      { ...others, jwksUri: server.url },
      { clock, logger: quiet, onEvent: (event) => events.push(event) },
    )
    await Promise.all(Array.from({ length: 64 }, (_, at) => verifier.verifyToken(tokenOf({ sub: `u${at}` }))))
    expect(events.filter(({ type }) => type === 'jwks.fetched')).toHaveLength(1)
    expect(events.filter(({ type }) => type === 'cache.miss')).toHaveLength(64)
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(64)
    expect(events).toHaveLength(129)
  })

  it('takes the time of what was waited for', async () => {
    let elapsed = 0
    vi.spyOn(performance, 'now').mockImplementation(() => elapsed)
    onTestFinished(() => void vi.restoreAllMocks())
    const events: AuthEvent[] = []
    const { publicKey: _none, ...others } = basic
    const fetch = async () => {
      elapsed += 250
      return Response.json(keys)
    }
    const verifier = jwtVerifier(
      { ...others, jwksUri: 'https://as.example.com/jwks' },
      { clock, logger: quiet, fetch, onEvent: (event) => events.push(event) },
    )
    await verifier.verifyToken(tokenOf())
    expect(events).toEqual([
      miss('token'),
      { type: 'jwks.fetched', result: 'ok', seconds: 0.25 },
      { type: 'accepted', method: 'jwt', cache: 'miss', seconds: 0.25 },
    ])
  })
})

describe('verifiers around verifiers', () => {
  const wrong = tokenOf({ aud: 'other' })
  const jwt = (environment: VerifierEnvironment) =>
    jwtVerifier({ ...basic, requiredScopes: ['mcp:read'] }, environment)
  const around: [string, (environment: VerifierEnvironment) => TokenVerifier][] = [
    ['alone', jwt],
    ['as a provider', (world) => new BearerAuthProvider({ ...basic, requiredScopes: ['mcp:read'] }, world)],
    ['in anyOf', (world) => anyOf([jwt(world)], world)],
    ['in anyOf, twice', (world) => anyOf([anyOf([jwt(world)], world)], world)],
    [
      'in anyOf beside another',
      (world) => anyOf([jwtVerifier({ ...basic, issuer: 'b' }, world), jwt(world)], world),
    ],
    ['cached', (world) => cached(jwt(world), {}, world)],
    ['cached twice', (world) => cached(cached(jwt(world), {}, world), {}, world)],
    ['revocable', (world) => revocable(jwt(world), memoryRevocations(clock), clock)],
    [
      'all of it',
      (world) => revocable(cached(anyOf([jwt(world)], world), {}, world), memoryRevocations(clock), clock),
    ],
  ]

  it.each(around)('B-122 each verification is told once, by who decided: %s', async (_name, make) => {
    const { environment, told } = worldOf()
    const verifier = make(environment)
    const verdicts = async (token: string) =>
      (await told(verifier, token))
        .filter(({ type }) => verdictTypes.includes(type))
        .map((event) => ({ ...event, cache: undefined }))
    for (let use = 0; use < 2; use++) {
      expect(await verdicts(tokenOf())).toEqual([{ type: 'accepted', method: 'jwt' }])
      expect(await verdicts(wrong)).toEqual([{ type: 'refused', method: 'jwt', reason: 'wrong_audience' }])
      expect(await verdicts(tokenOf({ scope: 'x' }))).toEqual([
        { type: 'failed', method: 'jwt', error: 'insufficient_scope' },
      ])
    }
  })

  it('what was revoked or nobody recognises is told once as well', async () => {
    const { environment, told } = worldOf()
    const revocations = memoryRevocations(clock)
    const verifier = revocable(jwt(environment), revocations, clock)
    const token = tokenOf({ jti: 'j1' })
    const { length } = await told(verifier, token)
    expect(length).toBe(2)
    revocations.revoke({ token })
    expect(await told(verifier, token)).toEqual([
      hit('token'),
      { type: 'refused', method: 'jwt', cache: 'hit', reason: 'revoked' },
    ])
    expect(await told(anyOf([jwt(environment)], environment), 'opaque')).toEqual([
      { type: 'refused', method: 'custom', cache: 'none', reason: 'not_recognized' },
    ])
  })

  it('other kinds of credentials go by their own names', async () => {
    const { environment, told } = worldOf()
    const fixed = staticVerifier({ 'sk-known-0123456789': { clientId: 'a', scopes: [] } }, environment)
    expect(await told(fixed, 'sk-known-0123456789')).toEqual([
      { type: 'accepted', method: 'static', cache: 'none' },
    ])
    expect(await told(fixed, 'sk-other-0123456789')).toEqual([
      { type: 'refused', method: 'static', cache: 'none', reason: 'unknown_token' },
    ])
    const server = await keyServer(json({ active: false }))
    const asking = introspectionVerifier(
      { endpoint: server.url, client: clientSecretBasic('me', 'secret'), audience },
      environment,
    )
    expect(await told(asking, 'opaque')).toEqual([
      miss('verdict'),
      { type: 'introspection', result: 'inactive' },
      { type: 'refused', method: 'introspection', cache: 'miss', reason: 'inactive' },
    ])
  })
})

describe('a sink that fails', () => {
  it.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new Error('broken sink')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken sink')
      },
    ],
  ])('and %s changes no verdict, and is told of everything all the same', async (_name, sink) => {
    const onEvent = vi.fn<EventSink>(sink)
    const server = await keyServer(json(keys))
    const { publicKey: _none, ...others } = basic
    const environment = { clock, logger: quiet, onEvent }
    const verifier = cached(jwtVerifier({ ...others, jwksUri: server.url }, environment), {}, environment)
    expect(await verifier.verifyToken(tokenOf())).not.toBeNull()
    expect(await verifier.verifyToken(tokenOf({ aud: 'other' }))).toBeNull()
    expect(onEvent.mock.calls.map(([{ type }]) => type)).toEqual([
      'cache.miss',
      'cache.miss',
      'jwks.fetched',
      'accepted',
      'cache.miss',
      'cache.miss',
      'refused',
    ])
  })
})

describe('diagnosticsEvents', () => {
  const names = [
    'accepted',
    'refused',
    'failed',
    'jwks.fetched',
    'jwks.stale',
    'cache.hit',
    'cache.miss',
    'introspection',
    'store',
    'revocation.synced',
    'fail_open',
    'rate_limit',
    'audit.dropped',
  ] as const satisfies readonly AuthEvent['type'][]

  it('publishes each event on the channel of its type, to those who listen', async () => {
    const heard: [string | symbol, unknown][] = []
    const listen = (message: unknown, name: string | symbol) => void heard.push([name, message])
    const told: AuthEvent[] = []
    const publish = diagnosticsEvents()
    const environment: VerifierEnvironment = {
      clock,
      logger: quiet,
      onEvent: (event) => {
        told.push(event)
        publish(event)
      },
    }
    for (const name of names) {
      subscribe(`mcp-bearer:${name}`, listen)
      onTestFinished(() => void unsubscribe(`mcp-bearer:${name}`, listen))
    }
    const verifier = jwtVerifier({ ...basic, requiredScopes: ['mcp:read'] }, environment)
    for (const token of [tokenOf(), tokenOf(), tokenOf({ aud: 'x' }), tokenOf({ scope: 'x' })]) {
      await verifier.verifyToken(token).catch(() => {})
    }
    expect(heard).toEqual(told.map((event) => [`mcp-bearer:${event.type}`, event]))
    expect(new Set(told.map(({ type }) => type))).toEqual(
      new Set(['accepted', 'refused', 'failed', 'cache.hit', 'cache.miss']),
    )
  })

  it.each(names)(
    'mcp-bearer:%s is there for those who subscribe before or after the sink is made',
    (name) => {
      const events: Record<AuthEvent['type'], AuthEvent> = {
        accepted: { type: 'accepted', method: 'jwt', cache: 'hit', seconds: 1 },
        refused: { type: 'refused', method: 'jwt', cache: 'hit', reason: 'expired', seconds: 1 },
        failed: { type: 'failed', method: 'jwt', cache: 'hit', error: 'verifier_error', seconds: 1 },
        'jwks.fetched': { type: 'jwks.fetched', result: 'ok', seconds: 1 },
        'jwks.stale': { type: 'jwks.stale', age: 1 },
        'cache.hit': { type: 'cache.hit', cache: 'token' },
        'cache.miss': { type: 'cache.miss', cache: 'verdict' },
        introspection: { type: 'introspection', result: 'active', seconds: 1 },
        store: { type: 'store', operation: 'find', result: 'ok', seconds: 1 },
        'revocation.synced': { type: 'revocation.synced', source: 'poll', lag: 1 },
        fail_open: { type: 'fail_open', component: 'keys' },
        rate_limit: { type: 'rate_limit', result: 'allowed' },
        'audit.dropped': { type: 'audit.dropped', count: 1 },
      }
      const event = events[name]
      const [early, late] = [vi.fn(), vi.fn()]
      const full = `mcp-bearer:${name}`
      subscribe(full, early)
      const publish = diagnosticsEvents()
      publish(event)
      unsubscribe(full, early)
      publish(event)
      subscribe(full, late)
      publish(event)
      unsubscribe(full, late)
      expect(early.mock.calls).toEqual([[event, full]])
      expect(late.mock.calls).toEqual([[event, full]])
      expect(channel(full).hasSubscribers).toBe(false)
    },
  )
})

describe('metricEvents', () => {
  /** A real meter, and what it has counted, as lines. */
  function meterOf() {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({ readers: [reader] })
    onTestFinished(() => provider.shutdown())
    return {
      meter: provider.getMeter('test'),
      async lines(): Promise<string[]> {
        await provider.forceFlush()
        const metrics =
          exporter
            .getMetrics()
            .at(-1)
            ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
        return metrics
          .flatMap(({ descriptor: { name, unit }, dataPointType, dataPoints }) =>
            dataPoints.map(({ attributes, value }) => {
              const labels = Object.entries(attributes).map(([label, said]) => `${label}=${said}`)
              const isHistogram = dataPointType === DataPointType.HISTOGRAM
              const count = typeof value === 'number' ? value : value.count
              return `${name}{${labels.sort().join()}} ${count}${isHistogram ? ` histogram in ${unit}` : ''}`
            }),
          )
          .sort()
      },
    }
  }

  it('records what its table says, with a real OpenTelemetry SDK', async () => {
    const { meter, lines } = meterOf()
    const { environment, pass } = worldOf({ onEvent: metricEvents(meter) })
    const server = await keyServer(json(keys))
    const { publicKey: _none, ...others } = basic
    const options = { ...others, jwksUri: server.url, requiredScopes: ['mcp:read'] }
    const verifier = jwtVerifier(options, environment)
    const verify = (token: string) => verifier.verifyToken(token).catch(() => undefined)
    await verify(tokenOf())
    await verify(tokenOf())
    await verify(tokenOf({ aud: 'other' }))
    await verify(tokenOf({ scope: 'other' }))
    server.answer = status(500)
    pass(600)
    await verify(tokenOf())
    await verify(tokenOf({}, 'unknown'))
    const introspection = await keyServer(json({ active: true, sub: 'u', aud: audience }))
    const asking = introspectionVerifier(
      { endpoint: introspection.url, client: clientSecretBasic('me', 'secret'), audience },
      environment,
    )
    await asking.verifyToken('opaque')
    await asking.verifyToken('opaque')
    introspection.answer = json({ active: false })
    await asking.verifyToken('opaque-too')
    introspection.answer = status(500)
    await asking.verifyToken('opaque-again').catch(() => {})

    expect(await lines()).toEqual(
      [
        'mcp.auth.authenticate.duration{cache=miss,method=jwt,result=success} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=hit,method=jwt,result=success} 2 histogram in s',
        'mcp.auth.authenticate.duration{cache=miss,error.type=wrong_audience,method=jwt,result=failure} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=miss,error.type=insufficient_scope,method=jwt,result=failure} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=miss,error.type=verifier_unavailable,method=jwt,result=error} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=miss,method=introspection,result=success} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=hit,method=introspection,result=success} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=miss,error.type=inactive,method=introspection,result=failure} 1 histogram in s',
        'mcp.auth.authenticate.duration{cache=miss,error.type=verifier_unavailable,method=introspection,result=error} 1 histogram in s',
        'mcp.auth.cache.operations{cache=token,result=miss} 4',
        'mcp.auth.cache.operations{cache=token,result=hit} 2',
        'mcp.auth.cache.operations{cache=verdict,result=miss} 3',
        'mcp.auth.cache.operations{cache=verdict,result=hit} 1',
        'mcp.auth.jwks.fetches{result=ok} 1',
        'mcp.auth.jwks.fetches{result=failed} 1',
        'mcp.auth.jwks.fetches{result=stale_served} 1',
        'mcp.auth.jwks.duration{result=ok} 1 histogram in s',
        'mcp.auth.jwks.duration{result=failed} 1 histogram in s',
        'mcp.auth.introspection.duration{result=active} 1 histogram in s',
        'mcp.auth.introspection.duration{result=inactive} 1 histogram in s',
        'mcp.auth.introspection.duration{result=failed} 1 histogram in s',
      ].sort(),
    )
  })

  it('records what API keys tell of: the store, the lag of revocations, limits, and what was served or lost', async () => {
    const { meter, lines } = meterOf()
    const sink = metricEvents(meter)
    const events: readonly AuthEvent[] = [
      { type: 'store', operation: 'find', result: 'ok', seconds: 0.1 },
      { type: 'store', operation: 'changes', result: 'failed', seconds: 0.1 },
      { type: 'revocation.synced', source: 'poll', lag: 7 },
      { type: 'revocation.synced', source: 'poll', lag: 1.5 },
      { type: 'revocation.synced', source: 'notify', lag: 0.25 },
      { type: 'fail_open', component: 'keys' },
      { type: 'fail_open', component: 'keys' },
      { type: 'rate_limit', result: 'allowed' },
      { type: 'rate_limit', result: 'refused' },
      { type: 'audit.dropped', count: 3 },
      { type: 'cache.hit', cache: 'negative' },
    ]
    for (const event of events) sink(event)
    expect(await lines()).toEqual(
      [
        'mcp.auth.store.duration{op=find,result=ok} 1 histogram in s',
        'mcp.auth.store.duration{op=changes,result=failed} 1 histogram in s',
        'mcp.auth.revocation.lag{source=poll} 1.5',
        'mcp.auth.revocation.lag{source=notify} 0.25',
        'mcp.auth.fail_open{component=keys} 2',
        'mcp.auth.ratelimit.decisions{result=allowed,scope=key} 1',
        'mcp.auth.ratelimit.decisions{result=refused,scope=key} 1',
        'mcp.auth.audit.dropped{sink=store} 3',
        'mcp.auth.cache.operations{cache=negative,result=hit} 1',
      ].sort(),
    )
  })

  it('records the rest with a meter that has no gauge', () => {
    const counted: string[] = []
    const sink = metricEvents({
      createHistogram: () => ({ record: () => {} }),
      createCounter: (name) => ({ add: () => void counted.push(name) }),
    })
    sink({ type: 'revocation.synced', source: 'poll', lag: 1 })
    sink({ type: 'fail_open', component: 'revocations' })
    expect(counted).toEqual(['mcp.auth.fail_open'])
  })

  it('FL-71 no label says who called, with what, or where from: names and values come from fixed lists', async () => {
    const { meter, lines } = meterOf()
    const { environment } = worldOf({ onEvent: metricEvents(meter) })
    const verifier = jwtVerifier(basic, environment)
    const marker = 'MARKER'
    const tokens = [
      ...['iss', 'aud', 'sub', 'client_id', 'scope', 'jti', 'exp', 'typ', 'cnf', 'token_use'].map((name) =>
        tokenOf({ [name]: marker }),
      ),
      ...['alg', 'typ', 'kid', 'crit'].map((name) =>
        forge(privateKey, { alg: 'EdDSA', [name]: marker }, goodClaims),
      ),
      marker,
    ]
    for (const token of tokens) await verifier.verifyToken(token).catch(() => {})
    const told = (await lines()).join('\n')
    expect(told).not.toContain(marker)
    expect(told).not.toContain('example')
    expect(told).not.toContain('user-1')
    expect(told).not.toContain('k1')
    const labels = [...told.matchAll(/([\w.]+)=/g)].map(([, name]) => name)
    expect(new Set(labels)).toEqual(new Set(['method', 'cache', 'result', 'error.type']))
  })

  it('a caller that is denied is a failure; what is broken on our side is an error', async () => {
    const { meter, lines } = meterOf()
    const sink = metricEvents(meter)
    const failed = (error: string) =>
      sink({ type: 'failed', method: 'jwt', cache: 'none', error, seconds: 0 })
    const [denied, broken] = [
      ['unauthorized', 'invalid_token', 'insufficient_scope', 'access_denied', 'rate_limited'],
      ['verifier_unavailable', 'verifier_error', 'server_error', 'token_unavailable'],
    ]
    for (const error of [...denied, ...broken]) failed(error)
    const line = (error: string, result: string) =>
      `mcp.auth.authenticate.duration{cache=none,error.type=${error},method=jwt,result=${result}} 1 histogram in s`
    expect(await lines()).toEqual(
      [
        ...denied.map((error) => line(error, 'failure')),
        ...broken.map((error) => line(error, 'error')),
      ].sort(),
    )
  })

  it('a meter that throws changes no verdict', async () => {
    const broken = () => {
      throw new Error('broken meter')
    }
    const onEvent = metricEvents({
      createHistogram: () => ({ record: broken }),
      createCounter: () => ({ add: broken }),
    })
    const { environment } = worldOf({ onEvent })
    const verifier = jwtVerifier(basic, environment)
    expect(await verifier.verifyToken(tokenOf())).not.toBeNull()
    expect(await verifier.verifyToken(tokenOf({ aud: 'other' }))).toBeNull()
  })
})
