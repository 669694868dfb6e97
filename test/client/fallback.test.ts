import { AuthError, Client, SSETransport, StreamableHttpTransport } from 'mcp-bearer/client'
import type { MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { closeListening, listening, type Sent, Tokens, wire } from './peers.ts'
import { answer, closeServers, failure, listen } from './servers.ts'

afterEach(closeListening)
afterEach(closeServers)

const token = 'token-of-alice'
const build = (server: MCPServer) =>
  void server.tool('whoami', {}, (_args, ctx) => `I am ${ctx.auth?.subject}`)

/** A server of 2024-11-05: it answers a POST to its stream with this status. */
async function oldServer(status: number, body: unknown = '<h1>Cannot POST /sse</h1>') {
  const tokens = new Tokens()
  tokens.grant(token)
  const { url } = await listening(build, { auth: tokens, clock: tokens.clock }, { legacySse: true })
  const way = wire()
  way.fault = ({ method, path }) =>
    method === 'POST' && path === '/sse'
      ? new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })
      : undefined
  return { url: new URL('/sse', url).href, wire: way, tokens }
}

const steps = (sent: readonly Sent[]) =>
  sent.map(({ method, path, rpc }) => `${method} ${path === '/sse' ? path : '…'} ${rpc ?? ''}`.trim())

describe('MCP transports, "Backwards Compatibility": a URL', () => {
  it.each([400, 404, 405])(
    'that answers a POST with %i is asked for its event stream, with the same credential',
    async (status) => {
      const { url, wire } = await oldServer(status)
      await using client = new Client(url, { auth: token, fetch: wire.fetch })
      expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: 'I am alice' }] })
      expect(steps(wire.sent)).toEqual([
        'POST /sse server/discover',
        'POST /sse initialize',
        'GET /sse',
        'POST … initialize',
        'POST … notifications/initialized',
        'POST … tools/call',
      ])
      expect(new Set(wire.sent.map(({ authorization }) => authorization))).toEqual(
        new Set([`Bearer ${token}`]),
      )
      await client.ping()
      expect(steps(wire.sent).slice(6)).toEqual(['POST … ping'])
    },
  )

  it.each([
    [401, 1],
    [403, 1],
    [429, 1],
    [500, 1],
    [502, 1],
    [503, 1],
  ])('FL-89 that answers with %i is not asked for anything else', async (status, requests) => {
    const { url, wire } = await oldServer(status)
    await using client = new Client(url, { auth: token, fetch: wire.fetch })
    const error = await failure(client.ping())
    expect(error instanceof AuthError).toBe(status < 500)
    expect(wire.sent).toHaveLength(requests)
  })

  it('that cannot be reached is not asked for anything else', async () => {
    const { url, wire } = await oldServer(404)
    wire.fault = () => {
      throw new TypeError('connect ECONNREFUSED')
    }
    await using client = new Client(url, { auth: token, fetch: wire.fetch })
    expect(await failure(client.ping())).not.toBeInstanceOf(AuthError)
    expect(wire.sent).toHaveLength(1)
  })

  it('that answers in JSON-RPC knows the transport, and has another reason', async () => {
    const error = { code: -32_000, message: 'Bad Request' }
    const { url, wire } = await oldServer(400, { jsonrpc: '2.0', id: null, error })
    await using client = new Client(url, { auth: token, fetch: wire.fetch })
    expect(await failure(client.ping())).toMatchObject({ status: 400 })
    expect(wire.count('GET')).toBe(0)
  })

  it('E-22 whose event stream refuses the credential is that AuthError', async () => {
    const { url, wire, tokens } = await oldServer(405)
    tokens.revoke(token)
    await using client = new Client(url, { auth: token, fetch: wire.fetch })
    expect(await failure(client.ping())).toMatchObject({
      name: 'AuthError',
      code: 'invalid_token',
      status: 401,
    })
    expect(wire.count('GET')).toBe(1)
  })

  it('that has nothing at all fails with what it said first', async () => {
    const server = await listen(answer(404, {}, 'nothing here'))
    await using client = new Client(server.url, { auth: token })
    expect(await failure(client.ping())).toMatchObject({
      status: 404,
      message: expect.stringContaining('nothing here'),
    })
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET'])
  })

  it('a client that is closed meanwhile is closed', async () => {
    const { url, wire } = await oldServer(405)
    const client = new Client(url, { auth: token, fetch: wire.fetch })
    const { fault } = wire
    wire.fault = (sent) => {
      if (sent.method === 'GET') void client.close()
      return fault(sent)
    }
    expect(await failure(client.ping())).toMatchObject({ message: 'The client is closed' })
  })
})

it('E-04 a stream that names another origin for its messages gets none of them, nor the credential', async () => {
  const other = await listen(answer(202))
  const server = await listen((request, response) => {
    if (request.method === 'POST') return void response.writeHead(405).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`event: endpoint\ndata: ${other.origin}/messages\n\n`)
  })
  await using client = new Client(server.url, { auth: token })
  expect(await failure(client.ping())).toMatchObject({ name: 'AuthError', code: 'origin_mismatch' })
  expect(other.requests).toEqual([])
})

it('a transport that was chosen is the one that is used', async () => {
  const { url, wire } = await oldServer(405)
  const options = { auth: token, fetch: wire.fetch }
  await using streamable = new Client(new StreamableHttpTransport(url, options))
  expect(await failure(streamable.ping())).toMatchObject({ status: 405 })
  expect(wire.count('GET')).toBe(0)
  await using sse = new Client(new SSETransport(url, options))
  await sse.ping()
  expect(steps(wire.sent).slice(2, 4)).toEqual(['GET /sse', 'POST … initialize'])
})

it('a session that is over in the middle is a new session, not another transport', async () => {
  const { url } = await listening(build)
  const way = wire('2025-11-25')
  await using client = new Client(url, { fetch: way.fetch })
  await client.ping()
  let isOver = true
  way.fault = ({ rpc }) => {
    if (rpc !== 'ping' || !isOver) return undefined
    isOver = false
    return new Response('gone', { status: 404 })
  }
  await client.ping()
  expect(way.count('initialize')).toBe(2)
  expect(way.sent.every(({ path }) => path === '/mcp')).toBe(true)
})

it.each([
  ['404 in the middle', 404],
  ['405 in the middle', 405],
])('a server of 2026-07-28 that answers %s is not asked for an event stream', async (_case, status) => {
  const { url } = await listening(build)
  const way = wire()
  await using client = new Client(url, { fetch: way.fetch })
  await client.ping()
  way.fault = ({ rpc }) => (rpc === 'tools/call' ? new Response('no', { status }) : undefined)
  expect(await failure(client.callTool('whoami'))).toMatchObject({ status })
  expect(way.count('tools/call')).toBe(1)
  expect(way.count('GET')).toBe(0)
})
