import { Client } from 'mcp-bearer/client'
import { afterEach, describe, expect, test } from 'vitest'
import { answer, closeServers, type Handler, listen } from './servers.ts'

afterEach(closeServers)

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A server of 2025-11-25 with sessions; `leave` answers the end of one. */
function sessions(leave: Handler, session = 's1'): Handler {
  return (request, response, body) => {
    if (request.method === 'DELETE') return leave(request, response, body)
    if (request.method === 'GET') return answer(405)(request, response, body)
    const { id, method } = JSON.parse(body)
    if (id === undefined) return answer(202)(request, response, body)
    if (method !== 'initialize') {
      const error = { code: -32_601, message: 'no such method' }
      return answer(200, {}, { jsonrpc: '2.0', id, error })(request, response, body)
    }
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'some', version: '1' },
    }
    return answer(200, { 'mcp-session-id': session }, { jsonrpc: '2.0', id, result })(request, response, body)
  }
}

describe('closing', () => {
  test('twice: both wait until the server has heard of it', async () => {
    let heard: () => void = () => {}
    const arrived = new Promise<void>((resolve) => {
      heard = resolve
    })
    let letGo: () => void = () => {}
    const { url } = await listen(
      sessions((...exchange) => {
        letGo = () => answer(200)(...exchange)
        heard()
      }),
    )
    const client = new Client(url)
    await client.connect()
    const ended: number[] = []
    const first = client.close().then(() => ended.push(1))
    await arrived
    const second = client.close().then(() => ended.push(2))
    await settle()
    expect(ended).toEqual([])
    letGo()
    await Promise.all([first, second])
    expect(ended).toEqual([1, 2])
  })
})

describe('a server that was restarted', () => {
  test('may say so to each of fifty calls in its own time, and all of them succeed', async () => {
    let session = 0
    let pings = 0
    const held: (() => void)[] = []
    const server = await listen((request, response, body) => {
      if (request.method === 'DELETE') return answer(200)(request, response, body)
      if (request.method === 'GET') return answer(405)(request, response, body)
      const { id, method } = JSON.parse(body)
      const isOld = method !== 'initialize' && request.headers['mcp-session-id'] !== `s${session}`
      const forget = () => answer(404)(request, response, body)
      if (isOld && method === 'ping') {
        pings += 1
        return pings === 1 ? forget() : void held.push(forget)
      }
      if (method !== 'ping') return sessions(answer(200), `s${session}`)(request, response, body)
      answer(200, {}, { jsonrpc: '2.0', id, result: {} })(request, response, body)
    })
    const client = new Client(server.url)
    await client.connect()
    session += 1
    const calls = Array.from({ length: 50 }, () => client.ping())
    const all = Promise.allSettled(calls)
    await calls[0]
    await expect.poll(() => held.length).toBe(49)
    for (const forget of held) forget()
    expect((await all).filter(({ status }) => status === 'rejected')).toEqual([])
    await client.close()
    const ends = server.requests.filter(({ method }) => method === 'DELETE')
    expect(ends.map(({ headers }) => headers['mcp-session-id'])).toEqual(['s0', 's1'])
  })
})

describe('many subscriptions', () => {
  test('make nobody warn of too many listeners', async () => {
    const { url } = await listen(sessions(answer(200)))
    const warnings: string[] = []
    const note = ({ message }: Error) => void warnings.push(message)
    process.on('warning', note)
    await using client = new Client(url)
    await client.connect()
    const subscribed = await Promise.allSettled(
      Array.from({ length: 30 }, () => client.subscribe({ prompts: true }, () => {})),
    )
    await settle()
    process.off('warning', note)
    expect(subscribed.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 'rejected'))
    expect(warnings).toEqual([])
  })
})
