import { Client, type ClientOptions, ToolError } from 'mcp-bearer/client'
import { type MCPServer, requireScopes } from 'mcp-bearer/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { closeListening, listening, type Revision, revisions, wire } from './peers.ts'
import { failure } from './servers.ts'

afterEach(closeListening)

const booking = z.object({ guests: z.int().default(2), outside: z.boolean() })

function build(server: MCPServer): void {
  server.tool('book', {}, async (_args, ctx) => {
    const answer = await ctx.elicit<z.infer<typeof booking>>({ message: 'For how many?', schema: booking })
    return answer.action === 'accept' ? JSON.stringify(answer.content) : answer.action
  })
  server.tool('sign_in', {}, async (_args, ctx) => {
    const { action } = await ctx.elicit({ message: 'Sign in.', url: 'https://id.example.com/connect' })
    return action
  })
  server.tool('headline', {}, async (_args, ctx) => {
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Long text' } }]
    const [answer, roots] = await Promise.all([ctx.sample({ messages, maxTokens: 9 }), ctx.roots()])
    return JSON.stringify({ model: answer.model, roots })
  })
  server.tool('noisy', {}, async (_args, ctx) => {
    await ctx.log('debug', 'a detail')
    await ctx.log('warning', { what: 'a warning' })
    return 'done'
  })
  server.tool('abilities', {}, (_args, ctx) => JSON.stringify(ctx.clientCapabilities))
  server.tool('sum', { inputSchema: z.object({ numbers: z.array(z.number()) }) }, ({ numbers }) => ({
    total: numbers.reduce((one, other) => one + other, 0),
  }))
  server.tool('locked', {}, () => {
    requireScopes('key')
    return 'open'
  })
  server.prompt(
    'greet',
    {
      argsSchema: z.object({ who: z.string(), other: z.string().optional() }),
      complete: {
        who: (value, { arguments: known }) =>
          ['alice', 'albert', 'bob'].filter((name) => name.startsWith(value) && name !== known.other),
      },
    },
    () => 'Hello',
  )
}

async function connected(revision: Revision, options: ClientOptions = {}) {
  const { url, server } = await listening(build, { about: { instructions: 'Be kind.' } })
  const { fetch, ...rest } = wire(revision)
  return { client: new Client(url, { ...options, fetch }), server, wire: rest }
}

const textOf = (result: { content: unknown[] }) => (result.content[0] as { text: string }).text
const handlers = (given: NonNullable<ClientOptions['handlers']>) => ({ handlers: given })

describe.each(revisions)('what a server of %s may ask', (revision) => {
  it('is a form, whose defaults are filled in', async () => {
    const elicit = vi.fn(async () => ({ action: 'accept' as const, content: { outside: true } }))
    const { client } = await connected(revision, handlers({ elicit }))
    await using _ = client
    expect(JSON.parse(textOf(await client.callTool('book')))).toEqual({ guests: 2, outside: true })
    expect(client.protocolVersion).toBe(revision)
    const [request, context] = elicit.mock.calls[0] as unknown as [object, { signal: AbortSignal }]
    expect(request).toMatchObject({ message: 'For how many?', requestedSchema: { type: 'object' } })
    expect(context.signal).toBeInstanceOf(AbortSignal)
  })

  it('is to visit a page', async () => {
    const elicitUrl = vi.fn(async () => ({ action: 'decline' as const }))
    const { client } = await connected(revision, handlers({ elicitUrl }))
    await using _ = client
    expect(textOf(await client.callTool('sign_in'))).toBe('decline')
    expect(elicitUrl).toHaveBeenCalledWith(
      expect.objectContaining({ url: 'https://id.example.com/connect', message: 'Sign in.' }),
      expect.anything(),
    )
  })

  it('is a model and the folders, which may be a list', async () => {
    const roots = [{ uri: 'file:///home/me', name: 'home' }]
    const sample = async () => ({
      model: 'a-model',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'Short' },
    })
    const { client } = await connected(revision, handlers({ sample, roots }))
    await using _ = client
    expect(JSON.parse(textOf(await client.callTool('headline')))).toEqual({ model: 'a-model', roots })
  })

  it('is nothing that has no handler, and the server knows beforehand', async () => {
    const elicit = async () => ({ action: 'cancel' as const })
    const { client } = await connected(revision, handlers({ elicit }))
    await using _ = client
    const abilities = JSON.parse(textOf(await client.callTool('abilities')))
    expect(Object.keys(abilities)).toEqual(['elicitation'])
    expect(abilities.elicitation).toEqual({ form: { applyDefaults: true } })
    expect(await failure(client.callTool('sign_in'))).toBeInstanceOf(Error)
    expect(await failure(client.callTool('headline'))).toBeInstanceOf(Error)
    const { client: bare } = await connected(revision)
    await using _bare = bare
    expect(JSON.parse(textOf(await bare.callTool('abilities')))).toEqual({})
  })

  it('E-61 a handler that throws fails the call, and the server does not read why', async () => {
    const elicit = async () => {
      throw new Error('the password is hunter2')
    }
    const { client, wire } = await connected(revision, handlers({ elicit }))
    await using _ = client
    const error = await failure(client.callTool('book'))
    expect(JSON.stringify(wire.sent)).not.toContain('hunter2')
    if (revision === '2026-07-28') expect(error).toMatchObject({ message: 'the password is hunter2' })
    else expect(wire.sent.some(({ body }) => body.includes('The client failed to answer'))).toBe(true)
  })
})

it('the message of a ToolError of a handler is for the server', async () => {
  const elicit = async () => {
    throw new ToolError('Nobody is at the screen')
  }
  const { client, wire } = await connected('2025-11-25', handlers({ elicit }))
  await using _ = client
  await failure(client.callTool('book'))
  expect(wire.sent.some(({ body }) => body.includes('Nobody is at the screen'))).toBe(true)
})

describe.each(revisions)('with a server of %s', (revision) => {
  it('log lines come from the level on that is wanted', async () => {
    const log = vi.fn()
    const { client } = await connected(revision, handlers({ log }))
    await using _ = client
    await client.setLoggingLevel('debug')
    await client.callTool('noisy')
    await vi.waitFor(() => expect(log).toHaveBeenCalledTimes(2), { timeout: 8000 })
    expect(log).toHaveBeenCalledWith(
      expect.objectContaining({ level: 'warning', data: { what: 'a warning' } }),
    )
    await client.setLoggingLevel('warning')
    await client.callTool('noisy')
    await vi.waitFor(() => expect(log).toHaveBeenCalledTimes(3), { timeout: 8000 })
    expect(log.mock.calls.map(([{ level }]) => level)).toEqual(['debug', 'warning', 'warning'])
    expect(await failure(client.setLoggingLevel('loud' as never))).toBeInstanceOf(TypeError)
  })

  it('arguments are completed, and nothing is suggested by a server that cannot', async () => {
    const { client } = await connected(revision)
    await using _ = client
    const greet = { type: 'ref/prompt', name: 'greet' } as const
    const { values } = await client.complete(
      greet,
      { name: 'who', value: 'al' },
      { context: { other: 'alice' } },
    )
    expect(values).toEqual(['albert'])
    const { url } = await listening(() => {})
    await using other = new Client(url, { fetch: wire(revision).fetch })
    expect(await other.complete(greet, { name: 'who', value: 'al' })).toEqual({ values: [] })
  })

  it('the server says who it is, once it has been asked', async () => {
    const { client } = await connected(revision)
    expect([client.serverInfo, client.serverCapabilities, client.instructions]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(client.protocolVersion).toBeUndefined()
    await client.connect()
    expect(client.serverInfo).toMatchObject({ name: 'peer', version: '1.2.3' })
    expect(client.serverCapabilities).toHaveProperty('tools')
    expect(client.instructions).toBe('Be kind.')
    await client.close()
    expect(client.serverInfo).toMatchObject({ name: 'peer' })
  })

  it('structuredContent is validated and typed by a schema', async () => {
    const { client } = await connected(revision)
    await using _ = client
    const numbers = [1, 2]
    const outputSchema = z.object({ total: z.number().transform(String) })
    const { structuredContent } = await client.callTool('sum', { numbers }, { outputSchema })
    expect(structuredContent.total.padStart(2, '0')).toBe('03')
    const wrong = z.object({ total: z.string(), average: z.number() })
    const error = await failure(client.callTool('sum', { numbers }, { outputSchema: wrong }))
    expect(error).toBeInstanceOf(ToolError)
    expect(error).toMatchObject({ result: { structuredContent: { total: 3 } } })
    expect(String(error)).toContain('average')
  })

  it('a call that is given up ends at the server, too, and rejects with the reason', async () => {
    let ended: () => void = () => {}
    const end = new Promise<void>((resolve) => {
      ended = resolve
    })
    let begun: () => void = () => {}
    const begin = new Promise<void>((resolve) => {
      begun = resolve
    })
    const { url } = await listening((server) =>
      server.tool('slow', {}, async (_args, ctx) => {
        ctx.signal.addEventListener('abort', ended)
        begun()
        await end
        return 'late'
      }),
    )
    await using client = new Client(url, { fetch: wire(revision).fetch })
    const abort = new AbortController()
    const call = failure(client.callTool('slow', {}, { signal: abort.signal }))
    await begin
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await call).toBe(reason)
    await end
  })
})

it('changed folders are told to a server of 2025-11-25, and to no other', async () => {
  for (const revision of revisions) {
    const { client, wire } = await connected(revision, handlers({ roots: () => [] }))
    await client.rootsChanged()
    const told = wire.sent.some(({ rpc }) => rpc === 'notifications/roots/list_changed')
    expect(told).toBe(revision === '2025-11-25')
    await client.close()
  }
  await using bare = new Client('http://127.0.0.1:1/mcp')
  expect(await failure(bare.rootsChanged())).toBeInstanceOf(TypeError)
})

it.each([
  ['an unknown one', { ask: () => {} }, 'unknown option "ask"'],
  ['one that is no function', { elicit: true }, 'handlers.elicit must be a function'],
  ['folders that are text', { roots: 'file:///' }, 'handlers.roots must be a function, or a list'],
])('handlers are checked when the client is made: %s', (_case, given, message) => {
  const make = () => new Client('http://localhost:1/mcp', { handlers: given as never })
  expect(make).toThrow(TypeError)
  expect(make).toThrow(message)
})
