import { type Authorize, getAccessToken, MCPServer } from 'mcp-bearer/server'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  ask,
  bare,
  call,
  gatehouse,
  handClock,
  hello,
  keeping,
  listenOn,
  type Message,
  openSession,
  person,
  reading,
  said,
  send,
  tell,
  textIn,
  tokens,
  toolsOf,
} from './session-client.ts'

const alice = 'alice-1'
const bob = 'bob-1'

function house(options = {}, http = {}) {
  const verifier = tokens({
    [alice]: person('alice', ['read', 'admin']),
    'alice-low': person('alice', ['read']),
    'alice-new': person('alice', ['read', 'admin'], {
      claims: { sub: 'alice', iss: 'https://id.example', email: 'new@example' },
    }),
    [bob]: person('bob', ['read', 'admin']),
    'alice-elsewhere': person('alice', ['read'], { claims: { sub: 'alice', iss: 'https://other.example' } }),
  })
  const kept = keeping({ auth: verifier, ...options }, http)
  const { server } = kept
  server.tool('whoami', {}, (_args, { auth }) => `${auth?.subject} ${auth?.claims.email ?? ''}`.trim())
  server.tool('purge', { scopes: ['admin'] }, () => 'purged')
  server.tool('ambient', {}, async () => {
    await Promise.resolve()
    return getAccessToken()?.token ?? 'nobody'
  })
  return { ...kept, verifier }
}

/** A rule that takes its time when a tool is called, and none when it is listed. */
function slowRule(rule: ReturnType<typeof gatehouse>): Authorize {
  return async ({ arguments: args }) => {
    if (args !== undefined) await rule.enter()
    return true
  }
}

describe('a session', () => {
  it('D-62 has an id that cannot be guessed, of visible ASCII characters', async () => {
    const { listen } = house()
    const { url } = await listen()
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await openSession({ url, token: alice })).session),
    )
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).toMatch(/^[\x21-\x7e]{32,}$/)
  })

  it('D-60 FL-04 needs a token on every verb: its id stands in for nothing', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { session } = await openSession({ url, token: alice })
    for (const token of [undefined, 'bad']) {
      const wire = { url, session, token }
      const answers = [await call(wire, 'whoami'), await listenOn(wire), await bare(wire, 'DELETE')]
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401])
      for (const answer of answers) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /)
    }
    expect(await said(await call({ url, session, token: alice }, 'whoami'))).toBe('alice')
  })

  it('D-61 FL-01 FL-05 is to anybody else as if it were not there: the same bytes on every verb', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { session } = await openSession({ url, token: alice })
    for (const token of [bob, 'alice-elsewhere']) {
      const [theirs, unknown] = await Promise.all(
        [session, session.toLowerCase()].map(async (id) => {
          const wire = { url, token, session: id }
          const answers = [
            await call(wire, 'whoami'),
            await tell(wire, 'notifications/initialized'),
            await ask(wire, 'initialize', hello()),
            await listenOn(wire),
            await listenOn(wire, '0123456789abcdef-0-1'),
            await bare(wire, 'DELETE'),
          ]
          return Promise.all(
            answers.map(async (answer) => {
              const { date, ...headers } = Object.fromEntries(answer.headers)
              return { status: answer.status, headers, text: await answer.text() }
            }),
          )
        }),
      )
      expect(theirs?.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404])
      expect(theirs).toEqual(unknown)
    }
    expect(await said(await call({ url, session, token: alice }, 'whoami'))).toBe('alice')
  })

  it('D-63 whoever sends no id is told so; whoever ended it, too', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const nameless = { url, token: alice }
    const without = [await call(nameless, 'whoami'), await listenOn(nameless), await bare(nameless, 'DELETE')]
    expect(without.map(({ status }) => status)).toEqual([400, 400, 400])
    expect((await bare(wire, 'DELETE')).status).toBe(204)
    const after = [await call(wire, 'whoami'), await listenOn(wire), await bare(wire, 'DELETE')]
    expect(after.map(({ status }) => status)).toEqual([404, 404, 404])
  })

  it('D-65 is spoken to in a version the server knows', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const speaking = (version: string) => ({ ...wire, headers: { 'mcp-protocol-version': version } })
    expect((await call(speaking('1999-01-01'), 'whoami')).status).toBe(400)
    expect((await listenOn(speaking('1999-01-01'))).status).toBe(400)
    expect((await bare(speaking('1999-01-01'), 'DELETE')).status).toBe(400)
    expect((await call(speaking('2025-03-26'), 'whoami')).status).toBe(200)
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } })
    const authorization = { authorization: `Bearer ${alice}`, 'mcp-session-id': wire.session }
    const silent = await fetch(url, { method: 'POST', headers: { ...headers, ...authorization }, body })
    expect(await said(silent)).toBe('alice')
  })

  it('D-66 FL-02 goes on with a refreshed token of the same principal: claims and scopes are those of the new one', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { session } = await openSession({ url, token: alice })
    const seen: unknown[] = []
    for (const token of [alice, 'alice-new', 'alice-low']) {
      const wire = { url, session, token }
      seen.push([await said(await call(wire, 'whoami')), await said(await call(wire, 'ambient'))])
    }
    expect(seen).toEqual([
      ['alice', alice],
      ['alice new@example', 'alice-new'],
      ['alice', 'alice-low'],
    ])
  })

  it('FL-03 a downgraded token loses its tools at once, an upgraded one gains them', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { session } = await openSession({ url, token: 'alice-low' })
    const [low, high] = [
      { url, session, token: 'alice-low' },
      { url, session, token: alice },
    ]
    expect(await toolsOf(low)).toEqual(['whoami', 'ambient'])
    expect((await call(low, 'purge')).status).toBe(403)
    expect(await toolsOf(high)).toEqual(['whoami', 'purge', 'ambient'])
    expect(await said(await call(high, 'purge'))).toBe('purged')
    const refused = await call(low, 'purge')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin"')
    expect(await toolsOf(low)).toEqual(['whoami', 'ambient'])
  })

  it('is initialized once', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    expect((await ask(wire, 'initialize', hello())).status).toBe(400)
    expect(await said(await call(wire, 'whoami'))).toBe('alice')
  })

  it('takes no message that is none', async () => {
    const { listen } = house()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    for (const body of [
      [],
      {},
      null,
      7,
      [{ jsonrpc: '2.0', id: 1, method: 'ping' }],
      { jsonrpc: '2.0', id: null, method: 'ping' },
    ])
      expect([body, (await send(wire, body)).status]).toEqual([body, 400])
    expect(await said(await call(wire, 'whoami'))).toBe('alice')
  })

  it('is not needed, and not opened, without sessions', async () => {
    const { listen } = house({}, { sessions: false })
    const { url } = await listen()
    const opening = await ask({ url, token: alice }, 'initialize', hello())
    expect(opening.status).toBe(200)
    expect(opening.headers.has('mcp-session-id')).toBe(false)
    const wire = { url, token: alice }
    expect(await said(await call(wire, 'whoami'))).toBe('alice')
    expect([(await listenOn(wire)).status, (await bare(wire, 'DELETE')).status]).toEqual([405, 405])
  })

  it('D-67 FL-08 two principals with the same ids at the same time get each their own', async () => {
    const { server, listen } = house()
    const both = gatehouse()
    let inside = 0
    server.tool('meet', { inputSchema: z.object({ say: z.string() }) }, async ({ say }, ctx) => {
      const waiting = both.enter()
      if (++inside === 2) both.open()
      await waiting
      await ctx.progress(1)
      return `${ctx.auth?.subject} ${getAccessToken()?.subject} ${say} ${ctx.requestId}`
    })
    const { url } = await listen()
    const people = await Promise.all([alice, bob].map(async (token) => openSession({ url, token })))
    const answers = await Promise.all(
      people.map(async (wire, at) => said(await call(wire, 'meet', { say: `to ${at}` }, 7, 'p'))),
    )
    expect(answers).toEqual(['alice alice to 0 7', 'bob bob to 1 7'])
  })
})

describe('requests in flight', () => {
  it('FL-08 an id that is in use is refused, and nobody hangs', async () => {
    const { server, listen } = house()
    const waiting = gatehouse()
    server.tool('wait', {}, async () => {
      await waiting.enter()
      return 'waited'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = call(wire, 'wait', {}, 5)
    await waiting.arrived
    const second = await call(wire, 'whoami', {}, 5)
    expect(second.status).toBe(400)
    expect(await second.json()).toMatchObject({ id: 5, error: { code: -32600 } })
    expect(await said(await call(wire, 'whoami', {}, '5'))).toBe('alice')
    waiting.open()
    expect(await said(await first)).toBe('waited')
    expect(await said(await call(wire, 'whoami', {}, 5))).toBe('alice')
  })

  it('FL-08 an id is in use from the moment its request came, also while a rule is asked', async () => {
    const rule = gatehouse()
    const { server, listen } = house()
    server.tool('ruled', { authorize: slowRule(rule) }, () => 'ran')
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = call(wire, 'ruled', {}, 5)
    await rule.arrived
    expect((await call(wire, 'whoami', {}, 5)).status).toBe(400)
    rule.open()
    expect(await said(await first)).toBe('ran')
  })

  it('are cancelled by the id the client gave them; the connection does not stay open', async () => {
    const { server, listen } = house()
    const waiting = gatehouse()
    let signal: AbortSignal | undefined
    server.tool('wait', {}, async (_args, ctx) => {
      signal = ctx.signal
      await waiting.enter()
      return 'too late'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const pending = call(wire, 'wait', {}, 'mine')
    await waiting.arrived
    expect((await tell(wire, 'notifications/cancelled', { requestId: 'other' })).status).toBe(202)
    expect(signal?.aborted).toBe(false)
    expect((await tell(wire, 'notifications/cancelled', { requestId: 'mine' })).status).toBe(202)
    expect(signal?.aborted).toBe(true)
    const answer = await pending
    expect(await reading(answer).rest()).toEqual([])
    waiting.open()
    expect(await said(await call(wire, 'whoami', {}, 'mine'))).toBe('alice')
  })

  it('FL-01 are not cancelled by somebody else', async () => {
    const { server, listen } = house()
    const waiting = gatehouse()
    server.tool('wait', {}, async () => {
      await waiting.enter()
      return 'waited'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const other = await openSession({ url, token: bob })
    const pending = call(wire, 'wait', {}, 3)
    await waiting.arrived
    const cancelled = { requestId: 3 }
    expect((await tell({ ...wire, token: bob }, 'notifications/cancelled', cancelled)).status).toBe(404)
    expect((await tell(other, 'notifications/cancelled', cancelled)).status).toBe(202)
    waiting.open()
    expect(await said(await pending)).toBe('waited')
  })

  it('that are cancelled while a rule is asked do not run', async () => {
    const rule = gatehouse()
    const { server, listen } = house()
    const ran = vi.fn(() => 'ran')
    server.tool('ruled', { authorize: slowRule(rule) }, ran)
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const pending = call(wire, 'ruled', {}, 5)
    await rule.arrived
    await tell(wire, 'notifications/cancelled', { requestId: 5 })
    rule.open()
    expect(await reading(await pending).rest()).toEqual([])
    expect(ran).not.toHaveBeenCalled()
  })

  it('D-43 end when the client leaves before anything was sent', async () => {
    const { server, listen } = house()
    const aborted = new Promise<void>((resolve) => {
      server.tool('wait', {}, (_args, { signal }) => {
        signal.addEventListener('abort', () => resolve())
        inside.enter()
        return new Promise(() => {})
      })
    })
    const inside = gatehouse()
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const leaving = new AbortController()
    const pending = call({ ...wire, fetch: (request) => fetch(request, { signal: leaving.signal }) }, 'wait')
    pending.catch(() => {})
    await inside.arrived
    leaving.abort()
    await aborted
  })

  it('end with their session: each is answered, and its signal is aborted', async () => {
    const { server, listen } = house()
    const [plain, streaming] = [gatehouse(), gatehouse()]
    const signals: AbortSignal[] = []
    server.tool('plain', {}, async (_args, ctx) => {
      signals.push(ctx.signal)
      await plain.enter()
      return 'too late'
    })
    server.tool('streaming', {}, async (_args, ctx) => {
      signals.push(ctx.signal)
      await ctx.progress(1)
      await streaming.enter()
      return 'too late'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const first = call(wire, 'plain', {}, 1)
    const second = call(wire, 'streaming', {}, 2, 'p')
    await Promise.all([plain.arrived, streaming.arrived])
    expect((await bare(wire, 'DELETE')).status).toBe(204)
    const answer = await first
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ id: 1, error: { message: 'Session not found' } })
    expect((await reading(await second).rest()).map(({ method }) => method)).toEqual([
      'notifications/progress',
    ])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    plain.open()
    streaming.open()
  })

  it('that wait for a rule while their session ends do not run', async () => {
    const rule = gatehouse()
    const { server, listen } = house()
    const ran = vi.fn(() => 'ran')
    server.tool('ruled', { authorize: slowRule(rule) }, ran)
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const pending = call(wire, 'ruled')
    await rule.arrived
    await bare(wire, 'DELETE')
    rule.open()
    expect((await pending).status).toBe(404)
    expect(ran).not.toHaveBeenCalled()
  })
})

describe('questions to the client', () => {
  it('FL-01 are answered by the one who was asked: an answer posted by another principal is none', async () => {
    const { server, listen } = house()
    server.tool('confirm', {}, async (_args, ctx) => {
      const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
      const answer = await ctx.elicit<{ name: string }>({ message: 'Who?', schema })
      return answer.action === 'accept'
        ? `${answer.content.name} ${getAccessToken()?.subject}`
        : answer.action
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice }, { elicitation: {} })
    const other = await openSession({ url, token: bob }, { elicitation: {} })
    const stream = reading(await call(wire, 'confirm', {}, 9))
    const question = await stream.next()
    expect(question?.method).toBe('elicitation/create')
    const answer = (name: string) => ({
      jsonrpc: '2.0',
      id: question?.id,
      result: { action: 'accept', content: { name } },
    })
    expect((await send({ ...wire, token: bob }, answer('mallory'))).status).toBe(404)
    expect((await send(other, answer('mallory'))).status).toBe(202)
    expect((await send({ url, token: alice }, answer('nobody'))).status).toBe(400)
    expect((await send(wire, answer('alice'))).status).toBe(202)
    expect((await stream.rest()).map(textIn)).toEqual(['alice alice'])
  })
})

describe('the number of sessions', () => {
  it('FL-07 1,000 failed initializes leave nothing, and drive nobody out', async () => {
    const { server } = house(
      { limits: { failuresPerMinute: 0 } },
      { sessions: { maxPerPrincipal: 2, max: 3 } },
    )
    const wire = { url: 'http://localhost/mcp', token: alice, fetch: server.fetch }
    const kept = [await openSession(wire), await openSession(wire)]
    for (let at = 0; at < 250; at++) {
      const answers = [
        await ask(wire, 'initialize', { protocolVersion: 7 }),
        await ask({ ...wire, token: 'bad' }, 'initialize', hello()),
        await tell(wire, 'initialize', hello()),
        await ask({ ...wire, headers: { accept: 'application/json' } }, 'initialize', hello()),
      ]
      for (const answer of answers) {
        await answer.text()
        expect(answer.headers.has('mcp-session-id')).toBe(false)
      }
    }
    for (const each of kept) expect(await said(await call(each, 'whoami'))).toBe('alice')
    // There was room for three in all: the third is still free.
    expect((await ask({ ...wire, token: bob }, 'initialize', hello())).status).toBe(200)
  })

  it('of one principal is limited: the one idle longest makes room, also for a refreshed token', async () => {
    const clock = handClock()
    const { listen } = house({ clock }, { sessions: { maxPerPrincipal: 3 } })
    const { url } = await listen()
    const others = await openSession({ url, token: bob })
    const mine = []
    for (const token of [alice, 'alice-low', 'alice-new']) {
      mine.push({ ...(await openSession({ url, token })), token })
      clock.advance(1000)
    }
    expect((await call(mine[0]!, 'whoami')).status).toBe(200)
    clock.advance(1000)
    const next = await openSession({ url, token: alice })
    const statuses = []
    for (const wire of [...mine, next, others]) statuses.push((await call(wire, 'whoami')).status)
    expect(statuses).toEqual([200, 404, 200, 200, 200])
  })

  it('FL-14 one that is in use does not make room; the principal is told to wait', async () => {
    const { listen } = house({}, { sessions: { maxPerPrincipal: 1 } })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const stream = reading(await listenOn(wire))
    const refused = await ask({ url, token: alice }, 'initialize', hello())
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask({ url, token: bob }, 'initialize', hello())).status).toBe(200)
    await stream.cut()
    await vi.waitFor(async () =>
      expect((await ask({ url, token: alice }, 'initialize', hello())).status).toBe(200),
    )
    expect((await call(wire, 'whoami')).status).toBe(404)
  })

  it('of everybody is limited: nobody drives out another principal', async () => {
    const { listen } = house({}, { sessions: { max: 2 } })
    const { url } = await listen()
    const first = await openSession({ url, token: alice })
    const second = await openSession({ url, token: alice })
    expect((await ask({ url, token: bob }, 'initialize', hello())).status).toBe(429)
    const third = await openSession({ url, token: alice })
    const statuses = []
    for (const wire of [first, second, third]) statuses.push((await call(wire, 'whoami')).status)
    expect(statuses).toEqual([404, 200, 200])
  })

  it('is kept also when many come at once', async () => {
    const { listen } = house({}, { sessions: { maxPerPrincipal: 4 } })
    const { url } = await listen()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask({ url, token: alice }, 'initialize', hello())),
    )
    const alive = await Promise.all(
      answers.map(async (answer) => {
        const session = answer.headers.get('mcp-session-id') ?? 'none'
        return (await call({ url, token: alice, session }, 'whoami')).status
      }),
    )
    expect(alive.filter((status) => status === 200)).toHaveLength(4)
  })
})

describe('how often', () => {
  it('one principal asks is counted whatever it sends: requests, notifications, streams', async () => {
    const clock = handClock()
    const { server, listen } = house({ clock, limits: { requestsPerMinute: 4 } }, { legacySse: true })
    server.tool('idle', {}, () => '')
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    expect((await tell(wire, 'notifications/roots/list_changed')).status).toBe(202)
    expect((await listenOn(wire)).status).toBe(200)
    const beyond = [
      await call(wire, 'idle'),
      await tell(wire, 'notifications/roots/list_changed'),
      await listenOn(wire, 'any'),
      await listenOn({ url, token: alice }),
      await ask({ url, token: alice }, 'initialize', hello()),
    ]
    expect(beyond.map(({ status }) => status)).toEqual([429, 429, 429, 429, 429])
    expect((await call(await openSession({ url, token: bob }), 'idle')).status).toBe(200)
    // Who wants to leave may.
    expect((await bare(wire, 'DELETE')).status).toBe(204)
  })
})

describe('the life of a session', () => {
  it('FL-14 ends after it was idle, and each message puts that off', async () => {
    const clock = handClock()
    const { listen } = house({ clock }, { sessions: { idleMs: 60_000 } })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    for (let at = 0; at < 3; at++) {
      clock.advance(59_999)
      expect((await call(wire, 'whoami')).status).toBe(200)
    }
    clock.advance(59_999)
    expect((await call({ ...wire, token: bob }, 'whoami')).status).toBe(404)
    clock.advance(1)
    expect((await call(wire, 'whoami')).status).toBe(404)
  })

  it('FL-14 is not idle as long as a stream is open or a call runs, and begins to be when they end', async () => {
    const clock = handClock()
    const { server, listen } = house({ clock }, { sessions: { idleMs: 60_000 } })
    const waiting = gatehouse()
    server.tool('wait', {}, async () => {
      await waiting.enter()
      return 'waited'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const pending = call(wire, 'wait')
    await waiting.arrived
    clock.advance(600_000)
    waiting.open()
    expect(await said(await pending)).toBe('waited')
    clock.advance(59_999)
    const stream = reading(await listenOn(wire))
    await stream.event()
    clock.advance(600_000)
    expect((await bare(wire, 'DELETE')).status).toBe(204)
    expect(await stream.rest()).toEqual([])
  })

  it('FL-14 ends when its time is up, whatever happens', async () => {
    const clock = handClock()
    const { listen } = house({ clock }, { sessions: { lifetimeMs: 3_600_000 } })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    for (let at = 0; at < 3; at++) {
      clock.advance(1_199_000)
      expect((await call(wire, 'whoami')).status).toBe(200)
    }
    const stream = reading(await listenOn(wire))
    clock.advance(3000)
    expect((await call(wire, 'whoami')).status).toBe(404)
    expect(await stream.rest()).toEqual([])
  })

  it('ends for everybody when the clock breaks', async () => {
    let now = Date.UTC(2026, 0, 1)
    const { listen } = keeping({ clock: () => now })
    const { url } = await listen()
    const wire = await openSession({ url })
    now = Number.NaN
    expect((await ask(wire, 'ping')).status).toBe(404)
  })

  it('FL-05 another server knows nothing of it: 404, and a new one can be opened', async () => {
    const [one, two] = [house(), house()]
    const first = await one.listen()
    const { session } = await openSession({ url: first.url, token: alice })
    const { url } = await two.listen()
    expect((await call({ url, session, token: alice }, 'whoami')).status).toBe(404)
    expect(await said(await call(await openSession({ url, token: alice }), 'whoami'))).toBe('alice')
  })

  it('closing the server ends all; requests that come later are 503', async () => {
    const { server } = house()
    const wire = await openSession({ url: 'http://localhost/mcp', token: alice, fetch: server.fetch })
    const stream = reading(await listenOn(wire))
    await server.close()
    expect(await stream.rest()).toEqual([])
    expect((await call(wire, 'whoami')).status).toBe(503)
  })
})

describe('who is nobody', () => {
  it('has sessions with others who are nobody, never with somebody', async () => {
    const { listen } = house({ optionalAuth: true })
    const { url } = await listen()
    const nobody = await openSession({ url })
    const somebody = await openSession({ url, token: alice })
    expect((await call({ ...nobody, token: alice }, 'whoami')).status).toBe(404)
    expect((await call({ url, session: somebody.session }, 'whoami')).status).toBe(404)
    expect((await call({ ...nobody, token: 'bad' }, 'whoami')).status).toBe(401)
    expect((await call(nobody, 'purge')).status).toBe(401)
    expect(await toolsOf(nobody)).toEqual(['whoami', 'ambient'])
  })
})

describe('FL-16 what runs because of somebody else', () => {
  it('a rule is asked about the one who would hear of a change, not about the one who made it', async () => {
    const verifier = tokens({ [alice]: person('alice'), [bob]: person('bob') })
    const { server, listen } = keeping({ auth: verifier })
    const asked: [unknown, unknown][] = []
    const ambient: Authorize = ({ auth }) => {
      asked.push([auth?.subject, getAccessToken()?.subject])
      return getAccessToken()?.subject === 'alice'
    }
    server.resource('notes://alice', { authorize: ambient }, () => 'private')
    server.tool('change', {}, () => {
      server.resourceUpdated('notes://alice')
      return 'changed'
    })
    const { url } = await listen()
    const wire = await openSession({ url, token: alice })
    const other = await openSession({ url, token: bob })
    const stream = reading(await listenOn(wire))
    expect((await ask(wire, 'resources/subscribe', { uri: 'notes://alice' })).status).toBe(200)
    asked.length = 0
    expect(await said(await call(other, 'change'))).toBe('changed')
    expect(await stream.next()).toMatchObject({ method: 'notifications/resources/updated' })
    expect(asked).toEqual([['alice', 'alice']])
    asked.length = 0
    server.resourceUpdated('notes://alice')
    expect(await stream.next()).toMatchObject({ method: 'notifications/resources/updated' })
    expect(asked).toEqual([['alice', 'alice']])
    expect(getAccessToken()).toBeUndefined()
  })

  it('an identity is gone when its token is over, in work that goes on', async () => {
    const clock = handClock()
    const auth = tokens({ short: person('alice', [], { expiresAt: clock() / 1000 + 10 }) })
    const server = new MCPServer({ name: 'x', auth, clock, logger: () => {} })
    let later: Promise<unknown> = Promise.resolve()
    const gate = gatehouse()
    server.tool('go', {}, () => {
      later = gate.enter().then(() => getAccessToken())
      return getAccessToken()?.subject ?? 'nobody'
    })
    const wire = await openSession({ url: 'http://localhost/mcp', token: 'short', fetch: server.fetch })
    const answer = (await (await call(wire, 'go')).json()) as Message
    expect(textIn(answer)).toBe('alice')
    clock.advance(10_000)
    gate.open()
    expect(await later).toBeUndefined()
    await server.close()
  })
})
