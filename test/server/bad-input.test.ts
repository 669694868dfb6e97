import { createServer } from 'node:net'
import {
  BearerAuthProvider,
  MCPServer,
  type MCPServerOptions,
  RSAKeyPair,
  ToolError,
} from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { askRaw, openConnection } from '../http/support.ts'
import {
  alice,
  answerOf,
  directory,
  memoryLog,
  post,
  type Revision,
  revisions,
  rpc,
  textOf,
} from './fixtures.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function serve(add: (server: MCPServer) => void, options: Partial<MCPServerOptions> = {}) {
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'input', auth: directory(), logger: log.logger, ...options },
    { sessions: false },
  )
  add(server)
  open.push(server)
  const listening = await server.listen({ port: 0 })
  const call = async (name: string, args: unknown, revision: Revision) =>
    answerOf(await fetch(post(listening.url, rpc('tools/call', { name, arguments: args }, revision), alice)))
  return { ...listening, call, ...log }
}

const head = (port: number, ...lines: string[]) =>
  [
    'POST /mcp HTTP/1.1',
    `Host: localhost:${port}`,
    'Content-Type: application/json',
    `Authorization: Bearer ${alice}`,
    ...lines,
    '',
    '',
  ].join('\r\n')

describe('a body', () => {
  it.each([
    ['that is not JSON', '{"jsonrpc":', 400, -32700],
    ['that is empty', '', 400, -32700],
    ['that is no UTF-8', '"\xff"', 400, -32700],
  ])('A-47 %s is a 400', async (_what, body, status, code) => {
    const { port } = await serve(() => {})
    const answer = await askRaw(port, `${head(port, `Content-Length: ${body.length}`)}${body}`)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } })
  })

  it.each([
    ['a number', '1'],
    ['null', 'null'],
    ['text', '"x"'],
    ['an empty list', '[]'],
    ['an object that is no message', '{}'],
  ])('that is %s is a JSON-RPC error and not a crash', async (_what, body) => {
    const { url, port } = await serve(() => {})
    const answer = await askRaw(
      port,
      `${head(port, `Content-Length: ${body.length}`, 'Accept: application/json, text/event-stream')}${body}`,
    )
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: expect.any(Number) } })
    expect((await fetch(new URL('/health', url))).status).toBe(200)
  })

  it.each([
    ['declared', (port: number) => head(port, 'Content-Length: 200000')],
    [
      'chunked',
      (port: number) => `${head(port, 'Transfer-Encoding: chunked')}7d0\r\n${'x'.repeat(2000)}\r\n`,
    ],
  ])('that is too large (%s) is a 413, and the connection closes', async (_how, bytes) => {
    const { port } = await serve(() => {}, { limits: { maxBodyBytes: 1000 } })
    const answer = await askRaw(port, bytes(port))
    expect(answer.status).toBe(413)
    expect(answer.header('connection')).toEqual(['close'])
  })

  it('of exactly the limit is read, one byte more is not; over fetch as over the listener', async () => {
    const body = rpc('ping', {}, '2025-11-25').body
    for (const [maxBodyBytes, status] of [
      [body.length, 200],
      [body.length - 1, 413],
    ] as const) {
      const server = new MCPServer(
        { name: 'exact', auth: directory(), limits: { maxBodyBytes } },
        { sessions: false },
      )
      open.push(server)
      const { url } = await server.listen({ port: 0 })
      expect((await fetch(post(url, rpc('ping', {}, '2025-11-25'), alice))).status).toBe(status)
      expect((await server.fetch(post(url, rpc('ping', {}, '2025-11-25'), alice))).status).toBe(status)
    }
  })

  it('that never ends is a 408', async () => {
    const { port } = await serve(() => {}, { limits: { bodyTimeoutMs: 50 } })
    const answer = await askRaw(port, `${head(port, 'Content-Length: 100')}{"js`)
    expect(answer.status).toBe(408)
    expect(answer.header('connection')).toEqual(['close'])
  })

  it('whose sender leaves in the middle harms nobody', async () => {
    const { url, port } = await serve(() => {})
    for (let n = 0; n < 20; n++) {
      const connection = openConnection(port)
      const answer = connection.ask(`${head(port, 'Content-Length: 100')}{"js`).catch(() => 'left')
      connection.close()
      expect(await answer).toBe('left')
    }
    expect((await fetch(post(url, rpc('ping', {}, '2025-11-25'), alice))).status).toBe(200)
  })

  it('of another media type is a 415', async () => {
    const { url } = await serve(() => {})
    const headers = { authorization: `Bearer ${alice}`, 'content-type': 'application/x-www-form-urlencoded' }
    expect((await fetch(url, { method: 'POST', headers, body: 'access_token=x' })).status).toBe(415)
  })
})

describe.each(revisions)('a call in %s', (revision) => {
  it('with arguments that break the schema names the member, and the handler does not run', async () => {
    let ran = 0
    const { call } = await serve((server) => {
      server.tool('add', { inputSchema: z.object({ a: z.number() }) }, ({ a }) => {
        ran++
        return a
      })
    })
    for (const args of [{ a: 'one' }, {}, { a: null }]) {
      const answer = await call('add', args, revision)
      expect(answer.result?.isError).toBe(true)
      expect(textOf(answer)).toMatch(/^Invalid arguments for tool "add": a: /)
    }
    expect(ran).toBe(0)
  })

  it('of a tool that does not exist is an error that says so', async () => {
    const { call } = await serve((server) => server.tool('one', {}, () => 1))
    for (const name of ['two', 'constructor', '__proto__']) {
      expect((await call(name, {}, revision)).error).toMatchObject({ code: -32602 })
    }
  })

  it('A-45 of a tool that throws reaches the log and not the caller', async () => {
    const { call, entries } = await serve((server) => {
      server.tool('fails', {}, () => {
        throw new Error(`cannot reach db://root:hunter2@10.0.0.5 with ${alice}`)
      })
      server.tool('rejects', {}, async () => Promise.reject('just text'))
      server.tool('explains', {}, () => {
        throw new ToolError('Ask for fewer rows.')
      })
    })
    const failed = await call('fails', {}, revision)
    expect(failed.result?.isError).toBe(true)
    expect(JSON.stringify(failed)).not.toMatch(/hunter2|10\.0\.0\.5/)
    expect(JSON.stringify(entries)).toContain('cannot reach db')
    expect(JSON.stringify(entries)).not.toContain(alice)
    expect((await call('rejects', {}, revision)).result?.isError).toBe(true)
    expect(textOf(await call('explains', {}, revision))).toBe('Ask for fewer rows.')
  })

  it('of a tool that hangs is given up in time, and its signal aborted', async () => {
    let aborted = false
    const { call } = await serve((server) => {
      server.tool('hangs', { timeoutMs: 50 }, (_args, ctx) => {
        ctx.signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise(() => {})
      })
    })
    expect(textOf(await call('hangs', {}, revision))).toBe(
      'tool "hangs" did not answer within 0.05 s and was given up',
    )
    expect(aborted).toBe(true)
  })

  it('of a tool that returns what JSON cannot hold is an error, and the reason is in the log', async () => {
    const { call, entries } = await serve((server) => {
      server.tool('big', {}, () => ({ n: 1n }))
      server.tool('cycle', {}, () => {
        const self: Record<string, unknown> = {}
        self.self = self
        return self
      })
      server.tool('function', {}, () => () => 1)
    })
    for (const name of ['big', 'cycle', 'function'])
      expect((await call(name, {}, revision)).result?.isError).toBe(true)
    expect(entries.filter((entry) => entry.event === 'handler_failed')).toHaveLength(3)
  })

  it('of a tool whose result breaks its outputSchema is an error, and a good one is validated', async () => {
    const { call, entries } = await serve((server) => {
      const outputSchema = z.object({ n: z.number() })
      server.tool('bad', { outputSchema }, () => ({ n: 'one' }))
      server.tool('good', { outputSchema }, () => ({ n: 1, extra: true }))
    })
    expect((await call('bad', {}, revision)).result?.isError).toBe(true)
    expect(entries[0]?.details?.error).toContain('outputSchema')
    expect((await call('good', {}, revision)).result?.structuredContent).toEqual({ n: 1 })
  })
})

describe('what cannot work says so at once', () => {
  it('a port in use', async () => {
    const blocker = createServer()
    open.push(blocker)
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, '127.0.0.1', () => resolve((blocker.address() as { port: number }).port))
    })
    await expect(new MCPServer({ name: 'x' }).listen({ port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `port ${port} on 127.0.0.1 is in use; choose another, or port: 0 for a free one`,
    })
  })

  it.each([
    [{ port: -1 }],
    [{ port: 1.5 }],
    [{ port: 70_000 }],
    [{ host: '' }],
    [{ path: 'mcp' }],
    [{ path: '/m?x' }],
    [{ prot: 1 }],
  ])('listen(%j)', async (options) => {
    await expect(new MCPServer({ name: 'x' }).listen(options as never)).rejects.toThrow(TypeError)
  })

  it('FL-37 a key that is not a key', () => {
    expect(() => new BearerAuthProvider({ publicKey: 'not a key' })).toThrow(/publicKey/)
  })

  it.each<[string, (server: MCPServer) => unknown]>([
    ['a tool without a name', (server) => server.tool('', {}, () => 1)],
    ['a tool with blanks in its name', (server) => server.tool('my tool', {}, () => 1)],
    ['a tool without a handler', (server) => server.tool('x', {}, undefined as never)],
    ['a tool twice', (server) => server.tool('x', {}, () => 1).tool('x', {}, () => 1)],
    ['an unknown option of a tool', (server) => server.tool('x', { inputschema: 1 } as never, () => 1)],
    ['a scope that is no scope', (server) => server.tool('x', { scopes: ['a b'] }, () => 1)],
    ['a hole in the scopes', (server) => server.tool('x', { scopes: [undefined] as never }, () => 1)],
    ['a resource without scheme', (server) => server.resource('notes', {}, () => 1)],
    ['a resource template that makes no sense', (server) => server.resource('notes://{', {}, () => 1)],
    ['a prompt without a name', (server) => server.prompt('', {}, () => 'x')],
  ])('%s', (_what, add) => {
    expect(() => add(new MCPServer({ name: 'x' }))).toThrow(TypeError)
  })

  it('A-44 J20 a JWKS endpoint that is down is a 503 with Retry-After, and the server starts all the same', async () => {
    const dead = createServer()
    const port = await new Promise<number>((resolve) => {
      dead.listen(0, '127.0.0.1', () => resolve((dead.address() as { port: number }).port))
    })
    await new Promise((resolve) => dead.close(resolve))
    const log = memoryLog()
    const issuer = 'https://id.example'
    const auth = new BearerAuthProvider({ jwksUri: `http://127.0.0.1:${port}/jwks`, issuer, audience: 'me' })
    const server = new MCPServer({ name: 'down', auth, logger: log.logger })
    open.push(server)
    const { url } = await server.listen({ port: 0 })
    const token = await (await RSAKeyPair.generate()).createToken({ issuer, audience: 'me' })
    const response = await fetch(post(url, rpc('tools/list'), token))
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' })
    expect(JSON.stringify(log.entries)).not.toContain(token)
  })
})
