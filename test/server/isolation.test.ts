/** Nothing of one principal reaches another: not an answer, not a notification, not an identity, not a cancellation. */
import { connect } from 'node:net'
import { getAccessToken, type HttpOptions, MCPServer, ToolError } from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { alice, bob, directory, post, type Revision, revisions, rpc } from './fixtures.ts'

interface Answer {
  readonly status: number
  readonly text: string
  readonly messages: readonly {
    readonly id?: unknown
    readonly result?: { readonly content?: [{ text: string }] }
  }[]
}
interface Wire {
  ask(bytes: string): Promise<Answer>
  cut(): void
}
interface Wires {
  take(): Wire
  give(wire: Wire): void
  close(): void
}
interface Found {
  readonly requests: number
  readonly faults: readonly string[]
  readonly calls: number
  readonly left: number
}
interface Random {
  below(n: number): number
  percent(share: number): boolean
}
type Soak = (
  library: object,
  options: { requests: number; seed: number; parallel?: number },
) => Promise<Found>

const { soak }: { soak: Soak } = await load('run.mjs')
const { wires, bytesOf }: { wires(port: number): Wires; bytesOf(sent: object): string } =
  await load('wire.mjs')
const { randomFrom }: { randomFrom(seed: number): Random } = await load('random.mjs')
const { host }: { host: string } = await load('crowd.mjs')

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

describe('the fast lane', () => {
  it('D-20 D-67 FL-08 crosses nothing in 2,000 interleaved requests of 50 principals with ids that collide', async () => {
    const library = { MCPServer, getAccessToken, ToolError }
    const { requests, faults, calls, left } = await soak(library, { requests: 2_000, seed: 20_261_126 })
    expect(faults).toEqual([])
    expect(requests).toBeGreaterThanOrEqual(2_000)
    expect(calls).toBeGreaterThan(50)
    expect(left).toBeGreaterThan(calls)
  }, 60_000)
})

describe('sessions', () => {
  it('D-67 FL-08 two principals, one session id, the same JSON-RPC ids, 1,000 interleavings: no answer reaches the other', async () => {
    const { net, held } = await holding()
    const random = randomFrom(7)
    let interleavings = 0
    await Promise.all(
      Array.from({ length: 10 }, async (_, pair) => {
        const sessions = { alice: await opened(net, alice), bob: await opened(net, bob) }
        for (let round = 0; round < 100; round++) {
          await interleave(net, held, random, sessions, `${pair}-${round}`)
          interleavings++
        }
      }),
    )
    expect(interleavings).toBe(1_000)
    expect(held.size).toBe(0)
  }, 60_000)

  it('D-40 a stranger with the session id ends, reads, cancels and answers nothing', async () => {
    const { net, held, url } = await holding()
    const session = await opened(net, alice)
    const call = asked(net, alice, session, 'tools/call', { name: 'hold', arguments: { key: 'k' } }, 5)
    await held.when('k')
    for (const body of [
      { method: 'notifications/cancelled', params: { requestId: 5 } },
      { method: 'notifications/cancelled', params: { requestId: 1 } },
      { id: 0, result: { action: 'accept', content: {} } },
      { id: 5, method: 'ping' },
    ])
      expect((await sent(net, bob, session, body)).status).toBe(404)
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...headersOf(bob, session), accept: 'text/event-stream', 'last-event-id': '0-0' }
      expect((await fetch(url, { method, headers })).status).toBe(404)
    }
    held.release('k')
    const answer = await call
    expect(answer.messages.at(-1)).toMatchObject({ id: 5, result: { content: [{ text: 'alice k' }] } })
    expect((await asked(net, alice, session, 'ping', {}, 6)).status).toBe(200)
  })
})

describe('a call that is cancelled in a session', () => {
  it.each([false, true])(
    'has an end, as a stream or not (%s)',
    async (tell) => {
      const { net, held } = await holding()
      const session = await opened(net, alice)
      const call = asked(
        net,
        alice,
        session,
        'tools/call',
        { name: 'hold', arguments: { key: 'k', tell } },
        5,
      )
      await held.when('k')
      await sent(net, alice, session, { method: 'notifications/cancelled', params: { requestId: 5 } })
      const { text } = await call
      expect(text).not.toContain('alice k')
      held.release('k')
      expect((await asked(net, alice, session, 'ping', {}, 5)).status).toBe(200)
    },
    5_000,
  )
})

describe.each(revisions)('a caller that leaves (%s)', (revision) => {
  it('aborts its own call, also when it had sent several at once on one connection', async () => {
    const { port, begun, gone } = await hanging()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    for (const token of [alice, bob, alice]) socket.write(callBytes(token, revision, { name: 'hang' }))
    await begun(3)
    socket.destroy()
    expect(await gone(3)).toEqual(['alice', 'alice', 'bob'])
  }, 5_000)

  it('gets an end of its request through fetch, and its handler an abort', async () => {
    const { server, begun, gone } = await hanging()
    const leave = new AbortController()
    const message = rpc('tools/call', { name: 'hang' }, revision)
    const request = new Request(post('http://localhost/mcp', message, bob), { signal: leave.signal })
    request.headers.set('host', 'localhost')
    const answer = server.fetch(request).then(
      () => 'an end',
      () => 'an end',
    )
    await begun(1)
    leave.abort()
    expect(await gone(1)).toEqual(['bob'])
    expect(await answer).toBe('an end')
  }, 5_000)
})

/** Two in their own sessions ask at the same time under the same id, and each tries the other's session. */
async function interleave(
  net: Wires,
  held: Held,
  random: Random,
  sessions: Readonly<Record<'alice' | 'bob', string>>,
  key: string,
): Promise<void> {
  const id = random.below(3)
  const call = (who: string) => ({
    name: 'hold',
    arguments: { key: `${who} ${key}`, tell: random.percent(50) },
  })
  const own = (token: string, who: 'alice' | 'bob') =>
    asked(net, token, sessions[who], 'tools/call', call(who), id)
  const strange = (token: string, whose: 'alice' | 'bob') =>
    asked(net, token, sessions[whose], 'tools/call', call(`stolen ${whose}`), id)
  const order = [
    () => own(alice, 'alice'),
    () => own(bob, 'bob'),
    () => strange(bob, 'alice'),
    () => strange(alice, 'bob'),
  ]
  if (random.percent(50)) order.reverse()
  if (random.percent(50)) order.push(...order.splice(0, 2))
  const running = new Map(order.map((ask) => [ask, ask()]))
  await Promise.all([held.when(`alice ${key}`), held.when(`bob ${key}`)])
  const first = random.percent(50)
  held.release(`${first ? 'alice' : 'bob'} ${key}`)
  held.release(`${first ? 'bob' : 'alice'} ${key}`)
  const statuses: number[] = []
  for (const running_ of running.values()) statuses.push((await running_).status)
  expect(statuses.toSorted()).toEqual([200, 200, 404, 404])
  for (const answer of await Promise.all(running.values())) expectOwn(answer, id, key)
}

function expectOwn({ status, text, messages }: Answer, id: number, key: string): void {
  if (status === 404) {
    expect(text).not.toMatch(/alice|bob/)
    return
  }
  const final = messages.at(-1)
  expect(final?.id).toBe(id)
  const said = final?.result?.content?.[0].text ?? ''
  expect([`alice alice ${key}`, `bob bob ${key}`]).toContain(said)
  const other = said.startsWith('alice') ? 'bob' : 'alice'
  expect(text).not.toContain(other)
}

/** Calls that wait until they are told to go on. */
interface Held {
  readonly size: number
  /** Resolves when a call waits. */
  when(key: string): Promise<void>
  release(key: string): void
}

/** A server with sessions, whose tool `hold` says who called when it is released. */
async function holding(): Promise<{ net: Wires; held: Held; url: string }> {
  const waiting = new Map<string, () => void>()
  const arrivals = new Map<string, () => void>()
  const server = new MCPServer(
    { name: 'holding', auth: directory(), logger: () => {} },
    { allowedHosts: [host, '127.0.0.1'] },
  )
  const input = z.object({ key: z.string(), tell: z.boolean().default(false) })
  server.tool('hold', { inputSchema: input }, async ({ key, tell }, ctx) => {
    const who = ctx.auth?.subject
    if (tell) await ctx.log('info', `${who} waits`)
    await new Promise<void>((resolve) => {
      waiting.set(key, resolve)
      arrivals.get(key)?.()
    })
    if (tell) await ctx.log('info', `${getAccessToken()?.subject} goes on`)
    return `${who} ${key}`
  })
  const { url } = await server.listen({ port: 0 })
  const net = wires(Number(new URL(url).port))
  open.push(net, server)
  const held: Held = {
    get size() {
      return waiting.size
    },
    when: (key) =>
      waiting.has(key) ? Promise.resolve() : new Promise((resolve) => void arrivals.set(key, resolve)),
    release(key) {
      waiting.get(key)?.()
      waiting.delete(key)
      arrivals.delete(key)
    },
  }
  return { net, held, url }
}

/** A server without sessions, whose tool `hang` ends with its signal. */
async function hanging() {
  const server = new MCPServer({ name: 'hanging', auth: directory(), logger: () => {} }, {
    sessions: false,
    allowedHosts: [host, 'localhost'],
  } satisfies HttpOptions)
  const here: string[] = []
  const left: string[] = []
  let note = () => {}
  server.tool('hang', {}, async (_args, { auth, signal }) => {
    const gone = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    here.push(String(auth?.subject))
    note()
    await gone
    left.push(String(auth?.subject))
    note()
  })
  const { url } = await server.listen({ port: 0, closeOnSigterm: false })
  open.push(server)
  const reached = async (list: string[], count: number) => {
    while (list.length < count) {
      await new Promise<void>((resolve) => {
        note = resolve
      })
    }
    return list.toSorted()
  }
  return {
    server,
    port: Number(new URL(url).port),
    begun: (count: number) => reached(here, count),
    gone: (count: number) => reached(left, count),
  }
}

function callBytes(token: string, revision: Revision, params: Record<string, unknown>): string {
  const { headers, body } = rpc('tools/call', params, revision)
  return bytesOf({ headers: { ...headers, authorization: `Bearer ${token}` }, body })
}

async function opened(net: Wires, token: string): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const { text } = await asked(net, token, undefined, 'initialize', params, 1)
  const session = /^mcp-session-id: (.+)$/im.exec(text)?.[1]?.trim()
  if (session === undefined) throw new Error(`no session: ${text}`)
  await sent(net, token, session, { method: 'notifications/initialized' })
  return session
}

function asked(
  net: Wires,
  token: string,
  session: string | undefined,
  method: string,
  params: object,
  id: number,
): Promise<Answer> {
  return sent(net, token, session, { id, method, params })
}

async function sent(
  net: Wires,
  token: string,
  session: string | undefined,
  message: object,
): Promise<Answer> {
  const wire = net.take()
  const body = JSON.stringify({ jsonrpc: '2.0', ...message })
  const answer = await wire.ask(bytesOf({ headers: headersOf(token, session), body }))
  net.give(wire)
  return answer
}

function headersOf(token: string, session: string | undefined): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    authorization: `Bearer ${token}`,
    ...(session !== undefined && { 'mcp-session-id': session }),
  }
}

function load(name: string) {
  return import(new URL(`../soak/${name}`, import.meta.url).href)
}
