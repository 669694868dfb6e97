import {
  authorizedFetch,
  type BearerChallenge,
  clientCredentials,
  type FetchLike,
  refreshToken,
  resourceMetadata,
  type TokenSource,
} from 'mcp-bearer/client'
import { describe, expect, it } from 'vitest'
import { expectNoSecret, key } from './hostile-server.ts'
import { failure } from './servers.ts'
import { stillWorld } from './token-sources.ts'

const mcp = 'https://mcp.example.com/mcp'
const issuer = 'https://as.example.com'
const client = { id: 'me', secret: key }

/** The internet: answers by URL, and 404 for the rest. */
function internet(pages: Readonly<Record<string, unknown>>): {
  fetch: FetchLike
  asked: string[]
  sent: string[]
} {
  const asked: string[] = []
  const sent: string[] = []
  return {
    asked,
    sent,
    async fetch(url, init) {
      asked.push(String(url))
      sent.push(`${String(url)} ${JSON.stringify(init?.headers ?? {})} ${String(init?.body ?? '')}`)
      const page = pages[String(url)]
      return page === undefined ? new Response(null, { status: 404 }) : Response.json(page)
    },
  }
}

const resourcePlace = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'
const issuerPlace = `${issuer}/.well-known/oauth-authorization-server`
const good = { access_token: 'a-good-token', token_type: 'Bearer' }

function sources(fetch: FetchLike): [string, TokenSource][] {
  const environment = { ...stillWorld().environment, fetch }
  return [
    ['clientCredentials', clientCredentials({ issuer, client }, environment)],
    [
      'refreshToken',
      refreshToken({ issuer, client, refreshToken: 'refresh-fixture-0123456789' }, environment),
    ],
  ]
}

/** Where nobody outside may send us. */
const forbidden = [
  'https://169.254.169.254/latest/meta-data',
  'http://169.254.169.254/latest/meta-data',
  'https://127.0.0.1/token',
  'http://127.0.0.1:8080/token',
  'https://127.1/token',
  'https://2130706433/token',
  'https://0x7f.1/token',
  'https://0/token',
  'https://localhost/token',
  'https://a.localhost/token',
  'https://localhost./token',
  'https://[::1]/token',
  'https://[::ffff:127.0.0.1]/token',
  'https://[::ffff:7f00:1]/token',
  'https://[fd00::1]/token',
  'https://[fe80::1]/token',
  'https://[64:ff9b::7f00:1]/token',
  'https://10.0.0.1/token',
  'https://172.16.0.1/token',
  'https://192.168.0.1/token',
  'https://100.64.0.1/token',
  'https://224.0.0.1/token',
  'https://as.example.com:25/token',
  'https://user:password@as.example.com/token',
  'http://as.example.com/token',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:application/json,{}',
  'blob:https://as.example.com/token',
  '//as.example.com/token',
  '/token',
  '',
  7,
  null,
  ['https://as.example.com/token'],
]

describe('E-43, E-51 a token endpoint that metadata puts at', () => {
  it.each(forbidden)('%j gets no request, and no secret leaves', async (endpoint) => {
    const net = internet({ [issuerPlace]: { issuer, token_endpoint: endpoint } })
    for (const [, source] of sources(net.fetch)) {
      const error = await failure(source.token({ url: mcp }))
      expect(error).toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
      expectNoSecret(error)
    }
    const hosts = new Set(net.asked.map((url) => new URL(url).host))
    expect([...hosts].sort()).toEqual(['as.example.com', 'mcp.example.com'])
    expect(net.asked.filter((url) => !url.includes('/.well-known/'))).toEqual([])
    expect(net.sent.join()).not.toContain(key)
  })
})

describe('the issuer', () => {
  it.each([
    `${issuer}/`,
    'https://AS.example.com',
    `${issuer}:443`,
    'https://evil.example.com',
    `${issuer}.evil.example.com`,
    `${issuer}/#`,
    '',
    null,
    [issuer],
  ])('E-42 metadata that says %j gets no request for a token', async (named) => {
    const net = internet({
      [issuerPlace]: { issuer: named, token_endpoint: `${issuer}/token` },
      [`${issuer}/token`]: good,
    })
    for (const [, source] of sources(net.fetch)) await failure(source.token({ url: mcp }))
    expect(net.asked).not.toContain(`${issuer}/token`)
  })

  it.each([
    [['https://evil.example.com']],
    [[`${issuer}.evil.example.com`]],
    [[`${issuer}@evil.example.com`]],
    [[`${issuer}\\@evil.example.com`]],
    [['http://as.example.com']],
    [[]],
    [null],
    [{ 0: issuer }],
    [issuer],
  ])('E-51 a server that lists %j gets no token of ours', async (listed) => {
    const net = internet({
      [resourcePlace]: { resource: mcp, authorization_servers: listed },
      [issuerPlace]: { issuer, token_endpoint: `${issuer}/token` },
      [`${issuer}/token`]: good,
    })
    for (const [, source] of sources(net.fetch)) {
      expectNoSecret(await failure(source.token({ url: mcp })))
    }
    expect(net.asked.filter((url) => new URL(url).host !== 'mcp.example.com')).toEqual([])
  })

  it.each([
    'https://evil.example.com/mcp',
    'https://mcp.example.com.evil.example.com/mcp',
    'https://mcp.example.com@evil.example.com/mcp',
    'http://mcp.example.com/mcp',
    'https://mcp.example.com:8443/mcp',
    'https://mcp.example.com/mc',
    'https://mcp.example.com/mcp/other',
    'https://mcp.example.com/MCP',
    'https://mcp.example.com/mcp?x',
    'https://mcp.example.com/mcp#x',
    'blob:https://mcp.example.com/mcp',
    '',
    null,
  ])('E-30 metadata of the resource %j gets no request for a token', async (resource) => {
    const net = internet({
      [resourcePlace]: { resource, authorization_servers: [issuer] },
      [issuerPlace]: { issuer, token_endpoint: `${issuer}/token` },
      [`${issuer}/token`]: good,
    })
    for (const [, source] of sources(net.fetch)) await failure(source.token({ url: mcp }))
    expect(net.asked.filter((url) => new URL(url).host !== 'mcp.example.com')).toEqual([])
    expect(await failure(resourceMetadata(mcp, { fetch: net.fetch }))).toMatchObject({
      code: 'token_unavailable',
    })
  })
})

describe('E-29 resource_metadata of a challenge', () => {
  it.each([
    'https://evil.example.com/m',
    'https://169.254.169.254/m',
    'http://mcp.example.com/m',
    'https://mcp.example.com:8443/m',
    'https://user:password@mcp.example.com/m',
    'https://mcp.example.com@evil.example.com/m',
    'https://mcp.example.com\\@evil.example.com/m',
    'https://mcp.example.com.evil.example.com/m',
    'https://localhost/m',
    'blob:https://mcp.example.com/m',
  ])('at %j is not looked at', async (place) => {
    const net = internet({
      [issuerPlace]: { issuer, token_endpoint: `${issuer}/token` },
      [`${issuer}/token`]: good,
      [place]: { resource: mcp, authorization_servers: ['https://evil.example.com'] },
    })
    const challenge: BearerChallenge = { scopes: [], error: 'invalid_token', resourceMetadata: place }
    for (const [, source] of sources(net.fetch)) {
      const old = await source.token({ url: mcp })
      await source.refused?.(old, challenge)
      await source.token({ url: mcp })
    }
    expect(net.asked).not.toContain(place)
    expect(net.asked.every((url) => ['mcp.example.com', 'as.example.com'].includes(new URL(url).host))).toBe(
      true,
    )
  })

  it('a server on this machine sends nobody to another port of it', async () => {
    const local = 'http://localhost:1234/mcp'
    const net = internet({
      [issuerPlace]: { issuer, token_endpoint: `${issuer}/token` },
      [`${issuer}/token`]: good,
    })
    for (const [, source] of sources(net.fetch)) {
      const old = await source.token({ url: local })
      await source.refused?.(old, { scopes: [], resourceMetadata: 'http://localhost:4321/m' })
      await source.token({ url: local })
    }
    expect(net.asked.some((url) => url.includes(':4321'))).toBe(false)
  })
})

describe('documents that are no documents', () => {
  it.each([
    ['a list', '[]'],
    ['__proto__', `{"__proto__":{"issuer":"${issuer}","token_endpoint":"${issuer}/token"}}`],
    [
      '10^5 levels',
      `{"issuer":"${issuer}","token_endpoint":"${issuer}/token","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ],
    ['70 KB', `{"issuer":"${issuer}","token_endpoint":"${issuer}/token","x":"${'y'.repeat(70_000)}"}`],
    ['half of it', `{"issuer":"${issuer}"`],
  ])('%s: an AuthError, or no harm', async (name, text) => {
    const asked: string[] = []
    const fetch: FetchLike = async (url) => {
      asked.push(String(url))
      if (String(url) === issuerPlace) return new Response(text)
      return String(url) === `${issuer}/token` ? Response.json(good) : new Response(null, { status: 404 })
    }
    for (const [, source] of sources(fetch)) {
      const end = await source.token({ url: mcp }).catch((error: unknown) => error)
      if (typeof end === 'string') expect([name, end]).toEqual(['10^5 levels', good.access_token])
      else expect(end).toMatchObject({ name: 'AuthError', code: 'token_unavailable' })
    }
    expect(({} as { issuer?: unknown }).issuer).toBeUndefined()
  })
})

describe('options', () => {
  const ok: FetchLike = async () => new Response('ok')
  const plain = 'http://mcp.example.com/mcp'

  it('that change later, or are frozen, change nothing', async () => {
    const seen: string[] = []
    const fetch: FetchLike = async (url, init) => {
      seen.push(`${String(url)} ${new Headers(init?.headers).get('x-api-key')}`)
      return new Response('ok')
    }
    const url = new URL(mcp)
    const headers = { 'X-API-Key': 'first-value' }
    const retry = { stepUp: false, maxWait: 0 }
    const options = { url, headers, fetch, retry }
    const send = authorizedFetch(options)
    url.hostname = 'evil.example.com'
    headers['X-API-Key'] = 'second-value'
    Object.assign(options, { url: plain, allowInsecure: true, fetch: undefined })
    await send(mcp)
    expect(seen).toEqual([`${mcp} first-value`])
    const frozen = Object.freeze({ url: mcp, fetch, headers: Object.freeze({ 'X-API-Key': 'third-value' }) })
    await authorizedFetch(frozen)(mcp)
    expect(seen.at(-1)).toBe(`${mcp} third-value`)
  })

  it('that come from JSON bring no prototype', () => {
    const parsed = JSON.parse(`{"__proto__":{"allowInsecure":true},"auth":"sk-0123456789"}`) as object
    expect(() => authorizedFetch({ url: plain, fetch: ok, ...parsed })).toThrow(TypeError)
    const inherited = Object.assign(
      { url: mcp, fetch: ok },
      JSON.parse('{"headers":{"__proto__":{"x":"y"}}}'),
    )
    expect(() => authorizedFetch(inherited)).toThrow(TypeError)
  })

  it('the URL of a request that changes while a token is got is the one that was checked', async () => {
    const seen: string[] = []
    const url = new URL(mcp)
    const auth = {
      async token() {
        url.href = 'https://evil.example.com/mcp'
        return 'sk-0123456789'
      },
    }
    const fetch: FetchLike = async (at) => {
      seen.push(String(at))
      return new Response('ok')
    }
    await authorizedFetch({ url: mcp, auth, fetch })(url)
    expect(seen).toEqual([mcp])
  })
})
