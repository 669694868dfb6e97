import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { AuthError, Client, type ClientTransport } from 'mcp-bearer/client'
import type { MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { closeListening, listening, refusal, revisions, Tokens, type Wire, wire } from './peers.ts'
import { answer, closeServers, failure, listen } from './servers.ts'

afterEach(closeListening)
afterEach(closeServers)

const token = 'sk-alice-0123456789'

function build(server: MCPServer): void {
  server.tool('whoami', {}, (_args, ctx) => `I am ${ctx.auth?.subject}`)
  server.tool(
    'ask',
    {},
    async (_args, ctx) => (await ctx.elicit({ message: 'Sure?', url: 'https://x.example' })).action,
  )
  server.resource('notes://today', {}, () => 'Buy milk.')
  server.prompt('greet', {}, () => 'Hello')
}

const refusals = [
  { status: 400, code: 'invalid_request', body: { error: 'invalid_request' } },
  { status: 401, code: 'invalid_token' },
  {
    status: 403,
    code: 'insufficient_scope',
    header: 'Bearer error="insufficient_scope", scope="a b"',
    scopes: ['a', 'b'],
  },
  { status: 403, code: 'access_denied' },
  { status: 429, code: 'rate_limited' },
  { status: 503, code: 'verifier_unavailable', body: { error: 'temporarily_unavailable' } },
]

const phases: Record<string, { method: string; of: (client: Client) => Promise<unknown> }> = {
  'a call': { method: 'tools/call', of: (client) => client.callTool('whoami') },
  'a list': { method: 'tools/list', of: (client) => client.listTools() },
  'a resource': { method: 'resources/read', of: (client) => client.readResource('notes://today') },
  'a prompt': { method: 'prompts/get', of: (client) => client.getPrompt('greet') },
  'a subscription': {
    method: 'listen',
    of: (client) => client.subscribe({ resources: ['notes://today'] }, () => {}),
  },
  'a notification': { method: 'notifications/roots/list_changed', of: (client) => client.rootsChanged() },
}
const listens = ['subscriptions/listen', 'resources/subscribe']

describe.each(revisions)('FL-87 a refusal is the same AuthError, with a server of %s', (revision) => {
  async function refusing(method: string, given: (typeof refusals)[number]) {
    const { url } = await listening(build)
    const way = wire(revision)
    const { status, body, header } = given
    const headers = header === undefined ? {} : { 'www-authenticate': header }
    way.fault = ({ rpc = '' }) =>
      rpc === method || (method === 'listen' && listens.includes(rpc))
        ? Response.json(body ?? { text: '200 OK' }, { status, headers })
        : undefined
    const options = {
      auth: token,
      fetch: way.fetch,
      serverName: 'notes',
      handlers: { roots: [] },
      retry: { maxWait: 0 },
    }
    return { client: new Client(url, options), way }
  }
  const expected = ({ status, code, scopes }: (typeof refusals)[number]) => ({
    name: 'AuthError',
    code,
    status,
    server: 'notes',
    ...(scopes && { scopes }),
  })

  it.each(refusals)('when it connects: $status $code', async (given) => {
    const { client, way } = await refusing('server/discover', given)
    await using _ = client
    const error = await failure(client.connect())
    expect(error).toMatchObject(expected(given))
    expect(JSON.stringify(error) + String(error)).not.toContain(token)
    expect(way.sent).toHaveLength(1)
  })

  for (const [phase, { method, of }] of Object.entries(phases)) {
    if (phase === 'a notification' && revision === '2026-07-28') continue
    it.each(refusals)(`of ${phase}, in the middle: $status $code`, async (given) => {
      const { client } = await refusing(method, given)
      await using _ = client
      await client.ping()
      const error = await failure(of(client))
      expect(error).toBeInstanceOf(AuthError)
      expect(error).toMatchObject(expected(given))
      await client.ping()
    })
  }

  it('and no error at all when it closes', async () => {
    const { url } = await listening(build)
    const way = wire(revision)
    const client = new Client(url, { auth: token, fetch: way.fetch })
    await client.ping()
    way.fault = refusal
    await client.close()
    expect(way.count('DELETE')).toBe(revision === '2025-11-25' ? 1 : 0)
  })
})

it('FL-87 of the handshake of 2025-11-25, its last step included', async () => {
  for (const method of ['initialize', 'notifications/initialized']) {
    const { url } = await listening(build)
    const way = wire('2025-11-25')
    way.fault = ({ rpc }) => (rpc === method ? refusal() : undefined)
    await using client = new Client(url, { auth: token, fetch: way.fetch })
    expect(await failure(client.connect())).toMatchObject({ name: 'AuthError', code: 'invalid_token' })
    expect(way.count(method)).toBe(1)
    expect(way.count('GET')).toBe(0)
  }
})

it('FL-96 an answer to a question that is refused fails no call, and is told', async () => {
  const { url } = await listening(build)
  const way = wire('2025-11-25')
  const onAuthError = vi.fn()
  const handlers = { elicitUrl: async () => ({ action: 'accept' as const }) }
  const client = new Client(url, { auth: token, fetch: way.fetch, onAuthError, handlers })
  await client.ping()
  way.fault = ({ body }) => (body.includes('"action":"accept"') ? refusal() : undefined)
  const call = failure(client.callTool('ask'))
  await vi.waitFor(() => expect(onAuthError).toHaveBeenCalledTimes(1), { timeout: 8000 })
  expect(onAuthError.mock.calls[0]).toMatchObject([{ code: 'invalid_token', status: 401 }])
  await client.close()
  expect(await call).toBeInstanceOf(Error)
})

describe('FL-87 a transport that is not ours', () => {
  /** The transport of the SDK, with its own way to send tokens. */
  const foreign = (url: string, withToken: boolean): ClientTransport => ({
    negotiation: 'auto',
    open: async () =>
      new StreamableHTTPClientTransport(
        new URL(url),
        withToken ? { authProvider: { token: async () => token } } : {},
      ),
  })

  it.each([
    [401, 'unauthorized', true],
    [401, 'unauthorized', false],
    [403, 'access_denied', true],
    [429, 'rate_limited', true],
  ])('%i is the AuthError %s at connect and later', async (status, code, withToken) => {
    const always = await listen(answer(status))
    await using first = new Client(foreign(always.url, withToken))
    if (status !== 429) expect(await failure(first.ping())).toMatchObject({ name: 'AuthError', code, status })
    const { server } = await listening(build)
    let isRefusing = false
    const later = await listen((request, response, body) => {
      if (isRefusing) return void response.writeHead(status).end()
      const headers = Object.entries(request.headers).map(
        ([name, value]) => [name, String(value)] as [string, string],
      )
      const forwarded = new Request('http://localhost/mcp', { method: 'POST', headers, body })
      void Promise.resolve(server.fetch(forwarded)).then(async (answered) =>
        response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text()),
      )
    })
    await using second = new Client(foreign(later.url, withToken))
    await second.ping()
    isRefusing = true
    expect(await failure(second.callTool('whoami'))).toMatchObject({ name: 'AuthError', code, status })
  })

  it('over SSE refuses with the AuthError, too', async () => {
    const always = await listen(answer(401))
    const open = async () => new SSEClientTransport(new URL(always.url))
    await using client = new Client({ negotiation: 'legacy', open })
    expect(await failure(client.ping())).toMatchObject({
      name: 'AuthError',
      code: 'unauthorized',
      status: 401,
    })
    expect(always.requests).toHaveLength(1)
  })

  it('403 insufficient_scope names the scopes', async () => {
    const always = await listen(
      answer(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a b"' }),
    )
    await using client = new Client(foreign(always.url, true))
    expect(await failure(client.ping())).toMatchObject({
      code: 'insufficient_scope',
      status: 403,
      scopes: ['a', 'b'],
    })
  })
})

describe.each(revisions)('E-28 a call is never made twice, with a server of %s', (revision) => {
  async function with_(fault: () => Response): Promise<{ client: Client; way: Wire }> {
    const { url } = await listening(build)
    const way = wire(revision)
    const client = new Client(url, { auth: token, fetch: way.fetch })
    await client.ping()
    way.fault = ({ rpc }) => (rpc === 'tools/call' ? fault() : undefined)
    return { client, way }
  }

  it.each([500, 502, 504])('after %i', async (status) => {
    const { client, way } = await with_(() => new Response(null, { status }))
    await using _ = client
    expect(await failure(client.callTool('whoami'))).toMatchObject({ status })
    expect(way.count('tools/call')).toBe(1)
  })

  it('after the connection was lost', async () => {
    const { client, way } = await with_(() => {
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    })
    await using _ = client
    expect(await failure(client.callTool('whoami'))).toMatchObject({ code: 'ECONNRESET' })
    expect(way.count('tools/call')).toBe(1)
  })

  it('after a stream that ended without the answer; and the call does not wait for it', async () => {
    const headers = { 'content-type': 'text/event-stream' }
    const { client, way } = await with_(() => new Response(': nothing\n\n', { headers }))
    await using _ = client
    const error = await failure(client.callTool('whoami'))
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(String(error)).toContain('lost before the answer')
    expect(way.count('tools/call')).toBe(1)
    await client.ping()
  })

  it('after a stream that broke', async () => {
    const headers = { 'content-type': 'text/event-stream' }
    const broken = () =>
      new ReadableStream({
        start: (controller) => controller.error(new Error('terminated')),
      })
    const { client, way } = await with_(() => new Response(broken(), { headers }))
    await using _ = client
    expect(await failure(client.callTool('whoami'))).toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(way.count('tools/call')).toBe(1)
  })
})

describe.each(revisions)('with a server of %s', (revision) => {
  it('FL-95, E-63 two clients, two tokens: what one asks is never asked with the token of the other', async () => {
    const tokens = new Tokens()
    tokens.grant('token-of-one')
    tokens.grant('token-of-two')
    const { url } = await listening(
      (server) =>
        void server.tool('which', {}, (_args, ctx) => (ctx.auth?.token === 'token-of-one' ? 'one' : 'two')),
      { auth: tokens, clock: tokens.clock },
    )
    const pairs = ['one', 'two'].map((name) => {
      const way = wire(revision)
      return { name, way, client: new Client(url, { auth: `token-of-${name}`, fetch: way.fetch }) }
    })
    const rounds = Array.from({ length: 20 }, () => pairs).flat()
    const answers = await Promise.all(rounds.map(({ client }) => client.callTool('which')))
    expect(answers.map(({ content }) => content[0])).toEqual(
      rounds.map(({ name }) => ({ type: 'text', text: name })),
    )
    for (const { name, way, client } of pairs) {
      expect(new Set(way.sent.map(({ authorization }) => authorization))).toEqual(
        new Set([`Bearer token-of-${name}`]),
      )
      expect(way.count('initialize') + way.count('server/discover')).toBe(revision === '2026-07-28' ? 1 : 2)
      await client.close()
    }
  })

  it('closing ends the calls that wait, and is done once', async () => {
    const { url } = await listening(build)
    const way = wire(revision)
    const client = new Client(url, { auth: token, fetch: way.fetch })
    await client.ping()
    const reached = new Promise<void>((resolve) => {
      way.fault = ({ rpc }) => {
        if (rpc !== 'tools/call') return undefined
        resolve()
        return new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } })
      }
    })
    const call = failure(client.callTool('whoami'))
    await reached
    await Promise.all([client.close(), client.close()])
    expect(await call).toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(way.count('DELETE')).toBe(revision === '2025-11-25' ? 1 : 0)
    for (const later of [
      client.ping(),
      client.connect(),
      client.listTools(),
      client.setLoggingLevel('info'),
    ]) {
      expect(await failure(later)).toMatchObject({ message: 'The client is closed' })
    }
  })

  it('leaving a block closes', async () => {
    const { url } = await listening(build)
    const way = wire(revision)
    let kept: Client
    {
      await using client = new Client(url, { auth: token, fetch: way.fetch })
      await client.ping()
      kept = client
    }
    expect(await failure(kept.ping())).toMatchObject({ message: 'The client is closed' })
  })

  it('a server that was restarted is found again by the next call', async () => {
    const peer = await listening(build)
    const way = wire(revision)
    await using client = new Client(peer.url, { auth: token, fetch: way.fetch })
    await client.ping()
    await peer.stop()
    expect(await failure(client.ping())).toMatchObject({ name: 'TypeError' })
    await peer.restart()
    const before = way.count('initialize')
    // A connection that was kept alive by the old one may still fail a request.
    await vi.waitFor(() => client.ping(), { timeout: 8000 })
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] })
    expect(way.count('tools/call')).toBe(1)
    expect(way.count('initialize') - before).toBe(revision === '2026-07-28' ? 0 : 1)
  })
})

it('a client that is closed before its first call never sends anything', async () => {
  const way = wire()
  const client = new Client('http://127.0.0.1:1/mcp', { auth: token, fetch: way.fetch })
  await client.close()
  expect(await failure(client.ping())).toMatchObject({ message: 'The client is closed' })
  expect(way.sent).toEqual([])
})

it('a level that was set holds for the session that follows', async () => {
  const peer = await listening((server) => void server.tool('one', {}, () => 'x'))
  const way = wire('2025-11-25')
  await using client = new Client(peer.url, { auth: token, fetch: way.fetch, handlers: { log: () => {} } })
  await client.setLoggingLevel('error')
  await peer.stop()
  await peer.restart()
  await vi.waitFor(() => client.ping(), { timeout: 8000 })
  expect(way.count('logging/setLevel')).toBe(2)
})
