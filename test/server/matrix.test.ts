import { createServer, type RequestListener } from 'node:http'
import { serve as serveHono } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import type { LogEntry } from 'mcp-bearer'
import { type HttpOptions, MCPServer } from 'mcp-bearer/server'
import { jwtVerifier } from 'mcp-bearer/verify'
import { afterAll, describe, expect, it } from 'vitest'
import { listening } from '../http/support.ts'
import { alice, directory, rpc } from './fixtures.ts'
import { type Ask, askAll, type Told } from './wire.ts'

/**
 * Without a good token nothing is answered but public documents and preflights: every way to write a path, every verb,
 * revision, transport and credential (A-20, FL-18).
 */

const open: { close(): unknown }[] = []
afterAll(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

/** Stands in everything that is protected, and nowhere else. */
const secret = 'kumquat'
const issuer = 'https://id.example'

/** A server with something behind every kind of door; what runs there is counted. */
function guardedServer(http: HttpOptions) {
  const known = directory()
  const published = jwtVerifier({ jwksUri: `${issuer}/jwks`, issuer, audience: 'x' }, { logger() {} })
  const auth = Object.assign(known, { authorizationServers: published.authorizationServers })
  const entries: LogEntry[] = []
  const server = new MCPServer(
    {
      name: 'matrix',
      auth,
      logger: (entry) => entries.push(entry),
      limits: { failuresPerMinute: 0 },
    },
    http,
  )
  const calls: string[] = []
  const ran = (what: string) => {
    calls.push(what)
    return secret
  }
  server.tool('reveal', { description: secret }, () => ran('tool'))
  server.resource('notes://secret', { description: secret }, () => ran('resource'))
  server.prompt('ask', { description: secret }, () => ran('prompt'))
  server.route('/private', () => new Response(ran('route')), { methods: ['GET', 'POST', 'DELETE', 'PATCH'] })
  server.route('/public', () => new Response('for everybody'), { auth: false })
  open.push(server)
  return { server, auth: known, calls, entries }
}

/** One way in: where requests go, and how to be let in there. */
interface Way {
  readonly port: number
  /** What stands before each path. */
  readonly prefix: string
  readonly made: ReturnType<typeof guardedServer>
  /** Where the endpoint is, prefix included. */
  readonly endpoints: readonly string[]
  /** What anybody may read. */
  readonly documents: readonly string[]
  send(asks: readonly Ask[]): Promise<readonly Told[]>
}

const pages = [
  '/docs',
  '/docs/app.js',
  '/docs/style.css',
  '/openmcp.json',
  '/inspector',
  '/inspector/app.js',
  '/inspector/style.css',
  '/inspector/config.json',
]
const metadata = '/.well-known/oauth-protected-resource/mcp'
const resource = 'https://mcp.example.com/mcp'

async function listenWay(http: HttpOptions, documents: readonly string[], host = '127.0.0.1'): Promise<Way> {
  const made = guardedServer({ resource, ...http })
  const { port } = await made.server.listen({ port: 0, host })
  const endpoints = http.legacySse ? ['/mcp', '/sse'] : ['/mcp']
  return { port, prefix: '', made, endpoints, documents, send: (asks) => askAll(port, asks) }
}

async function mountWay(
  http: HttpOptions,
  prefix: string,
  documents: readonly string[],
  mount: (server: MCPServer) => RequestListener,
): Promise<Way> {
  const made = guardedServer({ resource, ...http })
  const { port, close } = await listening(createServer(mount(made.server)))
  open.push({ close })
  const endpoints = [`${prefix}/mcp`, `${prefix}/`]
  return { port, prefix, made, endpoints, documents, send: (asks) => askAll(port, asks) }
}

/** The prefix is taken off as a router would, and what does not have it is somebody else's. */
function stripped(server: MCPServer): RequestListener {
  return (req, res) => {
    const url = req.url ?? '/'
    if (!/^\/team-a(?=[/?]|$)/.test(url)) return void res.writeHead(404).end()
    req.url = url.slice('/team-a'.length) || '/'
    server.nodeListener(req, res)
  }
}

async function honoWay(): Promise<Way> {
  const made = guardedServer({ resource, publicPages: true, legacySse: true })
  // What no `Request` can be made of does not get beyond Hono.
  const app = new Hono()
    .mount('/team-a', made.server.fetch)
    .onError((_error, context) => context.body(null, 400))
  const node = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false })
  open.push(node)
  if (!node.listening) await new Promise((resolve) => node.once('listening', resolve))
  const { port } = node.address() as { port: number }
  const endpoints = ['/team-a/mcp', '/team-a/']
  const documents = underPrefix([...pages, metadata])
  return { port, prefix: '/team-a', made, endpoints, documents, send: (asks) => askAll(port, asks) }
}

/** In process there are no bytes: what `Request` does not take cannot be asked. */
function fetchWay(): Way {
  const made = guardedServer({ resource, publicPages: true })
  const send = (asks: readonly Ask[]) => Promise.all(asks.map((ask) => asked(made.server, ask)))
  return { port: 0, prefix: '', made, endpoints: ['/mcp', '/'], documents: [...pages, metadata], send }
}

async function asked(server: MCPServer, { method, target, headers, body }: Ask): Promise<Told> {
  let request: Request
  try {
    const url = /^https?:/i.test(target) ? target : `http://localhost${target}`
    request = new Request(url, {
      method,
      headers: headers.map((line) => /^([^:]+): ?(.*)$/.exec(line)!.slice(1) as [string, string]),
      ...(body && method !== 'GET' && method !== 'HEAD' && { body }),
    })
  } catch {
    return { status: 0, headers: {}, body: '' }
  }
  const response = await server.fetch(request)
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  }
}

/** Each with how many of the requests one is sent; none of these numbers has a divisor with that of anything that takes turns. */
const ways: readonly (readonly [name: string, step: number, make: () => Way | Promise<Way>])[] = [
  ['listen on loopback', 1, () => listenWay({}, ['/health', ...pages, metadata])],
  [
    'listen on loopback, with HTTP+SSE, without pages',
    5,
    () => listenWay({ legacySse: true, publicPages: false }, ['/health', metadata]),
  ],
  [
    'listen on every address, without sessions',
    5,
    () => listenWay({ sessions: false }, ['/health', metadata], '0.0.0.0'),
  ],
  [
    'listen on every address, with pages',
    5,
    () => listenWay({ publicPages: true }, ['/health', ...pages, metadata], '0.0.0.0'),
  ],
  [
    'nodeListener in node:http',
    5,
    () => mountWay({ legacySse: true }, '', [metadata], ({ nodeListener }) => nodeListener),
  ],
  [
    'nodeListener under a prefix in node:http',
    5,
    () => mountWay({}, '/team-a', [`/team-a${metadata}`], stripped),
  ],
  [
    'nodeListener under a prefix in Express',
    5,
    () =>
      mountWay({ publicPages: true }, '/team-a', underPrefix([...pages, metadata]), ({ nodeListener }) =>
        express().use('/team-a', nodeListener),
      ),
  ],
  [
    'nodeListener in Express behind express.json',
    5,
    () =>
      mountWay({ sessions: false }, '/team-a', underPrefix([metadata]), ({ nodeListener }) =>
        express().use(express.json()).use('/team-a', nodeListener),
      ),
  ],
  ['fetch under a prefix in Hono', 5, honoWay],
  ['fetch in process', 5, fetchWay],
]

function underPrefix(paths: readonly string[]): string[] {
  return paths.map((path) => `/team-a${path}`)
}

/** Ways to write a path that a router, a proxy or a decoder may take for the same. */
function spellings(path: string): string[] {
  const name = path.slice(1)
  const [first = ''] = name
  const hex = (text: string) => `%${text.charCodeAt(0).toString(16)}`
  return [
    path,
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `//${path}`,
    `/.${path}`,
    `/..${path}`,
    `/x/..${path}`,
    `/%2e%2e${path}`,
    `/x/%2e%2e${path}`,
    `${path}/.`,
    `${path}/..`,
    `${path}/%2e%2e`,
    `${path}/x`,
    `${path}.`,
    `${path}.json`,
    `${path};x`,
    `${path};/x`,
    `${path}%20`,
    `${path}%00`,
    `${path}%00.json`,
    `${path}%0d%0aX:y`,
    `${path}%2f`,
    `${path}%3f`,
    `${path}%23`,
    `/%2f${name}`,
    `%2f${name}`,
    `/${hex(first)}${name.slice(1)}`,
    `/%25${hex(first).slice(1)}${name.slice(1)}`,
    `/%u00${hex(first).slice(1)}${name.slice(1)}`,
    `/${[...name].map(hex).join('')}`,
    path.toUpperCase(),
    `/${first.toUpperCase()}${name.slice(1)}`,
    `\\${name}`,
    `/\\${name}`,
    `${path}\\`,
    `${path}?x=1`,
    `${path}?`,
    `${path}?/health`,
    `${path}#/health`,
    `${path}?access_token=${alice}`,
    `${path}?token=${alice}&api_key=${alice}`,
    `/health/..${path}`,
    `/health/%2e%2e${path}`,
    `/health%2f..%2f${name}`,
    `/docs%2f..%2f${name}`,
    `/docs/..;${path}`,
    `/docs/..;/..${path}`,
    `/openmcp.json/..${path}`,
    `/public/..${path}`,
    `/.well-known/oauth-protected-resource/..${path}`,
    `/.well-known/oauth-protected-resource/mcp/../../..${path}`,
    `/.well-known/oauth-protected-resource${path}`,
    `http://localhost${path}`,
    `http://evil.example${path}`,
    `HTTP://LOCALHOST${path}`,
    `http://user:secret@localhost${path}`,
    `http://localhost@evil.example${path}`,
    `http:///health${path}`,
    `http://[::1]:1${path}`,
    `http://health?${path}`,
    `//health${path}`,
    `file://${path}`,
    `x:${path}`,
    `${path}\x00`,
    `${path} `,
    `${path}\xa0`,
    `${path}\xff`,
    `${path}/\x2e\x2e/health`,
  ]
}

/** Targets that are no spelling of anything. */
const others = [
  ...['*', '/', '//', '/health', '/docs', '/docs/', '/docs/app.js', '/openmcp.json'],
  ...['/inspector', '/inspector/', '/inspector/keys', '/inspector/whoami', '/inspector%2fwhoami'],
]
const wellKnown = ['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource', 'mcp']

const verbs = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'QUERY',
  'SEARCH',
  'PROPFIND',
]
const oddVerbs = [...verbs, 'PURGE', 'M-SEARCH', 'LINK', 'get', 'POSTER', 'PRI', 'CONNECT']

const credentials: readonly (readonly string[])[] = [
  [],
  ['Authorization:'],
  ['Authorization: Bearer'],
  ['Authorization: Bearer wrong'],
  [`Authorization: Basic ${Buffer.from(`alice:${alice}`).toString('base64')}`],
  [`Authorization: ${alice}`],
  [`Authorization: Token ${alice}`],
  [`Authorization: Bearer ${alice} x`],
  [`Authorization: Bearer "${alice}"`],
  [`Authorization: Bearer ${alice},`],
  [`Authorization: Bearer ${alice.toUpperCase()}`],
  [`Authorization: Bearer ${alice}`, `Authorization: Bearer ${alice}`],
  [`Authorization: Bearer ${alice}`, 'Authorization: Bearer wrong'],
  [`Proxy-Authorization: Bearer ${alice}`],
  [`X-Forwarded-Authorization: Bearer ${alice}`],
  [`X-API-Key: ${alice}`],
  [`Cookie: Authorization=Bearer ${alice}; access_token=${alice}; token=${alice}`],
]

/** Headers that make some software look at another path, verb or caller. */
const tricks: readonly (readonly string[])[] = [
  [],
  ['X-Original-URL: /health', 'X-Rewrite-URL: /health'],
  ['X-HTTP-Method-Override: GET', 'X-Method-Override: GET'],
  ['X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Prefix: /docs', 'Forwarded: for=127.0.0.1'],
  ['Upgrade: websocket', 'Connection: Upgrade'],
  ['Accept: text/html'],
  ['Last-Event-ID: 1'],
]

/** Headers and body of messages in each revision. */
function messages(session: string): readonly { headers: readonly string[]; body: string }[] {
  const lines = (headers: Record<string, string>) =>
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const call = { name: 'reveal', arguments: {} }
  const client = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  const told = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const inSession = [`mcp-session-id: ${session}`]
  const asked = [
    rpc('tools/call', call),
    rpc('server/discover'),
    rpc('tools/list'),
    rpc('subscriptions/listen', { notifications: {} }),
    rpc('tools/call', call, '2025-11-25'),
    rpc('initialize', client, '2025-11-25'),
    rpc('ping', {}, '2025-11-25'),
    { ...rpc('ping', {}, '2025-11-25'), body: JSON.stringify(told) },
    { ...rpc('ping'), body: JSON.stringify(told) },
    { ...rpc('ping'), body: '{' },
  ].map(({ headers, body }) => ({ headers: lines(headers), body }))
  return [
    ...asked,
    ...asked.slice(4, 8).map(({ headers, body }) => ({ headers: [...headers, ...inSession], body })),
  ]
}

/** Alice has a session, whose id strangers know. */
async function sessionOf({ send, endpoints }: Way): Promise<string> {
  const { headers, body } = messages('x')[5]!
  const ask = {
    method: 'POST',
    target: endpoints[0]!,
    headers: [...headers, `Authorization: Bearer ${alice}`],
    body,
  }
  const [told] = await send([ask])
  return told!.headers['mcp-session-id'] ?? 'none'
}

/** Every target with every verb; whatever else there is takes turns, so that each meets each. */
function walk(way: Way, session: string): Ask[] {
  const { prefix } = way
  const known = ['/mcp', '/sse', '/private'].flatMap(spellings)
  const targets = [...known, ...others, ...wellKnown.map((name) => `/.well-known/${name}`)]
  const said = messages(session)
  const asks: Ask[] = []
  const ask = (method: string, target: string) => {
    const turn = asks.length
    const { headers, body } = said[turn % said.length]!
    const credential = credentials[(turn + Math.floor(turn / said.length)) % credentials.length]!
    const trick = tricks[turn % tricks.length]!
    asks.push({ method, target, headers: [...headers, ...credential, ...trick], body })
  }
  for (const target of targets) {
    // Whoever mounts a server gets requests without the prefix as well, and decides about them himself.
    const placed = /^[a-z]+:\/\/[^/]*/i.test(target)
      ? target.replace(/^([a-z]+:\/\/[^/]*)/i, `$1${prefix}`)
      : `${prefix}${target}`
    for (const verb of verbs) ask(verb, placed)
  }
  for (const target of way.endpoints) for (const verb of oddVerbs) ask(verb, target)
  return asks
}

/** The endpoint as it is, with every verb, message and credential. */
function product({ endpoints, prefix }: Way, session: string): Ask[] {
  return [endpoints[0]!, `${prefix}/private`, `${prefix}/inspector/whoami`].flatMap((target) =>
    ['GET', 'POST', 'DELETE', 'HEAD'].flatMap((method) =>
      messages(session).flatMap(({ headers, body }) =>
        credentials.map((credential) => ({ method, target, headers: [...headers, ...credential], body })),
      ),
    ),
  )
}

/** All that anybody may read, by what it is read with. */
async function publicOf({ send, documents, prefix }: Way): Promise<ReadonlySet<string>> {
  const told = await send(
    [...documents, `${prefix}/public`].map((target) => ({ method: 'GET', target, headers: [] })),
  )
  for (const { status } of told) expect(status).toBe(200)
  return new Set(told.map(({ body }) => body))
}

const refusals: ReadonlySet<number> = new Set([0, 400, 401, 403, 404])

/** Why an answer should not have been given; `undefined` when it may. */
function complaint(ask: Ask, told: Told, known: ReadonlySet<string>): string | undefined {
  const isRead = ask.method === 'GET' || ask.method === 'HEAD'
  if (told.status === 200 && isRead && known.has(told.body)) return undefined
  if (told.status === 200 && ask.method === 'HEAD' && told.body === '') return undefined
  const isMetadata = ask.target.includes('/.well-known/oauth-protected-resource')
  if (told.status === 200 && ask.method === 'OPTIONS' && isMetadata && told.body === '{}') return undefined
  const isRefused =
    refusals.has(told.status) || (told.status === 405 && /public|\.well-known/.test(ask.target))
  return isRefused && !told.body.includes(secret) ? undefined : `${told.status} ${told.body.slice(0, 200)}`
}

describe.each(ways)('%s', (_name, step, make) => {
  it('A-20 FL-18 FL-19 FL-20 FL-21 FL-24 without a good token nothing answers but what is public', async () => {
    const way = await make()
    const { calls, entries, auth } = way.made
    const known = await publicOf(way)
    const session = await sessionOf(way)
    const before = auth.asked
    const all = [...walk(way, session), ...product(way, session)]
    // Every way gets every target, verb, message and credential; one of them gets all of their combinations.
    const asks = all.filter((_ask, at) => at % step === 0)
    const told = await way.send(asks)
    const holes = asks.flatMap((ask, at) => {
      const text = complaint(ask, told[at]!, known)
      return text === undefined ? [] : [`${ask.method} ${ask.target} ${ask.headers.join(' | ')} -> ${text}`]
    })
    expect(holes.slice(0, 20)).toEqual([])
    expect(calls).toEqual([])
    expect(entries).toEqual([])
    expect(auth.asked).toBeGreaterThan(before)
    expect(asks.length).toBeGreaterThan(600)

    const { headers, body } = messages(session)[0]!
    const good = { method: 'POST', target: way.endpoints[0]!, body }
    const [opened] = await way.send([{ ...good, headers: [...headers, `Authorization: Bearer ${alice}`] }])
    expect(complaint(good as Ask, opened!, known), 'a good token is what makes the difference').toContain(
      secret,
    )
    expect(calls).toEqual(['tool'])
  })
})
