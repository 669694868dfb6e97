import {
  AuthError,
  type AuthorizedFetchOptions,
  authorizedFetch,
  Client,
  clientCredentials,
  dpopKey,
  functionToken,
  SSETransport,
} from 'mcp-bearer/client'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeIssuer, refuses, resourceServer, tokens } from './authorization-servers.ts'
import { expectNoSecret, faultyServer, headers, key, token } from './hostile-server.ts'
import { revisions } from './peers.ts'
import { answer, closeServers, failure, type Handler, listen } from './servers.ts'
import { stillWorld } from './token-sources.ts'

afterEach(closeServers)

/** The vectors of RFC 9110 section 11.6.1 that parsers trip over, and what becomes of them in an error. */
const vectors: [string, string | string[] | undefined, object | undefined][] = [
  ['W01', 'Bearer realm="x"', { realm: 'x', scopes: [] }],
  [
    'W02',
    'Bearer error="invalid_token", error_description="a, b=\\"c\\""',
    { error: 'invalid_token', errorDescription: 'a, b="c"' },
  ],
  ['W03', 'Basic realm="a, Bearer error=\\"x\\"", Bearer scope="s1 s2"', { scopes: ['s1', 's2'] }],
  ['W04', ['Basic realm="a"', 'Bearer scope="s"'], { scopes: ['s'] }],
  [
    'W05',
    'bearer SCOPE=s1, Resource_Metadata="https://x.example/m"',
    { scopes: ['s1'], resourceMetadata: 'https://x.example/m' },
  ],
  ['W06', 'Bearer', { scopes: [] }],
  ['W07', 'Negotiate abc==, Bearer realm="x"', { realm: 'x' }],
  ['W08', 'Bearer realm="unterminated', { scopes: [] }],
  ['W09', 'Bearer scope="a", scope="b"', { scopes: ['a'] }],
  ['W10', 'DPoP error="use_dpop_nonce", Bearer error="invalid_token"', { error: 'invalid_token' }],
  ['W11', `Bearer realm="${'x'.repeat(14_000)}"`, { scopes: [] }],
  ['W11', `${','.repeat(14_000)}Bearer realm="x"`, { realm: 'x' }],
  ['W12', 'Bearer resource_metadata="javascript:1"', { scopes: [] }],
  ['W12', 'Bearer resource_metadata="//evil.example/m"', { scopes: [] }],
  ['W12', 'Bearer resource_metadata="/m"', { scopes: [] }],
  ['W13', 'Bearer scope=""', { scopes: [] }],
  ['W14', 'Bearer error = "x" , scope = "s"', { error: 'x', scopes: ['s'] }],
  ['W15', undefined, undefined],
  ['W16', 'BearerX scope="s"', undefined],
  ['__proto__', 'Bearer __proto__="x", constructor="y", scope="s"', { scopes: ['s'] }],
  ['a tab', 'Bearer realm="\t"', { realm: '\t' }],
]

describe('E-20 401 with the challenge', () => {
  it.each(vectors)(
    '%s %j is one AuthError, after one request and no other',
    async (id, challenge, expected) => {
      const server = await listen(
        answer(401, challenge === undefined ? {} : { 'www-authenticate': challenge }),
      )
      const error = (await failure(
        authorizedFetch({ url: server.url, auth: token })(server.url),
      )) as AuthError
      expect(error).toMatchObject({ name: 'AuthError', code: 'invalid_token', status: 401 })
      if (expected === undefined) expect(error.challenge).toBeUndefined()
      else expect(error.challenge).toMatchObject(expected)
      if (id === 'W12') expect(error.challenge).not.toHaveProperty('resourceMetadata')
      expect(server.requests).toHaveLength(1)
    },
  )
})

/** More than an HTTP parser lets through; another runtime, or a fetch of the caller's, may. */
const huge: [string, string][] = [
  ['33,000 scopes', `Bearer error="insufficient_scope", scope="${'s1 '.repeat(33_000)}"`],
  ['10^5 commas', ','.repeat(100_000)],
  ['unended quotes', 'Bearer a="'.repeat(10_000)],
  ['10^4 parameters', Array.from({ length: 10_000 }, (_, at) => `Bearer p${at}="x"`).join(',')],
  ['nothing but Bearer', `Bearer error_description="${'Bearer '.repeat(14_000)}"`],
  ['beginnings of the token', `Bearer error_description="${token.slice(0, 12).repeat(8_000)}"`],
  ['beginnings of tokens', `Bearer realm="${'eyJ'.repeat(33_000)}"`],
  ['backslashes', `Bearer realm="${'\\\\'.repeat(50_000)}"`],
  ['slashes', `Bearer error_description="${'://'.repeat(33_000)}"`],
]

describe('a challenge of 100 KB costs little:', () => {
  it.each(huge)('%s', async (_case, challenge) => {
    for (const status of [401, 403]) {
      const refusing = async () => new Response('', { status, headers: { 'www-authenticate': challenge } })
      const url = 'http://localhost/mcp'
      const started = performance.now()
      const error = await failure(authorizedFetch({ url, auth: token, headers, fetch: refusing })(url))
      expect(performance.now() - started).toBeLessThan(1_000)
      expect(error).toBeInstanceOf(AuthError)
      expect((error as AuthError).message.length).toBeLessThan(20_000)
      expectNoSecret(error)
    }
  })
})

/** Refuses for ever. */
const always: [string, Handler][] = [
  ['401', answer(401, { 'www-authenticate': 'Bearer error="invalid_token"' })],
  ['401 without a challenge', answer(401)],
  [
    '401 that asks for a nonce and gives none',
    answer(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"' }),
  ],
  ['403', answer(403)],
  [
    '403 insufficient_scope',
    answer(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="more"' }),
  ],
  [
    '403 insufficient_scope of nothing',
    answer(403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }),
  ],
  ['429', answer(429, { 'retry-after': '3600' })],
  ['429 with Retry-After: 0', answer(429, { 'retry-after': '0' })],
  ['503', answer(503, { 'retry-after': '3600' }, { error: 'temporarily_unavailable' })],
  ['503 of somebody else', answer(503, { 'retry-after': '1' }, 'busy')],
  ['500', answer(500)],
  ['400', answer(400, {}, { error: 'invalid_request' })],
]

/** A counter of renewals, and credentials that renew as far as they can. */
const kinds: [
  string,
  () => { counts: { asked: number }; options: Pick<AuthorizedFetchOptions, 'auth' | 'headers'> },
][] = [
  ['a string', () => ({ counts: { asked: 0 }, options: { auth: token } })],
  ['a header', () => ({ counts: { asked: 0 }, options: { headers } })],
  [
    'a function',
    () => {
      const counts = { asked: 0 }
      return { counts, options: { auth: functionToken(async () => `function-token-${++counts.asked}`) } }
    },
  ],
  [
    'a source',
    () => {
      const counts = { asked: 0 }
      const refused = async () => void counts.asked++
      return { counts, options: { auth: { token: async () => `source-token-${counts.asked}`, refused } } }
    },
  ],
  [
    'a key',
    () => {
      const counts = { asked: 0 }
      const refused = async () => void counts.asked++
      const auth = { dpop: dpopKey(), token: async () => `bound-token-${counts.asked}`, refused }
      return { counts, options: { auth } }
    },
  ],
]

/** Requests of one call: the first, and one more for whatever can be mended. */
function expectedRequests(refusal: string, kind: string): number {
  const renews = kind === 'a function' || kind === 'a source' || kind === 'a key'
  if (refusal === '401' || refusal === '401 without a challenge') return renews ? 2 : 1
  // Each token of the function is another one, so it is tried.
  return refusal === '403 insufficient_scope' && kind === 'a function' ? 2 : 1
}

describe.each(kinds)('E-21, E-22 with %s', (kind, make) => {
  it.each(always)('a server that answers %s for ever', async (refusal, handler) => {
    const server = await listen(handler)
    const { counts, options } = make()
    const end = await authorizedFetch({ url: server.url, ...options })(server.url, {
      method: 'POST',
      body: 'x',
    }).catch((error: unknown) => error)
    expect(server.requests).toHaveLength(expectedRequests(refusal, kind))
    expect(counts.asked).toBeLessThanOrEqual(3)
    if (end instanceof Response) expect([500, 503]).toContain(end.status)
    else expect(end).toBeInstanceOf(AuthError)
  })
})

it('E-23, F-41 one that mixes all reasons sees a handful of requests', async () => {
  let count = 0
  const server = await listen((request, response, body) => {
    count++
    const turns: Handler[] = [
      answer(401, { 'www-authenticate': 'Bearer error="invalid_token"' }),
      answer(403, { 'www-authenticate': `Bearer error="insufficient_scope", scope="s${count}"` }),
      answer(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': `nonce-${count}` }),
      answer(429, { 'retry-after': '1' }),
      answer(307, { location: `/mcp?${count}` }),
    ]
    turns[count % turns.length]!(request, response, body)
  })
  let made = 0
  const auth = { dpop: dpopKey(), token: async () => `token-${++made}`, refused: async () => {} }
  const error = await failure(
    authorizedFetch({ url: server.url, auth })(server.url, { method: 'POST', body: 'x' }),
  )
  expect(error).toBeInstanceOf(Error)
  // One for each reason, and what redirects lie between.
  expect(server.requests.length).toBeLessThanOrEqual(10)
})

it('E-21 fifty requests that are refused at once are one request for a token, and all succeed', async () => {
  const issuer = await fakeIssuer()
  const { environment } = stillWorld()
  const server = await resourceServer(() => ({
    '/mcp': (request: { headers: { authorization?: string } }, response: never, body: string) => {
      const isGood = request.headers.authorization === 'Bearer token-2'
      answer(isGood ? 200 : 401, {}, isGood ? 'welcome' : undefined)(request as never, response, body)
    },
  }))
  const auth = clientCredentials({ issuer: issuer.issuer, client: { id: 'me', secret: key } }, environment)
  const fetch = authorizedFetch({ url: server.url, auth })
  const ends = await Promise.all(
    Array.from({ length: 50 }, () =>
      fetch(server.url, { method: 'POST', body: 'x' }).then((one) => one.text()),
    ),
  )
  expect(new Set(ends)).toEqual(new Set(['welcome']))
  expect(issuer.forms).toHaveLength(2)
  expect(server.requests.filter(({ url }) => url === '/mcp').length).toBeLessThanOrEqual(100)
})

it('E-21 a server that refuses whatever it gets does not make us ask for tokens without end', async () => {
  const issuer = await fakeIssuer()
  const { environment } = stillWorld()
  const server = await listen(answer(401))
  const auth = clientCredentials({ issuer: issuer.issuer, client: { id: 'me', secret: key } }, environment)
  const fetch = authorizedFetch({ url: server.url, auth })
  for (let count = 0; count < 20; count++) await failure(fetch(server.url))
  expect(issuer.forms.length).toBeLessThanOrEqual(4)
})

it('E-61 an authorization server that repeats the secret wherever it can', async () => {
  const issuer = await fakeIssuer()
  const server = await resourceServer(() => ({}))
  const { environment, lines } = stillWorld()
  const client = { id: 'me', secret: key }
  const basic = Buffer.from(`me:${key}`).toString('base64')
  const wicked: Handler[] = [
    refuses(key, key),
    refuses('invalid_client', `${basic} ${key} Basic ${basic}`),
    refuses('invalid_client', [...key].map((char) => `&#${char.charCodeAt(0)};`).join('') + key, 401),
    answer(500, {}, key),
    answer(418, { 'content-type': 'text/html' }, key),
    answer(200, {}, `{"${key}`),
    answer(200, {}, { access_token: `${key}\n`, token_type: key, expires_in: key }),
    tokens({ access_token: 'x', token_type: key }),
    answer(200, { 'content-encoding': key }, {}),
  ]
  for (const how of wicked) {
    issuer.answer(() => how)
    const source = clientCredentials({ issuer: issuer.issuer, client }, environment)
    expectNoSecret(await failure(source.token({ url: server.url })), [key, basic])
  }
  expectNoSecret(lines, [key, basic])
})

describe('FL-87 one error, whatever the phase', () => {
  type Row = [string, Handler, { code: string; status: number; scopes?: string[] }]
  const rows: Row[] = [
    [
      '401',
      answer(401, { 'www-authenticate': 'Bearer error="invalid_token"' }),
      { code: 'invalid_token', status: 401 },
    ],
    ['401 without a challenge', answer(401), { code: 'invalid_token', status: 401 }],
    [
      '403 insufficient_scope',
      answer(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a b"' }),
      { code: 'insufficient_scope', status: 403, scopes: ['a', 'b'] },
    ],
    ['403', answer(403, {}, 'no'), { code: 'access_denied', status: 403 }],
    ['429', answer(429, { 'retry-after': '3600' }), { code: 'rate_limited', status: 429 }],
    [
      '503',
      answer(503, { 'retry-after': '3600' }, { error: 'temporarily_unavailable' }),
      { code: 'verifier_unavailable', status: 503 },
    ],
    ['400', answer(400, {}, { error: 'invalid_request' }), { code: 'invalid_request', status: 400 }],
  ]

  const phases: [string, string, (client: Client) => Promise<unknown>][] = [
    ['connect', 'connect', (client) => client.connect()],
    ['list', 'tools/list', (client) => client.listTools()],
    ['call', 'tools/call', (client) => client.callTool('echo')],
    ['call with progress', 'tools/call', (client) => client.callTool('echo', {}, { onProgress() {} })],
    ['read', 'resources/read', (client) => client.readResource('note://1')],
    ['prompt', 'prompts/get', (client) => client.getPrompt('greet')],
  ]

  const cases = revisions.flatMap((revision) =>
    phases.flatMap(([phase, method, work]) =>
      rows.map(([refusal, handler, expected]) => ({
        revision,
        phase,
        method,
        work,
        refusal,
        handler,
        expected,
      })),
    ),
  )

  it.each(cases)('$phase in $revision, $refusal', async ({ revision, method, work, handler, expected }) => {
    const refusing = await listen(handler)
    let refused = 0
    const server = await faultyServer(revision, async (message) => {
      const isIt =
        method === 'connect'
          ? message.method === 'server/discover' || message.method === 'initialize'
          : message.method === method
      if (!isIt) return undefined as never
      refused++
      return globalThis.fetch(refusing.url)
    })
    await using client = new Client(server.url, { auth: token, headers, serverName: 'peer', timeout: 3_000 })
    if (method !== 'connect') await client.connect()
    const error = await failure(work(client))
    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ ...expected, server: 'peer' })
    // What happened, where, and what to do about it.
    expect((error as Error).message).toMatch(/^peer \(http:\/\/127\.0\.0\.1:\d+\) .*\. [A-Z].*\.$/)
    expect(refused).toBe(1)
  })

  it.each(rows)('the stream of SSE, %s', async (_case, handler, expected) => {
    const server = await listen(handler)
    await using client = new Client(new SSETransport(server.url, { auth: token, serverName: 'peer' }))
    expect(await failure(client.connect())).toMatchObject({ name: 'AuthError', server: 'peer', ...expected })
    expect(server.requests).toHaveLength(1)
  })

  it.each(rows)('close is silent, %s', async (_case, handler) => {
    const refusing = await listen(handler)
    const server = await faultyServer('2025-11-25', async (_message, request) =>
      request.method === 'DELETE' ? globalThis.fetch(refusing.url) : (undefined as never),
    )
    const client = new Client(server.url, { auth: token })
    await client.connect()
    await client.close()
    expect(server.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(1)
  })
})

describe('FL-88 a 401 in a text is none', () => {
  const texts: [string, Handler][] = [
    ['500', answer(500, {}, '401 Unauthorized, invalid_token')],
    ['404', answer(404, {}, { error: 'invalid_token', status: 401 })],
    ['502', answer(502, { 'www-authenticate': 'Bearer error="invalid_token"' }, '401')],
    ['503', answer(503, {}, 'temporarily_unavailable 401')],
    ['400', answer(400, {}, 'invalid_request: status 401')],
  ]
  it.each(texts)('%s', async (_case, handler) => {
    const refusing = await listen(handler)
    let calls = 0
    const server = await faultyServer('2025-11-25', async (message) => {
      if (message.method !== 'tools/call') return undefined as never
      calls++
      return globalThis.fetch(refusing.url)
    })
    await using client = new Client(server.url, { auth: token, timeout: 3_000 })
    await client.connect()
    const error = await failure(client.callTool('echo'))
    expect(error).not.toBeInstanceOf(AuthError)
    expect(calls).toBeLessThanOrEqual(2)
  })
})
