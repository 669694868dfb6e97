import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { answerOf, type Revision, revisions, rpc, textOf } from '../server/fixtures.ts'
import { type Meeting, openMeeting } from './server-meeting.ts'
import { type Peer, peer, tokenOf } from './server-peer.ts'

/** When a runtime learns that a caller has left: as it happens, or from its next attempt to send them something. */
export type NoticesLeaving = 'at once' | 'when it sends'

/**
 * What the protected server does, wherever it is served. Every answer is compared with the same one, so what holds here
 * of one runtime holds of all.
 *
 * @param urlOf gives the URL of the endpoint, once the tests run
 */
export function protectedServerContract(urlOf: () => string, noticesLeaving: NoticesLeaving): void {
  refusesStrangers(urlOf)
  describe.each(revisions)('in %s', (revision) => {
    servesCallers(urlOf, revision)
  })
  noticesWhoLeaves(urlOf, noticesLeaving)
}

const alice = tokenOf('alice', { scope: 'read write admin' })
const bob = tokenOf('bob')
const evil = tokenOf('alice', { iss: 'https://evil.example.com/' })
const old = tokenOf('alice', { iat: 1_700_000_000, exp: 1_700_003_600 })

/** Everything of a refusal that a client reads. */
async function refusalOf(response: Response) {
  const { status, headers } = response
  const read = (name: string) => headers.get(name)
  return {
    status,
    challenge: read('www-authenticate'),
    type: read('content-type'),
    cache: read('cache-control'),
    body: await response.text(),
  }
}

const noToken = {
  status: 401,
  challenge: 'Bearer realm="mcp"',
  type: 'application/json',
  cache: 'no-store',
  body: '{"error":"unauthorized","error_description":"Authentication required"}',
}
const badToken = {
  ...noToken,
  challenge: 'Bearer realm="mcp", error="invalid_token", error_description="Token is invalid or expired"',
  body: '{"error":"invalid_token","error_description":"Token is invalid or expired"}',
}
const oldToken = {
  ...badToken,
  challenge: 'Bearer realm="mcp", error="invalid_token", error_description="The access token expired"',
}
const noScope = {
  ...noToken,
  status: 403,
  challenge:
    'Bearer realm="mcp", error="insufficient_scope", error_description="The access token lacks a scope this operation needs", scope="admin write"',
  body: '{"error":"insufficient_scope","error_description":"The access token lacks a scope this operation needs","scope":"admin write"}',
}

function refusesStrangers(urlOf: () => string): void {
  it.each(['POST', 'GET', 'DELETE', 'HEAD'])('A-01 answers a %s without a token with 401', async (method) => {
    const { headers, body } = rpc('tools/list')
    const response = await fetch(urlOf(), { method, headers, ...(method === 'POST' && { body }) })
    expect(await refusalOf(response)).toEqual(method === 'HEAD' ? { ...noToken, body: '' } : noToken)
  })

  it('A-01 answers a notification without a token with 401', async () => {
    const { headers } = rpc('notifications/initialized')
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect(await refusalOf(await fetch(urlOf(), { method: 'POST', headers, body }))).toEqual(noToken)
  })

  it('does not wait for the body of a stranger', async () => {
    const { headers } = rpc('tools/list')
    const aborted = new AbortController()
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([123])) })
    const init = { method: 'POST', headers, body, duplex: 'half', signal: aborted.signal } as const
    const response = await fetch(urlOf(), init)
    expect(await refusalOf(response)).toEqual(noToken)
    aborted.abort()
  })

  it.each([
    ['that is none', 'not-a-token', badToken],
    ['of another issuer', evil, badToken],
    ['with another signature', `${alice.slice(0, -9)}AAAAAAAAA`, badToken],
    ['that is over', old, oldToken],
  ])('A-02 answers a token %s with 401 invalid_token', async (_about, token, expected) => {
    const { headers, body } = rpc('tools/list')
    const authorization = `Bearer ${token}`
    const response = await fetch(urlOf(), { method: 'POST', headers: { ...headers, authorization }, body })
    expect(await refusalOf(response)).toEqual(expected)
  })
}

function servesCallers(urlOf: () => string, revision: Revision): void {
  let meeting: Meeting
  let admin: Peer
  let reader: Peer
  beforeAll(async () => {
    meeting = await openMeeting()
    admin = await peer(urlOf(), revision, alice)
    reader = await peer(urlOf(), revision, bob)
  })
  afterAll(() => meeting?.close())

  it('shows tools, and those with scopes only to who has them', async () => {
    const namesFor = async (caller: Peer) => {
      const { result = {} } = await answerOf(await caller.send('tools/list'))
      return (result.tools as { name: string }[]).map(({ name }) => name)
    }
    expect(await namesFor(reader)).toEqual(['whoami', 'meet', 'was-left'])
    expect(await namesFor(admin)).toEqual(['whoami', 'meet', 'was-left', 'purge'])
  })

  it('calls a tool, which knows its caller after an await and in a timer', async () => {
    const { result } = await answerOf(await reader.call('whoami'))
    const everywhere = { before: 'bob', inTimer: 'bob', after: 'bob', context: 'bob' }
    expect(result?.structuredContent).toEqual(everywhere)
  })

  it('answers a call beyond the scopes with 403, naming the scopes', async () => {
    expect(await refusalOf(await reader.call('purge'))).toEqual(noScope)
    expect(textOf(await answerOf(await admin.call('purge')))).toBe('purged')
  })

  it('reads a resource and a template, and gets a prompt', async () => {
    const read = async (uri: string) => {
      const { result = {} } = await answerOf(await reader.send('resources/read', { uri }))
      return (result.contents as { text: string }[])[0]?.text
    }
    expect(await read('notes://today')).toBe('A note for bob')
    expect(JSON.parse((await read('users://42')) ?? '')).toEqual({ id: '42', caller: 'bob' })
    const prompt = await reader.send('prompts/get', { name: 'greet', arguments: { name: 'Eve' } })
    expect((await answerOf(prompt)).result?.messages).toEqual([
      { role: 'user', content: { type: 'text', text: 'Say hello to Eve from bob' } },
    ])
  })

  it('accepts a notification', async () => {
    const response = await reader.notify('notifications/initialized')
    expect([response.status, await response.text()]).toEqual([202, ''])
  })

  it('FL-16 keeps two principals apart who call at the same time with the same ids', async () => {
    const calls = [1, 2, 3].flatMap((id) =>
      (['alice', 'bob'] as const).map((subject) => ({ id, subject, at: meeting.place() })),
    )
    const answers = calls.map(async ({ id, subject, at }) =>
      answerOf(await (subject === 'alice' ? admin : reader).call('meet', { at }, { id })),
    )
    // All of them are inside now, and leave in the other order.
    const visits = await Promise.all(calls.map(({ at }) => meeting.visit(at)))
    for (const [n, visit] of [...visits.entries()].reverse()) visit.answer(`answer ${n}`)
    const expected = calls.map(({ id, subject, at }, n) => {
      const seen = { at, said: `answer ${n}`, before: subject, after: subject, context: subject }
      return { id, result: expect.objectContaining({ structuredContent: seen }) }
    })
    expect(await Promise.all(answers)).toEqual(expected.map((one) => expect.objectContaining(one)))
  })

  it('sends an answer in pieces, as they come', async () => {
    const at = meeting.place()
    const response = await reader.call('meet', { at }, { progress: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const pieces = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
    const first = await textUntil(pieces, 'on the way')
    expect(first).not.toContain('on the way back')
    ;(await meeting.visit(at)).answer('welcome')
    expect(await textUntil(pieces, 'welcome')).toContain('on the way back')
    await pieces.return?.()
  })

  it('serves the client of the official SDK', async () => {
    const mode = revision === '2026-07-28' ? 'auto' : 'legacy'
    const client = new Client({ name: 'sdk', version: '1' }, { versionNegotiation: { mode } })
    const requestInit = { headers: { authorization: `Bearer ${bob}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(urlOf()), { requestInit }))
    try {
      expect(client.getNegotiatedProtocolVersion()).toBe(revision)
      expect(client.getServerVersion()).toMatchObject({ name: 'everywhere', version: '1.2.3' })
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toEqual(['whoami', 'meet', 'was-left'])
      const { structuredContent } = await client.callTool({ name: 'whoami' })
      expect(structuredContent).toMatchObject({ before: 'bob', after: 'bob' })
      await expect(client.callTool({ name: 'purge' })).rejects.toThrow()
    } finally {
      await client.close()
    }
  })
}

/** Of 2026-07-28: before, whoever disconnected could come back for the answer. */
function noticesWhoLeaves(urlOf: () => string, noticesLeaving: NoticesLeaving): void {
  const always = [['while it sends', { progress: true, isTalkative: true }]] as const
  const atOnce = [
    ['before the answer', { progress: false, isTalkative: false }],
    ['in the middle of the answer', { progress: true, isTalkative: false }],
  ] as const
  const moments = noticesLeaving === 'at once' ? [...always, ...atOnce] : always

  it.each(moments)('D-43 tells a handler that its caller has left %s', async (_about, moment) => {
    const meeting = await openMeeting()
    onTestFinished(() => meeting.close())
    const caller = await peer(urlOf(), '2026-07-28', bob)
    const { progress, isTalkative } = moment
    const at = meeting.place()
    const leaving = new AbortController()
    const gone = caller
      .call('meet', { at, isTalkative }, { progress, signal: leaving.signal })
      .then((response) => response.text())
      .catch((error: Error) => error.name)
    const visit = await meeting.visit(at)
    leaving.abort()
    expect(await gone).toBe('AbortError')
    await visit.left
    const { result } = await answerOf(await caller.call('was-left', { at }))
    expect(result?.structuredContent).toEqual({ left: true })
  })
}

/** Reads on until this text has come. */
async function textUntil(pieces: AsyncIterator<string>, wanted: string): Promise<string> {
  let text = ''
  while (!text.includes(wanted)) {
    const { done, value } = await pieces.next()
    if (done) throw new Error(`the answer ended before "${wanted}": ${text}`)
    text += value
  }
  return text
}
