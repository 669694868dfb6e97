import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TracedRequest } from '../net/traced-fetch.ts'
import { mcpClient } from './mcp-client.ts'
import { type JsonObject, memberOf } from './message.ts'
import { type Problem, problemOf, problemWords } from './problem.ts'
import type { Question } from './questions.ts'

beforeEach(() => void vi.stubGlobal('sessionStorage', { getItem: () => null }))

afterEach(() => void vi.unstubAllGlobals())

interface Sent extends TracedRequest {
  /** The message in its body. */
  readonly message: JsonObject
}

type Script = (sent: Sent, turn: number) => Response | Promise<Response> | undefined

/** A client of a server that does what a script says; what it does not say is answered with nothing. */
function scripted(script: Script, token?: string) {
  const sent: Sent[] = []
  const client = mcpClient({
    endpoint: '/mcp',
    token,
    async fetch(request) {
      const one = {
        ...request,
        message: request.body === undefined ? {} : (JSON.parse(request.body) as JsonObject),
      }
      sent.push(one)
      request.signal?.throwIfAborted()
      return script(one, sent.length) ?? new Response(null, { status: 202 })
    },
  })
  const methods = () =>
    sent.map(({ method, message }) => (method === 'POST' ? (message.method ?? 'answer') : method))
  return { client, sent, methods }
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })
const result = ({ message: { id } }: Sent, value: unknown) => json({ jsonrpc: '2.0', id, result: value })
const failure = ({ message: { id } }: Sent, code: number, status = 200, data?: unknown) =>
  json({ jsonrpc: '2.0', id, error: { code, message: 'no', data } }, status)
const stream = (...pieces: readonly (string | Uint8Array)[]) =>
  new Response(
    new Blob(
      pieces.map(
        (piece) => new Uint8Array(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece),
      ),
    ).stream(),
    {
      headers: { 'content-type': 'text/event-stream' },
    },
  )
const event = (message: unknown) => `data: ${JSON.stringify(message)}\n\n`

const discovered = {
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {}, logging: {} },
  serverInfo: { name: 's', version: '1' },
}
const initialized = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'old', version: '0' },
}

/** A server of the new revision, and what it answers to everything but `server/discover`. */
const modern =
  (answer: Script): Script =>
  (sent, turn) =>
    sent.message.method === 'server/discover' ? result(sent, discovered) : answer(sent, turn)

/** A server of the old one, with a session. */
const legacy =
  (answer: Script): Script =>
  (sent, turn) => {
    if (sent.message.method === 'server/discover') return failure(sent, -32601)
    if (sent.message.method !== 'initialize') return answer(sent, turn)
    return json({ jsonrpc: '2.0', id: sent.message.id, result: initialized }, 200, {
      'mcp-session-id': `session-${turn}`,
    })
  }

async function problemIn(promise: Promise<unknown>): Promise<Problem> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => problemOf(error),
  )
}

describe('the page finds out which revision a server speaks', () => {
  it('the newest, when the server has it', async () => {
    const { client, sent, methods } = scripted(
      modern((one) => result(one, { tools: [] })),
      'secret',
    )
    expect(await client.connect()).toMatchObject({ revision: '2026-07-28', isModern: true, name: 's' })
    await client.request('tools/call', { name: 'größe', arguments: {} })
    expect(methods()).toEqual(['server/discover', 'tools/call'])
    expect(sent[1]!.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': '=?base64?Z3LDtsOfZQ==?=',
    })
    expect(sent[1]!.token).toBe('secret')
    expect(sent[1]!.message.params).toMatchObject({
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': {},
      },
    })
  })

  it.each<[string, (sent: Sent) => Response]>([
    ['a method nobody knows', (sent) => failure(sent, -32601)],
    ['the same with 404', (sent) => failure(sent, -32601, 404)],
    ['a bad request of no kind', () => new Response('Bad Request', { status: 400 })],
    ['a session that is missing', (sent) => failure(sent, -32000, 400)],
    ['an older revision', (sent) => failure(sent, -32022, 400, { supported: ['2025-11-25'] })],
    ['not found', () => new Response('', { status: 404 })],
    ['not acceptable', () => new Response('', { status: 406 })],
    ['a result that is none', (sent) => result(sent, { tools: [] })],
    ['older revisions only', (sent) => result(sent, { ...discovered, supportedVersions: ['2025-11-25'] })],
  ])('the one before, where the answer is %s', async (_what, answer) => {
    const { client, sent, methods } = scripted((one, turn) =>
      turn === 1 ? answer(one) : legacy(() => undefined)(one, turn),
    )
    expect(await client.connect()).toMatchObject({
      revision: '2025-11-25',
      session: 'session-2',
      name: 'old',
    })
    expect(methods()).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
    expect(sent[2]!.headers).toMatchObject({
      'mcp-session-id': 'session-2',
      'mcp-protocol-version': '2025-11-25',
    })
    expect(JSON.stringify(sent[1]!.message)).not.toContain('io.modelcontextprotocol')
  })

  it.each<[string, (sent: Sent) => Response, Partial<Problem>]>([
    [
      '401',
      () => json({}, 401, { 'www-authenticate': 'Bearer realm="x"' }),
      { kind: 'refused', status: 401 },
    ],
    ['401 with an error of JSON-RPC', (sent) => failure(sent, -32001, 401), { kind: 'refused', status: 401 }],
    ['403', () => json({}, 403), { kind: 'refused', status: 403 }],
    [
      'two credentials',
      () => json({}, 400, { 'www-authenticate': 'Bearer error="invalid_request"' }),
      { kind: 'refused', status: 400 },
    ],
    [
      '429',
      () => new Response('', { status: 429, headers: { 'retry-after': '7' } }),
      { kind: 'http', status: 429, retryAfter: '7' },
    ],
    ['500', () => new Response('oh', { status: 500 }), { kind: 'http', status: 500, body: 'oh' }],
    ['500 with an error of JSON-RPC', (sent) => failure(sent, -32603, 500), { kind: 'rpc', code: -32603 }],
    ['a header that disagrees', (sent) => failure(sent, -32020, 400), { kind: 'rpc', code: -32020 }],
    [
      'a revision of the future',
      (sent) => failure(sent, -32022, 400, { supported: ['2027-01-01'] }),
      { kind: 'rpc', code: -32022 },
    ],
    [
      'a web page',
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      { kind: 'broken' },
    ],
  ])('asks in no other way where the answer is %s', async (_what, answer, problem) => {
    const { client, methods } = scripted(answer)
    expect(await problemIn(client.request('tools/list', {}))).toMatchObject(problem)
    expect(methods()).toEqual(['server/discover'])
  })

  it('does not ask in another way when nobody answers, and tries again when it is told to', async () => {
    let isUp = false
    const { client, methods } = scripted((sent, turn) => {
      if (!isUp) throw new TypeError('Failed to fetch')
      return modern(() => undefined)(sent, turn)
    })
    expect(await problemIn(client.connect())).toEqual({ kind: 'unreachable' })
    isUp = true
    expect(await client.connect()).toMatchObject({ isModern: true })
    expect(methods()).toEqual(['server/discover', 'server/discover'])
  })

  it('says so when the server speaks neither', async () => {
    const { client } = scripted((sent) =>
      sent.message.method === 'initialize'
        ? result(sent, { ...initialized, protocolVersion: '1999-01-01' })
        : failure(sent, -32601),
    )
    expect(problemWords(await problemIn(client.connect())).said).toContain('It speaks 1999-01-01.')
  })
})

describe('sessions', () => {
  it('one the server has forgotten is opened anew, once', async () => {
    let forgets = 1
    const { client, sent, methods } = scripted(
      legacy((one) => {
        if (one.message.id === undefined) return undefined
        return forgets-- > 0 ? failure(one, -32001, 404) : result(one, { ok: true })
      }),
    )
    expect(await client.request('tools/list', {})).toEqual({ ok: true })
    expect(methods()).toEqual([
      ...['server/discover', 'initialize', 'notifications/initialized', 'tools/list'],
      ...['server/discover', 'initialize', 'notifications/initialized', 'tools/list'],
    ])
    expect(sent.at(-1)!.headers).toMatchObject({ 'mcp-session-id': 'session-6' })
    forgets = 9
    expect(await problemIn(client.request('tools/list', {}))).toMatchObject({ kind: 'rpc', code: -32001 })
  })

  it('ends with the client', async () => {
    const { client, sent } = scripted(
      legacy(() => undefined),
      'secret',
    )
    await client.connect()
    client.close()
    await expect.poll(() => sent.at(-1)!.method).toBe('DELETE')
    expect(sent.at(-1)).toMatchObject({ headers: { 'mcp-session-id': 'session-2' }, token: 'secret' })
  })
})

describe('an answer', () => {
  const answers = (make: (sent: Sent) => Response) =>
    scripted(modern(make)).client.request('tools/call', { name: 'x' })

  it('comes in a stream, cut within a character, behind news of others', async () => {
    const bytes = new TextEncoder().encode(event({ jsonrpc: '2.0', id: 2, result: { text: 'größe' } }))
    const at = bytes.indexOf(0xc3) + 1
    const outcome = answers(() =>
      stream(
        ': hello\n\n',
        event({ jsonrpc: '2.0', id: 99, result: {} }),
        'event: other\ndata: no json\n\n',
        bytes.slice(0, at),
        bytes.slice(at),
      ),
    )
    expect(await outcome).toEqual({ text: 'größe' })
  })

  it.each<[string, (sent: Sent) => Response, string]>([
    [
      'no JSON',
      () => new Response('{', { headers: { 'content-type': 'application/json' } }),
      'It is not JSON.',
    ],
    [
      'of another request',
      () => json({ jsonrpc: '2.0', id: 77, result: {} }),
      'something the page did not ask',
    ],
    ['nothing', () => new Response(null, { status: 202 }), 'took the request and did not answer it'],
    ['a stream without it', () => stream(': bye\n\n'), 'It ended without an answer.'],
    ['a stream of no JSON', () => stream('data: {\n\n'), 'It is not JSON.'],
    ['too much at once', () => stream('data: ', 'x'.repeat(1_100_000)), 'longer than 1 MiB'],
    [
      'too much',
      () =>
        new Response(new Blob([' '.repeat(9_000_000)]).stream(), {
          headers: { 'content-type': 'application/json' },
        }),
      'longer than 8 MiB',
    ],
    ['a null', () => json(null), 'without an answer'],
  ])('that is %s is said to be broken', async (_what, make, words) => {
    const problem = await problemIn(answers(make))
    expect(problem.kind).toBe('broken')
    expect(problemWords(problem).said).toContain(words)
  })

  it('that is an error keeps what the server said', async () => {
    expect(await problemIn(answers((sent) => failure(sent, -32602, 200, { why: 1 })))).toEqual({
      kind: 'rpc',
      code: -32602,
      message: 'no',
      data: { why: 1 },
    })
    expect(
      await problemIn(
        answers((sent) =>
          json({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'x' } }, sent ? 400 : 0),
        ),
      ),
    ).toMatchObject({ kind: 'rpc', code: -32700 })
  })

  it('that refuses names the scopes', async () => {
    const challenge = 'Bearer error="insufficient_scope", scope="a b"'
    const problem = await problemIn(answers(() => json({}, 403, { 'www-authenticate': challenge })))
    expect(problemWords(problem).advice).toBe('Use a token that has the scopes a, b.')
  })
})

describe('while a server works', () => {
  it('its progress and its log are passed on; the progress of others is not', async () => {
    const heard: unknown[] = []
    const { client } = scripted(
      modern(({ message }) => {
        const { progressToken } = memberOf(message.params, '_meta') as JsonObject
        const news = (method: string, params: unknown) => event({ jsonrpc: '2.0', method, params })
        return stream(
          news('notifications/progress', { progressToken, progress: 1, total: 2, message: 'half' }),
          news('notifications/progress', { progressToken: 'of others', progress: 9 }),
          news('notifications/progress', { progressToken, progress: 'much' }),
          news('notifications/message', { level: 'warning', data: { a: 1 } }),
          event({ jsonrpc: '2.0', id: message.id, result: {} }),
        )
      }),
    )
    await client.request(
      'tools/call',
      { name: 'x' },
      { onProgress: (one) => heard.push(one), onLog: (one) => heard.push(one) },
    )
    expect(heard).toEqual([
      { progress: 1, total: 2, message: 'half' },
      { level: 'warning', logger: undefined, data: { a: 1 } },
    ])
  })

  it.each([
    ['2026-07-28', modern, ['server/discover', 'tools/call']],
    [
      '2025-11-25',
      legacy,
      ['server/discover', 'initialize', 'notifications/initialized', 'tools/call', 'notifications/cancelled'],
    ],
  ] as const)('a call of %s is cancelled', async (_revision, revision, expected) => {
    const stop = new AbortController()
    const { client, sent, methods } = scripted(
      revision(({ message, signal }) => {
        if (message.method !== 'tools/call') return undefined
        return new Promise((_resolve, reject) => {
          signal!.addEventListener('abort', () => reject(signal!.reason as Error))
          stop.abort()
        })
      }),
    )
    expect(await problemIn(client.request('tools/call', { name: 'x' }, { signal: stop.signal }))).toEqual({
      kind: 'cancelled',
    })
    expect(methods()).toEqual(expected)
    const call = sent.find(({ message }) => message.method === 'tools/call')!
    if (revision === legacy) expect(sent.at(-1)!.message.params).toMatchObject({ requestId: call.message.id })
  })

  it('a server of 2025-11-25 may ask the person, and is told politely what this page cannot do', async () => {
    const asks = (id: number, method: string, params: unknown) =>
      event({ jsonrpc: '2.0', id, method, params })
    const { client, sent } = scripted(
      legacy(({ message }) =>
        message.method === 'tools/call'
          ? stream(
              asks(1, 'elicitation/create', { message: 'Who?', requestedSchema: { type: 'object' } }),
              asks(2, 'sampling/createMessage', {}),
              asks(3, 'ping', {}),
              event({ jsonrpc: '2.0', id: message.id, result: { ok: 1 } }),
            )
          : undefined,
      ),
    )
    const ask = async ({ message }: Question) => ({ action: 'accept' as const, content: { said: message } })
    expect(await client.request('tools/call', { name: 'x' }, { ask })).toEqual({ ok: 1 })
    await expect.poll(() => sent.length).toBe(8)
    const replies = new Map(
      sent.slice(5).map(({ message: { id, result: said, error } }) => [id, said ?? error]),
    )
    expect(Object.fromEntries(replies)).toEqual({
      1: { action: 'accept', content: { said: 'Who?' } },
      2: { code: -32601, message: 'The inspector cannot do this' },
      3: {},
    })
  })

  it('a server of 2025-11-25 may ask on a stream of its own, which is there before the call', async () => {
    let answered = () => {}
    const answer = new Promise<void>((resolve) => {
      answered = resolve
    })
    const question = { jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: { message: 'Who?' } }
    const { client, methods } = scripted(
      legacy((one) => {
        if (one.method === 'GET') return stream(event(question))
        if (one.message.id === 'q') answered()
        return one.message.method === 'tools/call' ? answer.then(() => result(one, { ok: 1 })) : undefined
      }),
    )
    const ask = async () => ({ action: 'accept' as const, content: {} })
    expect(await client.request('tools/call', { name: 'x' }, { ask })).toEqual({ ok: 1 })
    expect(methods().indexOf('GET')).toBeLessThan(methods().indexOf('tools/call'))
    expect(methods().filter((method) => method === 'GET')).toHaveLength(1)
  })

  it('a server of 2026-07-28 asks in rounds, and its state comes back as it was', async () => {
    const { client, sent } = scripted(
      modern((one) => {
        const { inputResponses } = one.message.params as JsonObject
        if (inputResponses !== undefined) return result(one, { ok: inputResponses })
        const request = { method: 'elicitation/create', params: { message: 'Who?' } }
        return result(one, {
          resultType: 'input_required',
          inputRequests: { who: request },
          requestState: 's\u0000"',
        })
      }),
    )
    const ask = async () => ({ action: 'decline' as const })
    expect(await client.request('tools/call', { name: 'x', arguments: { a: 1 } }, { ask })).toEqual({
      ok: { who: { action: 'decline' } },
    })
    expect(sent[2]!.message.params).toMatchObject({
      name: 'x',
      arguments: { a: 1 },
      requestState: 's\u0000"',
    })
    expect(sent[2]!.message.id).not.toBe(sent[1]!.message.id)
  })

  it.each([
    [
      'without end',
      { inputRequests: { a: { method: 'elicitation/create', params: {} } } },
      'did not come to an end',
    ],
    [
      'for what the page cannot do',
      { inputRequests: { a: { method: 'sampling/createMessage' } } },
      'sampling/createMessage',
    ],
    ['and says nothing', {}, 'does not say how'],
  ])('a server that asks %s is stopped', async (_what, asked, words) => {
    const { client } = scripted(modern((one) => result(one, { resultType: 'input_required', ...asked })))
    const problem = await problemIn(
      client.request('tools/call', {}, { ask: async () => ({ action: 'accept' }) }),
    )
    expect(problemWords(problem).said).toContain(words)
  })
})

describe('a list', () => {
  it('has all its pages', async () => {
    const pages = [{ tools: [{ name: 'a' }, 'no tool'], nextCursor: '1' }, { tools: [{ name: 'b' }] }]
    const { client, sent } = scripted(modern((one, turn) => result(one, pages[turn - 2])))
    expect(await client.list('tools/list', 'tools')).toEqual({
      items: [{ name: 'a' }, { name: 'b' }],
      cut: undefined,
    })
    expect(sent[2]!.message.params).toMatchObject({ cursor: '1' })
  })

  it.each([
    ['goes round in circles', () => 'same', 'again and again', 2],
    ['does not end', (turn: number) => String(turn), 'more than 50 pages', 50],
  ])('that %s is cut', async (_what, cursor, words, count) => {
    const { client } = scripted(
      modern((one, turn) => result(one, { tools: [{ name: 'a' }], nextCursor: cursor(turn) })),
    )
    const { items, cut } = await client.list('tools/list', 'tools')
    expect(cut).toContain(words)
    expect(items).toHaveLength(count)
  })
})
