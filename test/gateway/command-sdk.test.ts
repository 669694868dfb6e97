import { describe, expect, it } from 'vitest'
import { ownClient, program, sdkClient, textOf, until, world } from './command-support.ts'
import { alice, bob } from './front-support.ts'

const both = [
  ['2026-07-28', 'auto'],
  ['2025-11-25', 'legacy'],
] as const

describe.each(both)('the SDK client of %s and a server on the SDK', (revision, mode) => {
  it('agree on the revision, and call', async () => {
    const gate = await world(program('server-sdk'))
    const { client } = await sdkClient(gate, alice, mode)
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    expect(client.getServerVersion()?.name).toBe('sdk-fixture')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { value: 'hello' } }))).toBe('hello')
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('steps')
    expect((await client.readResource({ uri: 'note://one' })).contents).toHaveLength(1)
  })

  it('pass progress to the call that asked for it', async () => {
    const gate = await world(program('server-sdk'))
    const { client } = await sdkClient(gate, alice, mode)
    const heard: number[][] = [[], []]
    const calls = heard.map((into, at) =>
      client.callTool(
        { name: 'steps', arguments: { count: 3 + at } },
        { onprogress: ({ progress }) => void into.push(progress) },
      ),
    )
    expect((await Promise.all(calls)).map(textOf)).toEqual(['after 3', 'after 4'])
    expect(heard).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4],
    ])
  })

  it('fill in a form in the middle of a call', async () => {
    const gate = await world(program('server-sdk'))
    const { client } = await sdkClient(gate, alice, mode, (each) =>
      each.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } })),
    )
    expect(textOf(await client.callTool({ name: 'name' }))).toBe('hello Ada')
  })

  it('cancel a call at the server', async () => {
    const gate = await world(program('server-sdk'))
    const { client } = await sdkClient(gate, alice, mode)
    const abort = new AbortController()
    const waiting = client.callTool({ name: 'wait' }, { signal: abort.signal })
    await until(async () => textOf(await client.callTool({ name: 'begun' })) === '1')
    abort.abort('enough')
    await expect(waiting).rejects.toThrow()
    await until(async () => textOf(await client.callTool({ name: 'cancelled' })) === '1')
  })

  it('hear that a list has changed', async () => {
    const gate = await world(program('server-sdk'))
    let changes = 0
    const { client } = await sdkClient(gate, alice, mode, (each) =>
      each.setNotificationHandler('notifications/tools/list_changed', () => void changes++),
    )
    const listening = mode === 'auto' ? await client.listen({ toolsListChanged: true }) : undefined
    await client.callTool({ name: 'grow' })
    await until(() => changes > 0)
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('grown')
    await listening?.close()
  })

  it('hear of a resource they have subscribed to', async () => {
    const gate = await world(program('server-sdk'))
    const updated: string[] = []
    const { client } = await sdkClient(gate, alice, mode, (each) =>
      each.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        updated.push(params.uri)
      }),
    )
    if (mode === 'auto') await client.listen({ resourceSubscriptions: ['note://one'] })
    else await client.subscribeResource({ uri: 'note://one' })
    await client.callTool({ name: 'touch', arguments: { uri: 'note://one' } })
    await until(() => updated.length > 0)
    expect(updated).toEqual(['note://one'])
  })

  it('pass a line of the log', async () => {
    const gate = await world(program('server-sdk'))
    const lines: unknown[] = []
    const { client } = await sdkClient(gate, alice, mode, (each) =>
      each.setNotificationHandler('notifications/message', ({ params }) => void lines.push(params.data)),
    )
    if (mode === 'legacy') await client.setLoggingLevel('info')
    const _meta = mode === 'auto' ? { 'io.modelcontextprotocol/logLevel': 'info' } : {}
    await client.callTool({ name: 'log', arguments: { data: 'a line' }, _meta })
    await until(() => lines.length > 0)
    expect(lines).toEqual(['a line'])
  })

  it('survive a crash: the call fails, the next one is answered by a new process', async () => {
    const gate = await world(program('server-sdk'))
    const { client } = await sdkClient(gate, alice, mode)
    const before = textOf(await client.callTool({ name: 'pid' }))
    await expect(client.callTool({ name: 'crash' })).rejects.toThrow()
    const after = textOf(await client.callTool({ name: 'pid' }))
    expect(after).not.toBe(before)
    expect(gate.commands.processes).toBe(1)
  })

  it('are two principals with two processes, though their ids are equal', async () => {
    const gate = await world({ ...program('server-sdk'), identity: true })
    const [one, other] = await Promise.all([sdkClient(gate, alice, mode), sdkClient(gate, bob, mode)])
    const subject = { name: 'environment', arguments: { name: 'MCP_BEARER_SUBJECT' } }
    const calls = [one.client, other.client].map((client) => client.callTool(subject))
    expect((await Promise.all(calls)).map(textOf)).toEqual(['alice', 'bob'])
    expect(gate.commands.processes).toBe(2)
  })
})

describe('a program of 2025-11-25 and older', () => {
  it.each([
    ['on the SDK', program('server-sdk', 'legacy')],
    ['that answers what it does not know', program('server-raw')],
    ['that ends when it is not initialized first', program('server-raw', 'ends')],
  ])('%s serves a client that would rather speak 2026-07-28', async (_, command) => {
    const gate = await world(command)
    const { client } = await sdkClient(gate)
    expect(client.getNegotiatedProtocolVersion()).toBe('2025-11-25')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { value: 'old' } }))).toBe('old')
    const own = ownClient(gate, bob)
    expect(textOf(await own.callTool('echo', { value: 'own' }, { raw: true }))).toBe('own')
  })

  it('is not started a second time to find out', async () => {
    const gate = await world(program('server-sdk', 'legacy'))
    const first = await sdkClient(gate)
    const second = await sdkClient(gate)
    expect(first.client.getNegotiatedProtocolVersion()).toBe('2025-11-25')
    expect(second.client.getNegotiatedProtocolVersion()).toBe('2025-11-25')
    await until(() => gate.commands.processes === 2)
    expect(gate.commands.sessions).toBe(2)
  })

  it('gives a client that speaks 2026-07-28 only a clear error', async () => {
    const gate = await world(program('server-sdk', 'legacy'))
    await expect(sdkClient(gate, alice, { pin: '2026-07-28' })).rejects.toThrow(/2026-07-28/)
  })
})
