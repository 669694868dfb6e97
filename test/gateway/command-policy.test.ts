import { describe, expect, it } from 'vitest'
import type { JsonObject, RpcMessage } from '../../src/gateway/message.ts'
import type { GatewayPolicy } from '../../src/gateway/policy.ts'
import { ownClient, program, textOf, wire, world } from './command-support.ts'
import { alice, request } from './front-support.ts'

/** Lets everything in, and nothing out that says `secret`. */
const discreet: GatewayPolicy = {
  judge: () => ({ kind: 'pass' }),
  review: () => (message: RpcMessage) => (JSON.stringify(message).includes('secret') ? undefined : message),
}

const call = (name: string, args: JsonObject = {}) => request('tools/call', { name, arguments: args })
const line = (data: string) =>
  call('tell', { method: 'notifications/message', params: { level: 'info', data } })

describe('what the policy keeps back', () => {
  it('does not leave in an answer, which is an error then', async () => {
    const gate = await world({}, { policy: discreet })
    const client = wire(gate)
    const session = await client.open()
    const answer = await client.send(call('echo', { value: 'secret' }), { session })
    expect(await answer.all()).toMatchObject([{ id: 1, error: { code: -32603 } }])
    expect(await (await client.send(call('echo', { value: 'open' }), { session })).all()).toMatchObject([
      { id: 1, result: {} },
    ])
  })

  it('does not leave on the stream of a call, nor on that of no request', async () => {
    const gate = await world({}, { policy: discreet })
    const client = wire(gate)
    const session = await client.open()
    const own = await client.send(line('secret'), { session })
    expect(own.isStream).toBe(false)
    const stream = await client.listen(session)
    for (const data of ['secret', 'open']) await client.send(line(data), { session })
    expect(await stream.next()).toMatchObject({ params: { data: 'open' } })
  })

  it('does not leave by waiting for a reader', async () => {
    const gate = await world({}, { policy: discreet })
    const client = wire(gate)
    const session = await client.open()
    for (const mark of ['secret', 'open'])
      await client.send(call('askLater', { method: 'sampling/createMessage', mark }), { session })
    const stream = await client.listen(session)
    expect(await stream.next()).toMatchObject({ params: { mark: 'open' } })
  })

  it('is kept back as well when it cannot be looked at', async () => {
    const broken: GatewayPolicy = {
      judge: () => ({ kind: 'pass' }),
      review: (asked) => (message) => {
        if (asked?.method === 'tools/call') throw new Error('broken')
        return message
      },
    }
    const gate = await world({}, { policy: broken })
    const client = wire(gate)
    const session = await client.open()
    const answer = await client.send(call('echo', { value: 'open' }), { session })
    expect(await answer.all()).toMatchObject([{ id: 1, error: { code: -32603 } }])
  })
})

describe('a policy that has to know a tool', () => {
  const looks: GatewayPolicy = {
    async judge(message, _caller, toolNamed) {
      if (message.method !== 'tools/call') return { kind: 'pass' }
      return (await toolNamed(String(message.params?.name))) ? { kind: 'pass' } : { kind: 'access_denied' }
    },
    review: () => undefined,
  }

  it.each([
    ['2025-11-25', program('server-raw')],
    ['2026-07-28', program('server-sdk')],
  ])('asks the server, as the client and in its session: %s', async (_, command) => {
    const gate = await world(command, { policy: looks })
    const client = ownClient(gate, alice)
    expect(textOf(await client.callTool('echo', { value: 'known' }, { raw: true }))).toBe('known')
    await expect(client.callTool('unheard-of')).rejects.toThrow()
    expect(gate.commands.processes).toBe(1)
  })
})

describe('our own client', () => {
  it('answers what a server of either era asks, and hears its progress', async () => {
    const gate = await world(program('server-sdk'))
    const client = ownClient(gate, alice, {
      handlers: { elicit: () => ({ action: 'accept', content: { name: 'Grace' } }) },
    })
    expect(textOf(await client.callTool('name', {}, { raw: true }))).toBe('hello Grace')
    const heard: number[] = []
    const onProgress = ({ progress }: { progress: number }) => void heard.push(progress)
    await client.callTool('steps', { count: 3 }, { onProgress })
    expect(heard).toEqual([1, 2, 3])
  })

  it('answers an old server that asks for a form and a model, and tells it of no roots', async () => {
    const gate = await world(program('server-sdk', 'legacy'))
    const client = ownClient(gate, alice, {
      handlers: {
        elicit: () => ({ action: 'accept', content: { name: 'Ada' } }),
        sample: () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: 'words' } }),
        roots: [{ uri: 'file:///home' }],
      },
    })
    expect(textOf(await client.callTool('name', {}, { raw: true }))).toBe('hello Ada')
    const raw = ownClient(await world({}), alice, {
      handlers: {
        sample: () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: 'words' } }),
        roots: [{ uri: 'file:///home' }],
      },
    })
    const message = { role: 'user', content: { type: 'text', text: 'say' } }
    const sampling = { method: 'sampling/createMessage', params: { messages: [message], maxTokens: 9 } }
    expect(textOf(await raw.callTool('ask', sampling, { raw: true }))).toContain('words')
    // Paths on the client's machine: a server on this one would take them for its own.
    const roots = { method: 'roots/list', params: {} }
    const refused = textOf(await raw.callTool('ask', roots, { raw: true }))
    expect(refused).toContain('-32601')
    expect(refused).not.toContain('file:///home')
    const trusting = await world({ processes: { clientRoots: true } })
    const trusted = ownClient(trusting, alice, { handlers: { roots: [{ uri: 'file:///home' }] } })
    expect(textOf(await trusted.callTool('ask', roots, { raw: true }))).toContain('file:///home')
  })
})
