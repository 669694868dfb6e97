import { connect, createServer, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
import { keysAdmin } from 'mcp-bearer/keys-admin'
import { apiKeyVerifier, MCPServer } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memoryLog } from './fixtures.ts'
import { askOnce } from './wire.ts'

async function world() {
  const store = memoryKeyStore()
  const { key } = await apiKeys({ store }).create({ name: 'admin', owner: 'root', scopes: ['keys:admin'] })
  const { key: plainKey } = await apiKeys({ store }).create({ name: 'plain', owner: 'eve', scopes: ['read'] })
  const log = memoryLog()
  const auth = apiKeyVerifier({ store }, { logger: log.logger })
  const server = new MCPServer({ name: 'mounted', auth, logger: log.logger })
  server.mount(keysAdmin({ store, auth, logger: log.logger }))
  onTestFinished(async () => {
    await server.close()
    auth.close?.()
  })
  return { server, store, key, plainKey, log }
}

/** Over HTTP/2, where a method is any word. */
async function overHttp2(server: MCPServer) {
  const http2 = createServer((req, res) => server.nodeListener(req as never, res as never))
  await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.close()
    http2.close()
  })
  return (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<IncomingHttpHeaders>((resolve, reject) => {
      const stream = session.request({ ':method': method, ':path': path, host: 'localhost', ...headers })
      stream.once('response', resolve).once('error', reject).resume()
    })
}

describe('an API for keys that is attacked', () => {
  it.each(['trace', 'Track', 'conNECT', 'get', 'head', 'Post', 'MAKE', "it's"])(
    'FL-25 the method %s is none: no failure, nothing in the log, with and without a key',
    async (method) => {
      const { server, key, log } = await world()
      const ask = await overHttp2(server)
      for (const headers of [{}, { authorization: `Bearer ${key}` }])
        expect((await ask(method, '/admin/keys', headers))[':status']).toBe(405)
      expect((await ask('GET', '/admin/keys', { authorization: `Bearer ${key}` }))[':status']).toBe(200)
      expect(log.entries.filter(({ level }) => level === 'error')).toEqual([])
    },
  )

  it.each(['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'])(
    'A-20 %s makes no other request of it',
    async (name) => {
      const { server, key, store } = await world()
      const { port } = await server.listen({ port: 0 })
      const headers = [`Authorization: Bearer ${key}`, `${name}: POST`]
      const target = '/admin/keys?_method=POST'
      expect((await askOnce(port, { method: 'GET', target, headers })).status).toBe(200)
      expect((await apiKeys({ store }).list()).keys.length).toBe(2)
    },
  )

  it.each(['X-API-Key', 'Cookie', 'Proxy-Authorization', 'X-Forwarded-Authorization', 'X-Inspector-Session'])(
    'A-41 a key in %s is none',
    async (name) => {
      const { server, key } = await world()
      const { port } = await server.listen({ port: 0 })
      for (const value of [key, `Bearer ${key}`, `authorization=Bearer ${key}`]) {
        const told = await askOnce(port, {
          method: 'GET',
          target: `/admin/keys?access_token=${key}`,
          headers: [`${name}: ${value}`],
        })
        expect(told.status).toBe(401)
      }
    },
  )

  it('A-41 what a caller writes into reasons, names and request ids makes nobody else of them', async () => {
    const { server, key } = await world()
    const { port } = await server.listen({ port: 0 })
    const headers = [`Authorization: Bearer ${key}`, 'X-Request-Id: r-1', 'Content-Type: application/json']
    const body = JSON.stringify({
      name: 'x',
      owner: 'bob',
      reason: 'because',
      actor: { type: 'cli', name: 'root' },
      by: { actor: { type: 'system' } },
    })
    for (const target of ['/admin/keys', '/admin/keys?actor=cli'])
      await askOnce(port, { method: 'POST', target, headers, body })
    await askOnce(port, {
      method: 'POST',
      target: '/admin/keys',
      headers,
      body: '{"name":"x","owner":"bob","reason":"because"}',
    })
    const told = await askOnce(port, { method: 'GET', target: '/admin/audit', headers })
    const { events } = JSON.parse(told.body) as { events: { actor: { type: string }; reason?: string }[] }
    expect(events.filter(({ reason }) => reason === 'because').map(({ actor }) => actor.type)).toEqual([
      'key',
    ])
    expect(told.body).not.toContain('"cli"')
    expect(told.body).not.toContain(key)
  })
})
