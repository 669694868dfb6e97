import { connect } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { memoryRevocations, revocable } from 'mcp-bearer/verify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { post, rpc } from './fixtures.ts'
import {
  ask,
  call,
  type EventReader,
  gatehouse,
  handClock,
  keeping,
  listenOn,
  openSession,
  person,
  reading,
  textIn,
  tokens,
} from './session-client.ts'

// Whatever looks after streams does so at intervals. Sockets and clients keep their own time.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const year = 365 * 86_400_000

function house(options = {}, http = {}) {
  const clock = handClock()
  const expiring = (ms: number) => ({ expiresAt: (clock() + ms) / 1000 })
  const known = tokens({
    short: person('alice', ['notes'], expiring(2000)),
    later: person('alice', ['notes'], expiring(60_000)),
    yearly: person('alice', ['notes'], expiring(year)),
    opaque: person('alice', ['notes']),
    bob: person('bob', ['notes']),
  })
  const revocations = memoryRevocations(clock)
  const auth = revocable(known, revocations, clock)
  const kept = keeping({ auth, clock, ...options }, http)
  kept.server.tool('echo', {}, () => 'echo')
  kept.server.resource('notes://today', { scopes: ['notes'] }, () => 'private')
  return {
    ...kept,
    clock,
    known,
    revocations,
    /** Time goes by, for the clock and for whatever looks at it. */
    async pass(ms: number) {
      clock.advance(ms)
      await vi.advanceTimersByTimeAsync(1000)
    },
  }
}

/** A subscription of 2026-07-28 that has begun. */
async function subscription(url: string, token: string): Promise<EventReader> {
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['notes://today'] }
  const response = await fetch(post(url, rpc('subscriptions/listen', { notifications }), token))
  const stream = reading(response)
  expect(await stream.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
  return stream
}

const farewell = {
  jsonrpc: '2.0',
  id: 1,
  result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 1 } },
}

describe('FL-10 D-40 a stream ends with its token', () => {
  it('the one of a session: nothing is told any more, and the token opens no other', async () => {
    const { server, listen, pass } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: 'short' })
    const stream = reading(await listenOn(wire))
    server.tool('one', {}, () => '')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    await pass(2000)
    server.tool('two', {}, () => '')
    expect(await stream.rest()).toEqual([])
    expect((await listenOn(wire, stream.lastId)).status).toBe(401)
    // A refreshed token goes on where the old one ended.
    const next = reading(await listenOn({ ...wire, token: 'later' }, stream.lastId))
    expect(await next.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
  })

  it('at once, not at the next look: what comes in between is not sent', async () => {
    const { server, listen, clock } = house()
    const { url } = await listen()
    const stream = reading(await listenOn(await openSession({ url, token: 'short' })))
    await stream.event()
    clock.advance(2000)
    server.tool('two', {}, () => '')
    expect(await stream.rest()).toEqual([])
  })

  it('that of a call: the call goes on, and a refreshed token gets the rest', async () => {
    const { server, listen, pass } = house()
    const door = gatehouse()
    server.tool('slow', {}, async (_args, ctx) => {
      await ctx.progress(1)
      await door.enter()
      return `done ${ctx.signal.aborted}`
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: 'short' })
    const stream = reading(await call(wire, 'slow', {}, 3, 'p'))
    await stream.next()
    await pass(2000)
    expect(await stream.rest()).toEqual([])
    const next = reading(await listenOn({ ...wire, token: 'later' }, stream.lastId))
    door.open()
    expect((await next.rest()).map(textIn)).toEqual(['done false'])
  })

  it('a subscription of 2026-07-28, with a last word', async () => {
    const { server, listen, pass } = house()
    const { url } = await listen()
    const stream = await subscription(url, 'short')
    await pass(2000)
    server.resourceUpdated('notes://today')
    expect(await stream.rest()).toEqual([farewell])
  })

  it('and not before: others go on', async () => {
    const { server, listen, pass } = house()
    const { url } = await listen()
    const streams = [await subscription(url, 'short'), await subscription(url, 'later')]
    await pass(1999)
    server.resourceUpdated('notes://today')
    for (const stream of streams)
      expect((await stream.next())?.params).toMatchObject({ uri: 'notes://today' })
    await pass(1)
    expect(await streams[0]!.rest()).toEqual([farewell])
    server.resourceUpdated('notes://today')
    expect((await streams[1]!.next())?.params).toMatchObject({ uri: 'notes://today' })
  })

  it('FL-11 a token valid for a year keeps its stream, for a year', async () => {
    const { server, listen, pass } = house({}, { sessions: { lifetimeMs: 7 * 86_400_000 } })
    const { url } = await listen()
    const stream = await subscription(url, 'yearly')
    for (const ms of [1000, 30 * 86_400_000, year - 31 * 86_400_000]) {
      await pass(ms)
      server.resourceUpdated('notes://today')
      expect((await stream.next())?.params).toMatchObject({ uri: 'notes://today' })
    }
    await pass(86_400_000)
    expect(await stream.rest()).toEqual([farewell])
  })
})

describe('D-41 a stream ends when its token is revoked', () => {
  it('before the next event, and soon when there is none', async () => {
    const { server, listen, revocations, pass } = house()
    const { url } = await listen()
    const session = await openSession({ url, token: 'later' })
    const streams = [reading(await listenOn(session)), await subscription(url, 'later')] as const
    const others = await subscription(url, 'yearly')
    revocations.revoke({ token: 'later' })
    server.resourceUpdated('notes://today')
    server.tool('new', {}, () => '')
    expect(await streams[1].rest()).toEqual([farewell])
    expect(await streams[0].rest()).toEqual([])
    const heard = [await others.next(), await others.next()].map((message) => message?.method)
    expect(heard.sort()).toEqual(['notifications/resources/updated', 'notifications/tools/list_changed'])
    const idle = await subscription(url, 'opaque')
    revocations.revoke({ token: 'opaque' })
    await pass(1000)
    expect(await idle.rest()).toEqual([farewell])
  })

  it('within a minute, when only its verifier knows; and so does one that has lost a scope', async () => {
    const { server, listen, known, pass } = house()
    const { url } = await listen()
    const revoked = await subscription(url, 'opaque')
    const reduced = await subscription(url, 'bob')
    known.known.delete('opaque')
    known.known.set('bob', person('bob', []))
    await pass(60_000)
    expect(await revoked.rest()).toEqual([farewell])
    server.resourceUpdated('notes://today')
    expect(await reduced.rest()).toEqual([farewell])
  })

  it('A-41 and one that is bound to tools since, also to fewer than it was', async () => {
    const { server, listen, known, pass } = house()
    const { url } = await listen()
    known.known.set('two', { ...person('carol'), tools: ['a', 'b'] })
    const fewer = reading(await listenOn(await openSession({ url, token: 'two' })))
    const bound = await subscription(url, 'bob')
    known.known.set('bob', { ...person('bob', ['notes']), tools: ['a'] })
    await pass(60_000)
    server.resourceUpdated('notes://today')
    expect(await bound.rest()).toEqual([farewell])
    server.tool('a', {}, () => '')
    expect((await fewer.next())?.method).toBe('notifications/tools/list_changed')
    known.known.set('two', { ...person('carol'), tools: ['b'] })
    await pass(60_000)
    server.remove('tool', 'a')
    expect(await fewer.rest()).toEqual([])
  })
})

describe('a reader', () => {
  it.each(['sockets', 'fetch'])(
    'one long message is not too much for a reader who keeps up (%s)',
    async (way) => {
      const { server, listen } = house()
      server.tool('long', {}, async (_args, ctx) => {
        await ctx.progress(1)
        return 'x'.repeat(9_000_000)
      })
      const { url } = await listen()
      const to = way === 'fetch' ? { url, token: 'later', fetch: server.fetch } : { url, token: 'later' }
      const stream = reading(await call(await openSession(to), 'long', {}, 1, 'p'))
      expect((await stream.rest()).map((message) => textIn(message)?.length)).toEqual([undefined, 9_000_000])
    },
  )

  it('who does not keep up loses the stream, and can take up the rest', async () => {
    const { server } = house()
    const sent = gatehouse()
    server.tool('flood', {}, async (_args, ctx) => {
      for (let at = 0; at < 20; at++) await ctx.log('info', `${at} ${'y'.repeat(900_000)}`)
      sent.enter()
      return 'done'
    })
    const wire = await openSession({ url: 'http://localhost/mcp', token: 'later', fetch: server.fetch })
    const answer = await call(wire, 'flood')
    await sent.arrived
    const stream = reading(answer)
    expect((await stream.rest()).length).toBeLessThan(20)
    const next = reading(await listenOn(wire, stream.lastId))
    expect(textIn((await next.rest()).at(-1))).toBe('done')
  })
})

describe('closing the server', () => {
  it('ends streams of every kind at once, each in its way', async () => {
    const { server, listen } = house({}, { legacySse: true })
    const { url } = await listen()
    const session = reading(await listenOn(await openSession({ url, token: 'later' })))
    const old = reading(await listenOn({ url: new URL('/sse', url).href, token: 'later' }))
    const listening = await subscription(url, 'later')
    const start = Date.now()
    await server.close()
    expect(await listening.rest()).toEqual([farewell])
    expect(await session.rest()).toEqual([])
    expect(await old.rest()).toEqual([])
    // Calls in flight would have five seconds.
    expect(Date.now() - start).toBeLessThan(2500)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets a call of a session finish on its stream', async () => {
    const { server, listen } = house()
    const door = gatehouse()
    server.tool('slow', {}, async (_args, ctx) => {
      await ctx.progress(1)
      await door.enter()
      return 'done'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: 'later' })
    const stream = reading(await call(wire, 'slow', {}, 3, 'p'))
    await stream.next()
    const closed = server.close()
    door.open()
    expect((await stream.rest()).map(textIn)).toEqual(['done'])
    await closed
  })

  it('a connection that has carried nothing does not hold it up', async () => {
    const { server, listen } = house()
    const { port } = await listen()
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    const start = Date.now()
    await server.close()
    expect(Date.now() - start).toBeLessThan(2500)
    socket.destroy()
  })
})

describe('the client of the official SDK', () => {
  it('FL-10 sees its session of 2025-11-25 survive the end of its stream, with a refreshed token', async () => {
    const { server, listen, pass, revocations } = house()
    const { url } = await listen()
    let token = 'short'
    const authProvider = {
      token: async () => token,
      onUnauthorized: async () => {
        token = 'later'
      },
    }
    const [opened, reopened] = [gatehouse(), gatehouse()]
    const verbs: string[] = []
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      authProvider,
      async fetch(input, init) {
        const response = await fetch(input, init)
        verbs.push(`${init?.method} ${response.status}`)
        if (init?.method === 'GET' && response.status === 200) {
          const gate = token === 'short' ? opened : reopened
          gate.enter()
        }
        return response
      },
      reconnectionScheduler: (reconnect) => void setImmediate(reconnect),
    })
    const changed = gatehouse()
    const client = new Client(
      { name: 'sdk', version: '1' },
      { listChanged: { tools: { autoRefresh: false, onChanged: () => void changed.enter() } } },
    )
    await client.connect(transport)
    const session = transport.sessionId
    await opened.arrived
    expect((await client.callTool({ name: 'echo' })).content).toMatchObject([{ text: 'echo' }])
    await pass(2000)
    await reopened.arrived
    server.tool('new', {}, () => '')
    await changed.arrived
    expect((await client.callTool({ name: 'echo' })).content).toMatchObject([{ text: 'echo' }])
    expect(transport.sessionId).toBe(session)
    expect(verbs.filter((verb) => verb.startsWith('GET'))).toEqual(['GET 200', 'GET 401', 'GET 200'])
    // FL-12: a token that stays bad is not tried for ever.
    revocations.revoke({ token: 'later' })
    verbs.length = 0
    const errors: string[] = []
    const exhausted = new Promise<void>((resolve) => {
      client.onerror = ({ message }) => {
        errors.push(message)
        if (message.includes('Maximum reconnection')) resolve()
      }
    })
    await pass(1000)
    await exhausted
    expect(new Set(verbs)).toEqual(new Set(['GET 401']))
    expect(verbs.length).toBeLessThan(8)
    await client.close()
  })

  it.each(['expiry', 'revocation', 'shutdown'])(
    'FL-10 reports a graceful end of its subscription (%s)',
    async (reason) => {
      const { server, listen, pass, revocations } = house()
      const { url } = await listen()
      const authProvider = { token: async () => 'short' }
      const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider })
      const client = new Client(
        { name: 'sdk', version: '1' },
        { versionNegotiation: { mode: { pin: '2026-07-28' } } },
      )
      await client.connect(transport)
      const subscribed = await client.listen({ toolsListChanged: true })
      if (reason === 'expiry') await pass(2000)
      if (reason === 'revocation') revocations.revoke({ token: 'short' })
      if (reason === 'revocation') await pass(1)
      if (reason === 'shutdown') await server.close()
      expect(await subscribed.closed).toBe('graceful')
      await client.close()
    },
  )

  it('FL-12 gives up a stream whose call it has cancelled, after few tries', async () => {
    const { server, listen } = house()
    const inside = gatehouse()
    server.tool('slow', {}, async (_args, ctx) => {
      await ctx.progress(1)
      await inside.enter()
    })
    const { url } = await listen()
    const resumed: number[] = []
    const ended = gatehouse()
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      authProvider: { token: async () => 'later' },
      async fetch(input, init) {
        const response = await fetch(input, init)
        if (new Headers(init?.headers).has('last-event-id')) resumed.push(response.status)
        return response
      },
      reconnectionScheduler: (reconnect) => void setImmediate(reconnect),
    })
    const client = new Client({ name: 'sdk', version: '1' })
    await client.connect(transport)
    client.onerror = ({ message }) => {
      if (message.includes('Maximum reconnection')) ended.enter()
    }
    const leaving = new AbortController()
    const options = { signal: leaving.signal, onprogress: () => {} }
    const pending = client.callTool({ name: 'slow' }, options)
    pending.catch(() => {})
    await inside.arrived
    leaving.abort('changed my mind')
    await expect(pending).rejects.toThrow()
    await ended.arrived
    expect(resumed).toEqual([400, 400])
    expect((await client.callTool({ name: 'echo' })).content).toMatchObject([{ text: 'echo' }])
    await client.close()
  })

  it('2026-07-28 asks nothing of sessions: GET and DELETE are of the other revision', async () => {
    const { listen } = house()
    const { url } = await listen()
    expect((await ask({ url, token: 'later' }, 'tools/list')).status).toBe(400)
    expect((await fetch(post(url, rpc('tools/list'), 'later'))).status).toBe(200)
  })
})
