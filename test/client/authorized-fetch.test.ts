import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthError, authorizedFetch, type TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answer, closeServers, failure, type Handler, listen, only } from './servers.ts'

afterEach(closeServers)

const token = 'sk-good-0123456789'
const key = 'key-0123456789'
const challenge = 'Bearer realm="mcp", error="invalid_token", error_description="over"'

describe('what is sent', () => {
  it('E-01, E-02 carries token and headers in the head of the request, and nowhere else', async () => {
    const server = await listen(answer(200))
    const fetch = authorizedFetch({ url: server.url, auth: token, headers: { 'X-API-Key': key } })
    await fetch(server.url, { method: 'POST', body: 'hello', headers: { accept: 'text/plain' } })
    const [request] = server.requests
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'x-api-key': key,
      accept: 'text/plain',
    })
    expect(request).toMatchObject({ url: '/mcp', body: 'hello' })
    expect(request?.headers).not.toHaveProperty('cookie')
  })

  it.each([
    ['bearer x-token', 'Bearer x-token'],
    ['BEARER   x-token\n', 'Bearer x-token'],
    ['Bearer bearer x-token', 'Bearer x-token'],
    ['  "x-token" \r\n', 'Bearer x-token'],
    ["Bearer 'x-token'", 'Bearer x-token'],
  ])('FL-79 sends %j with one prefix', async (pasted, sent) => {
    const server = await listen(answer(200))
    await authorizedFetch({ url: server.url, auth: pasted })(server.url)
    await authorizedFetch({ url: server.url, auth: { token: async () => pasted } })(server.url)
    expect(server.authorizations).toEqual([sent, sent])
  })

  it('E-08 sends an Authorization header of the caller as it was given', async () => {
    const server = await listen(answer(200))
    await authorizedFetch({ url: server.url, headers: { authorization: 'Basic YTpi' } })(server.url)
    await authorizedFetch({ url: server.url, headers: { Authorization: 'Bearer abc' } })(server.url)
    expect(server.authorizations).toEqual(['Basic YTpi', 'Bearer abc'])
  })

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])(
    'E-08, FL-80 refuses auth together with the header %s',
    (name) => {
      const options = { url: 'https://mcp.example.com/mcp', auth: token, headers: { [name]: 'Bearer other' } }
      expect(() => authorizedFetch(options)).toThrow(TypeError)
      expect(() => authorizedFetch(options)).toThrow(`either auth or the header ${name}`)
    },
  )

  it('FL-83 two servers share one frozen headers object, and no credential of one reaches the other', async () => {
    const a = await listen(answer(200))
    const b = await listen(answer(200))
    const headers = Object.freeze({ 'X-Team': 'blue' })
    const toA = authorizedFetch({ url: a.url, auth: 'token-for-a', headers })
    const toB = authorizedFetch({ url: b.url, auth: 'token-for-b', headers })
    await Promise.all([toA(a.url), toB(b.url)])
    expect(a.authorizations).toEqual(['Bearer token-for-a'])
    expect(b.authorizations).toEqual(['Bearer token-for-b'])
    expect(headers).toEqual({ 'X-Team': 'blue' })
  })

  it('FL-83 what the caller does to the headers later changes nothing', async () => {
    const server = await listen(answer(200))
    const headers: Record<string, string> = { 'X-API-Key': key }
    const fetch = authorizedFetch({ url: server.url, headers })
    headers['X-API-Key'] = 'changed'
    headers.Authorization = 'Bearer changed'
    await fetch(server.url)
    expect(server.requests[0]?.headers).toMatchObject({ 'x-api-key': key })
    expect(server.authorizations).toEqual([undefined])
  })

  it('E-03 asks the source for each request, and tells it the URL', async () => {
    const server = await listen(answer(200))
    const asked: string[] = []
    const source: TokenSource = {
      async token({ url }) {
        asked.push(String(url))
        return `token-${asked.length}`
      },
    }
    const fetch = authorizedFetch({ url: server.url, auth: source })
    await fetch(server.url)
    await fetch(`${server.url}?page=2`)
    expect(server.authorizations).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(asked).toEqual([server.url, `${server.url}?page=2`])
  })
})

describe('where it goes', () => {
  it('E-04 refuses a request to another origin before any network, and asks for no token', async () => {
    const other = await listen(answer(200))
    const asked = vi.fn(async () => token)
    const fetch = authorizedFetch({ url: 'http://127.0.0.1:9/mcp', auth: { token: asked } })
    expect(await failure(fetch(other.url))).toMatchObject({ name: 'AuthError', code: 'origin_mismatch' })
    expect(asked).not.toHaveBeenCalled()
    expect(other.requests).toEqual([])
  })

  it('E-04 what becomes of the URL while the token is asked for changes nothing', async () => {
    const other = await listen(answer(200))
    const server = await listen(answer(200))
    const url = new URL(server.url)
    const source: TokenSource = {
      async token() {
        url.href = other.url
        return token
      },
    }
    await authorizedFetch({ url: server.url, auth: source })(url)
    expect(server.requests).toHaveLength(1)
    expect(other.requests).toEqual([])
  })

  const statuses = [301, 302, 303, 307, 308]
  const credentials = [
    ['a token', { auth: token }],
    ['X-API-Key', { headers: { 'X-API-Key': key } }],
    ['Authorization', { headers: { Authorization: `Bearer ${token}` } }],
    ['a cookie', { headers: { Cookie: `session=${key}` } }],
    ['nothing', {}],
  ] as const
  const table = statuses.flatMap((status) =>
    credentials.map(([name, options]) => [status, name, options] as const),
  )

  it.each(table)('E-05, FL-82 follows no %i to another server, with %s', async (status, _name, options) => {
    const other = await listen(answer(200))
    const server = await listen(answer(status, { location: `${other.origin}/mcp?x=1` }))
    const fetch = authorizedFetch({ url: server.url, ...options })
    for (const init of [{ method: 'POST', body: 'secret body' }, { method: 'GET' }]) {
      expect(await failure(fetch(server.url, init))).toMatchObject({
        name: 'AuthError',
        code: 'origin_mismatch',
        status,
        server: server.origin,
      })
    }
    expect(other.requests).toEqual([])
  })

  it.each([
    ['another scheme', (origin: string) => `${origin.replace('http:', 'https:')}/mcp`],
    ['another name of the host', (origin: string) => `${origin.replace('127.0.0.1', 'localhost')}/mcp`],
    ['a host without a scheme', () => '//evil.example/mcp'],
    ['a user name', (origin: string) => `${origin.replace('://', '://user@')}/mcp`],
  ])('E-05 follows no redirect to %s', async (_case, target) => {
    const server = await listen((_request, response) => {
      response.writeHead(307, { location: target(server.origin) }).end()
    })
    const fetch = authorizedFetch({ url: server.url, auth: token })
    expect(await failure(fetch(server.url))).toMatchObject({ code: 'origin_mismatch' })
    expect(server.requests).toHaveLength(1)
  })

  it.each([307, 308])(
    'E-05 follows %i within the origin, with method, body and credential',
    async (status) => {
      const server = await listen(moves(status))
      const fetch = authorizedFetch({ url: server.url, auth: token })
      expect(await (await fetch(server.url, { method: 'POST', body: 'hello' })).text()).toBe('arrived')
      expect(server.requests).toMatchObject([
        { method: 'POST', url: '/mcp', body: 'hello' },
        { method: 'POST', url: '/new', body: 'hello' },
      ])
      expect(server.authorizations).toEqual([`Bearer ${token}`, `Bearer ${token}`])
    },
  )

  it.each([301, 302, 303])('E-05 follows no %i even within the origin', async (status) => {
    const server = await listen(moves(status))
    const fetch = authorizedFetch({ url: server.url, auth: token })
    for (const method of ['POST', 'GET']) {
      await expect(fetch(server.url, { method })).rejects.toThrow(`answered ${status} with a redirect`)
    }
    expect(server.requests.map(({ url }) => url)).toEqual(['/mcp', '/mcp'])
  })

  it('ends a circle of redirects', async () => {
    const server = await listen(answer(307, { location: '/mcp' }))
    const fetch = authorizedFetch({ url: server.url, auth: token })
    await expect(fetch(server.url)).rejects.toThrow('in a circle')
    expect(server.requests).toHaveLength(6)
  })

  it('E-27 does not send half a stream after a redirect', async () => {
    const server = await listen(moves(307))
    const fetch = authorizedFetch({ url: server.url, auth: token })
    await expect(fetch(server.url, streamed('hello'))).rejects.toThrow('body is a stream')
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['http://mcp.example.com/mcp', { auth: token }],
    ['http://mcp.example.com/mcp', { headers: { 'X-API-Key': key } }],
    ['http://10.0.0.1/mcp', { auth: token }],
    ['http://localhost.example.com/mcp', { auth: token }],
  ])('E-06 refuses a credential for %s when it is made', (url, options) => {
    expect(() => authorizedFetch({ url, ...options })).toThrow('must use https')
    expect(() => authorizedFetch({ url, ...options, allowInsecure: true })).not.toThrow()
    expect(() => authorizedFetch({ url })).not.toThrow()
  })

  it.each([
    'http://localhost:1/mcp',
    'http://127.0.0.1/mcp',
    'http://[::1]:3000/',
    'https://mcp.example.com',
  ])('E-06 takes %s', (url) => expect(() => authorizedFetch({ url, auth: token })).not.toThrow())

  it.each([
    ['ftp://mcp.example.com', 'must use https or http'],
    ['mcp.example.com', 'must be an absolute URL'],
    ['https://user:secret-pw@mcp.example.com', 'user name or password'],
    ['https://mcp.example.com/mcp#part', 'fragment'],
  ])('refuses the URL %s without repeating it', (url, message) => {
    const error = thrown(() => authorizedFetch({ url, auth: token }))
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(message)
    expect((error as Error).message).not.toContain('secret-pw')
  })
})

describe('401', () => {
  it('E-22 a static token is one request', async () => {
    const server = await listen(answer(401, { 'www-authenticate': challenge }))
    const error = await failure(authorizedFetch({ url: server.url, auth: token })(server.url))
    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({
      code: 'invalid_token',
      status: 401,
      server: server.origin,
      challenge: { realm: 'mcp', error: 'invalid_token', errorDescription: 'over', scopes: [] },
    })
    expect(server.requests).toHaveLength(1)
  })

  it('E-21 a source that renews: reported with the token that was used, one repetition', async () => {
    const server = await listen(accepts('token-2'))
    const source = renewing()
    const response = await authorizedFetch({ url: server.url, auth: source })(server.url, {
      method: 'POST',
      body: 'hello',
    })
    expect(response.status).toBe(200)
    expect(server.requests.map(({ body }) => body)).toEqual(['hello', 'hello'])
    expect(server.authorizations).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(source.refused.mock.calls).toMatchObject([['token-1', { error: 'invalid_token' }]])
  })

  it('E-21 a server that always refuses sees two requests, the source one report', async () => {
    const server = await listen(answer(401))
    const source = renewing()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    expect(await failure(fetch(server.url))).toMatchObject({ code: 'invalid_token' })
    expect(server.requests).toHaveLength(2)
    expect(source.refused.mock.calls).toEqual([['token-1', { scopes: [] }]])
  })

  it('does not repeat the request when the source gives the same token again', async () => {
    const server = await listen(answer(401))
    const refused = vi.fn(async () => {})
    const fetch = authorizedFetch({ url: server.url, auth: { token: async () => token, refused } })
    await failure(fetch(server.url))
    expect(server.requests).toHaveLength(1)
    expect(refused).toHaveBeenCalledTimes(1)
  })

  it('E-21 fifty requests that fail with one token are one report, and all succeed', async () => {
    const server = await listen(accepts('token-2'))
    let refusals = 0
    let release: () => void = () => {}
    const allRefused = new Promise<void>((resolve) => {
      release = resolve
    })
    const counting = async (url: string | URL, init?: RequestInit) => {
      const response = await fetch(url, init)
      if (response.status === 401 && ++refusals === 50) release()
      return response
    }
    let current = 'token-1'
    const refused = vi.fn(async () => {
      await allRefused
      current = 'token-2'
    })
    const source = { token: async () => current, refused }
    const authorized = authorizedFetch({ url: server.url, auth: source, fetch: counting })
    const responses = await Promise.all(Array.from({ length: 50 }, () => authorized(server.url)))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect(refused).toHaveBeenCalledTimes(1)
    expect(server.requests).toHaveLength(100)
  })

  it('E-21 a straggler with the old token gets the new one, and no second renewal', async () => {
    let release: () => void = () => {}
    const late = new Promise<void>((resolve) => {
      release = resolve
    })
    const server = await listen(async (request, response) => {
      if (request.url === '/mcp?slow' && request.headers.authorization === 'Bearer token-1') await late
      accepts('token-2')(request, response, '')
    })
    const source = renewing()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    const slow = fetch(`${server.url}?slow`)
    await vi.waitFor(() => expect(server.requests).toHaveLength(1))
    await fetch(server.url)
    release()
    expect((await slow).status).toBe(200)
    expect(source.refused).toHaveBeenCalledTimes(1)
  })

  it('E-27 reports the token of a request whose body is a stream, and does not repeat it', async () => {
    const server = await listen(accepts('token-2'))
    const source = renewing()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    expect(await failure(fetch(server.url, streamed('hello')))).toMatchObject({ code: 'invalid_token' })
    expect(server.requests).toHaveLength(1)
    expect(source.refused).toHaveBeenCalledTimes(1)
  })

  it('repeats a body of bytes', async () => {
    const server = await listen(accepts('token-2'))
    const fetch = authorizedFetch({ url: server.url, auth: renewing() })
    await fetch(server.url, { method: 'POST', body: new TextEncoder().encode('bytes') })
    expect(server.requests.map(({ body }) => body)).toEqual(['bytes', 'bytes'])
  })
})

describe('a token source that fails', () => {
  it.each([
    ['throws', async () => Promise.reject(new Error('vault is sealed')), 'the token source failed'],
    ['gives nothing', async () => undefined, 'must be a string, and is undefined'],
    ['gives an empty text', async () => '', 'is empty'],
    ['gives a header', async () => 'abc\r\nX-Injected: 1', 'control character'],
    ['gives a placeholder', async () => '${MCP_TOKEN}', 'placeholder'],
  ])('%s: token_unavailable, and no request', async (_case, give, message) => {
    const server = await listen(answer(200))
    const source = { token: give } as TokenSource
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toMatchObject({ name: 'AuthError', code: 'token_unavailable', server: server.origin })
    expect((error as Error).message).toContain(message)
    expect(server.requests).toEqual([])
  })

  it('passes on an AuthError as it is, from token and from refused', async () => {
    const server = await listen(answer(401))
    const outage = new AuthError('verifier_unavailable', 'token endpoint is down')
    const source = { token: async () => token, refused: async () => Promise.reject(outage) }
    expect(await failure(authorizedFetch({ url: server.url, auth: source })(server.url))).toBe(outage)
    const dry = { token: async () => Promise.reject(outage) }
    expect(await failure(authorizedFetch({ url: server.url, auth: dry })(server.url))).toBe(outage)
  })

  it('keeps the error of refused as the cause', async () => {
    const server = await listen(answer(401))
    const cause = new Error('vault is sealed')
    const source = { token: async () => token, refused: async () => Promise.reject(cause) }
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toMatchObject({ code: 'token_unavailable', cause })
  })
})

describe('other answers', () => {
  const scopeChallenge = 'Bearer error="insufficient_scope", scope="files:read files:write"'
  it.each([
    [400, {}, { error: 'invalid_request' }, { code: 'invalid_request' }],
    [400, { 'www-authenticate': 'Bearer error="invalid_request"' }, undefined, { code: 'invalid_request' }],
    [
      403,
      { 'www-authenticate': scopeChallenge },
      undefined,
      { code: 'insufficient_scope', scopes: ['files:read', 'files:write'] },
    ],
    [
      403,
      {},
      { error: 'insufficient_scope', scope: 'a b' },
      { code: 'insufficient_scope', scopes: ['a', 'b'] },
    ],
    [403, {}, { error: 'forbidden_origin' }, { code: 'forbidden_origin' }],
    [403, {}, undefined, { code: 'access_denied' }],
    [403, {}, 'expired', { code: 'access_denied' }],
    [403, {}, { jsonrpc: '2.0', error: { code: -32000, message: 'no' } }, { code: 'access_denied' }],
    [429, { 'retry-after': '30' }, undefined, { code: 'rate_limited', retryAfter: 30 }],
    [
      503,
      { 'retry-after': '6' },
      { error: 'temporarily_unavailable' },
      { code: 'verifier_unavailable', retryAfter: 6 },
    ],
  ])('FL-87 %i %j %j is one AuthError', async (status, headers, body, expected) => {
    const server = await listen(answer(status, headers as Record<string, string>, body))
    const error = await failure(
      authorizedFetch({ url: server.url, auth: token, serverName: 'files' })(server.url),
    )
    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ ...expected, status, server: 'files' })
    const { message } = error as Error
    expect(message).toContain(`files (${server.origin})`)
    expect(message.match(/[.;:]/g)?.length).toBeGreaterThan(1)
    if (status === 403) expect(message).not.toMatch(/expired/i)
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    [400, { jsonrpc: '2.0', id: 1, error: { code: -32600, message: 'invalid_request' } }],
    [404, { error: 'invalid_token' }],
    [405, undefined],
    [500, '401 invalid_token'],
    [502, { error: 'temporarily_unavailable' }],
    [503, 'temporarily_unavailable'],
    [503, { error: 'other' }],
  ])('E-25, FL-88 %i %j is left to the caller, and not repeated', async (status, body) => {
    const server = await listen(answer(status, {}, body))
    const source = renewing()
    const response = await authorizedFetch({ url: server.url, auth: source })(server.url)
    expect(response.status).toBe(status)
    const text = typeof body === 'object' ? JSON.stringify(body) : (body ?? '')
    expect(await response.text()).toBe(text)
    expect(source.refused).not.toHaveBeenCalled()
    expect(server.requests).toHaveLength(1)
  })

  it('E-28 a connection that breaks is not tried again', async () => {
    const server = await listen((request) => void request.socket.destroy())
    const source = renewing()
    await expect(authorizedFetch({ url: server.url, auth: source })(server.url)).rejects.toThrow(
      'whether the call was carried out is unknown',
    )
    expect(server.requests).toHaveLength(1)
    expect(source.refused).not.toHaveBeenCalled()
  })

  it('reads Retry-After as a date', async () => {
    const server = await listen(answer(429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }))
    const clock = () => Date.parse('2026-10-21T07:27:18.5Z')
    const fetch = authorizedFetch({ url: server.url, auth: token, clock })
    expect(await failure(fetch(server.url))).toMatchObject({ retryAfter: 42 })
  })

  it.each(['soon', '-1', '1.5', ''])('ignores a Retry-After of %j', async (value) => {
    const server = await listen(answer(429, { 'retry-after': value }))
    const error = await failure(authorizedFetch({ url: server.url, auth: token })(server.url))
    expect(error).toMatchObject({ code: 'rate_limited' })
    expect((error as AuthError).retryAfter).toBeUndefined()
  })

  it('W04 finds the Bearer challenge among several lines', async () => {
    const lines = ['Basic realm="a, Bearer error=\\"x\\""', 'Bearer error="invalid_token", scope="s"']
    const server = await listen(answer(401, { 'www-authenticate': lines }))
    expect(await failure(authorizedFetch({ url: server.url })(server.url))).toMatchObject({
      code: 'invalid_token',
      challenge: { scopes: ['s'] },
    })
  })

  it('does not wait for the body of a 401', async () => {
    const server = await listen((_request, response) => {
      response.writeHead(401)
      response.write('and so on')
    })
    expect(await failure(authorizedFetch({ url: server.url, auth: token })(server.url))).toMatchObject({
      code: 'invalid_token',
    })
  })
})

function accepts(good: string): Handler {
  return (request, response) => {
    if (only(good)(request.headers.authorization)) response.end('welcome')
    else response.writeHead(401, { 'www-authenticate': challenge }).end()
  }
}

function moves(status: number): Handler {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/mcp') response.writeHead(status, { location: '/new' }).end()
    else response.end('arrived')
  }
}

/** Gives token-1, and after each report the next one. */
function renewing() {
  let current = 1
  const refused = vi.fn(async (old: string) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (old === `token-${current}`) current++
  })
  return { token: async () => `token-${current}`, refused }
}

function streamed(text: string): RequestInit {
  const body = new Blob([text]).stream()
  return { method: 'POST', body, duplex: 'half' } as RequestInit
}

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('did not throw')
}
