import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { identityAssertion } from '../../src/gateway/front/identity.ts'
import { gateway } from '../../src/gateway/gateway.ts'
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts'
import { ECKeyPair } from '../../src/issuer/index.ts'
import { rpcReply } from '../../src/server/reply.ts'
import { alice, bob, call, directory, fakeUpstream, json, opened } from './front-support.ts'

describe('what is served without a token', () => {
  it('that it lives, and nothing else', async () => {
    const { ask, verifier, upstream, entries } = await opened()
    const told = await ask({ method: 'GET', target: '/health' })
    expect([told.status, told.body]).toEqual([200, '{"status":"ok"}'])
    expect((await ask({ method: 'HEAD', target: '/health' })).status).toBe(200)
    for (const target of [
      '/',
      '/mcp/',
      '/mcp/x',
      '/%6dcp',
      '/MCP',
      '//mcp',
      '/.well-known/jwks.json',
      '/health/x',
      '/metrics',
    ])
      expect((await ask({ method: 'GET', target, token: alice })).status, target).toBe(404)
    for (const target of [
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/mcp',
    ])
      expect((await ask({ method: 'GET', target })).status, target).toBe(404)
    expect((await ask({ method: 'POST', target: '/health' })).status).toBe(404)
    expect([verifier.asked, upstream.passages, entries]).toEqual([0, [], []])
  })

  it('where tokens come from, when somebody issues them', async () => {
    const auth = Object.assign(directory(), { authorizationServers: ['https://id.example'] })
    const { ask, url, post } = await opened({ auth, http: { scopesSupported: ['read'] } })
    const told = await ask({ method: 'GET', target: '/.well-known/oauth-protected-resource/mcp' })
    expect(told.status).toBe(200)
    const [challenge] = [(await post(undefined, call('echo'))).headers['www-authenticate']]
    expect(challenge).toContain('resource_metadata=')
    const where = /resource_metadata="([^"]+)"/.exec(challenge!)![1]!
    const document = await (await fetch(where)).json()
    expect(document).toMatchObject({
      resource: url,
      authorization_servers: ['https://id.example'],
      scopes_supported: ['read'],
    })
    expect(
      (await ask({ method: 'GET', target: new URL(where).pathname, headers: ['Host: evil.example'] })).status,
    ).toBe(403)
  })

  it('is on the path that was asked for', async () => {
    const upstream = fakeUpstream()
    const door = gateway({ upstream, auth: directory() })
    await using listening = await door.listen({ port: 0, path: '/things', closeOnSigterm: false })
    expect(listening.url).toMatch(/\/things$/)
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' },
      body: JSON.stringify(call('echo')),
    }
    expect((await fetch(listening.url, init)).status).toBe(200)
    expect((await fetch(new URL('/mcp', listening.url), init)).status).toBe(404)
    await door.close()
  })
})

describe('the identity that goes on', () => {
  async function signing() {
    const keyPair = await ECKeyPair.generate()
    const identity = identityAssertion({
      keyPair,
      issuer: 'https://gateway.example',
      audience: 'https://inner.example',
    })
    const upstream = fakeUpstream()
    upstream.reply = async (passage) => {
      const headers = await passage.identity?.()
      const sent = passage.incoming.header('mcp-identity')
      const line = passage.incoming.head.header('mcp-identity')
      return rpcReply({ jsonrpc: '2.0', id: passage.message!.id, result: { headers, sent, line } })
    }
    return { ...(await opened({ upstream, identity })), identity }
  }

  it('is signed by the gateway, and can be checked with the key it publishes', async () => {
    const { post, ask } = await signing()
    const told = await ask({ method: 'GET', target: '/.well-known/jwks.json' })
    expect([told.status, told.body.includes('"d"')]).toEqual([200, false])
    const keys = createLocalJWKSet(JSON.parse(told.body))
    for (const [token, subject] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      const { headers }: { headers: Record<string, string> } = json(await post(token, call('echo'))).result!
      expect(Object.keys(headers)).toEqual(['mcp-identity'])
      const checks = { issuer: 'https://gateway.example', audience: 'https://inner.example' }
      const { payload } = await jwtVerify(headers['mcp-identity']!, keys, checks)
      expect(payload).toMatchObject({ sub: subject, client_id: subject, orig_iss: 'https://id.example' })
    }
    expect(
      (await ask({ method: 'GET', target: '/.well-known/jwks.json', headers: ['Host: evil.example'] }))
        .status,
    ).toBe(403)
  })

  it('cannot be claimed by a caller', async () => {
    const { post } = await signing()
    const { sent, line } = json(
      await post(alice, call('echo'), 'Mcp-Identity: forged', 'MCP-IDENTITY: twice'),
    ).result!
    expect([sent, line]).toEqual([undefined, ['', '']])
  })

  it('is not there unless it was asked for', async () => {
    const { post, upstream } = await opened()
    await post(alice, call('echo'))
    expect(upstream.passages[0]?.identity).toBeUndefined()
  })
})

describe('options', () => {
  const good = { upstream: fakeUpstream(), auth: directory() }

  it.each<[string, Record<string, unknown>]>([
    ['upstream', { upstream: undefined }],
    ['upstream', { upstream: { answer() {} } }],
    ['auth', { auth: undefined }],
    ['auth', { auth: {} }],
    ['policy', { policy: null }],
    ['policy', { policy: { judge() {} } }],
    ['identity', { identity: null }],
    ['onRequest', { onRequest: 'log' }],
    ['logger', { logger: null }],
    ['clock', { clock: 7 }],
    ['"verifier"', { verifier: directory() }],
    ['"sessions"', { http: { sessions: false } }],
    ['resource', { http: { resource: undefined } }],
    ['resource has no effect', { http: { resource: 'https://mcp.example.com/mcp' } }],
    ['allowedHosts', { http: { allowedHosts: [] } }],
    ['trustProxy', { http: { trustProxy: -1 } }],
    ['"pageSize"', { limits: { pageSize: 7 } }],
    ['gateway: limits.maxBodyBytes', { limits: { maxBodyBytes: 0 } }],
    ['gateway: limits.requestsPerMinute', { limits: { requestsPerMinute: 1.5 } }],
    ['gateway: limits.shared', { limits: { shared: {} } }],
  ])('a wrong one is named when the gateway is made: %s', (named, wrong) => {
    const make = () => gateway({ ...good, ...wrong } as unknown as GatewayOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(named)
  })

  it('a wrong one of listen is named, and nothing listens', async () => {
    const door = gateway(good)
    await expect(door.listen({ port: -1 })).rejects.toThrow('port')
    await expect(door.listen({ prot: 1 } as never)).rejects.toThrow('"prot"')
    await door.close()
  })

  it('who writes down and fails does not fail the request', async () => {
    const { post } = await opened({
      onRequest: () => {
        throw new Error('disk full')
      },
    })
    for (let n = 0; n < 2; n++) expect((await post(alice, call('echo'))).status).toBe(200)
  })
})
