import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'mcp-bearer/client'
import { ECKeyPair, LocalIssuer } from 'mcp-bearer/issuer'
import { apiKeys, openKeyStore } from 'mcp-bearer/keys'
import { MCPServer } from 'mcp-bearer/server'
import { jwtVerifier, staticVerifier } from 'mcp-bearer/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endAll, type Protecting, protect, type StartedJson } from './protect-support.ts'

const upstreamToken = 'sk-upstream-0123456789abcdef'

let folder: string
let upstream: string
/** What the server behind the gateway was sent. */
const heads: IncomingHttpHeaders[] = []
const behind = new MCPServer({
  name: 'behind',
  auth: staticVerifier({ [upstreamToken]: { claims: { sub: 'the gateway' } } }, { logger: () => {} }),
})
behind.tool('whoami', {}, (_args, ctx) => `${ctx.auth?.subject}`)
behind.tool('forbidden', {}, () => 'never')
const site = createServer((req, res) => {
  heads.push(req.headers)
  behind.nodeListener(req, res)
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-protect-'))
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  upstream = `http://127.0.0.1:${(site.address() as AddressInfo).port}/mcp`
})
afterAll(async () => {
  await endAll()
  await behind.close()
  await new Promise((resolve) => site.close(resolve))
  await rm(folder, { recursive: true })
})

async function call(url: string, auth: string, tool: string): Promise<string> {
  await using client = new Client(url, { auth })
  const { content } = await client.callTool(tool)
  return (content[0] as { text: string }).text
}

function statusOf(url: string, token: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  return fetch(url, { method: 'POST', headers, body }).then(({ status }) => status)
}

describe('in front of a server on HTTP', () => {
  let gateway: Protecting
  let started: StartedJson
  let key: string

  beforeAll(async () => {
    const env = { XDG_DATA_HOME: folder, UPSTREAM: upstreamToken, SHARED: 'between-servers-only' }
    const identity = ['--identity', 'jwt', '--identity-key', join(folder, 'own', 'identity.pem')]
    const headers = ['--upstream-header', 'X-Shared: ${SHARED}', '--upstream-auth', 'env:UPSTREAM']
    const rest = ['--deny-tool', 'forbid*', '--metrics', ':0', '--listen', '0', '--log', 'json', '--json']
    gateway = protect([upstream, ...identity, ...headers, ...rest], env)
    started = await gateway.started()
    key = started.key!
  })

  it('the answer is that of the server, which sees the token of the gateway and never the key', async () => {
    heads.length = 0
    expect(await call(started.url, key, 'whoami')).toBe('the gateway')
    expect(heads.length).toBeGreaterThan(0)
    for (const head of heads) {
      expect(head.authorization).toBe(`Bearer ${upstreamToken}`)
      expect(head['x-shared']).toBe('between-servers-only')
      expect(JSON.stringify(head)).not.toContain(key.slice(-20))
    }
  })

  it('the server is told who calls, in a header it can check with the keys the gateway publishes', async () => {
    const jwksUri = new URL('/.well-known/jwks.json', started.url)
    const [{ 'mcp-identity': assertion } = {}] = heads.slice(-1)
    const audience = upstream
    const verifier = jwtVerifier({ jwksUri, algorithm: 'ES256', issuer: 'mcp-bearer-gateway', audience })
    expect((await verifier.verifyToken(String(assertion)))?.subject).toMatch(/\w/)
    const file = join(folder, 'own', 'identity.pem')
    expect((await stat(file)).mode & 0o077).toBe(0)
    expect(ECKeyPair.fromPem(await readFile(file, 'utf8')).algorithm).toBe('ES256')
  })

  it('a tool that is denied on the command line is not there', async () => {
    await using client = new Client(started.url, { auth: key })
    expect((await client.listTools()).map(({ name }) => name)).toEqual(['whoami'])
    await expect(client.callTool('forbidden')).rejects.toMatchObject({ code: 'access_denied' })
  })

  it('metrics and health are on a listener of their own, closed to web pages, and name nobody', async () => {
    const metrics = await fetch(started.metrics!)
    const text = await metrics.text()
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toMatch(/^mcp_gateway_requests_total\{method="tools\/call",outcome="ok"\} \d+$/m)
    expect(text).toMatch(/^mcp_gateway_streams 0$/m)
    expect(text).not.toContain(key.slice(-20))
    expect(text).not.toContain('whoami')
    const status = async (path: string, init?: RequestInit) =>
      (await fetch(new URL(path, started.metrics), init)).status
    expect(await status('/health')).toBe(200)
    expect(await status('/mcp')).toBe(404)
    expect(await status('/metrics', { method: 'POST' })).toBe(405)
    expect(await status('/metrics', { headers: { Origin: 'https://evil.example' } })).toBe(403)
    expect((await fetch(new URL('/metrics', started.url))).status).toBe(404)
  })

  it('the log is one JSON object a line, and holds no credential', async () => {
    const lines = gateway.log()
    expect(lines).toContainEqual(
      expect.objectContaining({ method: 'tools/call', target: 'whoami', outcome: 'ok', status: 200 }),
    )
    for (const hidden of [key.slice(-20), upstreamToken, 'between-servers-only', 'eyJ']) {
      expect(gateway.err).not.toContain(hidden)
    }
    expect(gateway.out).not.toContain(upstreamToken)
  })
})

describe('who may call', () => {
  const audience = 'https://mcp.example.com/mcp'
  const opaque = '2YotnFZFEjr1zCsicMWpAA'
  let issuer: LocalIssuer
  let asked: string[]
  const authorizationServer = createServer(async (req, res) => {
    let body = ''
    for await (const piece of req) body += piece
    asked.push(`${req.headers.authorization}`)
    const active = new URLSearchParams(body).get('token') === opaque
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(active ? { active, sub: 'carol', aud: audience } : { active }))
  })

  beforeAll(async () => {
    asked = []
    issuer = await LocalIssuer.start({ logger: () => {} })
    await new Promise<void>((resolve) => authorizationServer.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await issuer.close()
    await new Promise((resolve) => authorizationServer.close(resolve))
  })

  it('keys of a database, JWTs of a key set and opaque tokens are all taken, and nothing else', async () => {
    const db = join(folder, 'own.db')
    const store = await openKeyStore(db)
    const { key } = await apiKeys({ store }).create({ name: 'ci', owner: 'bob' })
    await store.close()
    const { port } = authorizationServer.address() as AddressInfo
    const words = ['--keys', db, '--jwks', issuer.jwksUri, '--issuer', issuer.issuer, '--audience', audience]
    const introspection = ['--introspect', `http://127.0.0.1:${port}/introspect`]
    const client = ['--introspect-client', 'gateway', '--introspect-secret', 'env:CLIENT_SECRET']
    const rest = ['--listen', '0', '--log', 'json', '--json']
    const gateway = protect([upstream, ...words, ...introspection, ...client, ...rest], {
      CLIENT_SECRET: 'secret-of-the-gateway',
    })
    const { url, key: none } = await gateway.started()
    expect(none).toBeUndefined()
    const good = await issuer.mint({ audience })
    const foreign = await issuer.mint({ audience: 'another' })
    const all = await Promise.all([key, good, opaque, foreign, 'unknown'].map((one) => statusOf(url, one)))
    expect(all.map((status) => status === 401)).toEqual([false, false, false, true, true])
    expect(new Set(asked)).toEqual(new Set([`Basic ${btoa('gateway:secret-of-the-gateway')}`]))
    for (const hidden of ['secret-of-the-gateway', key.slice(-20), good.slice(-20), opaque]) {
      expect(gateway.err + gateway.out).not.toContain(hidden)
    }
    gateway.child.kill('SIGTERM')
    expect((await gateway.ended).code).toBe(0)
  })

  it('JWTs of a public key in a file, with the scopes that are required, also in a header of its own', async () => {
    const pair = await ECKeyPair.generate()
    const file = join(folder, 'public.pem')
    await writeFile(file, pair.publicKey)
    const words = ['--public-key', file, '--issuer', 'https://id.example.com', '--audience', audience]
    const rest = ['--required-scope', 'mcp', '--api-key-header', 'X-API-Key', '--listen', '0', '--json']
    const gateway = protect([upstream, ...words, ...rest], {})
    const { url, keys } = await gateway.started()
    expect(keys).toBeUndefined()
    const about = { issuer: 'https://id.example.com', audience }
    const good = await pair.createToken({ ...about, scopes: ['mcp'] })
    expect(await statusOf(url, await pair.createToken(about))).toBe(403)
    expect(await statusOf(url, await (await ECKeyPair.generate()).createToken(about))).toBe(401)
    expect(await statusOf(url, good)).not.toBe(401)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
    const headers = { 'X-API-Key': good, 'Content-Type': 'application/json' }
    expect((await fetch(url, { method: 'POST', headers, body })).status).not.toBe(401)
  })
})
