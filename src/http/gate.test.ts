import { describe, expect, it } from 'vitest'
import {
  AccessToken,
  AuthError,
  type LogEntry,
  type TokenVerifier,
  type VerifyContext,
} from '../core/index.ts'
import { type BearerGateOptions, bearerGate, gateOf, isRefusal } from './gate.ts'
import type { RequestHead } from './head.ts'

const alice = { token: 'good', clientId: 'alice', scopes: ['mcp:admin'] }
const verifier: TokenVerifier = { verifyToken: async (token) => (token === 'good' ? alice : null) }
const quiet = { logger: () => {} }

function head(headers: Readonly<Record<string, readonly string[]>> = {}, url = '/mcp'): RequestHead {
  const lines = new Map(Object.entries(headers))
  return { method: 'POST', url, header: (name) => lines.get(name) ?? [] }
}

const bearer = (token: string) => head({ authorization: [`Bearer ${token}`] })

/** The code a gate refuses with, or the client it lets in. */
async function outcome(options: BearerGateOptions, asked = bearer('good')): Promise<string> {
  const answer = await bearerGate(options).authenticate(asked)
  return isRefusal(answer) ? answer.code : answer.clientId
}

describe('bearerGate', () => {
  it('A-01 lets a good token in as an AccessToken', async () => {
    const answer = await bearerGate({ verifier }).authenticate(bearer('good'))
    expect(answer).toBeInstanceOf(AccessToken)
    expect(answer).toMatchObject({ clientId: 'alice', scopes: ['mcp:admin'] })
  })

  it('answers a Request with the token, or with the Response that refuses', async () => {
    const gate = bearerGate({ verifier })
    const ask = (headers: Record<string, string>, method = 'POST') =>
      gate(new Request('http://localhost/mcp', { method, headers }))
    expect(await ask({ authorization: 'Bearer good' })).toBeInstanceOf(AccessToken)
    const refused = (await ask({})) as Response
    expect(refused.status).toBe(401)
    expect(await refused.json()).toEqual({
      error: 'unauthorized',
      error_description: 'Authentication required',
    })
    expect(((await ask({}, 'HEAD')) as Response).body).toBeNull()
  })

  it('B-124 completes a verdict of a token alone', async () => {
    const own = { verifyToken: async (token: string) => ({ token }) }
    const answer = await bearerGate({ verifier: own }).authenticate(bearer('good'))
    expect(answer).toMatchObject({ scopes: [], clientId: expect.stringMatching(/^token-[0-9a-f]{32}$/) })
  })

  it('FL-61 an outage and a placeholder that many callers run into fill no log', async () => {
    const written: string[] = []
    let now = 0
    const gate = bearerGate({
      verifier: {
        async verifyToken() {
          throw new AuthError('verifier_unavailable')
        },
      },
      logger: ({ event, details }) => written.push(`${event} ${details?.omitted ?? 0}`),
      clock: () => now,
    })
    for (let n = 0; n < 100; n++) {
      await gate.authenticate(bearer('good'))
      await gate.authenticate(bearer('${TOKEN}'))
    }
    expect(written).toEqual(['verifier_unavailable 0', 'placeholder_credential 0'])
    now += 60_000
    await gate.authenticate(bearer('good'))
    expect(written.at(-1)).toBe('verifier_unavailable 99')
  })

  it('judges expiry by its own clock, with the skew of the token', async () => {
    const own = (clockSkew: number) => ({
      verifyToken: async (token: string) => ({ token, clientId: 'alice', expiresAt: 1000, clockSkew }),
    })
    const at = (seconds: number, skew = 0) => outcome({ verifier: own(skew), clock: () => seconds * 1000 })
    expect(await at(999)).toBe('alice')
    expect(await at(1000)).toBe('invalid_token')
    expect(await at(1059, 60)).toBe('alice')
    expect(await at(1060, 60)).toBe('invalid_token')
  })

  it('A-64 needs the scopes of the option and of the verifier, the hierarchy counted', async () => {
    const scoped = { ...verifier, requiredScopes: ['mcp:read'] }
    const scopeHierarchy = { 'mcp:admin': ['mcp:write'], 'mcp:write': ['mcp:read'] }
    expect(await outcome({ verifier: scoped })).toBe('insufficient_scope')
    expect(await outcome({ verifier: scoped, scopeHierarchy })).toBe('alice')
    const both = { verifier: scoped, scopeHierarchy, requiredScopes: ['files:read'] }
    expect(await outcome(both)).toBe('insufficient_scope')
    expect(bearerGate(both).refuse('insufficient_scope').headers['www-authenticate']).toContain(
      'scope="files:read mcp:read"',
    )
  })

  it('tells whether a token covers scopes', () => {
    const gate = bearerGate({ verifier, scopeHierarchy: { 'mcp:admin': ['mcp:read'] } })
    const token = new AccessToken(alice)
    expect(gate.covers(token, ['mcp:read', 'mcp:admin'])).toBe(true)
    expect(gate.covers(token, ['mcp:read', 'files:read'])).toBe(false)
  })

  it.each([
    ['verifier_unavailable', 'verifier_unavailable'],
    ['insufficient_scope', 'insufficient_scope'],
    ['rate_limited', 'rate_limited'],
    ['access_denied', 'access_denied'],
    ['invalid_token', 'invalid_token'],
    ['unauthorized', 'invalid_token'],
    ['server_error', 'server_error'],
    ['invalid_request', 'server_error'],
    ['forbidden_origin', 'server_error'],
    ['token_unavailable', 'server_error'],
    ['origin_mismatch', 'server_error'],
  ] as const)('answers a verifier that throws %s with %s', async (thrown, answered) => {
    const rejects = { verifyToken: () => Promise.reject(new AuthError(thrown)) }
    const throws = {
      verifyToken: () => {
        throw new AuthError(thrown)
      },
    }
    expect(await outcome({ verifier: rejects, ...quiet })).toBe(answered)
    expect(await outcome({ verifier: throws, ...quiet })).toBe(answered)
  })

  it.each([
    ['true', true],
    ['a text', 'alice'],
    ['a number', 0],
    ['a list', [alice]],
    ['a promise of nothing known', { clientId: 'alice' }],
    ['a token that is no text', { token: 1 }],
    ['scopes that are no list', { token: 'good', scopes: 'mcp:read' }],
    ['an expiry that is no time', { token: 'good', expiresAt: 'tomorrow' }],
    ['an expiry in milliseconds', { token: 'good', expiresAt: 1_900_000_000_000 }],
    ['a function', () => alice],
  ])('A-45 fails closed when the verdict is %s', async (_case, verdict) => {
    const junk = { verifyToken: async () => verdict as never }
    const log: LogEntry[] = []
    expect(await outcome({ verifier: junk, logger: (entry) => log.push(entry) })).toBe('server_error')
    expect(log.map(({ event }) => event)).toEqual(['server_error'])
  })

  it('takes a verifier that answers without a promise', async () => {
    expect(await outcome({ verifier: { verifyToken: (() => alice) as never } })).toBe('alice')
  })

  it('A-18 logs the error and its cause, the token and its parts taken out', async () => {
    const token = 'headheadhead.payloadpayload.signature'
    const log: LogEntry[] = []
    const error = new AuthError('verifier_unavailable', `no answer for ${token}`, {
      cause: new Error('ECONNREFUSED payloadpayload'),
    })
    const down = { verifyToken: () => Promise.reject(error) }
    await bearerGate({ verifier: down, logger: (entry) => log.push(entry) }).authenticate(bearer(token))
    expect(log[0]).toMatchObject({
      level: 'error',
      event: 'verifier_unavailable',
      details: {
        error: 'AuthError: no answer for [redacted]',
        cause: 'Error: ECONNREFUSED [redacted]',
      },
    })
  })

  it('A-45 fails closed when even the error is broken', async () => {
    const error = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('again')
      },
    })
    expect(await outcome({ verifier: { verifyToken: () => Promise.reject(error) }, ...quiet })).toBe(
      'server_error',
    )
  })

  it('is not disturbed by a logger that throws', async () => {
    const broken = { verifyToken: () => Promise.reject(new Error('x')) }
    const logger = () => {
      throw new Error('disk full')
    }
    expect(await outcome({ verifier: broken, logger })).toBe('server_error')
    expect(await outcome({ verifier, logger }, bearer('$'.concat('{TOKEN}')))).toBe('invalid_token')
  })

  it('gives the verifier the signal of the request', async () => {
    let context: VerifyContext | undefined
    const own: TokenVerifier = {
      verifyToken: async (_token, given) => {
        context = given
        return alice
      },
    }
    const { signal } = new AbortController()
    await bearerGate({ verifier: own }).authenticate({ ...bearer('good'), signal })
    expect(context?.signal).toBe(signal)
    await bearerGate({ verifier: own }).authenticate(bearer('good'))
    expect(context?.signal).toBeUndefined()
  })

  it('makes no signal for a verifier that does not ask for one', async () => {
    let read = 0
    const head = Object.defineProperty(bearer('good'), 'signal', {
      get: () => {
        read++
      },
    })
    expect(await bearerGate({ verifier }).authenticate(head)).toBeInstanceOf(AccessToken)
    expect(read).toBe(0)
  })

  it.each([
    ['options must be an object', undefined],
    ['verifier', {}],
    ['verifier', { verifier: {} }],
    ['verifier', { verifier: null }],
    ['unknown option "realms"', { verifier, realms: 'x' }],
    ['realm', { verifier, realm: 'a\n' }],
    ['requiredScopes', { verifier, requiredScopes: 'mcp:read' }],
    ['verifier.requiredScopes', { verifier: { ...verifier, requiredScopes: ['a b'] } }],
    ['scopeHierarchy', { verifier, scopeHierarchy: { a: ['b'], b: ['a'] } }],
    ['apiKeyHeader', { verifier, apiKeyHeader: 'x api key' }],
    ['apiKeyHeader', { verifier, apiKeyHeader: 'Authorization' }],
    ['resourceMetadata', { verifier, resourceMetadata: 'mcp.example.com' }],
    ['logger', { verifier, logger: {} }],
    ['clock', { verifier, clock: 0 }],
  ])('FL-23 refuses wrong options when it is made: %s (%#)', (message, options) => {
    expect(() => bearerGate(options as never)).toThrow(TypeError)
    expect(() => bearerGate(options as never)).toThrow(message)
  })

  it('copies its options', async () => {
    const requiredScopes = ['mcp:admin']
    const gate = bearerGate(Object.freeze({ verifier, requiredScopes }))
    requiredScopes.push('more')
    expect(isRefusal(await gate.authenticate(bearer('good')))).toBe(false)
  })
})

describe('gateOf', () => {
  it('takes a gate as it is, and makes one from options', () => {
    const gate = bearerGate({ verifier })
    expect(gateOf(gate)).toBe(gate)
    expect(gateOf({ verifier, apiKeyHeader: 'X-Key' }).credentialHeaders).toEqual(['authorization', 'x-key'])
  })
})

describe('bearerGate and tokens that are bound to tools', () => {
  const bound = { verifyToken: async (token: string) => ({ token, clientId: 'alice', tools: ['search'] }) }

  it('A-41 refuses them with 403 access_denied, as no handler behind it is known to look at tools', async () => {
    const written: LogEntry[] = []
    const gate = bearerGate({
      verifier: bound,
      requiredScopes: ['none-has-it'],
      logger: (one) => written.push(one),
    })
    const answers = await Promise.all([1, 2, 3].map(() => gate.authenticate(bearer('good'))))
    for (const answer of answers) {
      expect(answer).toMatchObject({ code: 'access_denied', status: 403, body: '{"error":"access_denied"}' })
      expect((answer as { headers: object }).headers).not.toHaveProperty('www-authenticate')
    }
    expect(written.map(({ event }) => event)).toEqual(['tools_not_enforced'])
    expect(written[0]?.message).toContain('enforcesTools')
  })

  it('A-41 refuses one that is bound to no tool at all, too', async () => {
    const none = { verifyToken: async (token: string) => ({ token, tools: [] }) }
    expect(await outcome({ verifier: none, ...quiet })).toBe('access_denied')
  })

  it('lets them in where somebody said that tools are enforced behind it', async () => {
    const answer = await bearerGate({ verifier: bound, enforcesTools: true }).authenticate(bearer('good'))
    expect(answer).toMatchObject({ clientId: 'alice', tools: ['search'] })
    expect(await outcome({ verifier, enforcesTools: false })).toBe('alice')
  })

  it.each(['true', 1, null])('enforcesTools: %j is refused when the gate is made', (value) => {
    expect(() => bearerGate({ verifier, enforcesTools: value as never })).toThrow('enforcesTools')
  })
})

describe('what a gate tells a verifier of the request', () => {
  /** The context of one request with these headers, over a socket with this other end. */
  async function told(
    options: Partial<BearerGateOptions>,
    headers: Record<string, string[]>,
    remote?: string,
  ) {
    let context: VerifyContext | undefined
    let reads = 0
    const asking: TokenVerifier = {
      async verifyToken(token, given) {
        context = given
        return { token }
      },
    }
    const { header, ...rest } = head({ authorization: ['Bearer good'], ...headers })
    const gate = bearerGate({ verifier: asking, ...options })
    await gate.authenticate({
      ...rest,
      header(name) {
        if (name !== 'authorization') reads += 1
        return header(name)
      },
      get remote() {
        reads += 1
        return remote
      },
    })
    return { context: context!, reads: () => reads }
  }

  it('B-103 where it came from, over however many proxies of ones own', async () => {
    const forwarded = { 'x-forwarded-for': ['6.6.6.6, 203.0.113.1'] }
    const at = async (options: Partial<BearerGateOptions>, headers = forwarded) =>
      (await told(options, headers, '::ffff:192.0.2.1')).context.address
    expect(await at({})).toBe('192.0.2.1')
    expect(await at({ trustProxy: 0 })).toBe('192.0.2.1')
    expect(await at({ trustProxy: 1 })).toBe('203.0.113.1')
    expect(await at({ trustProxy: 3 })).toBeUndefined()
    expect((await told({}, {}, undefined)).context.address).toBeUndefined()
    expect((await told({}, {}, '2001:DB8::1')).context.address).toBe('2001:db8::1')
    expect(() => bearerGate({ verifier, trustProxy: 11 })).toThrow('trustProxy')
  })

  it.each([
    [['a1:b2.c-3_4'], 'a1:b2.c-3_4'],
    [['x'.repeat(128)], 'x'.repeat(128)],
    [['x'.repeat(129)], undefined],
    [[''], undefined],
    [['a b'], undefined],
    [['a\nb'], undefined],
    [['"a"'], undefined],
    [['a', 'b'], undefined],
    [[], undefined],
  ])('B-122 what it is called, if that can stand in a log: %j', async (lines, expected) => {
    expect((await told({}, { 'x-request-id': lines })).context.requestId).toBe(expected)
  })

  it('looks at neither for a verifier that does not ask', async () => {
    const { context, reads } = await told({ trustProxy: 1 }, { 'x-request-id': ['a'] }, '192.0.2.1')
    expect(reads()).toBe(0)
    expect([context.requestId, context.address]).toEqual(['a', undefined])
    expect(reads()).toBeGreaterThan(0)
  })
})
