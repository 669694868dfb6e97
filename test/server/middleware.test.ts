import { MCPServer, type Middleware, requireScopes, ToolError } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, openSession } from './feature-peers.ts'
import { alice, bob, directory, memoryLog, revisions, textOf } from './fixtures.ts'

const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }

async function serve(...middleware: Middleware[]) {
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'surrounded', auth: directory(), logger: log.logger },
    { sessions: false },
  )
  const ran: string[] = []
  server.tool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => {
    ran.push(text)
    return text
  })
  server.tool('admin', { scopes: ['admin'] }, () => 'admin')
  server.resource('notes://{id}', { complete: { id: () => ['1'] } }, ({ id }) => id)
  server.resource('notes://one', {}, () => 'one')
  server.prompt('greet', {}, () => 'hi')
  for (const each of middleware) server.use(each)
  return { server, url: await listening(server), ran, ...log }
}

describe.each(revisions)('middleware in %s', (revision) => {
  const send = senders[revision]
  const echo = (url: string, text = 'hello', token = bob) =>
    send(url, token, 'tools/call', { name: 'echo', arguments: { text } })

  it('that returns what JSON cannot hold is an error of the server, and the server goes on', async () => {
    const { url, entries } = await serve(async (_request, next) => ({
      ...((await next()) as object),
      _meta: { amount: 1n },
    }))
    for (let time = 0; time < 2; time++) {
      const { error } = await echo(url)
      expect(error?.code).toBe(-32603)
    }
    expect(entries.map(({ event }) => event)).toContain('request_failed')
  })

  it('stands around the handler, the first outermost', async () => {
    const order: string[] = []
    const named =
      (name: string): Middleware =>
      async (_request, next) => {
        order.push(`${name} in`)
        const result = await next()
        order.push(`${name} out`)
        return result
      }
    const { url, ran } = await serve(named('outer'), named('inner'))
    expect(textOf(await echo(url))).toBe('hello')
    expect(order).toEqual(['outer in', 'inner in', 'inner out', 'outer out'])
    expect(ran).toEqual(['hello'])
  })

  it('sees every method, what was asked for, and who asks', async () => {
    const seen: unknown[] = []
    const { url } = await serve(async ({ method, params, auth, signal }, next) => {
      seen.push([
        method,
        params.name ?? params.uri ?? params.ref,
        auth?.subject,
        signal instanceof AbortSignal,
      ])
      return next()
    })
    const ref = { type: 'ref/resource', uri: 'notes://{id}' }
    await echo(url)
    await send(url, alice, 'resources/read', { uri: 'notes://one' })
    await send(url, alice, 'prompts/get', { name: 'greet' })
    await send(url, alice, 'completion/complete', { ref, argument: { name: 'id', value: '' } })
    const lists = ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']
    for (const method of lists) await send(url, alice, method)
    expect(seen).toEqual([
      ['tools/call', 'echo', 'bob', true],
      ['resources/read', 'notes://one', 'alice', true],
      ['prompts/get', 'greet', 'alice', true],
      ['completion/complete', ref, 'alice', true],
      ...lists.map((method) => [method, undefined, 'alice', true]),
    ])
  })

  it('A-17 is shown nothing of the token', async () => {
    const seen: string[] = []
    const { url } = await serve(async (request, next) => {
      seen.push(JSON.stringify(request))
      return next()
    })
    await echo(url)
    expect(seen).toHaveLength(1)
    expect(seen[0]).not.toContain(bob)
  })

  it('may answer itself, or change the answer', async () => {
    const { url, ran } = await serve(async ({ params }, next) => {
      if ((params.arguments as { text?: string } | undefined)?.text === 'cached')
        return { content: [{ type: 'text', text: 'from the cache' }] }
      const result = (await next()) as { content: object[] }
      return { ...result, content: [...result.content, { type: 'text', text: 'and more' }] }
    })
    expect(textOf(await echo(url, 'cached'))).toBe('from the cache')
    expect(ran).toEqual([])
    expect((await echo(url)).result.content).toMatchObject([{ text: 'hello' }, { text: 'and more' }])
  })

  it('runs behind the checks: whom the scopes refuse it does not see', async () => {
    const seen: unknown[] = []
    const { url } = await serve(async ({ method }, next) => {
      seen.push(method)
      return next()
    })
    expect((await send(url, bob, 'tools/call', { name: 'admin' })).status).toBe(403)
    expect((await send(url, undefined, 'tools/call', { name: 'echo' })).status).toBe(401)
    expect(seen).toEqual([])
  })

  it('refuses with requireScopes: a real 403', async () => {
    const { url, ran } = await serve(async (_request, next) => {
      requireScopes('admin')
      return next()
    })
    const refused = await echo(url)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin"')
    expect(textOf(await echo(url, 'hello', alice))).toBe('hello')
    expect(ran).toEqual(['hello'])
  })

  it('FL-60 what it throws is an error without its text; a ToolError is meant for the caller', async () => {
    for (const isAsync of [true, false]) {
      const middleware = ((_request, next) => {
        if (!isAsync) throw new Error('hunter2')
        return next().then(() => Promise.reject(new Error('hunter2')))
      }) as Middleware
      const { url, entries } = await serve(middleware)
      const answer = await echo(url)
      expect(answer.error?.code).toBe(-32603)
      expect(answer.text).not.toContain('hunter2')
      expect(JSON.stringify(entries)).toContain('hunter2')
    }
    const { url } = await serve(async () => {
      throw new ToolError('not on Sundays')
    })
    expect((await echo(url)).error?.message).toBe('not on Sundays')
  })

  it.each([undefined, null, 7, 'text', { content: 'x' }, { content: [{ type: 'text' }] }, []])(
    'a result that is none, %j, is an error and not silence',
    async (result) => {
      const { url } = await serve(async () => result)
      for (const [method, params] of [
        ['tools/call', { name: 'echo', arguments: { text: 'x' } }],
        ['tools/list', {}],
        ['prompts/get', { name: 'greet' }],
        ['resources/read', { uri: 'notes://one' }],
      ] as const) {
        const { error, status } = await send(url, bob, method, params)
        expect([status, error?.code], method).toEqual([200, expect.any(Number)])
      }
    },
  )
})

describe('middleware in a session', () => {
  it('sees each request with the token it came with', async () => {
    const seen: unknown[] = []
    const server = new MCPServer({ name: 's', auth: directory() })
    server.tool('one', {}, () => 'x')
    server.use(async ({ method, auth }, next) => {
      seen.push([method, auth?.subject])
      return next()
    })
    const url = await listening(server)
    const session = await openSession(url, bob)
    await askLegacy(url, bob, 'tools/call', { name: 'one' }, session)
    expect(seen).toEqual([['tools/call', 'bob']])
  })

  it('has to be a function', () => {
    expect(() => new MCPServer({ name: 's' }).use({} as Middleware)).toThrow(TypeError)
  })
})
