import type { TokenVerifier } from 'mcp-bearer'
import { Client } from 'mcp-bearer/client'
import { MCPServer, type MCPServerOptions, type StandardSchema } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { slowOnly } from '../../src/server/server-parts.ts'
import {
  ask,
  askLegacy,
  listening,
  officialClient,
  openSession,
  openStream,
  streamOf,
} from './feature-peers.ts'
import { post, rpc, serveNode } from './fixtures.ts'

/** Tokens that are bound to tools: they open these tools and nothing else, whatever the scopes say. */

const people: Record<string, { tools?: readonly string[]; scopes?: readonly string[] }> = {
  free: { scopes: ['read'] },
  search: { tools: ['search'], scopes: ['read'] },
  both: { tools: ['search', 'purge', 'gone', 'team_search'], scopes: ['read'] },
  inner: { tools: ['search'], scopes: ['read'] },
  none: { tools: [], scopes: ['read'] },
  star: { tools: ['*', 'sear*', '.*'], scopes: ['read'] },
}
/** All of them are one principal: only what they are bound to tells them apart. */
const auth: TokenVerifier = {
  async verifyToken(token) {
    const known = Object.hasOwn(people, token) ? people[token] : undefined
    return known ? { token, clientId: 'desk', subject: 'alice', ...known } : null
  },
}

function furnished(options: Partial<MCPServerOptions> = {}, http: object = {}): MCPServer {
  const server = new MCPServer({ name: 'bound', auth, logger: () => {}, ...options }, http)
  server.tool('search', {}, () => 'found')
  server.tool('purge', { scopes: ['admin'] }, () => 'purged')
  server.tool('other', {}, () => 'other')
  server.resource('notes://search', { name: 'search' }, () => 'private')
  server.resource('users://{id}', { complete: { id: () => ['alice'] } }, () => 'private')
  server.prompt(
    'search',
    { argsSchema: z.object({ q: z.string() }), complete: { q: () => ['private'] } },
    () => 'private',
  )
  return server
}

const lanes = {
  fast: () => furnished({}, { sessions: false }),
  slow() {
    const http = { sessions: false }
    slowOnly.add(http)
    return furnished({}, http)
  },
}
const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }
type Send = (token: string, method: string, params?: Record<string, unknown>) => ReturnType<typeof ask>

/** Every way a message reaches a server. */
const ways: [name: string, open: () => Promise<Send>][] = [
  ...(['fast', 'slow'] as const).flatMap((lane) =>
    (['2026-07-28', '2025-11-25'] as const).map((revision): (typeof ways)[number] => [
      `${revision}, the ${lane} lane`,
      async () => {
        const url = await listening(lanes[lane]())
        return (token, method, params) => senders[revision](url, token, method, params)
      },
    ]),
  ),
  [
    '2025-11-25, in a session',
    async () => {
      const url = await listening(furnished())
      return async (token, method, params) =>
        askLegacy(url, token, method, params, await openSession(url, token))
    },
  ],
  [
    '2026-07-28, through fetch',
    async () => {
      const server = furnished()
      onTestFinished(() => server.close())
      const { port, close } = await serveNode(async (req, res) => {
        const chunks: Buffer[] = []
        for await (const chunk of req) chunks.push(chunk)
        const headers = new Headers(req.headers as Record<string, string>)
        const body = Buffer.concat(chunks)
        const response = await server.fetch(
          new Request('http://localhost/mcp', { method: 'POST', headers, body }),
        )
        res.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
      })
      onTestFinished(close)
      return (token, method, params) => ask(`http://127.0.0.1:${port}/mcp`, token, method, params)
    },
  ],
]

const call = (name: string) => ['tools/call', { name, arguments: {} }] as const
const names = (list: unknown) => (list as { name: string }[]).map(({ name }) => name)

describe.each(ways)('%s', (_name, open) => {
  it('A-41 a token that is bound to tools sees and calls these, and no others', async () => {
    const send = await open()
    const listed = async (token: string) => names((await send(token, 'tools/list')).result.tools)
    // Those who are free first: what is kept for them must not be shown to others.
    expect(await listed('free')).toEqual(['search', 'other'])
    expect(await listed('search')).toEqual(['search'])
    expect(await listed('both')).toEqual(['search'])
    expect(await listed('none')).toEqual([])
    expect(await listed('star')).toEqual([])
    expect(await listed('free')).toEqual(['search', 'other'])
    expect((await send('search', ...call('search'))).result.content).toMatchObject([{ text: 'found' }])
  })

  it('A-41 refuses what it is not bound to with 403 access_denied, also what does not exist', async () => {
    const send = await open()
    for (const [token, name] of [
      ['search', 'other'],
      ['search', 'purge'],
      ['search', 'nowhere'],
      ['search', 'Search'],
      ['none', 'search'],
      ['star', 'search'],
    ] as const) {
      const { status, headers, text } = await send(token, ...call(name))
      expect([token, name, status, text]).toEqual([token, name, 403, '{"error":"access_denied"}'])
      expect(headers.get('www-authenticate')).toBeNull()
    }
  })

  it('A-41 still needs the scopes of the tools it is bound to, and these have to exist', async () => {
    const send = await open()
    const lacking = await send('both', ...call('purge'))
    expect([lacking.status, JSON.parse(lacking.text).error]).toEqual([403, 'insufficient_scope'])
    expect(lacking.headers.get('www-authenticate')).toContain('scope="admin"')
    expect((await send('both', ...call('gone'))).error?.message).toMatch(/Unknown tool/)
  })

  it('A-41 shows it nothing but tools', async () => {
    const send = await open()
    for (const [method, member] of [
      ['resources/list', 'resources'],
      ['resources/templates/list', 'resourceTemplates'],
      ['prompts/list', 'prompts'],
    ] as const) {
      expect((await send('free', method)).result[member]).toHaveLength(1)
      expect((await send('search', method)).result[member]).toEqual([])
    }
  })

  it.each([
    ['resources/read', { uri: 'notes://search' }],
    ['resources/read', { uri: 'users://alice' }],
    ['resources/read', { uri: 'nowhere://x' }],
    ['prompts/get', { name: 'search', arguments: { q: 'x' } }],
    ['prompts/get', { name: 'nowhere' }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'search' }, argument: { name: 'q', value: '' } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'users://{id}' }, argument: { name: 'id', value: '' } },
    ],
  ])('A-41 refuses it %s of %j', async (method, params) => {
    const send = await open()
    const { status, text } = await send('search', method, params)
    expect([status, text]).toEqual([403, '{"error":"access_denied"}'])
    expect(JSON.stringify((await send('free', method, params)).result)).toMatch(/nowhere|private|alice|\{\}/)
  })

  it('lets it ask what the protocol needs', async () => {
    const send = await open()
    expect((await send('search', 'tools/list')).status).toBe(200)
    expect((await send('search', 'ping')).status).not.toBe(403)
  })
})

describe('cacheScope', () => {
  it('D-29 lists of a server that asks who calls are private', async () => {
    const url = await listening(furnished())
    expect((await ask(url, 'search', 'tools/list')).result.cacheScope).toBe('private')
  })
})

describe('a session', () => {
  it('D-02 of a token that is not bound is not carried on with one that is, nor the other way round', async () => {
    const url = await listening(furnished())
    const tokens = ['free', 'search', 'none', 'both']
    for (const owner of tokens) {
      const session = await openSession(url, owner)
      for (const token of tokens)
        expect([token, (await askLegacy(url, token, 'ping', {}, session)).status]).toEqual([
          token,
          token === owner ? 200 : 404,
        ])
    }
  })

  it('A-41 hears of a change when a tool it is bound to has come or gone, and of nothing else', async () => {
    const server = furnished()
    const url = await listening(server)
    const heard = async (token: string) => {
      const session = await openSession(url, token)
      await askLegacy(url, token, 'notifications/initialized', {}, session)
      const headers = { ...session, accept: 'text/event-stream', authorization: `Bearer ${token}` }
      return streamOf(await fetch(url, { headers }))
    }
    const bound = await heard('both')
    const free = await heard('free')
    server.prompt('new', {}, () => '')
    expect((await free.next())?.method).toBe('notifications/prompts/list_changed')
    server.resource('new://x', {}, () => '')
    expect((await free.next())?.method).toBe('notifications/resources/list_changed')
    server.tool('new', {}, () => '')
    expect((await free.next())?.method).toBe('notifications/tools/list_changed')
    server.tool('gone', {}, () => '')
    // The first thing it hears.
    expect((await bound.next())?.method).toBe('notifications/tools/list_changed')
    server.resourceUpdated('notes://search')
    server.remove('tool', 'gone')
    expect((await bound.next())?.method).toBe('notifications/tools/list_changed')
  })

  it('A-41 on the transport of 2024-11-05 is refused the same', async () => {
    const url = await listening(furnished({}, { legacySse: true }))
    const headers = { accept: 'text/event-stream', authorization: 'Bearer search' }
    const response = await fetch(url, { headers })
    const reader = response.body!.getReader()
    onTestFinished(() => reader.cancel())
    const text = new TextDecoder().decode((await reader.read()).value)
    const endpoint = new URL(/data: (\S+)/.exec(text)![1]!, url)
    const send = (...[method, params]: ReturnType<typeof call>) =>
      fetch(post(endpoint.href, rpc(method, params, '2025-11-25'), 'search'))
    expect((await send(...call('other'))).status).toBe(403)
    expect((await send(...call('search'))).status).toBe(202)
  })
})

describe('subscriptions of 2026-07-28', () => {
  it('A-41 to a resource are 403 before any byte of a stream, whether it exists or not', async () => {
    const url = await listening(furnished())
    for (const uri of ['notes://search', 'users://1', 'nowhere://x']) {
      const asked = { notifications: { toolsListChanged: true, resourceSubscriptions: [uri] } }
      const { status, text } = await ask(url, 'search', 'subscriptions/listen', asked)
      expect([status, text]).toEqual([403, '{"error":"access_denied"}'])
    }
  })

  it('A-41 hear of a change when a tool they are bound to has come or gone, and of nothing else', async () => {
    const server = furnished()
    const url = await listening(server)
    const notifications = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
    const listen = (token: string) => openStream(url, token, 'subscriptions/listen', { notifications })
    const [bound, free] = [await listen('both'), await listen('free')]
    for (const stream of [bound, free])
      expect((await stream.next())?.method).toBe('notifications/subscriptions/acknowledged')
    server.prompt('new', {}, () => '')
    expect((await free.next())?.method).toBe('notifications/prompts/list_changed')
    server.tool('new', {}, () => '')
    expect((await free.next())?.method).toBe('notifications/tools/list_changed')
    server.tool('gone', {}, () => '')
    expect((await bound.next())?.method).toBe('notifications/tools/list_changed')
    await Promise.all([bound.close(), free.close()])
  })
})

describe('mounted servers', () => {
  const inside = (options: Partial<MCPServerOptions>) => {
    const server = new MCPServer({ name: 'inner', logger: () => {}, ...options })
    server.tool('search', {}, () => 'inside')
    server.resource('notes://today', {}, () => 'private')
    return server
  }
  const rule = { authorize: () => true }

  it.each([
    ['without auth', () => inside({})],
    ['with auth of its own', () => inside({ auth })],
    [
      'that holds another one with auth',
      () => {
        const server = new MCPServer({ name: 'middle', logger: () => {} })
        return server.mount(inside({ auth }), { prefix: 'x' }).mount(inside({ auth }), { prefix: 'y' })
      },
    ],
    [
      'with a rule',
      () => {
        const server = new MCPServer({ name: 'inner', logger: () => {} })
        return server.tool('search', rule, () => 'inside')
      },
    ],
  ])('A-41 %s: the names are those of the list outside', async (title, make) => {
    const outer = new MCPServer({ name: 'outer', logger: () => {}, auth: boundTo(title) })
    outer.tool('search', {}, () => 'outside')
    outer.mount(make(), { prefix: 'team' })
    const url = await listening(outer)
    const all = names((await ask(url, 'everything', 'tools/list')).result.tools)
    const [shown] = all.filter((name) => name !== 'search')
    expect(shown).toMatch(/^team_(?:x_)?search$/)
    expect(names((await ask(url, 'team', 'tools/list')).result.tools)).toEqual([shown])
    expect((await ask(url, 'team', ...call(shown!))).result.content).toMatchObject([{ text: 'inside' }])
    expect((await ask(url, 'team', ...call('search'))).status).toBe(403)
    expect(names((await ask(url, 'search', 'tools/list')).result.tools)).toEqual(['search'])
    expect((await ask(url, 'search', ...call(shown!))).status).toBe(403)
    expect((await ask(url, 'team', 'resources/list')).result.resources ?? []).toEqual([])
  })

  /** Bound to the name outside, or to the one it has inside. */
  function boundTo(title: string): TokenVerifier {
    const tools = title.startsWith('that holds') ? ['team_x_search'] : ['team_search']
    const known: Record<string, object> = { everything: {}, team: { tools }, search: { tools: ['search'] } }
    // The mounted servers take the same tokens.
    people.team = { tools }
    people.everything = {}
    return {
      verifyToken: async (token) =>
        Object.hasOwn(known, token) ? { token, clientId: 'desk', subject: 'alice', ...known[token] } : null,
    }
  }

  it('A-41 a mounted server that binds the caller is obeyed, although the outer one does not bind it', async () => {
    const outer = new MCPServer({
      name: 'outer',
      auth: { verifyToken: async (token) => ({ token, clientId: token }) },
      logger: () => {},
    })
    outer.mount(furnished(), { prefix: 'team' })
    const url = await listening(outer)
    expect(names((await ask(url, 'both', 'tools/list')).result.tools)).toEqual(['team_search'])
    expect((await ask(url, 'both', ...call('team_search'))).status).toBe(200)
    expect((await ask(url, 'both', ...call('team_other'))).status).toBe(403)
    expect((await ask(url, 'inner', ...call('team_search'))).status).toBe(403)
    expect((await ask(url, 'both', 'resources/read', { uri: 'notes://team/search' })).status).toBe(403)
    expect((await ask(url, 'free', ...call('team_other'))).status).toBe(200)
  })
})

describe('routes of ones own', () => {
  it('A-41 a protected one is refused with 403 access_denied, one without auth is open', async () => {
    const server = furnished()
    server.route('/report', () => new Response('private'))
    server.route('/version', () => new Response('public'), { auth: false })
    const url = await listening(server)
    const get = (path: string, token: string) =>
      fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } })
    const refused = await get('/report', 'search')
    expect([refused.status, await refused.text()]).toEqual([403, '{"error":"access_denied"}'])
    expect(await (await get('/report', 'free')).text()).toBe('private')
    expect(await (await get('/version', 'search')).text()).toBe('public')
  })
})

describe('where there is no HTTP', () => {
  it('A-41 a client of this process is bound the same', async () => {
    const server = furnished()
    onTestFinished(() => server.close())
    await using client = new Client(server, { auth: 'search' })
    expect(names(await client.listTools())).toEqual(['search'])
    expect(await client.callTool('search')).toMatchObject({ content: [{ text: 'found' }] })
    await expect(client.callTool('other')).rejects.toMatchObject({ code: 'access_denied', status: 403 })
  })
})

describe.each(['auto', 'legacy'] as const)('the official client, %s', (mode) => {
  it('A-41 sees and calls what its token is bound to', async () => {
    const url = await listening(furnished())
    const client = await officialClient(url, 'search', mode)
    expect(names((await client.listTools()).tools)).toEqual(['search'])
    expect((await client.callTool({ name: 'search', arguments: {} })).content).toMatchObject([
      { text: 'found' },
    ])
    await expect(client.callTool({ name: 'other', arguments: {} })).rejects.toThrow()
    await expect(client.readResource({ uri: 'notes://search' })).rejects.toThrow()
    expect((await client.listPrompts()).prompts).toEqual([])
  })
})

describe('what carries a call from round to round', () => {
  it('D-02 begun by one who is not bound is nothing to one who is', async () => {
    const server = furnished()
    server.tool('asks', {}, async (_args, ctx) => (await ctx.roots()).length.toString())
    people.asker = { tools: ['asks'] }
    const url = await listening(server)
    const capabilities = { roots: {} }
    const first = await ask(url, 'free', ...call('asks'), { capabilities })
    const { requestState, inputRequests } = first.result as { requestState: string; inputRequests: object }
    const [name] = Object.keys(inputRequests)
    const again = { ...call('asks')[1], requestState, inputResponses: { [name!]: { roots: [] } } }
    expect((await ask(url, 'asker', 'tools/call', again, { capabilities })).error).toBeDefined()
    expect((await ask(url, 'free', 'tools/call', again, { capabilities })).result.content).toMatchObject([
      { text: '0' },
    ])
  })
})

describe('what a token that is bound to tools cannot find out', () => {
  const inputSchema: StandardSchema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value }),
      jsonSchema: {
        input: () => ({
          type: 'object',
          properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
        }),
        output: () => ({}),
      },
    },
  }

  it.each(['fast', 'slow'] as const)(
    'A-41 whether a tool exists, by what headers it asks for, in the %s lane',
    async (lane) => {
      const url = await listening(lanes[lane]().tool('hidden', { inputSchema }, () => ''))
      for (const name of ['hidden', 'nowhere']) {
        const { status, text } = await ask(url, 'search', 'tools/call', { name, arguments: { region: 'eu' } })
        expect([name, status, text]).toEqual([name, 403, '{"error":"access_denied"}'])
      }
    },
  )
})
