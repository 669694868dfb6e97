import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ProbeUnreachable } from '../probe/exchange.ts'
import { type NodeSenderOptions, nodeSender } from './node-sender.ts'

const never = new AbortController().signal
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server that keeps the bytes it gets, and answers a head with what it is told. */
async function wire(answer: string | ((socket: Socket) => void)) {
  const received: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const isNew = !text.includes('\r\n\r\n')
      text += chunk.toString('latin1')
      received.splice(0, received.length, text)
      if (!isNew || !text.includes('\r\n\r\n')) return
      if (typeof answer === 'string') socket.write(answer)
      else answer(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { origin: `http://127.0.0.1:${port}`, port, received, sockets }
}

function senderTo(origin: string, options: Partial<NodeSenderOptions> = {}) {
  const sender = nodeSender({ origin, ...options })
  closing.push(() => sender.close())
  return sender
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'

describe('what stands on the wire', () => {
  it('is every line as it was given, and a Host of the origin', async () => {
    const { origin, port, received } = await wire(ok)
    const headers = [
      ['Authorization', 'Bearer one'],
      ['authorization', 'Bearer two'],
      ['X-Odd', 'a,b'],
    ] as const
    const answer = await senderTo(origin).send(
      { method: 'POST', target: '//mcp/../x%2f;y?z', headers, body: 'ü' },
      never,
    )
    expect(received[0]?.split('\r\n')).toEqual([
      'POST //mcp/../x%2f;y?z HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'User-Agent: mcp-bearer-probe',
      'Authorization: Bearer one',
      'authorization: Bearer two',
      'X-Odd: a,b',
      'Content-Length: 2',
      'Connection: close',
      '',
      Buffer.from('ü').toString('latin1'),
    ])
    expect(answer).toMatchObject({ status: 200, body: 'hi', isCut: false })
  })

  it('is another Host when one is given', async () => {
    const { origin, received } = await wire(ok)
    const headers = [['Host', 'evil.example']] as const
    await senderTo(origin).send({ method: 'GET', target: '/', headers }, never)
    expect(received[0]?.match(/^host:.*$/gim)).toEqual(['Host: evil.example'])
  })

  it('is a body that was announced and never comes, and the answer is taken before', async () => {
    const { origin, received } = await wire('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n')
    const headers = [['Content-Length', '104857600']] as const
    const answer = await senderTo(origin).send({ method: 'POST', target: '/mcp', headers }, never)
    expect(answer.status).toBe(401)
    expect(received[0]).toContain('Content-Length: 104857600\r\n')
  })

  it('is nothing at all when the target is another origin, or holds a line break', async () => {
    const { origin, received } = await wire(ok)
    const sender = senderTo(origin)
    const targets = ['http://evil.example/mcp', '/mcp HTTP/1.1\r\nX: y']
    for (const target of targets)
      await expect(sender.send({ method: 'GET', target, headers: [] }, never)).rejects.toThrow(
        ProbeUnreachable,
      )
    await expect(
      sender.send({ method: 'GET', target: '/', headers: [['X', 'a\r\nb: c']] }, never),
    ).rejects.toThrow('characters that HTTP cannot carry')
    expect(received).toEqual([])
  })
})

describe('what comes back', () => {
  it('has several lines of a header as several entries', async () => {
    const { origin } = await wire(
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Bearer realm="x"\r\nContent-Length: 0\r\n\r\n',
    )
    const { headers } = await senderTo(origin).send({ method: 'GET', target: '/', headers: [] }, never)
    expect(headers.filter(([name]) => name === 'www-authenticate')).toEqual([
      ['www-authenticate', 'Basic'],
      ['www-authenticate', 'Bearer realm="x"'],
    ])
  })

  it('is a redirect as it is, which is not followed', async () => {
    const { origin, sockets } = await wire(
      'HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n',
    )
    const answer = await senderTo(origin).send({ method: 'GET', target: '/', headers: [] }, never)
    expect(answer.status).toBe(302)
    expect(sockets.size).toBe(1)
  })

  it('is cut at the limit', async () => {
    const { origin } = await wire('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n12345678')
    const sender = senderTo(origin, { maxBytes: 5 })
    const answer = await sender.send({ method: 'GET', target: '/', headers: [] }, never)
    expect(answer).toMatchObject({ body: '12345', isCut: true })
  })

  it('is what came of a body that broke off', async () => {
    const { origin } = await wire((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'))
    const answer = await senderTo(origin).send({ method: 'GET', target: '/', headers: [] }, never)
    expect(answer).toMatchObject({ body: 'abc', isCut: true })
  })

  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'
  const asked = {
    method: 'POST',
    target: '/mcp',
    headers: [],
    body: '{"jsonrpc":"2.0","id":1,"method":"x"}',
  }

  it('is an event stream up to the answer, however it is cut in pieces', async () => {
    const { origin } = await wire((socket) => {
      const events = [
        'data: {"jsonrpc":"2.0","method":"note"}\n\n',
        'data: {"jsonrpc":"2.0","id":1,"result":{}}\n',
        '\n',
      ]
      socket.write(head)
      events.forEach((event, at) => {
        setTimeout(() => socket.write(event), 20 * at)
      })
    })
    const answer = await senderTo(origin).send(asked, never)
    expect(answer.body).toContain('"result":{}')
    expect(answer.isCut).toBe(false)
  })

  it('is nothing of an event stream that stays silent, and no failure', async () => {
    const { origin } = await wire(head)
    const answer = await senderTo(origin, { timeoutMs: 300 }).send(asked, never)
    expect(answer).toMatchObject({ status: 200, body: '' })
  })
})

describe('no answer', () => {
  const get = { method: 'GET', target: '/', headers: [] }

  it('is told in a sentence when nothing listens', async () => {
    const { origin } = await wire(ok)
    await closing.shift()?.()
    await expect(senderTo(origin).send(get, never)).rejects.toThrow(/Nothing listens on 127\.0\.0\.1/)
  })

  it('is told when it takes too long', async () => {
    const { origin } = await wire(() => {})
    await expect(senderTo(origin, { timeoutMs: 100 }).send(get, never)).rejects.toThrow(
      'No answer came within 0.1 seconds.',
    )
  })

  it('is told when the connection is closed', async () => {
    const { origin } = await wire((socket) => socket.end())
    await expect(senderTo(origin).send(get, never)).rejects.toThrow(/broke the connection off|closed/)
  })

  it('is told when it is no HTTP, or no TLS, without what came', async () => {
    const { origin } = await wire((socket) => socket.end('secret nonsense\r\n\r\n'))
    const error = await senderTo(origin)
      .send(get, never)
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ProbeUnreachable)
    expect(String(error)).toMatch(/is not HTTP/)
    expect(String(error)).not.toContain('secret')

    const plain = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => socket.end(ok))
    })
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => plain.close(resolve)))
    const { port } = plain.address() as { port: number }
    await expect(senderTo(`https://127.0.0.1:${port}`).send(get, never)).rejects.toThrow(
      /does not speak TLS as expected/,
    )
  })

  it('is the reason of the caller who gave up', async () => {
    const { origin } = await wire(() => giveUp.abort(new Error('enough')))
    const giveUp = new AbortController()
    await expect(senderTo(origin).send(get, giveUp.signal)).rejects.toThrow('enough')
  })
})

it('an origin that is none is refused', () => {
  expect(() => nodeSender({ origin: 'ftp://x' })).toThrow(/origin/)
  expect(() => nodeSender({ origin: 'http://x', timeoutMs: 1 })).toThrow(/timeoutMs/)
})
