import { createServer as createHttp2, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { type ApiKeys, apiKeys, type KeyStore, memoryKeyStore } from 'mcp-bearer/keys'
import { type KeysAdmin, keysAdmin } from 'mcp-bearer/keys-admin'
import { apiKeyVerifier, type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askRaw } from '../http/support.ts'
import { memoryLog, serveNode } from './fixtures.ts'
import { askOnce } from './wire.ts'

interface World {
  readonly server: MCPServer
  readonly store: KeyStore
  readonly keys: ApiKeys
  readonly admin: KeysAdmin
  readonly log: ReturnType<typeof memoryLog>
  /** With `keys:admin`. */
  readonly key: string
  readonly plainKey: string
}

async function world(
  options: Partial<MCPServerOptions> = {},
  http: HttpOptions = {},
  addresses?: readonly string[],
): Promise<World> {
  const store = memoryKeyStore()
  const keys = apiKeys({ store })
  const bound = addresses === undefined ? {} : { addresses }
  const { key } = await keys.create({ name: 'admin', owner: 'root', scopes: ['keys:admin'], ...bound })
  const { key: plainKey } = await keys.create({ name: 'plain', owner: 'alice', scopes: ['read'] })
  const log = memoryLog()
  const auth = apiKeyVerifier({ store }, { logger: log.logger })
  const admin = keysAdmin({ store, auth, logger: log.logger })
  const server = new MCPServer({ name: 'mounted', auth, logger: log.logger, ...options }, http)
  server.mount(admin)
  onTestFinished(async () => {
    await server.close()
    auth.close?.()
  })
  return { server, store, keys, admin, log, key, plainKey }
}

async function listening(...how: Parameters<typeof world>) {
  const made = await world(...how)
  return { ...made, ...(await made.server.listen({ port: 0 })) }
}

const bearer = (key: string) => `Authorization: Bearer ${key}`
const get = (target: string, ...headers: string[]) => ({ method: 'GET', target, headers })
const post = (target: string, body: string, ...headers: string[]) => ({
  method: 'POST',
  target,
  headers,
  body,
})
const newKey = JSON.stringify({ name: 'laptop', owner: 'bob' })

/** The same request over a socket of the server's own, one of somebody else's, and in process. */
async function everyWay(
  { server }: World,
  ask: { method: string; target: string; body?: string },
  key?: string,
) {
  const { port } = await server.listen({ port: 0 })
  const mount = await serveNode(express().use('/team', server.nodeListener))
  onTestFinished(mount.close)
  const headers = key === undefined ? [] : [bearer(key)]
  const web = await server.fetch(
    new Request(`http://localhost${ask.target}`, {
      method: ask.method,
      ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } }),
      ...(ask.body !== undefined && { body: ask.body }),
    }),
  )
  return [
    await askOnce(port, { ...ask, headers }),
    await askOnce(mount.port, { ...ask, target: `/team${ask.target}`, headers }),
    { status: web.status, headers: Object.fromEntries(web.headers), body: await web.text() },
  ]
}

describe('an API for keys that is mounted', () => {
  it('makes, lists and ends keys, on every way in', async () => {
    const made = await world()
    for (const { status, body, headers } of await everyWay(
      made,
      { method: 'POST', target: '/admin/keys', body: newKey },
      made.key,
    )) {
      expect([status, JSON.parse(body).apiKey.owner.id]).toEqual([201, 'bob'])
      expect(headers['cache-control']).toBe('no-store')
    }
    const listed = await everyWay(made, { method: 'GET', target: '/admin/keys?owner=bob&limit=2' }, made.key)
    for (const { body } of listed) {
      const { keys, next } = JSON.parse(body)
      expect([keys.length, typeof next]).toEqual([2, 'string'])
    }
    const { keys } = JSON.parse(listed[0]!.body)
    const target = `/admin/keys/${keys[0].id}/revoke`
    const [ended] = await everyWay(made, { method: 'POST', target, body: '{"reason":"lost"}' }, made.key)
    expect(JSON.parse(ended!.body)).toMatchObject({ status: 'revoked', revokeReason: 'lost' })
  })

  it('has a gate of its own: nobody comes in without a key that has the scope', async () => {
    const made = await world()
    const ask = { method: 'POST', target: '/admin/keys', body: newKey }
    for (const { status, headers } of await everyWay(made, ask))
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="keys"'])
    for (const { status } of await everyWay(made, ask, 'wrong')) expect(status).toBe(401)
    for (const { status, headers } of await everyWay(made, ask, made.plainKey))
      expect([status, headers['www-authenticate']]).toEqual([403, expect.stringContaining('keys:admin')])
    const { keys } = await made.keys.list({ owner: 'bob' })
    expect(keys).toEqual([])
  })

  it('stays closed where the endpoint is open', async () => {
    const made = await listening({ optionalAuth: true })
    expect((await askOnce(made.port, get('/admin/keys'))).status).toBe(401)
    const open = new MCPServer({ name: 'open', logger() {} }).mount(made.admin)
    onTestFinished(() => open.close())
    const { port } = await open.listen({ port: 0 })
    expect((await askOnce(port, get('/admin/keys'))).status).toBe(401)
    expect((await askOnce(port, get('/admin/keys', bearer(made.key)))).status).toBe(200)
  })

  it.each([
    ...['/admin', '/administration/keys', '/admin%2fkeys', '/Admin/keys'],
    ...['//admin/keys', '/admin;x/keys', '/x/../admin/keys'],
  ])('A-20 %s does not lead there, but to what it led to before', async (target) => {
    const { port, key, server } = await listening()
    expect((await askOnce(port, get(target, bearer(key)))).status).toBe(404)
    const mount = await serveNode(server.nodeListener)
    onTestFinished(mount.close)
    const told = await askOnce(mount.port, get(target))
    expect([told.status, told.headers['www-authenticate']]).toEqual([401, 'Bearer realm="mcp"'])
  })

  it.each(['/admin/', '/admin/../mcp', '/admin/%2e%2e/inspector/whoami', '/admin/keys/', '/admin//keys'])(
    'A-20 %s is nothing there, and nothing else',
    async (target) => {
      const { port, key } = await listening()
      expect(await askOnce(port, get(target, bearer(key)))).toMatchObject({
        status: 404,
        body: '{"error":"not_found"}',
      })
    },
  )
})

describe('before its gate', () => {
  it('A-43 foreign hosts and origins are refused, whatever they ask', async () => {
    const { port, key, server } = await listening()
    for (const header of ['Host: evil.example', 'Origin: https://evil.example'])
      for (const target of ['/admin/keys', '/admin/openapi.json', '/admin/nothing']) {
        const told = await askOnce(port, get(target, header, bearer(key)))
        expect([told.status, told.body]).toEqual([403, '{"error":"forbidden_origin"}'])
      }
    const headers = { origin: 'https://evil.example', authorization: `Bearer ${key}` }
    expect((await server.fetch(new Request('http://localhost/admin/keys', { headers }))).status).toBe(403)
    const own = await askOnce(port, get('/admin/keys', `Origin: http://127.0.0.1:${port}`, bearer(key)))
    expect(own.status).toBe(200)
  })

  it('D-01 no other origin is told that it may, not even one the endpoint is open to', async () => {
    const origin = 'https://app.example.com'
    const { port, key } = await listening({}, { allowedOrigins: [origin] })
    const asked = ['Access-Control-Request-Method: GET', 'Access-Control-Request-Headers: authorization']
    const preflight = (target: string) =>
      askOnce(port, { method: 'OPTIONS', target, headers: [`Origin: ${origin}`, ...asked] })
    expect((await preflight('/mcp')).status).toBe(204)
    expect(await preflight('/admin/keys')).toMatchObject({ status: 405 })
    const read = await askOnce(port, get('/admin/keys', `Origin: ${origin}`, bearer(key)))
    for (const { headers } of [await preflight('/admin/keys'), read])
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('two credentials at once are a request of neither', async () => {
    const { port, key, plainKey } = await listening()
    const lines = ['GET /admin/keys HTTP/1.1', `Host: localhost:${port}`, bearer(key), bearer(plainKey)]
    expect((await askRaw(port, [...lines, '', ''].join('\r\n'))).status).toBe(400)
  })

  it('bad credentials count as those at the endpoint do', async () => {
    const { port, key } = await listening({ limits: { failuresPerMinute: 2 } })
    const tries = []
    for (const bad of ['a', 'b', 'c'])
      tries.push((await askOnce(port, get('/admin/keys', bearer(bad)))).status)
    expect(tries).toEqual([401, 401, 429])
    const mcp = await askOnce(port, { method: 'POST', target: '/mcp', headers: [bearer('d')], body: '{}' })
    expect(mcp.status).toBe(429)
    expect((await askOnce(port, get('/admin/keys', bearer(key)))).status).toBe(429)
  })

  it.each([
    ['from there', ['127.0.0.1'], {}, [], 200],
    ['from elsewhere', ['192.0.2.1'], {}, [], 401],
    ['from there, behind a proxy', ['192.0.2.1'], { trustProxy: 1 }, ['X-Forwarded-For: 192.0.2.1'], 200],
    ['from elsewhere, behind a proxy', ['127.0.0.1'], { trustProxy: 1 }, ['X-Forwarded-For: 192.0.2.1'], 401],
    ['from who only says so', ['192.0.2.1'], {}, ['X-Forwarded-For: 192.0.2.1'], 401],
  ])('a key that is bound to addresses is good %s', async (_where, addresses, http, headers, status) => {
    const { port, key } = await listening({}, http, addresses)
    expect((await askOnce(port, get('/admin/keys', bearer(key), ...headers))).status).toBe(status)
    const made = await askOnce(port, post('/admin/keys', newKey, bearer(key), ...headers))
    expect(made.status).toBe(status === 200 ? 201 : status)
  })

  it('a key that is bound to addresses is not good where nobody knows the address', async () => {
    const { server, key } = await world({}, {}, ['127.0.0.1'])
    const request = new Request('http://localhost/admin/keys', {
      headers: { authorization: `Bearer ${key}` },
    })
    expect((await server.fetch(request)).status).toBe(401)
  })
})

describe('the body of a request to it', () => {
  it('FL-25 is bounded in size and time, and read only for who may come', async () => {
    const { port, key, log } = await listening({ limits: { maxBodyBytes: 100, bodyTimeoutMs: 50 } })
    const long = JSON.stringify({ name: 'x'.repeat(100), owner: 'bob' })
    expect((await askOnce(port, post('/admin/keys', long, bearer('wrong')))).status).toBe(401)
    for (const headers of [[], ['Transfer-Encoding: chunked']]) {
      expect((await askOnce(port, post('/admin/keys', long, bearer(key), ...headers))).status).toBe(413)
      expect((await askOnce(port, post('/admin/keys', newKey, bearer(key), ...headers))).status).toBe(201)
    }
    const lines = ['POST /admin/keys HTTP/1.1', `Host: localhost:${port}`, bearer(key), 'Content-Length: 9']
    const slow = await askRaw(port, [...lines, '', '{'].join('\r\n'))
    expect([slow.status, slow.header('connection')]).toEqual([408, ['close']])
    expect(log.entries.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('FL-25 is bounded in process as well', async () => {
    const { server, key } = await world({ limits: { maxBodyBytes: 100, bodyTimeoutMs: 50 } })
    const authorization = `Bearer ${key}`
    const send = (body: string | ReadableStream) =>
      server.fetch(
        new Request('http://localhost/admin/keys', {
          method: 'POST',
          headers: { authorization },
          body,
          duplex: 'half',
        }),
      )
    expect((await send('x'.repeat(101))).status).toBe(413)
    expect((await send(new ReadableStream())).status).toBe(408)
    expect((await send(newKey)).status).toBe(201)
  })

  it('is not asked for before the caller is known', async () => {
    const { port, key } = await listening()
    const start = ['POST /admin/keys HTTP/1.1', `Host: localhost:${port}`, 'Expect: 100-continue']
    const ask = (...headers: string[]) => askRaw(port, [...start, ...headers, '', ''].join('\r\n'))
    expect((await ask(bearer('wrong'), 'Content-Length: 100')).status).toBe(401)
    expect((await ask(bearer(key), 'Content-Length: 100')).status).toBe(100)
  })

  it('of a caller who is refused and goes on sending ends the connection', async () => {
    const { port } = await listening()
    const head = ['POST /admin/keys HTTP/1.1', `Host: localhost:${port}`, 'Content-Length: 1000000', '', 'x']
    const told = await askRaw(port, head.join('\r\n'))
    expect([told.status, told.header('connection')]).toEqual([401, ['close']])
  })
})

describe('around it', () => {
  it('methods no `Request` can be made of are methods it does not know', async () => {
    const { port, key, log } = await listening()
    for (const method of ['TRACE', 'PUT', 'OPTIONS', 'PROPFIND']) {
      const told = await askOnce(port, { method, target: '/admin/keys', headers: [bearer(key)] })
      expect([method, told.status, typeof told.headers.allow]).toEqual([method, 405, 'string'])
    }
    const head = await askOnce(port, { method: 'HEAD', target: '/admin/keys', headers: [bearer(key)] })
    expect(head).toMatchObject({ status: 200, body: '' })
    expect(log.entries.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('over HTTP/2 as well', async () => {
    const { server, key } = await world()
    const http2: Http2Server = createHttp2((req, res) => server.nodeListener(req as never, res as never))
    await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void http2.close())
    const { connect } = await import('node:http2')
    const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
    onTestFinished(() => session.close())
    const stream = session.request({
      ':path': '/admin/keys?owner=root',
      authorization: `Bearer ${key}`,
      host: 'localhost',
    })
    const status = await new Promise((resolve) =>
      stream.on('response', (headers) => resolve(headers[':status'])),
    )
    stream.resume()
    expect(status).toBe(200)
  })

  it('a server that is closed says so', async () => {
    const { server, key } = await world()
    await server.close()
    const request = new Request('http://localhost/admin/keys', {
      headers: { authorization: `Bearer ${key}` },
    })
    expect((await server.fetch(request)).status).toBe(503)
  })

  it('the endpoint, its routes and its documents stay what they are', async () => {
    const { port, server, plainKey } = await listening()
    server.route('/administrators', () => new Response('a route'))
    expect((await askOnce(port, get('/administrators', bearer(plainKey)))).body).toBe('a route')
    expect(server.routes.map(({ path }) => path)).toEqual(['/administrators'])
    expect((await askOnce(port, get('/openmcp.json'))).body).not.toContain('/admin')
  })

  it('the inspector is told of it, and has a page for it', async () => {
    const { port } = await listening()
    expect(JSON.parse((await askOnce(port, get('/inspector/config.json'))).body).keys).toBe('/admin')
    expect((await askOnce(port, get('/inspector/keys'))).headers['content-type']).toMatch(/^text\/html/)
    const without = new MCPServer({ name: 'without' })
    onTestFinished(() => without.close())
    const other = await without.listen({ port: 0 })
    expect((await askOnce(other.port, get('/inspector/keys'))).status).toBe(404)
    expect((await askOnce(other.port, get('/inspector/config.json'))).body).not.toContain('keys')
  })
})

describe('mount', () => {
  const store = memoryKeyStore()
  const auth = { verifyToken: async () => null }
  const at = (path: string) => keysAdmin({ store, auth, path })
  const fresh = () => new MCPServer({ name: 'fresh', auth, logger() {} })

  it.each([
    '',
    '/docs',
    '/docs/keys',
    '/inspector',
    '/inspector/keys',
    '/health',
    '/taken',
    '/taken/by',
    '/own',
  ])('refuses the path %j, which is taken', (path) => {
    const server = fresh()
    server.route('/taken/by/a/route', () => new Response('x')).mount(at('/own/place'))
    expect(() => server.mount(at(path))).toThrow(TypeError)
  })

  it('asks for a path where there is none', () => {
    expect(() => fresh().mount(at(''))).toThrow('mount: give keysAdmin a path, such as "/admin"')
  })

  it('takes several, and no route below or beside them', () => {
    const server = fresh().mount(at('/admin')).mount(at('/team/admin'))
    expect(() => server.mount(at('/admin'))).toThrow('mount: the path "/admin" is taken')
    for (const path of ['/admin', '/admin/keys', '/team/admin/x'])
      expect(() => server.route(path, () => new Response('x'))).toThrow(/the path is taken/)
    expect(server.route('/team/other', () => new Response('x'))).toBe(server)
  })

  it.each([[undefined], [null], ['/admin'], [{}], [{ fetch: () => {} }], [{ path: '/admin' }]])(
    'refuses what is neither: %j',
    (what) => expect(() => fresh().mount(what as never)).toThrow(/^mount: give it another MCPServer/),
  )

  it('says which of the two takes a prefix', () => {
    expect(() => fresh().mount(at('/admin') as never, { prefix: 'x' })).toThrow(/no prefix/)
    expect(() => fresh().mount(fresh() as never)).toThrow(/prefix must be/)
  })
})
