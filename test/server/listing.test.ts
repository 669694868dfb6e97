import { MCPServer } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, officialClient } from './feature-peers.ts'
import { alice, bob, directory, revisions } from './fixtures.ts'

const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }
const icons = [
  { src: 'https://x.example/i.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' as const },
  { src: 'data:image/svg+xml;base64,AAAA' },
]
const meta = { 'x.example/kind': { a: [1] } }
const about = {
  title: 'The server',
  description: 'What it is',
  websiteUrl: 'https://x.example',
  icons,
  instructions: 'Use it',
}

async function serve(more: object = {}) {
  const server = new MCPServer({ name: 'listed', version: '1.2.3', about, ...more }, { sessions: false })
  const annotations = { audience: ['user' as const], priority: 0.5, lastModified: '2026-01-01T00:00:00Z' }
  server.tool(
    'zebra',
    {
      title: 'Zebra',
      description: 'Stripes',
      inputSchema: z.object({ a: z.string().describe('A text') }),
      outputSchema: z.object({ b: z.number() }),
      annotations: {
        title: 'Z',
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
      listed: { icons, meta },
    },
    () => ({ b: 1 }),
  )
  server.tool('apple', {}, () => 'x')
  server.tool('mango', {}, () => 'x')
  server.resource(
    'notes://one',
    {
      name: 'one',
      title: 'One',
      description: 'A note',
      mimeType: 'text/markdown',
      ttlMs: 5000,
      listed: { icons, meta, size: 12, annotations },
    },
    () => 'x',
  )
  server.resource('users://{id}', { listed: { icons, meta, annotations } }, () => 'x')
  server.prompt(
    'greet',
    {
      title: 'Greet',
      argsSchema: z.object({ name: z.string().describe('Who'), formal: z.string().optional() }),
      listed: { icons, meta },
    },
    () => 'x',
  )
  return { server, url: await listening(server) }
}

describe.each(revisions)('lists in %s', (revision) => {
  const send = senders[revision]

  it('say everything there is to say', async () => {
    const { url } = await serve()
    const [tool] = (await send(url, undefined, 'tools/list')).result.tools as unknown[]
    expect(tool).toEqual({
      name: 'zebra',
      title: 'Zebra',
      description: 'Stripes',
      inputSchema: expect.objectContaining({
        type: 'object',
        properties: { a: { type: 'string', description: 'A text' } },
        required: ['a'],
      }),
      outputSchema: expect.objectContaining({ properties: { b: { type: 'number' } } }),
      annotations: {
        title: 'Z',
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
      icons,
      _meta: meta,
    })
    const annotations = { audience: ['user'], priority: 0.5, lastModified: '2026-01-01T00:00:00Z' }
    expect((await send(url, undefined, 'resources/list')).result.resources).toEqual([
      {
        uri: 'notes://one',
        name: 'one',
        title: 'One',
        description: 'A note',
        mimeType: 'text/markdown',
        icons,
        annotations,
        size: 12,
        _meta: meta,
      },
    ])
    expect((await send(url, undefined, 'resources/templates/list')).result.resourceTemplates).toEqual([
      { uriTemplate: 'users://{id}', name: 'users://{id}', icons, annotations, _meta: meta },
    ])
    expect((await send(url, undefined, 'prompts/list')).result.prompts).toEqual([
      {
        name: 'greet',
        title: 'Greet',
        arguments: [
          { name: 'name', description: 'Who', required: true },
          { name: 'formal', required: false },
        ],
        icons,
        _meta: meta,
      },
    ])
  })

  it('keep the order of registration', async () => {
    const { server, url } = await serve()
    const names = async () =>
      ((await send(url, undefined, 'tools/list')).result.tools as { name: string }[]).map(({ name }) => name)
    expect(await names()).toEqual(['zebra', 'apple', 'mango'])
    server.remove('tool', 'zebra')
    server.tool('zebra', {}, () => 'x')
    expect(await names()).toEqual(['apple', 'mango', 'zebra'])
  })
})

describe('what a client may keep', () => {
  const methods = ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'] as const

  it('D-29 is private behind auth, and public when everybody sees the same', async () => {
    const open = await serve({ limits: { listTtlMs: 60_000 } })
    const guarded = await serve({ auth: directory(), limits: { listTtlMs: 60_000 } })
    const optional = await serve({ auth: directory(), optionalAuth: true })
    for (const method of methods) {
      const hintOf = async (url: string, token?: string) => {
        const { ttlMs, cacheScope } = (await ask(url, token, method)).result
        return [ttlMs, cacheScope]
      }
      expect(await hintOf(open.url)).toEqual([60_000, 'public'])
      expect(await hintOf(guarded.url, alice)).toEqual([60_000, 'private'])
      expect(await hintOf(optional.url)).toEqual([0, 'private'])
    }
    const read = async (url: string, token?: string) => {
      const { ttlMs, cacheScope } = (await ask(url, token, 'resources/read', { uri: 'notes://one' })).result
      return [ttlMs, cacheScope]
    }
    expect(await read(open.url)).toEqual([5000, 'public'])
    expect(await read(guarded.url, bob)).toEqual([5000, 'private'])
  })

  it('D-29 is private on each page, and where a rule decides', async () => {
    const server = new MCPServer({ name: 'ruled', limits: { pageSize: 1 } })
    server.tool('one', {}, () => 'x')
    server.tool('two', { authorize: () => true }, () => 'x')
    server.resource('ruled://one', { authorize: () => true }, () => 'x')
    const url = await listening(server)
    const first = (await ask(url, undefined, 'tools/list')).result
    expect(first.cacheScope).toBe('private')
    expect((await ask(url, undefined, 'tools/list', { cursor: first.nextCursor })).result.cacheScope).toBe(
      'private',
    )
    const read = await ask(url, undefined, 'resources/read', { uri: 'ruled://one' })
    expect(read.result.cacheScope).toBe('private')
    server.remove('tool', 'two')
    expect((await ask(url, undefined, 'tools/list')).result.cacheScope).toBe('public')
  })

  it('is no matter of 2025-11-25', async () => {
    const { url } = await serve()
    for (const method of methods)
      expect((await askLegacy(url, undefined, method)).result).not.toHaveProperty('ttlMs')
    const read = await askLegacy(url, undefined, 'resources/read', { uri: 'notes://one' })
    expect(read.result).not.toHaveProperty('cacheScope')
  })
})

describe('the server itself', () => {
  it('is introduced with everything in both revisions', async () => {
    const { instructions, ...identity } = about
    const expected = { name: 'listed', version: '1.2.3', ...identity }
    for (const mode of ['auto', 'legacy'] as const) {
      const server = new MCPServer({ name: 'listed', version: '1.2.3', about })
      const client = await officialClient(await listening(server), undefined, mode)
      expect(client.getServerVersion(), mode).toEqual(expected)
      expect(client.getInstructions(), mode).toBe(instructions)
    }
    const { url } = await serve()
    const discovered = (await ask(url, undefined, 'server/discover')).result
    expect(JSON.stringify(discovered)).toContain('"websiteUrl":"https://x.example"')
    expect(discovered.instructions).toBe('Use it')
    const initialized = await askLegacy(url, undefined, 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    })
    expect(initialized.result.serverInfo).toEqual(expected)
  })
})

describe('options that no client could read', () => {
  const add = (listed: object) => () =>
    new MCPServer({ name: 's' }).resource('notes://one', { listed: listed as never }, () => 'x')

  it.each([
    { icons: [{ src: 'http://x.example/i.png' }] },
    { icons: [{ src: 'javascript:alert(1)' }] },
    { icons: [{ src: 'data:text/html,x' }] },
    { icons: [{}] },
    { icons: [null] },
    { icons: 'https://x.example/i.png' },
    { icons: [{ src: 'https://x.example/i.png', sizes: '48x48' }] },
    { icons: [{ src: 'https://x.example/i.png', theme: 'blue' }] },
    { annotations: { priority: 2 } },
    { annotations: { priority: 'high' } },
    { annotations: { audience: ['everybody'] } },
    { annotations: { audience: 'user' } },
    { annotations: { lastModified: 7 } },
    { annotations: 'x' },
    { size: -1 },
    { size: 1.5 },
    { size: '12' },
    { meta: 'x' },
    { meta: [] },
    { unknown: 1 },
  ])('%j is refused when the component is added', (listed) => {
    expect(add(listed)).toThrow(TypeError)
  })

  it.each([{ title: 7 }, { description: {} }, { mimeType: 7 }, { name: 7 }])('%j, too', (options) => {
    expect(() => new MCPServer({ name: 's' }).resource('notes://one', options as never, () => 'x')).toThrow(
      TypeError,
    )
  })

  it.each([{ readOnlyHint: 'yes' }, { title: 1 }, 'x', { unknownHint: true }])(
    'annotations of a tool: %j is refused',
    (annotations) => {
      const add = () =>
        new MCPServer({ name: 's' }).tool('t', { annotations: annotations as never }, () => 'x')
      expect(add).toThrow(TypeError)
    },
  )
})
