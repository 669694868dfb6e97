import { createServer } from 'node:http'
import { serve } from '@hono/node-server'
import {
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/client'
import express from 'express'
import { Hono } from 'hono'
import type { LogEntry, TokenVerifier } from 'mcp-bearer'
import { parseChallenges } from 'mcp-bearer'
import { type HttpOptions, MCPServer } from 'mcp-bearer/server'
import { jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askRaw, listening, request } from '../http/support.ts'

const issuer = 'https://as.example.com'
const resource = 'https://mcp.example.com/mcp'
const well = '/.well-known/oauth-protected-resource'
const quiet = { logger: () => {} }
const auth = jwtVerifier({ jwksUri: `${issuer}/jwks`, issuer, audience: resource }, quiet)
const keysOnly: TokenVerifier = { verifyToken: async () => null }

function made(http: HttpOptions = {}, verifier: TokenVerifier = auth) {
  const log: LogEntry[] = []
  const server = new MCPServer({ name: 'm', auth: verifier, logger: (entry) => log.push(entry) }, http)
  onTestFinished(() => server.close())
  return { server, log }
}

async function listened(http: HttpOptions = {}, verifier: TokenVerifier = auth) {
  const { server } = made(http, verifier)
  return server.listen({ port: 0 })
}

const get = (port: number, target: string, ...lines: string[]) =>
  askRaw(port, `GET ${target} HTTP/1.1\r\n${[`Host: 127.0.0.1:${port}`, ...lines].join('\r\n')}\r\n\r\n`)

const challengeOf = (header: string) => parseChallenges(header)[0]?.params ?? {}

describe('metadata of a server that takes tokens of an authorization server', () => {
  it('C-01 C-02 A-61 FL-67 is where the challenge says, and names exactly the resource that was configured', async () => {
    const { port, url } = await listened({ resource })
    const refused = await fetch(url, { method: 'POST', body: '{}' })
    expect(refused.status).toBe(401)
    const { resource_metadata: where } = challengeOf(refused.headers.get('www-authenticate') ?? '')
    expect(where).toBe(`https://mcp.example.com${well}/mcp`)
    const answer = await get(port, new URL(where!).pathname)
    expect(JSON.parse(answer.body)).toEqual({
      resource,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
    })
  })

  it('C-01 FL-67 the client of the official SDK finds it, also by the challenge', async () => {
    const { url } = await listened()
    const found = await discoverOAuthProtectedResourceMetadata(url)
    expect(found).toMatchObject({ resource: url, authorization_servers: [issuer] })
    const { resourceMetadataUrl } = extractWWWAuthenticateParams(await fetch(url, { method: 'POST' }))
    const again = await discoverOAuthProtectedResourceMetadata(url, {
      resourceMetadataUrl: resourceMetadataUrl!,
    })
    expect(again).toEqual(found)
  })

  it('FL-68 says what to ask for, which is not what every token must have', async () => {
    const strict = jwtVerifier(
      { jwksUri: `${issuer}/jwks`, issuer, audience: resource, requiredScopes: ['mcp'] },
      quiet,
    )
    const { port, url } = await listened({ resource, scopesSupported: ['mcp', 'files:read'] }, strict)
    const { body } = await get(port, `${well}/mcp`)
    expect(JSON.parse(body).scopes_supported).toEqual(['mcp', 'files:read'])
    const refused = await fetch(url, { method: 'POST' })
    expect(challengeOf(refused.headers.get('www-authenticate') ?? '').scope).toBe('mcp')
  })

  it.each([
    ['C-16 with a bad token', ['Authorization: Bearer junk']],
    ['C-16 with two tokens', ['Authorization: Bearer a', 'Authorization: Bearer b']],
    ['C-17 from any page', ['Origin: https://any.example']],
  ])('is public: %s', async (_name, lines) => {
    const { port } = await listened({ resource })
    const answer = await get(port, `${well}/mcp`, ...lines)
    expect(answer.status).toBe(200)
    expect(answer.header('access-control-allow-origin')).toEqual(['*'])
  })

  it('C-17 C-20 D-04 is for those who know the name of the server', async () => {
    const { port } = await listened({ resource })
    const foreign = await askRaw(port, `GET ${well}/mcp HTTP/1.1\r\nHost: evil.example\r\n\r\n`)
    expect([foreign.status, foreign.body]).toEqual([403, '{"error":"forbidden_origin"}'])
  })

  it('C-20 C-21 D-07 D-08 nothing of a request finds its way into it', async () => {
    const { port } = await listened({ resource })
    const plain = await get(port, `${well}/mcp`)
    const spoofed = await get(
      port,
      `http://evil.example${well}/mcp`,
      'X-Forwarded-Host: evil.example',
      'Forwarded: host=evil.example',
    )
    expect(spoofed.body).toBe(plain.body)
    const refused = await askRaw(
      port,
      `POST http://evil.example/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Forwarded-Host: evil.example\r\nContent-Length: 0\r\n\r\n`,
    )
    expect(refused.status).toBe(401)
    expect(refused.raw).not.toContain('evil')
  })

  it('C-22 the root of the well-known path says nothing of a resource with a path', async () => {
    const { port } = await listened({ resource })
    expect((await get(port, well)).status).toBe(404)
  })

  it('C-15 HEAD has no body, and other methods are 405', async () => {
    const { port } = await listened({ resource })
    const head = await askRaw(port, `HEAD ${well}/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    expect([head.status, head.body]).toEqual([200, ''])
    const posted = await askRaw(
      port,
      request(`POST ${well}/mcp HTTP/1.1`, []).replace('localhost', `127.0.0.1:${port}`),
    )
    expect([posted.status, posted.header('allow')]).toEqual([405, ['GET, HEAD']])
  })

  it('FL-18 opens nothing else: every spelling of the endpoint still asks for a token', async () => {
    const { server } = made({ resource })
    for (const target of [
      'https://mcp.example.com/mcp',
      `https://mcp.example.com/mcp?x=${well}/mcp`,
      `https://mcp.example.com${well}/mcp/`,
      `https://mcp.example.com${well}/mcp%2f`,
      `https://mcp.example.com${well}/MCP`,
      `https://mcp.example.com/mcp${well}/mcp`,
    ]) {
      expect((await server.fetch(new Request(target, { method: 'POST', body: '{}' }))).status).toBe(401)
      expect((await server.fetch(new Request(target))).status).toBe(401)
    }
  })
})

describe('an issuer that cannot be published', () => {
  const named = (name: string) =>
    jwtVerifier({ jwksUri: `${issuer}/jwks`, issuer: name, audience: resource }, quiet)

  it.each(['my-issuer', 'http://keycloak:8080/realms/dev', 'https://as.example.com/?tenant=a'])(
    'C-07 %s: a server that nobody told its name listens, and publishes nothing',
    async (name) => {
      const { port, url } = await listened({}, named(name))
      expect((await get(port, `${well}/mcp`)).status).toBe(404)
      const refused = await fetch(url, { method: 'POST' })
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).not.toContain('resource_metadata')
    },
  )

  it('C-07 with a resource it is refused when the server is made', () => {
    expect(() => made({ resource }, named('my-issuer'))).toThrow(/^authorizationServers/)
  })
})

describe('a server under a prefix', () => {
  it('C-23 is served by fetch itself when that gets every request of the host', async () => {
    const { server } = made({ resource })
    const answer = await server.fetch(new Request(`https://mcp.example.com${well}/mcp`))
    expect(await answer.json()).toMatchObject({ resource })
  })

  it('C-23 Express: a route at the root of the host', async () => {
    const { server } = made({ resource: 'https://mcp.example.com/team-a/mcp' })
    const app = express()
    app.use('/team-a/mcp', server.nodeListener)
    for (const { path, nodeListener } of server.routes) app.get(path, nodeListener)
    const { port, close } = await listening(createServer(app))
    onTestFinished(close)
    const answer = await get(port, `${well}/team-a/mcp`)
    expect(JSON.parse(answer.body).resource).toBe('https://mcp.example.com/team-a/mcp')
    expect((await get(port, '/team-a/mcp')).status).toBe(401)
  })

  it('C-23 Hono: a route at the root of the host', async () => {
    const { server } = made({ resource: 'https://mcp.example.com/team-a/mcp' })
    const app = new Hono()
    app.all('/team-a/mcp', (c) => server.fetch(c.req.raw))
    for (const { path, fetch: answer } of server.routes) app.get(path, (c) => answer(c.req.raw))
    const node = await new Promise<{ port: number; close(): void }>((resolve) => {
      const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve({ port, close: () => started.close() }),
      )
    })
    onTestFinished(() => node.close())
    const answer = await get(node.port, `${well}/team-a/mcp`)
    expect(JSON.parse(answer.body).resource).toBe('https://mcp.example.com/team-a/mcp')
  })
})

describe('a server without an authorization server', () => {
  it.each([
    'oauth-protected-resource',
    'oauth-protected-resource/mcp',
    'oauth-authorization-server',
    'openid-configuration',
  ])(
    'C-24 B-108 D8 FL-66 /.well-known/%s is 404 with a JSON body, and challenges name no metadata',
    async (name) => {
      const { port, url } = await listened({}, keysOnly)
      const answer = await get(port, `/.well-known/${name}`)
      expect([answer.status, JSON.parse(answer.body)]).toEqual([404, { error: 'not_found' }])
      const refused = await fetch(url, { method: 'POST' })
      expect(refused.headers.get('www-authenticate')).not.toContain('resource_metadata')
    },
  )

  it.each(['oauth-protected-resource', 'oauth-authorization-server', 'openid-configuration'])(
    'C-24 B-108 D8 /.well-known/%s is 404 with a JSON body also where somebody else listens',
    async (name) => {
      const { server } = made({}, keysOnly)
      const { port, close } = await listening(createServer(server.nodeListener))
      onTestFinished(close)
      const answer = await get(port, `/.well-known/${name}`)
      expect([answer.status, JSON.parse(answer.body)]).toEqual([404, { error: 'not_found' }])
      for (const method of ['GET', 'HEAD', 'POST']) {
        const response = await server.fetch(new Request(`http://localhost/.well-known/${name}`, { method }))
        expect(response.status).toBe(method === 'POST' ? 401 : 404)
        expect(response.headers.get('content-type')).toBe('application/json')
        expect(response.headers.has('www-authenticate')).toBe(method === 'POST')
      }
    },
  )

  it('C-24 nor does one with it serve what is the business of the authorization server', async () => {
    const { port } = await listened({ resource })
    expect((await get(port, '/.well-known/oauth-authorization-server')).status).toBe(404)
  })

  it.each(['resource', 'scopesSupported'])('FL-23 %s would have no effect: it is refused', (name) => {
    const value = name === 'resource' ? resource : ['a']
    expect(() => made({ [name]: value }, keysOnly)).toThrow(`${name} has no effect`)
  })

  it('FL-22 an unset resource is refused: clients would not find the sign-in', () => {
    expect(() => made({ resource: undefined } as never)).toThrow(/resource is undefined/)
  })
})
