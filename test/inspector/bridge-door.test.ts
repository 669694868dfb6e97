import { afterEach, describe, expect, it } from 'vitest'
import { type InspectorBridge, inspectorBridge } from '../../src/inspector/bridge/bridge.ts'
import { answer, closeServers, listen } from '../client/servers.ts'
import {
  ask,
  bareServer,
  begin,
  bytes,
  closeBareServers,
  keptLog,
  keyOf,
  open,
  tryKey,
} from './bridge-support.ts'

const bridges: InspectorBridge[] = []

afterEach(async () => {
  await Promise.all(bridges.splice(0).map((bridge) => bridge.close()))
  await closeServers()
  await closeBareServers()
})

/** A server, and a bridge to it that a page has opened. */
async function opened(options: { patience?: { headMs: number; everyMs: number } } = {}) {
  const server = await listen(answer(200, {}, { ok: true }))
  const { entries, logger } = keptLog()
  const bridge = await inspectorBridge({ target: server.url, logger }, options.patience)
  bridges.push(bridge)
  const session = await open(bridge)
  return { server, bridge, session, log: entries, host: new URL(bridge.origin).host }
}

describe('who may ask the bridge', () => {
  it('listens on the loopback address only, under an address with a key nobody can guess', async () => {
    const { bridge } = await opened()
    expect(bridge.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/inspector#key=[\w-]{32}$/)
    expect(bridge.renew()).not.toBe(bridge.renew())
  })

  it.each([
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['the Origin of a file', { origin: 'null' }],
    ['an Origin on another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['the other name of this machine as Origin', { origin: 'http://localhost:PORT' }],
    ['the Origin over https', { origin: 'https://127.0.0.1:PORT' }],
    ['two Origins', { origin: ['http://127.0.0.1:PORT', 'http://127.0.0.1:PORT'] }],
    ['a foreign Host', { host: 'evil.example:PORT' }],
    ['a Host without the port', { host: '127.0.0.1' }],
    ['a Host with another port', { host: '127.0.0.1:1' }],
    ['a Host that begins like it', { host: '127.0.0.1:PORT.evil.example' }],
    ['another loopback address as Host', { host: '127.0.0.2:PORT' }],
    ['a Host with a user name', { host: 'x@127.0.0.1:PORT' }],
    ['a request of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a request of another port', { 'sec-fetch-site': 'same-site' }],
    ['a request that no page made', { 'sec-fetch-site': 'none' }],
    [
      'another site that goes to what is no document',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
  ])('FL-103 %s: 403, and nothing reaches the server', async (_what, headers) => {
    const { bridge, session, server } = await opened()
    const port = new URL(bridge.origin).port
    const filled = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        Array.isArray(value)
          ? value.map((one) => one.replace('PORT', port))
          : (value as string).replace('PORT', port),
      ]),
    )
    for (const path of [
      '/target/mcp',
      '/inspector/config.json',
      '/target/.well-known/oauth-protected-resource',
    ]) {
      const got = await ask(bridge, path, { headers: { ...session, ...filled } })
      expect([path, got.status, got.headers['x-inspector-problem']]).toEqual([path, 403, 'forbidden'])
      expect(Object.keys(got.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    expect((await tryKey(bridge, keyOf(bridge.renew()), filled as Record<string, string>)).status).toBe(403)
    expect(server.requests).toEqual([])
  })

  it('takes its own page under both names of this machine', async () => {
    const { bridge, session } = await opened()
    const { port } = new URL(bridge.origin)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const headers = { ...session, host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }
      expect((await ask(bridge, '/target/mcp', { headers })).status).toBe(200)
    }
  })

  it('FL-103 two Hosts: 403', async () => {
    const { bridge, host } = await opened()
    const lines = ['GET /inspector HTTP/1.1', `Host: ${host}`, `Host: ${host}`, 'Connection: close', '', '']
    expect(await bytes(bridge, lines.join('\r\n'))).toMatch(/^HTTP\/1\.1 40[03] /)
  })

  it.each(['evil.example', ''])('FL-103 HTTP/1.0 with the Host "%s": 403', async (host) => {
    const { bridge } = await opened()
    const line = host === '' ? '' : `Host: ${host}\r\n`
    expect(await bytes(bridge, `GET /inspector HTTP/1.0\r\n${line}\r\n`)).toMatch(/^HTTP\/1\.1 403 /)
  })

  it('FL-103 without a session, or with a wrong one, nothing but the page: 403', async () => {
    const { bridge, session, server } = await opened()
    const secret = session['x-inspector-session']
    const wrong = [
      {},
      { 'x-inspector-session': 'x' },
      { 'x-inspector-session': `${secret}x` },
      { 'x-inspector-session': [secret, secret] },
    ]
    for (const headers of wrong) {
      for (const path of ['/target/mcp', '/inspector/config.json', '/inspector/send', '/nothing']) {
        const got = await ask(bridge, path, { method: 'POST', headers: headers as Record<string, string> })
        expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'session'])
        expect(got.headers['cache-control']).toBe('no-store')
      }
    }
    expect(server.requests).toEqual([])
  })

  it('a preflight of another site is refused, and says nothing of what is allowed', async () => {
    const { bridge } = await opened()
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-inspector-session',
    }
    const got = await ask(bridge, '/target/mcp', { method: 'OPTIONS', headers })
    expect(got.status).toBe(403)
    expect(Object.keys(got.headers).join()).not.toContain('access-control')
  })
})

describe('the key of the bridge', () => {
  it('FL-103 lets one page in, once', async () => {
    const { bridge } = await opened()
    for (const key of [keyOf(bridge.url), 'wrong']) {
      const got = await tryKey(bridge, key)
      expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'session'])
    }
  })

  it('lets in one of two that come at the same time', async () => {
    const { bridge } = await opened()
    const key = keyOf(bridge.renew())
    const tries = await Promise.all(Array.from({ length: 8 }, () => tryKey(bridge, key)))
    expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 403)])
  })

  it('FL-103 after twenty wrong keys the right one is good for nothing, and the log says so', async () => {
    const { bridge, log } = await opened()
    const key = keyOf(bridge.renew())
    for (let tries = 0; tries < 19; tries++) await tryKey(bridge, `${key}${tries}`)
    expect(log).toEqual([])
    await tryKey(bridge, undefined)
    expect((await tryKey(bridge, key)).status).toBe(403)
    expect(log).toMatchObject([{ event: 'inspector_key_void', level: 'warn' }])
    // The next one has tries of its own.
    const next = keyOf(bridge.renew())
    for (let tries = 0; tries < 19; tries++) await tryKey(bridge, key)
    expect((await tryKey(bridge, next)).status).toBe(200)
  })

  it('nineteen wrong ones do no harm', async () => {
    const { bridge } = await opened()
    const key = keyOf(bridge.renew())
    for (const wrong of [null, 0, '', [key], { key }, ...Array.from({ length: 14 }, () => 'wrong')])
      await tryKey(bridge, wrong)
    expect((await tryKey(bridge, key)).status).toBe(200)
  })

  it('a new address leaves the page that is open alone until it is used, and voids the one before', async () => {
    const { bridge, session } = await opened()
    const first = bridge.renew()
    const second = bridge.renew()
    expect((await tryKey(bridge, keyOf(first))).status).toBe(403)
    expect((await ask(bridge, '/inspector/config.json', { headers: session })).status).toBe(200)
    const other = await open(bridge, second)
    expect((await ask(bridge, '/inspector/config.json', { headers: session })).status).toBe(403)
    expect((await ask(bridge, '/inspector/config.json', { headers: other })).status).toBe(200)
  })

  it('is read from JSON and nothing else', async () => {
    const { bridge } = await opened()
    const key = keyOf(bridge.renew())
    const body = JSON.stringify({ key })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type }
      expect((await ask(bridge, '/inspector/open', { method: 'POST', headers, body })).status).toBe(403)
    }
    expect((await ask(bridge, `/inspector/open?key=${key}`)).status).toBe(403)
    expect((await tryKey(bridge, key)).status).toBe(200)
  })
})

describe('the files of the bridge', () => {
  it('are the page, its script and its style, under a strict policy', async () => {
    const { bridge } = await opened()
    for (const [path, type] of [
      ['/inspector', 'text/html'],
      ['/inspector?x=1', 'text/html'],
      ['/inspector/app.js', 'text/javascript'],
      ['/inspector/style.css', 'text/css'],
    ] as const) {
      const { status, headers, body } = await ask(bridge, path)
      expect([status, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`])
      expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(body).not.toContain(keyOf(bridge.url))
      expect((await ask(bridge, path, { method: 'HEAD' })).body).toBe('')
    }
  })

  it('other names of the page lead to it', async () => {
    const { bridge } = await opened()
    for (const path of ['/', '/inspector/', '/inspector/keys']) {
      const { status, headers } = await ask(bridge, path)
      expect([status, headers.location]).toEqual([302, '/inspector'])
    }
  })

  it('a document is opened by a person, or by a link from wherever; its script is not', async () => {
    const { bridge } = await opened()
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    const frame = { ...link, 'sec-fetch-dest': 'iframe' }
    const script = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }
    expect((await ask(bridge, '/inspector', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200)
    expect((await ask(bridge, '/inspector', { headers: link })).status).toBe(200)
    expect((await ask(bridge, '/inspector', { headers: frame })).status).toBe(403)
    expect((await ask(bridge, '/inspector/app.js', { headers: script })).status).toBe(403)
    expect((await ask(bridge, '/inspector/app.js', { headers: link })).status).toBe(403)
  })

  it('tells its page, and nobody else, what it leads to', async () => {
    const { bridge, session, server } = await opened()
    const { status, headers, json } = await ask(bridge, '/inspector/config.json', { headers: session })
    expect([status, headers['cache-control']]).toEqual([200, 'no-store'])
    expect(json()).toEqual({
      kind: 'bridge',
      name: new URL(server.url).host,
      endpoint: '/target/mcp',
      url: server.url,
      send: '/inspector/send',
    })
  })
})

describe('limits of the bridge', () => {
  it('a head of 32 kB: 431', async () => {
    const { bridge, session, server } = await opened()
    const headers = { ...session, accept: 'x'.repeat(32_768) }
    expect((await ask(bridge, '/target/mcp', { headers })).status).toBe(431)
    expect(server.requests).toEqual([])
  })

  it('a body that says it is too long: 413, before anything reaches the server', async () => {
    const { bridge, session, server } = await opened()
    const answered = await begin(bridge, '/target/mcp', {
      method: 'POST',
      headers: { ...session, 'content-length': String(17 * 1024 * 1024), expect: '100-continue' },
    }).then((got) => [got.statusCode, got.destroy()][0])
    expect(answered).toBe(413)
    expect(server.requests).toEqual([])
  })

  it('a body that does not say it: 413', async () => {
    const server = await bareServer((req) => void req.on('error', () => {}).resume())
    const bridge = await inspectorBridge({ target: server.url, logger: () => {} })
    bridges.push(bridge)
    const body = 'x'.repeat(17 * 1024 * 1024)
    const headers = { ...(await open(bridge)), 'transfer-encoding': 'chunked' }
    const { status } = await ask(bridge, '/target/mcp', { method: 'POST', headers, body })
    expect(status).toBe(413)
  })

  it('a head that does not end: the connection is closed', async () => {
    const { bridge } = await opened({ patience: { headMs: 100, everyMs: 20 } })
    expect(await bytes(bridge, 'GET /inspector HTTP/1.1\r\nX-')).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('so many requests at a time, streams counted', async () => {
    const held: (() => void)[] = []
    const server = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      held.push(() => response.end())
    })
    const bridge = await inspectorBridge({ target: server.url, logger: () => {} })
    bridges.push(bridge)
    const headers = await open(bridge)
    await Promise.all(Array.from({ length: 100 }, () => begin(bridge, '/target/mcp', { headers })))
    const refused = await ask(bridge, '/target/mcp', { headers })
    expect([refused.status, refused.headers['x-inspector-problem']]).toEqual([503, 'busy'])
    expect(held.length).toBe(100)
  })

  it.each([
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n', /^$/],
    [
      'a whole URL',
      'GET http://evil.example/inspector HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 403 /,
    ],
    [
      'a whole URL of its own',
      'GET http://HOST/target/mcp HTTP/1.1\r\nHost: HOST\r\nSESSION\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 404 /,
    ],
    ['no path', 'GET * HTTP/1.1\r\nHost: HOST\r\nSESSION\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 40\d /],
    ['garbage', '\x16\x03\x01\x02\x00\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two lengths',
      'POST /target/mcp HTTP/1.1\r\nHost: HOST\r\nSESSION\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
  ])('FL-103 %s leads nowhere', async (_what, sent, expected) => {
    const { bridge, host, session, server } = await opened()
    const line = `x-inspector-session: ${session['x-inspector-session']}`
    expect(await bytes(bridge, sent.replaceAll('HOST', host).replace('SESSION', line))).toMatch(expected)
    expect(server.requests).toEqual([])
  })
})
