import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { reading } from '../server/session-client.ts'
import { alice, bob } from './front-support.ts'
import { behind, call, fronted, initialize, reviewing, until } from './http-upstream-support.ts'

/** A server whose streams are written by the test. */
async function streaming(headers: Record<string, string> = {}) {
  const streams: ServerResponse[] = []
  const server = await behind((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
    response.flushHeaders()
    streams.push(response)
  })
  return { ...server, streams }
}

const note = (n: number, more: object = {}) => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: n, ...more },
})
const event = (message: object, id?: string) =>
  `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`

describe('a stream behind the gateway', () => {
  it('goes on event by event, while it is open', async () => {
    const { url, streams } = await streaming()
    const { post } = await fronted(url)
    const reader = reading(await post(call(1)))
    for (const n of [1, 2, 3]) {
      streams[0]!.write(event(note(n)))
      expect(await reader.next()).toEqual(note(n))
    }
    streams[0]!.end(event({ jsonrpc: '2.0', id: 1, result: {} }))
    expect(await reader.rest()).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  })

  it.each([
    ['CR LF', '\r\n'],
    ['CR', '\r'],
    ['LF', '\n'],
  ])(
    'whose lines end in %s, cut anywhere, is the same stream of lines that end in LF',
    async (_name, end) => {
      const { url, streams } = await streaming()
      const { post } = await fronted(url)
      const answer = await post(call(1))
      const text = `\uFEFF: hello\n\n${event(note(1, { text: 'ü 🐎 \u2028id: x' }))}retry: 5\n\n${event(note(2))}`
      const bytes = Buffer.from(text.replaceAll('\n', end))
      for (let at = 0; at < bytes.length; at++) {
        streams[0]!.write(bytes.subarray(at, at + 1))
        // Each byte in a piece of its own.
        if (at % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      streams[0]!.end()
      expect(await answer.text()).toBe(text.slice(1))
    },
  )

  it('of which half an event came ends without it, and without one that the server did not send', async () => {
    const { url, streams } = await streaming()
    const { post } = await fronted(url)
    const answer = await post(call(1))
    streams[0]!.write(`${event(note(1))}event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n`)
    const text = answer.text()
    streams[0]!.end()
    expect(await text).toBe(event(note(1)))
  })

  it('whose connection is lost ends there', async () => {
    const { url, streams } = await streaming()
    const { post } = await fronted(url)
    const reader = reading(await post(call(1)))
    streams[0]!.write(event(note(1)))
    await reader.next()
    streams[0]!.socket!.resetAndDestroy()
    expect(await reader.rest()).toEqual([])
  })

  it('with bytes that are no UTF-8 stays one: they become U+FFFD', async () => {
    const { url, streams } = await streaming()
    const { post } = await fronted(url)
    const answer = await post(call(1))
    streams[0]!.end(
      Buffer.concat([Buffer.from('data: "'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"\n\n')]),
    )
    expect(await answer.text()).toBe('data: "\uFFFD(\uFFFD"\n\n')
  })

  it.each([
    ['in pieces', 1000],
    ['at once', 50_000],
  ])('with an event that is longer than it may be (%s) ends before it', async (_name, size) => {
    const { url, streams, sockets } = await streaming()
    const { post, log } = await fronted(url, { maxAnswerBytes: 20_000 })
    const answer = await post(call(1))
    streams[0]!.write(event(note(1)))
    streams[0]!.write('data: ')
    for (let sent = 0; sent < 50_000; sent += size) streams[0]!.write('x'.repeat(size))
    streams[0]!.write('\n\n')
    expect(await answer.text()).toBe(event(note(1)))
    await until(() => [...sockets].every((socket) => socket.destroyed))
    expect(log.map(({ event }) => event)).toEqual(['upstream_broken'])
  })

  it('ends when its reader leaves, and so does the request to the server', async () => {
    const { url, streams } = await streaming()
    const { get } = await fronted(url)
    const leaving = new AbortController()
    await get({}, alice, leaving.signal)
    const over = new Promise((resolve) => streams[0]!.once('close', resolve))
    leaving.abort()
    await over
  })

  it('ends with the gateway, and the request with it', async () => {
    const { url, streams } = await streaming()
    const { get, close } = await fronted(url)
    const answer = await get()
    const over = new Promise((resolve) => streams[0]!.once('close', resolve))
    await close()
    await over
    expect(await answer.text()).toBe('')
  })

  it('may be silent for longer than an answer may take', async () => {
    const { url, streams } = await streaming()
    const { post } = await fronted(url, { timeoutMs: 50 })
    const reader = reading(await post(call(1)))
    // Another answer of the same server comes too late, so this one has waited longer.
    const silent = await behind(() => {})
    const other = await fronted(silent.url, { timeoutMs: 100 })
    expect((await other.post(call(2))).status).toBe(504)
    streams[0]!.write(event(note(1)))
    expect(await reader.next()).toEqual(note(1))
  })
})

describe('a reader who is slower than the server', () => {
  it('makes the server wait: what is in between stays small, and nothing is lost', async () => {
    const { url, streams } = await streaming()
    const { url: own } = await fronted(url)
    const { port } = new URL(own)
    const slow = connect(Number(port), '127.0.0.1')
    onTestFinished(() => void slow.destroy())
    slow.write(
      `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${alice}\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n`,
    )
    slow.pause()
    await until(() => streams.length === 1)
    const total = 64 * 1024 * 1024
    const line = event(note(0, { text: 'x'.repeat(65_000) }))
    let written = 0
    const more = () => {
      while (written < total) {
        written += line.length
        if (!streams[0]!.write(line)) return void streams[0]!.once('drain', more)
      }
      streams[0]!.end()
    }
    more()
    // Nobody reads: what the server could get rid of is what the sockets hold.
    let before = -1
    while (written !== before) {
      before = written
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    const held = written - streams[0]!.writableLength
    expect(held).toBeLessThan(24 * 1024 * 1024)
    let received = 0
    slow.on('data', (bytes) => {
      received += bytes.length
    })
    const ended = new Promise((resolve) => slow.once('end', resolve))
    slow.resume()
    await ended
    expect(written).toBeGreaterThanOrEqual(total)
    expect(received).toBeGreaterThan(written)
  })
})

describe('a stream under a policy that looks at it', () => {
  it('shows what may be seen, and no event of which nobody can tell', async () => {
    const { url, streams } = await streaming({ 'mcp-session-id': 's-1' })
    const { post } = await fronted(
      url,
      {},
      reviewing((message) =>
        (message.params as { data?: number } | undefined)?.data === 2 ? undefined : message,
      ),
    )
    const answer = await post(initialize)
    streams[0]!.write(
      [
        ': a comment\n\n',
        'id: prime\nretry: 9\ndata:\n\n',
        event(note(1), 'e1'),
        event(note(2), 'e2'),
        'data: not json\n\n',
        'event: other\ndata: {"tools":["secret"]}\n\n',
        'data: [{"jsonrpc":"2.0","method":"x"}]\n\n',
        'data: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n',
      ].join(''),
    )
    streams[0]!.end()
    const text = (await answer.text()).replace(/(id: \w+)\.[\w-]{22}\n/g, '$1\n')
    expect(text).toBe(
      [
        'id: prime\nretry: 9\ndata: \n\n',
        event(note(1), 'e1'),
        // Its place in the stream, and nothing of it.
        'event: message\nid: e2\n\n',
        'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
      ].join(''),
    )
  })

  it('ends when the policy breaks, and shows nothing more', async () => {
    const { url, streams } = await streaming()
    const { post, log } = await fronted(
      url,
      {},
      reviewing(() => {
        throw new Error('broken')
      }),
    )
    const answer = await post(call(1))
    streams[0]!.write(event(note(1)))
    expect(await answer.text()).toBe('')
    expect(log.map(({ event }) => event)).toEqual(['upstream_broken'])
  })
})

describe('a stream that is asked for again', () => {
  async function opened() {
    const server = await streaming({ 'mcp-session-id': 's-1' })
    const door = await fronted(server.url)
    const first = await door.post(initialize)
    const session = first.headers.get('mcp-session-id')!
    const reader = reading(first)
    server.streams[0]!.write(event(note(1), '17'))
    await reader.next()
    return { ...server, door, session, lastId: reader.lastId, reader }
  }

  it('goes on after the event the server knows by its own name', async () => {
    const { door, session, lastId, heard } = await opened()
    expect(lastId).toMatch(/^17\.[\w-]{22}$/)
    const again = await door.get({ 'mcp-session-id': session, 'last-event-id': lastId })
    expect(again.status).toBe(200)
    expect(heard[1]!.headers['last-event-id']).toBe('17')
    expect(heard[1]!.headers['mcp-session-id']).toBe('s-1')
  })

  it('does not go on after an event of another session or principal, or one nobody was told of', async () => {
    const { door, session, lastId, heard, streams } = await opened()
    const guessed = `16.${lastId.split('.')[1]}`
    for (const id of ['17', '16', guessed, `${lastId}x`]) {
      const answer = await door.get({ 'mcp-session-id': session, 'last-event-id': id })
      expect(answer.status).toBe(400)
    }
    expect(heard).toHaveLength(1)
    const theirs = await door.post(initialize, {}, bob)
    const bobs = theirs.headers.get('mcp-session-id')!
    const stolen = await door.get({ 'mcp-session-id': bobs, 'last-event-id': lastId }, bob)
    expect(stolen.status).toBe(400)
    expect(streams).toHaveLength(2)
  })

  it('says nothing of an event without a session', async () => {
    const { door, lastId, heard } = await opened()
    await door.get({ 'last-event-id': lastId })
    expect(heard[1]!.headers['last-event-id']).toBeUndefined()
  })
})
