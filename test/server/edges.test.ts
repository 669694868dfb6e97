import { AuthError, type HttpOptions, type MCPServerOptions, type TokenVerifier } from 'mcp-bearer/server'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openConnection } from '../http/support.ts'
import {
  alice,
  answerOf,
  bob,
  directory,
  guarded,
  type Revision,
  revisions,
  rpc,
  textOf,
} from './fixtures.ts'
import { type Ask, askAll, askOnce, type Told } from './wire.ts'

type Options = Partial<MCPServerOptions>

async function listening(options: Options = {}, http: HttpOptions = {}, host = '127.0.0.1') {
  const made = guarded(options, http)
  onTestFinished(() => made.server.close())
  return { ...made, ...(await made.server.listen({ port: 0, host })) }
}

const bearer = (token: string) => `Authorization: Bearer ${token}`
const app = 'https://app.example.com'
const whoami = { name: 'whoami', arguments: {} }

/** A POST of a message to the endpoint. */
function posted(message: { headers: object; body: string }, ...more: string[]): Ask {
  const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`)
  return { method: 'POST', target: '/mcp', headers: [...lines, ...more], body: message.body }
}

const call = (revision: Revision, ...more: string[]) => posted(rpc('tools/call', whoami, revision), ...more)

/** A clock that moves by hand. */
function handClock() {
  const time = { now: 1_800_000_000_000 }
  return { time, clock: () => time.now }
}

describe('CORS', () => {
  const allowed = { allowedOrigins: [app] }
  const preflight = (origin: string, method: string, headers = 'authorization', ...more: string[]): Ask => ({
    method: 'OPTIONS',
    target: '/mcp',
    headers: [
      `Origin: ${origin}`,
      `Access-Control-Request-Method: ${method}`,
      `Access-Control-Request-Headers: ${headers}`,
      ...more,
    ],
  })
  const listOf = (told: Told, name: string) => (told.headers[name] ?? '').split(', ')

  it.each(['GET', 'POST', 'DELETE'])(
    'A-80 a preflight for %s from an allowed origin is a 204 without a token',
    async (method) => {
      const { port, verifier } = await listening({}, allowed)
      for (const more of [[], [bearer('wrong')], [bearer(alice)]]) {
        const told = await askOnce(port, preflight(app, method, 'authorization', ...more))
        expect([told.status, told.body]).toEqual([204, ''])
        expect(told.headers['access-control-allow-origin']).toBe(app)
        expect(listOf(told, 'access-control-allow-methods')).toContain(method)
        expect(listOf(told, 'vary')).toContain('Origin')
      }
      expect(verifier.asked).toBe(0)
    },
  )

  it('A-81 FL-69 a page may send every header of the protocol, each named; and parameters in headers, those it asks for', async () => {
    const { port } = await listening({}, { ...allowed, apiKeyHeader: 'X-API-Key' })
    const asked = 'authorization,x-evil,mcp-param-region,Mcp-Param-City,mcp-param-,mcp-param-a b,cookie'
    const told = await askOnce(port, preflight(app, 'POST', asked))
    expect(listOf(told, 'access-control-allow-headers').sort()).toEqual(
      [
        'accept',
        'authorization',
        'content-type',
        'last-event-id',
        'mcp-method',
        'mcp-name',
        'mcp-param-city',
        'mcp-param-region',
        'mcp-protocol-version',
        'mcp-session-id',
        'x-api-key',
      ].sort(),
    )
  })

  it('A-80 A-84 any other origin gets a 403 and no word of CORS', async () => {
    const { port, verifier } = await listening({}, allowed)
    for (const origin of [
      'https://evil.example',
      'null',
      `${app}.evil.example`,
      `${app}:8443`,
      'http://app.example.com',
      `${app}/`,
      `${app}, ${app}`,
      'https://user@app.example.com',
      'https://app.example.com.',
      'app.example.com',
      '*',
      '',
    ]) {
      for (const ask of [preflight(origin, 'POST'), call('2026-07-28', `Origin: ${origin}`, bearer(alice))]) {
        const told = await askOnce(port, ask)
        expect([origin, told.status, told.body]).toEqual([origin, 403, '{"error":"forbidden_origin"}'])
        expect(Object.keys(told.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
        expect(told.headers.vary).toBe('Origin')
      }
    }
    const two = call('2026-07-28', `Origin: ${app}`, `Origin: ${app}`, bearer(alice))
    expect((await askOnce(port, two)).status).toBe(403)
    expect(verifier.asked).toBe(0)
  })

  it('A-84 the same origin in another spelling is the same, and is answered in the one that was configured', async () => {
    const { port } = await listening({}, { allowedOrigins: ['https://App.Example.com:443'] })
    for (const origin of [app, 'HTTPS://APP.EXAMPLE.COM', `${app}:443`]) {
      const told = await askOnce(port, call('2026-07-28', `Origin: ${origin}`, bearer(alice)))
      expect([told.status, told.headers['access-control-allow-origin']]).toEqual([200, app])
    }
  })

  it('D-01 of this machine only its own port and scheme are allowed', async () => {
    const { port } = await listening()
    const status = async (origin: string) =>
      (await askOnce(port, call('2026-07-28', `Origin: ${origin}`, bearer(alice)))).status
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      expect(await status(`http://${host}:${port}`)).toBe(200)
    for (const origin of [
      `http://localhost:${port + 1}`,
      'http://localhost',
      `https://localhost:${port}`,
      `http://127.0.0.2:${port}`,
      `http://localhost.evil.example:${port}`,
      `http://evil.localhost:${port}`,
      `http://[::ffff:127.0.0.1]:${port}`,
      'file://',
      'chrome-extension://abcdefghijklmnop',
    ])
      expect([origin, await status(origin)]).toEqual([origin, 403])
  })

  describe('A-82 A-83 FL-69 every answer can be read by the page', () => {
    const entries: { what: string; status: number; told: Told }[] = []
    beforeAll(async () => {
      const broken: TokenVerifier = {
        async verifyToken(token) {
          if (token === 'outage') throw new AuthError('verifier_unavailable')
          if (token === 'broken') throw new Error('broken')
          return directory().verifyToken(token)
        },
      }
      const made = guarded(
        { auth: broken, limits: { maxBodyBytes: 4000, requestsPerMinute: 3 } },
        { ...allowed, sessions: true, publicPages: true },
      )
      made.server.tool('slow', {}, async (_args, ctx) => {
        await ctx.progress(1)
        return 'done'
      })
      made.server.route('/own', () => new Response('own'))
      const { port, close } = await made.server.listen({ port: 0, host: '0.0.0.0' })
      const hello = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'c', version: '1' },
      }
      const origin = `Origin: ${app}`
      const with2026 = (...more: string[]) => call('2026-07-28', origin, ...more)
      const bare = { method: 'GET', target: '/mcp', headers: [origin] }
      const progress = rpc('tools/call', { name: 'slow', arguments: {}, _meta: { progressToken: 1 } })
      const asks: [string, number, Ask][] = [
        ['401', 401, with2026()],
        ['a bad token', 401, with2026(bearer('wrong'))],
        ['two credentials', 400, with2026(bearer(alice), bearer(bob))],
        ['a missing scope', 403, posted(rpc('tools/call', { name: 'purge' }), origin, bearer(bob))],
        ['an outage', 503, with2026(bearer('outage'))],
        ['a broken verifier', 500, with2026(bearer('broken'))],
        ['a method', 405, { ...bare, method: 'PUT', headers: [origin, bearer(bob)] }],
        ['no session', 400, { ...bare, headers: [origin, bearer(bob)] }],
        ['a large body', 413, { ...with2026(bearer(bob)), body: 'x'.repeat(5000) }],
        ['no JSON', 400, { ...with2026(bearer(bob)), body: '{' }],
        ['a media type', 415, { ...bare, method: 'POST', headers: [origin, bearer(bob)], body: '{}' }],
        ['a session', 200, posted(rpc('initialize', hello, '2025-11-25'), origin, bearer(alice))],
        ['a stranger’s session', 404, { ...bare, headers: [origin, bearer(bob), 'Mcp-Session-Id: x'] }],
        ['a result', 200, with2026(bearer(bob))],
        ['a stream', 200, posted(progress, origin, bearer(bob))],
        ['the third', 200, with2026(bearer(bob))],
        ['too many', 429, with2026(bearer(bob))],
        ['a route', 200, { ...bare, target: '/own', headers: [origin, bearer(bob)] }],
        ['a route without a token', 401, { ...bare, target: '/own' }],
        ['nothing', 404, { ...bare, target: '/nothing' }],
      ]
      for (const [what, status, ask] of asks) entries.push({ what, status, told: await askOnce(port, ask) })
      await close()
      await made.server.close()
    })

    it('with its status', () => {
      expect(entries.map(({ what, told }) => [what, told.status])).toEqual(
        entries.map(({ what, status }) => [what, status]),
      )
      expect(entries).toHaveLength(20)
    })

    it('with the headers that say how to go on', () => {
      for (const { what, told } of entries) {
        const { headers } = told
        expect([what, headers['access-control-allow-origin']]).toEqual([what, app])
        const exposed = listOf(told, 'access-control-expose-headers')
        expect([what, exposed]).toEqual([
          what,
          ['WWW-Authenticate', 'Retry-After', 'Mcp-Session-Id', 'MCP-Protocol-Version'],
        ])
        expect([what, listOf(told, 'vary')]).toEqual([what, ['Origin']])
        expect(headers['access-control-allow-credentials']).toBeUndefined()
      }
      const header = (name: string, wanted: string) =>
        entries.find(({ what }) => what === wanted)?.told.headers[name]
      expect(header('mcp-session-id', 'a session')).toMatch(/^[\w-]{32}$/)
      expect(header('retry-after', 'too many')).toMatch(/^\d+$/)
      expect(header('content-type', 'a stream')).toBe('text/event-stream')
    })
  })

  it('A-83 says that it varies on the origin also to who sends none', async () => {
    const { port } = await listening({}, allowed)
    const told = await askAll(port, [call('2026-07-28'), call('2026-07-28', bearer(alice))])
    expect(told.map(({ status, headers }) => [status, headers.vary])).toEqual([
      [401, 'Origin'],
      [200, 'Origin'],
    ])
  })

  it('A-85 the metadata is for every page, whatever its origin, without a token', async () => {
    const auth = Object.assign(directory(), { authorizationServers: ['https://id.example.com'] })
    const { port } = await listening({ auth }, { resource: 'https://mcp.example.com/mcp' })
    const target = '/.well-known/oauth-protected-resource/mcp'
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const told = await askOnce(port, { method, target, headers: ['Origin: https://any.example'] })
      expect([method, told.status, told.headers['access-control-allow-origin']]).toEqual([method, 200, '*'])
    }
    expect(auth.asked).toBe(0)
  })
})

describe('D-07 what a proxy may have written', () => {
  it.each(['X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'Forwarded', 'X-Original-URL'])(
    '%s changes no answer',
    async (name) => {
      const { port } = await listening()
      const value = name === 'Forwarded' ? 'host=evil.example;proto=https' : 'evil.example'
      for (const ask of [
        call('2026-07-28'),
        call('2026-07-28', bearer(alice)),
        { ...call('2026-07-28'), target: '/' },
      ]) {
        const plain = await askOnce(port, ask)
        const spoofed = await askOnce(port, { ...ask, headers: [...ask.headers, `${name}: ${value}`] })
        const { date: _one, ...headers } = plain.headers
        const { date: _two, ...others } = spoofed.headers
        expect([spoofed.status, spoofed.body, others]).toEqual([plain.status, plain.body, headers])
      }
    },
  )
})

describe('limits of a listener', () => {
  it('FL-25 a body is as long as it may be, and not a byte longer, announced or not', async () => {
    const { body } = rpc('tools/call', whoami)
    const { port, calls } = await listening({ limits: { maxBodyBytes: body.length } })
    const ask = call('2026-07-28', bearer(alice))
    const chunked = { ...ask, headers: [...ask.headers, 'Transfer-Encoding: chunked'] }
    expect((await askOnce(port, ask)).status).toBe(200)
    expect((await askOnce(port, chunked)).status).toBe(200)
    for (const one of [ask, chunked]) {
      const told = await askOnce(port, { ...one, body: `${body} ` })
      expect(told.status).toBe(413)
      expect(JSON.parse(told.body)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } })
    }
    expect(calls).toHaveLength(2)
  })

  it('a body in many pieces, cut within characters, is the same body', async () => {
    const { server } = guarded()
    const { headers, body } = rpc('tools/call', { name: 'whoami', arguments: {}, note: 'ü€😀' })
    const bytes = new TextEncoder().encode(body)
    const pieces = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at++) controller.enqueue(bytes.slice(at, at + 1))
        controller.close()
      },
    })
    const init = {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${alice}` },
      duplex: 'half',
    } as const
    const whole = await server.fetch(new Request('http://localhost/mcp', { ...init, body: pieces }))
    expect(textOf(await answerOf(whole))).toBe('alice')
    const broken = new Uint8Array([...bytes.slice(0, -1), 0xc3, bytes.at(-1)!])
    expect((await server.fetch(new Request('http://localhost/mcp', { ...init, body: broken }))).status).toBe(
      400,
    )
  })

  it('a body may take its time, and no more: then the answer says so, and the connection ends', async () => {
    const { port, calls } = await listening({ limits: { bodyTimeoutMs: 50 } })
    const connection = openConnection(port)
    const { headers, body } = call('2026-07-28', bearer(alice))
    const lines = [
      'POST /mcp HTTP/1.1',
      `Host: localhost:${port}`,
      ...headers,
      `Content-Length: ${body!.length}`,
    ]
    const told = await connection.ask([...lines, '', body!.slice(0, -1)].join('\r\n'))
    expect([told.status, told.header('connection')]).toEqual([408, ['close']])
    await expect(connection.ask(body!.slice(-1))).rejects.toThrow('connection closed')
    expect(calls).toEqual([])
  })

  it('a connection more than there may be is closed, and one that ends makes room', async () => {
    const { port } = await listening({ limits: { maxConnections: 2 } })
    const ask = (connection: ReturnType<typeof openConnection>) =>
      connection.ask(`GET /health HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)
    const [one, two] = [openConnection(port), openConnection(port)]
    expect([(await ask(one)).status, (await ask(two)).status]).toEqual([200, 200])
    await expect(ask(openConnection(port))).rejects.toThrow('connection closed')
    const left = `GET /health HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`
    expect((await one.ask(left)).status).toBe(200)
    await expect(one.ask('')).rejects.toThrow('connection closed')
    const three = openConnection(port)
    expect((await ask(three)).status).toBe(200)
    for (const connection of [two, three]) connection.close()
  })
})

describe('requests sent at once on one connection', () => {
  it.each(revisions)('D-43 are all ended when it goes (%s)', async (revision) => {
    const { server, port } = await listening()
    const signals: AbortSignal[] = []
    let arrived = () => {}
    const all = new Promise<void>((resolve) => (arrived = resolve))
    server.tool('never', {}, (_args, ctx) => {
      signals.push(ctx.signal)
      if (signals.length === 12) arrived()
      return new Promise(() => {})
    })
    const { headers, body } = posted(rpc('tools/call', { name: 'never' }, revision), bearer(alice))
    const lines = [
      'POST /mcp HTTP/1.1',
      `Host: localhost:${port}`,
      ...headers,
      `Content-Length: ${body!.length}`,
    ]
    const connection = openConnection(port)
    const answer = connection.ask([...lines, '', body].join('\r\n').repeat(12))
    answer.catch(() => {})
    await all
    const aborted = signals.map(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
    )
    connection.close()
    await Promise.all(aborted)
    expect(signals.every((signal) => signal.aborted)).toBe(true)
  })
})

describe('A-46 bad credentials', () => {
  const post = (...more: string[]) => call('2026-07-28', ...more)
  const statuses = async (port: number, asks: readonly Ask[]) => {
    const told: number[] = []
    for (const ask of asks) told.push((await askOnce(port, ask)).status)
    return told
  }
  const guesses = (count: number, ...more: string[]) =>
    Array.from({ length: count }, (_, n) => post(bearer(`guess-${n}`), ...more))

  it('are answered with 429 and Retry-After above so many a minute, and not looked at any more', async () => {
    const { clock, time } = handClock()
    const { port, verifier } = await listening({ clock, limits: { failuresPerMinute: 6 } })
    expect(await statuses(port, guesses(6))).toEqual([401, 401, 401, 401, 401, 401])
    const told = await askOnce(port, post(bearer('one-more')))
    expect([told.status, told.headers['retry-after'], told.body]).toEqual([
      429,
      '10',
      '{"error":"rate_limited"}',
    ])
    expect(told.headers['www-authenticate']).toBeUndefined()
    expect(verifier.asked).toBe(6)
    // Alice was never seen here: from outside she cannot be told from a guess.
    expect(await statuses(port, [post(bearer(alice))])).toEqual([429])
    time.now += 10_000
    expect(await statuses(port, [post(bearer(alice))])).toEqual([200])
  })

  it('lock nobody out who works from the same address already', async () => {
    const { clock } = handClock()
    const { port } = await listening({ clock, limits: { failuresPerMinute: 6 } })
    expect(await statuses(port, [post(bearer(alice)), ...guesses(6)])).toEqual([
      200, 401, 401, 401, 401, 401, 401,
    ])
    expect(await statuses(port, [post(bearer('x')), post(bearer(alice)), post(bearer(bob))])).toEqual([
      429, 200, 429,
    ])
  })

  it('FL-102 requests without a credential never count, nor do they wait', async () => {
    const { clock } = handClock()
    const { port } = await listening({ clock, limits: { failuresPerMinute: 1 } })
    const probes = [
      post(),
      post('Authorization:'),
      post('Authorization: Basic eDp5'),
      { ...post(), method: 'GET' },
    ]
    const told = await askAll(
      port,
      Array.from({ length: 60 }, (_, n) => probes[n % probes.length]!),
    )
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([401]))
    expect(await statuses(port, [post(bearer(alice))])).toEqual([200])
    expect(await statuses(port, [post(bearer('x')), post(bearer('y')), post()])).toEqual([401, 429, 401])
  })

  it('count also when they cannot even be a token, and on routes of one’s own', async () => {
    const { clock } = handClock()
    const { server, port } = await listening({ clock, limits: { failuresPerMinute: 2 } })
    server.route('/own', () => new Response())
    const own = { method: 'GET', target: '/own', headers: [bearer('x')] }
    expect(await statuses(port, [post('Authorization: Bearer a b'), own, own, post(bearer('y'))])).toEqual([
      401, 401, 429, 429,
    ])
  })

  it('tokens that were good, outages and foreign origins do not count', async () => {
    const { clock, time } = handClock()
    const auth: TokenVerifier = {
      async verifyToken(token) {
        if (token === 'outage') throw new AuthError('verifier_unavailable')
        return { token, claims: { sub: 'x' }, expiresAt: time.now / 1000 - 3600 }
      },
    }
    const { port } = await listening({ auth, clock, limits: { failuresPerMinute: 1 } })
    const asks = [
      post(bearer('expired')),
      post(bearer('outage')),
      post(bearer('x'), 'Origin: https://evil.example'),
    ]
    expect(await statuses(port, [...asks, ...asks])).toEqual([401, 503, 403, 401, 503, 403])
  })

  it.each([{}, { trustProxy: 0 }])(
    'D-07 are counted by the address of the connection, whatever X-Forwarded-For says (%j)',
    async (http) => {
      const { clock } = handClock()
      const { port } = await listening({ clock, limits: { failuresPerMinute: 2 } }, http)
      const from = (address: string) => post(bearer('x'), `X-Forwarded-For: ${address}`)
      expect(await statuses(port, ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(from))).toEqual([401, 401, 429])
    },
  )

  it('are counted by what the trusted proxy has seen, and not by what a caller wrote before it', async () => {
    const { clock } = handClock()
    const { port } = await listening({ clock, limits: { failuresPerMinute: 2 } }, { trustProxy: 1 })
    const from = (...lines: string[]) => post(bearer('x'), ...lines.map((line) => `X-Forwarded-For: ${line}`))
    const one = ['203.0.113.1, 192.0.2.1', '203.0.113.2, 192.0.2.1', '192.0.2.1:4711'].map((line) =>
      from(line),
    )
    expect(await statuses(port, one)).toEqual([401, 401, 429])
    expect(await statuses(port, [from('192.0.2.1', '192.0.2.2'), from('192.0.2.2', '192.0.2.1')])).toEqual([
      401, 429,
    ])
    // Of an IPv6 subscriber the network counts.
    const six = ['2001:db8::1', '[2001:db8::2]:443', '2001:db8:0:0:ffff::3', '2001:db8:0:1::1'].map((line) =>
      from(line),
    )
    expect(await statuses(port, six)).toEqual([401, 401, 429, 401])
  })

  it('0 switches the counting off', async () => {
    const { port } = await listening({ limits: { failuresPerMinute: 0 } })
    const told = await askAll(port, guesses(200))
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([401]))
  })
})

describe.each(revisions)('A-46 FL-100 requests of one principal in %s', (revision) => {
  async function withLimits(limits: MCPServerOptions['limits'], rateLimit?: number) {
    const { clock, time } = handClock()
    const made = await listening({ clock, ...(limits && { limits }) })
    const ran: string[] = []
    const options = { ...(rateLimit !== undefined && { rateLimit }) }
    made.server.tool('limited', options, (_args, ctx) => {
      ran.push(ctx.auth!.subject!)
      return 'ok'
    })
    made.server.resource('notes://limited', options, () => 'ok')
    made.server.prompt('limited', options, () => 'ok')
    const ask = (method: string, params: Record<string, unknown>, token: string) =>
      askOnce(made.port, posted(rpc(method, params, revision), bearer(token)))
    return { ...made, ran, time, ask, use: (token: string) => ask('tools/call', { name: 'limited' }, token) }
  }

  it('FL-100 counts callers without a token by where they come from, so that none uses up what all have', async () => {
    const options = { optionalAuth: true, limits: { requestsPerMinute: 2 } }
    const { port } = await listening(options, { trustProxy: 1 })
    const from = (address: string) => call('2026-07-28', `X-Forwarded-For: ${address}`)
    const addresses = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.2']
    const told = await askAll(port, addresses.map(from))
    expect(told.map(({ status }) => status)).toEqual([200, 200, 429, 200, 200, 429])
  })

  it('are answered with 429 before the handler runs, one principal never in the way of another', async () => {
    const { use, ran, time } = await withLimits({ requestsPerMinute: 3 })
    for (const status of [200, 200, 200, 429]) expect((await use(alice)).status).toBe(status)
    const told = await use(alice)
    expect([told.status, told.headers['retry-after'], told.body]).toEqual([
      429,
      '20',
      '{"error":"rate_limited"}',
    ])
    expect((await use(bob)).status).toBe(200)
    expect(ran).toEqual(['alice', 'alice', 'alice', 'bob'])
    // Whoever waits as long as was said may go on, and a slow steady caller always.
    for (let minute = 0; minute < 9; minute++) {
      time.now += 20_000
      expect((await use(alice)).status).toBe(200)
    }
  })

  it('have a limit for each component as well, and only for that', async () => {
    const { ask, use, ran } = await withLimits(undefined, 1)
    expect([(await use(alice)).status, (await use(alice)).status, (await use(bob)).status]).toEqual([
      200, 429, 200,
    ])
    expect(ran).toEqual(['alice', 'bob'])
    for (const [method, params] of [
      ['resources/read', { uri: 'notes://limited' }],
      ['prompts/get', { name: 'limited' }],
    ] as const) {
      expect([method, (await ask(method, params, alice)).status]).toEqual([method, 200])
      const told = await ask(method, params, alice)
      expect([method, told.status, told.headers['retry-after']]).toEqual([method, 429, '60'])
    }
    expect((await ask('tools/call', whoami, alice)).status).toBe(200)
    expect((await ask('tools/list', {}, alice)).status).toBe(200)
  })
})

describe.each(revisions)('D14 what is looked at first in %s', (revision) => {
  it('A-47 A-48 A-49 403 for the origin, 401, 400 for the body, 403 for scopes, 429', async () => {
    const { port, server, calls } = await listening({ limits: { requestsPerMinute: 1 } })
    server.tool('dropped', { scopes: ['admin'] }, () => 'x')
    const use = (name: string) => rpc('tools/call', { name, arguments: {} }, revision)
    const evil = 'Origin: https://evil.example'
    const bad = { ...use('purge'), body: '{' }
    const status = async (message: { headers: object; body: string }, ...more: string[]) =>
      (await askOnce(port, posted(message, ...more))).status
    expect(await status(use('whoami'), bearer(bob))).toBe(200)
    // From here on bob has made all the requests he may.
    expect(await status(bad, evil, bearer('wrong'))).toBe(403)
    expect(await status(bad, bearer('wrong'))).toBe(401)
    expect(await status(bad)).toBe(401)
    expect(await status(bad, bearer(bob))).toBe(400)
    expect(await status({ ...use('purge'), headers: {} }, bearer(bob))).toBe(415)
    expect(await status(use('purge'), bearer(bob))).toBe(403)
    expect(await status(use('whoami'), bearer(bob))).toBe(429)
    expect(calls).toEqual(['whoami'])
  })
})

it('D14 a body whose headers say something else is a 400 before scopes are looked at', async () => {
  const { port } = await listening()
  const { headers, body } = rpc('tools/call', { name: 'purge', arguments: {} })
  for (const wrong of [
    { 'mcp-name': 'whoami' },
    { 'mcp-method': 'tools/list' },
    { 'mcp-protocol-version': '2025-11-25' },
  ]) {
    const told = await askOnce(port, posted({ headers: { ...headers, ...wrong }, body }, bearer(bob)))
    expect([wrong, told.status]).toEqual([wrong, 400])
  }
})

describe('the names of a server', () => {
  const status = async (port: number, host: string) =>
    (await askOnce(port, { ...call('2026-07-28', bearer(alice)) }, host)).status

  it('D-04 on this machine are its own, with its port', async () => {
    const { port } = await listening()
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])
      expect([host, await status(port, `${host}:${port}`)]).toEqual([host, 200])
    for (const host of [
      'localhost',
      `localhost:${port + 1}`,
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `localhost:${port}@evil.example`,
      `localhost:${port},evil.example`,
      `localhost:0${port}x`,
      `[::1]:${port}]`,
      '',
    ])
      expect([host, await status(port, host)]).toEqual([host, 403])
    const two = call('2026-07-28', bearer(alice), `Host: localhost:${port}`, `Host: localhost:${port}`)
    expect([400, 403]).toContain((await askOnce(port, two)).status)
  })

  it.each(['LOCALHOST', '127.1', '127.0.0.2', '0:0:0:0:0:0:0:1'])(
    'D-04 %s is this machine as well',
    async (host) => {
      const made = guarded()
      onTestFinished(() => made.server.close())
      const { port } = await made.server.listen({ port: 0, host })
      const { hostname } = new URL(`http://${host.includes(':') ? `[${host}]` : host}`)
      const url = `http://${hostname}:${port}`
      expect((await fetch(`${url}/openmcp.json`)).status).toBe(200)
      const { headers, body } = rpc('tools/call', whoami)
      const own = { ...headers, authorization: `Bearer ${alice}` }
      expect((await fetch(`${url}/mcp`, { method: 'POST', headers: own, body })).status).toBe(200)
      const rebound = { ...own, origin: 'http://evil.example' }
      expect((await fetch(`${url}/mcp`, { method: 'POST', headers: rebound, body })).status).toBe(403)
    },
  )

  it('D-04 elsewhere are those it was told; without any, all', async () => {
    const told = await listening(
      {},
      { allowedHosts: ['mcp.example.com', 'other.example.com:8443'] },
      '0.0.0.0',
    )
    const untold = await listening({}, {}, '0.0.0.0')
    for (const [host, expected] of [
      ['mcp.example.com', 200],
      ['MCP.example.com:1234', 200],
      ['other.example.com:8443', 200],
      ['other.example.com', 403],
      ['evil.example', 403],
      ['mcp.example.com.evil.example', 403],
      ['mcp.example.com.', 403],
    ] as const) {
      expect([host, await status(told.port, host)]).toEqual([host, expected])
      expect([host, await status(untold.port, host)]).toEqual([host, 200])
    }
  })
})
