import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { closeListening, listening, Tokens } from '../client/peers.ts'
import {
  answer,
  closeServers,
  listen,
  methodsOf,
  modernFetch,
  only,
  serve,
  sessionFetch,
} from '../client/servers.ts'
import { endHosts, type Json, lineHost, modern } from './bridge-host.ts'

const token = 'sk-0123456789abcdefABCDEF'
const gate = only(token)

afterEach(async () => {
  await endHosts()
  await closeServers()
  await closeListening()
})

const callOf = (name: string, args: Json = {}): Json => ({ name, arguments: args })
const textOf = (message: Json): unknown => message.result?.content?.[0]?.text
const answersTo = (heard: readonly Json[], id: unknown): number =>
  heard.filter((message) => message.id === id && !('method' in message)).length

describe('messages of a host', () => {
  it('of 2025-11-25 go with session and revision in the headers', async () => {
    const server = await serve(sessionFetch(gate).fetch)
    const host = lineHost({ url: server.url, auth: token })
    expect((await host.begin()).result.protocolVersion).toBe('2025-11-25')
    expect(textOf(await host.ask(1, 'tools/call', callOf('echo', { text: 'ä' })))).toBe('ä')
    const call = server.requests.find(({ body }) => body.includes('tools/call'))
    expect(call?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': expect.any(String),
    })
    expect(call?.headers).not.toHaveProperty('mcp-method')
  })

  it('of 2026-07-28 go with the headers of their own', async () => {
    const server = await serve(modernFetch(gate))
    const host = lineHost({ url: server.url, auth: token })
    expect((await host.ask(1, 'server/discover', modern())).result.supportedVersions).toContain('2026-07-28')
    expect(textOf(await host.ask('x', 'tools/call', modern(callOf('echo', { text: 'a' }))))).toBe('a')
    expect(server.requests[1]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    })
    expect(server.requests[1]?.headers).not.toHaveProperty('mcp-session-id')
  })

  it('that are sent all at once are answered in order of their meaning', async () => {
    const server = await serve(sessionFetch(gate).fetch)
    const host = lineHost({ url: server.url, auth: token })
    void host.begin()
    expect((await host.ask(2, 'tools/list')).result.tools).toHaveLength(3)
    host.input.end()
    await host.bridge.closed
    expect(methodsOf(server).filter((method) => method !== 'GET')).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
      'DELETE',
    ])
  })

  it('an error of the server is passed on as it is, whatever its status', async () => {
    const server = await serve(modernFetch(gate))
    const host = lineHost({ url: server.url, auth: token })
    const { error } = await host.ask(1, 'no/such', modern())
    expect(error).toMatchObject({ code: -32_601 })
    const other = await host.ask(2, 'server/discover', {
      _meta: { ...modern()._meta, 'io.modelcontextprotocol/protocolVersion': '2031-01-01' },
    })
    expect(other.error).toMatchObject({ code: -32_022, data: { supported: expect.any(Array) } })
  })

  it('progress comes before the answer', async () => {
    const server = await serve(sessionFetch(gate).fetch)
    const host = lineHost({ url: server.url, auth: token })
    await host.begin()
    await host.ask(1, 'tools/call', { ...callOf('echo'), _meta: { progressToken: 'p' } })
    const [progress, result] = host.heard.slice(1)
    expect(progress).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p' } })
    expect(result).toMatchObject({ id: 1 })
  })
})

describe('a session the server has forgotten', () => {
  it('is made again, and the request is sent once more', async () => {
    const session = sessionFetch(gate)
    const server = await serve(session.fetch)
    const host = lineHost({ url: server.url, auth: token })
    await host.begin()
    await host.ask(1, 'tools/list')
    session.forget()
    const texts = ['a', 'b', 'c']
    const answers = await Promise.all(
      texts.map((text, at) => host.ask(`call-${at}`, 'tools/call', callOf('echo', { text }))),
    )
    expect(answers.map(textOf)).toEqual(texts)
    expect(methodsOf(server).filter((method) => method === 'initialize')).toHaveLength(2)
    expect(session.sessions).toBe(1)
    await host.hears(({ method }) => method === 'notifications/tools/list_changed')
    for (const at of [0, 1, 2]) expect(answersTo(host.heard, `call-${at}`)).toBe(1)
    // The host never sees what the bridge asks for itself.
    expect(host.heard.filter(({ id }) => String(id).startsWith('mcp-bearer-'))).toEqual([])
  })

  it('gets its subscriptions and its log level back', async () => {
    const peer = await listening((server) => {
      server.resource('notes://1', {}, () => 'one')
      server.resource('notes://2', {}, () => 'two')
      server.tool('noisy', {}, async (_args, ctx) => {
        await ctx.log('debug', 'a detail')
        return 'done'
      })
    })
    const host = lineHost({ url: peer.url })
    await host.begin()
    await host.ask(1, 'logging/setLevel', { level: 'debug' })
    await host.ask(2, 'resources/subscribe', { uri: 'notes://1' })
    await host.ask(3, 'resources/subscribe', { uri: 'notes://2' })
    await host.ask(4, 'resources/unsubscribe', { uri: 'notes://2' })
    await peer.stop()
    await connectionsNoticed()
    await peer.restart()
    expect(textOf(await host.ask(5, 'tools/call', callOf('noisy')))).toBe('done')
    await host.hears(({ method, params }) => method === 'notifications/message' && params.level === 'debug')
    const updates = () => host.heard.filter(({ method }) => method === 'notifications/resources/updated')
    const before = updates().length
    peer.server.resourceUpdated('notes://2')
    peer.server.resourceUpdated('notes://1')
    await vi.waitFor(() => expect(updates().length).toBeGreaterThan(before), { timeout: 8000 })
    expect(updates().map(({ params }) => params.uri)).not.toContain('notes://2')
  })

  it('also when the server says 400, but not when the 400 is about the message', async () => {
    let known = 0
    const refusesPing = false
    const server = await listen((request, response, body) => {
      if (request.method !== 'POST') return answer(405)(request, response, body)
      const { id, method } = JSON.parse(body)
      const isMissing = request.headers['mcp-session-id'] !== String(known)
      if (method === 'initialize') {
        known++
        const result = {
          protocolVersion: '2025-11-25',
          capabilities: {},
          serverInfo: { name: 's', version: '1' },
        }
        return answer(200, { 'mcp-session-id': String(known) }, { jsonrpc: '2.0', id, result })(
          request,
          response,
          body,
        )
      }
      if (isMissing || method === 'bad' || (method === 'ping' && refusesPing)) {
        const error = { code: -32_000, message: 'Bad Request' }
        return answer(400, {}, { jsonrpc: '2.0', id: null, error })(request, response, body)
      }
      if (id === undefined) return answer(202)(request, response, body)
      return answer(200, {}, { jsonrpc: '2.0', id, result: { known } })(request, response, body)
    })
    const host = lineHost({ url: server.url })
    await host.begin()
    expect((await host.ask(1, 'bad')).error).toMatchObject({ code: -32_000, message: 'Bad Request' })
    expect(known).toBe(1)
    known = 7
    expect((await host.ask(2, 'good')).result).toEqual({ known: 8 })
  })

  it('when the new one is refused, the request says so', async () => {
    const session = sessionFetch((authorization) => isOpen && gate(authorization))
    let isOpen = true
    const server = await serve(session.fetch)
    const host = lineHost({ url: server.url, auth: token })
    await host.begin()
    session.forget()
    isOpen = false
    const { error } = await host.ask(1, 'tools/list')
    expect(error).toMatchObject({ code: -32_000, data: { reason: 'invalid_token', status: 401 } })
    isOpen = true
    expect((await host.ask(2, 'tools/list')).result.tools).toHaveLength(3)
  })
})

describe('a server that is away', () => {
  it('and back on its port in a moment: nothing is lost, in both eras', async () => {
    const runs: string[] = []
    const peer = await listening((server) =>
      server.tool('note', {}, () => {
        runs.push('run')
        return 'noted'
      }),
    )
    const host = lineHost({ url: peer.url })
    await host.begin()
    await host.ask(1, 'tools/call', callOf('note'))
    await peer.stop()
    await connectionsNoticed()
    const [legacy, newer] = [
      host.ask(2, 'tools/call', callOf('note')),
      host.ask(3, 'tools/call', modern(callOf('note'))),
    ]
    // Both have been refused by then, one of them twice.
    const asked = vi.spyOn(globalThis, 'fetch')
    await vi.waitFor(() => expect(asked.mock.calls.length).toBeGreaterThan(2))
    asked.mockRestore()
    await peer.restart()
    expect(textOf(await legacy)).toBe('noted')
    expect(textOf(await newer)).toBe('noted')
    expect(runs).toHaveLength(3)
  })

  it('is waited for by the handshake too, and not for ever', async () => {
    const { url } = await unusedPort()
    const host = lineHost({ url, patienceMs: 150 })
    const { error } = await host.begin()
    expect(error.code).toBe(-32_000)
    expect(error.message).toMatch(/^http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/)
  })

  it('in the middle of an answer: one error, and the call is not made twice', async () => {
    let calls = 0
    const server = await legacyServer((_id, method, _request, response) => {
      if (method !== 'tools/call') return false
      calls++
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
      setImmediate(() => response.destroy())
      return true
    })
    const host = lineHost({ url: server.url })
    await host.begin()
    const { error } = await host.ask(1, 'tools/call', callOf('x'))
    expect(error.message).toMatch(/whether the call was carried out is unknown/)
    expect(calls).toBe(1)
    await host.ask(2, 'ping')
    expect(answersTo(host.heard, 1)).toBe(1)
  })

  it('that answers nothing is given up after the time that was set', async () => {
    const server = await legacyServer((_id, method) => method === 'tools/call')
    const host = lineHost({ url: server.url, timeoutMs: 300 })
    await host.begin()
    const { error } = await host.ask(1, 'tools/call', callOf('x'))
    expect(error.message).toMatch(/gave no answer within 0\.3 s/)
    await vi.waitFor(() => expect(methodsOf(server)).toContain('notifications/cancelled'))
    expect(answersTo(host.heard, 1)).toBe(1)
  })
})

describe('what goes wrong reaches the host in words', () => {
  const at = async (status: number, headers = {}, body: unknown = undefined) =>
    (await listen(answer(status, headers, body))).url
  const bearer = (error: string) => ({ 'www-authenticate': `Bearer realm="x", error="${error}"` })
  const cases: [string, () => Promise<string>, object, RegExp][] = [
    [
      'a refused token',
      () => at(401, bearer('invalid_token')),
      { reason: 'invalid_token', status: 401 },
      /^http:\/\/127.0.0.1:\d+ refused the credential: .*Get a new one\.$/,
    ],
    [
      'a missing scope',
      () => at(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a b"' }),
      { reason: 'insufficient_scope', status: 403 },
      /lacks a scope this operation needs \(a b\)/,
    ],
    ['no access', () => at(403), { reason: 'access_denied', status: 403 }, /denied access/],
    [
      'an outage behind the server',
      () => at(503, { 'retry-after': '120' }, { error: 'temporarily_unavailable' }),
      { reason: 'verifier_unavailable', status: 503, retryAfter: 120 },
      /Try again in 120 s/,
    ],
    [
      'too many requests',
      () => at(429, { 'retry-after': '60' }),
      { reason: 'rate_limited', status: 429, retryAfter: 60 },
      /too many/,
    ],
    [
      'an error page',
      () => at(500, { 'content-type': 'text/html' }, '<h1>no</h1>'),
      { status: 500 },
      /status 500: it has an outage/,
    ],
    [
      'no endpoint',
      () => at(404, {}, 'nothing here'),
      { status: 404 },
      /status 404: is that the URL of an MCP endpoint\?/,
    ],
  ]
  it.each(cases)('%s', async (_case, url, data, words) => {
    const host = lineHost({ url: await url(), auth: token, patienceMs: 0 })
    const { error } = await host.begin()
    expect(error).toMatchObject({ code: -32_000, data })
    expect(error.message).toMatch(words)
    expect(JSON.stringify(host.heard) + JSON.stringify(host.log)).not.toContain(token)
  })

  it("an answer that is no JSON, no MCP, or another's: an error each, and no hanging", async () => {
    const bodies: [string, string][] = [
      ['text/html', '<p>'],
      ['application/json', '{"jsonrpc":'],
      ['application/json', '{"jsonrpc":"2.0","id":99,"result":{}}'],
      ['application/json', '{"hello":"you"}'],
      ['text/event-stream', ': nothing\n\n'],
      ['text/event-stream', 'data: {"jsonrpc":"2.0","id":99,"result":{}}\n\n'],
    ]
    const server = await listen((request, response, body) => {
      const [type, text] = bodies[JSON.parse(body).id] ?? ['text/plain', '']
      answer(200, { 'content-type': type }, text)(request, response, body)
    })
    const host = lineHost({ url: server.url, auth: token })
    for (const id of bodies.keys()) {
      const { error } = await host.ask(id, 'tools/list', modern())
      expect(error.code, bodies[id]?.[1]).toBe(-32_000)
      expect(error.message).not.toContain(token)
    }
    const accepted = await listen(answer(202))
    const other = lineHost({ url: accepted.url })
    expect((await other.ask(1, 'tools/list', modern())).error.message).toMatch(/no answer to the request/)
  })

  it('a token that the server repeats is not repeated', async () => {
    const server = await listen((request, response, body) => {
      const { id } = JSON.parse(body)
      const error = { code: -1, message: `bad ${request.headers.authorization}`, data: { token } }
      answer(200, {}, { jsonrpc: '2.0', id, error })(request, response, body)
    })
    const host = lineHost({ url: server.url, auth: token })
    const { error } = await host.ask(1, 'tools/list', modern())
    expect(error.code).toBe(-1)
    expect(JSON.stringify(host.heard)).not.toContain(token)
  })
})

describe('a token that is renewed', () => {
  it('goes out with the next request, and a refused one is renewed in the middle of a session', async () => {
    let good = 'token-first'
    let given = good
    const session = sessionFetch((authorization) => authorization === `Bearer ${good}`)
    const server = await serve(session.fetch)
    const auth = {
      token: async () => given,
      refused: async () => {
        given = good
      },
    }
    const host = lineHost({ url: server.url, auth })
    await host.begin()
    await host.ask(1, 'tools/list')
    good = 'token-second'
    expect(textOf(await host.ask(2, 'tools/call', callOf('echo', { text: 'x' })))).toBe('x')
    expect(session.sessions).toBe(1)
    expect(methodsOf(server).filter((method) => method === 'initialize')).toHaveLength(1)
  })
})

describe('what the server asks', () => {
  const build = (server: MCPServer): void => {
    server.tool('ask', {}, async (_args, ctx) => {
      const { action } = await ctx.elicit({ message: 'Go?', url: 'https://id.example.com/go' })
      return action
    })
  }

  it('is answered, under an id that no other session has', async () => {
    const peer = await listening(build)
    const host = lineHost({ url: peer.url })
    await host.begin({ elicitation: { url: {} } })
    const seen = new Set<unknown>()
    for (const id of ['one', 'two']) {
      host.send({ id, method: 'tools/call', params: callOf('ask') })
      const question = await host.hears((one) => one.method === 'elicitation/create' && !seen.has(one.id))
      seen.add(question.id)
      host.send({ id: question.id, result: { action: 'decline' } })
      expect(textOf(await host.hears((message) => message.id === id))).toBe('decline')
      await peer.stop()
      await connectionsNoticed()
      await peer.restart()
    }
    expect(seen.size).toBe(2)
  })

  it('is taken back when its session is gone, and a late answer goes nowhere', async () => {
    const peer = await listening(build)
    const host = lineHost({ url: peer.url })
    await host.begin({ elicitation: { url: {} } })
    host.send({ id: 1, method: 'tools/call', params: callOf('ask') })
    const question = await host.hears(({ method }) => method === 'elicitation/create')
    await peer.stop()
    await host.hears(({ id, method }) => id === 1 && method === undefined)
    await connectionsNoticed()
    await peer.restart()
    await host.ask(2, 'ping')
    await host.hears(
      ({ method, params }) => method === 'notifications/cancelled' && params.requestId === question.id,
    )
    const before = host.log.length
    host.send({ id: question.id, result: { action: 'accept' } })
    expect((await host.ask(3, 'ping')).result).toEqual({})
    expect(host.log).toHaveLength(before)
  })
})

describe('a call that is given up', () => {
  it.each(['2025-11-25', '2026-07-28'])('ends at a server of %s, and is not answered', async (revision) => {
    let abort = (): void => {}
    const ended = new Promise<void>((resolve) => {
      abort = resolve
    })
    const peer = await listening((server) =>
      server.tool('slow', {}, async (_args, ctx) => {
        ctx.signal.addEventListener('abort', abort)
        await ctx.progress(1)
        await ended
        return 'late'
      }),
    )
    const host = lineHost({ url: peer.url })
    if (revision === '2025-11-25') await host.begin()
    const params = { ...callOf('slow'), _meta: { progressToken: 1 } }
    host.send({ id: 1, method: 'tools/call', params: revision === '2025-11-25' ? params : modern(params) })
    await host.hears(({ method }) => method === 'notifications/progress')
    host.send({ method: 'notifications/cancelled', params: { requestId: 1 } })
    await ended
    const next = revision === '2025-11-25' ? host.ask(2, 'ping') : host.ask(2, 'tools/list', modern())
    expect(await next).toHaveProperty('result')
    expect(answersTo(host.heard, 1)).toBe(0)
  })
})

describe('a subscription of 2026-07-28', () => {
  const listenTo = { notifications: { toolsListChanged: true, resourceSubscriptions: ['notes://1'] } }
  const build = (server: MCPServer): void => {
    server.resource('notes://1', {}, () => 'one')
    server.tool('one', {}, () => 'x')
  }

  it('outlives a restart of the server: the host is told of everything once', async () => {
    const peer = await listening(build)
    const host = lineHost({ url: peer.url })
    host.send({ id: 'sub', method: 'subscriptions/listen', params: modern(listenTo) })
    await host.hears(({ method }) => method === 'notifications/subscriptions/acknowledged')
    peer.server.tool('two', {}, () => 'x')
    await host.hears(({ method }) => method === 'notifications/tools/list_changed')
    await peer.stop()
    await connectionsNoticed()
    await peer.restart()
    const missed = await host.hears(({ method }) => method === 'notifications/resources/updated')
    expect(missed.params).toEqual({
      uri: 'notes://1',
      _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' },
    })
    const before = host.heard.length
    peer.server.resourceUpdated('notes://1')
    await vi.waitFor(() => expect(host.heard.length).toBeGreaterThan(before), { timeout: 8000 })
    expect(
      host.heard.filter(({ method }) => method === 'notifications/subscriptions/acknowledged'),
    ).toHaveLength(1)
    expect(answersTo(host.heard, 'sub')).toBe(0)
    host.input.end()
    await host.bridge.closed
    expect(answersTo(host.heard, 'sub')).toBe(1)
  })

  it('outlives its token, and ends with the words of the refusal when there is no other', async () => {
    const tokens = new Tokens()
    const peer = await listening(build, { auth: tokens, clock: tokens.clock })
    let current = tokens.grant('token-1')
    const host = lineHost({ url: peer.url, auth: { token: async () => current } })
    host.send({ id: 'sub', method: 'subscriptions/listen', params: modern(listenTo) })
    await host.hears(({ method }) => method === 'notifications/subscriptions/acknowledged')
    tokens.now += 3600_000
    current = tokens.grant('token-2')
    // The server ends the stream before it tells anybody whose token is over.
    peer.server.resourceUpdated('notes://1')
    await host.hears(({ method }) => method === 'notifications/tools/list_changed')
    tokens.now += 3600_000
    peer.server.resourceUpdated('notes://1')
    const { error } = await host.hears(({ id }) => id === 'sub')
    expect(error.data).toEqual({ reason: 'invalid_token', status: 401 })
  })

  it('is ended by the host', async () => {
    const peer = await listening(build)
    const host = lineHost({ url: peer.url })
    host.send({ id: 'sub', method: 'subscriptions/listen', params: modern(listenTo) })
    await host.hears(({ method }) => method === 'notifications/subscriptions/acknowledged')
    host.send({ method: 'notifications/cancelled', params: { requestId: 'sub' } })
    await host.ask(1, 'tools/list', modern())
    expect(answersTo(host.heard, 'sub')).toBe(0)
  })
})

/** Server and bridge share an event loop here: the bridge has to hear that its connections have ended. */
async function connectionsNoticed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A URL where nobody listens. */
async function unusedPort(): Promise<{ url: string }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return { url: `http://127.0.0.1:${port}/mcp` }
}

type Special = (id: unknown, method: string, request: IncomingMessage, response: ServerResponse) => boolean

/** A server of 2025-11-25 without sessions, and what is special about it. */
function legacyServer(special: Special) {
  return listen((request, response, body) => {
    if (request.method !== 'POST') return answer(405)(request, response, body)
    const { id, method } = JSON.parse(body)
    if (special(id, method, request, response)) return
    if (id === undefined) return answer(202)(request, response, body)
    const result =
      method === 'initialize'
        ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } }
        : {}
    answer(200, {}, { jsonrpc: '2.0', id, result })(request, response, body)
  })
}
