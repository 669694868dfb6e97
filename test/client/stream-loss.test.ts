import type { ServerResponse } from 'node:http'
import { Client as SdkClient } from '@modelcontextprotocol/client'
import { AuthError, SSETransport, StreamableHttpTransport, type TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  closeServers,
  failure,
  type Handler,
  listen,
  methodsOf,
  modernFetch,
  sessionFetch,
  type TestServer,
} from './servers.ts'

const clients: SdkClient[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await closeServers()
})

const token = 'sk-good-0123456789'
const unknown = 'ended the connection before it answered; whether the call was carried out is unknown'
const eras = [
  ['2026-07-28', 'auto', () => modernFetch(() => true)],
  ['2025-11-25', 'legacy', () => sessionFetch(() => true).fetch],
] as const

describe.each(eras)('a call of the revision %s whose stream', (_revision, mode, make) => {
  it('E-28 breaks off fails at once, says so, and is not sent again', async () => {
    const mcp = make()
    const server = await listen(calls(mcp, (response) => response.socket?.destroy()))
    const client = await connect(server, mode)
    const onprogress = vi.fn()
    const error = await failure(client.callTool({ name: 'echo' }, { timeout: 20_000, onprogress }))
    expect(error).not.toBeInstanceOf(AuthError)
    expect((error as Error).message).toBe(`${server.origin} ${unknown}`)
    expect(methodsOf(server).filter((method) => method === 'tools/call')).toHaveLength(1)
  })

  it('E-28 ends without the answer fails at once', async () => {
    const mcp = make()
    const server = await listen(calls(mcp, (response) => response.end(progress)))
    const client = await connect(server, mode)
    const error = await failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    expect((error as Error).message).toContain(unknown)
  })

  it('E-28 is gone with the server, killed in the middle, fails at once', async () => {
    const mcp = make()
    const server = await listen(calls(mcp, (response) => response.write(progress)))
    const client = await connect(server, mode)
    const lost = failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    await vi.waitFor(() => expect(methodsOf(server)).toContain('tools/call'))
    await closeServers()
    expect((await lost) as Error).toMatchObject({ message: expect.stringContaining(unknown) })
  })

  it('breaks off before its head is no different', async () => {
    const mcp = make()
    const server = await listen((request, response, body) => {
      if (body.includes('tools/call')) request.socket.destroy()
      else pass(mcp)(request, response, body)
    })
    const client = await connect(server, mode)
    const error = await failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    expect((error as Error).message).toContain(unknown)
  })

  it('carries the answer succeeds, and its end is no error', async () => {
    const mcp = make()
    const onerror = vi.fn()
    const server = await listen(calls(mcp, (response, id) => response.end(progress + result(id))))
    const client = await connect(server, mode)
    client.onerror = onerror
    for (let n = 0; n < 20; n++) {
      const { content } = await client.callTool({ name: 'echo' }, { timeout: 20_000 })
      expect(content).toMatchObject([{ text: 'done' }])
    }
    expect(onerror).not.toHaveBeenCalled()
  })

  it('can be resumed goes on with the last event', async () => {
    const mcp = make()
    let id: unknown
    const server = await listen((request, response, body) => {
      if (request.method === 'GET' && request.headers['last-event-id'] !== undefined) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(result(id))
      } else {
        const begin = (answer: ServerResponse, call: unknown) => {
          id = call
          answer.end(resumable)
        }
        calls(mcp, begin)(request, response, body)
      }
    })
    const client = await connect(server, mode)
    const { content } = await client.callTool({ name: 'echo' }, { timeout: 20_000 })
    expect(content).toMatchObject([{ text: 'done' }])
    expect(methodsOf(server).filter((method) => method === 'tools/call')).toHaveLength(1)
  })

  it('cannot be resumed any more fails after a few attempts', async () => {
    const mcp = make()
    const server = await listen((request, response, body) => {
      if (request.method === 'GET') response.writeHead(500).end()
      else calls(mcp, (answer) => answer.end(resumable))(request, response, body)
    })
    const client = await connect(server, mode)
    const error = await failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    expect((error as Error).message).toContain(unknown)
    expect(resumptions(server)).toHaveLength(2)
  })

  it('E-21 is refused when it is resumed fails with the AuthError, after one request', async () => {
    const mcp = make()
    const server = await listen((request, response, body) => {
      if (request.method === 'GET') response.writeHead(401).end()
      else calls(mcp, (answer) => answer.end(resumable))(request, response, body)
    })
    const onRefused = vi.fn()
    const client = await connect(server, mode, { onRefused })
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const error = await failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    expect(error).toMatchObject({ name: 'AuthError', code: 'invalid_token', status: 401 })
    expect(resumptions(server)).toHaveLength(1)
    expect(onRefused).toHaveBeenCalledWith(error)
    // It waits before it resumes, and not for attempts that can only fail.
    const delays = timers.mock.calls.map(([, delay]) => delay)
    expect(delays.filter((delay) => delay === 100)).toHaveLength(1)
  })
})

describe('the stream of a session', () => {
  it('E-21 is renewed once when its token is refused, and not asked for again', async () => {
    const mcp = pass(sessionFetch(() => true).fetch)
    let streams = 0
    const server = await listen((request, response, body) => {
      if (request.method !== 'GET') mcp(request, response, body)
      else if (++streams > 1) response.writeHead(401).end()
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end('retry: 1\n\n')
      }
    })
    let n = 1
    const refused = vi.fn(async () => void n++)
    const auth: TokenSource = { token: async () => `token-${n}`, refused }
    const told: AuthError[] = []
    const client = await connect(server, 'legacy', { auth, onRefused: (error) => void told.push(error) })
    const gets = () => server.requests.filter(({ method }) => method === 'GET')
    await vi.waitFor(() => expect(told).toHaveLength(1))
    expect(told).toMatchObject([{ code: 'invalid_token', status: 401 }])
    expect(refused).toHaveBeenCalledTimes(1)
    // The stream, the same with the old token, the same with a new one.
    expect(gets().map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
      'Bearer token-2',
    ])
    await client.ping()
    expect(gets()).toHaveLength(3)
  })
})

describe('a call over HTTP with SSE whose stream', () => {
  it.each([
    ['breaks off', false],
    ['is gone with the server', true],
  ])('E-28 %s fails when the stream is asked for again', async (_case, isKilled) => {
    let stream: ServerResponse | undefined
    const server = await listen((request, response, body) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
        stream.write('retry: 1\nevent: endpoint\ndata: /messages\n\n')
        return
      }
      response.writeHead(202).end()
      const { id, method } = JSON.parse(body) as { id?: number; method: string }
      const serverInfo = { name: 'old', version: '1' }
      const capabilities = { tools: {} }
      const handshake = { protocolVersion: '2024-11-05', capabilities, serverInfo }
      if (method === 'initialize') {
        stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: handshake })}\n\n`)
      }
    })
    const client = new SdkClient({ name: 'test', version: '1' })
    clients.push(client)
    await client.connect(await new SSETransport(server.url, { auth: token }).open())
    const lost = failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    await vi.waitFor(() => expect(methodsOf(server)).toContain('tools/call'))
    if (isKilled) await closeServers()
    else stream?.destroy()
    expect((await lost) as Error).toMatchObject({ message: `${server.origin} ${unknown}` })
    expect(methodsOf(server).filter((method) => method === 'tools/call')).toHaveLength(1)
  })
})

describe('a call that nobody waits for', () => {
  it('E-55 is let go when the transport is closed', async () => {
    const server = await listen(
      calls(
        modernFetch(() => true),
        (response) => response.write(progress),
      ),
    )
    const client = await connect(server, 'auto')
    const lost = failure(client.callTool({ name: 'echo' }, { timeout: 20_000 }))
    await vi.waitFor(() => expect(methodsOf(server)).toContain('tools/call'))
    await client.close()
    expect(await lost).toMatchObject({ code: 'CONNECTION_CLOSED' })
  })
})

interface Connecting {
  readonly auth?: TokenSource
  readonly onRefused?: (error: AuthError) => void
}

async function connect(
  server: TestServer,
  mode: 'auto' | 'legacy',
  { auth, onRefused }: Connecting = {},
): Promise<SdkClient> {
  const transport = new StreamableHttpTransport(server.url, { auth: auth ?? token })
  const client = new SdkClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  clients.push(client)
  await client.connect(await transport.open({ ...(onRefused && { onRefused }) }))
  return client
}

const progress =
  'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n'
const resumable = 'id: 1\nretry: 1\ndata:\n\n'

function result(id: unknown): string {
  const content = [{ type: 'text', text: 'done' }]
  return `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content, resultType: 'complete' } })}\n\n`
}

/** Answers `tools/call` with a stream that `go` writes and ends; everything else is the server's. */
function calls(
  mcp: (request: Request) => Promise<Response>,
  go: (response: ServerResponse, id: unknown) => void,
): Handler {
  return (request, response, body) => {
    if (!body.includes('"tools/call"')) {
      pass(mcp)(request, response, body)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    go(response, (JSON.parse(body) as { id: unknown }).id)
  }
}

function pass(mcp: (request: Request) => Promise<Response>): Handler {
  return async (request, response, body) => {
    const { method = 'GET', headers } = request
    if (method === 'GET') {
      response.writeHead(405).end()
      return
    }
    const init = { method, headers: headers as Record<string, string>, ...(method === 'POST' && { body }) }
    const answer = await mcp(new Request('http://localhost/mcp', init))
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
  }
}

function resumptions({ requests }: TestServer): unknown[] {
  return requests.filter(({ method, headers }) => method === 'GET' && headers['last-event-id'] !== undefined)
}
