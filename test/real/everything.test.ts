import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { childEnvironment } from '../../src/gateway/command/environment.ts'
import {
  type Ask,
  type Asking,
  apart,
  askingOwn,
  askingSdk,
  lists,
  oddCalls,
  otherCalls,
  toolCalls,
} from './everything-calls.ts'
import {
  type Connected,
  connected,
  httpTransport,
  type Mode,
  type OwnConnected,
  ownClient,
  stdioTransport,
} from './everything-clients.ts'
import { installed } from './programs.ts'
import {
  type AtEnd,
  afterThem,
  childrenOf,
  folder,
  type Gate,
  listeningServer,
  newKey,
  protect,
  until,
} from './protect.ts'
import { type Answer, type Message, type Wire, wired } from './wire.ts'

const server = installed('mcp-server-everything')
const modes: readonly Mode[] = ['auto', 'legacy']

interface Place extends Gate {
  readonly key: string
}

async function behindGate(words: readonly string[], atEnd: AtEnd = onTestFinished): Promise<Place> {
  const db = `${await folder(atEnd)}/keys.db`
  const key = await newKey(db, 'ada')
  return { key, ...(await protect(['--keys', db, ...words], {}, atEnd)) }
}

/** In its HTTP mode. */
function listening(atEnd: AtEnd = onTestFinished) {
  return listeningServer(server, ['streamableHttp'], (port) => ({ PORT: String(port) }), atEnd)
}

/** Over the streams of a process of its own, which is told what a gateway would tell it: its environment, and no roots. */
function direct(mode: Mode) {
  return connected(stdioTransport(server, [], { ...childEnvironment(process.env, []) }), mode, false)
}

async function allOf(ask: Asking, calls: readonly Ask[]): Promise<unknown[]> {
  const outcomes: unknown[] = []
  // One by one: some change what others see.
  for (const call of calls) outcomes.push({ call, outcome: await ask(call) })
  return outcomes
}

describe('server-everything as a command behind protect', () => {
  const atEnd = afterThem()
  let gate: Place
  beforeAll(async () => {
    gate = await behindGate(['--', server], atEnd)
  })

  test('FL-108 is not even started for who has no key, or a wrong one', async () => {
    const gate = await behindGate(['--', server])
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: initializeParams }
    for (const authorization of [undefined, 'Bearer mcpk_live_wrong', `Bearer ${gate.key}x`, 'Basic YTpi']) {
      for (const method of ['POST', 'GET', 'DELETE']) {
        const response = await fetch(gate.url, {
          method,
          headers: { ...jsonHeaders, ...(authorization && { authorization }) },
          ...(method === 'POST' && { body: JSON.stringify(initialize) }),
        })
        expect([method, authorization, response.status]).toEqual([method, authorization, 401])
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
      }
    }
    expect(await childrenOf(gate.pid)).toEqual([])
    const { client } = await connected(httpTransport(gate.url, gate.key), 'legacy')
    expect(await childrenOf(gate.pid)).toHaveLength(1)
    await client.ping()
  })

  test.each(modes)('gives the SDK client what it gives directly: everything it has (%s)', async (mode) => {
    const through = await connected(httpTransport(gate.url, gate.key), mode)
    const straight = await direct(mode)
    for (const about of ['getServerVersion', 'getServerCapabilities', 'getInstructions'] as const)
      expect(through.client[about]()).toEqual(straight.client[about]())
    expect(through.client.getNegotiatedProtocolVersion()).toBe('2025-11-25')
    const calls = [...lists, ...toolCalls, ...otherCalls, ...oddCalls, ...lists]
    const expected = await allOf(askingSdk(straight.client), calls)
    expect(await allOf(askingSdk(through.client), calls)).toEqual(expected)
    const { tools } = await straight.client.listTools()
    const called = new Set(toolCalls.map(({ params }) => String(params.name)))
    for (const name of ['no-such-tool', 'get-roots-list']) called.delete(name)
    expect(tools.map(({ name }) => name).sort()).toEqual([...called, ...apart].sort())
    const { resources } = await straight.client.listResources()
    const reads = resources.map(({ uri }) => ({ method: 'resources/read', params: { uri } }))
    expect(reads.length).toBeGreaterThan(7)
    expect(await allOf(askingSdk(through.client), reads)).toEqual(
      await allOf(askingSdk(straight.client), reads),
    )
  })

  test('gives the package’s client the same', async () => {
    const { client } = ownClient(gate.url, gate.key)
    const straight = await direct('legacy')
    const calls = [...lists, ...toolCalls, ...otherCalls, ...lists]
    const expected = await allOf(askingSdk(straight.client), calls)
    expect(await allOf(askingOwn(client), calls)).toEqual(expected)
  })

  test('has none of the gateway’s secrets in its environment', async () => {
    const db = `${await folder()}/keys.db`
    const key = await newKey(db, 'ada')
    const secrets = { UPSTREAM_TOKEN: 'secret-1', MCP_BEARER_PEPPER: '', WANTED_ONE: 'w' }
    const gate = await protect(['--keys', db, '--env', 'WANTED_*', '--', server], secrets)
    const { client } = await connected(httpTransport(gate.url, key), 'legacy')
    const { content } = await client.callTool({ name: 'get-env' })
    const env = JSON.parse((content as { text: string }[])[0]!.text)
    expect(env).toEqual({ ...childEnvironment(process.env, []), WANTED_ONE: 'w' })
  })

  test('tells how far it is', async () => {
    const { client } = await connected(httpTransport(gate.url, gate.key), 'auto')
    await tellsProgress((args, onprogress) =>
      client.callTool({ name: 'trigger-long-running-operation', arguments: args }, { onprogress }),
    )
    const own = ownClient(gate.url, gate.key)
    await tellsProgress((args, onProgress) =>
      own.client.callTool('trigger-long-running-operation', args, { onProgress }),
    )
  })

  test('logs, and tells subscribers what has changed, without being asked', async () => {
    await tellsSubscribers(await connected(httpTransport(gate.url, gate.key), 'auto'))
  })

  test('logs to the package’s client, and tells it what has changed', async () => {
    await tellsOwnClient(ownClient(gate.url, gate.key))
  })

  test('runs a task, and asks in the middle of it', async () => {
    expect(await taskOf(wired(gate.url, gate.key))).toMatch(/Research Report: bees/)
  })
})

describe('server-everything at a URL behind protect', () => {
  const atEnd = afterThem()
  let inner: Awaited<ReturnType<typeof listening>>
  let gate: Place
  beforeAll(async () => {
    inner = await listening(atEnd)
    gate = await behindGate([inner.url], atEnd)
  })

  test('FL-108 hears nothing from who has no key, or a wrong one', async () => {
    const before = inner.log()
    for (const key of [undefined, 'mcpk_live_wrong', `${gate.key}x`]) {
      const wire = wired(gate.url, key)
      expect((await wire.ask('initialize', initializeParams)).status).toBe(401)
      expect((await wire.listen({ 'mcp-session-id': 'x' })).status).toBe(401)
    }
    expect(inner.log()).toBe(before)
  })

  test.each(modes)('gives the SDK client what it gives directly (%s)', async (mode) => {
    const through = await connected(httpTransport(gate.url, gate.key), mode)
    const straight = await connected(httpTransport(inner.url), mode)
    const getEnv = { method: 'tools/call', params: { name: 'get-env' } }
    const calls = [...lists, getEnv, ...toolCalls, ...otherCalls, ...oddCalls, ...lists]
    // One after the other: this server keeps resources of all its sessions in one place.
    const expected = await allOf(askingSdk(straight.client), calls)
    expect(await allOf(askingSdk(through.client), calls)).toEqual(expected)
  })

  test('gives the package’s client the same', async () => {
    const straight = await connected(httpTransport(inner.url), 'legacy')
    const calls = [...lists, ...toolCalls, ...otherCalls, ...lists]
    const expected = await allOf(askingSdk(straight.client), calls)
    expect(await allOf(askingOwn(ownClient(gate.url, gate.key).client), calls)).toEqual(expected)
  })

  test('tells how far it is, logs, and tells subscribers, on the stream of no request', async () => {
    const both = await connected(httpTransport(gate.url, gate.key), 'auto')
    await tellsProgress((args, onprogress) =>
      both.client.callTool({ name: 'trigger-long-running-operation', arguments: args }, { onprogress }),
    )
    await tellsSubscribers(both)
    await tellsOwnClient(ownClient(gate.url, gate.key))
  })

  test('runs a task, and asks in the middle of it', async () => {
    expect(await taskOf(wired(gate.url, gate.key))).toMatch(/Research Report: bees/)
  })

  test('ends a session when it is told to, and not for somebody else', async () => {
    const transport = httpTransport(gate.url, gate.key)
    const { client } = await connected(transport, 'legacy')
    const id = transport.sessionId!
    const own = id.split('.')[0]!
    expect(inner.log()).toContain(`Session initialized with ID: ${own}`)
    const wire = wired(gate.url, gate.key)
    expect((await wire.ask('ping', {}, { 'mcp-session-id': own })).status).toBe(404)
    expect((await wire.ask('ping', {}, { 'mcp-session-id': id })).status).toBe(200)
    await transport.terminateSession()
    await until(() => inner.log().includes(`termination request for session ${own}`))
    const ended = await wire.ask('ping', {}, { 'mcp-session-id': id })
    const directly = await wired(inner.url).ask('ping', {}, { 'mcp-session-id': own })
    expect(ended.status).toBe(directly.status)
    await client.close()
  })

  test('gives again what a broken stream has not brought, to its owner only', async () => {
    const db = `${await folder()}/keys.db`
    const [key, other] = [await newKey(db, 'ada'), await newKey(db, 'bob')]
    const gate = await protect(['--keys', db, inner.url])
    const wire = wired(gate.url, key)
    const opening = await wire.ask('initialize', initializeParams)
    const session = { 'mcp-session-id': opening.headers.get('mcp-session-id')! }
    await opening.all()
    await wire.ask('notifications/initialized', undefined, session)
    const operation = (progressToken: string, duration: number) =>
      wire.ask(
        'tools/call',
        {
          name: 'trigger-long-running-operation',
          arguments: { duration, steps: 3 },
          _meta: { progressToken },
        },
        session,
      )
    const first = await operation('first', 0.3)
    let last = await first.next()
    while (last?.data === undefined) last = await first.next()
    expect(last.data).toMatchObject({ params: { progressToken: 'first', progress: 1 } })
    first.leave()
    // By its end the other one is over, too.
    await (await operation('second', 0.6)).all()
    const again = { ...session, 'last-event-id': last.id! }
    const stranger = await wired(gate.url, other).listen(again)
    expect(stranger.status).toBe(404)
    const missed = await wire.listen(again)
    expect(missed.status).toBe(200)
    const replayed = [await missed.next(), await missed.next(), await missed.next()]
    expect(replayed.map((event) => event?.data)).toMatchObject([
      { params: { progressToken: 'first', progress: 2 } },
      { params: { progressToken: 'first', progress: 3 } },
      { result: { content: [{ text: expect.stringContaining('completed') }] } },
    ])
    missed.leave()
  })
})

const jsonHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}
const initializeParams = {
  protocolVersion: '2025-11-25',
  capabilities: { elicitation: { form: {} }, tasks: { requests: { elicitation: { create: {} } } } },
  clientInfo: { name: 'wire', version: '1' },
}

type Telling = (progress: { progress: number }) => void

/** The last step comes in one piece with the answer, when the SDK's client does not listen for it any more. */
async function tellsProgress(call: (args: Record<string, number>, tell: Telling) => Promise<unknown>) {
  const steps: number[] = []
  await call({ duration: 0.4, steps: 4 }, ({ progress }) => void steps.push(progress))
  expect(steps.slice(0, 3)).toEqual([1, 2, 3])
}

async function tellsSubscribers({ client, logged, updated }: Connected) {
  const uris = ['demo://resource/dynamic/text/1', 'demo://resource/dynamic/blob/2']
  await client.setLoggingLevel('debug')
  await client.callTool({ name: 'toggle-simulated-logging' })
  // It also logs when it has heard of the client's roots.
  await until(() => logged.some(isSimulated))
  for (const uri of uris) await client.subscribeResource({ uri })
  await client.callTool({ name: 'toggle-subscriber-updates' })
  await until(() => updated.length >= 2)
  expect(new Set(updated)).toEqual(new Set(uris))
  for (const name of ['toggle-simulated-logging', 'toggle-subscriber-updates']) {
    const { content } = await client.callTool({ name })
    expect((content as { text: string }[])[0]!.text).toMatch(/^Stopped/)
  }
}

async function tellsOwnClient({ client, logged }: OwnConnected) {
  const uri = 'demo://resource/dynamic/text/1'
  const updated: unknown[] = []
  await client.setLoggingLevel('debug')
  await using _ = await client.subscribe({ resources: [uri] }, (change) => void updated.push(change))
  await client.callTool('toggle-simulated-logging')
  await client.callTool('toggle-subscriber-updates')
  await until(() => logged.some(isSimulated) && updated.length > 0)
  expect(updated[0]).toEqual({ kind: 'resource', uri })
  await client.callTool('toggle-simulated-logging')
  await client.callTool('toggle-subscriber-updates')
}

function isSimulated(line: unknown): boolean {
  return /-level message|level-message/.test(String(line))
}

/** A tool that runs as a task, and asks for a form before it ends (MCP 2025-11-25 "Tasks"). @returns its result */
async function taskOf(wire: Wire): Promise<string> {
  const opening = await wire.ask('initialize', initializeParams)
  const session = { 'mcp-session-id': opening.headers.get('mcp-session-id')! }
  await opening.all()
  await wire.ask('notifications/initialized', undefined, session)
  const call = {
    name: 'simulate-research-query',
    arguments: { topic: 'bees', ambiguous: true },
    task: { ttl: 60_000 },
  }
  const { task } = await resultOf(await wire.ask('tools/call', call, session))
  const { taskId } = task as { taskId: string }
  expect(await resultOf(await wire.ask('tasks/get', { taskId }, session))).toMatchObject({ taskId })
  const waiting = await wire.ask('tasks/result', { taskId }, session)
  let last: Message | undefined
  for (let event = await waiting.next(); event; event = await waiting.next()) {
    last = event.data ?? last
    if (event.data?.method === 'elicitation/create') {
      const content = { interpretation: 'historical' }
      const answered = await wire.reply(event.data.id, { action: 'accept', content }, session)
      expect(answered.status).toBe(202)
    }
    if (last?.result) break
  }
  waiting.leave()
  const text = JSON.stringify(last?.result)
  expect(text).toContain('historical')
  return text
}

async function resultOf(answer: Answer): Promise<Readonly<Record<string, unknown>>> {
  const messages = await answer.all()
  return messages.find(({ result }) => result !== undefined)!.result!
}
