import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JsonObject } from '../../src/gateway/message.ts'
import { type Answer, program, until, type Wire, wire, world } from './command-support.ts'
import { alice, bob, directory, people, request } from './front-support.ts'

let lastId = 0
const call = (name: string, args: JsonObject = {}) =>
  request('tools/call', { name, arguments: args }, `call-${++lastId}`)

/** A request of 2026-07-28. */
function modern(
  client: Wire,
  method: string,
  params: JsonObject = {},
  signal?: AbortSignal,
): Promise<Answer> {
  const version = '2026-07-28'
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'wire', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const { name } = params
  const headers = {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  }
  return client.send(request(method, { ...params, _meta }, `m-${++lastId}`), {
    headers,
    ...(signal && { signal }),
  })
}

async function textIn(answer: Promise<Answer>): Promise<string> {
  const last = (await (await answer).all()).at(-1) as { result: { content: { text: string }[] } }
  return last.result.content[0]!.text
}

async function fileToBe(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-hostile-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'there')
}

const bodyOfMegabytes = (megabytes: number) => 'x'.repeat(megabytes * 1024 * 1024)

describe('one principal', () => {
  const isModern = { MODERN: process.execPath }

  it('whose process does not start tells nobody else that the program is old', async () => {
    const gate = await world({ ...program('server-raw', 'not-for-bob'), env: isModern, identity: true })
    expect((await modern(wire(gate), 'server/discover')).status).toBe(200)
    // What it is is known, so this is a program that does not start.
    expect((await modern(wire(gate, bob), 'server/discover')).status).toBe(502)
    expect((await modern(wire(gate), 'server/discover')).status).toBe(200)
    // Who comes later is not told so either.
    const other = await world(
      { ...program('server-raw', 'not-for-bob'), env: isModern, identity: true },
      { auth: directory(people) },
    )
    expect((await modern(wire(other, bob), 'server/discover')).status).toBe(404)
    expect((await modern(wire(other), 'server/discover')).status).toBe(200)
  })

  const keys = directory({
    ...people,
    'one-key-1111': { claims: people[alice]!.claims!, scopes: ['read'], tools: ['pid'] },
    'two-key-2222': { claims: people[alice]!.claims!, scopes: ['read'], tools: ['echo'] },
  })

  it('has no more processes with more keys that are bound to different tools', async () => {
    const gate = await world({ processes: { maxPerPrincipal: 2 } }, { auth: keys })
    const [one, two] = [wire(gate, 'one-key-1111'), wire(gate, 'two-key-2222')]
    const busy = [await one.open(), await two.open()]
    await one.listen(busy[0]!)
    await two.listen(busy[1]!)
    await expect(two.open()).rejects.toThrow(/503/)
    expect(gate.commands.processes).toBe(2)
    expect((await wire(gate, bob).open()).length).toBeGreaterThan(0)
  })

  it('does not see with one key what was begun with another that is bound to other tools', async () => {
    const gate = await world({ per: 'principal' }, { auth: keys })
    const [one, two] = [wire(gate, 'one-key-1111'), wire(gate, 'two-key-2222')]
    const session = await one.open()
    await two.open()
    expect((await two.send(request('ping'), { session })).status).toBe(404)
    expect(gate.commands.processes).toBe(2)
  })

  it.each(['session', 'principal'] as const)(
    'has a process for each client when processes are told who calls (per %s)',
    async (per) => {
      const claims = people[alice]!.claims!
      const clients = directory({
        desk: { claims, clientId: 'desk' },
        robot: { claims, clientId: 'robot' },
      })
      const gate = await world({ per, identity: true, env: isModern }, { auth: clients })
      const [desk, robot] = [wire(gate, 'desk'), wire(gate, 'robot')]
      const session = await desk.open()
      await robot.open()
      expect(gate.commands.processes).toBe(2)
      expect((await robot.send(request('ping'), { session })).status).toBe(404)
      const pids = [desk, robot].map((client) =>
        textIn(modern(client, 'tools/call', { name: 'pid', arguments: {} })),
      )
      expect(new Set(await Promise.all(pids)).size).toBe(2)
    },
  )

  it('does not fill the memory with the names of what it subscribes to', async () => {
    const gate = await world({})
    const client = wire(gate)
    const session = await client.open()
    const uri = `note://${'x'.repeat(10_000)}`
    const answer = await client.send(request('resources/subscribe', { uri }), { session })
    expect(await answer.next()).toMatchObject({ id: 1, error: { code: -32602 } })
    expect(await textIn(client.send(call('heard'), { session }))).not.toContain('resources/subscribe')
  })

  it('does not fill the memory with requests that wait for a process', async () => {
    const gate = await world(program('server-raw', 'silent'), { limits: { maxBodyBytes: 32 * 1024 * 1024 } })
    const client = wire(gate)
    const params = { name: 'echo', arguments: { value: bodyOfMegabytes(30) } }
    const left = new AbortController()
    const waiting = [1, 2].map(() => modern(client, 'tools/call', params, left.signal).catch(() => {}))
    await until(() => gate.commands.processes === 1)
    const refused = AbortSignal.timeout(20_000)
    const statuses = [1, 2].map(async () => (await modern(client, 'tools/call', params, refused)).status)
    expect(await Promise.any(statuses)).toBe(503)
    left.abort()
    await Promise.all(waiting)
  })
})

describe('a program of 2025-11-25', () => {
  it('that ends when it is asked for its revision is not held back as one that crashes', async () => {
    const gate = await world(program('server-raw', 'ends'))
    const client = wire(gate)
    for (let again = 0; again < 5; again++) {
      expect((await modern(client, 'server/discover')).status).toBe(404)
      const session = await client.open()
      await client.send(undefined!, { session, method: 'DELETE' })
      gate.time.pass(61_000)
    }
  })

  it('that gives no result to initialize opens no session', async () => {
    const gate = await world(program('server-raw', 'nothing'))
    const answer = await wire(gate).send(request('initialize', { protocolVersion: '2025-11-25' }))
    expect(answer.status).toBe(502)
    expect(answer.headers.get('mcp-session-id')).toBeNull()
    await until(() => gate.commands.sessions === 0 && gate.commands.processes === 0)
  })

  it.each(['session', 'principal'] as const)(
    'that is another one after a crash ends the sessions it had, and begins new ones (per %s)',
    async (per) => {
      const OLDER = await fileToBe()
      const gate = await world({ per, env: { OLDER } })
      const client = wire(gate)
      const [one, two] = [await client.open(), await client.open()]
      const stream = await client.listen(two)
      await client.send(call('crash'), { session: one })
      if (per === 'session') await client.send(call('crash'), { session: two })
      await writeFile(OLDER, '')
      gate.time.pass(1000)
      expect((await client.send(call('pid'), { session: one })).status).toBe(404)
      if (per === 'session') expect((await client.send(call('pid'), { session: two })).status).toBe(404)
      expect((await stream.all()).filter(({ method }) => method === undefined)).toEqual([])
      expect((await client.send(request('ping'), { session: two })).status).toBe(404)
      const session = await client.open()
      expect(await textIn(client.send(call('echo', { value: 'again' }), { session }))).toBe('again')
    },
  )

  it('tells of resources on the stream that is looked at for that, and on no other', async () => {
    const uri = 'note://of-nobody-here'
    const told = { method: 'notifications/resources/updated', params: { uri } }
    const policy = {
      judge: () => ({ kind: 'pass' as const }),
      review: (message: unknown) => (message === undefined ? () => undefined : undefined),
    }
    const gate = await world({}, { policy })
    const client = wire(gate)
    const session = await client.open()
    const answer = await client.send(call('tell', told), { session })
    expect(JSON.stringify(await answer.all())).not.toContain(uri)
    const next = await client.send(call('pid'), { session })
    expect(JSON.stringify(await next.all())).not.toContain(uri)
  })
})
