import { describe, expect, it } from 'vitest'
import { httpUpstream } from '../../src/gateway/http/http-upstream.ts'
import { alice } from './front-support.ts'
import { behind, call, fronted, initialize, raw, reviewing, until, whole } from './http-upstream-support.ts'

interface Told {
  readonly id?: number | null
  readonly error: { readonly code: number; readonly message: string; readonly data?: { problem: string } }
}

async function told(answer: Response): Promise<Told> {
  return (await answer.json()) as Told
}

const result = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { ok: true } })

describe('an answer that is none', () => {
  const cases: Record<string, readonly [string | Buffer, problem: string, status: number]> = {
    'a redirect': [
      whole('', 'HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/'),
      'broken',
      502,
    ],
    'a permanent redirect': [whole('', 'HTTP/1.1 308 Go\r\nLocation: /elsewhere'), 'broken', 502],
    'no HTTP': ['SSH-2.0-OpenSSH_9.6\r\n', 'broken', 502],
    'a status of three digits that is none': [whole(result, 'HTTP/1.1 999 Odd'), 'broken', 502],
    'headers without end': [`HTTP/1.1 200 OK\r\n${'X-Filler: 0123456789\r\n'.repeat(2000)}`, 'broken', 502],
    'a body that is announced as longer than it may be': [
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n{',
      'broken',
      502,
    ],
    'another protocol': ['HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 'unreachable', 502],
    'a page': [whole('<html>', 'HTTP/1.1 200 OK', 'text/html'), 'broken', 502],
    'a page that is called JSON by half': [
      whole(result, 'HTTP/1.1 200 OK', 'json; application'),
      'broken',
      502,
    ],
    'nothing at all': [whole(''), 'broken', 502],
    'no UTF-8': [
      Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n'),
        Buffer.from([0x22, 0xc3, 0x28, 0x22]),
      ]),
      'broken',
      502,
    ],
    compressed: [whole(result, 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip'), 'broken', 502],
    '401': [whole('', 'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="inner"'), 'refused', 502],
    '401 without a challenge': [whole('', 'HTTP/1.1 401 No'), 'refused', 502],
    '403 with a challenge': [
      whole('{}', 'HTTP/1.1 403 No\r\nWWW-Authenticate: Bearer error="insufficient_scope", scope="a"'),
      'refused',
      502,
    ],
    '407': [whole('', 'HTTP/1.1 407 No'), 'refused', 502],
    '500 in HTML': [whole('<h1>stack trace</h1>', 'HTTP/1.1 500 Oops', 'text/html'), 'broken', 502],
    '503 in plain text': [whole('wait', 'HTTP/1.1 503 Busy\r\nRetry-After: 7', 'text/plain'), 'busy', 503],
    'a session no client takes': [whole(result, 'HTTP/1.1 200 OK\r\nMcp-Session-Id: a b'), 'broken', 502],
  }

  it.each(Object.entries(cases))('%s', async (_name, [answer, problem, status]) => {
    const server = await raw(answer)
    const { post, log } = await fronted(server.url, { maxAnswerBytes: 100_000 })
    const got = await post(call(1))
    expect(got.status).toBe(status)
    const { id, error } = await told(got)
    expect(id).toBe(1)
    expect(error.data?.problem).toBe(problem)
    expect(log.map(({ event }) => event)).toEqual([`upstream_${problem}`])
    for (const name of ['www-authenticate', 'location', 'set-cookie', 'content-encoding'])
      expect(got.headers.get(name)).toBeNull()
    if (problem === 'busy') expect(got.headers.get('retry-after')).toBe('7')
    // E-28: nobody knows whether it was carried out, so it is not sent again.
    expect(server.requests).toBe(1)
  })

  it('a gigabyte without an announcement is not read', async () => {
    let written = 0
    const server = await behind((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const chunk = Buffer.alloc(65_536, 0x20)
      const more = () => {
        while (!response.destroyed && written < 2 ** 30) {
          written += chunk.length
          if (!response.write(chunk)) return void response.once('drain', more)
        }
      }
      more()
    })
    const { post } = await fronted(server.url, { maxAnswerBytes: 1_000_000 })
    const got = await post(call(1))
    expect((await told(got)).error.data?.problem).toBe('broken')
    expect(written).toBeLessThan(50_000_000)
  })

  it('a body that comes byte by byte takes more than its bytes', async () => {
    const server = await raw(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(500)}`,
    )
    const { post } = await fronted(server.url, { maxAnswerBytes: 20_000 })
    expect((await told(await post(call(1)))).error.data?.problem).toBe('broken')
  })

  it.each([
    ['before a byte of it', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Ty'],
    [
      'in its body',
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"jsonrpc"',
    ],
    [
      'between two pieces of its body',
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
    ],
  ])('a connection that is lost %s: one failure, and the call was sent once', async (_name, start) => {
    const server = await raw((socket) => {
      if (start === '') socket.resetAndDestroy()
      else socket.write(start, () => socket.resetAndDestroy())
    })
    const { post } = await fronted(server.url)
    const got = await post(call(1))
    expect(got.status).toBe(502)
    expect((await told(got)).id).toBe(1)
    expect(server.requests).toBe(1)
  })

  it('a server that is not there', async () => {
    const server = await behind(() => {})
    const { post, log } = await fronted('http://127.0.0.1:1/mcp')
    const { error } = await told(await post(call(1)))
    expect(error.data?.problem).toBe('unreachable')
    // Where it is, is for the operator only.
    expect(error.message).not.toMatch(/127|ECONN/)
    expect(log[0]?.details).toEqual({ server: 'http://127.0.0.1:1', reason: 'ECONNREFUSED' })
    expect(server.heard).toEqual([])
  })

  it('a server that says nothing: 504 in time, and its connection is closed', async () => {
    const server = await raw(() => {})
    const { post } = await fronted(server.url, { timeoutMs: 100 })
    const got = await post(call(1))
    expect(got.status).toBe(504)
    expect((await told(got)).error.data?.problem).toBe('timeout')
    await until(() => server.sockets.size === 0)
  })

  it('a server that stops in the middle of an answer: 504 as well', async () => {
    const server = await raw(
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    )
    const { post } = await fronted(server.url, { timeoutMs: 100 })
    expect((await post(call(1))).status).toBe(504)
  })
})

describe('an error of the server', () => {
  it.each([400, 403, 404, 406, 422, 429, 500, 501])('%i in JSON goes back in its words', async (status) => {
    const body = { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'its words' } }
    const server = await raw(
      whole(JSON.stringify(body), `HTTP/1.1 ${status} Bad\r\nRetry-After: 9\r\nSet-Cookie: a=b\r\nServer: x`),
    )
    const { post } = await fronted(server.url)
    const got = await post(call(1))
    expect(got.status).toBe(status)
    expect(await got.json()).toEqual(body)
    expect(got.headers.get('retry-after')).toBe('9')
    expect(got.headers.get('set-cookie')).toBeNull()
    expect(got.headers.get('server')).toBeNull()
  })

  it.each([404, 405, 406, 415])('%i in other words goes back in ours', async (status) => {
    const server = await raw(whole('<b>no</b>', `HTTP/1.1 ${status} Bad`, 'text/html'))
    const { post } = await fronted(server.url)
    const got = await post(call(1))
    expect(got.status).toBe(status)
    const text = await got.text()
    expect(text).not.toContain('<b>')
    expect((JSON.parse(text) as Told).id).toBe(1)
  })

  it('does not repeat the credential of the gateway, in whatever form', async () => {
    const secret = 'upstream-secret-0123456789abcdef'
    const body = {
      error: `Bearer ${secret}`,
      more: Buffer.from(secret).toString('base64'),
      key: 'k-0123456789abc',
    }
    const server = await raw(whole(JSON.stringify(body), 'HTTP/1.1 500 Bad'))
    const { post } = await fronted(server.url, { auth: secret, headers: { 'x-key': 'k-0123456789abc' } })
    const text = await (await post(call(1))).text()
    expect(text).toContain('error')
    for (const one of [secret, body.more, body.key]) expect(text).not.toContain(one)
  })

  it('of which a policy sees that it is no message, goes back in our words', async () => {
    const server = await raw(whole('{"tools":["secret"]}', 'HTTP/1.1 400 Bad'))
    const { post } = await fronted(
      server.url,
      {},
      reviewing((message) => message),
    )
    const got = await post(call(1))
    expect(got.status).toBe(400)
    expect(await got.text()).not.toContain('secret')
  })
})

describe('an answer under a policy that looks at it', () => {
  it('is written anew, without what must not be seen', async () => {
    const list = { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'a' }, { name: 'b' }] } }
    // The first `result` is another one than the last.
    const body = JSON.stringify(list).replace('"result"', '"result":{"tools":[{"name":"c"}]},"result"')
    const server = await raw(whole(body))
    const { post } = await fronted(
      server.url,
      {},
      reviewing((message) => ({ ...message, result: { tools: [{ name: 'a' }] } })),
    )
    const text = await (await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).text()
    expect(text).toBe(JSON.stringify({ ...list, result: { tools: [{ name: 'a' }] } }))
  })

  it('is an error when nothing of it may be seen, and none when it is no message', async () => {
    const server = await raw((socket, request) => {
      socket.write(whole(request.includes('"id":1') ? result : '{"tools":[]}'))
    })
    const { post } = await fronted(
      server.url,
      {},
      reviewing(() => undefined),
    )
    expect((await told(await post(call(1)))).error.message).toBe('The answer may not be seen')
    const other = await post(call(2))
    expect(other.status).toBe(502)
    expect((await told(other)).error.data?.problem).toBe('broken')
  })
})

describe('what goes back', () => {
  it('has headers on a list only', async () => {
    const server = await raw(
      whole(
        result,
        [
          'HTTP/1.1 200 OK',
          'Set-Cookie: sid=1',
          'Server: nginx',
          'X-Powered-By: PHP',
          'Access-Control-Allow-Origin: *',
          'WWW-Authenticate: Basic realm="x"',
          'Mcp-Session-Id: s-1',
          'Clear-Site-Data: "*"',
          'Link: </x>; rel=preload',
        ].join('\r\n'),
      ),
    )
    const { post } = await fronted(server.url)
    const got = await post(initialize)
    expect([...got.headers.keys()].sort()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
      'mcp-session-id',
      // The gateway's own.
      'vary',
    ])
    expect(await got.text()).toBe(result)
  })

  it.each([
    ['202', 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'],
    ['200 without a body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['200 with one', whole('ok', 'HTTP/1.1 200 OK', 'text/plain')],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ])('of a notification that was answered with %s: 202, and nothing else', async (_name, bytes) => {
    const server = await raw(bytes)
    const { post } = await fronted(server.url)
    const got = await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect(got.status).toBe(202)
    expect(await got.text()).toBe('')
  })
})

describe('connections', () => {
  it('are used again, also after an answer nobody wanted to read', async () => {
    const server = await behind((request, response, body) => {
      const { id } = JSON.parse(body) as { id: number }
      const status = id === 2 ? 404 : 200
      response.writeHead(status, { 'content-type': id === 2 ? 'text/html' : 'application/json' })
      response.end(id === 2 ? 'x'.repeat(3000) : result)
      expect(request.headers.connection).toBe('keep-alive')
    })
    const { post } = await fronted(server.url)
    for (const id of [1, 2, 3, 4]) await (await post(call(id))).text()
    expect(server.heard).toHaveLength(4)
    expect(server.sockets.size).toBe(1)
  })

  it('a caller who leaves ends the request to the server', async () => {
    const server = await raw(() => {})
    const { url, log } = await fronted(server.url)
    const leaving = new AbortController()
    const asked = fetch(url, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${alice}`,
      },
      body: JSON.stringify(call(1)),
    })
    asked.catch(() => {})
    await until(() => server.requests === 1)
    leaving.abort()
    await until(() => server.sockets.size === 0)
    // That somebody left is no failure of the server.
    expect(log).toEqual([])
  })

  it('as many at a time as it may have; who comes later waits', async () => {
    const held: (() => void)[] = []
    const server = await behind((_request, response) => {
      held.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(result))
    })
    const { post } = await fronted(server.url, { maxSockets: 1 })
    const both = [post(call(1)), post(call(2))]
    await until(() => held.length === 1)
    held[0]!()
    await until(() => held.length === 2)
    held[1]!()
    for (const one of await Promise.all(both)) expect(one.status).toBe(200)
    expect(server.sockets.size).toBe(1)
  })
})

describe('options', () => {
  const url = 'https://mcp.example.com/mcp'
  it.each([
    [{ url: 'ftp://x' }, 'url must use https or http'],
    [{ url: 'https://u:p@x.example/' }, 'url must not hold a user name'],
    [{ url: 'http://mcp.example.com/mcp', auth: 'sk-0123' }, 'url must use https'],
    [{ url: 'http://mcp.example.com/mcp', headers: { 'x-key': 'abc' } }, 'url must use https'],
    [{ url, auth: undefined }, 'auth is undefined'],
    [{ url, auth: '' }, 'auth is empty'],
    [{ url, exchange: undefined }, 'exchange: options must be an object'],
    [{ url, exchange: {} }, 'issuer'],
    [{ url, exchange: { issuer: 'https://id.example', dpop: 1 } }, 'unknown option "dpop"'],
    [{ url, auth: 'x', exchange: { issuer: 'https://id.example' } }, 'either auth or exchange'],
    [{ url, auth: 'x', headers: { Authorization: 'Bearer y' } }, 'either auth or the header'],
    [{ url, headers: { 'mcp-session-id': 'x' } }, 'set by the transport'],
    [{ url, timeoutMs: -1 }, 'timeoutMs must be a number'],
    [{ url, maxAnswerBytes: 1 }, 'maxAnswerBytes must be a number'],
    [{ url, maxSockets: 1.5 }, 'maxSockets must be a whole number'],
    [{ url, allowInsecure: 'yes' }, 'allowInsecure must be true or false'],
    [{ url, logger: 1 }, 'logger must be a function'],
    [{ url, clock: 1 }, 'clock must be a function'],
    [{ url, timeout: 1 }, 'unknown option "timeout"'],
  ])('that are wrong are named when the upstream is made: %j', (options, words) => {
    expect(() => httpUpstream(options as never)).toThrow(words)
    expect(() => httpUpstream(options as never)).toThrow(TypeError)
  })

  it('a server without a credential may be reached over http, and one with it if that is said', () => {
    expect(httpUpstream({ url: 'http://mcp.example.com/mcp?key=secret' }).name).toBe('http://mcp.example.com')
    expect(
      httpUpstream({ url: 'http://mcp.example.com/', auth: 'x1', allowInsecure: true }).name,
    ).toBeDefined()
  })
})
