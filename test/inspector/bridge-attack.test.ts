import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type InspectorBridge,
  type InspectorBridgeOptions,
  inspectorBridge,
} from '../../src/inspector/bridge/bridge.ts'
import { ask, bytes, deferred, open, tryKey } from './bridge-support.ts'

const bridges: InspectorBridge[] = []
const servers: Server[] = []

afterEach(async () => {
  await Promise.all(bridges.splice(0).map((bridge) => bridge.close()))
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

/** A server that answers every request with the same bytes, and keeps what it got. */
async function rawServer(answer: string) {
  const got: string[] = []
  const respond = (socket: Socket) => {
    socket.on('error', () => {}).on('data', (data) => got.push(data.toString('latin1')))
    socket.once('data', () => socket.end(answer, 'latin1'))
  }
  const server = createServer(respond)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, got }
}

async function bridgeTo(target: string, options: Partial<InspectorBridgeOptions> = {}) {
  const bridge = await inspectorBridge({ target, logger() {}, ...options })
  bridges.push(bridge)
  return { bridge, session: await open(bridge) }
}

/** A bridge to a server that answers with these bytes. */
async function attackedBy(answer: string) {
  const server = await rawServer(answer)
  return { server, ...(await bridgeTo(server.url)) }
}

function send(
  { bridge, session }: Awaited<ReturnType<typeof bridgeTo>>,
  request: {
    method?: string
    headers?: readonly (readonly [string, string])[]
    body?: string
    target?: string
  },
) {
  return ask(bridge, '/inspector/send', {
    method: 'POST',
    headers: { ...session, 'content-type': 'application/json' },
    body: JSON.stringify({ method: 'POST', target: '/mcp', headers: [], ...request }),
  })
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('a hostile server', () => {
  it.each(['000', '001', '099', '101', '600', '999'])(
    'FL-103 that answers with the status %s ends neither the program nor the wait',
    async (status) => {
      const { bridge, session } = await attackedBy(`HTTP/1.1 ${status} Odd\r\nContent-Length: 2\r\n\r\nok`)
      for (const method of ['POST', 'HEAD']) {
        const got = await ask(bridge, '/target/mcp', { method, headers: session })
        expect([got.status, got.headers['x-inspector-problem']]).toEqual([502, 'unreachable'])
      }
      expect((await ask(bridge, '/inspector/config.json', { headers: session })).status).toBe(200)
    },
  )

  it('FL-103 that switches to another protocol is left, and the page is told', async () => {
    const { bridge, session } = await attackedBy(
      'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi',
    )
    const got = await ask(bridge, '/target/mcp', { method: 'POST', headers: session, body: '{}' })
    expect([got.status, got.headers['x-inspector-problem']]).toEqual([502, 'unreachable'])
    expect((await send({ bridge, session }, {})).status).toBe(502)
  })

  const evil =
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n<script>alert(1)</script>'
  it.each(['204', '205', '304'])(
    'FL-103 cannot put an answer of its own behind a %s, which browsers read no body of',
    async (status) => {
      const { bridge, session } = await attackedBy(
        `HTTP/1.1 ${status} Odd\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
      )
      const { host } = new URL(bridge.origin)
      const line = `Host: ${host}\r\nx-inspector-session: ${session['x-inspector-session']}\r\nConnection: close`
      const told = await bytes(bridge, `GET /target/mcp HTTP/1.1\r\n${line}\r\n\r\n`)
      // In chunks of a 502 it is a body like any other.
      expect(told).toMatch(status === '204' ? /^HTTP\/1\.1 204 / : /^HTTP\/1\.1 502 /)
      if (status === '205')
        expect(told).toMatch(/x-inspector-status: 205\r\n.*transfer-encoding: chunked\r\n/is)
      else expect(told).not.toContain('<script>')
    },
  )

  it('FL-103 is the last that its connection carries', async () => {
    const { bridge, session } = await attackedBy(ok)
    const { host } = new URL(bridge.origin)
    const one = `GET /target/mcp HTTP/1.1\r\nHost: ${host}\r\nx-inspector-session: ${session['x-inspector-session']}\r\n\r\n`
    const told = await bytes(bridge, one + one)
    expect(told).toMatch(/connection: close\r\n/i)
    expect(told.split('HTTP/1.1 ').length - 1).toBe(1)
  })

  it.each([
    'X-A : b',
    'Transfer-Encoding : chunked',
    'X-A: b\rTransfer-Encoding: chunked',
    'X-A: b\nTransfer-Encoding: chunked',
    'X-A: b\r\n Transfer-Encoding: chunked',
    'X-A: b\0',
    'X-A: \x7F',
    ' X-A: b',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Content-Length: 2\r\nContent-Length: 3',
  ])('FL-103 cannot put a line into the head that Node reads otherwise than a browser: %j', async (line) => {
    const { bridge, session } = await attackedBy(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n2\r\nok\r\n0\r\n\r\n`)
    const got = await ask(bridge, '/target/mcp', { headers: session })
    expect([got.status, got.headers['x-inspector-problem']]).toEqual([502, 'unreachable'])
  })

  it('FL-103 that switches and stays is hung up on', async () => {
    const closed = deferred()
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('close', () => closed.resolve())
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
      )
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { bridge, session } = await bridgeTo(`http://127.0.0.1:${port}/mcp`)
    expect((await ask(bridge, '/target/mcp', { headers: session })).status).toBe(502)
    await closed.promise
  })

  it('FL-103 has its browser commands left out, the newer ones too', async () => {
    const commands = [
      'Sec-Session-Registration',
      'Secure-Session-Registration',
      'Secure-Session-Challenge',
      'Set-Login',
      'Use-As-Dictionary',
      'Attribution-Reporting-Register-Source',
      'Ad-Auction-Signals',
      'Shared-Storage-Write',
      'Observe-Browsing-Topics',
      'Activate-Storage-Access',
      'Integrity-Policy',
      'Require-Document-Policy',
      'No-Vary-Search',
      'Delegate-CH',
      'Expect-CT',
      'X-Content-Security-Policy',
      'X-WebKit-CSP',
    ]
    const lines = commands.map((name) => `${name}: x\r\n`).join('')
    const { bridge, session } = await attackedBy(
      `HTTP/1.1 200 OK\r\n${lines}X-Fine: y\r\nContent-Length: 2\r\n\r\nok`,
    )
    const { headers } = await ask(bridge, '/target/mcp', { headers: session })
    expect(headers['x-fine']).toBe('y')
    expect(headers['x-inspector-dropped']).toBe(commands.join(', ').toLowerCase())
    for (const name of commands) expect(headers).not.toHaveProperty(name.toLowerCase())
  })

  it('FL-103 cannot take the shield off: neither by its own headers, nor by calling them those of the connection', async () => {
    const { bridge, session } = await attackedBy(
      'HTTP/1.1 200 OK\r\nConnection: content-security-policy, x-content-type-options, content-disposition\r\n' +
        'Content-Type: text/html\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n' +
        '2\r\nok\r\n0\r\nSet-Cookie: a=b\r\n\r\n',
    )
    const { headers, body } = await ask(bridge, '/target/mcp', { headers: session })
    expect([body, headers['content-security-policy'], headers['content-disposition']]).toEqual([
      'ok',
      "sandbox; default-src 'none'",
      'attachment',
    ])
    const { host } = new URL(bridge.origin)
    const told = await bytes(
      bridge,
      `GET /target/mcp HTTP/1.1\r\nHost: ${host}\r\nx-inspector-session: ${session['x-inspector-session']}\r\nTE: trailers\r\nConnection: close\r\n\r\n`,
    )
    expect(told).not.toMatch(/set-cookie/i)
  })

  it('FL-103 is no document, script, worker or image of the origin: no address of it works without the session', async () => {
    const { bridge, server } = await attackedBy(ok)
    for (const destination of ['document', 'script', 'serviceworker', 'worker', 'image', 'style', 'iframe'])
      for (const path of ['/target/mcp', '/target/.well-known/oauth-protected-resource']) {
        const headers = { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': destination }
        expect((await ask(bridge, path, { headers })).status).toBe(403)
      }
    expect(server.got).toEqual([])
  })
})

describe('a request of the probe that is made to do more', () => {
  it.each(['connect', 'Connect', 'CONNECT'])('FL-103 %s is none, however it is spelled', async (method) => {
    const { server, ...attacked } = await attackedBy(ok)
    const got = await send(attacked, { method })
    expect([got.status, server.got]).toEqual([400, []])
  })

  const second = 'GET /other HTTP/1.1\r\nHost: other.example\r\nAuthorization: Bearer stolen\r\n\r\n'
  it.each([
    ['a length of 0', [['Content-Length', '0']]],
    ['a length that is short', [['content-length', '10']]],
    ['a length that is no number', [['Content-Length', 'abc']]],
    [
      'two lengths',
      [
        ['Content-Length', '0'],
        ['Content-Length', String(second.length)],
      ],
    ],
    ['a coding Node does not know', [['Transfer-Encoding', 'identity']]],
    [
      'a coding and a length',
      [
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '9999'],
      ],
    ],
  ] as const)('FL-103 hides no second request in its body: %s', async (_what, headers) => {
    const { server, ...attacked } = await attackedBy(ok)
    const got = await send(attacked, { headers, body: second })
    expect([got.status, got.headers['x-inspector-problem'], server.got]).toEqual([400, 'request', []])
  })

  it('may still say that more comes than there is, or leave its length to be counted in bytes', async () => {
    const { server, ...attacked } = await attackedBy(ok)
    expect((await send(attacked, { headers: [['Content-Length', '104857600']], body: 'ä' })).status).toBe(200)
    expect((await send(attacked, { headers: [['Content-Length', '2']], body: 'ä' })).status).toBe(200)
    expect((await send(attacked, { headers: [['Content-Length', '1']], body: 'ä' })).status).toBe(400)
    expect(server.got.length).toBeGreaterThanOrEqual(2)
  })
})

describe('a server on another machine, over plain http', () => {
  it('A-41 is sent no token in the address either', async () => {
    // TEST-NET-1 (RFC 5737): nothing is there.
    const { bridge, session } = await bridgeTo('http://192.0.2.1/mcp')
    for (const query of ['?access_token=secret', '?a=b&token=secret']) {
      const got = await ask(bridge, `/target/mcp${query}`, { headers: session })
      expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'insecure'])
    }
  })
})

describe('a page of another program on this machine', () => {
  it.each([
    '127.0.0.1.:PORT',
    'localhost.:PORT',
    'LOCALHOST:PORT',
    '[::1]:PORT',
    '0.0.0.0:PORT',
    '2130706433:PORT',
  ])('FL-103 under the name %s: 403', async (name) => {
    const { bridge, session } = await attackedBy(ok)
    const host = name.replace('PORT', new URL(bridge.origin).port)
    expect((await ask(bridge, '/inspector', { headers: { host } })).status).toBe(403)
    expect((await ask(bridge, '/inspector/config.json', { headers: { ...session, host } })).status).toBe(403)
  })

  it('FL-103 uses up no tries of the key', async () => {
    const { bridge } = await attackedBy(ok)
    const key = new URL(bridge.renew()).hash.slice('#key='.length)
    for (let tries = 0; tries < 30; tries++)
      expect((await tryKey(bridge, 'wrong', { origin: 'http://127.0.0.1:1' })).status).toBe(403)
    expect((await tryKey(bridge, key)).status).toBe(200)
  })
})
