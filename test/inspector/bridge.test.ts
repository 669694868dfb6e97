import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type InspectorBridge,
  type InspectorBridgeOptions,
  inspectorBridge,
} from '../../src/inspector/bridge/bridge.ts'
import type { ProbeResponse } from '../../src/inspector/probe/exchange.ts'
import { answer, closeServers, type Handler, listen } from '../client/servers.ts'
import { ask, bareServer, begin, closeBareServers, deferred, keptLog, open } from './bridge-support.ts'

const token = 'token-0123456789abcdef'
const bridges: InspectorBridge[] = []

afterEach(async () => {
  await Promise.all(bridges.splice(0).map((bridge) => bridge.close()))
  await closeServers()
  await closeBareServers()
})

async function bridgeTo(target: string, options: Partial<InspectorBridgeOptions> = {}) {
  const { entries, logger } = keptLog()
  const bridge = await inspectorBridge({ target, logger, ...options })
  bridges.push(bridge)
  return { bridge, session: await open(bridge), log: entries }
}

/** A server, and a bridge to it that a page has opened. */
async function opened(respond: Handler, options: Partial<InspectorBridgeOptions> = {}) {
  const server = await listen(respond)
  return { server, ...(await bridgeTo(server.url, options)) }
}

/** Sends a request of the probe. */
async function sent(
  { bridge, session }: { bridge: InspectorBridge; session: Record<string, string> },
  request: object,
) {
  return ask(bridge, '/inspector/send', {
    method: 'POST',
    headers: { ...session, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
}

describe('what passes to the server', () => {
  it('method, body and the headers of the protocol; nothing of the page or of this machine', async () => {
    const { server, bridge, session } = await opened(answer(200, {}, { ok: true }))
    const kept = {
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'last-event-id': '7',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-param-city': 'Bern',
      'mcp-session-id': 'abc',
    }
    const { body, status } = await ask(bridge, '/target/mcp', {
      method: 'POST',
      headers: {
        ...kept,
        ...session,
        cookie: 'a=b',
        origin: bridge.origin,
        referer: `${bridge.origin}/inspector`,
        'sec-fetch-site': 'same-origin',
        'user-agent': 'Mozilla/5.0',
        'accept-language': 'de-CH',
        'accept-encoding': 'gzip',
        forwarded: 'for=192.0.2.1',
        'x-forwarded-for': '192.0.2.1',
        'x-real-ip': '192.0.2.1',
        'proxy-authorization': 'Basic eA==',
        te: 'trailers',
        'x-api-key': 'other',
        upgrade: 'websocket',
      },
      body: '{"id":1}',
    })
    expect([status, body]).toEqual([200, '{"ok":true}'])
    const [arrived] = server.requests
    expect(arrived).toMatchObject({ method: 'POST', url: '/mcp', body: '{"id":1}' })
    expect(arrived?.headers).toEqual({
      ...kept,
      host: new URL(server.url).host,
      'user-agent': 'mcp-bearer inspect',
      'accept-encoding': 'identity',
      'content-length': '8',
      connection: 'close',
    })
  })

  it('the query that belongs to the endpoint, and any other', async () => {
    const server = await listen(answer(200))
    const { bridge, session } = await bridgeTo(`${server.url}/a%2Fb?tenant=1`)
    const { endpoint } = (await ask(bridge, '/inspector/config.json', { headers: session })).json() as {
      endpoint: string
    }
    expect(endpoint).toBe('/target/mcp/a%2Fb?tenant=1')
    for (const path of [endpoint, '/target/mcp/a%2Fb', '/target/mcp/a%2Fb?tenant=2&x=/../y'])
      expect((await ask(bridge, path, { headers: session })).status).toBe(200)
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/mcp/a%2Fb?tenant=1',
      '/mcp/a%2Fb',
      '/mcp/a%2Fb?tenant=2&x=/../y',
    ])
  })

  it('a body without a length', async () => {
    const { server, bridge, session } = await opened(answer(200))
    const headers = { ...session, 'transfer-encoding': 'chunked' }
    await ask(bridge, '/target/mcp', { method: 'POST', headers, body: 'hello' })
    expect(server.requests.map(({ body }) => body)).toEqual(['hello'])
  })

  it('a body that waits to be asked for', async () => {
    const { server, bridge, session } = await opened(answer(200))
    const { port } = new URL(bridge.origin)
    const headers = { ...session, expect: '100-continue', 'content-length': '5' }
    const sent = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/target/mcp',
      headers,
      agent: false,
    })
    sent.flushHeaders()
    await once(sent, 'continue')
    const [answered] = await Promise.all([once(sent, 'response'), sent.end('hello')])
    expect((answered[0] as IncomingMessage).resume().statusCode).toBe(200)
    expect(server.requests.map(({ body }) => body)).toEqual(['hello'])
  })

  it('the headers of the person who started it, in place of those of the page', async () => {
    const headers = { 'X-Tenant': 'blue', Cookie: 'sso=1' }
    const { server, bridge, session } = await opened(answer(200), { headers })
    await ask(bridge, '/target/mcp', { headers: { ...session, cookie: 'page=1', 'x-tenant': 'red' } })
    await sent({ bridge, session }, { method: 'GET', target: '/mcp', headers: [['x-tenant', 'green']] })
    expect(server.requests.map((one) => [one.headers['x-tenant'], one.headers.cookie])).toEqual([
      ['blue', 'sso=1'],
      ['green', 'sso=1'],
    ])
  })

  it.each([
    '/target/other',
    '/target',
    '/target/',
    '/target/mcp/',
    '/target/mcp/x',
    '/target/MCP',
    '/target/%6dcp',
    '/target//mcp',
    '/target/./mcp',
    '/target/../mcp',
    '/target/mcp/..',
    '/target/mcp/../admin',
    '/target/mcp%2f..%2fadmin',
    '/target/mcp;x',
    '/targetmcp',
    '/target@evil.example/mcp',
    '/target:1/mcp',
    '/target//evil.example/mcp',
    '/target/http://evil.example/mcp',
    '//evil.example/mcp',
    '/target\\mcp',
    '/inspector/../target/mcp',
    '/mcp',
    '/target/.well-known/openid-configuration',
    '/target/.well-known/oauth-protected-resource-x',
    '/target/.well-known/oauth-protected-resource/../../admin',
    '/target/.well-known/oauth-protected-resource/%2e%2e/%2E./admin',
    '/target/.well-known/oauth-protected-resource/..%2fadmin',
    '/target/.well-known/oauth-protected-resource/x/..\\admin',
    '/constructor',
    '/__proto__',
  ])('FL-103 %s is not the endpoint: 404', async (path) => {
    const { server, bridge, session } = await opened(answer(200))
    const { status, headers } = await ask(bridge, path, { headers: session })
    expect([status, headers['x-inspector-problem']]).toEqual([404, 'not_found'])
    expect(server.requests).toEqual([])
  })

  it('its metadata, which is read and nothing else', async () => {
    const { server, bridge, session } = await opened(answer(200, {}, { resource: 'x' }))
    const path = '/.well-known/oauth-protected-resource'
    for (const one of [path, `${path}/mcp`, `${path}/mcp?tenant=1`]) {
      expect((await ask(bridge, `/target${one}`, { headers: session })).json()).toEqual({ resource: 'x' })
      const post = await ask(bridge, `/target${one}`, { method: 'POST', headers: session })
      expect(post.status).toBe(404)
    }
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(
      [path, `${path}/mcp`, `${path}/mcp?tenant=1`].map((one) => `GET ${one}`),
    )
  })
})

describe('what comes back', () => {
  it('A-30 the status, the challenge and the body of a refusal, as they are', async () => {
    const challenge = 'Bearer realm="x", error="invalid_token"'
    const { bridge, session } = await opened(
      answer(
        401,
        { 'www-authenticate': [challenge, 'Basic realm="y"'], 'x-own': '1' },
        { error: 'invalid_token' },
      ),
    )
    const { status, headers, json } = await ask(bridge, '/target/mcp', { headers: session })
    expect([status, headers['www-authenticate'], headers['x-own']]).toEqual([
      401,
      `${challenge}, Basic realm="y"`,
      '1',
    ])
    expect(json()).toEqual({ error: 'invalid_token' })
    expect(headers['x-inspector-problem']).toBeUndefined()
  })

  it('nothing that a browser would obey; what is left out is named', async () => {
    const sentBack = {
      'set-cookie': ['a=b', 'c=d'],
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      'clear-site-data': '"*"',
      'content-security-policy': "default-src *; script-src 'unsafe-inline'",
      'content-disposition': 'inline',
      'x-content-type-options': 'sniff',
      'cache-control': 'public, max-age=9999',
      link: '<https://evil.example/>; rel=preload',
      refresh: '0;url=https://evil.example/',
      'reporting-endpoints': 'a="https://evil.example/"',
      'x-inspector-problem': 'session',
      'x-inspector-status': '200',
      'content-type': 'text/html',
      'x-fine': 'yes',
    }
    const { bridge, session } = await opened(answer(200, sentBack, '<script>alert(1)</script>'))
    const { status, headers, body } = await ask(bridge, '/target/mcp', { headers: session })
    const { date: _date, connection: _connection, 'transfer-encoding': _coding, ...rest } = headers
    expect([status, body]).toEqual([200, '<script>alert(1)</script>'])
    expect(rest).toEqual({
      'content-type': 'text/html',
      'x-fine': 'yes',
      'x-inspector-dropped': Object.keys(sentBack)
        .filter((name) => name !== 'content-type' && name !== 'x-fine')
        .join(', '),
      'content-security-policy': "sandbox; default-src 'none'",
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
  })

  it('no header of one connection', async () => {
    const server = await bareServer((_req, res) => {
      res.writeHead(200, {
        connection: 'close, X-Hop',
        'x-hop': '1',
        'keep-alive': 'timeout=9',
        'proxy-authenticate': 'x',
      })
      res.end('ok')
    })
    const { bridge, session } = await bridgeTo(server.url)
    const { headers, body } = await ask(bridge, '/target/mcp', { headers: session })
    expect(body).toBe('ok')
    expect(headers).not.toHaveProperty('x-hop')
    expect(headers).not.toHaveProperty('proxy-authenticate')
    expect(headers['keep-alive']).not.toBe('timeout=9')
  })

  it.each([301, 302, 303, 307, 308])(
    'FL-103 a redirect %i to another origin is told, and not followed',
    async (code) => {
      const elsewhere = await listen(answer(200))
      const location = `${elsewhere.origin}/take?x=1`
      const { bridge, session } = await opened(answer(code, { location }, 'moved'))
      const got = await ask(bridge, '/target/mcp', {
        method: 'POST',
        headers: { ...session, authorization: `Bearer ${token}` },
        body: '{}',
      })
      expect([got.status, got.headers['x-inspector-status'], got.headers.location, got.body]).toEqual([
        502,
        String(code),
        location,
        'moved',
      ])
      expect(got.headers['x-inspector-problem']).toBeUndefined()
      const raw = await sent(
        { bridge, session },
        { method: 'GET', target: '/mcp', headers: [['Authorization', `Bearer ${token}`]] },
      )
      expect((raw.json() as ProbeResponse).status).toBe(code)
      expect(elsewhere.requests).toEqual([])
    },
  )

  it.each([304, 407])('%i, which a browser keeps to itself, is told', async (code) => {
    const server = await bareServer((_req, res) => {
      res.writeHead(code, { 'content-length': '5' }).end(code === 304 ? undefined : 'proxy')
    })
    const { bridge, session } = await bridgeTo(server.url)
    const { status, headers } = await ask(bridge, '/target/mcp', { headers: session })
    expect([status, headers['x-inspector-status']]).toEqual([502, String(code)])
  })

  it('HEAD and 204 without a body', async () => {
    const { bridge, session } = await opened((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : 204, { 'x-own': '1' }).end()
    })
    for (const [method, expected] of [
      ['HEAD', 200],
      ['DELETE', 204],
    ] as const) {
      const { status, headers, body } = await ask(bridge, '/target/mcp', { method, headers: session })
      expect([status, headers['x-own'], body]).toEqual([expected, '1', ''])
    }
  })

  it('an answer that comes before the body was read', async () => {
    const server = await bareServer((req, res) => {
      res.writeHead(401).write('no')
      req.once('end', () => res.end()).resume()
    })
    const { bridge, session } = await bridgeTo(server.url)
    const body = 'x'.repeat(300_000)
    const { status, body: text } = await ask(bridge, '/target/mcp', {
      method: 'POST',
      headers: session,
      body,
    })
    expect([status, text]).toEqual([401, 'no'])
  })
})

describe('streams', () => {
  it('go on event by event', async () => {
    const started = deferred<ServerResponse>()
    const { bridge, session } = await opened((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      started.resolve(response)
    })
    const answered = await begin(bridge, '/target/mcp', { headers: session })
    expect(answered.headers['content-type']).toBe('text/event-stream')
    const response = await started.promise
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      response.write(event)
      // The next one is not sent before this one has arrived.
      const [piece] = (await once(answered, 'data')) as [Buffer]
      expect(String(piece)).toBe(event)
    }
    response.end()
    await once(answered, 'end')
  })

  it('end at the server when the page leaves, before and after the head', async () => {
    const arrived: Promise<void>[] = []
    const here: (() => void)[] = []
    let count = 0
    const server = await bareServer((_req, res) => {
      arrived.push(once(res, 'close').then(() => {}))
      if (count++ > 0) res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      here.shift()?.()
    })
    const { bridge, session } = await bridgeTo(server.url)
    const isHere = new Promise<void>((resolve) => void here.push(resolve))
    const controller = new AbortController()
    const early = fetch(`${bridge.origin}/target/mcp`, { headers: session, signal: controller.signal })
    await isHere
    controller.abort()
    await expect(early).rejects.toThrow()
    await arrived[0]
    const answered = await begin(bridge, '/target/mcp', { headers: session })
    answered.on('error', () => {}).destroy()
    await arrived[1]
    expect(arrived.length).toBe(2)
  })

  it('are read no faster than the page reads them', async () => {
    const piece = Buffer.alloc(1024 * 1024)
    let written = 0
    const stalled = deferred()
    const server = await bareServer((_req, res) => {
      res.writeHead(200)
      const more = () => {
        while (written < 200) {
          written++
          if (!res.write(piece)) break
        }
      }
      res.on('drain', more)
      more()
      stalled.resolve()
    })
    const { bridge, session } = await bridgeTo(server.url)
    const answered = await begin(bridge, '/target/mcp', { headers: session })
    answered.pause()
    await stalled.promise
    // Whoever would read all of it would have done so by the time this other one is through.
    for (let round = 0; round < 20; round++) await ask(bridge, '/inspector/config.json', { headers: session })
    expect(written).toBeLessThan(60)
    answered.destroy()
  })

  it('that break off do not look whole', async () => {
    const { bridge, session } = await opened((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('data: 1\n\n', () => response.destroy())
    })
    const answered = await begin(bridge, '/target/mcp', { headers: session })
    answered.resume()
    const [error] = (await once(answered, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })

  it('end when the bridge is closed, which waits for nobody', async () => {
    const server = await bareServer((_req, res) => res.writeHead(200).flushHeaders())
    const { bridge, session } = await bridgeTo(server.url)
    const answered = await begin(bridge, '/target/mcp', { headers: session })
    const broken = once(answered, 'error')
    const started = performance.now()
    await bridge.close()
    await broken
    // Not the five seconds that servers give to what is under way.
    expect(performance.now() - started).toBeLessThan(4500)
    await expect(ask(bridge, '/inspector')).rejects.toThrow('ECONNREFUSED')
  })
})

describe('when the server cannot be reached', () => {
  it('the page is told why, in a sentence', async () => {
    const gone = await bareServer(() => {})
    await closeBareServers()
    const { bridge, session } = await bridgeTo(gone.url)
    const headers = { ...session, authorization: `Bearer ${token}` }
    const passed = await ask(bridge, '/target/mcp', { headers })
    const raw = await sent({ bridge, session }, { method: 'GET', target: '/mcp', headers: [] })
    for (const got of [passed, raw]) {
      expect([got.status, got.headers['x-inspector-problem']]).toEqual([502, 'unreachable'])
      expect(got.json()).toEqual({ problem: expect.stringContaining('connection was refused') })
    }
  })

  it('nor when it speaks something else, and nothing it said is repeated', async () => {
    const { createServer } = await import('node:net')
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume()
      socket.end(`220 smtp ${token}\r\n`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { bridge, session, log } = await bridgeTo(`http://127.0.0.1:${port}/mcp`)
    const { status, body } = await ask(bridge, '/target/mcp', { headers: session })
    expect([status, log]).toEqual([502, []])
    expect(body).not.toContain(token)
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('a request of the probe', () => {
  it('goes out exactly as it is, to any path of the server', async () => {
    const arrived: IncomingMessage[] = []
    const server = await bareServer((req, res) => {
      arrived.push(req)
      res.writeHead(401, { 'set-cookie': ['a=b', 'c=d'], 'www-authenticate': 'Bearer' }).end('no')
    })
    const { bridge, session } = await bridgeTo(server.url)
    const request = {
      method: 'POST',
      target: '//mcp/../%2e/x?y',
      headers: [
        ['Host', 'evil.example'],
        ['Origin', 'https://evil.example'],
        ['Authorization', 'Bearer a'],
        ['AUTHORIZATION', 'Bearer b'],
      ],
      body: 'é',
    }
    const got = await sent({ bridge, session }, request)
    expect(got.status).toBe(200)
    expect(got.headers['content-security-policy']).toBe("sandbox; default-src 'none'")
    expect(got.headers['set-cookie']).toBeUndefined()
    expect(got.json()).toMatchObject({ status: 401, body: 'no', isCut: false, ms: expect.any(Number) })
    expect((got.json() as ProbeResponse).headers).toEqual(
      expect.arrayContaining([
        ['set-cookie', 'a=b'],
        ['set-cookie', 'c=d'],
      ]),
    )
    expect([arrived[0]?.method, arrived[0]?.url]).toEqual(['POST', '//mcp/../%2e/x?y'])
    expect(arrived[0]?.rawHeaders.join('\n')).toContain(
      [
        'Host',
        'evil.example',
        'Origin',
        'https://evil.example',
        'Authorization',
        'Bearer a',
        'AUTHORIZATION',
        'Bearer b',
      ].join('\n'),
    )
    expect(arrived[0]?.rawHeaders.join()).not.toContain('x-inspector-session')
  })

  it.each([
    ['nothing', null],
    ['a text', 'x'],
    ['a list', []],
    ['no method', { target: '/mcp', headers: [] }],
    ['CONNECT', { method: 'CONNECT', target: '/', headers: [] }],
    ['two methods', { method: 'GET /x HTTP/1.1\r\n', target: '/', headers: [] }],
    ['a whole URL', { method: 'GET', target: 'http://evil.example/', headers: [] }],
    ['another host', { method: 'GET', target: 'evil.example:80', headers: [] }],
    ['a line break in the target', { method: 'GET', target: '/ HTTP/1.1\r\nx: y', headers: [] }],
    ['a blank in the target', { method: 'GET', target: '/a b', headers: [] }],
    ['no headers', { method: 'GET', target: '/' }],
    ['headers by name', { method: 'GET', target: '/', headers: { a: 'b' } }],
    ['a name with a line break', { method: 'GET', target: '/', headers: [['a\r\nb', 'c']] }],
    ['a value with a line break', { method: 'GET', target: '/', headers: [['a', 'b\r\nc: d']] }],
    ['a value that is no text', { method: 'GET', target: '/', headers: [['a', 1]] }],
    [
      'too many headers',
      { method: 'GET', target: '/', headers: Array.from({ length: 101 }, () => ['a', 'b']) },
    ],
    ['too long a head', { method: 'GET', target: '/', headers: [['a', 'x'.repeat(32_768)]] }],
    ['a body that is no text', { method: 'GET', target: '/', headers: [], body: {} }],
  ])('FL-103 %s is none: 400, and nothing is sent', async (_what, request) => {
    const { server, bridge, session } = await opened(answer(200))
    const got = await sent({ bridge, session }, request as object)
    expect([got.status, got.headers['x-inspector-problem']]).toEqual([400, 'request'])
    expect(server.requests).toEqual([])
  })

  it('is bounded', async () => {
    const { server, bridge, session } = await opened(answer(200))
    const body = 'x'.repeat(3 * 1024 * 1024)
    const got = await sent({ bridge, session }, { method: 'POST', target: '/mcp', headers: [], body })
    expect([got.status, server.requests.length]).toEqual([400, 0])
  })

  it('ends at the server when the page leaves', async () => {
    const here = deferred<ServerResponse>()
    const server = await bareServer((_req, res) => here.resolve(res))
    const { bridge, session } = await bridgeTo(server.url)
    const controller = new AbortController()
    const body = JSON.stringify({ method: 'GET', target: '/mcp', headers: [] })
    const headers = { ...session, 'content-type': 'application/json' }
    const asked = fetch(`${bridge.origin}/inspector/send`, {
      method: 'POST',
      headers,
      body,
      signal: controller.signal,
    })
    const closed = once(await here.promise, 'close')
    controller.abort()
    await expect(asked).rejects.toThrow()
    await closed
  })
})

describe('a server on another machine, over plain http', () => {
  // No such network: whatever would be sent there would be waited for.
  const target = 'http://192.0.2.1/mcp'

  it('A-41 is sent no token, neither by the page nor by the probe', async () => {
    const { bridge, session } = await bridgeTo(target)
    const authorization = `Bearer ${token}`
    const refused = [
      await ask(bridge, '/target/mcp', { headers: { ...session, authorization } }),
      await sent(
        { bridge, session },
        { method: 'GET', target: '/mcp', headers: [['AUTHORIZATION', authorization]] },
      ),
      await sent({ bridge, session }, { method: 'GET', target: `/mcp?access_token=${token}`, headers: [] }),
      await sent({ bridge, session }, { method: 'GET', target: '/mcp', headers: [['Cookie', token]] }),
    ]
    for (const got of refused) {
      expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'insecure'])
      expect(got.body).not.toContain(token)
    }
  })

  it('takes no headers of the person either, unless they say so', async () => {
    const headers = { 'x-tenant': 'blue' }
    await expect(inspectorBridge({ target, headers })).rejects.toThrow('url must use https')
    bridges.push(await inspectorBridge({ target, headers, allowInsecure: true }))
  })
})

describe('a server on another machine', () => {
  const request = { method: 'GET', target: '/mcp', headers: [['host', 'other.example']] as string[][] }

  it('FL-103 gets no token under another name: that could be another server at its address', async () => {
    const page = await bridgeTo('https://192.0.2.1/mcp')
    const withToken = [...request.headers, ['authorization', `Bearer ${token}`]]
    const got = await sent(page, { ...request, headers: withToken })
    expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'insecure'])
    const headers = { 'x-tenant': 'blue' }
    const own = await bridgeTo('https://192.0.2.1/mcp', { headers })
    expect((await sent(own, request)).status).toBe(403)
  })
})

describe('the options', () => {
  it.each([
    [{ target: 'mcp.example.com' }, 'url must be an absolute URL'],
    [{ target: 'ftp://mcp.example.com' }, 'url must use https or http'],
    [{ target: `https://user:${token}@mcp.example.com` }, 'must not hold a user name'],
    [{ target: 'https://mcp.example.com/#x' }, 'must not hold a fragment'],
    [{ target: 'https://mcp.example.com', headers: { authorization: `Bearer ${token}` } }, 'authorization'],
    [
      { target: 'https://mcp.example.com', headers: { host: 'evil.example' } },
      'host is set by the transport',
    ],
    [{ target: 'https://mcp.example.com', headers: { 'x-a': 'b\r\nc: d' } }, 'a line break'],
    [{ target: 'https://mcp.example.com', port: 70_000 }, 'port must be'],
    [{ target: 'https://mcp.example.com', host: '0.0.0.0' }, 'unknown option "host"'],
    [{ target: 'https://mcp.example.com', allowInsecure: 'yes' }, 'allowInsecure must be true or false'],
  ])('%j: a TypeError that shows no token', async (options, message) => {
    const error = await inspectorBridge(options as InspectorBridgeOptions).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(message)
    expect((error as Error).message).not.toContain(token)
  })

  it('a port that is taken is said to be', async () => {
    const { bridge } = await bridgeTo('https://mcp.example.com')
    const port = Number(new URL(bridge.origin).port)
    await expect(inspectorBridge({ target: 'https://mcp.example.com', port })).rejects.toThrow('is in use')
  })
})
