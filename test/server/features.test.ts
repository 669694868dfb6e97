import { MCPServer, ToolError } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, officialClient, openSession } from './feature-peers.ts'
import { alice, bob, directory, memoryLog, revisions, textOf } from './fixtures.ts'

const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }

async function serve(add: (server: MCPServer) => void, http = {}) {
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'features', auth: directory(), logger: log.logger },
    { sessions: false, ...http },
  )
  add(server)
  return { server, url: await listening(server), ...log }
}

describe.each(revisions)('ctx.mcp in %s', (revision) => {
  const send = senders[revision]
  const look = (server: MCPServer) =>
    server.tool('look', {}, async (_args, ctx) => {
      const { mcpReq, http } = ctx.mcp
      return {
        id: mcpReq.id,
        own: ctx.requestId,
        method: mcpReq.method,
        sub: http?.authInfo?.extra?.sub,
        scopes: http?.authInfo?.scopes,
        isToken: http?.authInfo?.token === (ctx.auth?.subject === 'bob' ? bob : alice),
        headers: Object.fromEntries(http?.req?.headers ?? []),
        printed: JSON.stringify([ctx.mcp.http, ctx.auth]),
      }
    })

  it('has the id of the caller, and who this caller is', async () => {
    const { url } = await serve(look)
    const answers = await Promise.all(
      [bob, alice, bob, alice].map((token) => send(url, token, 'tools/call', { name: 'look' })),
    )
    for (const [at, { result }] of answers.entries()) {
      const sub = at % 2 ? 'alice' : 'bob'
      const scopes = sub === 'bob' ? ['read'] : ['read', 'admin']
      expect(result.structuredContent).toMatchObject({
        id: 1,
        own: 1,
        method: 'tools/call',
        sub,
        scopes,
        isToken: true,
      })
    }
  })

  it('A-17 D-80 shows no credential: neither in headers nor when it is printed', async () => {
    const { url } = await serve(look, { apiKeyHeader: 'x-api-key' })
    const answer = await send(url, bob, 'tools/call', { name: 'look' })
    const { headers } = answer.result.structuredContent as { headers: Record<string, string> }
    expect(Object.keys(headers)).toContain('mcp-protocol-version')
    expect(Object.keys(headers)).not.toContain('authorization')
    expect(answer.text).not.toContain(bob)
  })

  it('sends notifications on the stream of the call', async () => {
    const { url } = await serve((server) => {
      server.tool('notify', {}, async (_args, ctx) => {
        const params = { progressToken: 'p', progress: 1 }
        await ctx.mcp.mcpReq.notify({ method: 'notifications/progress', params })
        return 'done'
      })
    })
    const answer = await send(url, bob, 'tools/call', { name: 'notify', _meta: { progressToken: 'p' } })
    expect(answer.before).toMatchObject([{ method: 'notifications/progress', params: { progress: 1 } }])
    expect(textOf(answer)).toBe('done')
  })
})

describe.each(revisions)('results in %s', (revision) => {
  const send = senders[revision]
  const call = async (returned: unknown, options = {}) => {
    const { url, entries } = await serve((server) => server.tool('t', options, () => returned))
    return { ...(await send(url, bob, 'tools/call', { name: 't' })), entries }
  }

  it('every kind of content goes through', async () => {
    const annotations = { audience: ['user'], priority: 1 }
    const content = [
      { type: 'text', text: 'x', annotations, _meta: { a: 1 } },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
      { type: 'resource', resource: { uri: 'a://b', mimeType: 'text/plain', text: 'x' } },
      { type: 'resource', resource: { uri: 'a://c', blob: 'AAAA' } },
      {
        type: 'resource_link',
        uri: 'a://d',
        name: 'd',
        title: 'D',
        mimeType: 'text/plain',
        description: 'x',
      },
    ]
    expect((await call(content)).result.content).toEqual(content)
    const full = { content, structuredContent: { n: 1 }, isError: false, _meta: { trace: 'x' } }
    const { result } = await call(full)
    expect([result.content, result.structuredContent, result.isError]).toEqual([content, { n: 1 }, false])
    expect(result._meta).toMatchObject({ trace: 'x' })
  })

  it('structured content is checked against its schema, and stripped of what the schema does not know', async () => {
    const outputSchema = z.object({ n: z.number() })
    const good = await call({ n: 1, secret: 'hunter2' }, { outputSchema })
    expect(good.result.structuredContent).toEqual({ n: 1 })
    expect(good.text).not.toContain('hunter2')
    const bad = await call({ n: 'hunter2' }, { outputSchema })
    expect(bad.result.isError).toBe(true)
    expect(bad.text).not.toContain('hunter2')
  })

  it('prompts and resources of every kind', async () => {
    const { url } = await serve((server) => {
      const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' }
      server.prompt('mixed', {}, () => ({
        description: 'd',
        messages: [
          { role: 'user', content: image },
          { role: 'assistant', content: { type: 'resource', resource: { uri: 'a://b', text: 'x' } } },
        ],
      }))
      server.resource('bytes://one', {}, () => new Uint8Array([0, 255]))
      server.resource('many://one', {}, () => [
        { uri: 'many://one', text: 'a' },
        { uri: 'many://two', blob: 'AAAA', mimeType: 'x/y' },
      ])
      server.resource('json://one', {}, () => ({ a: [1] }))
      server.resource('error://one', {}, () => {
        throw new ToolError('not now')
      })
    })
    const prompt = await send(url, bob, 'prompts/get', { name: 'mixed' })
    expect(prompt.result).toMatchObject({
      description: 'd',
      messages: [{ role: 'user' }, { role: 'assistant' }],
    })
    const read = async (uri: string) => send(url, bob, 'resources/read', { uri })
    expect((await read('bytes://one')).result.contents).toEqual([
      { uri: 'bytes://one', mimeType: 'application/octet-stream', blob: 'AP8=' },
    ])
    expect((await read('many://one')).result.contents).toHaveLength(2)
    expect((await read('json://one')).result.contents).toEqual([
      { uri: 'json://one', mimeType: 'application/json', text: '{"a":[1]}' },
    ])
    expect((await read('error://one')).error?.message).toBe('not now')
    const missing = await read('none://one')
    expect(missing.error?.code).toBe(-32602)
  })
})

describe('log lines', () => {
  const talk = (server: MCPServer) =>
    server.tool('talk', {}, async (_args, ctx) => {
      for (const level of ['debug', 'info', 'warning', 'error'] as const) await ctx.log(level, { level })
      return 'done'
    })
  const levels = (before: readonly Record<string, unknown>[]) =>
    before.map(({ params }) => (params as { level: string }).level)

  it('2025-11-25: a session hears from the level it asked for, and no other session’s level counts', async () => {
    const { url } = await serve(talk, { sessions: true })
    const [one, two] = [await openSession(url, bob), await openSession(url, bob)]
    const call = async (session: Record<string, string>) =>
      levels((await askLegacy(url, bob, 'tools/call', { name: 'talk' }, session)).before)
    expect((await askLegacy(url, bob, 'logging/setLevel', { level: 'warning' }, one)).result).toEqual({})
    expect(await call(one)).toEqual(['warning', 'error'])
    expect(await call(two)).toEqual(['debug', 'info', 'warning', 'error'])
    expect((await askLegacy(url, bob, 'logging/setLevel', { level: 'loud' }, one)).error).toBeDefined()
  })

  it('2026-07-28: a request hears what it asked for, and nothing unasked', async () => {
    const { url } = await serve(talk)
    const call = async (_meta: object) =>
      levels((await ask(url, bob, 'tools/call', { name: 'talk', _meta })).before)
    expect(await call({})).toEqual([])
    expect(await call({ 'io.modelcontextprotocol/logLevel': 'error' })).toEqual(['error'])
    expect(await call({ 'io.modelcontextprotocol/logLevel': 'info' })).toEqual(['info', 'warning', 'error'])
    expect(await call({})).toEqual([])
  })
})

describe.each(['auto', 'legacy'] as const)('the official client (%s)', (mode) => {
  it('hears of progress, and gets structured content it can check', async () => {
    const { url } = await serve(
      (server) => {
        server.tool('count', { outputSchema: z.object({ n: z.number() }) }, async (_args, ctx) => {
          for (let n = 1; n <= 3; n++) await ctx.progress(n, 3, `step ${n}`)
          return { n: 3 }
        })
      },
      { sessions: true },
    )
    const client = await officialClient(url, alice, mode)
    await client.listTools()
    const steps: unknown[] = []
    const result = await client.callTool({ name: 'count' }, { onprogress: (step) => void steps.push(step) })
    expect(result.structuredContent).toEqual({ n: 3 })
    expect(steps).toMatchObject(
      [1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })),
    )
  })
})
