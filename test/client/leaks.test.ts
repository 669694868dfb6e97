import { inspect } from 'node:util'
import {
  authorizedFetch,
  BearerAuth,
  Client,
  MCPClient,
  type MCPClientConfig,
  SSETransport,
  StreamableHttpTransport,
} from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answer, closeServers, failure, type Handler, listen, modernFetch, serve } from './servers.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
})

const token = 'sk-leak/fixture+0123456789=='
const key = 'leak-header-fixture-0123456789'
const headers = { 'X-API-Key': key, Cookie: `session=${key}` }

/** Everything a logger, a debugger or a crash report could show of a value. */
function everythingOf(value: unknown, seen = new Set<unknown>()): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value)
  if (seen.has(value)) return ''
  seen.add(value)
  const own = Reflect.ownKeys(value).map((name) => {
    const member: unknown = Reflect.get(value, name)
    return `${String(name)}: ${everythingOf(member, seen)}`
  })
  const shown = inspect(value, { showHidden: true, depth: Infinity, getters: true })
  return [shown, JSON.stringify(value), ...own].join('\n')
}

function expectNoSecret(value: unknown): void {
  const text = everythingOf(value)
  for (const secret of [token, key]) {
    const forms = [secret, JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64')]
    for (const form of forms) expect(text).not.toContain(form)
  }
  expect(text).not.toContain(token.slice(0, 15))
}

/** Servers that repeat the credential wherever they can. */
const echoes: [string, Handler][] = [
  ...[401, 403].flatMap((status): [string, Handler][] => [
    [
      `${status} challenge`,
      answer(status, {
        'www-authenticate': `Bearer realm="${token}", error="insufficient_scope", error_description="bad ${token} and ${key}", scope="${token} ok", resource_metadata="https://x.example/${token}"`,
      }),
    ],
    [`${status} unquoted`, answer(status, { 'www-authenticate': `Bearer ${token}, Basic realm="${key}"` })],
  ]),
  ...[400, 403, 404, 405, 429, 500, 502, 503].flatMap((status): [string, Handler][] => [
    [`${status} page`, answer(status, {}, `<pre>Authorization: Bearer ${token}\nX-API-Key: ${key}</pre>`)],
    [
      `${status} JSON`,
      answer(status, {}, { error: 'temporarily_unavailable', error_description: `${token} ${key}` }),
    ],
    [
      `${status} JSON-RPC`,
      answer(status, {}, { jsonrpc: '2.0', id: null, error: { code: -32000, message: `${token} ${key}` } }),
    ],
    [
      `${status} escaped`,
      answer(status, { 'content-type': 'application/json' }, `{"m":"${token.replaceAll('/', '\\/')}"}`),
    ],
  ]),
  ...[302, 307].flatMap((status): [string, Handler][] => [
    [`${status} elsewhere`, answer(status, { location: `https://${key}.example/?t=${token}` })],
    [`${status} here`, answer(status, { location: `/login/${token}?t=${key}` })],
  ]),
  ['a broken connection', (request) => void request.socket.destroy()],
  [
    'no HTTP',
    (request) => void request.socket.end(`authorization: Bearer ${token}\r\nx-api-key: ${key}\r\n`),
  ],
  ['another type', answer(200, { 'content-type': 'text/html' }, '<p>hello</p>')],
]

describe('E-61, FL-71 no token and no header value in any error', () => {
  it.each(echoes)('over Streamable HTTP: %s', async (_case, handler) => {
    const server = await listen(handler)
    await using withToken = new Client(server.url, { auth: token, headers })
    expectNoSecret(await failure(withToken.ping()))
    await using withHeader = new Client(server.url, {
      headers: { ...headers, Authorization: `Bearer ${token}` },
    })
    expectNoSecret(await failure(withHeader.callTool('echo')))
    expectNoSecret(withToken)
  })

  it.each(echoes)('over SSE: %s', async (_case, handler) => {
    const server = await listen(handler)
    const transport = new SSETransport(`${server.origin}/sse`, { auth: token, headers })
    await using client = new Client(transport)
    expectNoSecret(await failure(client.ping()))
    expectNoSecret(transport)
  })

  it.each(echoes)('after a good start: %s', async (_case, handler) => {
    const good = await serve(modernFetch(() => true))
    const bad = await listen(handler)
    let at = good.url
    // As if the server changed under the client.
    const fetch = (_url: string | URL, init?: RequestInit) => globalThis.fetch(at, init)
    await using client = new Client('http://localhost:1/mcp', { auth: token, headers, fetch })
    await client.ping()
    at = bad.url
    const calls = [
      client.ping(),
      client.listTools(),
      client.callTool('echo'),
      client.readResource('note://1'),
    ]
    for (const error of await Promise.all(calls.map(failure))) expectNoSecret(error)
  })

  it('a token that a source renews in vain', async () => {
    const server = await listen(
      answer(401, {
        'www-authenticate': `Bearer error="invalid_token", error_description="${token} and ${key}"`,
      }),
    )
    let current = key
    const refused = async () => {
      current = token
    }
    const source = { token: async () => current, refused }
    await using client = new Client(server.url, { auth: source })
    expectNoSecret(await failure(client.ping()))
  })

  it.each([
    [{ auth: `${token} ${key}` }],
    [{ auth: `${token}\r\nX: ${key}` }],
    [{ auth: `\${${token}` }],
    [{ auth: { token } }],
    [{ headers: { 'X-API-Key': `${key}\n${token}` } }],
    [{ headers: { [`${key} ${token}`]: 'x' } }],
    [{ headers: { Authorization: `Bearer ${token} ${key}` } }],
    [{ auth: token, headers: { Authorization: key } }],
  ])('a bad option: case %#', async (options) => {
    const given = options as { auth: string }
    const work = async () => new Client('http://localhost:1/mcp', given)
    expectNoSecret(await failure(work()))
    const config = { mcpServers: { api: { url: 'http://localhost:1/mcp', ...options } } }
    expectNoSecret(await failure((async () => new MCPClient(config as unknown as MCPClientConfig))()))
  })

  it('the arguments and the environment of a command that cannot be started', async () => {
    await using client = new MCPClient({
      mcpServers: { child: { command: 'no-such-command-here', args: [token], env: { KEY: key } } },
    })
    expectNoSecret(await failure(client.session('child').ping()))
    expectNoSecret(await client.connectAll())
  })

  it('a plain http URL with a token in its query', async () => {
    const url = `http://mcp.example.com/mcp?key=${key}`
    expectNoSecret(await failure((async () => new Client(url, { auth: token }))()))
  })

  it('the objects themselves', async () => {
    vi.stubEnv('LEAK_KEY', key)
    const url = 'http://localhost:1/mcp'
    const transport = new StreamableHttpTransport(url, { auth: token, headers })
    const config = { mcpServers: { api: { url, auth: '${LEAK_KEY}' } } }
    for (const value of [
      new BearerAuth(token),
      transport,
      await transport.open(),
      new Client(transport),
      new Client(url, { auth: new BearerAuth(token) }),
      new MCPClient(config),
      authorizedFetch({ url, auth: token, headers }),
    ]) {
      expectNoSecret(value)
    }
  })
})
