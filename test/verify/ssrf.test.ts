import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import {
  type AddressInfo,
  createServer as createTcpServer,
  getDefaultAutoSelectFamily,
  type Server as NetServer,
  type Socket,
  setDefaultAutoSelectFamily,
} from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  complaintOf,
  type GuardedInit,
  guardedFetch,
  type Lookup,
  type UrlTrust,
} from '../../src/verify/guarded-fetch.ts'
import { selfSigned } from './self-signed.ts'

const discovered: UrlTrust = { loopback: false, privateNetwork: false }
const written: UrlTrust = { loopback: true, privateNetwork: false }
const inside: UrlTrust = { loopback: true, privateNetwork: true }

const init = (more: Partial<GuardedInit> = {}): GuardedInit => ({
  headers: { accept: 'application/json' },
  signal: AbortSignal.timeout(20_000),
  ...more,
})
/** Answers every question alike, and counts them. */
const answering = (...addresses: string[]) =>
  vi.fn<Lookup>(async () => addresses.map((address) => ({ address })))

/** Listens on loopback until the test is over, and counts what comes in. */
async function listen(server: NetServer): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

/** When the client has let all its connections go; there must have been one. */
async function gone(sockets: Set<Socket>): Promise<void> {
  expect(sockets.size).toBeGreaterThan(0)
  for (const socket of sockets) {
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  }
}

/** A signal, and when the last who listened to it has left. */
function watchedSignal() {
  const { signal } = new AbortController()
  const listeners = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  vi.spyOn(signal, 'addEventListener').mockImplementation((type, listener, options) => {
    listeners.add(listener)
    add(type, listener, options)
  })
  const left = new Promise<void>((resolve) => {
    vi.spyOn(signal, 'removeEventListener').mockImplementation((_type, listener) => {
      if (listeners.delete(listener) && listeners.size === 0) resolve()
    })
  })
  return { signal, left }
}

const serve = (listener: RequestListener = (_request, response) => response.end('{}')) =>
  listen(createServer(listener))

/** A server that speaks below HTTP. */
const serveRaw = (onSocket: (socket: Socket) => void) =>
  listen(createTcpServer((socket) => socket.once('data', () => onSocket(socket))))

/** What it answers, as it stands. */
const rawly = (answer: string) => serveRaw((socket) => void socket.end(answer))

const local = (port: number) => new URL(`http://127.0.0.1:${port}/path?a=b`)
const fetchWritten = (port: number, more: Partial<GuardedInit> = {}) =>
  guardedFetch(written)(local(port), init(more))

describe('B-79 what is refused before any connection', () => {
  const vectors: [id: string, url: string, complaint: RegExp][] = [
    ['S01', 'http://as.example.com/jwks', /must use https/],
    ['S02', 'https://127.0.0.1/', /this machine/],
    ['S03', 'https://localhost/', /this machine/],
    ['S04', 'https://localhost./', /this machine/],
    ['S05', 'https://foo.localhost/', /this machine/],
    ['S06', 'https://127.1/', /this machine/],
    ['S07', 'https://2130706433/', /this machine/],
    ['S08', 'https://0x7f000001/', /this machine/],
    ['S09', 'https://0177.0.0.1/', /this machine/],
    ['S10', 'https://①②⑦.0.0.1/', /this machine/],
    ['S11', 'https://0.0.0.0/', /reserved/],
    ['S12', 'https://[::]/', /reserved/],
    ['S13', 'https://[::1]/', /this machine/],
    ['S14', 'https://[::ffff:127.0.0.1]/', /reserved/],
    ['S15', 'https://[::ffff:a9fe:a9fe]/', /reserved/],
    ['S16', 'https://10.0.0.1/', /private network/],
    ['S17', 'https://172.16.0.1/', /private network/],
    ['S18', 'https://192.168.1.1/', /private network/],
    ['S19', 'https://100.64.0.1/', /private network/],
    ['S20', 'https://169.254.169.254/latest/meta-data', /reserved/],
    ['S21', 'https://[fe80::1]/', /reserved/],
    ['S22', 'https://[fd00:ec2::254]/', /reserved/],
    ['S22 other ULA', 'https://[fd00:ec2::1]/', /private network/],
    ['S23', 'https://[64:ff9b::7f00:1]/', /reserved/],
    ['S24', 'https://[2002:7f00:1::]/', /reserved/],
    ['S25', 'https://[2001:0:7f00:1::]/', /reserved/],
    ['S26', 'https://user:pw@as.example.com/', /user name or password/],
    ['S26 name only', 'https://user@as.example.com/', /user name or password/],
    ['S26 password only', 'https://:pw@as.example.com/', /user name or password/],
    ['S27 file', 'file:///x', /must use https/],
    ['S27 data', 'data:application/json,{}', /must use https/],
    ['S27 ftp', 'ftp://x', /must use https/],
    ['S27 javascript', 'javascript:1', /must use https/],
    ['S27 blob', 'blob:https://as.example.com/x', /must use https/],
    ['S31 IETF', 'https://192.0.0.1/', /reserved/],
    ['S31 benchmarks', 'https://198.18.0.1/', /reserved/],
    ['S31 multicast', 'https://224.0.0.1/', /reserved/],
    ['S31 broadcast', 'https://255.255.255.255/', /reserved/],
    ['S32', 'https://as.example.com:22/', /port/],
    ['S32 http', 'https://as.example.com:80/', /port/],
    ['S32 nought', 'https://as.example.com:0/', /port/],
  ]
  const isAllowed = (id: string, ...ids: string[]) => ids.includes(id.split(' ')[0] ?? '')
  const loopbacks = ['S02', 'S03', 'S04', 'S05', 'S06', 'S07', 'S08', 'S09', 'S10', 'S13']
  const privates = ['S16', 'S17', 'S18', 'S19']

  it.each(vectors)('%s of a discovered URL: %s', async (_id, text, complaint) => {
    // Where the address is this machine in any spelling, somebody is at home: a connection would be seen.
    const { port, sockets } = await serve()
    const url = new URL(text)
    const lookup = answering('127.0.0.1')
    const fetch = guardedFetch(discovered, undefined, lookup)
    await expect(fetch(url, init())).rejects.toThrow(complaint)
    if (url.port === '') url.port = String(port)
    await expect(fetch(url, init())).rejects.toThrow(complaint)
    expect(lookup).not.toHaveBeenCalled()
    expect(sockets.size).toBe(0)
  })

  it.each(vectors)('%s of a URL that the operator wrote: loopback only, %s', (id, text, complaint) => {
    const said = complaintOf(new URL(text), written)
    if (isAllowed(id, 'S32', ...loopbacks)) expect(said).toBeUndefined()
    else expect(said).toMatch(complaint)
  })

  it.each(vectors)('%s with allowPrivateNetwork: loopback and private, %s', (id, text, complaint) => {
    const said = complaintOf(new URL(text), inside)
    if (isAllowed(id, 'S32', ...loopbacks, ...privates) || id === 'S22 other ULA') {
      expect(said).toBeUndefined()
    } else expect(said).toMatch(complaint)
  })

  it('S32 a discovered URL may use the default port, and those from 1024 on', () => {
    for (const port of ['', ':443', ':1024', ':8443', ':65535']) {
      expect(complaintOf(new URL(`https://as.example.com${port}/`), discovered)).toBeUndefined()
    }
    expect(complaintOf(new URL('https://as.example.com:1023/'), discovered)).toMatch(/port/)
  })

  it('S33 the host is what the parser says', () => {
    const url = new URL(String.raw`https://as.example.com\@127.0.0.1/`)
    expect(complaintOf(url, discovered)).toBeUndefined()
    expect(url.hostname).toBe('as.example.com')
  })
})

describe('B-70 B-79 what the operator wrote is reached', () => {
  it.each([
    ['S02', '127.0.0.1'],
    ['S06', '127.1'],
    ['S07', '2130706433'],
    ['S08', '0x7f000001'],
    ['S09', '0177.0.0.1'],
    ['S10', '①②⑦.0.0.1'],
  ])('%s http://%s', async (_id, host) => {
    const { port } = await serve((request, response) => response.end(request.headers.host))
    const lookup = answering('10.0.0.1')
    const response = await guardedFetch(
      written,
      undefined,
      lookup,
    )(new URL(`http://${host}:${port}/`), init())
    expect(await response.text()).toBe(`127.0.0.1:${port}`)
    expect(lookup).not.toHaveBeenCalled()
  })

  it('S03 http://localhost, through the resolver of this machine', async () => {
    const { port } = await serve()
    const response = await guardedFetch(written)(new URL(`http://localhost:${port}/`), init())
    expect(await response.json()).toEqual({})
  })

  it('S33 the fragment is not sent, path and query are', async () => {
    const { port } = await serve((request, response) => response.end(request.url))
    const url = new URL(`http://127.0.0.1:${port}/jwks?a=b#x`)
    expect(await (await guardedFetch(written)(url, init())).text()).toBe('/jwks?a=b')
    expect(url.hash).toBe('#x')
  })
})

describe('B-79 FL-55 names', () => {
  it.each<[string, UrlTrust, string[], RegExp]>([
    [
      'loopback',
      discovered,
      ['127.0.0.1'],
      /as\.example\.com resolves to 127\.0\.0\.1, which is this machine/,
    ],
    ['loopback v6', discovered, ['::1'], /this machine/],
    ['loopback, also with allowPrivateNetwork', inside, ['127.0.0.1'], /this machine/],
    ['public, then private', discovered, ['8.8.8.8', '10.0.0.1'], /10\.0\.0\.1, which is in a private/],
    ['private, then public', discovered, ['10.0.0.1', '8.8.8.8'], /private/],
    ['public, then loopback', inside, ['8.8.8.8', '127.0.0.1'], /this machine/],
    ['public, then metadata', inside, ['8.8.8.8', '169.254.169.254'], /reserved/],
    ['link-local with a zone', inside, ['fe80::1%eth0'], /reserved/],
    ['mapped loopback', inside, ['::ffff:127.0.0.1'], /reserved/],
    ['what is no address', inside, ['127.1'], /reserved/],
    ['nothing', inside, [], /resolves to no address/],
  ])('S28 a name that resolves to %s is refused', async (_what, trust, addresses, complaint) => {
    const { port, sockets } = await serve()
    const lookup = answering(...addresses)
    const url = new URL(`https://as.example.com:${port}/path?key=query-part`)
    const thrown: unknown = await guardedFetch(trust, undefined, lookup)(url, init()).catch((error) => error)
    expect(String(thrown)).toMatch(complaint)
    expect(String(thrown)).not.toContain('query-part')
    expect(lookup.mock.calls).toEqual([['as.example.com']])
    expect(sockets.size).toBe(0)
  })

  it.each(['10.0.0.1', '8.8.8.8', '::ffff:127.0.0.1'])(
    'S28 a literal loopback host that resolves to %s as well is refused',
    async (address) => {
      const { port, sockets } = await serve()
      const fetch = guardedFetch(inside, undefined, answering('127.0.0.1', address))
      await expect(fetch(new URL(`http://localhost:${port}/`), init())).rejects.toThrow(
        `localhost resolves to ${address}, which is not this machine`,
      )
      expect(sockets.size).toBe(0)
    },
  )

  it.each([true, false])(
    'S29 the connection goes to the address that was checked, families tried in turn: %s',
    async (families) => {
      const before = getDefaultAutoSelectFamily()
      setDefaultAutoSelectFamily(families)
      onTestFinished(() => setDefaultAutoSelectFamily(before))
      const { port, sockets } = await serve((request, response) => response.end(request.headers.host))
      const lookup = answering('10.0.0.1').mockResolvedValueOnce([{ address: '127.0.0.1' }])
      const fetch = guardedFetch(written, undefined, lookup)
      const url = new URL(`http://auth.localhost:${port}/`)
      expect(await (await fetch(url, init())).text()).toBe(`auth.localhost:${port}`)
      expect(sockets.size).toBe(1)
      expect(lookup).toHaveBeenCalledTimes(1)
      // Nothing is kept: the second request resolves anew, and is refused for what it gets.
      await expect(fetch(url, init())).rejects.toThrow('not this machine')
      expect(sockets.size).toBe(1)
    },
  )

  it('S29 all checked addresses are tried', async () => {
    const { port } = await serve()
    const lookup = answering('::1', '127.0.0.1')
    const url = new URL(`http://localhost:${port}/`)
    const response = await guardedFetch(written, undefined, lookup)(url, init())
    expect(response.status).toBe(200)
    expect(lookup).toHaveBeenCalledTimes(1)
  })

  it('S29 a URL that changes while it is fetched changes nothing', async () => {
    const { port } = await serve((request, response) => response.end(request.headers.host))
    const url = new URL(`http://auth.localhost:${port}/`)
    const lookup = vi.fn<Lookup>(async () => {
      url.hostname = '10.0.0.1'
      return [{ address: '127.0.0.1' }]
    })
    const response = await guardedFetch(written, undefined, lookup)(url, init())
    expect(await response.text()).toBe(`auth.localhost:${port}`)
  })

  it('tells of a resolver that fails by host and code', async () => {
    const lookup: Lookup = () =>
      Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))
    const url = new URL('https://as.example.com/path-part?key=query-part')
    await expect(guardedFetch(discovered, undefined, lookup)(url, init())).rejects.toThrow(
      /^no answer from as\.example\.com: ENOTFOUND$/,
    )
  })
})

describe('B-71 redirects', () => {
  it.each([301, 302, 303, 307, 308])('S30 %i comes back as it is', async (status) => {
    const target = await serve()
    const { port, sockets } = await serve((request, response) => {
      const location =
        request.url === '/metadata' ? 'http://169.254.169.254/' : `http://127.0.0.1:${target.port}/`
      response.writeHead(status, { location }).end()
    })
    for (const path of ['/metadata', '/other']) {
      const response = await guardedFetch(written)(new URL(`http://127.0.0.1:${port}${path}`), init())
      expect(response.status).toBe(status)
      await response.body?.cancel()
    }
    expect(sockets.size).toBe(2)
    expect(target.sockets.size).toBe(0)
  })
})

describe('guardedFetch asks and is answered', () => {
  it('sends the headers it is given, its own, and no more', async () => {
    const { port } = await serve((request, response) => response.end(JSON.stringify(request.headers)))
    const headers = { Accept: 'application/json', 'Accept-Encoding': 'gzip' }
    expect(await (await fetchWritten(port, { headers })).json()).toEqual({
      accept: 'application/json',
      'accept-encoding': 'identity',
      connection: 'close',
      host: `127.0.0.1:${port}`,
      'user-agent': 'mcp-bearer',
    })
  })

  it('sends the body of a POST with its length in bytes', async () => {
    const { port } = await serve(async (request, response) => {
      const chunks = await request.toArray()
      const { method, headers } = request
      const body = Buffer.concat(chunks).toString()
      response.end(
        JSON.stringify({ method, body, length: headers['content-length'], type: headers['content-type'] }),
      )
    })
    const type = 'application/x-www-form-urlencoded'
    const response = await fetchWritten(port, {
      method: 'POST',
      headers: { 'content-type': type },
      body: 'a=ü€',
    })
    expect(await response.json()).toEqual({ method: 'POST', body: 'a=ü€', length: '7', type })
  })

  it('gives status and headers as a web Response', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(418, 'short and stout', { 'Cache-Control': 'max-age=60', 'x-two': ['a', 'b'] })
      response.end('teapot')
    })
    const response = await fetchWritten(port)
    expect(response).toBeInstanceOf(Response)
    expect(response.ok).toBe(false)
    expect(response.status).toBe(418)
    expect(response.headers.get('cache-control')).toBe('max-age=60')
    expect(response.headers.get('x-two')).toBe('a, b')
    expect(await response.text()).toBe('teapot')
  })

  it('hands out the body while it still comes', async () => {
    let finish = () => {}
    const { port } = await serve((_request, response) => {
      response.write('first')
      finish = () => void response.end('last')
    })
    const reader = (await fetchWritten(port)).body?.getReader()
    const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
    expect(decode((await reader?.read())?.value)).toBe('first')
    finish()
    expect(decode((await reader?.read())?.value)).toBe('last')
    expect((await reader?.read())?.done).toBe(true)
  })

  it('B-72 takes no more than its reader does, and lets the connection go when the reader has enough', async () => {
    const size = 64 * 1024 * 1024
    let written = 0
    const { port, sockets } = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024)
      const more = () => {
        while (written < size && !response.destroyed) {
          written += chunk.length
          if (!response.write(chunk)) return
        }
      }
      response.on('drain', more)
      more()
    })
    const response = await fetchWritten(port)
    const reader = response.body?.getReader()
    await reader?.read()
    // Time enough for the whole body, if somebody took it.
    const other = await serve()
    for (let round = 0; round < 100; round++) await (await fetchWritten(other.port)).text()
    expect(written).toBeLessThan(size)
    await reader?.cancel()
    await gone(sockets)
  })

  it.each([204, 205, 304])('takes a status %i, which has no body, and waits for none', async (status) => {
    const { port, sockets } = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 ${status} Fine\r\nContent-Length: 100\r\nx: y\r\n\r\n`)
    })
    const { signal, left } = watchedSignal()
    const response = await fetchWritten(port, { signal })
    expect(response.status).toBe(status)
    expect(response.headers.get('x')).toBe('y')
    expect(response.body).toBeNull()
    await left
    await gone(sockets)
  })

  it('takes an answer without headers, ended by the end of the connection', async () => {
    const { port } = await rawly('HTTP/1.1 200 OK\r\n\r\n{"keys":[]}')
    expect(await (await fetchWritten(port)).json()).toEqual({ keys: [] })
  })

  it.each(['gzip', 'br', 'deflate', 'zstd', 'identity, gzip', 'GZIP'])(
    'J08 refuses an answer in %s: nothing is unpacked',
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(1024 * 1024))
      const { port, sockets } = await serve((_request, response) => {
        response.writeHead(200, { 'content-encoding': encoding })
        // Never ended: whoever refuses it has to hang up.
        response.write(bomb)
      })
      await expect(fetchWritten(port)).rejects.toThrow('the answer is compressed although not asked for')
      await gone(sockets)
    },
  )

  it('J08 takes an answer that says it is not compressed', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'Identity' }).end('{}')
    })
    expect(await (await fetchWritten(port)).json()).toEqual({})
  })
})

describe('guardedFetch when things go wrong', () => {
  const reason = new Error('given up')

  it('ends while the name is being resolved', async () => {
    const controller = new AbortController()
    const lookup: Lookup = () => {
      queueMicrotask(() => controller.abort(reason))
      return new Promise(() => {})
    }
    const fetch = guardedFetch(written, undefined, lookup)
    const { signal } = controller
    await expect(fetch(new URL('https://as.example.com/'), init({ signal }))).rejects.toBe(reason)
  })

  it('ends while nothing is answered', async () => {
    const controller = new AbortController()
    const { port, sockets } = await serve(() => controller.abort(reason))
    await expect(fetchWritten(port, { signal: controller.signal })).rejects.toBe(reason)
    await gone(sockets)
  })

  it.each(['POST', 'GET'] as const)('J07 ends while the body of the answer to a %s comes', async (method) => {
    const controller = new AbortController()
    const { port, sockets } = await serve((_request, response) => void response.write('{'))
    const response = await fetchWritten(port, { method, signal: controller.signal })
    const text = response.text()
    controller.abort(reason)
    await expect(text).rejects.toBe(reason)
    await gone(sockets)
  })

  it('ends with whatever reason is given, and by a time-out', async () => {
    const { port } = await serve(() => {})
    await expect(fetchWritten(port, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const controller = new AbortController()
    const silent = await serve(() => controller.abort(null))
    await expect(fetchWritten(silent.port, { signal: controller.signal })).rejects.toBeNull()
  })

  it('leaves nothing on a signal that lives longer', async () => {
    const { signal, left } = watchedSignal()
    const { port } = await serve()
    await (await fetchWritten(port, { signal })).text()
    await left
  })

  it('tells of nobody at home', async () => {
    // Of the ports nobody is given by chance, one that nobody listens on.
    const port = 1
    const thrown: unknown = await fetchWritten(port).catch((error) => error)
    expect(thrown).toMatchObject({
      message: `no answer from 127.0.0.1:${port}: ECONNREFUSED`,
      cause: { code: 'ECONNREFUSED' },
    })
    const several = guardedFetch(written, undefined, answering('127.0.0.1', '127.0.0.2'))
    await expect(several(new URL(`http://localhost:${port}/`), init())).rejects.toThrow(
      /^no answer from localhost:\d+: E[A-Z]+$/,
    )
  })

  it('tells of a connection that is reset before the answer', async () => {
    const { port } = await serveRaw((socket) => void socket.resetAndDestroy())
    await expect(fetchWritten(port)).rejects.toThrow(/^no answer from 127\.0\.0\.1:\d+: ECONNRESET$/)
  })

  it('tells of a connection that is reset within the body', async () => {
    let reset = () => {}
    const { port } = await serve((request, response) => {
      response.write('{')
      reset = () => void request.socket.resetAndDestroy()
    })
    const response = await fetchWritten(port)
    const text = response.text()
    reset()
    await expect(text).rejects.toThrow()
  })

  it('tells of a connection that ends within the body', async () => {
    const { port } = await rawly('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"keys":[]}')
    await expect((await fetchWritten(port)).text()).rejects.toThrow()
  })

  it('lives on when nobody reads a body that fails', async () => {
    let failed = Promise.resolve<unknown>(undefined)
    const { port } = await serve((request, response) => {
      response.write('{')
      failed = new Promise((resolve) => request.socket.once('close', resolve))
      setImmediate(() => request.socket.resetAndDestroy())
    })
    const response = await fetchWritten(port)
    await failed
    await expect(response.text()).rejects.toThrow()
  })

  it.each([
    ['no HTTP at all', 'SSH-2.0-secret-part\r\n'],
    ['HTTP of another kind', 'HTTP/1.1 200 OK\r\nsecret-part\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nsecret-part'],
    ['a status beyond HTTP', 'HTTP/1.1 999 secret-part\r\nContent-Length: 0\r\n\r\n'],
    ['a change of protocol', 'HTTP/1.1 101 secret-part\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: secret-part${'x'.repeat(64 * 1024)}\r\n\r\n`],
  ])('refuses %s, and repeats nothing of it', async (_what, answer) => {
    const { port } = await rawly(answer)
    const thrown = await fetchWritten(port).then(
      () => undefined,
      (error: Error) => error,
    )
    expect(thrown?.message).toMatch(/^no answer from 127\.0\.0\.1:\d+(?:: \w+)?$|^the answer has status 999$/)
    expect(thrown?.cause ?? {}).not.toHaveProperty('rawPacket')
  })

  it('refuses headers that would not stay in their line', async () => {
    const { port, sockets } = await serve()
    const headers = { authorization: 'Basic secret-part\r\nx: y' }
    const thrown: unknown = await fetchWritten(port, { headers }).catch((error) => error)
    expect(thrown).toBeInstanceOf(TypeError)
    expect(String(thrown)).not.toContain('secret-part')
    expect(sockets.size).toBe(0)
  })
})

describe('guardedFetch over TLS', () => {
  async function secureServer() {
    const names: unknown[] = []
    const server = createTlsServer(selfSigned(), (request, response) => {
      names.push('servername' in request.socket && request.socket.servername)
      response.end('{}')
    })
    return { names, ...(await listen(server)) }
  }

  it('J24 refuses a certificate that nobody vouches for', async () => {
    const { port, names } = await secureServer()
    const thrown: unknown = await guardedFetch(written)(new URL(`https://127.0.0.1:${port}/`), init()).catch(
      (error) => error,
    )
    expect(thrown).toMatchObject({
      message: `no answer from 127.0.0.1:${port}: DEPTH_ZERO_SELF_SIGNED_CERT`,
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(names).toEqual([])
  })

  it('J24 does not fall back to http', async () => {
    const { port } = await serve()
    await expect(guardedFetch(written)(new URL(`https://127.0.0.1:${port}/`), init())).rejects.toThrow(
      /no answer/,
    )
  })

  it('S29 keeps the name for TLS, while the address is the checked one', async () => {
    // The only way to trust a certificate of today within one process; it is the name that is looked at here.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => {
      vi.unstubAllEnvs()
      warned.mockRestore()
    })
    const { port, names } = await secureServer()
    const fetch = guardedFetch(written, undefined, answering('127.0.0.1'))
    const response = await fetch(new URL(`https://auth.localhost:${port}/`), init())
    expect(await response.json()).toEqual({})
    expect(names).toEqual(['auth.localhost'])
  })
})
