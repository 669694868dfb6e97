import { readFile } from 'node:fs/promises'
import { Client as SdkClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import {
  AuthError,
  authorizedFetch,
  Client,
  type ClientOptions,
  StreamableHttpTransport,
  type TokenSource,
  ToolError,
} from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  answer,
  closeServers,
  failure,
  type Gate,
  listen,
  methodsOf,
  modernFetch,
  only,
  serve,
  sessionFetch,
} from './servers.ts'

afterEach(closeServers)

const token = 'sk-good-0123456789'

const revisions = [
  { revision: '2026-07-28', fetchOf: (gate: Gate) => modernFetch(gate) },
  { revision: '2025-11-25', fetchOf: (gate: Gate) => sessionFetch(gate).fetch },
]

describe.each(revisions)('the client against a server of $revision', ({ revision, fetchOf }) => {
  it('E-01 sends the token with every request, whatever it is', async () => {
    const server = await serve(fetchOf(only(token)))
    const client = new Client(server.url, { auth: token })
    await client.ping()
    await client.listTools()
    await client.callTool('echo', { text: 'hi' })
    await client.close()
    expect(server.requests.length).toBeGreaterThan(3)
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
    if (revision === '2025-11-25') expect(methodsOf(server)).toContain('DELETE')
  })

  it('lists, calls, reads and prompts', async () => {
    const server = await serve(fetchOf(only(token)))
    await using client = new Client(server.url, { auth: token })
    expect((await client.listTools()).map(({ name }) => name)).toEqual(['echo', 'count', 'fail'])
    expect(await client.callTool('echo', { text: 'hi' })).toMatchObject({
      content: [{ type: 'text', text: 'hi' }],
    })
    expect(await client.callTool('count')).toMatchObject({ structuredContent: { n: 3 } })
    expect((await client.listResources()).map(({ uri }) => uri)).toEqual(['note://1'])
    expect(await client.listResourceTemplates()).toEqual([])
    expect(await client.readResource('note://1')).toMatchObject({ contents: [{ text: 'a note' }] })
    expect((await client.listPrompts()).map(({ name }) => name)).toEqual(['greet'])
    expect(await client.getPrompt('greet')).toMatchObject({
      messages: [{ content: { text: 'Hello' } }],
    })
  })

  it('throws a ToolError with the text of a failed tool, or returns it raw', async () => {
    const server = await serve(fetchOf(only(token)))
    await using client = new Client(server.url, { auth: token })
    const error = await failure(client.callTool('fail'))
    expect(error).toBeInstanceOf(ToolError)
    expect(error).toMatchObject({ message: 'first line\nsecond line', result: { isError: true } })
    expect(await client.callTool('fail', {}, { raw: true })).toMatchObject({ isError: true })
  })

  it('tells how far a tool is', async () => {
    const server = await serve(fetchOf(only(token)))
    await using client = new Client(server.url, { auth: token })
    const onProgress = vi.fn()
    await client.callTool('echo', {}, { onProgress })
    expect(onProgress).toHaveBeenCalledWith(expect.objectContaining({ progress: 1, total: 2 }))
  })

  it('E-22, FL-89 a bad static token is one request, and its AuthError comes out of the first call', async () => {
    const server = await serve(fetchOf(only(token)))
    const calls: ((client: Client) => Promise<unknown>)[] = [
      (client) => client.connect(),
      (client) => client.ping(),
      (client) => client.listTools(),
      (client) => client.callTool('echo'),
      (client) => client.listResources(),
      (client) => client.listResourceTemplates(),
      (client) => client.readResource('note://1'),
      (client) => client.listPrompts(),
      (client) => client.getPrompt('greet'),
    ]
    for (const call of calls) {
      const before = server.requests.length
      await using client = new Client(server.url, { auth: 'sk-bad-0123456789' })
      const error = await failure(call(client))
      expect(error).toBeInstanceOf(AuthError)
      expect(error).toMatchObject({
        code: 'invalid_token',
        status: 401,
        server: server.origin,
        challenge: { error: 'invalid_token', realm: 'mcp' },
      })
      expect(server.requests.length - before).toBe(1)
    }
  })

  it('FL-87 a token that is revoked while the client runs is the same AuthError', async () => {
    let isGood = true
    const server = await serve(fetchOf(() => isGood))
    await using client = new Client(server.url, { auth: token })
    await client.ping()
    isGood = false
    for (const call of [client.ping(), client.listTools(), client.callTool('echo')]) {
      expect(await failure(call)).toMatchObject({ name: 'AuthError', code: 'invalid_token', status: 401 })
    }
  })

  it('E-03 asks its source before each request', async () => {
    const server = await serve(fetchOf(() => true))
    let asked = 0
    const source: TokenSource = { token: async () => `token-${++asked}` }
    await using client = new Client(server.url, { auth: source })
    await client.ping()
    await client.ping()
    const sent = server.authorizations
    expect(new Set(sent).size).toBe(sent.length)
    expect(sent[0]).toBe('Bearer token-1')
  })

  it('E-21 renews a refused token and repeats the request, without the caller noticing', async () => {
    let good = 'first-token'
    let current = 'first-token'
    const server = await serve(fetchOf((authorization) => authorization === `Bearer ${good}`))
    const refused = vi.fn(async () => {
      current = 'second-token'
    })
    await using client = new Client(server.url, { auth: { token: async () => current, refused } })
    await client.ping()
    good = 'second-token'
    expect(await client.callTool('echo', { text: 'hi' })).toMatchObject({ content: [{ text: 'hi' }] })
    expect(refused).toHaveBeenCalledTimes(1)
    expect(refused).toHaveBeenCalledWith('first-token', expect.objectContaining({ error: 'invalid_token' }))
  })

  it('E-12 asks for lists anew, so that another identity never sees a cached one', async () => {
    const server = await serve(fetchOf(() => true))
    await using client = new Client(server.url, { auth: token })
    await client.listTools()
    await client.listTools()
    await client.readResource('note://1')
    await client.readResource('note://1')
    const asked = methodsOf(server)
    expect(asked.filter((method) => method === 'tools/list')).toHaveLength(2)
    expect(asked.filter((method) => method === 'resources/read')).toHaveLength(2)
  })

  it('gives errors of the protocol as the SDK does', async () => {
    const server = await serve(fetchOf(() => true))
    await using client = new Client(server.url, { auth: token })
    expect(await failure(client.getPrompt('no-such-prompt'))).toMatchObject({ code: -32602 })
  })
})

describe('the client', () => {
  it('does no input or output when it is made', async () => {
    const server = await listen(answer(500))
    new Client(server.url, { auth: token })
    new Client(new StreamableHttpTransport(server.url, { auth: token }))
    expect(server.requests).toEqual([])
  })

  it('connects once for calls that start together', async () => {
    const server = await serve(modernFetch(() => true))
    await using client = new Client(server.url)
    await Promise.all([client.ping(), client.listTools(), client.connect()])
    expect(methodsOf(server).filter((method) => method === 'server/discover')).toHaveLength(2)
  })

  it('connects again after an attempt that failed', async () => {
    let isUp = false
    const fetch = modernFetch(() => true)
    const server = await serve(async (request) =>
      isUp ? fetch(request) : new Response(null, { status: 500 }),
    )
    await using client = new Client(server.url)
    await failure(client.ping())
    isUp = true
    await client.ping()
  })

  it.each([
    [400, 'invalid_request', { error: 'invalid_request' }],
    [401, 'invalid_token', undefined],
    [403, 'access_denied', undefined],
    [429, 'rate_limited', undefined],
    [503, 'verifier_unavailable', { error: 'temporarily_unavailable' }],
  ])(
    'FL-89 %i at connect is %s after one request, and no older handshake is tried',
    async (status, code, body) => {
      const server = await listen(answer(status, {}, body))
      await using client = new Client(server.url, { auth: token })
      expect(await failure(client.ping())).toMatchObject({ name: 'AuthError', code, status })
      expect(server.requests).toHaveLength(1)
    },
  )

  it('takes a 400 without such a body for an older server, and asks it once more', async () => {
    const server = await listen(
      answer(400, {}, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no' } }),
    )
    await using client = new Client(server.url, { auth: token })
    expect(await failure(client.ping())).not.toBeInstanceOf(AuthError)
    expect(methodsOf(server)).toEqual(['server/discover', 'initialize'])
  })

  it('says unauthorized when it had no token to send', async () => {
    const server = await listen(answer(401, { 'www-authenticate': 'Bearer realm="mcp"' }))
    await using client = new Client(server.url)
    expect(await failure(client.ping())).toMatchObject({ code: 'unauthorized', status: 401 })
  })

  it('FL-88 an error text that holds 401 is no failure of authentication', async () => {
    const server = await listen(answer(500, {}, '401 Unauthorized: invalid_token'))
    await using client = new Client(server.url, { auth: token })
    expect(await failure(client.ping())).not.toBeInstanceOf(AuthError)
  })

  it('FL-06 starts a new session when the server has forgotten the old one, and repeats the call', async () => {
    const sessions = sessionFetch(() => true)
    const server = await serve(sessions.fetch)
    await using client = new Client(server.url, { auth: token })
    await client.ping()
    sessions.forget()
    const results = await Promise.all([1, 2, 3].map((n) => client.callTool('echo', { text: String(n) })))
    expect(results.map(({ content }) => content[0])).toMatchObject([
      { text: '1' },
      { text: '2' },
      { text: '3' },
    ])
    expect(methodsOf(server).filter((method) => method === 'initialize')).toHaveLength(2)
  })

  it('ends its session when it is closed, and is closed for good', async () => {
    const sessions = sessionFetch(() => true)
    const server = await serve(sessions.fetch)
    const client = new Client(server.url)
    await client.ping()
    expect(sessions.sessions).toBe(1)
    await client.close()
    await client.close()
    expect(sessions.sessions).toBe(0)
    await expect(client.ping()).rejects.toThrow('The client is closed')
  })

  it('gives up an attempt to connect when it is closed', async () => {
    const server = await listen(() => {})
    const client = new Client(server.url, { auth: token })
    const attempt = failure(client.ping())
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    await client.close()
    expect(await attempt).toMatchObject({ message: 'The client is closed' })
  })

  it('E-55 one caller that gives up does not take the connection from the others', async () => {
    let go: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const fetch = modernFetch(() => true)
    const server = await serve(async (request) => {
      await gate
      return fetch(request)
    })
    await using client = new Client(server.url)
    const abort = new AbortController()
    const first = failure(client.callTool('echo', {}, { signal: abort.signal }))
    const second = client.ping()
    abort.abort(new Error('enough'))
    expect(await first).toMatchObject({ message: 'enough' })
    go()
    await second
  })

  it('FL-96 a refused background stream is told, not thrown', async () => {
    const { fetch } = sessionFetch(() => true)
    const server = await serve(async (request) =>
      request.method === 'GET' ? new Response(null, { status: 401 }) : fetch(request),
    )
    const told = vi.fn()
    await using client = new Client(server.url, { auth: token, onAuthError: told })
    await client.ping()
    await vi.waitFor(() => expect(told).toHaveBeenCalled())
    expect(told.mock.calls[0]).toMatchObject([{ code: 'invalid_token', status: 401 }])
    await client.ping()
  })

  it('waits for an answer as long as it is told to', async () => {
    const server = await listen(() => {})
    await using client = new Client(server.url, { timeout: 20 })
    expect(await failure(client.ping())).toMatchObject({ code: 'REQUEST_TIMEOUT' })
  })

  it('E-70 its transport and its fetch serve the client of the SDK as well', async () => {
    let isGood = true
    const server = await serve(modernFetch((authorization) => isGood && only(token)(authorization)))
    const fetch = authorizedFetch({ url: server.url, auth: token })
    const transports = [
      await new StreamableHttpTransport(server.url, { auth: token }).open(),
      new StreamableHTTPClientTransport(new URL(server.url), { fetch }),
    ]
    for (const transport of transports) {
      isGood = true
      const sdk = new SdkClient({ name: 'sdk', version: '1' }, { versionNegotiation: { mode: 'auto' } })
      await sdk.connect(transport)
      expect((await sdk.listTools()).tools).toHaveLength(3)
      isGood = false
      expect(await failure(sdk.listPrompts())).toMatchObject({ name: 'AuthError', code: 'invalid_token' })
      await sdk.close()
    }
  })

  it('FL-97 a server of this process meets the same checks', async () => {
    const inProcess = { fetch: modernFetch(only(token)) }
    await using good = new Client(inProcess, { auth: token })
    expect(await good.callTool('echo', { text: 'hi' })).toMatchObject({ content: [{ text: 'hi' }] })
    await using bad = new Client(inProcess, { auth: 'sk-bad-0123456789' })
    expect(await failure(bad.ping())).toMatchObject({ code: 'invalid_token', server: 'in-process server' })
    await using anonymous = new Client(inProcess)
    expect(await failure(anonymous.ping())).toMatchObject({ status: 401 })
  })

  it.each([
    ['an unset variable', { auth: undefined }, 'Client: auth is undefined'],
    ['an empty token', { auth: '' }, 'Client: auth is empty'],
    ['a blank token', { auth: ' ' }, 'Client: auth is empty'],
    ['OAuth by name (FL-81)', { auth: 'oauth' }, 'which is not a token'],
    ['a misspelt option', { tokn: 'x' }, 'unknown option "tokn"'],
    ['a timeout that never fires', { timeout: 0 }, 'Client: timeout'],
    ['an empty header', { headers: { 'X-API-Key': '' } }, 'the header X-API-Key is empty'],
    ['an unset header', { headers: { 'X-API-Key': undefined } }, 'the header X-API-Key is undefined'],
  ])('FL-77 refuses %s when it is made', (_case, given, message) => {
    const options = given as ClientOptions
    expect(() => new Client('http://localhost:1/mcp', options)).toThrow(TypeError)
    expect(() => new Client('http://localhost:1/mcp', options)).toThrow(message)
  })

  it('FL-90 refuses options that its target cannot carry out', () => {
    const transport = new StreamableHttpTransport('http://localhost:1/mcp')
    expect(() => new Client(transport, { auth: token })).toThrow('give the option auth to the transport')
    const inProcess = { fetch: () => new Response() }
    expect(() => new Client(inProcess, { fetch: globalThis.fetch })).toThrow('fetch does not apply')
  })

  it('introduces itself with the version of the package', async () => {
    const server = await serve(modernFetch(() => true))
    await using client = new Client(server.url)
    await client.ping()
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(server.requests[0]?.body).toContain(`"name":"mcp-bearer","version":"${manifest.version}"`)
  })
})
