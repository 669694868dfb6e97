import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { stdioBridge } from '../../src/gateway/bridge/stdio-bridge.ts'
import { answer, closeServers, listen, methodsOf, serve, sessionFetch } from '../client/servers.ts'
import { endHosts, type Json, lineHost, modern } from './bridge-host.ts'

afterEach(async () => {
  await endHosts()
  await closeServers()
})

const anybody = () => serve(sessionFetch(() => true).fetch)

describe('what a host says that is no message', () => {
  it('is an error each, and nothing else comes of it', async () => {
    const server = await anybody()
    const host = lineHost({ url: server.url })
    host.input.write('hello\n{"jsonrpc":"2.0"\n\n   \n"text"\nnull\n')
    host.input.write('{"jsonrpc":"1.0","id":5,"method":"ping"}\n')
    host.input.write('{"jsonrpc":"2.0","id":{},"method":"ping"}\n')
    host.input.write('[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"x"},7]\n')
    host.input.write('[]\n')
    await host.begin()
    const errors = host.heard.slice(0, -1).map(({ id, error }: Json) => [id, error.code])
    expect(errors).toEqual([
      [undefined, -32_700],
      [undefined, -32_700],
      [undefined, -32_600],
      [undefined, -32_600],
      [5, -32_600],
      [undefined, -32_600],
      ['a', -32_600],
      [undefined, -32_600],
    ])
    expect(JSON.stringify(host.heard)).not.toContain('hello')
    expect(host.log.filter(({ event }) => event === 'garbage')).toHaveLength(1)
    expect(methodsOf(server).slice(0, 1)).toEqual(['initialize'])
  })

  it('of more than 16 MiB in a line is skipped, and the next line is read', async () => {
    const server = await anybody()
    const host = lineHost({ url: server.url })
    const piece = 'x'.repeat(1024 * 1024)
    for (let at = 0; at < 20; at++) host.input.write(piece)
    host.input.write('\n')
    await host.begin()
    expect(host.heard[0]).toEqual({
      jsonrpc: '2.0',
      error: { code: -32_700, message: 'The host sent a line of more than 16777216 bytes.' },
    })
  })

  it('of 10 MB in a line arrives, and comes back, whatever the chunks', async () => {
    const server = await anybody()
    const host = lineHost({ url: server.url })
    await host.begin()
    const text = `ä${'y'.repeat(2 * 1024 * 1024)}`
    const params = { name: 'echo', arguments: { text } }
    const bytes = Buffer.from(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })}\r\n`,
    )
    for (let at = 0; at < bytes.length; at += 65_537) host.input.write(bytes.subarray(at, at + 65_537))
    const { result } = await host.hears(({ id }) => id === 1)
    expect(result.content[0].text === text).toBe(true)
  })

  it('under an id that is under way is refused, and the first one is answered', async () => {
    let release = (): void => {}
    const server = await listen((request, response, body) => {
      const { id } = JSON.parse(body)
      release = () =>
        answer(200, {}, { jsonrpc: '2.0', id, result: { first: true } })(request, response, body)
    })
    const host = lineHost({ url: server.url })
    host.send({ id: 1, method: 'tools/list', params: modern() })
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    expect((await host.ask(1, 'tools/list', modern())).error.code).toBe(-32_600)
    release()
    await host.hears(({ id, result }) => id === 1 && result?.first)
    expect(server.requests).toHaveLength(1)
  })

  it('more requests at once than 1024 are refused at once', async () => {
    const server = await listen(() => {})
    const host = lineHost({ url: server.url })
    for (let id = 0; id < 1030; id++) host.send({ id, method: 'tools/list', params: modern() })
    const { error } = await host.hears(({ id }) => id === 1029)
    expect(error.message).toMatch(/too many requests under way/)
    expect(host.heard).toHaveLength(6)
  })
})

describe('a host that reads slowly', () => {
  it('holds up the server, and nothing piles up', async () => {
    let written = 0
    let isOver = false
    const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'z'.repeat(60_000) } })}\n\n`
    const server = await listen((_request, response, body) => {
      const { id } = JSON.parse(body)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const more = (): void => {
        while (written < 1000) {
          written++
          if (!response.write(event)) {
            response.once('drain', more)
            return
          }
        }
        response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`)
        isOver = true
      }
      more()
    })
    const [input, output] = [new PassThrough(), new PassThrough()]
    const bridge = stdioBridge({ url: server.url, input, output, logger: () => {} })
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: modern() })}\n`)
    // Sockets and pipes hold some; then it stands still.
    let seen = -1
    await vi.waitFor(
      () => {
        const before = seen
        seen = written
        expect(written).toBeGreaterThan(0)
        expect(written).toBe(before)
      },
      { timeout: 20_000, interval: 300 },
    )
    expect(isOver).toBe(false)
    expect(output.readableLength).toBeLessThan(4 * 1024 * 1024)
    let lines = 0
    output.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) lines++
    })
    await vi.waitFor(() => expect(lines).toBe(1001), { timeout: 20_000 })
    await bridge.close()
  })
})

describe('the end', () => {
  it('of standard input lets answers under way come, then ends session and bridge', async () => {
    let release = (): void => {}
    const { fetch } = sessionFetch(() => true)
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const server = await serve(async (request) => {
      const isCall = request.method === 'POST' && (await request.clone().text()).includes('tools/call')
      if (isCall) await held
      return fetch(request)
    })
    const host = lineHost({ url: server.url })
    await host.begin()
    host.send({ id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: 'late' } } })
    await vi.waitFor(() => expect(methodsOf(server)).toContain('tools/call'))
    host.input.end()
    release()
    await host.bridge.closed
    expect(host.heard.at(-1)?.result.content[0].text).toBe('late')
    expect(methodsOf(server).at(-1)).toBe('DELETE')
  })

  it('by a signal answers what is under way with an error, and does not wait', async () => {
    const server = await listen(() => {})
    const controller = new AbortController()
    const host = lineHost({ url: server.url, signal: controller.signal })
    host.send({ id: 1, method: 'tools/list', params: modern() })
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    controller.abort()
    await host.bridge.closed
    await host.bridge.close()
    expect(host.heard).toHaveLength(1)
    expect(host.heard[0]?.error.message).toMatch(/closed before the answer came/)
  })

  it('of a host that reads no more ends the bridge, and nothing is thrown', async () => {
    const server = await anybody()
    const host = lineHost({ url: server.url })
    await host.begin()
    host.output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await host.bridge.closed
    expect(methodsOf(server).at(-1)).toBe('DELETE')
  })

  it('that is there already is the end', async () => {
    const input = new PassThrough()
    input.end()
    const bridge = stdioBridge({ url: 'http://127.0.0.1:1/mcp', input, output: new PassThrough() })
    await bridge.closed
    const aborted = stdioBridge({
      url: 'http://127.0.0.1:1/mcp',
      input: new PassThrough(),
      output: new PassThrough(),
      signal: AbortSignal.abort(),
    })
    await aborted.closed
  })
})

describe('options', () => {
  const streams = () => ({ input: new PassThrough(), output: new PassThrough() })
  const wrong: [string, object, RegExp][] = [
    ['no URL', {}, /stdioBridge: url/],
    ['plain http with a token', { url: 'http://mcp.example.com', auth: 'sk-abc123456' }, /https/],
    ['a variable that is not set', { url: 'https://a.example', auth: undefined }, /auth is undefined/],
    ['a misspelt one', { url: 'https://a.example', token: 'x' }, /unknown option "token"/],
    ['a time', { url: 'https://a.example', timeoutMs: -1 }, /timeoutMs/],
    ['another time', { url: 'https://a.example', patienceMs: Number.NaN }, /patienceMs/],
    ['a logger', { url: 'https://a.example', logger: 1 }, /logger/],
  ]
  it.each(wrong)('%s is a TypeError at once', (_case, options, words) => {
    expect(() => stdioBridge({ ...streams(), ...(options as { url: string }) })).toThrow(TypeError)
    expect(() => stdioBridge({ ...streams(), ...(options as { url: string }) })).toThrow(words)
  })

  it('a bridge that is thrown away closes itself', async () => {
    const { url } = await anybody()
    const given = streams()
    {
      await using bridge = stdioBridge({ url, ...given })
      given.input.write('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}\n')
      await once(given.output, 'data')
      expect(bridge.closed).toBeInstanceOf(Promise)
    }
    expect(given.input.listenerCount('data')).toBe(0)
  })
})
