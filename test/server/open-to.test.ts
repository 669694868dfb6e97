import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  alice,
  answerOf,
  bob,
  directory,
  guarded,
  type Revision,
  revisions,
  rpc,
  textOf,
} from './fixtures.ts'

/** What is open without a token, because somebody said so: `optionalAuth` and `anonymous` (A-19, FL-27). */

type Headers = Readonly<Record<string, string>>

async function listening(options: Partial<MCPServerOptions>, http: HttpOptions = {}) {
  const made = guarded(options, http)
  onTestFinished(() => made.server.close())
  made.server.resource('notes://open', {}, () => 'open')
  made.server.resource('notes://closed', { scopes: ['read'] }, () => 'closed')
  made.server.prompt('closed', { scopes: ['read'] }, () => 'closed')
  const { url } = await made.server.listen({ port: 0 })
  const send = (message: ReturnType<typeof rpc>, more: Headers = {}) =>
    fetch(url, { method: 'POST', headers: { ...message.headers, ...more }, body: message.body })
  const ask = (method: string, params: object, revision: Revision, more?: Headers) =>
    send(rpc(method, params as Record<string, unknown>, revision), more)
  return { ...made, url, send, ask }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const whoami = { name: 'whoami', arguments: {} }
const purge = { name: 'purge', arguments: {} }
const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
const both: ('2026-07-28' | '2025-11-25')[] = revisions
const bad: readonly (readonly [string, Headers, number])[] = [
  ['a bad token', bearer('wrong'), 401],
  ['a token that is none', { authorization: 'Bearer a b' }, 401],
  ['two credentials', { authorization: `Bearer ${alice}, Bearer ${bob}` }, 400],
]

async function namesIn(response: Response, member: string): Promise<string[]> {
  const { result } = await answerOf(response)
  return (result![member] as { name: string }[]).map(({ name }) => name)
}

describe.each(both)('optionalAuth in %s', (revision) => {
  it('lets callers without a token in to what needs no scopes, as nobody', async () => {
    const { ask, verifier } = await listening({ optionalAuth: true })
    expect(textOf(await answerOf(await ask('tools/call', whoami, revision)))).toBe('nobody')
    const read = await answerOf(await ask('resources/read', { uri: 'notes://open' }, revision))
    expect(read.result?.contents).toMatchObject([{ text: 'open' }])
    expect(verifier.asked).toBe(0)
  })

  it('hides what needs scopes from them, and answers 401 when they call it: a token would help', async () => {
    const { ask, calls } = await listening({ optionalAuth: true })
    expect(await namesIn(await ask('tools/list', {}, revision), 'tools')).toEqual(['whoami'])
    expect(await namesIn(await ask('resources/list', {}, revision), 'resources')).toEqual(['notes://open'])
    expect(await namesIn(await ask('prompts/list', {}, revision), 'prompts')).toEqual([])
    for (const [method, params] of [
      ['tools/call', purge],
      ['resources/read', { uri: 'notes://closed' }],
      ['prompts/get', { name: 'closed' }],
    ] as const) {
      const response = await ask(method, params, revision)
      expect([method, response.status]).toEqual([method, 401])
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="mcp"/)
    }
    expect(calls).toEqual([])
  })

  it('knows who has a good token, and gives them what they may', async () => {
    const { ask } = await listening({ optionalAuth: true })
    expect(textOf(await answerOf(await ask('tools/call', whoami, revision, bearer(bob))))).toBe('bob')
    expect(await namesIn(await ask('prompts/list', {}, revision, bearer(bob)), 'prompts')).toEqual(['closed'])
    expect((await ask('tools/call', purge, revision, bearer(bob))).status).toBe(403)
  })

  it.each(bad)('refuses %s all the same', async (_what, headers, status) => {
    const { ask, calls } = await listening({ optionalAuth: true })
    expect((await ask('tools/call', whoami, revision, headers)).status).toBe(status)
    expect((await ask('tools/list', {}, revision, headers)).status).toBe(status)
    expect(calls).toEqual([])
  })
})

describe('optionalAuth with sessions of 2025-11-25', () => {
  it('A-15 a session of nobody and one of somebody are not the same', async () => {
    const { ask, url } = await listening({ optionalAuth: true }, { sessions: true })
    const open = async (headers: Headers) => {
      const response = await ask('initialize', hello, '2025-11-25', headers)
      expect(response.status).toBe(200)
      return { 'mcp-session-id': response.headers.get('mcp-session-id')! }
    }
    const nobodys = await open({})
    const alices = await open(bearer(alice))
    const call = (headers: Headers) => ask('tools/call', whoami, '2025-11-25', headers)
    expect(textOf(await answerOf(await call(nobodys)))).toBe('nobody')
    expect(textOf(await answerOf(await call({ ...alices, ...bearer(alice) })))).toBe('alice')
    expect((await call(alices)).status).toBe(404)
    expect((await call({ ...alices, ...bearer(bob) })).status).toBe(404)
    expect((await call({ ...nobodys, ...bearer(alice) })).status).toBe(404)
    expect((await call({ ...alices, ...bearer('wrong') })).status).toBe(401)
    expect((await ask('tools/call', purge, '2025-11-25', nobodys)).status).toBe(401)
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...alices, accept: 'text/event-stream' }
      expect([method, (await fetch(url, { method, headers })).status]).toEqual([method, 404])
    }
    expect((await fetch(url, { method: 'DELETE', headers: nobodys })).status).toBe(204)
    expect(textOf(await answerOf(await call({ ...alices, ...bearer(alice) })))).toBe('alice')
  })

  it('the client of the official SDK works without a token', async () => {
    const { url } = await listening({ optionalAuth: true }, { sessions: true })
    const client = new Client({ name: 'c', version: '1' })
    onTestFinished(() => client.close())
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['whoami'])
    expect(await client.callTool(whoami)).toMatchObject({ content: [{ text: 'nobody' }] })
    await expect(client.callTool(purge)).rejects.toThrow()
  })
})

describe.each(both)('anonymous methods in %s', (revision) => {
  const methods = revision === '2026-07-28' ? ['server/discover', 'tools/list'] : ['ping', 'tools/list']

  it('A-19 FL-27 are open, without what needs scopes; everything else is a 401', async () => {
    const { ask, calls, url } = await listening({ anonymous: methods })
    expect((await ask(methods[0]!, {}, revision)).status).toBe(200)
    expect(await namesIn(await ask('tools/list', {}, revision), 'tools')).toEqual(['whoami'])
    for (const [method, params] of [
      ['tools/call', whoami],
      ['resources/list', {}],
      ['resources/read', { uri: 'notes://open' }],
      ['subscriptions/listen', { notifications: {} }],
      ['completion/complete', {}],
      ['initialize', hello],
      ['Tools/List', {}],
      ['no/such/method', {}],
    ] as const) {
      expect([method, (await ask(method, params, revision)).status]).toEqual([method, 401])
    }
    for (const method of ['GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS', 'QUERY'])
      expect([method, (await fetch(url, { method })).status]).toEqual([method, 401])
    expect(calls).toEqual([])
  })

  it('A-19 nothing is open by default', async () => {
    const { ask } = await listening({})
    for (const method of methods) expect((await ask(method, {}, revision)).status).toBe(401)
  })

  it.each(bad)('%s is refused all the same', async (_what, headers, status) => {
    const { ask } = await listening({ anonymous: methods })
    expect((await ask('tools/list', {}, revision, headers)).status).toBe(status)
  })

  it('a token makes them what they are for its owner', async () => {
    const { ask } = await listening({ anonymous: methods, scopeHierarchy: { admin: ['write'] } })
    const names = await namesIn(await ask('tools/list', {}, revision, bearer(alice)), 'tools')
    expect(names).toEqual(['whoami', 'purge'])
  })

  it('a body that is no message opens nothing', async () => {
    const { send, calls } = await listening({ anonymous: methods })
    const { headers, body } = rpc('tools/list', {}, revision)
    const list = JSON.parse(body)
    const call = JSON.parse(rpc('tools/call', whoami, revision).body)
    for (const [what, bytes] of [
      ['nothing', ''],
      ['no JSON', '{'],
      ['null', 'null'],
      ['a text', '"tools/list"'],
      ['a batch', JSON.stringify([list, call])],
      ['a method that is none', JSON.stringify({ ...list, method: ['tools/list'] })],
      [
        'the last of two methods',
        body.replace('"method"', '"method":"tools/list","method":"tools/call","x"'),
      ],
      [
        'a method of the prototype',
        JSON.stringify(call).replace('{', '{"__proto__":{"method":"tools/list"},'),
      ],
      ['a response', JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} })],
    ] as const) {
      const { 'mcp-method': _said, ...plain } = headers as Record<string, string>
      const response = await send({ headers: plain as typeof headers, body: bytes })
      expect([what, response.status]).toEqual([what, 401])
    }
    expect(calls).toEqual([])
  })
})

describe('anonymous methods and a header that says something else than the body', () => {
  const bodies = {
    call: rpc('tools/call', whoami),
    list: rpc('tools/list'),
    discover: rpc('server/discover'),
  }
  it.each([
    ['an open method before a closed one', 'server/discover', bodies.call],
    ['an open method before another open one', 'server/discover', bodies.list],
    ['a closed method before an open one', 'tools/call', bodies.discover],
    [
      'an open method before a closed one of 2025-11-25',
      'tools/list',
      rpc('tools/call', whoami, '2025-11-25'),
    ],
  ])('A-19 %s: 400, -32020, and nothing runs', async (_what, method, message) => {
    const { send, calls } = await listening({ anonymous: ['server/discover', 'tools/list'] })
    const response = await send(message, { 'mcp-method': method })
    expect(response.status).toBe(400)
    expect((await answerOf(response)).error?.code).toBe(-32020)
    expect(calls).toEqual([])
  })

  it('an open method in the header opens no other body', async () => {
    const { send, calls } = await listening({ anonymous: ['server/discover'] })
    for (const header of ['tools/call', 'server/discover, tools/call', 'SERVER/DISCOVER', '']) {
      expect((await send(bodies.call, { 'mcp-method': header })).status).toBe(401)
    }
    expect(calls).toEqual([])
  })
})

describe('anonymous methods with sessions of 2025-11-25', () => {
  const methods = ['initialize', 'notifications/initialized', 'tools/list']

  it('FL-27 a client without a token can list, and gets a 401 when it calls', async () => {
    const { ask, url, calls } = await listening({ anonymous: methods }, { sessions: true })
    const opened = await ask('initialize', hello, '2025-11-25')
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id')! }
    expect(await namesIn(await ask('tools/list', {}, '2025-11-25', session), 'tools')).toEqual(['whoami'])
    expect((await ask('tools/list', {}, '2025-11-25')).status).toBe(400)
    expect((await ask('tools/call', whoami, '2025-11-25', session)).status).toBe(401)
    expect((await ask('tools/call', whoami, '2025-11-25', { ...session, ...bearer(alice) })).status).toBe(404)
    for (const method of ['GET', 'DELETE'])
      expect((await fetch(url, { method, headers: session })).status).toBe(401)
    expect(calls).toEqual([])
  })

  it('A-15 the session of somebody is none for who has no token', async () => {
    const { ask } = await listening({ anonymous: methods }, { sessions: true })
    const opened = await ask('initialize', hello, '2025-11-25', bearer(alice))
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id')! }
    expect((await ask('tools/list', {}, '2025-11-25', session)).status).toBe(404)
  })

  it('the client of the official SDK lists without a token', async () => {
    const { url } = await listening({ anonymous: methods }, { sessions: true })
    const client = new Client({ name: 'c', version: '1' })
    onTestFinished(() => client.close())
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['whoami'])
    await expect(client.callTool(whoami)).rejects.toThrow()
  })
})

describe('no mode combination means "open"', () => {
  const values: Readonly<Record<string, readonly unknown[]>> = {
    auth: ['absent', undefined, null, {}, directory()],
    optionalAuth: ['absent', undefined, false, true, 'true', 1, null],
    anonymous: ['absent', undefined, [], ['tools/list'], 'tools/list', [''], [1]],
    apiKeyHeader: ['absent', undefined, 'X-API-Key', '', 'Cookie'],
  }
  const cases = Object.entries(values).reduce<Record<string, unknown>[]>(
    (made, [name, each]) =>
      made.flatMap((one) => each.map((value) => (value === 'absent' ? one : { ...one, [name]: value }))),
    [{}],
  )

  it('FL-22 every subset of the options is a start-up error, protected, or open because somebody said so', async () => {
    const seen = { refused: 0, open: 0, optional: 0, guarded: 0 }
    for (const { apiKeyHeader, ...options } of cases) {
      const http = 'apiKeyHeader' in options || apiKeyHeader !== undefined ? { apiKeyHeader } : {}
      let server: MCPServer
      try {
        server = new MCPServer({ name: 'x', logger() {}, ...options } as never, http as never)
      } catch (error) {
        expect(String(error)).toMatch(/auth|optionalAuth|anonymous|apiKeyHeader/)
        seen.refused++
        continue
      }
      server.tool('whoami', {}, () => 'nobody')
      const { headers, body } = rpc('tools/call', whoami)
      const request = new Request('http://localhost/mcp', { method: 'POST', headers, body })
      const { status } = await server.fetch(request)
      const kind = !('auth' in options) ? 'open' : options.optionalAuth === true ? 'optional' : 'guarded'
      seen[kind]++
      expect([kind, status]).toEqual([kind, kind === 'guarded' ? 401 : 200])
    }
    for (const [kind, count] of Object.entries(seen)) expect([kind, count > 0]).toEqual([kind, true])
  })

  it.each([
    ['optionalAuth', { optionalAuth: false }, {}],
    ['optionalAuth', { optionalAuth: true }, {}],
    ['anonymous', { anonymous: ['tools/list'] }, {}],
    ['apiKeyHeader', {}, { apiKeyHeader: 'X-API-Key' }],
    ['resource', {}, { resource: 'https://mcp.example.com' }],
    ['scopesSupported', {}, { scopesSupported: ['a'] }],
  ])('FL-23 %s without auth would have no effect: it is refused', (name, options, http) => {
    expect(() => new MCPServer({ name: 'x', ...options }, http)).toThrow(`${name} has no effect`)
  })
})
