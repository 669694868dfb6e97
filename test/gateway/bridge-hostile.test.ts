import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { stdioBridge } from '../../src/gateway/bridge/stdio-bridge.ts'
import { answer, closeServers, type Handler, listen, methodsOf, type TestServer } from '../client/servers.ts'
import { endHosts, type Json, lineHost, modern } from './bridge-host.ts'

const token = 'opaque.of.nobody.7f3a9c51d2e8'

afterEach(async () => {
  await endHosts()
  await closeServers()
})

/** A server of 2025-11-25, written by hand: what it does with the rest is the test's. */
function handMade(
  rest: (message: Json, request: Parameters<Handler>[0], response: Parameters<Handler>[1]) => unknown,
  revision: () => string = () => '2025-11-25',
): Promise<TestServer> {
  let sessions = 0
  return listen((request, response, body) => {
    const message = body === '' ? {} : JSON.parse(body)
    const { id, method } = message
    const say = (status: number, value?: Json, headers = {}) =>
      answer(status, headers, value)(request, response, body)
    if (method === 'initialize') {
      const serverInfo = { name: 's', version: '1' }
      const capabilities = { tools: { listChanged: true } }
      const result = { protocolVersion: revision(), capabilities, serverInfo }
      return say(200, { jsonrpc: '2.0', id, result }, { 'mcp-session-id': `s${++sessions}` })
    }
    if (rest(message, request, response) !== undefined) return
    if (method === undefined || id === undefined) return say(request.method === 'POST' ? 202 : 405)
    say(200, { jsonrpc: '2.0', id, result: { session: request.headers['mcp-session-id'] } })
  })
}

const handshakes = (server: TestServer) => methodsOf(server).filter((each) => each === 'initialize').length

describe('a server', () => {
  it('that has no stream of its own and says so with 404 is not greeted over and over', async () => {
    let gets = 0
    const server = await handMade((_message, request, response) => {
      if (request.method !== 'GET') return undefined
      gets++
      return response.writeHead(404).end()
    })
    const host = lineHost({ url: server.url })
    await host.begin()
    await vi.waitFor(() => expect(gets).toBeGreaterThan(0))
    for (let id = 1; id <= 20; id++) {
      expect((await host.ask(id, 'tools/list')).result).toEqual({ session: 's1' })
    }
    expect(handshakes(server)).toBe(1)
    expect(host.heard.filter(({ method }) => method !== undefined)).toEqual([])
  })

  it('that forgot the session and says so on the stream: another one takes its place', async () => {
    let isRestarted = false
    const server = await handMade(({ id }, request, response) => {
      if (isRestarted && request.headers['mcp-session-id'] === 's1') return response.writeHead(404).end()
      if (request.method !== 'GET') return undefined
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      streams.push(response)
      return id ?? null
    })
    const streams: ServerResponse[] = []
    const host = lineHost({ url: server.url })
    await host.begin()
    await vi.waitFor(() => expect(streams).toHaveLength(1))
    isRestarted = true
    streams[0]!.end()
    await host.hears(({ method }) => method === 'notifications/tools/list_changed')
    expect((await host.ask(1, 'ping')).result).toEqual({ session: 's2' })
    expect(handshakes(server)).toBe(2)
  })

  it('that comes back with another revision is not spoken to as if it were the same', async () => {
    let revision = '2025-11-25'
    let isLost = false
    const server = await handMade(
      ({ method }, request, response) => {
        if (!isLost || request.headers['mcp-session-id'] !== 's1' || method === undefined) return undefined
        return response.writeHead(404).end()
      },
      () => revision,
    )
    const host = lineHost({ url: server.url })
    await host.begin()
    isLost = true
    revision = '2024-11-05'
    const { error } = await host.ask(1, 'tools/call', { name: 'x', arguments: {} })
    expect(error.message).toMatch(/another revision.*Restart/)
    expect(methodsOf(server).filter((method) => method === 'tools/call')).toHaveLength(1)
    revision = '2025-11-25'
    expect((await host.ask(2, 'tools/list')).result.session).not.toBe('s1')
  })

  it.each([200, 400, 403, 404, 500])(
    'that repeats the token in an error with status %s does not bring it to the host',
    async (status) => {
      const server = await listen((request, response, body) => {
        const { id } = JSON.parse(body)
        const { authorization } = request.headers
        const error = {
          code: -1,
          message: `bad ${authorization}`,
          data: { deep: [{ token, authorization }] },
        }
        answer(status, { 'x-token': token }, { jsonrpc: '2.0', id, error })(request, response, body)
      })
      const host = lineHost({ url: server.url, auth: token, patienceMs: 0 })
      expect((await host.ask(1, 'tools/list', modern())).error).toBeDefined()
      expect((await host.ask('init', 'initialize', { protocolVersion: '2025-11-25' })).error).toBeDefined()
      expect(JSON.stringify(host.heard) + JSON.stringify(host.log)).not.toContain(token)
    },
  )
})

describe('a host', () => {
  it('that has said its last word to a server that is not there hears that it is not there', async () => {
    const server = await listen(answer(500))
    await closeServers()
    const host = lineHost({ url: server.url, patienceMs: 60_000 })
    host.send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } })
    host.send({ id: 2, method: 'tools/list', params: modern() })
    host.input.end()
    await host.bridge.closed
    expect(host.heard.map(({ id }) => id).sort()).toEqual([1, 2])
    for (const { error } of host.heard)
      expect(error.message).toMatch(/cannot be reached|refused the connection/)
  })

  it('that asks and asks and reads nothing is not listened to any more', async () => {
    const server = await handMade((_message, _request, response) => response)
    const [input, output] = [new PassThrough(), new PassThrough()]
    const bridge = stdioBridge({ url: server.url, input, output, logger: () => {} })
    const id = 'x'.repeat(100_000)
    const line = `${JSON.stringify({ jsonrpc: '2.0', id, method: 'ping', params: modern() })}\n`
    for (let sent = 0; sent < 500; sent++) input.write(line)
    await vi.waitFor(() => expect(input.isPaused()).toBe(true), 10_000)
    expect(output.readableLength + output.writableLength).toBeLessThan(20_000_000)
    let lines = 0
    output.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) lines++
    })
    // The first one waits for the server.
    await vi.waitFor(() => expect(lines).toBe(499), 10_000)
    await bridge.close()
  })
})
