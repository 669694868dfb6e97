import express from 'express'
import {
  type HttpOptions,
  type Limits,
  type ListenOptions,
  MCPServer,
  type MCPServerOptions,
  type Sessions,
} from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { alice, answerOf, bob, directory, memoryLog, post, rpc, serveNode, textOf } from './fixtures.ts'
import { askOnce } from './wire.ts'

/** FL-23: each option that is documented makes a difference that can be seen from outside. */

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

const time = { now: 1_800_000_000_000 }
const base: MCPServerOptions = { name: 'x', auth: directory(), logger() {}, clock: () => time.now }

interface World {
  readonly server: MCPServer
  readonly url: string
  readonly port: number
  ask(method: string, params?: object, token?: string, more?: Record<string, string>): Promise<Response>
}

async function world(
  options: Partial<MCPServerOptions> = {},
  http: HttpOptions = {},
  listen: ListenOptions = {},
): Promise<World> {
  const server = new MCPServer({ ...base, ...options }, http)
  open.push(server)
  server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject ?? 'nobody')
  server.tool('purge', { scopes: ['write'] }, () => 'purged')
  server.tool('works', {}, () => new Promise((resolve) => setTimeout(resolve, 50, 'done')))
  server.tool('throws', {}, () => {
    throw new Error('x')
  })
  server.tool('tells', {}, async (_args, ctx) => {
    await ctx.progress(1)
    await new Promise(() => {})
  })
  server.tool('asks', {}, async (_args, ctx) => (await ctx.roots()).length.toString())
  const { url, port } = await server.listen({ port: 0, ...listen })
  const ask = (method: string, params: object = {}, token: string | undefined = alice, more = {}) => {
    const { headers, body } = rpc(method, params as Record<string, unknown>)
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
    return fetch(url, { method: 'POST', headers: { ...headers, ...authorization, ...more }, body })
  }
  return { server, url, port, ask }
}

const status = async (response: Promise<Response>) => {
  const { status, body } = await response
  await body?.cancel()
  return status
}
const call = (name: string) => ['tools/call', { name, arguments: {} }] as const
const health = (port: number, ...headers: string[]) =>
  askOnce(port, { method: 'GET', target: '/health', headers })
const initialize = (url: string, token = alice) =>
  fetch(
    post(
      url,
      rpc(
        'initialize',
        { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
        '2025-11-25',
      ),
      token,
    ),
  )
async function sessionOf(url: string, token = alice): Promise<Record<string, string>> {
  const response = await initialize(url, token)
  await response.text()
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? 'none' }
}
const ping = (url: string, session: Record<string, string>) => {
  const { headers, body } = rpc('ping', {}, '2025-11-25')
  return status(
    fetch(url, {
      method: 'POST',
      headers: { ...headers, ...session, authorization: `Bearer ${alice}` },
      body,
    }),
  )
}
const discovered = async ({ ask }: World) => (await answerOf(await ask('server/discover'))).result!
const list = async ({ ask }: World) => (await answerOf(await ask('tools/list'))).result!

/** What is seen of a server with the option and of one without, which must not be the same. */
type Difference<Options> = {
  readonly [Name in keyof Required<Options>]: readonly [
    values: readonly [Options[Name] | 'absent', Options[Name]],
    see: (world: World) => Promise<unknown>,
  ]
}

function bag(name: string, value: unknown): object {
  return value === 'absent' ? {} : { [name]: value }
}

const ofServer: Omit<Difference<MCPServerOptions>, 'limits' | 'clock' | 'logger'> = {
  name: [['x', 'y'], async (made) => JSON.stringify(await discovered(made))],
  version: [['absent', '9.9.9'], async (made) => JSON.stringify(await discovered(made))],
  about: [['absent', { instructions: 'Be kind' }], async (made) => (await discovered(made)).instructions],
  auth: [[directory(), { verifyToken: async () => null }], ({ ask }) => status(ask(...call('whoami')))],
  optionalAuth: [['absent', true], ({ ask }) => status(ask(...call('whoami'), ''))],
  anonymous: [['absent', ['tools/list']], ({ ask }) => status(ask('tools/list', {}, ''))],
  scopeHierarchy: [['absent', { admin: ['write'] }], ({ ask }) => status(ask(...call('purge')))],
}

const ofFailures = new Set(['failuresPerMinute', 'shared'])
const ofLimits: Omit<Difference<Limits>, 'maxConnections' | 'maxStreams' | 'bodyTimeoutMs'> = {
  toolTimeoutMs: [['absent', 1], async ({ ask }) => textOf(await answerOf(await ask(...call('works'))))],
  maxBodyBytes: [['absent', 10], ({ ask }) => status(ask(...call('whoami')))],
  pageSize: [['absent', 1], async (made) => ((await list(made)).tools as object[]).length],
  listTtlMs: [['absent', 1000], async (made) => (await list(made)).ttlMs],
  requestsPerMinute: [
    ['absent', 1],
    async ({ ask }) => [await status(ask(...call('whoami'))), await status(ask(...call('whoami')))],
  ],
  failuresPerMinute: [
    ['absent', 1],
    async ({ ask }) => [await status(ask('tools/list', {}, 'x')), await status(ask('tools/list', {}, 'y'))],
  ],
  shared: [
    ['absent', { pour: async () => ({ isPoured: false, level: 60 }) }],
    async ({ ask }) => [await status(ask('tools/list', {}, 'x')), await status(ask('tools/list', {}, 'y'))],
  ],
}

const issued = Object.assign(directory(), { authorizationServers: ['https://id.example.com'] })

const ofHttp: Omit<Difference<HttpOptions>, 'stateKey'> = {
  allowedHosts: [
    ['absent', ['mcp.example.com']],
    async ({ port }) =>
      (await askOnce(port, { method: 'GET', target: '/mcp', headers: [] }, 'mcp.example.com')).status,
  ],
  allowedOrigins: [
    ['absent', ['https://app.example.com']],
    ({ ask }) => status(ask('tools/list', {}, alice, { origin: 'https://app.example.com' })),
  ],
  apiKeyHeader: [
    ['absent', 'X-API-Key'],
    ({ ask }) => status(ask('tools/list', {}, '', { 'x-api-key': alice })),
  ],
  resource: [
    ['absent', 'https://mcp.example.com/mcp'],
    async ({ ask }) => (await ask('tools/list', {}, '')).headers.get('www-authenticate'),
  ],
  scopesSupported: [
    ['absent', ['read']],
    async ({ port }) => {
      const target = '/.well-known/oauth-protected-resource/mcp'
      return JSON.parse((await askOnce(port, { method: 'GET', target, headers: [] })).body).scopes_supported
    },
  ],
  sessions: [['absent', false], async ({ url }) => (await initialize(url)).headers.has('mcp-session-id')],
  legacySse: [['absent', true], ({ url }) => status(fetch(new URL('/sse', url)))],
  publicPages: [['absent', false], ({ url }) => status(fetch(new URL('/docs', url)))],
  trustProxy: [
    ['absent', 1],
    async ({ ask }) => {
      const from = (address: string) => status(ask('tools/list', {}, 'x', { 'x-forwarded-for': address }))
      return [await from('192.0.2.1'), await from('192.0.2.2')]
    },
  ],
}

const ofSessions: Difference<Sessions> = {
  idleMs: [
    ['absent', 60_000],
    async ({ url }) => {
      const session = await sessionOf(url)
      time.now += 61_000
      return ping(url, session)
    },
  ],
  lifetimeMs: [
    ['absent', 60_000],
    async ({ url }) => {
      const session = await sessionOf(url)
      for (let step = 0; step < 3; step++) {
        time.now += 25_000
        await ping(url, session)
      }
      return ping(url, session)
    },
  ],
  maxPerPrincipal: [
    ['absent', 1],
    async ({ url }) => {
      const session = await sessionOf(url)
      await sessionOf(url)
      return ping(url, session)
    },
  ],
  max: [
    ['absent', 1],
    async ({ url }) => {
      const stream = {
        ...(await sessionOf(url)),
        accept: 'text/event-stream',
        authorization: `Bearer ${alice}`,
      }
      const busy = await fetch(url, { headers: stream })
      const next = await status(initialize(url, bob))
      await busy.body?.cancel()
      return next
    },
  ],
}

async function differs(
  [[one, two], see]: readonly [readonly [unknown, unknown], (world: World) => Promise<unknown>],
  make: (value: unknown) => Promise<World>,
): Promise<void> {
  const seen = [await see(await make(one)), await see(await make(two))]
  expect(seen[0]).not.toEqual(seen[1])
}

describe('FL-23 what makes a difference: of a server', () => {
  it.each(Object.entries(ofServer))('%s', (name, difference) =>
    differs(difference as never, (value) => world(bag(name, value))),
  )

  it.each(Object.entries(ofLimits))('limits.%s', (name, difference) => {
    const options = (value: unknown) => ({
      limits: ofFailures.has(name) ? bag(name, value) : { failuresPerMinute: 0, ...bag(name, value) },
    })
    return differs(difference as never, (value) => world(options(value)))
  })

  it('limits.maxStreams', async () => {
    const statuses = async (limits: Limits) => {
      const { ask } = await world({ limits })
      const params = { name: 'tells', arguments: {}, _meta: { progressToken: 1 } }
      const one = await ask('tools/call', params)
      const two = await ask('tools/call', params)
      for (const { body } of [one, two]) await body?.cancel()
      return [one.status, two.status]
    }
    expect(await statuses({})).toEqual([200, 200])
    expect(await statuses({ maxStreams: 1 })).toEqual([200, 429])
  })

  it('logger and clock', async () => {
    const log = memoryLog()
    const { ask } = await world({ logger: log.logger })
    await ask(...call('throws'))
    expect(log.entries.length).toBeGreaterThan(0)
    const seen = async (clock: () => number) => {
      const auth = { verifyToken: async (token: string) => ({ token, expiresAt: 2_000_000_000 }) }
      return status((await world({ auth, clock })).ask('tools/list'))
    }
    expect(await seen(() => 1_900_000_000_000)).toBe(200)
    expect(await seen(() => 2_100_000_000_000)).toBe(401)
  })
})

describe('FL-23 what makes a difference: on HTTP', () => {
  it.each(Object.entries(ofHttp))('%s', (name, difference) => {
    const auth = name === 'resource' || name === 'scopesSupported' ? { auth: issued } : {}
    const limits = name === 'trustProxy' ? { limits: { failuresPerMinute: 1 } } : {}
    return differs(difference as never, (value) => world({ ...auth, ...limits }, bag(name, value)))
  })

  it.each(Object.entries(ofSessions))('sessions.%s', (name, difference) =>
    differs(difference as never, (value) => world({}, { sessions: bag(name, value) })),
  )

  it('stateKey: the round of a call can go on at another node that has the same', async () => {
    const seen = async (one: HttpOptions, two: HttpOptions) => {
      const meta = { 'io.modelcontextprotocol/clientCapabilities': { roots: {} } }
      const message = (more: object) => {
        const { headers, body } = rpc('tools/call', { name: 'asks', arguments: {} })
        const parsed = JSON.parse(body)
        Object.assign(parsed.params, more)
        Object.assign(parsed.params._meta, meta)
        return { headers, body: JSON.stringify(parsed) }
      }
      const first = await world({}, one)
      const { result } = await answerOf(await fetch(post(first.url, message({}), alice)))
      const { requestState, inputRequests } = result as { requestState: string; inputRequests: object }
      const [name] = Object.keys(inputRequests)
      const more = { requestState, inputResponses: { [name!]: { roots: [] } } }
      const second = await world({}, two)
      const answer = await answerOf(await fetch(post(second.url, message(more), alice)))
      return textOf(answer)
    }
    const stateKey = 'a key of at least thirty-two characters'
    expect(await seen({ stateKey }, { stateKey })).toBe('0')
    expect(await seen({ stateKey }, {})).not.toBe('0')
  })

  it.each([
    [{ sessions: 'no' }, /sessions must be/],
    [{ sessions: 0 }, /sessions must be/],
    [{ sessions: null }, /sessions must be/],
    [{ sessions: [] }, /sessions/],
    [{ sessions: { idle: 1 } }, /unknown option "idle"/],
    [{ sessions: { idleMs: 10 } }, /idleMs/],
    [{ legacySse: 'true' }, /legacySse/],
    [{ publicPages: 1 }, /publicPages/],
    [{ trustProxy: true }, /trustProxy/],
    [{ trustProxy: 11 }, /trustProxy/],
    [{ trustProxy: -1 }, /trustProxy/],
    [{ stateKey: 'short' }, /stateKey/],
    [{ stateKey: undefined }, /stateKey/],
    [{ allowedOrigins: ['*'] }, /allowedOrigins/],
    [{ allowedOrigins: ['https://app.example.com/'] }, /allowedOrigins/],
    [{ allowedHosts: ['*'] }, /allowedHosts/],
    [{ allowedHosts: [] }, /allowedHosts/],
    [{ apiKeyHeader: 'Cookie' }, /apiKeyHeader/],
    [{ allowedOrigin: [] }, /unknown option/],
  ])('%j is refused, and named', (http, message) => {
    expect(() => new MCPServer(base, http as never)).toThrow(message)
  })

  it.each([
    [{ maxBodyBytes: 0 }, /maxBodyBytes/],
    [{ maxBodyBytes: 1.5 }, /maxBodyBytes/],
    [{ maxBodyBytes: Number.POSITIVE_INFINITY }, /maxBodyBytes/],
    [{ requestsPerMinute: 0 }, /limits\.requestsPerMinute/],
    [{ requestsPerMinute: 1_000_001 }, /limits\.requestsPerMinute/],
    [{ requestsPerMinute: '10' }, /limits\.requestsPerMinute/],
    [{ failuresPerMinute: -1 }, /failuresPerMinute/],
    [{ shared: {} }, /limits\.shared/],
    [{ shared: null }, /limits\.shared/],
    [{ shared: { pour: async () => ({}) }, failuresPerMinute: 0 }, /shared has no effect/],
    [{ failuresPerMinute: Number.NaN }, /failuresPerMinute/],
    [{ bodyTimeout: 1 }, /unknown option "bodyTimeout"/],
  ])('limits %j is refused, and named', (limits, message) => {
    expect(() => new MCPServer({ ...base, limits: limits as never })).toThrow(message)
  })

  it('any number of requests a minute may be said in so many words', async () => {
    const { ask } = await world({ limits: { requestsPerMinute: Number.POSITIVE_INFINITY } })
    expect(await status(ask('tools/list'))).toBe(200)
  })
})

describe('FL-23 what makes a difference: of a listener', () => {
  it('host, port and path', async () => {
    const { port, url } = await world({}, {}, { path: '/other', host: 'localhost' })
    expect(new URL(url).pathname).toBe('/other')
    expect(new URL(url).hostname).toBe('localhost')
    expect((await health(port)).status).toBe(200)
    expect((await askOnce(port, { method: 'GET', target: '/other', headers: [] })).status).toBe(401)
    expect((await askOnce(port, { method: 'GET', target: '/mcp', headers: [] })).status).toBe(404)
  })
})

describe('a body that a framework has read', () => {
  async function behind(parser: express.RequestHandler) {
    const { server } = await world({}, { sessions: false })
    const mount = await serveNode(express().use(parser).use('/mcp', server.nodeListener))
    open.push(mount)
    return (type: string, body: string) => {
      const { headers } = rpc('tools/call', { name: 'whoami' }, '2025-11-25')
      const all = { ...headers, 'content-type': type, authorization: `Bearer ${alice}` }
      return fetch(`${mount.url}/mcp`, { method: 'POST', headers: all, body })
    }
  }

  it('is none when it was no JSON: a form is refused as it is without the framework', async () => {
    const send = await behind(express.urlencoded({ extended: true }))
    const form = 'jsonrpc=2.0&id=1&method=tools/call&params[name]=whoami'
    expect(await status(send('application/x-www-form-urlencoded', form))).toBe(415)
  })

  it('is nested no deeper than it may be', async () => {
    const send = await behind(express.json())
    const nested = (depth: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":${'['.repeat(depth)}${']'.repeat(depth)}}}`
    expect(await status(send('application/json', nested(100)))).toBe(200)
    expect(await status(send('application/json', nested(127)))).toBe(400)
    expect(await status(send('application/json', nested(20_000)))).toBe(400)
  })
})
