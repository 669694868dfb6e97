import { serve as serveHono } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { askRaw, openConnection } from '../http/support.ts'
import {
  alice,
  answerOf,
  bob,
  guarded,
  post,
  type Revision,
  revisions,
  rpc,
  serveNode,
  textOf,
} from './fixtures.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function listening(
  http: Parameters<typeof guarded>[1] = {},
  options: Parameters<typeof guarded>[0] = {},
) {
  const made = guarded(options, http)
  open.push(made.server)
  return { ...made, ...(await made.server.listen({ port: 0 })) }
}

const whoami = (revision: Revision) => rpc('tools/call', { name: 'whoami', arguments: {} }, revision)

describe.each(revisions)('protocol revision %s', (revision) => {
  it('A-01 a good token reaches the handler, as the person it is', async () => {
    const { url } = await listening()
    for (const [token, name] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      const response = await fetch(post(url, whoami(revision), token))
      expect(response.status).toBe(200)
      expect(textOf(await answerOf(response))).toBe(name)
    }
  })

  it.each(['initialize', 'server/discover', 'ping', 'tools/list', 'tools/call', 'no/such/method'])(
    'A-14 %s without a token is a 401, and nothing runs',
    async (method) => {
      const { url, calls, verifier } = await listening()
      const response = await fetch(post(url, rpc(method, { name: 'whoami' }, revision)))
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual({
        error: 'unauthorized',
        error_description: 'Authentication required',
      })
      expect(calls).toEqual([])
      expect(verifier.asked).toBe(0)
    },
  )

  it('A-14 D-32 a notification without a token is a 401, not a 202', async () => {
    const { url } = await listening()
    const { headers } = rpc('notifications/initialized', {}, revision)
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(401)
  })

  it('FL-63 D-31 a tool whose scopes are missing is an HTTP 403 that names them all, before any byte of a stream', async () => {
    const { url, calls } = await listening()
    const message = rpc('tools/call', { name: 'purge', arguments: {} }, revision)
    const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`)
    const { port } = new URL(url)
    const answer = await askRaw(
      Number(port),
      [
        'POST /mcp HTTP/1.1',
        `Host: localhost:${port}`,
        ...lines,
        `Authorization: Bearer ${bob}`,
        `Content-Length: ${message.body.length}`,
        '',
        message.body,
      ].join('\r\n'),
    )
    expect(answer.statusLine).toBe('HTTP/1.1 403 Forbidden')
    expect(answer.header('www-authenticate')).toEqual([
      'Bearer realm="mcp", error="insufficient_scope", error_description="The access token lacks a scope this operation needs", scope="admin write"',
    ])
    expect(JSON.parse(answer.body)).toEqual({
      error: 'insufficient_scope',
      error_description: 'The access token lacks a scope this operation needs',
      scope: 'admin write',
    })
    expect(calls).toEqual([])
  })

  it('D-28 D-30 a tool whose scopes are missing is not listed, and calling it by name is a 403 all the same', async () => {
    const { url } = await listening({}, { scopeHierarchy: { admin: ['write'] } })
    const names = async (token: string) => {
      const { result } = await answerOf(await fetch(post(url, rpc('tools/list', {}, revision), token)))
      return (result!.tools as { name: string }[]).map(({ name }) => name)
    }
    expect(await names(alice)).toEqual(['whoami', 'purge'])
    expect(await names(bob)).toEqual(['whoami'])
    const purge = rpc('tools/call', { name: 'purge', arguments: {} }, revision)
    expect((await fetch(post(url, purge, bob))).status).toBe(403)
    expect(textOf(await answerOf(await fetch(post(url, purge, alice))))).toBe('purged')
  })
})

describe('every way in', () => {
  it('A-14 every verb without a token is a 401', async () => {
    const { url, calls } = await listening()
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      expect([method, (await fetch(url, { method })).status]).toEqual([method, 401])
    }
    expect(calls).toEqual([])
  })

  it('D-13 GET and DELETE with a token are a 405', async () => {
    const { url } = await listening()
    for (const method of ['GET', 'DELETE']) {
      expect((await fetch(url, { method, headers: { authorization: `Bearer ${alice}` } })).status).toBe(405)
    }
  })

  it('A-14 A-15 neither an earlier request on the connection nor a session id stands in for a token', async () => {
    const { port } = await listening()
    const connection = openConnection(port)
    open.push(connection)
    const message = whoami('2025-11-25')
    const bytes = (...more: string[]) =>
      [
        'POST /mcp HTTP/1.1',
        `Host: localhost:${port}`,
        ...Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`),
        `Content-Length: ${message.body.length}`,
        ...more,
        '',
        message.body,
      ].join('\r\n')
    expect((await connection.ask(bytes(`Authorization: Bearer ${alice}`))).status).toBe(200)
    expect((await connection.ask(bytes('Mcp-Session-Id: 1'))).status).toBe(401)
  })

  it('FL-18 A-20 no spelling of the path opens anything', async () => {
    const { port, calls } = await listening()
    for (const path of [
      '/mcp',
      '/mcp/',
      '//mcp',
      '/%6dcp',
      '/MCP',
      '/mcp;x',
      '/mcp/..',
      '/health/../mcp',
      '/docs%2f..%2fmcp',
      '/mcp?x=1',
      '/mcp#x',
      'http://evil.example/mcp',
      '/',
    ]) {
      for (const method of ['GET', 'POST', 'HEAD']) {
        const answer = await askRaw(
          port,
          `${method} ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 0\r\n\r\n`,
        )
        expect([path, [401, 404].includes(answer.status)]).toEqual([path, true])
      }
    }
    expect(calls).toEqual([])
  })

  it('FL-24 /health says it is alive, and nothing else', async () => {
    const { url } = await listening()
    const response = await fetch(new URL('/health', url))
    expect([response.status, await response.text()]).toEqual([200, '{"status":"ok"}'])
    expect((await fetch(new URL('/health', url), { method: 'POST' })).status).toBe(404)
  })

  it('FL-20 FL-97 server.fetch asks for the token as the listener does, whatever the path', async () => {
    const { server, calls } = guarded()
    for (const path of ['/mcp', '/', '/any/mount/path']) {
      const url = `http://localhost${path}`
      expect((await server.fetch(post(url, whoami('2026-07-28')))).status).toBe(401)
      expect((await server.fetch(post(url, whoami('2026-07-28'), 'someone-else'))).status).toBe(401)
      expect(textOf(await answerOf(await server.fetch(post(url, whoami('2026-07-28'), bob))))).toBe('bob')
    }
    expect(calls).toHaveLength(3)
  })

  it('FL-19 mounted under a prefix in Express, Hono and node:http it stays protected', async () => {
    const { server } = guarded()
    const app = express().use('/team-a', server.nodeListener)
    const hono = new Hono().all('/team-a/mcp', (context) => server.fetch(context.req.raw))
    const honoServer = serveHono({
      fetch: hono.fetch,
      port: 0,
      hostname: '127.0.0.1',
      overrideGlobalObjects: false,
    })
    open.push(honoServer)
    if (!honoServer.listening) await new Promise((resolve) => honoServer.once('listening', resolve))
    const mounts = [await serveNode(app), await serveNode(server.nodeListener)]
    open.push(...mounts)
    const urls = [
      ...mounts.map((mount) => mount.url),
      `http://127.0.0.1:${(honoServer.address() as { port: number }).port}`,
    ]
    for (const url of urls) {
      expect((await fetch(post(`${url}/team-a/mcp`, whoami('2026-07-28')))).status).toBe(401)
      const response = await fetch(post(`${url}/team-a/mcp`, whoami('2026-07-28'), alice))
      expect(textOf(await answerOf(response))).toBe('alice')
    }
  })

  it('a body that Express has parsed already is taken as it is, behind the same gate', async () => {
    const { server, calls } = guarded()
    const mount = await serveNode(express().use(express.json()).use('/mcp', server.nodeListener))
    open.push(mount)
    expect((await fetch(post(`${mount.url}/mcp`, whoami('2026-07-28')))).status).toBe(401)
    expect(calls).toEqual([])
    expect(textOf(await answerOf(await fetch(post(`${mount.url}/mcp`, whoami('2026-07-28'), bob))))).toBe(
      'bob',
    )
  })

  it('K02 A-12 a named API-key header is a credential, an unnamed one is nothing', async () => {
    const named = await listening({ apiKeyHeader: 'X-API-Key' })
    const unnamed = await listening()
    const { headers, body } = whoami('2026-07-28')
    const ask = (url: string, more: Record<string, string>) =>
      fetch(url, { method: 'POST', headers: { ...headers, ...more }, body })
    expect(textOf(await answerOf(await ask(named.url, { 'x-api-key': alice })))).toBe('alice')
    expect((await ask(unnamed.url, { 'x-api-key': alice })).status).toBe(401)
    expect((await ask(named.url, { 'x-api-key': alice, authorization: `Bearer ${alice}` })).status).toBe(400)
  })

  it('D-01 D-04 A-43 a foreign Host or Origin is a 403 before the token is looked at', async () => {
    const { port, verifier } = await listening()
    const ask = (...lines: string[]) =>
      askRaw(
        port,
        ['POST /mcp HTTP/1.1', ...lines, `Authorization: Bearer ${alice}`, 'Content-Length: 0', '', ''].join(
          '\r\n',
        ),
      )
    const own = `Host: localhost:${port}`
    for (const lines of [
      ['Host: evil.example'],
      [`Host: evil.example:${port}`],
      [`Host: localhost:${port + 1}`],
      [own, 'Origin: http://evil.example'],
      [own, 'Origin: null'],
      [own, `Origin: http://localhost:${port + 1}`],
      [own, `Origin: https://localhost:${port}`],
    ]) {
      const answer = await ask(...lines)
      expect([lines, answer.status, answer.body]).toEqual([lines, 403, '{"error":"forbidden_origin"}'])
    }
    expect(verifier.asked).toBe(0)
    expect((await ask(own, `Origin: http://localhost:${port}`)).status).toBe(415)
  })

  it('A-80 A-81 A-82 a preflight of an allowed origin needs no token, and refusals can be read by the page', async () => {
    const { url, port } = await listening()
    const origin = `http://localhost:${port}`
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,mcp-param-region',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*mcp-param-region/)
    const refused = await fetch(url, { method: 'POST', headers: { origin } })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
  })
})

describe('A-16 FL-25 the body of a stranger', () => {
  it('is not waited for', async () => {
    const { port, calls } = await listening()
    // 100 MB are announced, and none of them is ever sent.
    const head = [
      `POST /mcp HTTP/1.1`,
      `Host: localhost:${port}`,
      'Content-Type: application/json',
      'Content-Length: 104857600',
      '',
      '',
    ]
    const answer = await askRaw(port, head.join('\r\n'))
    expect(answer.status).toBe(401)
    expect(answer.header('connection')).toEqual(['close'])
    expect(calls).toEqual([])
  })

  it('is not invited: a caller who expects a 100 gets the 401 instead, and the 100 only with a good token', async () => {
    const { port } = await listening()
    const message = whoami('2026-07-28')
    const lines = [
      'POST /mcp HTTP/1.1',
      `Host: localhost:${port}`,
      ...Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${message.body.length}`,
      'Expect: 100-continue',
    ]
    expect((await askRaw(port, [...lines, '', ''].join('\r\n'))).status).toBe(401)
    const connection = openConnection(port)
    open.push(connection)
    const invited = await connection.ask([...lines, `Authorization: Bearer ${alice}`, '', ''].join('\r\n'))
    expect(invited.statusLine).toBe('HTTP/1.1 100 Continue')
    expect((await connection.ask(message.body)).status).toBe(200)
  })

  it('is not invited when it is too large to be read', async () => {
    const { port } = await listening()
    const lines = [
      'POST /mcp HTTP/1.1',
      `Host: localhost:${port}`,
      'Content-Type: application/json',
      'Content-Length: 5000000',
      'Expect: 100-continue',
      `Authorization: Bearer ${alice}`,
    ]
    expect((await askRaw(port, [...lines, '', ''].join('\r\n'))).status).toBe(413)
  })

  it('A-48 is not parsed: a bad token with a bad body is a 401, a good one a 400', async () => {
    const { url } = await listening()
    const ask = (token: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: '{',
      })
    expect((await ask('unknown')).status).toBe(401)
    expect((await ask(alice)).status).toBe(400)
  })
})

describe('options', () => {
  it('FL-22 an auth that is not there is an error, not an open server', () => {
    for (const auth of [undefined, null, {}, 'token', () => null]) {
      expect(() => guarded({ auth: auth as never })).toThrow(/auth must be a token verifier/)
    }
  })

  it('FL-23 an unknown option is named', () => {
    expect(() => guarded({ apiKeyheader: 'x' } as never)).toThrow(/unknown option "apiKeyheader"/)
  })
})
