import {
  AuthError,
  type AuthorizedFetchOptions,
  authorizedFetch,
  Client,
  clientCredentials,
  dpopKey,
  resourceMetadata,
  SSETransport,
} from 'mcp-bearer/client'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeIssuer, pathInserted, resourceServer } from './authorization-servers.ts'
import { expectNoSecret, faultyServer, headers, key, token } from './hostile-server.ts'
import { revisions } from './peers.ts'
import { answer, closeServers, failure, listen, type TestServer } from './servers.ts'
import { stillWorld } from './token-sources.ts'

afterEach(closeServers)

const statuses = [300, 301, 302, 303, 304, 305, 306, 307, 308]
const followed = new Set([307, 308])

type Credential = Pick<AuthorizedFetchOptions, 'auth' | 'headers'>

/** Made anew for each test: a key and a function have a memory. */
const credentials: [string, () => Credential][] = [
  ['a token', () => ({ auth: token, headers })],
  ['a function', () => ({ auth: { token: async () => token, refused: async () => {} }, headers })],
  ['a header', () => ({ headers: { ...headers, Authorization: `Bearer ${token}` } })],
  ['a key', () => ({ auth: { dpop: dpopKey(), token: async () => token }, headers })],
]

/** Where a server may point, as it is written; OTHER is another server that listens, PORT the port of this one. */
const elsewhere = [
  'OTHER/mcp',
  'OTHER/',
  '//OTHERHOST/mcp',
  '\\\\OTHERHOST\\mcp',
  '/\\OTHERHOST/mcp',
  '\t//OTHERHOST/mcp',
  'http:\\\\OTHERHOST/mcp',
  'http://user:password@127.0.0.1:PORT/mcp',
  'http://127.0.0.1:PORT@OTHERHOST/mcp',
  'http://127.0.0.1:PORT%23@OTHERHOST/',
  'http://localhost:PORT/mcp',
  'http://127.0.0.1.example.com:PORT/',
  'http://[::1]:PORT/mcp',
  'http://2130706433:1/mcp',
  'http://①②⑦.0.0.1:1/mcp',
  'http://127。0。0。1:1/mcp',
  'https://127.0.0.1:PORT/mcp',
  'ftp://127.0.0.1:PORT/mcp',
  'blob:http://127.0.0.1:PORT/mcp',
  'javascript:alert(1)',
  'data:text/plain,hello',
  'file:///etc/passwd',
  'about:blank',
]

function written(place: string, { other, own }: { other: TestServer; own: string }): string {
  const host = new URL(other.origin).host
  return place
    .replace(/[^\t -~]/g, encodeURIComponent)
    .replaceAll('OTHERHOST', host)
    .replaceAll('OTHER', other.origin)
    .replaceAll('PORT', new URL(own).port)
}

describe.each(credentials)('E-05, FL-82 with %s', (_name, make) => {
  it.each(statuses)('a %i to anywhere else reaches nobody', async (status) => {
    const other = await listen(answer(200))
    let place = ''
    const server = await listen((request, response, body) => {
      const location = written(place, { other, own: `http://${request.headers.host}` })
      answer(status, { location })(request, response, body)
    })
    const fetch = authorizedFetch({ url: server.url, ...make() })
    for (const [index, next] of elsewhere.entries()) {
      place = next
      const method = ['POST', 'GET', 'DELETE'][index % 3]!
      const work = fetch(server.url, { method, ...(method === 'POST' && { body: 'a secret call' }) })
      if ([300, 304, 305, 306].includes(status)) expect((await work).status).toBe(status)
      else {
        const error = await failure(work)
        expect([next, error]).toEqual([next, expect.any(AuthError)])
        expect(error).toMatchObject({ code: 'origin_mismatch' })
        expectNoSecret(error)
      }
      expect([next, server.requests.length]).toEqual([next, index + 1])
    }
    expect(other.requests).toEqual([])
  })

  it.each(statuses)(
    'a %i to another path is followed when it keeps the request, and never otherwise',
    async (status) => {
      const server = await listen((request, response, body) => {
        if (request.url === '/other') answer(200, {}, 'arrived')(request, response, body)
        else answer(status, { location: '/other' })(request, response, body)
      })
      const fetch = authorizedFetch({ url: server.url, ...make() })
      const end = await fetch(server.url, { method: 'POST', body: 'hello' }).catch((error: unknown) => error)
      expect(server.requests).toHaveLength(followed.has(status) ? 2 : 1)
      if (followed.has(status)) {
        expect(server.requests[1]).toMatchObject({ method: 'POST', url: '/other', body: 'hello' })
        expect(await (end as Response).text()).toBe('arrived')
      } else if (end instanceof Response) expect(end.status).toBe(status)
      else expect(end).not.toBeInstanceOf(AuthError)
      if (end instanceof Error) expectNoSecret(end)
    },
  )

  it('the other origin is not reached by the second hop either', async () => {
    const other = await listen(answer(200))
    const server = await listen((request, response, body) => {
      const location = request.url === '/mcp' ? '/second' : other.url
      answer(307, { location })(request, response, body)
    })
    const fetch = authorizedFetch({ url: server.url, ...make() })
    expect(await failure(fetch(server.url, { method: 'POST', body: 'x' }))).toMatchObject({
      code: 'origin_mismatch',
    })
    expect(server.requests).toHaveLength(2)
    expect(other.requests).toEqual([])
  })

  it('five hops are followed, and a sixth is not', async () => {
    const hops = (most: number) => async () => {
      const server = await listen((request, response, body) => {
        const hop = Number(new URL(request.url ?? '', 'http://x').searchParams.get('hop') ?? 0)
        if (hop === most) answer(200)(request, response, body)
        else answer(308, { location: `/mcp?hop=${hop + 1}` })(request, response, body)
      })
      const end = await authorizedFetch({ url: server.url, ...make() })(server.url).catch(
        (error: unknown) => error,
      )
      return { end, requests: server.requests.length }
    }
    expect(await hops(5)()).toMatchObject({ end: { status: 200 }, requests: 6 })
    expect(await hops(6)()).toMatchObject({
      end: { message: expect.stringContaining('circle') },
      requests: 6,
    })
  })
})

it.each(['', ' ', 'http://', 'http://[', 'http://%', 'http://a b/', '://', '//', '?', '#', '.'])(
  'a 307 to %j leads nowhere else',
  async (location) => {
    const server = await listen(answer(307, { location }))
    const end = await authorizedFetch({ url: server.url, auth: token })(server.url).catch(
      (error: unknown) => error,
    )
    if (end instanceof Response) expect(end.status).toBe(307)
    else expect(end).toBeInstanceOf(Error)
    expect(server.requests.length).toBeLessThanOrEqual(6)
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${token}`]))
  },
)

it('a fetch that follows redirects by itself is found out, at the first one', async () => {
  const server = await listen((request, response, body) => {
    if (request.url === '/other') answer(200)(request, response, body)
    else answer(302, { location: '/other' })(request, response, body)
  })
  const wandering = (url: string | URL, init?: RequestInit) => fetch(url, { ...init, redirect: 'follow' })
  const error = await failure(authorizedFetch({ url: server.url, auth: token, fetch: wandering })(server.url))
  expect(error).toMatchObject({ name: 'AuthError', code: 'origin_mismatch' })
})

describe.each(revisions)('E-71 over Client in %s', (revision) => {
  it.each([301, 302, 303, 307, 308])(
    'a %i of each request to another server reaches nobody',
    async (status) => {
      const other = await listen(answer(200))
      for (const phase of ['server/discover', 'initialize', 'tools/call', 'GET', 'DELETE']) {
        const server = await faultyServer(revision, (message, request) =>
          (message.method ?? request.method) === phase
            ? new Response(null, { status, headers: { location: other.url } })
            : undefined,
        )
        const client = new Client(server.url, { auth: token, headers, timeout: 2_000 })
        const end = await client.callTool('echo').catch((error: unknown) => error)
        if (end instanceof Error) expect(end).toMatchObject({ name: 'AuthError' })
        await client.close()
      }
      expect(other.requests).toEqual([])
    },
  )
})

it.each([301, 302, 303, 307, 308])(
  'a %i of an SSE message to another server reaches nobody',
  async (status) => {
    const other = await listen(answer(200))
    const server = await listen((request, response, body) => {
      if (request.method === 'POST') return answer(status, { location: other.url })(request, response, body)
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('event: endpoint\ndata: /messages\n\n')
    })
    await using client = new Client(new SSETransport(server.url, { auth: token, headers }), {
      timeout: 2_000,
    })
    expect(await failure(client.connect())).toMatchObject({ name: 'AuthError', code: 'origin_mismatch' })
    expect(other.requests).toEqual([])
  },
)

describe('E-43, E-29 the requests for a token', () => {
  it.each(statuses)(
    'a %i of token endpoint, metadata and resource metadata is not followed',
    async (status) => {
      const other = await listen(answer(200, {}, { access_token: 'stolen', token_type: 'Bearer' }))
      const away = answer(status, { location: other.url })
      const mcp = await resourceServer(() => ({ [pathInserted]: away }))
      const issuer = await fakeIssuer()
      issuer.answer(() => away)
      const client = { id: 'me', secret: key }
      const { environment } = stillWorld()
      const source = clientCredentials({ issuer: issuer.issuer, client }, environment)
      expectNoSecret(await failure(source.token({ url: mcp.url })))
      const lost = await fakeIssuer({ at: '/nowhere' })
      const blind = await listen(away)
      for (const place of [lost.issuer, blind.origin]) {
        expectNoSecret(
          await failure(clientCredentials({ issuer: place, client }, environment).token({ url: mcp.url })),
        )
      }
      await failure(resourceMetadata(mcp.url, environment))
      expect(other.requests).toEqual([])
    },
  )

  it('a server that redirects to the token endpoint of its client gets it no request with the token', async () => {
    const issuer = await fakeIssuer()
    const server = await listen(answer(307, { location: issuer.tokenEndpoint }))
    const { environment } = stillWorld()
    const auth = clientCredentials({ issuer: issuer.issuer, client: { id: 'me', secret: key } }, environment)
    const fetch = authorizedFetch({ url: server.url, auth })
    const body = 'grant_type=client_credentials'
    expect(await failure(fetch(server.url, { method: 'POST', body }))).toMatchObject({
      code: 'origin_mismatch',
    })
    expect(issuer.forms).toHaveLength(1)
  })
})
