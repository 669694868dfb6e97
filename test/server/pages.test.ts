import express from 'express'
import { type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { alice, directory, guarded, serveNode } from './fixtures.ts'
import { askAll, askOnce } from './wire.ts'

/** The pages that need no token, and where they are: D17, A-20, FL-24. */

const pages = ['/docs', '/docs/app.js', '/docs/style.css', '/openmcp.json']
const inspector = ['/inspector', '/inspector/app.js', '/inspector/style.css', '/inspector/config.json']

async function listening(
  http: HttpOptions = {},
  host = '127.0.0.1',
  options: Partial<MCPServerOptions> = {},
) {
  const made = guarded(options, http)
  onTestFinished(() => made.server.close())
  return { ...made, ...(await made.server.listen({ port: 0, host })) }
}

const get = (target: string, ...headers: string[]) => ({ method: 'GET', target, headers })

describe('where the pages are', () => {
  it.each([
    ['on this machine by default', {}, '127.0.0.1', 200],
    ['on this machine, switched off', { publicPages: false }, '127.0.0.1', 404],
    ['on every address by default', {}, '0.0.0.0', 404],
    ['on every address, switched on', { publicPages: true }, '0.0.0.0', 200],
  ])('FL-24 %s', async (_where, http, host, status) => {
    const { port } = await listening(http, host)
    for (const target of [...pages, ...inspector]) {
      for (const method of ['GET', 'HEAD'])
        expect([target, (await askOnce(port, { method, target, headers: [] })).status]).toEqual([
          target,
          status,
        ])
    }
  })

  it('FL-24 in somebody else’s server only when they are switched on', async () => {
    const off = guarded()
    const on = guarded({}, { publicPages: true })
    const mount = await serveNode(
      express().use('/off', off.server.nodeListener).use('/on', on.server.nodeListener),
    )
    onTestFinished(mount.close)
    for (const page of [...pages, ...inspector]) {
      const told = await askAll(mount.port, [get(`/off${page}`), get(`/on${page}`)])
      expect(told.map(({ status }) => status)).toEqual([401, 200])
      expect((await off.server.fetch(new Request(`http://localhost${page}`))).status).toBe(401)
      expect((await on.server.fetch(new Request(`http://localhost${page}`))).status).toBe(200)
    }
  })

  it('only for those who know the name of the server', async () => {
    const { port } = await listening()
    for (const target of pages) {
      const told = await askOnce(port, get(target, 'Host: evil.example'))
      expect([target, told.status, told.body]).toEqual([target, 403, '{"error":"forbidden_origin"}'])
    }
  })

  it('only for GET and HEAD, and without a token looked at', async () => {
    const { port, verifier } = await listening()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
      expect([method, (await askOnce(port, { method, target: '/docs', headers: [] })).status]).toEqual([
        method,
        404,
      ])
    expect((await askOnce(port, get('/docs', 'Authorization: Bearer wrong'))).status).toBe(200)
    expect(verifier.asked).toBe(0)
  })
})

describe('/health', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('FL-24 says exactly that it is alive, bound to %s', async (host) => {
    const { port } = await listening({ publicPages: false }, host)
    for (const name of [`localhost:${port}`, 'whatever.a.load.balancer.sends']) {
      const told = await askOnce(port, get('/health'), name)
      expect([told.status, told.body]).toEqual([200, '{"status":"ok"}'])
      expect(told.headers['content-type']).toBe('application/json')
      expect(Object.keys(told.headers).sort()).toEqual(
        ['cache-control', 'connection', 'content-length', 'content-type', 'date', 'keep-alive'].sort(),
      )
    }
    expect((await askOnce(port, { method: 'HEAD', target: '/health', headers: [] })).body).toBe('')
    for (const target of ['/health/', '/Health', '/healthz', '/health/x'])
      expect((await askOnce(port, get(target))).status).toBe(404)
  })
})

describe('what a page says of itself', () => {
  it('FL-104 nothing may run, load or frame that is not its own', async () => {
    const { port } = await listening()
    const [docs, script, style, document] = await askAll(
      port,
      pages.map((target) => get(target)),
    )
    const policy = docs!.headers['content-security-policy']!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(docs!.headers['content-type']).toMatch(/^text\/html/)
    expect(script!.headers['content-type']).toMatch(/^text\/javascript/)
    expect(style!.headers['content-type']).toMatch(/^text\/css/)
    expect(document!.headers['content-type']).toBe('application/json')
    for (const { headers } of [docs!, script!, style!, document!]) {
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})

describe('/openmcp.json', () => {
  it('says what there is and what it needs, and nothing of tokens, code or where the server runs', async () => {
    const auth = Object.assign(directory(), { requiredScopes: ['read'] })
    const { server, port } = await listening(
      { apiKeyHeader: 'X-API-Key', publicPages: true, legacySse: true, stateKey: 'k'.repeat(32) },
      '0.0.0.0',
      { auth, optionalAuth: true, about: { title: 'Guarded', instructions: 'Be kind' } },
    )
    server.resource('users://{id}', { name: 'user', authorize: () => true }, () => 'secret-of-a-handler')
    const { body } = await askOnce(port, get('/openmcp.json'))
    const document = JSON.parse(body)
    expect(document).toMatchObject({ info: { name: 'guarded', title: 'Guarded' }, instructions: 'Be kind' })
    const tool = (name: string) => document.tools.find((one: { name: string }) => one.name === name)
    expect(tool('purge')).toMatchObject({ scopes: ['admin', 'write'] })
    expect(document.resourceTemplates).toMatchObject([{ uriTemplate: 'users://{id}', conditional: true }])
    expect(body).toContain('X-API-Key')
    for (const word of [alice, 'kkkk', 'secret-of-a-handler', '127.0.0.1', '0.0.0.0', process.cwd()])
      expect([word, body.includes(word)]).toEqual([word, false])
  })

  it('shows what there is now', async () => {
    const { server, port } = await listening()
    const names = async () => {
      const { body } = await askOnce(port, get('/openmcp.json'))
      return (JSON.parse(body).tools as { name: string }[]).map(({ name }) => name)
    }
    expect(await names()).toEqual(['whoami', 'purge'])
    server.tool('later', {}, () => 'x')
    server.remove('tool', 'purge')
    expect(await names()).toEqual(['whoami', 'later'])
  })

  it('says that a server without auth asks for nobody', async () => {
    const server = new MCPServer({ name: 'open' })
    onTestFinished(() => server.close())
    const { port } = await server.listen({ port: 0 })
    const { body } = await askOnce(port, get('/openmcp.json'))
    expect(JSON.parse(body).security).toMatchObject({ scheme: 'none' })
  })
})
