import { Client, SSETransport, StreamableHttpTransport } from 'mcp-bearer/client'
import { afterEach, describe, expect, it } from 'vitest'
import {
  closeRawServers,
  expectNoSecret,
  type Fault,
  faultyServer,
  headers,
  key,
  onCall,
  token,
} from './hostile-server.ts'
import { revisions } from './peers.ts'
import { answer, closeServers, failure, listen } from './servers.ts'

afterEach(async () => {
  await closeServers()
  await closeRawServers()
})

const json = { 'content-type': 'application/json' }
const stream = { 'content-type': 'text/event-stream' }
const escaped = [...token].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

/** A JSON-RPC error, as a text so that escapes in it survive. */
const rpcError = (id: unknown, message: string, data = 'null') =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":{"code":-32000,"message":"${message}","data":${data}}}`

/** Answers to a call that repeat what came with it. */
const echoes: [string, Fault][] = [
  [
    'a JSON-RPC error',
    onCall(({ id }) => new Response(rpcError(id, `no ${token} ${key}`), { headers: json })),
  ],
  [
    'a JSON-RPC error over SSE',
    onCall(({ id }) => new Response(`data: ${rpcError(id, `no ${token} ${key}`)}\n\n`, { headers: stream })),
  ],
  ['an escaped JSON-RPC error', onCall(({ id }) => new Response(rpcError(id, escaped), { headers: json }))],
  [
    'the data of a JSON-RPC error',
    onCall(
      ({ id }) =>
        new Response(rpcError(id, 'no', `{"${key}":[{"headers":{"x":"Bearer ${token}"}}]}`), {
          headers: json,
        }),
    ),
  ],
  [
    'an escaped error with status 400',
    onCall(({ id }) => new Response(rpcError(id, escaped), { status: 400, headers: json })),
  ],
  ['no JSON', onCall(() => new Response(`${token} ${key}`, { headers: json }))],
  ['broken JSON', onCall(() => new Response(`{"a":"${token.slice(0, 15)}`, { headers: json }))],
  ['JSON of another kind', onCall(() => Response.json({ [token]: key }))],
  [
    'another content type',
    onCall(() => new Response('x', { headers: { 'content-type': `text/${key}; a="${token}"` } })),
  ],
  ['300 with a page', onCall(() => new Response(`${token} ${key}`, { status: 300 }))],
  ['304', onCall(() => new Response(null, { status: 304, headers: { etag: `"${token}"` } }))],
  [
    '307 without a place that can be read',
    onCall(() => new Response(`${token} ${key}`, { status: 307, headers: { location: 'http://[' } })),
  ],
  [
    '307 to a host made of the key',
    onCall(
      () => new Response('', { status: 307, headers: { location: `https://${key.toUpperCase()}.example/` } }),
    ),
  ],
  [
    'a tool that fails',
    onCall(({ id }) =>
      Response.json({
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'complete',
          isError: true,
          content: [{ type: 'text', text: `upstream: ${token} ${key}` }],
        },
      }),
    ),
  ],
]

describe.each(revisions)('E-61 in %s no error repeats the credential:', (revision) => {
  it.each(echoes)('%s', async (_case, fault) => {
    const server = await faultyServer(revision, fault)
    await using client = new Client(server.url, { auth: token, headers, timeout: 2_000 })
    await client.connect()
    const error = await failure(client.callTool('echo'))
    expectNoSecret(error)
    expect((error as Error).message).not.toMatch(/timed out/i)
  })
})

describe('E-61 for somebody with the SDK alone', () => {
  it('the transport keeps the same silence', async () => {
    const { Client: SdkClient } = await import('@modelcontextprotocol/client')
    const server = await faultyServer(
      '2025-11-25',
      onCall(({ id }) => new Response(rpcError(id, `no ${token}`), { headers: json })),
    )
    const client = new SdkClient({ name: 'test', version: '1' })
    await client.connect(await new StreamableHttpTransport(server.url, { auth: token }).open())
    expectNoSecret(await failure(client.callTool({ name: 'echo' })))
    await client.close()
  })
})

it('the data of an error is kept when it is small and holds no credential, and dropped when it is huge', async () => {
  for (const [size, kept] of [
    [10, true],
    [70_000, false],
  ] as const) {
    const data = { reason: 'x'.repeat(size) }
    const respond = ({ id }: { id?: unknown }) =>
      new Response(rpcError(id, 'no', JSON.stringify(data)), { headers: json })
    const server = await faultyServer('2026-07-28', onCall(respond))
    await using client = new Client(server.url, { auth: token })
    const error = (await failure(client.callTool('echo'))) as { data?: unknown }
    expect(error.data).toEqual(kept ? data : undefined)
  }
})

describe('E-02 the token never goes into a URL', () => {
  it.each([token, encodeURIComponent(token)])('that an endpoint event makes: %#', async (written) => {
    const server = await listen((request, response, body) => {
      if (request.method === 'POST') return answer(202)(request, response, body)
      response.writeHead(200, stream).write(`event: endpoint\ndata: /messages?session=${written}\n\n`)
    })
    await using client = new Client(new SSETransport(server.url, { auth: token, headers }), {
      timeout: 1_000,
    })
    const error = await failure(client.connect())
    expect(server.requests.map(({ url }) => url)).toEqual(['/mcp'])
    expectNoSecret(error)
  })
})
