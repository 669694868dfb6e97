import { inspect } from 'node:util'
import { ClientCredentialsProvider } from '@modelcontextprotocol/client'
import { AuthError, authorizedFetch, oauth } from 'mcp-bearer/client'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type AuthorizationServer, authorizationServer, person, protectedServer } from './oauth-world.ts'
import { closeServers, failure } from './servers.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await closeServers()
})

/** A server, its authorization server, a person, and a fetch that carries what they agree to. */
async function world(options: { readonly clock?: () => number } = {}) {
  const issuer = await authorizationServer('one')
  const issuers = [issuer.origin]
  const server = await protectedServer(() => issuers)
  const who = person()
  const source = oauth(who.provider, { callback: who.callback, ...options })
  const fetch = authorizedFetch({ url: server.url, auth: source })
  return {
    issuer,
    issuers,
    server,
    who,
    source,
    ask: () => fetch(server.url, { method: 'POST', body: '{}' }),
  }
}

/** The metadata of the server is at its own well-known place. */
const challengeOf = (origin: string, more = '') =>
  `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"${more}`

describe('a person signs in', () => {
  test('E-53 when the server says 401, once for 50 requests at the same time, and never before', async () => {
    const { issuer, server, who, ask } = await world()
    server.judge = (token) => ({
      status: token === 'one-access-1' ? 200 : 401,
      challenge: challengeOf(server.origin),
    })
    const answers = await Promise.all(Array.from({ length: 50 }, ask))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    expect(who.prompts).toBe(1)
    expect(issuer.tokenRequests).toHaveLength(1)
    expect(issuer.tokenRequests[0]?.get('resource')).toBe(server.url)
    expect(issuer.signIns[0]?.get('code_challenge_method')).toBe('S256')
  })

  test('FL-81 an open server is never asked for metadata', async () => {
    const { issuer, server, who, ask } = await world()
    server.judge = () => ({ status: 200 })
    expect((await ask()).status).toBe(200)
    expect(server.authorizations).toEqual([undefined])
    expect(issuer.requests).toEqual([])
    expect(who.prompts).toBe(0)
  })

  test('E-26 the scopes of the challenge are asked for; without any, none are', async () => {
    const { issuer, server, ask } = await world()
    server.judge = (token) => ({
      status: token ? 200 : 401,
      challenge: challengeOf(server.origin, ', scope="mcp:read mcp:list"'),
    })
    await ask()
    expect(issuer.signIns[0]?.get('scope')).toBe('mcp:read mcp:list')
    const other = await world()
    other.server.judge = (token) => ({ status: token ? 200 : 401 })
    await other.ask()
    expect(other.issuer.signIns[0]?.get('scope')).toBeNull()
  })

  test('E-52 offline_access is asked for only where the authorization server lists it', async () => {
    for (const listed of [true, false]) {
      const { issuer, server, ask } = await world()
      if (listed) issuer.behave({ metadata: { scopes_supported: ['mcp:read', 'offline_access'] } })
      server.judge = (token) => ({
        status: token ? 200 : 401,
        challenge: challengeOf(server.origin, ', scope="mcp:read"'),
      })
      await ask()
      expect(issuer.signIns[0]?.get('scope')).toBe(listed ? 'mcp:read offline_access' : 'mcp:read')
    }
  })

  test('E-23 403 asks for the union of scopes, and a server that is never content for no more', async () => {
    const { issuer, server, who, ask } = await world()
    server.judge = (token) =>
      token === undefined
        ? { status: 401, challenge: challengeOf(server.origin, ', scope="a"') }
        : { status: 403, challenge: challengeOf(server.origin, ', error="insufficient_scope", scope="b"') }
    for (let round = 0; round < 3; round++) {
      const error = await failure(ask())
      expect(error).toBeInstanceOf(AuthError)
      expect(error).toMatchObject({ code: 'insufficient_scope', scopes: ['b'] })
    }
    expect(issuer.signIns.map((query) => query.get('scope'))).toEqual(['a', 'a b'])
    expect(who.prompts).toBe(2)
  })
})

describe('a token that ends', () => {
  test('E-47 is refreshed before its end, without a person', async () => {
    let now = 0
    const { issuer, server, who, ask } = await world({ clock: () => now })
    server.judge = (token) => ({ status: token ? 200 : 401 })
    await ask()
    now = 3_595_000
    await ask()
    await ask()
    expect(who.prompts).toBe(1)
    expect(issuer.tokenRequests.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ])
    expect(server.authorizations.at(-1)).toBe('Bearer one-access-2')
  })

  test('E-21 is refreshed when it is refused; when that is refused too, the request fails', async () => {
    const { issuer, server, who, ask } = await world()
    server.judge = (token) => ({ status: token ? 200 : 401 })
    await ask()
    server.judge = () => ({ status: 401, challenge: 'Bearer error="invalid_token"' })
    const error = await failure(ask())
    expect(error).toMatchObject({ code: 'invalid_token', status: 401 })
    expect(issuer.tokenRequests.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ])
    expect(who.prompts).toBe(1)
  })

  test('a server that refuses everything does not ask a person for ever', async () => {
    const { server, who, ask } = await world()
    server.judge = () => ({ status: 401 })
    for (let round = 0; round < 8; round++) expect(await failure(ask())).toBeInstanceOf(AuthError)
    expect(who.prompts).toBeLessThanOrEqual(3)
  })
})

describe('one request does not harm another', () => {
  const bad = (origin: string) => challengeOf(origin, ', error="insufficient_scope", scope="no-such"')

  test('a scope that cannot be had is not asked for again', async () => {
    const { issuer, server, source, ask } = await world()
    server.judge = (token) => ({
      status: token ? 200 : 401,
      challenge: challengeOf(server.origin, ', scope="a"'),
    })
    await ask()
    issuer.behave({
      answer: (query, iss) => {
        const state = query.get('state') ?? ''
        return query.get('scope')?.includes('no-such')
          ? { error: 'invalid_scope', state, iss }
          : { code: 'c', state, iss }
      },
    })
    server.judge = () => ({ status: 403, challenge: bad(server.origin) })
    expect(await failure(ask())).toMatchObject({ code: 'token_unavailable' })
    await source.refused?.(issuer.tokenRequests.length > 0 ? 'one-access-1' : '', { scopes: [] })
    expect(await source.token({ url: server.url })).toBe('one-access-2')
    expect(issuer.tokenRequests.at(-1)?.get('grant_type')).toBe('refresh_token')
  })

  test('a step-up that never ends holds up nobody who needs no more scopes', async () => {
    const { issuer, server, who, ask } = await world()
    server.judge = (token) => ({
      status: token ? 200 : 401,
      challenge: challengeOf(server.origin, ', scope="a"'),
    })
    await ask()
    const source = oauth(who.provider, { callback: () => new Promise<URL>(() => {}) })
    const fetch = authorizedFetch({ url: server.url, auth: source })
    server.judge = () => ({ status: 403, challenge: bad(server.origin) })
    const never = new AbortController()
    const waiting = failure(fetch(server.url, { signal: never.signal }))
    await expect.poll(() => issuer.signIns.length).toBe(2)
    server.judge = () => ({ status: 200 })
    expect((await fetch(server.url)).status).toBe(200)
    never.abort(new Error('enough'))
    expect(await waiting).toMatchObject({ message: 'enough' })
  })

  test('challenges cannot fill the requests with scopes', async () => {
    const { issuer, server, source } = await world()
    server.judge = (token) => ({ status: token ? 200 : 401 })
    await source.token({ url: server.url })
    const scopes = Array.from({ length: 500 }, (_none, index) => `scope-${index}`)
    await source.refused?.('', { scopes: [...scopes, 'x'.repeat(300), 'not a scope'] })
    expect(issuer.signIns[0]?.get('scope')?.split(' ')).toHaveLength(32)
  })
})

describe('a token near its end', () => {
  test('that lives for seconds is not refreshed for every request', async () => {
    let now = 0
    const { issuer, server, ask } = await world({ clock: () => now })
    issuer.behave({ expiresIn: 8 })
    server.judge = (token) => ({ status: token ? 200 : 401 })
    await ask()
    await ask()
    now = 7_000
    await ask()
    expect(issuer.tokenRequests).toHaveLength(1)
    now = 7_500
    await ask()
    expect(issuer.tokenRequests).toHaveLength(2)
  })

  test('is used to it when the refresh fails, and nobody is asked to sign in', async () => {
    let now = 0
    const { issuer, server, who, ask } = await world({ clock: () => now })
    server.judge = (token) => ({ status: token ? 200 : 401 })
    await ask()
    issuer.behave({ token: () => ({ status: 503, body: {} }) })
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    now = 3_595_000
    expect((await ask()).status).toBe(200)
    expect(server.authorizations.at(-1)).toBe('Bearer one-access-1')
    expect(who.prompts).toBe(1)
  })
})

test('E-50 a server that moves to another authorization server gets a new registration there, and no old secret', async () => {
  const { issuer, issuers, server, who, ask } = await world()
  server.judge = (token) => ({ status: token ? 200 : 401 })
  await ask()
  const next = await authorizationServer('two')
  issuers.splice(0, 1, next.origin)
  server.judge = (token) => ({ status: token?.startsWith('two') ? 200 : 401 })
  const before = issuer.requests.length
  expect((await ask()).status).toBe(200)
  expect(next.registrations).toBe(1)
  expect(issuer.requests).toHaveLength(before)
  expect(next.requests.map(({ body, url }) => body + url).join()).not.toContain('one-')
  expect(who.prompts).toBe(2)
})

describe('a flow that cannot be trusted ends before a token is asked for', () => {
  const cases: readonly (readonly [
    name: string,
    behaviour: Parameters<AuthorizationServer['behave']>[0],
    says: RegExp,
  ])[] = [
    [
      'an answer with another state',
      { answer: (_query, iss) => ({ code: 'c', state: 'other', iss }) },
      /another request/,
    ],
    [
      'an answer from another issuer (RFC 9207)',
      { answer: (query) => ({ code: 'c', state: query.get('state') ?? '', iss: 'https://evil.example' }) },
      /not from the authorization server/,
    ],
    [
      'a refusal',
      { answer: (query, iss) => ({ error: 'access_denied', state: query.get('state') ?? '', iss }) },
      /access_denied/,
    ],
    ['no PKCE', { metadata: { code_challenge_methods_supported: undefined } }, /PKCE/],
    ['only plain PKCE', { metadata: { code_challenge_methods_supported: ['plain'] } }, /No token/],
    [
      'a page that is no web page',
      { metadata: { authorization_endpoint: 'com.example.app:/authorize' } },
      /No token/,
    ],
  ]
  test.each(cases)('E-53 %s', async (_name, behaviour, says) => {
    const { issuer, server, ask } = await world()
    issuer.behave(behaviour)
    server.judge = (token) => ({ status: token ? 200 : 401 })
    const error = await failure(ask())
    expect(error).toMatchObject({ code: 'token_unavailable', message: expect.stringMatching(says) })
    expect(issuer.tokenRequests).toEqual([])
  })

  test('a person who must sign in where nobody waits for the answer', async () => {
    const { server, who } = await world()
    const fetch = authorizedFetch({ url: server.url, auth: oauth(who.provider) })
    expect(await failure(fetch(server.url))).toMatchObject({
      code: 'token_unavailable',
      message: expect.stringContaining('callback'),
    })
  })
})

describe('whom the server names', () => {
  test('E-29 metadata at another origin is not asked for', async () => {
    const elsewhere = await authorizationServer('elsewhere')
    const { server, ask } = await world()
    server.judge = (token) => ({
      status: token ? 200 : 401,
      challenge: `Bearer resource_metadata="${elsewhere.origin}/metadata"`,
    })
    await ask()
    expect(elsewhere.requests).toEqual([])
  })

  test.each(['http://169.254.169.254', 'https://10.0.0.1', 'http://idp.example.com', 'https://[fd00::1]'])(
    'E-29 an authorization server at %s is not asked',
    async (address) => {
      const asked: string[] = []
      vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
        asked.push(String(input))
        throw new Error('no network')
      })
      const { issuers, server, who, source } = await world()
      issuers.splice(0, 1, address)
      await source.token({ url: server.url })
      expect(await failure(source.refused?.('', { scopes: [] }) as Promise<void>)).toMatchObject({
        code: 'token_unavailable',
      })
      expect(asked).toEqual([])
      expect(who.prompts).toBe(0)
    },
  )

  test('E-09 one source serves one server', async () => {
    const { server, who, source, ask } = await world()
    server.judge = (token) => ({ status: token ? 200 : 401 })
    await ask()
    const stranger = await protectedServer(() => [])
    const fetch = authorizedFetch({ url: stranger.url, auth: source })
    expect(await failure(fetch(stranger.url))).toMatchObject({ code: 'origin_mismatch' })
    expect(stranger.requests).toEqual([])
    expect(who.prompts).toBe(1)
  })
})

test('E-61 nothing that was sent comes back in an error or in what the flow prints', async () => {
  const { issuer, server, ask } = await world()
  server.judge = (token) => ({ status: token ? 200 : 401 })
  await ask()
  issuer.behave({
    token: (form, authorization) => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: `no: ${form} ${authorization}` },
    }),
  })
  server.judge = () => ({ status: 401 })
  const printed: unknown[] = []
  for (const level of ['warn', 'error', 'log'] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => void printed.push(...words))
  }
  const error = await failure(ask())
  const secrets = issuer.tokenRequests.flatMap((form) =>
    ['refresh_token', 'code', 'code_verifier'].flatMap((name) => form.get(name) ?? []),
  )
  expect(secrets.length).toBeGreaterThanOrEqual(3)
  const seen = inspect([error, printed], { showHidden: true, depth: 10 })
  for (const secret of [...secrets, 'one-access-1']) expect(seen).not.toContain(secret)
})

test("a provider that needs no person works as well: the SDK's client credentials", async () => {
  const { issuer, server } = await world()
  server.judge = (token) => ({ status: token ? 200 : 401 })
  const provider = new ClientCredentialsProvider({
    clientId: 'me',
    clientSecret: 'a-secret',
    expectedIssuer: issuer.origin,
  })
  const fetch = authorizedFetch({ url: server.url, auth: oauth(provider) })
  expect((await fetch(server.url)).status).toBe(200)
  expect(issuer.tokenRequests.map((form) => form.get('grant_type'))).toEqual(['client_credentials'])
})

test('E-61 the source shows nothing of the provider', async () => {
  const { who, source } = await world()
  who.tokens = { access_token: 'very-secret-token', token_type: 'Bearer' }
  expect(inspect(source, { showHidden: true, depth: 10 })).not.toContain('very-secret-token')
  expect(JSON.stringify(source)).not.toContain('very-secret-token')
})
