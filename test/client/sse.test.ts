import type { ServerResponse } from 'node:http'
import { Client, SSETransport } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answer, closeServers, failure, type Handler, listen, type TestServer } from './servers.ts'

afterEach(closeServers)

const token = 'sk-good-0123456789'

describe('HTTP with SSE', () => {
  it('E-01 sends the token on the stream and with every message', async () => {
    const server = await listen(new SseServer().handle)
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
    await client.ping()
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST', 'POST'])
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
  })

  it.each([
    [401, 'invalid_token'],
    [403, 'access_denied'],
    [429, 'rate_limited'],
  ])('E-22 %i on the stream is one AuthError after one request', async (status, code) => {
    const server = await listen(answer(status))
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
    expect(await failure(client.ping())).toMatchObject({ name: 'AuthError', code, status })
    expect(server.requests).toHaveLength(1)
  })

  it('E-21 renews a token that is refused on the stream', async () => {
    const sse = new SseServer()
    sse.good = 'token-2'
    const server = await listen(sse.handle)
    let current = 'token-1'
    const refused = vi.fn(async () => {
      current = 'token-2'
    })
    const auth = { token: async () => current, refused }
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth }))
    await client.ping()
    expect(refused).toHaveBeenCalledTimes(1)
  })

  it('FL-87 a message that is refused fails the call with the AuthError', async () => {
    const sse = new SseServer()
    const server = await listen(sse.handle)
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
    await client.ping()
    sse.good = 'another-token'
    expect(await failure(client.ping())).toMatchObject({ name: 'AuthError', code: 'invalid_token' })
  })

  it('E-04 an endpoint of another origin is an AuthError, and nothing is sent there', async () => {
    const other = await listen(answer(202))
    const server = await listen(announces(() => `${other.origin}/messages`))
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
    expect(await failure(client.ping())).toMatchObject({ name: 'AuthError', code: 'origin_mismatch' })
    expect(other.requests).toEqual([])
  })

  it('FL-82 a redirect of the stream to another origin is not followed', async () => {
    const other = await listen(answer(200))
    const server = await listen(answer(307, { location: `${other.origin}/sse` }))
    const headers = { 'X-API-Key': 'key-0123456789' }
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { headers }))
    expect(await failure(client.ping())).toMatchObject({ code: 'origin_mismatch', status: 307 })
    expect(other.requests).toEqual([])
  })

  it('FL-96 a stream that is refused when it reconnects ends the waiting call, loudly, and is not tried for ever', async () => {
    const sse = new SseServer()
    const server = await listen(sse.handle)
    const told = vi.fn()
    const transport = new SSETransport(`${server.origin}/sse`, { auth: token })
    await using client = new Client(transport, { onAuthError: told })
    await client.ping()
    sse.isMute = true
    const waiting = failure(client.callTool('slow'))
    await vi.waitFor(() => expect(messages(server).at(-1)).toBe('tools/call'))
    sse.good = 'another-token'
    sse.drop()
    expect(await waiting).toMatchObject({ name: 'AuthError', code: 'invalid_token', status: 401 })
    expect(told).toHaveBeenCalledTimes(1)
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(2)
    sse.good = token
    sse.isMute = false
    await client.ping()
  })

  it('does not wait for ever for a stream that does not begin', async () => {
    const server = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }), {
      timeout: 50,
    })
    expect(await failure(client.ping())).toMatchObject({ name: 'TimeoutError' })
  })

  it('gives up a stream that does not begin when the client is closed', async () => {
    const server = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    const client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
    const attempt = failure(client.ping())
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    await client.close()
    expect(await attempt).toMatchObject({ message: 'The client is closed' })
  })

  it('leaves no stream behind that connects again by itself', async () => {
    const server = await listen((request) => void request.socket.destroy())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
      await failure(client.ping())
      await vi.advanceTimersByTimeAsync(60_000)
    } finally {
      vi.useRealTimers()
    }
    await failure(fetch(server.url))
    expect(server.requests.map(({ url }) => url)).toEqual(['/sse', '/mcp'])
  })

  it('says what is wrong when the server is no SSE server', async () => {
    const server = await listen(answer(404, {}, 'nothing here'))
    await using client = new Client(new SSETransport(`${server.origin}/sse`, { auth: token }))
    expect(await failure(client.ping())).toMatchObject({ code: 404 })
  })
})

/** An MCP server of 2024-11-05, as small as can be. */
class SseServer {
  good = token
  isMute = false
  #stream: ServerResponse | undefined

  readonly handle: Handler = (request, response, body) => {
    if (request.headers.authorization !== `Bearer ${this.good}`) {
      response.writeHead(401).end()
    } else if (request.method === 'GET') {
      this.#stream = response
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      // A short pause before the client comes back when the stream is dropped.
      response.write('retry: 10\nevent: endpoint\ndata: /messages?id=1\n\n')
    } else {
      response.writeHead(202).end()
      const { id, method } = JSON.parse(body)
      if (id !== undefined && !this.isMute) this.#send({ jsonrpc: '2.0', id, result: resultOf(method) })
    }
  }

  drop(): void {
    this.#stream?.end()
  }

  #send(message: unknown): void {
    this.#stream?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
  }
}

function resultOf(method: string): unknown {
  if (method !== 'initialize') return {}
  return {
    protocolVersion: '2024-11-05',
    capabilities: { tools: {} },
    serverInfo: { name: 'old', version: '1' },
  }
}

function announces(endpoint: () => string): Handler {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`event: endpoint\ndata: ${endpoint()}\n\n`)
  }
}

function messages({ requests }: TestServer): string[] {
  return requests.flatMap(({ method, body }) =>
    method === 'POST' ? [(JSON.parse(body) as { method: string }).method] : [],
  )
}
