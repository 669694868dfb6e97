import { request as rawRequest } from 'node:http'
import { Client, SSEClientTransport } from '@modelcontextprotocol/client'
import { memoryRevocations, revocable } from 'mcp-bearer/verify'
import { describe, expect, it, vi } from 'vitest'
import {
  ask,
  bare,
  call,
  type EventReader,
  gatehouse,
  hello,
  keeping,
  listenOn,
  openSession,
  person,
  reading,
  said,
  tell,
  textIn,
  tokens,
  type Wire,
} from './session-client.ts'

const alice = 'alice-1-7f3a9c'
const bob = 'bob-1-51d2e8'

function house(options = {}, http = {}) {
  const revocations = memoryRevocations()
  const auth = revocable(
    tokens({
      [alice]: person('alice', ['admin']),
      'alice-low': person('alice'),
      [bob]: person('bob', ['admin']),
    }),
    revocations,
  )
  const kept = keeping({ auth, ...options }, { legacySse: true, ...http })
  kept.server.tool('whoami', {}, (_args, { auth }) => auth?.subject ?? 'nobody')
  kept.server.tool('purge', { scopes: ['admin'] }, () => 'purged')
  kept.server.resource('notes://today', { scopes: ['admin'] }, () => 'private')
  return { ...kept, revocations }
}

/** A client of 2024-11-05: its stream, and where it posts to. */
async function openOld(url: string, token: string): Promise<Wire & { stream: EventReader }> {
  const stream = reading(await listenOn({ url, token }))
  const endpoint = await stream.event()
  expect(endpoint?.event).toBe('endpoint')
  const wire: Wire = { url: new URL(endpoint?.data ?? '', url).href, token, headers: {} }
  const old = { ...wire, headers: { 'mcp-protocol-version': '2024-11-05' }, stream }
  expect((await ask(old, 'initialize', hello({}, '2024-11-05'), 0)).status).toBe(202)
  expect(await stream.next()).toMatchObject({ id: 0, result: { protocolVersion: '2024-11-05' } })
  await tell(old, 'notifications/initialized')
  return old
}

describe('HTTP with SSE, as of 2024-11-05', () => {
  it('D-68 is off unless it is switched on', async () => {
    const { listen } = house({}, { legacySse: false })
    const { url } = await listen()
    expect((await listenOn({ url: new URL('/sse', url).href, token: alice })).status).toBe(404)
    expect((await listenOn({ url, token: alice })).status).toBe(400)
  })

  it('answers over the one stream, on /sse and on the path of the endpoint', async () => {
    const { listen } = house()
    const { url } = await listen()
    for (const at of [url, new URL('/sse', url).href]) {
      const { stream, ...wire } = await openOld(at, alice)
      const posted = await call(wire, 'whoami', {}, 7)
      expect([posted.status, await posted.text()]).toEqual([202, ''])
      expect(textIn(await stream.next())).toBe('alice')
      await stream.cut()
    }
  })

  it('D-68 FL-04 both endpoints need a token; the endpoint event holds none', async () => {
    const { listen } = house()
    const { url } = await listen()
    const sse = new URL('/sse', url).href
    for (const token of [undefined, 'bad']) {
      for (const at of [url, sse]) expect((await listenOn({ url: at, token })).status).toBe(401)
    }
    const { stream: _stream, ...wire } = await openOld(sse, alice)
    expect(wire.url).not.toContain(alice)
    for (const token of [undefined, 'bad'])
      expect((await call({ ...wire, token }, 'whoami')).status).toBe(401)
  })

  it('D-61 D-68 belongs to who opened it: to anybody else it is as if it were not there', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { stream, ...wire } = await openOld(url, alice)
    const theirs = await call({ ...wire, token: bob }, 'whoami')
    const unknown = await call({ ...wire, url: `${url}?sessionId=none`, token: bob }, 'whoami')
    expect([theirs.status, unknown.status]).toEqual([404, 404])
    expect(await theirs.text()).toBe(await unknown.text())
    await call(wire, 'whoami', {}, 8)
    expect(await stream.next()).toMatchObject({ id: 8 })
  })

  it('D-61 the two kinds of sessions do not know each other', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { stream: _stream, ...old } = await openOld(url, alice)
    const id = new URL(old.url).searchParams.get('sessionId') ?? ''
    const streamable = await openSession({ url, token: alice })
    expect((await call({ url, token: alice, session: id }, 'whoami')).status).toBe(404)
    expect((await call({ ...old, url: `${url}?sessionId=${streamable.session}` }, 'whoami')).status).toBe(404)
    expect(await said(await call(streamable, 'whoami'))).toBe('alice')
  })

  it('D-66 FL-03 the scopes are those of the token that comes with the message', async () => {
    const { listen } = house()
    const { url } = await listen()
    const { stream, ...wire } = await openOld(url, alice)
    expect((await call({ ...wire, token: 'alice-low' }, 'purge', {}, 1)).status).toBe(403)
    expect((await call(wire, 'purge', {}, 2)).status).toBe(202)
    expect(await stream.next()).toMatchObject({ id: 2 })
  })

  it('FL-08 an id that is in use is refused; a call that is cancelled sends nothing', async () => {
    const { server, listen } = house()
    const waiting = gatehouse()
    let signal: AbortSignal | undefined
    server.tool('wait', {}, async (_args, ctx) => {
      signal = ctx.signal
      await waiting.enter()
      return 'waited'
    })
    const { url } = await listen()
    const { stream, ...wire } = await openOld(url, alice)
    expect((await call(wire, 'wait', {}, 5)).status).toBe(202)
    await waiting.arrived
    expect((await call(wire, 'whoami', {}, 5)).status).toBe(400)
    expect((await tell(wire, 'notifications/cancelled', { requestId: 5 })).status).toBe(202)
    expect(signal?.aborted).toBe(true)
    waiting.open()
    await call(wire, 'whoami', {}, 6)
    expect(await stream.next()).toMatchObject({ id: 6 })
  })

  it('ends with its stream, and with it what runs; a slot comes back', async () => {
    const { server, listen } = house({}, { sessions: { maxPerPrincipal: 1 } })
    const inside = gatehouse()
    const aborted = new Promise<void>((resolve) => {
      server.tool('wait', {}, (_args, { signal }) => {
        signal.addEventListener('abort', () => resolve())
        inside.enter()
        return new Promise(() => {})
      })
    })
    const { url } = await listen()
    const { stream, ...wire } = await openOld(url, alice)
    expect((await listenOn({ url, token: alice })).status).toBe(429)
    expect((await listenOn({ url, token: bob })).status).toBe(200)
    await call(wire, 'wait', {}, 5)
    await inside.arrived
    await stream.cut()
    await aborted
    await vi.waitFor(async () => expect((await call(wire, 'whoami')).status).toBe(404))
    expect((await listenOn({ url, token: alice })).status).toBe(200)
  })

  it('D-44 a stream beyond the limit leaves no session behind', async () => {
    const { listen } = house({ limits: { maxStreams: 1 } }, { sessions: { maxPerPrincipal: 2 } })
    const { url } = await listen()
    const { stream } = await openOld(url, alice)
    for (let at = 0; at < 3; at++) expect((await listenOn({ url, token: alice })).status).toBe(429)
    await stream.cut()
    await vi.waitFor(async () => expect((await listenOn({ url, token: alice })).status).toBe(200))
  })

  it('D-41 ends when its token is revoked: nothing is told any more', async () => {
    const { server, listen, revocations } = house()
    const { url } = await listen()
    const { stream, ...wire } = await openOld(url, alice)
    await ask(wire, 'resources/subscribe', { uri: 'notes://today' }, 1)
    expect(await stream.next()).toMatchObject({ id: 1 })
    server.resourceUpdated('notes://today')
    expect(await stream.next()).toMatchObject({ method: 'notifications/resources/updated' })
    revocations.revoke({ token: alice })
    server.resourceUpdated('notes://today')
    expect(await stream.rest()).toEqual([])
    expect((await call(wire, 'whoami')).status).toBe(401)
  })

  it('is told of changes', async () => {
    const { server, listen } = house()
    const { url } = await listen()
    const { stream } = await openOld(url, alice)
    server.tool('new', {}, () => 'new')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
  })

  it('works without sessions of the newer kind; what an old client posts goes to its stream', async () => {
    const { listen } = house({}, { sessions: false })
    const { url } = await listen()
    const { stream, ...wire } = await openOld(url, alice)
    expect((await call({ ...wire, token: bob }, 'whoami')).status).toBe(404)
    expect((await call(wire, 'whoami', {}, 3)).status).toBe(202)
    expect(textIn(await stream.next())).toBe('alice')
    // The newer kind is served without sessions.
    expect(await said(await call({ url, token: alice }, 'whoami'))).toBe('alice')
    expect((await bare({ url, token: alice }, 'DELETE')).status).toBe(405)
  })

  it('an address that is none is no failure of the server', async () => {
    const { listen, entries } = house()
    const { url, port } = await listen()
    const { stream: _stream } = await openOld(url, alice)
    for (const path of ['http://[oops]/mcp?sessionId=x', 'http://:0x/mcp?sessionId=%zz']) {
      const status = await new Promise((resolve, reject) => {
        const headers = {
          authorization: `Bearer ${alice}`,
          host: `127.0.0.1:${port}`,
          'content-type': 'application/json',
        }
        const sent = rawRequest({ port, path, method: 'POST', headers }, (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        })
        sent.on('error', reject)
        sent.end('{"jsonrpc":"2.0","id":1,"method":"ping"}')
      })
      expect(status).toBe(404)
    }
    expect(entries.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('closing the server ends its streams at once', async () => {
    const { server, listen } = house()
    const { url } = await listen()
    const { stream } = await openOld(url, alice)
    const start = Date.now()
    await server.close()
    expect(await stream.rest()).toEqual([])
    // Calls in flight would have five seconds.
    expect(Date.now() - start).toBeLessThan(2500)
  })

  it('the old client of the official SDK works', async () => {
    const { server, listen } = house()
    // The client drops progress that arrives together with the answer.
    const told = gatehouse()
    server.tool('steps', {}, async (_args, ctx) => {
      await ctx.progress(1, 2)
      await told.enter()
      return `done for ${ctx.auth?.subject}`
    })
    const { url } = await listen()
    const authProvider = { token: async () => alice }
    const transport = new SSEClientTransport(new URL('/sse', url), { authProvider })
    const client = new Client({ name: 'old', version: '1' })
    await client.connect(transport)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['whoami', 'purge', 'steps'])
    const seen: unknown[] = []
    const onprogress = (progress: unknown) => {
      seen.push(progress)
      told.open()
    }
    const { content } = await client.callTool({ name: 'steps' }, { onprogress })
    expect(content).toMatchObject([{ text: 'done for alice' }])
    expect(seen).toEqual([{ progress: 1, total: 2 }])
    await client.close()
  })
})
