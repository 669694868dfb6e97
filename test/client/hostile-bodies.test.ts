import { gzipSync } from 'node:zlib'
import { AuthError, authorizedFetch, Client, SSETransport } from 'mcp-bearer/client'
import { afterEach, describe, expect, it } from 'vitest'
import { serverAt } from '../../src/client/fetch/server.ts'
import { limitAnswer } from '../../src/client/transports/answer-limit.ts'
import {
  closeRawServers,
  endless,
  type Fault,
  faultyServer,
  headers,
  type Message,
  onCall,
  rawServer,
  token,
} from './hostile-server.ts'
import { revisions } from './peers.ts'
import { answer, closeServers, failure, listen, serve } from './servers.ts'

afterEach(async () => {
  await closeServers()
  await closeRawServers()
})

const json = { 'content-type': 'application/json' }
const stream = { 'content-type': 'text/event-stream' }
const chunk = new TextEncoder().encode('x'.repeat(16_384))
/** A text, and then a body. */
function joined(text: string, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    async pull(controller) {
      const { value } = await reader.read()
      if (value) controller.enqueue(value)
    },
    cancel: () => reader.cancel(),
  })
}

/** Of these tests; a call that is not given up by then has hung. */
const timeout = 3_000

const result = (id: unknown, text: string) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: { resultType: 'complete', content: [{ type: 'text', text }] },
  })

/** Answers to a call that cannot be used, and must not be waited for. */
const useless: [string, Fault][] = [
  ['an empty answer', onCall(() => new Response('', { headers: json }))],
  ['204', onCall(() => new Response(null, { status: 204 }))],
  [
    'half of a JSON text',
    onCall(({ id }) => new Response(result(id, 'half').slice(0, -20), { headers: json })),
  ],
  [
    'half of a gzip stream',
    onCall(({ id }) => {
      const packed = gzipSync(result(id, 'x'.repeat(10_000)))
      return new Response(packed.subarray(0, packed.length - 20), {
        headers: { ...json, 'content-encoding': 'gzip' },
      })
    }),
  ],
  [
    'gzip that is none',
    onCall(({ id }) => new Response(result(id, 'a'), { headers: { ...json, 'content-encoding': 'gzip' } })),
  ],
  ['half of an event', onCall(({ id }) => new Response(`data: ${result(id, 'half')}`, { headers: stream }))],
  ['a stream without events', onCall(() => new Response(': hello\n\n', { headers: stream }))],
  [
    'a stream of another format',
    onCall(() => new Response('data: {{{\n\ndata\n\n\0\0\n\n', { headers: stream })),
  ],
  ['UTF-16', onCall(({ id }) => new Response(Buffer.from(result(id, 'a'), 'utf16le'), { headers: json }))],
  [
    'two types',
    onCall(
      ({ id }) =>
        new Response(result(id, 'a'), { headers: { 'content-type': 'text/html, application/json' } }),
    ),
  ],
  ['no type', onCall(({ id }) => new Response(new TextEncoder().encode(result(id, 'a'))))],
  [
    'a page that never ends',
    onCall(() => new Response(endless(chunk).body, { headers: { 'content-type': 'text/html' } })),
  ],
  ['a list of nothing but brackets', onCall(() => new Response('['.repeat(100_000), { headers: json }))],
]

describe.each(revisions)('in %s a call fails at once, and is made once, after', (revision) => {
  it.each(useless)('%s', async (_case, fault) => {
    const server = await faultyServer(revision, fault)
    await using client = new Client(server.url, { auth: token, headers, timeout })
    const error = await failure(client.callTool('echo'))
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(AuthError)
    expect((error as Error).message).not.toMatch(/timed out/i)
    expect(server.requests.filter(({ body }) => body.includes('tools/call'))).toHaveLength(1)
  })
})

describe.each(revisions)('in %s', (revision) => {
  it('an answer of 10^5 levels, and one with __proto__, change nothing', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const content = '[{"type":"text","text":"fine"}]'
    const server = await faultyServer(
      revision,
      onCall(
        ({ id }) =>
          new Response(
            `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete","__proto__":{"isError":true,"polluted":1},"content":${content},"structuredContent":{"__proto__":{"polluted":1},"deep":${deep}}}}`,
            { headers: json },
          ),
      ),
    )
    await using client = new Client(server.url, { auth: token, timeout })
    await client.callTool('count', {}, { raw: true }).catch(() => {})
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    await client.ping()
  })

  it('an error of 10^5 levels is an error', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const server = await faultyServer(
      revision,
      onCall(
        ({ id }) =>
          new Response(
            `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":{"code":-32000,"message":"no","data":${deep}}}`,
            { headers: json },
          ),
      ),
    )
    await using client = new Client(server.url, { auth: token, timeout })
    const error = await failure(client.callTool('echo'))
    expect((error as Error).message).not.toMatch(/timed out/i)
    await client.ping()
  })

  it('what comes with 202 is not waited for', async () => {
    const bodies: ReturnType<typeof endless>[] = []
    const slow = (): Response => {
      const body = endless(chunk)
      bodies.push(body)
      return new Response(body.body, { status: 202 })
    }
    const isNote = ({ id, method }: Message): boolean => id === undefined && method !== undefined
    const server = await faultyServer(revision, (message) => (isNote(message) ? slow() : undefined))
    await using client = new Client(server.url, { auth: token, timeout })
    await client.connect()
    await client.ping()
    await Promise.all(bodies.map(({ cancelled }) => cancelled))
  })

  it('a server that takes the request and says nothing holds nobody longer than the timeout', async () => {
    const server = await faultyServer(
      revision,
      onCall(() => new Promise<Response>(() => {})),
    )
    await using client = new Client(server.url, { auth: token, timeout: 100 })
    await client.connect()
    expect(((await failure(client.callTool('echo'))) as Error).message).toMatch(/timed out/i)
  })

  it('a server that sends the head of an answer and no more holds nobody longer than the timeout', async () => {
    const server = await faultyServer(
      revision,
      onCall(() => new Response(new ReadableStream(), { headers: json })),
    )
    await using client = new Client(server.url, { auth: token, timeout: 100 })
    await client.connect()
    expect(((await failure(client.callTool('echo'))) as Error).message).toMatch(/timed out/i)
  })
})

it.each([
  '',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
])('connecting to a server that stops after %j takes no longer than the timeout', async (bytes) => {
  const server = await rawServer((socket) => void socket.write(bytes))
  await using client = new Client(server.url, { auth: token, timeout: 100 })
  expect(await failure(client.connect())).toBeInstanceOf(Error)
})

/** Answers on the level of bytes. */
const bytes: [string, string][] = [
  ['HTTP/1.0', 'HTTP/1.0 401 No\r\n\r\n'],
  ['a reason with odd characters', 'HTTP/1.1 401 \xe4\t"\r\ncontent-length: 0\r\n\r\n'],
  ['a header of 15 KB', `HTTP/1.1 401 No\r\nx: ${'y'.repeat(15_000)}\r\ncontent-length: 0\r\n\r\n`],
  [
    'a thousand 103s',
    `${'HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n'.repeat(1_000)}HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n`,
  ],
  [
    'a length that is a lie',
    'HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"error":"invalid_token"}',
  ],
  [
    'a body that is compressed badly',
    'HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc',
  ],
  [
    'two challenges in two lines',
    'HTTP/1.1 401 No\r\nwww-authenticate: Basic realm="a"\r\nwww-authenticate: Bearer error="invalid_token"\r\ncontent-length: 0\r\n\r\n',
  ],
]

it.each(bytes)('401 with %s is an AuthError after one request', async (_case, text) => {
  const server = await rawServer((socket) => void socket.end(Buffer.from(text, 'latin1')))
  const error = await failure(
    authorizedFetch({ url: server.url, auth: token })(server.url, { method: 'POST', body: 'x' }),
  )
  expect(error).toMatchObject({ name: 'AuthError', code: 'invalid_token', status: 401 })
  expect(server.heard().match(/POST /g)).toHaveLength(1)
})

it.each([
  ['101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.0\r\n'],
  ['a header of 1 MB', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}\r\n\r\n`],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
])('E-28 %s is an error that is no AuthError, after one request', async (_case, text) => {
  const server = await rawServer((socket) => void socket.end(Buffer.from(text, 'latin1')))
  const work = authorizedFetch({ url: server.url, auth: token })(server.url, { method: 'POST', body: 'x' })
  const error = await failure(work.then((response) => response.text()))
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(AuthError)
  expect(server.heard().match(/POST /g)).toHaveLength(1)
})

describe('giant bodies', () => {
  it.each([300, 400, 401, 403, 404, 429, 500, 503])(
    'of an error with status %i are cut, and the connection is closed',
    async (status) => {
      let sent = 0
      let closed: () => void = () => {}
      const gone = new Promise<void>((resolve) => {
        closed = resolve
      })
      const server = await listen((_request, response) => {
        response.on('close', closed)
        response.writeHead(status, json)
        const more = (): void => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length
        }
        response.on('drain', more)
        more()
      })
      const fetch = authorizedFetch({ url: server.url, auth: token })
      const end: unknown = await fetch(server.url, { method: 'POST', body: 'x' }).then(
        async (response) => (await response.text()).length,
        (error: unknown) => error,
      )
      await gone
      if (typeof end === 'number') expect(end).toBeLessThanOrEqual(65_536)
      else expect(end).toBeInstanceOf(AuthError)
      // What the buffers of both ends hold comes on top.
      expect(sent).toBeLessThan(32 * 1024 * 1024)
      expect(server.requests).toHaveLength(1)
    },
  )

  const server = serverAt('test', 'http://localhost/mcp', undefined, true)
  const bound = 1_000_000

  it.each([
    ['JSON', json],
    ['an event', stream],
  ])('of %s fail when they are more than the bound, and are given up', async (_case, type) => {
    const body = endless(chunk)
    const limited = limitAnswer(new Response(body.body, { headers: type }), server, bound)
    expect(await failure(limited.text())).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('1000000'),
    })
    await body.cancelled
    expect(body.sent).toBeLessThan(2 * bound)
  })

  it.each(['\n\n', '\r\n\r\n', '\r\r'])('events that end with %j may be any number', async (end) => {
    const event = `data: ${'x'.repeat(9_000)}${end}`
    const pieces = Array.from({ length: 300 }, () => new TextEncoder().encode(event))
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.pop()
        if (piece) controller.enqueue(piece)
        else controller.close()
      },
    })
    const limited = limitAnswer(new Response(body, { headers: stream }), server, bound)
    expect(await limited.text()).toHaveLength(300 * event.length)
  })

  it.each(['\n|\n', '\r\n|\r\n', '\r|\n\r|\n', '\r\n\r|\n'])(
    'also when their ends arrive as %j',
    async (end) => {
      const pieces = Array.from({ length: 300 }, () => `data: ${'x'.repeat(9_000)}${end}`.split('|')).flat()
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const piece = pieces.shift()
          if (piece !== undefined) controller.enqueue(new TextEncoder().encode(piece))
          else controller.close()
        },
      })
      const limited = limitAnswer(new Response(body, { headers: stream }), server, bound)
      expect((await limited.text()).length).toBeGreaterThan(2 * bound)
    },
  )

  it('line ends that end no event do not count as one', async () => {
    const pieces = endless(new TextEncoder().encode('\r\nx'))
    const limited = limitAnswer(new Response(pieces.body, { headers: stream }), server, 10_000)
    expect(await failure(limited.text())).toBeInstanceOf(TypeError)
  })

  it('many small lines are still one event', async () => {
    const body = endless(new TextEncoder().encode('data: x\n'.repeat(1_000)))
    const limited = limitAnswer(new Response(body.body, { headers: stream }), server, bound)
    expect(await failure(limited.text())).toBeInstanceOf(TypeError)
  })

  it('a length that is within the bound costs nothing, and one that is not, or says nothing, is looked at', async () => {
    const small = new Response('{}', { headers: { ...json, 'content-length': '2' } })
    expect(limitAnswer(small, server)).toBe(small)
    for (const extra of [{ 'content-length': '2', 'content-encoding': 'gzip' }, { 'content-length': 'x' }]) {
      const body = endless(chunk)
      const response = new Response(body.body, { headers: { ...json, ...extra } })
      expect(await failure(limitAnswer(response, server, bound).text())).toBeInstanceOf(TypeError)
    }
  })

  it('one event of 70 MB fails the call', async () => {
    const whole = await faultyServer(
      '2026-07-28',
      onCall(
        ({ id }) =>
          new Response(`data: ${result(id, 'x'.repeat(70 * 1024 * 1024))}\n\n`, { headers: stream }),
      ),
    )
    await using client = new Client(whole.url, { auth: token, timeout: 20_000 })
    const error = await failure(client.callTool('echo'))
    expect((error as Error).message).not.toMatch(/timed out/i)
  })
})

describe('HTTP with SSE', () => {
  it('what comes with the answer to a message is not waited for', async () => {
    const body = endless(chunk)
    const server = await serve(async (request) =>
      request.method === 'POST'
        ? new Response(body.body, { headers: json })
        : new Response('event: endpoint\ndata: /messages\n\n', { headers: stream }),
    )
    const transport = await new SSETransport(server.url, { auth: token }).open()
    await transport.start()
    await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    await body.cancelled
    await transport.close()
  })

  it('an event without end is not kept', async () => {
    const body = endless(new Uint8Array(1024 * 1024).fill(120))
    let streams = 0
    const server = await serve(async (request) => {
      if (request.method === 'POST') return new Response(null, { status: 202 })
      const first = 'event: endpoint\ndata: /messages\n\n'
      return new Response(++streams === 1 ? joined(first, body.body) : first, { headers: stream })
    })
    const transport = await new SSETransport(server.url, { auth: token }).open()
    await transport.start()
    await body.cancelled
    await transport.close()
    expect(body.sent).toBeLessThan(512 * 1024 * 1024)
  })

  it('a server that ends the stream again and again, and says retry: 0, is asked ten times a second at most', async () => {
    let streams = 0
    const started = performance.now()
    const server = await listen((request, response, body) => {
      if (request.method === 'POST') return answer(202)(request, response, body)
      streams++
      response.writeHead(200, stream).end('retry: 0\nevent: endpoint\ndata: /messages\n\n')
    })
    const transport = await new SSETransport(server.url, { auth: token }).open()
    await transport.start()
    await expect.poll(() => streams, { timeout: 5_000 }).toBeGreaterThanOrEqual(4)
    await transport.close()
    expect(streams).toBeLessThanOrEqual(2 + (performance.now() - started) / 100)
  })
})
