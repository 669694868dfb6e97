import express from 'express'
import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
import { apiKeyVerifier, type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { askRaw } from '../http/support.ts'
import { alice, bob, directory, guarded, memoryLog, serveNode } from './fixtures.ts'
import { askAll, askOnce } from './wire.ts'

const files = ['/inspector', '/inspector/app.js', '/inspector/style.css']
const whoami = '/inspector/whoami'
const bearer = (token: string) => `Authorization: Bearer ${token}`
const get = (target: string, ...headers: string[]) => ({ method: 'GET', target, headers })

async function listening(
  options: Partial<MCPServerOptions> = {},
  http: HttpOptions = {},
  host = '127.0.0.1',
) {
  const made = guarded(options, http)
  onTestFinished(() => made.server.close())
  return { ...made, ...(await made.server.listen({ port: 0, host })) }
}

async function listeningFor(server: MCPServer): Promise<number> {
  onTestFinished(() => server.close())
  return (await server.listen({ port: 0 })).port
}

describe('where the inspector is', () => {
  it.each([
    ['on this machine by default', {}, '127.0.0.1', 200],
    ['on this machine, switched off', { publicPages: false }, '127.0.0.1', 404],
    ['on every address by default', {}, '0.0.0.0', 404],
    ['on every address, switched on', { publicPages: true }, '0.0.0.0', 200],
  ])('FL-24 %s', async (_where, http, host, status) => {
    const { port } = await listening({}, http, host)
    for (const target of [...files, '/inspector/config.json', whoami])
      for (const method of ['GET', 'HEAD']) {
        const told = await askOnce(port, { method, target, headers: [bearer(alice)] })
        expect([method, target, told.status]).toEqual([method, target, status])
        if (method === 'HEAD') expect(told.body).toBe('')
      }
    expect((await askOnce(port, get('/inspector/keys'))).status).toBe(404)
  })

  it.each(['/inspector/', '/inspector/../mcp', '/Inspector', '/inspector%2fwhoami', '/inspector/whoami/'])(
    'A-20 %s is nothing, and as closed as the endpoint elsewhere',
    async (target) => {
      const { port, server } = await listening()
      const elsewhere = guarded({}, { publicPages: true })
      const mount = await serveNode(elsewhere.server.nodeListener)
      onTestFinished(mount.close)
      expect((await askOnce(port, get(target))).status).toBe(404)
      expect((await askOnce(mount.port, get(target))).status).toBe(401)
      // A `Request` has resolved the dots.
      expect((await server.fetch(new Request(`http://localhost${target}`))).status).toBe(401)
    },
  )

  it('only for those who know the name of the server', async () => {
    const { port, verifier } = await listening()
    for (const target of [...files, '/inspector/config.json', whoami]) {
      const told = await askOnce(port, get(target, 'Host: evil.example', bearer(alice)))
      expect([target, told.status, told.body]).toEqual([target, 403, '{"error":"forbidden_origin"}'])
    }
    expect(verifier.asked).toBe(0)
  })

  it('for GET and HEAD alone', async () => {
    const { port } = await listening()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      for (const target of [...files, '/inspector/config.json'])
        expect((await askOnce(port, { method, target, headers: [] })).status).toBe(404)
  })

  it('below the prefix of somebody else’s server, and in `fetch`', async () => {
    const { server } = guarded({}, { publicPages: true })
    const mount = await serveNode(express().use('/team', server.nodeListener))
    onTestFinished(mount.close)
    for (const target of files) {
      const [node] = await askAll(mount.port, [get(`/team${target}`)])
      const web = await server.fetch(new Request(`http://localhost${target}`))
      expect([node!.status, web.status]).toEqual([200, 200])
      expect(web.headers.get('content-length')).toBe(node!.headers['content-length'])
      expect((await web.arrayBuffer()).byteLength).toBe(node!.body.length)
    }
    const head = await server.fetch(new Request('http://localhost/inspector', { method: 'HEAD' }))
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

describe('what the inspector says of itself', () => {
  it('FL-104 nothing may run, load or frame that is not its own, and no other page may read it', async () => {
    const { port } = await listening()
    const told = await askAll(
      port,
      files.map((target) => get(target)),
    )
    expect(told.map(({ headers }) => headers['content-type']!.split(';')[0])).toEqual([
      'text/html',
      'text/javascript',
      'text/css',
    ])
    for (const { headers } of told) {
      const policy = headers['content-security-policy']!
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("connect-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("require-trusted-types-for 'script'")
      expect(policy).not.toMatch(/unsafe|\*|https?:/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['cross-origin-resource-policy']).toBe('same-origin')
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  it('is told where to send what, and nothing else', async () => {
    const { port } = await listening({ about: { title: 'Guarded by tests' } })
    const told = await askOnce(port, get('/inspector/config.json'))
    expect(JSON.parse(told.body)).toEqual({
      kind: 'server',
      name: 'Guarded by tests',
      endpoint: '/mcp',
      openMcp: '/openmcp.json',
      whoami,
    })
    expect(told.headers['cache-control']).toBe('no-store')
    expect(told.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('is told the path it listens on, and what it is called from outside', async () => {
    const auth = Object.assign(directory(), { authorizationServers: ['https://id.example'] })
    const resource = 'https://mcp.example.com/mcp'
    const server = new MCPServer({ name: 'named', auth }, { resource })
    onTestFinished(() => server.close())
    const { port } = await server.listen({ port: 0, path: '/elsewhere' })
    const { body } = await askOnce(port, get('/inspector/config.json'))
    expect(JSON.parse(body)).toMatchObject({ name: 'named', endpoint: '/elsewhere', url: resource })
  })

  it('takes no path from `/openmcp.json`, which names no page', async () => {
    const { port } = await listening()
    expect((await askOnce(port, get('/openmcp.json'))).body).not.toContain('inspector')
  })

  it('no route of one’s own stands in its place', () => {
    const { server } = guarded()
    for (const path of ['/inspector', '/inspector/', '/inspector/whoami', '/inspector/x'])
      expect(() => server.route(path, () => new Response('x'))).toThrow(/the path is taken/)
  })
})

describe('/inspector/whoami', () => {
  it('A-20 says nothing without a good token, on every way in', async () => {
    const { port, server } = await listening()
    const elsewhere = guarded({}, { publicPages: true })
    for (const headers of [[], ['Authorization: Basic YTpi'], [bearer('wrong')]]) {
      const told = await askOnce(port, get(whoami, ...headers))
      expect(told.status).toBe(401)
      expect(told.headers['www-authenticate']).toMatch(/^Bearer realm="mcp"/)
      expect(told.body).not.toContain('wrong')
    }
    const web = () => new Request(`http://localhost${whoami}`, { headers: { authorization: 'Bearer wrong' } })
    expect((await server.fetch(web())).status).toBe(401)
    expect((await elsewhere.server.fetch(web())).status).toBe(401)
  })

  it('tells who the caller is, never the token, and lets nobody keep it', async () => {
    const { port } = await listening()
    const elsewhere = guarded({}, { publicPages: true })
    const told = await askOnce(port, get(whoami, bearer(alice)))
    const web = await elsewhere.server.fetch(
      new Request(`http://localhost${whoami}`, { headers: { authorization: `Bearer ${alice}` } }),
    )
    expect(JSON.parse(told.body)).toEqual({
      authenticated: true,
      clientId: 'alice',
      subject: 'alice',
      issuer: 'https://id.example',
      scopes: ['read', 'admin'],
      claims: { sub: 'alice', iss: 'https://id.example' },
    })
    expect(await web.json()).toEqual(JSON.parse(told.body))
    for (const headers of [told.headers, Object.fromEntries(web.headers)]) {
      expect(headers['cache-control']).toBe('no-store')
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
    expect((await askOnce(port, get(whoami, bearer(bob)))).body).toContain('"subject":"bob"')
  })

  it('takes the credential out of what a verifier wrote into the claims, and shows what JSON has no word for', async () => {
    const secret = 'opaque-91c2-secret'
    const claims = {
      sub: 'alice',
      raw: secret,
      nested: { header: `Bearer ${secret}`, list: [secret] },
      big: 12n,
      ['__proto__']: { admin: true },
    }
    const auth = { verifyToken: async (token: string) => ({ token, clientId: token, claims }) }
    const port = await listeningFor(new MCPServer({ name: 'loose', auth }))
    const { status, body } = await askOnce(port, get(whoami, bearer(secret)))
    expect([status, body.includes(secret)]).toEqual([200, false])
    expect(JSON.parse(body)).toMatchObject({ clientId: '[redacted]', claims: { sub: 'alice', big: '12' } })
    expect(body).toContain('"__proto__":')
  })

  it('takes out whatever else of it a verifier wrote, and the secrets of others', async () => {
    const secret = 'head-0123.body-4567/+.tail-8901'
    const upstream = `eyJhbGciOiJub25lIn0.${'x'.repeat(40)}.y`
    const claims = {
      sub: 'alice',
      token_use: 'access',
      scope_note: 'all tokens: welcome',
      part: 'tail-8901',
      encoded: encodeURIComponent(secret),
      base64: Buffer.from(secret).toString('base64'),
      [secret]: 1,
      nested: [
        { refresh_token: 'opaque-of-somebody', clientSecret: 's3', password: 'p4', 'x-api-key': 'k5' },
      ],
      upstream,
      database: 'postgres://app:hunter2@db/x',
    }
    const auth = { verifyToken: async (token: string) => ({ token, clientId: 'desk', claims }) }
    const port = await listeningFor(new MCPServer({ name: 'looser', auth }))
    const { status, body } = await askOnce(port, get(whoami, bearer(secret)))
    const told = JSON.parse(body).claims
    expect([status, told.sub, told.token_use]).toEqual([200, 'alice', 'access'])
    expect(told.scope_note).toBe('all tokens: welcome')
    for (const hidden of [
      ...[secret, 'tail-8901', claims.encoded, claims.base64, upstream, 'hunter2'],
      ...['opaque-of-somebody', 's3', 'p4', 'k5'],
    ])
      expect(body).not.toContain(hidden)
  })

  it('claims that no JSON can hold are a failure, and tell nothing', async () => {
    const claims: Record<string, unknown> = { raw: 'opaque-91c2-secret' }
    claims.self = claims
    const auth = { verifyToken: async (token: string) => ({ token, clientId: 'desk', claims }) }
    const log = memoryLog()
    const port = await listeningFor(new MCPServer({ name: 'round', auth, logger: log.logger }))
    const { status, body } = await askOnce(port, get(whoami, bearer('opaque-91c2-secret')))
    expect([status, body]).toEqual([500, '{"error":"server_error"}'])
    expect(JSON.stringify(log.entries)).not.toContain('opaque-91c2')
  })

  it('tells when the token ends', async () => {
    const expiresAt = new Date('2999-01-01T00:00:00Z')
    const auth = { verifyToken: async (token: string) => ({ token, clientId: 'desk', expiresAt }) }
    const port = await listeningFor(new MCPServer({ name: 'ending', auth }))
    const { body } = await askOnce(port, get(whoami, bearer('any')))
    expect(JSON.parse(body)).toMatchObject({ clientId: 'desk', expiresAt: '2999-01-01T00:00:00.000Z' })
  })

  it('knows nobody where nobody is asked for', async () => {
    const open = await listeningFor(new MCPServer({ name: 'open' }))
    expect(JSON.parse((await askOnce(open, get(whoami))).body)).toEqual({ authenticated: false })
    const { port } = await listening({ optionalAuth: true })
    expect(JSON.parse((await askOnce(port, get(whoami))).body)).toEqual({ authenticated: false })
    expect((await askOnce(port, get(whoami, bearer('wrong')))).status).toBe(401)
    expect((await askOnce(port, get(whoami, bearer(alice)))).body).toContain('"subject":"alice"')
    const some = await listening({ anonymous: ['tools/list'] })
    expect((await askOnce(some.port, get(whoami))).status).toBe(401)
  })

  it('takes an API key, in its own header as well, and tells which one it is', async () => {
    const store = memoryKeyStore()
    const keys = apiKeys({ store })
    const { key, apiKey } = await keys.create({ name: 'laptop', owner: 'alice', scopes: ['read'] })
    const auth = apiKeyVerifier({ store }, { logger() {} })
    onTestFinished(() => auth.close?.())
    const port = await listeningFor(
      new MCPServer({ name: 'keys', auth, logger() {} }, { apiKeyHeader: 'X-API-Key' }),
    )
    for (const header of [bearer(key), `X-API-Key: ${key}`]) {
      const { status, body } = await askOnce(port, get(whoami, header))
      expect(status).toBe(200)
      expect(JSON.parse(body)).toMatchObject({ subject: 'alice', claims: { key_id: apiKey.id } })
      expect(body).not.toContain(key.slice(-38))
    }
    expect((await askOnce(port, get(whoami, `X-API-Key: ${key.slice(0, -1)}`))).status).toBe(401)
  })

  it('A-41 tells a token that is bound to tools which ones, where a route of one’s own refuses it', async () => {
    const auth = {
      verifyToken: async (token: string) => ({
        token,
        clientId: 'desk',
        scopes: ['read'],
        tools: ['search'],
      }),
    }
    const server = new MCPServer({ name: 'bound', auth, logger() {} })
    server.route('/report', () => new Response('x'))
    const port = await listeningFor(server)
    const { status, body } = await askOnce(port, get(whoami, bearer('bound')))
    expect([status, JSON.parse(body).tools]).toEqual([200, ['search']])
    expect((await askOnce(port, get('/report', bearer('bound')))).status).toBe(403)
  })

  it('D-01 is not open to foreign origins, and answers GET and HEAD alone', async () => {
    const { port } = await listening()
    const ask = (method: string, ...headers: string[]) =>
      askOnce(port, { method, target: whoami, headers: [bearer(alice), ...headers] })
    expect((await ask('GET', 'Origin: https://evil.example')).status).toBe(403)
    expect((await ask('GET', `Origin: http://localhost:${port}`)).status).toBe(200)
    expect(await ask('HEAD')).toMatchObject({ status: 200, body: '' })
    for (const method of ['POST', 'DELETE', 'TRACE']) {
      const told = await ask(method)
      expect([method, told.status, told.headers.allow]).toEqual([method, 405, 'GET'])
    }
  })

  it('tells two credentials at once apart from one', async () => {
    const { port } = await listening()
    const lines = [bearer(alice), bearer(bob)]
    const head = [`GET ${whoami} HTTP/1.1`, `Host: localhost:${port}`, ...lines, '', '']
    expect((await askRaw(port, head.join('\r\n'))).status).toBe(400)
  })

  it('counts what is tried, as the endpoint does', async () => {
    const { port } = await listening({ limits: { failuresPerMinute: 2 } })
    const tries = []
    for (const token of ['a', 'b', 'c']) tries.push((await askOnce(port, get(whoami, bearer(token)))).status)
    expect(tries).toEqual([401, 401, 429])
    expect((await askOnce(port, { method: 'POST', target: '/mcp', headers: [bearer('d')] })).status).toBe(429)
  })

  it('a server that is closed says so', async () => {
    const { server } = guarded({}, { publicPages: true })
    await server.close()
    const headers = { authorization: `Bearer ${alice}` }
    expect((await server.fetch(new Request(`http://localhost${whoami}`, { headers }))).status).toBe(503)
  })
})

describe('the program of the page', () => {
  const built = '../../src/server/pages/built.ts'

  it('that cannot be loaded is a 500 without the reason, logged, and tried anew', async () => {
    const log = memoryLog()
    let isBroken = true
    vi.resetModules()
    vi.doMock(built, () => {
      if (isBroken) throw new Error('disk full at /secret/place')
      return { pageFiles: { 'app.js': 'script', 'keys.js': 'script', 'style.css': 'style' } }
    })
    onTestFinished(() => vi.doUnmock(built))
    const { MCPServer: Fresh } = await import('../../src/server/index.ts')
    const server = new Fresh({ name: 'broken', logger: log.logger }, { publicPages: true })
    onTestFinished(() => server.close())
    const { port } = await server.listen({ port: 0 })
    const first = await askOnce(port, get('/inspector'))
    const web = await server.fetch(new Request('http://localhost/inspector/app.js'))
    for (const [status, body] of [
      [first.status, first.body],
      [web.status, await web.text()],
    ])
      expect([status, body]).toEqual([500, '{"error":"server_error"}'])
    expect(log.entries.map(({ event }) => event)).toEqual(['request_failed', 'request_failed'])
    isBroken = false
    expect(await askOnce(port, get('/inspector/app.js'))).toMatchObject({ status: 200, body: 'script' })
  })

  it('is not loaded before somebody asks for it', async () => {
    let loads = 0
    vi.resetModules()
    vi.doMock(built, () => {
      loads++
      return { pageFiles: { 'app.js': 'script', 'keys.js': 'script', 'style.css': 'style' } }
    })
    onTestFinished(() => vi.doUnmock(built))
    const { MCPServer: Fresh } = await import('../../src/server/index.ts')
    const server = new Fresh({ name: 'lazy', logger() {} })
    onTestFinished(() => server.close())
    const { port } = await server.listen({ port: 0 })
    for (const target of [
      '/docs',
      '/openmcp.json',
      '/inspector/config.json',
      whoami,
      '/health',
      '/inspector/',
    ])
      await askOnce(port, get(target))
    expect(loads).toBe(0)
    for (const target of [...files, ...files]) expect((await askOnce(port, get(target))).status).toBe(200)
    expect(loads).toBe(1)
  })
})
