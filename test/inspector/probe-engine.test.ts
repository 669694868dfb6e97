import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { secretsOf } from '../../src/core/redact.ts'
import { checks } from '../../src/inspector/probe/checks/index.ts'
import type { ProbeRequest, ProbeSender } from '../../src/inspector/probe/exchange.ts'
import { findingTexts } from '../../src/inspector/probe/finding-texts.ts'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'
import { type ProbeStep, runProbe } from '../../src/inspector/probe/run-probe.ts'
import { probe, probeChecks } from '../../src/inspector/probe.ts'
import { nodeSender } from '../../src/inspector/senders/node-sender.ts'
import { LocalIssuer } from '../../src/issuer/index.ts'
import { type HttpOptions, MCPServer, type MCPServerOptions } from '../../src/server/index.ts'
import { apiKeyVerifier, jwtVerifier } from '../../src/verify/index.ts'

const quiet = { logger: () => {} }
const never = new AbortController().signal
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function served(options: Partial<MCPServerOptions>, http: HttpOptions = {}) {
  const server = new MCPServer({ name: 'notes', version: '3.2.1', ...quiet, ...options }, http)
  server.tool('add', { description: 'Adds' }, () => '3')
  const { url } = await server.listen({ port: 0, closeOnSigterm: false })
  closing.push(() => server.close())
  return String(url)
}

/** An authorization server of this machine, and a token of it for the audience. */
async function issued(audience: string) {
  const server = await LocalIssuer.start()
  closing.push(() => server.close())
  const { issuer, jwksUri } = server
  return {
    verifier: jwtVerifier({ jwksUri, issuer, audience }, quiet),
    token: await server.mint({ audience, scopes: ['notes:read'] }),
  }
}

async function keyed() {
  const store = memoryKeyStore()
  const { key } = await apiKeys({ store }).create({ name: 'k', owner: 'alice', scopes: ['notes:read'] })
  const verifier = apiKeyVerifier({ store }, quiet)
  closing.push(() => verifier.close())
  return { verifier, key }
}

async function listening(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function worseThanNotes({ findings }: ProbeReport): string[] {
  return findings
    .filter(({ severity }) => severity !== 'note')
    .map(({ code, detail }) => `${code}: ${detail}`)
}

/** The token is in no part of what is stored, nor is any part of it that is long enough to be one. */
function expectNothingOf(token: string, report: unknown): void {
  const text = JSON.stringify(report)
  for (const secret of secretsOf(token)) expect(text).not.toContain(secret)
}

describe('a server of this package', () => {
  it('with JWTs of an issuer has no findings, and its token is nowhere in the report', async () => {
    const { verifier, token } = await issued('notes')
    const url = await served({ auth: verifier })
    const report = await probe(url, { token })
    expect(worseThanNotes(report)).toEqual([])
    expect(report.server).toEqual({
      name: 'notes',
      version: '3.2.1',
      revisions: ['2026-07-28', '2025-11-25'],
    })
    expect(report.checks.filter(({ outcome }) => outcome === 'skipped').map(({ id }) => id)).toEqual([
      'public-pages',
    ])
    expect(report.requests).toBeLessThan(95)
    expectNothingOf(token, report)
  })

  it('with API keys and without sessions has none', async () => {
    const { verifier, key } = await keyed()
    const url = await served({ auth: verifier }, { sessions: false })
    const report = await probe(url, { token: key })
    expect(worseThanNotes(report)).toEqual([])
    expect(report.checks.find(({ id }) => id === 'session-alone')).toMatchObject({ outcome: 'skipped' })
    expectNothingOf(key, report)
  })

  it('without a token to try has none', async () => {
    const { verifier } = await keyed()
    const report = await probe(await served({ auth: verifier }))
    expect(report.findings).toEqual([])
    expect(report.withToken).toBe(false)
    expect(report.checks.find(({ id }) => id === 'altered-token')).toMatchObject({
      outcome: 'skipped',
      reason: 'No token was given.',
    })
  })

  it('that asks for nobody is open, once and critically', async () => {
    const report = await probe(await served({}))
    expect(report.findings.map(({ code }) => code)).toEqual(['no-authentication'])
    expect(report.worst).toBe('critical')
  })

  it('that counts five failures a minute is not blamed, and not hammered', async () => {
    const { verifier, key } = await keyed()
    const url = await served({ auth: verifier, limits: { failuresPerMinute: 5 } })
    const report = await probe(url, { token: key })
    expect(worseThanNotes(report)).toEqual([])
    const skipped = report.checks.filter(({ reason }) => reason?.includes('429'))
    expect(skipped.map(({ id }) => id)).toEqual([
      'bad-tokens',
      'altered-token',
      'two-credentials',
      'query-token',
      'body-token',
    ])
  })

  it('with a key it does not know says so, and the rest still runs', async () => {
    const { verifier } = await keyed()
    const url = await served({ auth: verifier })
    const report = await probe(url, { token: 'of-somebody-else-entirely' })
    expect(report.findings.map(({ code }) => code)).toEqual(['token-refused'])
    expect(report.findings[0]?.detail).toContain('invalid_token')
    expect(report.checks.find(({ id }) => id === 'bad-tokens')?.outcome).toBe('passed')
    expectNothingOf('of-somebody-else-entirely', report)
  })
})

/** A server of 2025-11-25 with sessions, as the programs of that time were. It lets in who says to come from this machine. */
function older(token: string | undefined, opened: Set<string>): RequestListener {
  let count = 0
  return async (req, res) => {
    const answer = (status: number, body: unknown, headers = {}) =>
      void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    const session = String(req.headers['mcp-session-id'])
    if (token !== undefined && req.headers['x-forwarded-for'] === undefined && !isFor(req, token))
      return answer(401, { error: 'unauthorized' }, { 'www-authenticate': 'Bearer realm="old"' })
    if (req.method === 'DELETE') return answer(opened.delete(session) ? 200 : 404, {})
    const { id, method } = messageIn(await textOf(req))
    if (method !== 'initialize')
      return answer(400, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'No session' } })
    count += 1
    opened.add(`session-${count}-8f2e41`)
    const result = { protocolVersion: '2025-11-25', serverInfo: { name: 'old', version: '1' } }
    return answer(200, { jsonrpc: '2.0', id, result }, { 'mcp-session-id': `session-${count}-8f2e41` })
  }
}

function messageIn(text: string): { id?: unknown; method?: unknown } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function isFor({ headersDistinct }: IncomingMessage, token: string): boolean {
  const [line, second] = headersDistinct.authorization ?? []
  return second === undefined && line?.replace(/^bearer /i, '') === token && line !== token
}

async function textOf(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req) text += chunk
  return text
}

it('a server of 2025-11-25 is understood, and the sessions that were opened on it are closed', async () => {
  const opened = new Set<string>()
  const token = 'old-but-good-51d2e8-token'
  const origin = await listening(older(token, opened))
  const report = await probe(`${origin}/mcp`, { token })
  expect(report.server).toEqual({ name: 'old', version: '1', revisions: ['2025-11-25'] })
  expect(report.findings.map(({ code }) => code)).toContain('other-spelling-open')
  expect(opened.size).toBe(0)
  expectNothingOf(token, report)
  expect(JSON.stringify(report)).not.toMatch(/session-\d-8f2e41/)
})

it('the sessions of a server that asks for no token are closed as well', async () => {
  const opened = new Set<string>()
  const origin = await listening(older(undefined, opened))
  const report = await probe(`${origin}/mcp`)
  expect(report.server.name).toBe('old')
  expect(opened.size).toBe(0)
})

describe('a token', () => {
  it('goes to no other origin, whatever the server names', async () => {
    let visits = 0
    const elsewhere = await listening((_req, res) => {
      visits += 1
      res.end('{}')
    })
    const origin = await listening((req, res) => {
      const headers = {
        'www-authenticate': `Bearer realm="x", resource_metadata="${elsewhere}/.well-known/x"`,
        location: `${elsewhere}/mcp`,
        link: `<${elsewhere}>; rel=next`,
      }
      res.writeHead(req.url === '/mcp' ? 401 : 307, headers).end()
    })
    const report = await probe(`${origin}/mcp`, { token: 'quiet-harbour-7f3a9c-token' })
    expect(report.findings.map(({ code }) => code)).toContain('metadata-elsewhere')
    expect(visits).toBe(0)
  })

  it('stands in no request target, and goes with no request for metadata', async () => {
    const seen: [string, string][] = []
    const token = 'quiet-harbour-7f3a9c-token'
    const origin = await listening((req, res) => {
      seen.push([req.url ?? '', req.rawHeaders.join('\n')])
      const isGood = req.headers.authorization === `Bearer ${token}`
      if (isGood) return void res.writeHead(500).end(`at x (/srv/app.js:1:1) ${req.rawHeaders.join(' ')}`)
      res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${origin}/meta"` }).end()
    })
    const report = await probe(`${origin}/mcp`, { token })
    expect(seen.filter(([target]) => target.includes(token))).toEqual([])
    const metadata = seen.filter(([target]) => target === '/meta')
    expect(metadata).toHaveLength(1)
    expect(metadata[0]?.[1].toLowerCase()).not.toContain('authorization')
    expect(report.findings.map(({ code }) => code)).toContain('stack-trace')
    expectNothingOf(token, report)
  })

  it('does not travel over plain http to another machine, and is checked before anything is sent', async () => {
    await expect(probe('http://192.0.2.1/mcp', { token: 'abc' })).rejects.toThrow(/unencrypted/)
    await expect(probe('https://x.example/mcp', { token: 'a b' })).rejects.toThrow(/token must be/)
    await expect(probe('https://u:p@x.example/mcp')).rejects.toThrow(/user name or password/)
    await expect(probe('file:///etc/passwd')).rejects.toThrow(TypeError)
  })
})

describe('a query in the address', () => {
  it('is sent with every request to the endpoint, and shown without its values', async () => {
    const targets = new Set<string>()
    const origin = await listening((req, res) => {
      targets.add(req.url ?? '')
      res.writeHead(401, { 'www-authenticate': 'Bearer realm="x"' }).end(`no: ${req.url}`)
    })
    const report = await probe(`${origin}/mcp?tenant=harbour-seven`)
    expect(targets).toContain('/mcp?tenant=harbour-seven')
    expect(report.url).toBe(`${origin}/mcp`)
    expect(JSON.stringify(report)).not.toContain('harbour-seven')
  })
})

describe('a server that says "too many requests"', () => {
  const refusing = (after: (at: number) => string | undefined) => {
    let at = 0
    return listening((_req, res) => {
      const wait = after(at++)
      const headers = { 'www-authenticate': 'Bearer realm="x"', 'content-type': 'application/json' }
      if (wait === undefined) return void res.writeHead(401, headers).end('{}')
      res.writeHead(429, { 'retry-after': wait }).end('{}')
    })
  }

  it('is waited for once', async () => {
    const origin = await refusing((at) => (at === 6 ? '0' : undefined))
    const report = await probe(`${origin}/mcp`)
    expect(report.checks.filter(({ reason }) => reason?.includes('429'))).toEqual([])
  })

  it('is not asked again when it wants more time than a person has', async () => {
    const origin = await refusing((at) => (at >= 6 ? '3600' : undefined))
    const report = await probe(`${origin}/mcp`)
    expect(report.requests).toBe(7)
    expect(report.checks.filter(({ reason }) => reason?.includes('429')).length).toBeGreaterThan(5)
    expect(worseThanNotes(report)).toEqual([])
  })

  it('from the start leaves a report that says so', async () => {
    const origin = await refusing(() => '3600')
    const report = await probe(`${origin}/mcp`)
    expect(report.requests).toBe(1)
    expect(report.server).toEqual({ revisions: [] })
    expect(report.checks[0]).toMatchObject({ id: 'reach', outcome: 'skipped' })
  })
})

describe('a run', () => {
  it('tells each step, and the findings with it', async () => {
    const steps: ProbeStep[] = []
    const report = await probe(await served({}), { onStep: (step) => void steps.push(step) })
    expect(steps.map((step) => (step.kind === 'begins' ? step.id : step.check.id))).toEqual(
      probeChecks.flatMap(({ id }) => [id, id]),
    )
    expect(steps[0]).toMatchObject({ kind: 'begins', done: 0, of: probeChecks.length })
    const ends = steps.flatMap((step) => (step.kind === 'ends' ? step.findings : []))
    expect(ends).toEqual(report.findings)
  })

  it('does only what it is asked to, and knows the names of its checks', async () => {
    const url = await served({ auth: (await keyed()).verifier })
    const report = await probe(url, { only: ['challenge', 'preflight'] })
    expect(report.checks.map(({ id }) => id)).toEqual(['challenge', 'preflight'])
    expect(report.requests).toBeLessThan(8)
    await expect(probe(url, { only: ['__proto__'] })).rejects.toThrow(/no check/)
  })

  it('ends when it is aborted, with the reason', async () => {
    const giveUp = new AbortController()
    const url = await served({ auth: (await keyed()).verifier })
    const onStep = (step: ProbeStep) => step.kind === 'ends' && giveUp.abort(new Error('enough'))
    await expect(probe(url, { signal: giveUp.signal, onStep })).rejects.toThrow('enough')
  })

  it('fails when nobody answers', async () => {
    const origin = await listening(() => {})
    await closing.pop()?.()
    await expect(probe(`${origin}/mcp`)).rejects.toMatchObject({
      name: 'ProbeUnreachable',
      message: expect.stringContaining('Nothing listens'),
    })
  })

  it('through a sender that is not raw sends nothing it cannot send', async () => {
    const { verifier, key } = await keyed()
    const url = await served({ auth: verifier })
    const inner = nodeSender({ origin: url })
    const sent: ProbeRequest[] = []
    const sender: ProbeSender = {
      isRaw: false,
      send(request, signal) {
        sent.push(request)
        return inner.send(request, signal)
      },
    }
    const report = await runProbe({ url, token: key, sender, signal: never, clock: Date.now, checks })
    expect(worseThanNotes(report)).toEqual([])
    for (const { target, headers } of sent) {
      const { pathname, search } = new URL(target, url)
      expect(`${pathname}${search}`).toBe(target)
      const names = headers.map(([name]) => name.toLowerCase())
      expect(new Set(names).size).toBe(names.length)
      expect(names).not.toContain('origin')
      expect(names).not.toContain('host')
    }
    expect(
      report.checks.filter(({ reason }) => reason?.startsWith('A web page')).map(({ id }) => id),
    ).toEqual(['preflight', 'foreign-origin', 'two-credentials', 'big-body'])
  })
})

it('every finding says what is demanded, where, and what to do', () => {
  for (const { title, demand, citation, fix } of Object.values(findingTexts)) {
    for (const text of [title, demand, fix]) expect(text).toMatch(/^[A-Z`].*[.…)`]$/)
    expect(citation.url).toMatch(
      /^https:\/\/(?:www\.rfc-editor\.org|modelcontextprotocol\.io|owasp\.org|fetch\.spec\.whatwg\.org)\//,
    )
    expect(citation.name).not.toBe('')
  }
})
