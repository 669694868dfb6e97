import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { getAccessToken, MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { alice, bob, directory } from './fixtures.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(
    open
      .splice(0)
      .reverse()
      .map((one) => one.close()),
  )
})

function offering(): MCPServer {
  const server = new MCPServer({
    name: 'everything',
    version: '1.2.3',
    about: { title: 'Everything', instructions: 'Be kind.' },
    auth: directory(),
    logger: () => {},
  })
  server.tool(
    'add',
    {
      title: 'Add',
      description: 'Adds',
      inputSchema: z.object({ a: z.number(), b: z.number().default(1) }),
      outputSchema: z.object({ sum: z.number() }),
      annotations: { readOnlyHint: true },
    },
    ({ a, b }) => ({ sum: a + b }),
  )
  server.tool('picture', {}, () => [
    { type: 'image', data: 'AA==', mimeType: 'image/png' },
    { type: 'text', text: 'a dot' },
  ])
  server.tool('count', {}, async (_args, ctx) => {
    for (let n = 1; n <= 3; n++) await ctx.progress(n, 3)
    return 'counted'
  })
  server.resource('notes://today', { description: 'A note' }, () => `A note for ${getAccessToken()?.subject}`)
  server.resource('users://{id}', { name: 'user' }, ({ id }, ctx) => ({
    id,
    uri: ctx.uri,
    caller: ctx.auth?.subject,
  }))
  server.resource('secrets://all', { scopes: ['admin'] }, () => 'secret')
  server.resource('broken://x', {}, () => {
    throw new Error('password wrong')
  })
  server.prompt(
    'greet',
    { description: 'Greets', argsSchema: z.object({ name: z.string().describe('Whom') }) },
    ({ name }) => `Say hello to ${name}`,
  )
  server.prompt('admin_prompt', { scopes: ['admin'] }, () => 'admin')
  return server
}

async function connected(mode: 'legacy' | 'auto', token: string): Promise<Client> {
  const server = offering()
  const { url } = await server.listen({ port: 0 })
  const client = new Client({ name: 'sdk', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  )
  open.push(server, client)
  return client
}

describe.each([
  ['2025-11-25', 'legacy'],
  ['2026-07-28', 'auto'],
] as const)('the official SDK client in %s', (revision, mode) => {
  it('connects, and reads who the server is', async () => {
    const client = await connected(mode, alice)
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    expect(client.getServerVersion()).toMatchObject({
      name: 'everything',
      version: '1.2.3',
      title: 'Everything',
    })
    expect(client.getInstructions()).toBe('Be kind.')
  })

  it('lists tools with their schemas and calls them', async () => {
    const client = await connected(mode, alice)
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toEqual(['add', 'picture', 'count'])
    expect(tools[0]).toMatchObject({
      title: 'Add',
      description: 'Adds',
      inputSchema: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] },
      outputSchema: { type: 'object', properties: { sum: { type: 'number' } } },
      annotations: { readOnlyHint: true },
    })
    expect((await client.callTool({ name: 'add', arguments: { a: 2 } })).structuredContent).toEqual({
      sum: 3,
    })
    expect((await client.callTool({ name: 'picture', arguments: {} })).content).toHaveLength(2)
  })

  it('hears progress', async () => {
    const client = await connected(mode, bob)
    const heard: number[] = []
    await client.callTool(
      { name: 'count', arguments: {} },
      { onprogress: ({ progress }) => void heard.push(progress) },
    )
    expect(heard).toEqual([1, 2, 3])
  })

  it('reads resources and templates, and sees those of its scopes', async () => {
    const client = await connected(mode, bob)
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual([
      'notes://today',
      'broken://x',
    ])
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { uriTemplate: 'users://{id}', name: 'user' },
    ])
    expect((await client.readResource({ uri: 'notes://today' })).contents).toMatchObject([
      { uri: 'notes://today', text: 'A note for bob' },
    ])
    const { contents } = await client.readResource({ uri: 'users://42' })
    expect(JSON.parse((contents[0] as { text: string }).text)).toEqual({
      id: '42',
      uri: 'users://42',
      caller: 'bob',
    })
    await expect(client.readResource({ uri: 'nowhere://x' })).rejects.toThrow()
    const hidden = await connected(mode, alice)
    expect((await hidden.listResources()).resources).toHaveLength(3)
  })

  it('D-30 is refused a resource and a prompt beyond its scopes', async () => {
    const client = await connected(mode, bob)
    await expect(client.readResource({ uri: 'secrets://all' })).rejects.toThrow()
    await expect(client.getPrompt({ name: 'admin_prompt' })).rejects.toThrow()
    const admin = await connected(mode, alice)
    expect((await admin.readResource({ uri: 'secrets://all' })).contents).toMatchObject([{ text: 'secret' }])
  })

  it('FL-60 learns nothing of why a resource failed', async () => {
    const client = await connected(mode, bob)
    const error = await client.readResource({ uri: 'broken://x' }).catch((caught: Error) => caught)
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).not.toContain('password')
  })

  it('lists prompts with their arguments and gets them', async () => {
    const client = await connected(mode, bob)
    expect((await client.listPrompts()).prompts).toEqual([
      {
        name: 'greet',
        description: 'Greets',
        arguments: [{ name: 'name', description: 'Whom', required: true }],
      },
    ])
    expect((await client.getPrompt({ name: 'greet', arguments: { name: 'Eve' } })).messages).toEqual([
      { role: 'user', content: { type: 'text', text: 'Say hello to Eve' } },
    ])
    await expect(client.getPrompt({ name: 'greet', arguments: {} })).rejects.toThrow(/Invalid arguments/)
  })
})
