import { AuthError, Client, type ClientOptions } from 'mcp-bearer/client'
import type { MCPServer } from 'mcp-bearer/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeListening, listening, type Revision, revisions, Tokens, type Wire, wire } from './peers.ts'
import { failure } from './servers.ts'

afterEach(closeListening)

const today = 'notes://today'

function build(server: MCPServer): void {
  server.resource(today, {}, () => 'Buy milk.')
  server.resource('notes://tomorrow', {}, () => 'Nothing.')
  server.tool('one', {}, () => 'x')
  server.prompt('one', {}, () => 'x')
}

interface Peer {
  readonly client: Client
  readonly tokens: Tokens
  readonly wire: Wire
  readonly peer: Awaited<ReturnType<typeof listening>>
  /** The token the client has. */
  token: string
}

async function subscriber(revision: Revision, options: ClientOptions = {}): Promise<Peer> {
  const tokens = new Tokens()
  const peer = await listening(build, { auth: tokens, clock: tokens.clock })
  const way = wire(revision)
  const self = { tokens, wire: way, peer, token: tokens.grant('token-1') }
  const auth = { token: async () => self.token }
  return Object.assign(self, { client: new Client(peer.url, { auth, fetch: way.fetch, ...options }) })
}

/** Waits as long as the SDK and a busy machine may take. */
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 8000 })
const times = (listener: ReturnType<typeof vi.fn>, what: object) =>
  listener.mock.calls.filter(([change]) => JSON.stringify(change) === JSON.stringify(what)).length

describe.each(revisions)('with a server of %s', (revision) => {
  it('changes are told, and only those that are asked for', async () => {
    const { client, peer } = await subscriber(revision)
    await using _ = client
    const some = vi.fn()
    const all = vi.fn()
    const first = await client.subscribe({ resources: [today] }, some)
    await client.subscribe(
      { resources: [today, 'notes://tomorrow'], tools: true, prompts: true, resourceList: true },
      all,
    )
    peer.server.resourceUpdated('notes://tomorrow')
    peer.server.resourceUpdated(today)
    peer.server.tool('two', {}, () => 'x')
    peer.server.prompt('two', {}, () => 'x')
    peer.server.resource('notes://never', {}, () => 'x')
    await eventually(() => expect(all).toHaveBeenCalledTimes(5))
    const changes = all.mock.calls.map(([change]) => change)
    expect(changes).toEqual(
      expect.arrayContaining([
        { kind: 'resource', uri: 'notes://tomorrow' },
        { kind: 'resource', uri: today },
        { kind: 'tools' },
        { kind: 'prompts' },
        { kind: 'resourceList' },
      ]),
    )
    expect(some.mock.calls).toEqual([[{ kind: 'resource', uri: today }]])
    await first.close()
    expect(await first.closed).toEqual({ reason: 'closed' })
    peer.server.resourceUpdated(today)
    await eventually(() => expect(all).toHaveBeenCalledTimes(6))
    expect(some).toHaveBeenCalledTimes(1)
  })

  it('a listener that throws disturbs nothing', async () => {
    const { client, peer } = await subscriber(revision)
    await using _ = client
    const listener = vi.fn(() => {
      throw new Error('mine')
    })
    await client.subscribe({ tools: true }, listener)
    peer.server.tool('two', {}, () => 'x')
    await eventually(() => expect(listener).toHaveBeenCalledTimes(1))
    peer.server.tool('three', {}, () => 'x')
    await eventually(() => expect(listener).toHaveBeenCalledTimes(2))
  })

  it('what a server does not tell of is an error, not silence', async () => {
    const { url } = await listening((server) => void server.tool('one', {}, () => 'x'))
    await using client = new Client(url, { fetch: wire(revision).fetch })
    const error = await failure(client.subscribe({ prompts: true }, () => {}))
    expect(error).toMatchObject({ code: 'CAPABILITY_NOT_SUPPORTED' })
    expect(String(error)).toContain('prompts')
  })

  it('FL-87 a credential that is refused when it begins is the AuthError, of the call alone', async () => {
    const onAuthError = vi.fn()
    const peer = await subscriber(revision, { onAuthError })
    await using _ = peer.client
    await peer.client.ping()
    peer.tokens.revoke('token-1')
    const error = await failure(peer.client.subscribe({ resources: [today] }, () => {}))
    expect(error).toMatchObject({ name: 'AuthError', code: 'invalid_token', status: 401 })
    if (revision === '2026-07-28') expect(onAuthError).not.toHaveBeenCalled()
  })

  it('it goes on with a fresh token when the old one expires, and what was missed is made up for', async () => {
    const onAuthError = vi.fn()
    const peer = await subscriber(revision, { onAuthError })
    await using _ = peer.client
    const listener = vi.fn()
    const subscription = await peer.client.subscribe({ resources: [today] }, listener)
    peer.tokens.now += 3600_000
    peer.token = peer.tokens.grant('token-2')
    // The server ends the stream before it tells anybody whose token is over.
    peer.peer.server.resourceUpdated(today)
    await eventually(() => expect(listener).toHaveBeenCalled())
    const before = listener.mock.calls.length
    await eventually(() => {
      peer.peer.server.resourceUpdated(today)
      expect(listener.mock.calls.length).toBeGreaterThan(before)
    })
    expect(times(listener, { kind: 'resource', uri: today })).toBe(listener.mock.calls.length)
    expect(onAuthError).not.toHaveBeenCalled()
    await subscription.close()
    expect(peer.wire.sent.at(-1)?.authorization).toBe('Bearer token-2')
  })

  it('FL-96 when the next token is refused, it is over, and everybody knows why', async () => {
    const onAuthError = vi.fn()
    const peer = await subscriber(revision, { onAuthError })
    await using _ = peer.client
    const subscription = await peer.client.subscribe({ resources: [today], tools: true }, () => {})
    peer.tokens.now += 3600_000
    peer.peer.server.resourceUpdated(today)
    const end = await subscription.closed
    expect(end).toMatchObject({
      reason: 'lost',
      error: { name: 'AuthError', code: 'invalid_token', status: 401 },
    })
    expect(onAuthError).toHaveBeenCalledWith(expect.any(AuthError))
    if (revision === '2026-07-28') expect(onAuthError).toHaveBeenCalledTimes(1)
  })

  it('its signal, and the end of the client, close it', async () => {
    const { client } = await subscriber(revision)
    const abort = new AbortController()
    const first = await client.subscribe({ tools: true }, () => {}, { signal: abort.signal })
    const second = await client.subscribe({ tools: true }, () => {})
    abort.abort()
    expect(await first.closed).toEqual({ reason: 'closed' })
    await client.close()
    expect(await second.closed).toEqual({ reason: 'closed' })
    expect(await failure(client.subscribe({ tools: true }, () => {}))).toMatchObject({
      message: 'The client is closed',
    })
  })

  it('an abort before it begins is an abort', async () => {
    const { client } = await subscriber(revision)
    await using _ = client
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await failure(client.subscribe({ tools: true }, () => {}, { signal }))).toMatchObject({
      message: 'enough',
    })
  })
})

describe('when the server is restarted', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  /** Lets time pass in steps until something is so. */
  async function inTime(check: () => boolean): Promise<void> {
    for (let step = 0; step < 4000 && !check(); step++) {
      await vi.advanceTimersByTimeAsync(100)
      await new Promise(setImmediate)
    }
    expect(check()).toBe(true)
  }

  it.each(revisions)('the subscription is made again with it, in %s', async (revision) => {
    const { client, peer } = await subscriber(revision)
    const listener = vi.fn()
    await client.subscribe({ resources: [today], tools: true }, listener)
    await peer.stop()
    await peer.restart()
    await inTime(() => listener.mock.calls.length >= 2)
    expect(listener.mock.calls.slice(0, 2).map(([change]) => change)).toEqual([
      { kind: 'resource', uri: today },
      { kind: 'tools' },
    ])
    peer.server.resourceUpdated(today)
    await inTime(() => listener.mock.calls.length === 3)
    await client.close()
  })

  it.each(revisions)('and stays away, the subscription is over after a while, in %s', async (revision) => {
    const { client, peer, wire } = await subscriber(revision)
    const subscription = await client.subscribe({ tools: true }, () => {})
    let end: unknown
    void subscription.closed.then((value) => {
      end = value
    })
    await peer.stop()
    await inTime(() => end !== undefined)
    expect(end).toMatchObject({ reason: 'lost', error: { name: 'TypeError' } })
    const before = wire.sent.length
    expect(before).toBeLessThan(40)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(wire.sent.length).toBe(before)
    await client.close()
  })

  it('a refusal that passes is waited for', async () => {
    const { client, peer, wire } = await subscriber('2026-07-28')
    const listener = vi.fn()
    await client.subscribe({ tools: true }, listener)
    const refusals = [
      Response.json({ error: 'temporarily_unavailable' }, { status: 503 }),
      new Response(null, { status: 500 }),
    ]
    wire.fault = ({ rpc }) => (rpc === 'subscriptions/listen' ? refusals.shift() : undefined)
    await peer.stop()
    await peer.restart()
    await inTime(() => listener.mock.calls.length === 1)
    expect(refusals).toEqual([])
    expect(wire.count('subscriptions/listen')).toBeGreaterThanOrEqual(4)
    await client.close()
  })
})

it.each([
  ['nothing', {}],
  ['no list', { resources: 'notes://today' }],
  ['an empty URI', { resources: [''] }],
  ['a misspelt member', { tool: true }],
  ['a word for a flag', { tools: 'yes' }],
])('a filter of %s is a TypeError, before any request', async (_case, filter) => {
  await using client = new Client('http://127.0.0.1:1/mcp')
  expect(await failure(client.subscribe(filter as never, () => {}))).toBeInstanceOf(TypeError)
  expect(await failure(client.subscribe({ tools: true }, 'listener' as never))).toBeInstanceOf(TypeError)
})
