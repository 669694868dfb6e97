import { once } from 'node:events'
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import { type AddressInfo, connect, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { headOf, hideCredentials, sendRefusal } from './node-request.ts'
import { refusalWriter } from './refusal.ts'

function incoming(rawHeaders: string[]): IncomingMessage {
  const req = new IncomingMessage(new Socket())
  req.rawHeaders = rawHeaders
  req.method = 'POST'
  req.url = '/mcp?x=1'
  return req
}

describe('headOf', () => {
  it('FL-30 sees every line of a header, whatever the case of its name', () => {
    const head = headOf(incoming(['Authorization', 'Bearer a', 'Host', 'h', 'AUTHORIZATION', 'Bearer b']))
    expect(head.header('authorization')).toEqual(['Bearer a', 'Bearer b'])
    expect(head.header('host')).toEqual(['h'])
    expect(head.header('origin')).toEqual([])
  })

  it('takes no value for a name', () => {
    expect(headOf(incoming(['X-A', 'host', 'Host', 'h'])).header('host')).toEqual(['h'])
  })

  it('gives method and target', () => {
    expect(headOf(incoming([]))).toMatchObject({ method: 'POST', url: '/mcp?x=1', signal: undefined })
  })

  it('D-43 has a signal that is aborted when the response is closed before its end', () => {
    const req = incoming([])
    const res = new ServerResponse(req)
    const head = headOf(req, res)
    expect(head.signal?.aborted).toBe(false)
    expect(head.signal).toBe(head.signal)
    res.emit('close')
    expect(head.signal?.aborted).toBe(true)
  })

  it('D-43 has an aborted signal when the response is gone already', () => {
    const req = incoming([])
    const res = new ServerResponse(req)
    res.destroy()
    expect(headOf(req, res).signal?.aborted).toBe(true)
  })

  it('does not abort when the response ends as it should', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const closed = new Promise<void>((resolve) => {
      const server = createServer((req, res) => {
        signals.push(headOf(req, res).signal)
        res.end('done').once('close', resolve)
      })
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo
        connect(port, '127.0.0.1', function ask(this: Socket) {
          this.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
          this.resume().once('close', () => server.close())
        })
      })
    })
    await closed
    expect(signals.map((signal) => signal?.aborted)).toEqual([false])
  })
})

describe('hideCredentials', () => {
  it('A-17 empties the raw lines and takes the header away', () => {
    const req = incoming(['Host', 'h', 'Authorization', 'Bearer secret', 'X-API-Key', 'secret'])
    req.headers = { host: 'h', authorization: 'Bearer secret', 'x-api-key': 'secret' }
    hideCredentials(req, ['authorization', 'x-api-key'])
    expect(JSON.stringify([req.rawHeaders, req.headers])).not.toContain('secret')
    expect(req.headers).toEqual({ host: 'h' })
  })
})

describe('sendRefusal', () => {
  const refusal = refusalWriter({ realm: 'mcp' })('unauthorized')

  /** What a raw caller reads until the server closes, or has answered in full. */
  async function exchange(answer: (res: ServerResponse) => void, bytes: string): Promise<string> {
    const server = createServer((_req, res) => answer(res))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    let read = ''
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        read += chunk
        if (read.endsWith(refusal.body)) resolve()
      })
      socket.on('close', () => resolve()).on('error', () => {})
      socket.write(bytes)
    })
    socket.destroy()
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
    return read
  }

  it('A-82 adds the headers it is given', async () => {
    const cors = { 'access-control-expose-headers': 'WWW-Authenticate', vary: 'Origin' }
    const read = await exchange((res) => sendRefusal(res, refusal, cors), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    expect(read).toContain('HTTP/1.1 401 Unauthorized\r\n')
    expect(read).toContain('access-control-expose-headers: WWW-Authenticate\r\nvary: Origin\r\n')
  })

  it('gives up politely when another answer is half out already', async () => {
    const read = await exchange((res) => {
      res.writeHead(200, { 'content-length': '10' })
      res.write('half')
      sendRefusal(res, refusal)
    }, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    expect(read).not.toContain('unauthorized')
  })
})

describe('sendRefusal, while the caller is still sending', () => {
  const refusal = refusalWriter({ realm: 'mcp' })('unauthorized')
  let server: Server
  let socket: Socket
  let received: IncomingMessage | undefined

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    server = createServer((req, res) => {
      received = req
      sendRefusal(res, refusal)
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  })
  afterEach(() => {
    vi.useRealTimers()
    socket.destroy()
    server.close()
    server.closeAllConnections()
  })

  /** Sends the head and the first byte of a body, and reads the whole refusal. */
  async function refused(length: number): Promise<string> {
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\nx`)
    let read = ''
    while (!read.endsWith(refusal.body)) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      read += chunk
    }
    return read
  }

  it('answers at once, and says that it will close', async () => {
    const read = await refused(1_000_000)
    expect(read.split('\r\n')[0]).toBe('HTTP/1.1 401 Unauthorized')
    expect(read).toContain('connection: close')
  })

  it('lets the caller finish, and closes without a reset', async () => {
    await refused(200_000)
    const closed = once(socket, 'close')
    socket.resume().end('x'.repeat(199_999))
    expect(await closed).toEqual([false])
    expect(received?.complete).toBe(true)
  })

  it('A-16 throws only so much away, whatever the caller goes on sending', async () => {
    await refused(100_000_000)
    const gone = new Promise<void>((resolve) => {
      socket.resume().on('close', () => resolve())
    })
    socket.on('error', () => {}).write('x'.repeat(3_000_000))
    await gone
  })

  it('A-16 waits only so long, when the caller sends nothing more', async () => {
    await refused(100_000_000)
    const ended = once(socket.resume(), 'end')
    vi.advanceTimersByTime(1000)
    await ended
  })
})
