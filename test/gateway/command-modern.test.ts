import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JsonObject } from '../../src/gateway/message.ts'
import { type Answer, program, sdkClient, textOf, until, type Wire, wire, world } from './command-support.ts'
import { alice, bob, request } from './front-support.ts'

/** Sends a request of 2026-07-28. */
function ask(client: Wire, method: string, params: JsonObject = {}, more: Asking = {}): Promise<Answer> {
  const { id = 1, meta = {}, version = '2026-07-28', signal } = more
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'wire', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
    ...meta,
  }
  const name = params.name ?? params.uri
  const headers = {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  }
  const message = request(method, { ...params, _meta }, id)
  return client.send(message, { headers, ...(signal && { signal }) })
}

interface Asking {
  readonly id?: string | number
  readonly meta?: JsonObject
  readonly version?: string
  readonly signal?: AbortSignal
}

const tool = (client: Wire, name: string, args: JsonObject = {}, more: Asking = {}) =>
  ask(client, 'tools/call', { name, arguments: args }, more)

async function textIn(answer: Promise<Answer>): Promise<string> {
  return textOf((await (await answer).all()).at(-1)!.result)
}

describe('a request of 2026-07-28', () => {
  it('needs no session: all of a principal share one process, and nobody else has it', async () => {
    const gate = await world(program('server-sdk'))
    const [one, two] = [wire(gate, alice), wire(gate, bob)]
    const pids = await Promise.all([one, one, two].map((client) => textIn(tool(client, 'pid'))))
    expect(pids[0]).toBe(pids[1])
    expect(pids[2]).not.toBe(pids[0])
    expect(gate.commands.processes).toBe(2)
    expect(gate.commands.sessions).toBe(0)
  })

  it('is answered to whoever asked, though all have the same id', async () => {
    const gate = await world(program('server-sdk'))
    const clients = Array.from({ length: 50 }, (_, at) => wire(gate, at % 2 ? alice : bob))
    const answers = await Promise.all(
      clients.map((client, at) => textIn(tool(client, 'echo', { value: String(at) }, { id: 'same' }))),
    )
    expect(answers).toEqual(clients.map((_, at) => String(at)))
  })

  it('has its progress under its own name, and never that of another', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const steps = (count: number) => tool(client, 'steps', { count }, { meta: { progressToken: 'mine' } })
    const answers = await Promise.all([steps(2), steps(3)].map(async (each) => (await each).all()))
    for (const [at, messages] of answers.entries()) {
      const progress = messages.slice(0, -1).map(({ params }) => params as JsonObject)
      expect(progress.map((each) => each.progressToken)).toEqual(Array(2 + at).fill('mine'))
      expect(progress.map((each) => each.total)).toEqual(Array(2 + at).fill(2 + at))
    }
  })

  it('is cancelled when its client leaves', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const abort = new AbortController()
    const waiting = tool(client, 'wait', {}, { signal: abort.signal })
    await until(async () => (await textIn(tool(client, 'begun'))) === '1')
    expect(await textIn(tool(client, 'cancelled'))).toBe('0')
    abort.abort()
    await expect(waiting).rejects.toThrow()
    await until(async () => (await textIn(tool(client, 'cancelled'))) === '1')
  })

  it('does not reach a process that is still starting when its client leaves', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const abort = new AbortController()
    const waiting = tool(client, 'wait', {}, { signal: abort.signal })
    await until(() => gate.commands.processes === 1)
    abort.abort()
    await expect(waiting).rejects.toThrow()
    expect(await textIn(tool(client, 'begun'))).toBe('0')
  })

  it('is cancelled when its client leaves the stream it has become', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const waiting = tool(client, 'wait')
    await until(async () => (await textIn(tool(client, 'begun'))) === '1')
    gate.time.pass(10_000)
    const stream = await waiting
    expect(stream.isStream).toBe(true)
    stream.leave()
    await until(async () => (await textIn(tool(client, 'cancelled'))) === '1')
  })

  it('that is no method of the server is a 404, and one of a wrong revision a 400', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const unknown = await ask(client, 'no/such')
    expect(unknown.status).toBe(404)
    expect(await unknown.next()).toMatchObject({ id: 1, error: { code: -32601 } })
    const future = await ask(client, 'tools/list', {}, { version: '2099-01-01' })
    expect(future.status).toBe(400)
    expect(await future.next()).toMatchObject({ error: { code: -32022 } })
  })

  it('has no answer that needs one: notifications and answers are 202', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
    expect((await client.send(cancelled)).status).toBe(202)
    expect((await client.send({ jsonrpc: '2.0', id: 1, result: {} })).status).toBe(202)
    expect(gate.commands.processes).toBe(0)
  })

  it('leaves a process that ends when nobody uses it, and is started again', async () => {
    const gate = await world({ ...program('server-sdk'), processes: { idleMs: 60_000 } })
    const client = wire(gate)
    const before = await textIn(tool(client, 'pid'))
    gate.time.pass(59_000)
    expect(await textIn(tool(client, 'pid'))).toBe(before)
    gate.time.pass(61_000)
    await until(() => gate.commands.processes === 0)
    expect(await textIn(tool(client, 'pid'))).not.toBe(before)
  })

  it('that never is answered is a 504, and the process is stopped', async () => {
    const gate = await world({ ...program('server-raw', 'silent'), processes: { startTimeoutMs: 300 } })
    const answer = await ask(wire(gate), 'server/discover')
    expect(answer.status).toBe(504)
    expect(await answer.next()).toMatchObject({ id: 1, error: { code: -32000 } })
    await until(() => gate.commands.processes === 0)
  })

  it('is one error each when the process crashes, whoever of a principal made it do so', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const waiting = Array.from({ length: 5 }, () => tool(client, 'wait'))
    await until(async () => (await textIn(tool(client, 'begun'))) === '5')
    const answers = await Promise.all([...waiting, tool(client, 'crash')])
    for (const answer of answers) {
      expect(answer.status).toBe(502)
      expect(await answer.all()).toMatchObject([{ id: 1, error: { code: -32000 } }])
    }
    expect(await textIn(tool(client, 'begun'))).toBe('0')
  })
})

describe('a subscription', () => {
  const listen = (client: Wire, id: string) =>
    ask(client, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { id })

  it('is named as its client has named it, and hears what it has asked for', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const [one, two] = [await listen(client, 'same'), await listen(client, 'same')]
    const named = { _meta: { 'io.modelcontextprotocol/subscriptionId': 'same' } }
    for (const stream of [one, two])
      expect(await stream.next()).toMatchObject({
        method: 'notifications/subscriptions/acknowledged',
        params: named,
      })
    await tool(client, 'grow')
    for (const stream of [one, two])
      expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed', params: named })
  })

  it('does not hear what happens to another principal', async () => {
    const gate = await world(program('server-sdk'))
    const [one, two] = [wire(gate, alice), wire(gate, bob)]
    const streams = [await listen(one, 'x'), await listen(two, 'x')]
    for (const stream of streams) await stream.next()
    await tool(one, 'grow')
    expect(await streams[0]!.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    await gate.door.close()
    // Nothing came before the end.
    expect(await streams[1]!.next()).toMatchObject({ id: 'x', result: { resultType: 'complete' } })
  })

  it('ends at the server when its client leaves, keeps the process up as long as it is open', async () => {
    const gate = await world({ ...program('server-sdk'), processes: { idleMs: 60_000 } })
    const client = wire(gate)
    const stream = await listen(client, 'x')
    await stream.next()
    gate.time.pass(120_000)
    await tool(client, 'grow')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    stream.leave()
    await until(() => {
      gate.time.pass(61_000)
      return gate.commands.processes === 0
    })
  })

  it('ends with an error when the process does', async () => {
    const gate = await world(program('server-sdk'))
    const client = wire(gate)
    const stream = await listen(client, 'x')
    await stream.next()
    await tool(client, 'crash')
    expect(await stream.all()).toMatchObject([{ id: 'x', error: { code: -32000 } }])
  })
})

describe('a program of 2025-11-25', () => {
  it('answers server/discover with a 404, and what it cannot understand with a 400', async () => {
    const gate = await world(program('server-raw'))
    const client = wire(gate)
    const discover = await ask(client, 'server/discover')
    expect(discover.status).toBe(404)
    expect(await discover.next()).toMatchObject({ id: 1, error: { code: -32601 } })
    const call = await tool(client, 'echo', { value: 'x' })
    expect(call.status).toBe(400)
    expect(await call.next()).toMatchObject({
      id: 1,
      error: {
        code: -32022,
        data: { requested: '2026-07-28', supported: ['2025-11-25', '2025-06-18', '2025-03-26'] },
      },
    })
    gate.time.pass(10_000)
    await until(() => gate.commands.processes === 0)
  })

  it('is not started a second time for the session of the client that has found out, if it comes soon', async () => {
    const gate = await world(program('server-raw'))
    const [client, stranger] = [wire(gate), wire(gate, bob)]
    expect((await ask(client, 'server/discover')).status).toBe(404)
    await stranger.open()
    expect(gate.commands.processes).toBe(2)
    const session = await client.open()
    expect(gate.commands.processes).toBe(2)
    const call = request('tools/call', { name: 'heard', arguments: {} })
    const heard = JSON.parse(await textIn(client.send(call, { session }))) as JsonObject[]
    expect(heard.map(({ method }) => method)).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call',
    ])
    await client.open()
    expect(gate.commands.processes).toBe(3)
  })

  it('that takes the question amiss gets a session all the same, with another process', async () => {
    const gate = await world(program('server-raw', 'sulks'))
    const client = wire(gate)
    expect((await ask(client, 'server/discover')).status).toBe(404)
    const session = await client.open()
    expect((await client.send(request('ping'), { session })).status).toBe(200)
    await until(() => gate.commands.processes === 1)
  })

  it('is asked again after a while: it may be another one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-command-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const MODERN = join(folder, 'modern')
    const gate = await world({ ...program('server-raw'), env: { MODERN } })
    const client = wire(gate)
    const status = async () => (await ask(client, 'server/discover')).status
    expect(await status()).toBe(404)
    await writeFile(MODERN, '')
    gate.time.pass(599_000)
    expect(await status()).toBe(404)
    gate.time.pass(1000)
    expect(await status()).toBe(200)
  })

  it('is not taken for an old one when a process of it ends before it says what it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-command-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const [MODERN, BROKEN] = [join(folder, 'modern'), join(folder, 'broken')]
    await writeFile(MODERN, '')
    const gate = await world({ ...program('server-raw'), env: { MODERN, BROKEN } })
    const client = wire(gate)
    expect((await ask(client, 'server/discover')).status).toBe(200)
    await writeFile(BROKEN, '')
    expect((await tool(client, 'crash')).status).toBe(502)
    // The next process ends at its start.
    expect((await ask(client, 'server/discover')).status).toBe(502)
    await rm(BROKEN)
    gate.time.pass(1000)
    expect((await ask(client, 'server/discover')).status).toBe(200)
  })

  it('is not sent anything before initialize but the question which revision it speaks', async () => {
    const gate = await world(program('server-raw'))
    await Promise.all([tool(wire(gate), 'crash'), ask(wire(gate), 'server/discover')])
    const { client } = await sdkClient(gate)
    const heard = JSON.parse(textOf(await client.callTool({ name: 'heard' }))) as JsonObject[]
    const methods = heard.map(({ method }) => method).filter((method) => method !== 'server/discover')
    expect(methods[0]).toBe('initialize')
  })
})
