import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AuthProviderOptions, authProvider } from '../../src/client/auth-provider.ts'
import {
  answer,
  closeServers,
  failure,
  type Handler,
  listen,
  modernFetch,
  only,
  serve,
  sessionFetch,
  type TestServer,
} from './servers.ts'

const clients: Client[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await closeServers()
})

describe('E-70 a transport of the SDK', () => {
  it.each([
    ['auto', () => modernFetch(only('token-1'))],
    ['legacy', () => sessionFetch(only('token-1')).fetch],
  ] as const)('Streamable HTTP, %s: carries the token', async (mode, mcp) => {
    const server = await serve(mcp())
    const client = await connect(server, 'token-1', mode)
    const { content } = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(content).toEqual([{ type: 'text', text: 'hello' }])
    expect(new Set(server.authorizations)).toEqual(new Set(['Bearer token-1']))
  })

  it('E-21 renews a refused token once, however many calls it fails', async () => {
    let good = 'token-1'
    const server = await serve(modernFetch((authorization) => only(good)(authorization)))
    let current = 'token-1'
    const refused = vi.fn(async () => {
      current = 'token-2'
    })
    const client = await connect(server, { token: async () => current, refused })
    good = 'token-2'
    const results = await Promise.all(
      Array.from({ length: 20 }, () => client.callTool({ name: 'echo', arguments: { text: 'hello' } })),
    )
    expect(results).toHaveLength(20)
    expect(refused.mock.calls).toMatchObject([['token-1', { error: 'invalid_token' }]])
  })

  it('E-22 a static token that is refused is one request, and the AuthError says so', async () => {
    const challenge = 'Bearer error="invalid_token", error_description="over"'
    const server = await listen(answer(401, { 'www-authenticate': challenge }))
    const error = await failure(connect(server, 'token-1', 'legacy'))
    expect(error).toMatchObject({
      name: 'AuthError',
      code: 'invalid_token',
      status: 401,
      server: server.origin,
      errorDescription: 'over',
    })
    expect(server.requests).toHaveLength(1)
  })

  it('a source that gives the refused token again is asked once', async () => {
    const server = await listen(answer(401))
    const refused = vi.fn(async () => {})
    const source = { token: async () => 'token-1', refused }
    expect(await failure(connect(server, source, 'legacy'))).toMatchObject({ code: 'invalid_token' })
    expect(server.requests).toHaveLength(1)
    expect(refused).toHaveBeenCalledTimes(1)
  })

  it('a source that fails is a token_unavailable, and no request', async () => {
    const server = await listen(answer(200))
    const source = { token: async () => Promise.reject(new Error('vault is sealed')) }
    expect(await failure(connect(server, source, 'legacy'))).toMatchObject({ code: 'token_unavailable' })
    expect(server.requests).toEqual([])
  })

  it('SSE carries the token on stream and messages, and renews it', async () => {
    const sse = sseServer('token-2')
    const server = await listen(sse)
    let current = 'token-1'
    const refused = vi.fn(async () => {
      current = 'token-2'
    })
    const source: TokenSource = { token: async () => current, refused }
    const url = new URL(`${server.origin}/sse`)
    const client = new Client({ name: 'test', version: '1' })
    clients.push(client)
    await client.connect(new SSEClientTransport(url, { authProvider: authProvider(source, { url }) }))
    await client.ping()
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST', 'POST', 'POST'])
    expect(server.authorizations.slice(1).every((sent) => sent === 'Bearer token-2')).toBe(true)
    expect(refused).toHaveBeenCalledTimes(1)
  })

  it('E-04 gives no better token to the transport of another server', async () => {
    const refused = vi.fn(async () => {})
    const provider = authProvider(
      { token: async () => 'token-1', refused },
      { url: 'https://mcp.example.com/mcp' },
    )
    const context = {
      response: new Response(null, { status: 401 }),
      serverUrl: new URL('https://evil.example/mcp'),
      fetchFn: fetch,
    }
    const error = await failure(Promise.resolve(provider.onUnauthorized?.(context)))
    expect(error).toMatchObject({ name: 'AuthError', code: 'origin_mismatch' })
    expect(refused).not.toHaveBeenCalled()
  })

  it.each([
    ['E-06 plain http', 'token-1', { url: 'http://mcp.example.com/mcp' }, 'must use https'],
    ['no token', undefined, { url: 'https://mcp.example.com/mcp' }, 'auth is undefined'],
    ['an unknown option', 'token-1', { url: 'https://mcp.example.com/mcp', x: 1 }, 'unknown option "x"'],
    ['a bad flag', 'token-1', { url: 'http://a.example', allowInsecure: 'yes' }, 'allowInsecure must be'],
    [
      'tokens bound to a key',
      { token: async () => 'x', dpop: { proof: async () => 'p', observe: () => false } },
      { url: 'https://mcp.example.com/mcp' },
      'authorizedFetch',
    ],
  ])('%s is a TypeError when it is made', (_case, auth, options, message) => {
    const make = () => authProvider(auth as string, options as AuthProviderOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  it('E-06 plain http to this machine, and elsewhere when it is asked for', () => {
    expect(() => authProvider('token-1', { url: 'http://localhost/mcp' })).not.toThrow()
    const far = { url: 'http://mcp.example.com/mcp', allowInsecure: true }
    expect(() => authProvider('token-1', far)).not.toThrow()
  })
})

async function connect(
  server: TestServer,
  auth: string | TokenSource,
  mode: 'auto' | 'legacy' = 'auto',
): Promise<Client> {
  const url = new URL(server.url)
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  clients.push(client)
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: authProvider(auth, { url }) }))
  return client
}

/** An MCP server of 2024-11-05 that takes one token. */
function sseServer(good: string): Handler {
  let stream: Parameters<Handler>[1] | undefined
  return (request, response, body) => {
    if (!only(good)(request.headers.authorization)) {
      response.writeHead(401).end()
    } else if (request.method === 'GET') {
      stream = response
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('event: endpoint\ndata: /messages?id=1\n\n')
    } else {
      response.writeHead(202).end()
      const { id, method } = JSON.parse(body)
      const serverInfo = { name: 'old', version: '1' }
      const result =
        method === 'initialize' ? { protocolVersion: '2024-11-05', capabilities: {}, serverInfo } : {}
      if (id !== undefined) stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
    }
  }
}
