import { randomUUID } from 'node:crypto'
import {
  Client as SdkClient,
  StreamableHTTPClientTransport,
  type VersionNegotiationOptions,
} from '@modelcontextprotocol/client'
import { MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { closeServers, modernFetch, serve, sessionFetch } from '../client/servers.ts'
import { alice, bob } from './front-support.ts'
import { behind, call, fronted, initialize, tapped } from './http-upstream-support.ts'

afterEach(closeServers)

const anybody = () => true

async function sdkClient(url: string, mode: 'legacy' | 'modern', token = alice) {
  const negotiation = mode === 'modern' ? { pin: '2026-07-28' } : 'legacy'
  const client = new SdkClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: negotiation } as VersionNegotiationOptions },
  )
  const headers = { authorization: `Bearer ${token}` }
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return { client, transport }
}

describe('a server of the SDK behind the gateway', () => {
  it('of 2026-07-28: discovery, a call, progress on a stream, a resource and a prompt', async () => {
    const server = await serve(modernFetch(anybody))
    const { url } = await fronted(server.url)
    const { client } = await sdkClient(url, 'modern')
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo', 'count', 'fail'])
    const steps: number[] = []
    const result = await client.callTool(
      { name: 'echo', arguments: { text: 'grüße 🐎' } },
      { onprogress: ({ progress }) => void steps.push(progress) },
    )
    expect(result.content).toEqual([{ type: 'text', text: 'grüße 🐎' }])
    expect(steps).toEqual([1])
    expect((await client.readResource({ uri: 'note://1' })).contents).toHaveLength(1)
    expect((await client.getPrompt({ name: 'greet' })).messages).toHaveLength(1)
  })

  it('of 2025-11-25: a session that is opened, used and ended', async () => {
    const sessions = sessionFetch(anybody)
    const server = await serve(sessions.fetch)
    const { url } = await fronted(server.url)
    const { client, transport } = await sdkClient(url, 'legacy')
    const steps: number[] = []
    const result = await client.callTool(
      { name: 'echo', arguments: { text: 'hi' } },
      { onprogress: ({ progress }) => void steps.push(progress) },
    )
    expect(result.content).toEqual([{ type: 'text', text: 'hi' }])
    expect(steps).toEqual([1])
    expect(sessions.sessions).toBe(1)
    const name = transport.sessionId!
    const used = server.requests
      .map(({ headers }) => headers['mcp-session-id'])
      .find((id) => id !== undefined)
    expect(name).not.toBe(used)
    expect(name.startsWith(`${used}.`)).toBe(true)
    await transport.terminateSession()
    expect(sessions.sessions).toBe(0)
  })

  it('the repeated arguments of a tool go on as headers, and no other header does', async () => {
    const server = await serve(modernFetch(anybody))
    const { post } = await fronted(server.url)
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const message = { ...call(1), params: { name: 'echo', arguments: {}, _meta } }
    const answer = await post(message, {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      'mcp-param-region': 'eu',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'accept-language': 'de',
      cookie: 'a=b',
      forwarded: 'for=192.0.2.1',
      'x-forwarded-for': '192.0.2.1',
      'x-api-key': 'mine',
      'mcp-other': 'x',
      dpop: 'proof',
      'user-agent': 'somebody',
    })
    expect(answer.status).toBe(200)
    expect(Object.keys(server.requests[0]!.headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'connection',
      'content-length',
      'content-type',
      'host',
      'mcp-method',
      'mcp-name',
      'mcp-param-region',
      'mcp-protocol-version',
      'traceparent',
      'user-agent',
    ])
    expect(server.requests[0]!.headers['user-agent']).toBe('mcp-bearer')
  })
})

describe('an MCPServer behind the gateway', () => {
  async function served() {
    const server = new MCPServer({ name: 'inner', logger: () => {} })
    onTestFinished(() => server.close())
    server.tool('echo', {}, () => 'said')
    server.tool('steps', {}, async (_args, ctx) => {
      for (let at = 0; at < 3; at++) await ctx.progress(at)
      return 'done'
    })
    const listening = await server.listen({ port: 0, closeOnSigterm: false })
    return { server, url: listening.url }
  }

  it.each(['legacy', 'modern'] as const)('is used through it by a client of the SDK (%s)', async (mode) => {
    const { url } = await fronted((await served()).url)
    const { client } = await sdkClient(url, mode)
    const steps: number[] = []
    const result = await client.callTool(
      { name: 'steps', arguments: {} },
      { onprogress: ({ progress }) => void steps.push(progress) },
    )
    expect(result.content).toEqual([{ type: 'text', text: 'done' }])
    expect(steps).toEqual([0, 1, 2])
  })

  it('tells its subscribers what has changed, on a stream that ends with the gateway and its last word', async () => {
    const { server, url: inner } = await served()
    const { url, close } = await fronted(inner)
    const { client } = await sdkClient(url, 'modern')
    const told = new Promise<void>((resolve) => {
      client.setNotificationHandler('notifications/tools/list_changed', () => resolve())
    })
    const subscription = await client.listen({ toolsListChanged: true })
    server.tool('new', {}, () => 'new')
    await told
    await close()
    expect(await subscription.closed).toBe('graceful')
  })
})

describe('a session behind the gateway', () => {
  async function opened() {
    const sessions = sessionFetch(anybody)
    const server = await serve(sessions.fetch)
    const door = await fronted(server.url)
    const answer = await door.post(initialize)
    await answer.text()
    return { sessions, server, door, name: answer.headers.get('mcp-session-id')! }
  }

  it('is found by the principal that opened it, and by nobody else: that is the 404 of an unknown one', async () => {
    const { server, door, name } = await opened()
    const before = server.requests.length
    const foreign = await door.post(call(1), { 'mcp-session-id': name }, bob)
    const unknown = await door.post(call(1), { 'mcp-session-id': randomUUID() }, bob)
    expect(foreign.status).toBe(404)
    expect(await foreign.text()).toBe(await unknown.text())
    expect((await door.get({ 'mcp-session-id': name }, bob)).status).toBe(404)
    const ended = await fetch(door.url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${bob}`, 'mcp-session-id': name },
    })
    expect(ended.status).toBe(404)
    // Nothing of it was heard behind the gateway.
    expect(server.requests).toHaveLength(before)
    expect((await door.post(call(1), { 'mcp-session-id': name })).status).toBe(200)
  })

  it('is not found under the name the server gave it, nor under a forged one', async () => {
    const { server, door, name } = await opened()
    const before = server.requests.length
    const own = name.slice(0, name.lastIndexOf('.'))
    const last = name.endsWith('A') ? 'B' : 'A'
    for (const forged of [
      own,
      `${own}.`,
      `${name}x`,
      `${name.slice(0, -1)}${last}`,
      `x${name}`,
      `${name}, ${name}`,
    ])
      expect((await door.post(call(1), { 'mcp-session-id': forged })).status).toBe(404)
    expect(server.requests).toHaveLength(before)
  })

  it('that the server no longer knows is a 404 for its client, which then opens another', async () => {
    const { sessions, door, name } = await opened()
    sessions.forget()
    const answer = await door.post(call(1), { 'mcp-session-id': name })
    expect(answer.status).toBe(404)
    expect(((await answer.json()) as { error: { message: string } }).error.message).toBe('Session not found')
  })
})

describe('the token of a caller', () => {
  it('is in no byte that reaches the server: FL-108 wherever it was put', async () => {
    const server = await serve(sessionFetch(anybody).fetch)
    const tap = await tapped(server.url)
    const { url, post, get } = await fronted(tap.url)
    const opening = await post(initialize, {
      'x-api-key': alice,
      'mcp-name': alice,
      'accept-language': alice,
    })
    expect([200, 400]).toContain(opening.status)
    const answer = await post(initialize, { traceparent: alice, baggage: alice, cookie: `a=${alice}` })
    const name = answer.headers.get('mcp-session-id')!
    await answer.text()
    await (await post(call(1), { 'mcp-session-id': name })).text()
    await (await fetch(`${url}?q=1`, { headers: { authorization: `Bearer ${alice}` } })).text()
    const gone = new AbortController()
    await get({ 'mcp-session-id': name, 'last-event-id': alice }, alice, gone.signal)
    gone.abort()
    expect(tap.bytes()).toContain('tools/call')
    expect(tap.bytes()).not.toContain(alice)
  })

  it('is not sent inside of another header either', async () => {
    const { url, heard } = await behind((_request, response) => response.writeHead(202).end())
    const { post } = await fronted(url)
    const ping = { jsonrpc: '2.0', method: 'notifications/initialized' }
    await post(ping, {
      baggage: `t=Bearer%20${alice}`,
      'mcp-method': 'notifications/initialized',
      'mcp-param-authorization': `Bearer ${alice}`,
    })
    expect(heard).toHaveLength(1)
    expect(JSON.stringify(heard)).not.toContain(alice)
  })
})

describe('a header the operator sends with each request', () => {
  it('is not another one because the caller sends it as well', async () => {
    const { url, heard } = await behind((_request, response) => response.writeHead(202).end())
    const headers = { Baggage: 'tenant=ours', 'Mcp-Param-Tenant': 'ours', 'accept-language': 'de' }
    const { post } = await fronted(url, { headers })
    await post(
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      {
        baggage: 'tenant=theirs',
        'accept-language': 'fr',
        'mcp-method': 'notifications/initialized',
        'mcp-param-tenant': 'theirs',
      },
    )
    expect(heard[0]?.headers).toMatchObject({
      baggage: 'tenant=ours',
      'mcp-param-tenant': 'ours',
      'accept-language': 'de',
    })
  })
})
