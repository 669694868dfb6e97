import type { Transport } from '@modelcontextprotocol/client'
import { describe, expect, it, vi } from 'vitest'
import { failLostCalls } from './stream-loss.ts'

const call = { jsonrpc: '2.0' as const, id: 7, method: 'tools/call' }
const answer = { jsonrpc: '2.0' as const, id: 7, result: {} }
const lost = new Error('lost')

describe('failLostCalls', () => {
  it('settles with the answer, and not before', async () => {
    const { transport, deliver } = fake()
    failLostCalls(transport, () => lost)
    const heard = vi.fn()
    transport.onmessage = heard
    const settled = vi.fn()
    const sent = transport.send(call).then(settled)
    await new Promise(setImmediate)
    expect(settled).not.toHaveBeenCalled()
    deliver(answer)
    await sent
    expect(heard).toHaveBeenCalledExactlyOnceWith(answer, undefined)
  })

  it('hears every listener, one that is put back as well', async () => {
    const { transport, deliver } = fake()
    failLostCalls(transport, () => lost)
    const first = vi.fn()
    transport.onmessage = first
    const saved = transport.onmessage
    transport.onmessage = vi.fn()
    transport.onmessage = saved
    const chained = transport.onmessage
    transport.onmessage = (message, extra) => chained?.(message, extra)
    const sent = transport.send(call)
    deliver(answer)
    await sent
    expect(first).toHaveBeenCalledTimes(1)
  })

  it('fails with the end of the stream, once, and not after the answer', async () => {
    const { transport, deliver, ends } = fake()
    failLostCalls(transport, () => lost)
    transport.onmessage = vi.fn()
    const sent = transport.send(call)
    ends[0]?.()
    await expect(sent).rejects.toBe(lost)
    const again = transport.send(call)
    deliver(answer)
    ends[1]?.()
    await expect(again).resolves.toBeUndefined()
  })

  it('leaves alone what is no request, and a request whose end is watched already', async () => {
    const { transport, ends } = fake()
    failLostCalls(transport, () => lost)
    await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    await transport.send(answer)
    const onRequestStreamEnd = vi.fn()
    await transport.send(call, { onRequestStreamEnd })
    ends.at(-1)?.()
    expect(onRequestStreamEnd).toHaveBeenCalledTimes(1)
  })

  it('lets go of a request that was given up, and of all when it is closed', async () => {
    const { transport } = fake()
    const failAll = failLostCalls(transport, () => lost)
    const controller = new AbortController()
    const given = transport.send(call, { requestSignal: controller.signal })
    controller.abort()
    await given
    const closed = transport.send(call)
    await transport.close()
    await closed
    const failed = transport.send(call)
    failAll()
    await expect(failed).rejects.toBe(lost)
  })

  it('fails with the error of sending', async () => {
    const { transport } = fake()
    const error = new Error('refused')
    transport.send = async () => Promise.reject(error)
    failLostCalls(transport, () => lost)
    await expect(transport.send(call)).rejects.toBe(error)
  })
})

function fake() {
  const ends: ((() => void) | undefined)[] = []
  const transport: Transport = {
    start: async () => {},
    close: async () => {},
    async send(_message, options) {
      ends.push(options?.onRequestStreamEnd)
    },
  }
  const deliver = (message: typeof answer): void => transport.onmessage?.(message)
  return { transport, deliver, ends }
}
