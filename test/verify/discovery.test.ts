import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { AuthError, type LogEntry } from 'mcp-bearer'
import { Ed25519KeyPair, LocalIssuer } from 'mcp-bearer/issuer'
import { MCPServer } from 'mcp-bearer/server'
import {
  BearerAuthProvider,
  explainToken,
  type JwtVerifierOptions,
  jwtVerifier,
  type VerifierEnvironment,
} from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listening } from '../http/support.ts'
import { post, rpc } from '../server/fixtures.ts'
import { audience, clock, forge, goodClaims, now, quiet } from './forge.ts'
import { json, type KeyServer, keyServer, status } from './key-server.ts'

const pair = generateKeyPairSync('ed25519')
const keys = { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1' }] }
const tokenOf = (issuer: string, key: KeyObject = pair.privateKey) =>
  forge(key, { alg: 'EdDSA', typ: 'JWT', kid: 'k1' }, { ...goodClaims, iss: issuer, exp: now + 86_400 })

const rfc8414 = '/.well-known/oauth-authorization-server'
const oidc = '/.well-known/openid-configuration'

/** A verifier that finds the keys by itself, with a clock that only moves by hand. */
function worldOf(issuer: string, environment: VerifierEnvironment = {}) {
  let time = now * 1000
  const logged: LogEntry[] = []
  const verifier = jwtVerifier(
    { jwksUri: 'discover', issuer, audience, algorithm: 'EdDSA' },
    { clock: () => time, logger: (entry) => logged.push(entry), ...environment },
  )
  return {
    verifier,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    /** What the server would answer: 200, 401 or 503. */
    async verify(token = tokenOf(issuer)): Promise<number> {
      try {
        return (await verifier.verifyToken(token)) === null ? 401 : 200
      } catch (error) {
        if (error instanceof AuthError && error.code === 'verifier_unavailable') return 503
        throw error
      }
    },
    /** Why there are no keys, as the log has it. */
    reason: () => logged.find(({ event }) => event === 'jwks_unavailable')?.details?.reason,
  }
}

type Answer = KeyServer['answer']

/** An authorization server: what it answers for each path, and the paths it was asked for. */
async function authServer(routes: (origin: string) => Readonly<Record<string, Answer>>) {
  const server = await keyServer(status(404))
  const { origin } = new URL(server.url)
  const serve = (next: typeof routes) => {
    const table = new Map(Object.entries(next(origin)))
    server.answer = (request, response) => (table.get(request.url ?? '') ?? status(404))(request, response)
  }
  serve(routes)
  return { origin, serve, requests: server.requests, asked: () => server.requests.map(({ url }) => url) }
}

const metadataOf = (issuer: string, jwksUri: unknown = `${new URL(issuer).origin}/jwks`) =>
  json({ issuer, jwks_uri: jwksUri })

function signal(): { readonly given: Promise<void>; give(): void } {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

describe('finding the metadata', () => {
  it.each([
    ['', '', [rfc8414]],
    ['', '/', [rfc8414]],
    ['', '', [rfc8414, oidc]],
    ['/tenant/a', '', [`${rfc8414}/tenant/a`]],
    ['/tenant/a', '', [`${rfc8414}/tenant/a`, `${oidc}/tenant/a`]],
    ['/tenant/a', '', [`${rfc8414}/tenant/a`, `${oidc}/tenant/a`, `/tenant/a${oidc}`]],
    ['/tenant/a', '/', [`${rfc8414}/tenant/a`, `${oidc}/tenant/a`, `/tenant/a${oidc}`]],
  ])(
    'B-80 issuer with path %j%j: asks at %j, in this order, and nowhere else',
    async (path, slash, places) => {
      const server = await authServer((origin) => ({
        [places.at(-1) ?? '']: metadataOf(`${origin}${path}${slash}`),
        '/jwks': json(keys),
      }))
      expect(await worldOf(`${server.origin}${path}${slash}`).verify()).toBe(200)
      expect(server.asked()).toEqual([...places, '/jwks'])
    },
  )

  const page = `<!doctype html>${'<p>Welcome</p>'.repeat(10)}`
  it.each<[string, Answer]>([
    ['404', status(404)],
    ['403', status(403)],
    ['a redirect', status(302, { location: '/elsewhere' })],
    ['a page of a web application', json(page, { 'content-type': 'text/html' })],
    ['a page of 100 KiB', json(page.repeat(1000), { 'content-type': 'text/html' })],
    ['an empty answer', json('')],
    ['null', json('null')],
    ['a list', json('[]')],
    ['a text', json('"https://as.example.com"')],
  ])('%s counts as absent: the next place is asked', async (_name, answer) => {
    const server = await authServer((origin) => ({
      [rfc8414]: answer,
      [oidc]: metadataOf(origin),
      '/elsewhere': metadataOf(origin),
      '/jwks': json(keys),
    }))
    expect(await worldOf(server.origin).verify()).toBe(200)
    expect(server.asked()).toEqual([rfc8414, oidc, '/jwks'])
  })

  it.each<[string, Answer, RegExp]>([
    ['500', status(500), /^the answer has status 500$/],
    ['503', status(503), /^the answer has status 503$/],
    ['429', status(429), /^the answer has status 429$/],
    [
      'a reset',
      (request) => request.socket.resetAndDestroy(),
      /^no answer from 127\.0\.0\.1:\d+: ECONNRESET$/,
    ],
  ])(
    'J20 %s is an outage: the next place is not asked, and the reason is told as it is',
    async (_name, answer, reason) => {
      const server = await authServer((origin) => ({
        [rfc8414]: answer,
        [oidc]: metadataOf(origin),
        '/jwks': json(keys),
      }))
      const { verify, reason: told } = worldOf(server.origin)
      expect(await verify()).toBe(503)
      expect(server.asked()).toEqual([rfc8414])
      expect(told()).toMatch(reason)
    },
  )

  it('says that there is none, when there is none', async () => {
    const server = await authServer(() => ({ '/jwks': json(keys) }))
    const { verify, reason } = worldOf(server.origin)
    expect(await verify()).toBe(503)
    expect(server.asked()).toEqual([rfc8414, oidc])
    expect(reason()).toBe('the issuer publishes no metadata: the answer has status 404')
  })

  it('B-75 heeds how long the issuer asks to be left alone', async () => {
    const server = await authServer(() => ({ [rfc8414]: status(429, { 'retry-after': '40' }) }))
    const { verify, pass } = worldOf(server.origin)
    for (let second = 0; second < 40; second++) {
      expect(await verify()).toBe(503)
      pass(1)
    }
    expect(server.requests).toHaveLength(1)
    expect(await verify()).toBe(503)
    expect(server.requests).toHaveLength(2)
  })

  it.each<[string, Answer, number]>([
    ['says nothing', () => {}, 1],
    ['begins a page and never ends it', (_request, response) => void response.writeHead(200).write('<'), 1],
  ])(
    'B-72 J07 an issuer that %s costs five seconds, not five for each place',
    async (_name, answer, requests) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      onTestFinished(() => void vi.useRealTimers())
      const asked = signal()
      const server = await authServer(() => ({
        [rfc8414]: (request, response) => {
          answer(request, response)
          asked.give()
        },
        [oidc]: () => {},
      }))
      const { verify, reason } = worldOf(server.origin)
      const settled = vi.fn()
      const verdict = verify().finally(settled)
      await asked.given
      await vi.advanceTimersByTimeAsync(4999)
      expect(settled).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(1)
      expect(await verdict).toBe(503)
      expect(server.requests).toHaveLength(requests)
      expect(reason()).toBe('no complete answer within 5000 ms')
    },
  )

  it('B-79 a path that begins with two slashes leads to no other host', async () => {
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = async (url) => {
      asked.push(String(url))
      return new Response(null, { status: 404 })
    }
    expect(await worldOf('https://as.example.com//evil.example/x', { fetch }).verify()).toBe(503)
    expect(asked).toHaveLength(3)
    expect(new Set(asked.map((url) => new URL(url).host))).toEqual(new Set(['as.example.com']))
  })
})

describe('what the metadata says', () => {
  it.each<[string, (origin: string) => unknown, (origin: string) => string]>([
    ['another host', () => 'https://evil.example', () => 'https://evil.example'],
    ['a slash more', (origin) => `${origin}/`, (origin) => `${origin}/`],
    ['another port', (origin) => `${origin}0`, (origin) => `${origin}0`],
    ['another path', (origin) => `${origin}/a`, (origin) => `${origin}/a`],
    ['upper case', (origin) => origin.toUpperCase(), (origin) => origin.toUpperCase()],
    ['a blank', (origin) => `${origin} `, (origin) => `${origin} `],
    ['a list', (origin) => [origin], () => 'nobody'],
    ['nothing', () => undefined, () => 'nobody'],
    ['null', () => null, () => 'nobody'],
  ])(
    'B-80 J18 %s as issuer: 503, both are named, and the key set is not asked for',
    async (_name, issuer, shown) => {
      const server = await authServer((origin) => ({
        [rfc8414]: json({ issuer: issuer(origin), jwks_uri: `${origin}/jwks` }),
        [oidc]: metadataOf(origin),
        '/jwks': json(keys),
      }))
      const { verify, reason } = worldOf(server.origin)
      expect(await verify()).toBe(503)
      expect(server.asked()).toEqual([rfc8414])
      expect(reason()).toBe(
        `the metadata names ${shown(server.origin)} as issuer, and the one that is configured is ${server.origin}`,
      )
    },
  )

  it('B-80 J18 an issuer configured with a slash at the end is not one without', async () => {
    const server = await authServer((origin) => ({ [rfc8414]: metadataOf(origin), '/jwks': json(keys) }))
    expect(await worldOf(`${server.origin}/`).verify()).toBe(503)
    expect(server.asked()).toEqual([rfc8414])
  })

  it('B-80 issuer and jwks_uri of a prototype are none', async () => {
    const server = await authServer((origin) => ({
      [rfc8414]: json(`{"__proto__":{"issuer":"${origin}","jwks_uri":"${origin}/jwks"}}`),
      '/jwks': json(keys),
    }))
    expect(await worldOf(server.origin).verify()).toBe(503)
    expect(server.asked()).toEqual([rfc8414])
  })

  it('FL-71 what it says of its issuer is cut, and shown with nothing in it that cannot be seen', async () => {
    const long = `https://evil.example/\n\u202e${'x'.repeat(5000)}`
    const server = await authServer(() => ({ [rfc8414]: json({ issuer: long }) }))
    const { verify, reason } = worldOf(server.origin)
    expect(await verify()).toBe(503)
    expect(reason()).toMatch(/^the metadata names https:\/\/evil\.example\/\\u\{a\}\\u\{202e\}x+… as issuer/)
    expect(String(reason()).length).toBeLessThan(400)
  })

  it.each<[string, unknown, RegExp]>([
    ['http', 'http://as.example.com/jwks', /must use https/],
    ['http at another loopback name', 'http://localhost:1/jwks', /must use https/],
    ['https at this machine', 'https://127.0.0.1/jwks', /127\.0\.0\.1 is this machine/],
    ['https at this machine, disguised', 'https://0x7f.1/jwks', /127\.0\.0\.1 is this machine/],
    ['a file', 'file:///etc/passwd', /must use https/],
    ['data', `data:application/json,${JSON.stringify(keys)}`, /must use https/],
    ['a script', 'javascript:1', /must use https/],
    ['a private address', 'https://10.0.0.1/jwks', /10\.0\.0\.1 is in a private network/],
    ['the metadata of a cloud', 'https://169.254.169.254/latest/meta-data', /169\.254\.169\.254 is reserved/],
    ['the same in IPv6', 'https://[::ffff:a9fe:a9fe]/', /is reserved/],
    ['a user name', 'https://user:pw@keys.example.com/jwks', /user name or password/],
    ['a port of something else', 'https://keys.example.com:22/', /port/],
    ['a path', '/jwks', /^the metadata names no jwks_uri$/],
    ['a host without scheme', '//keys.example.com/jwks', /^the metadata names no jwks_uri$/],
    ['nothing', undefined, /^the metadata names no jwks_uri$/],
    ['a list', ['https://keys.example.com/jwks'], /^the metadata names no jwks_uri$/],
    ['an empty text', '', /^the metadata names no jwks_uri$/],
  ])('B-79 B-80 J19 %s as jwks_uri: 503, and nothing is asked there', async (_name, jwksUri, reason) => {
    const issuer = 'https://as.example.com'
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = async (url) => {
      asked.push(String(url))
      return Response.json({ issuer, jwks_uri: jwksUri })
    }
    // Private addresses are open to what the operator wrote, and to nothing else.
    const { verify, reason: told } = worldOf(issuer, { fetch, allowPrivateNetwork: true })
    expect(await verify()).toBe(503)
    expect(asked).toEqual([`${issuer}${rfc8414}`])
    expect(told()).toMatch(reason)
    expect(told()).not.toContain('pw')
  })

  it('B-79 a key set at another server of this machine is not asked for; at the very origin of the issuer it is', async () => {
    const foreign = await authServer(() => ({ '/jwks': json(keys) }))
    const server = await authServer((origin) => ({
      [rfc8414]: metadataOf(origin, `${foreign.origin}/jwks`),
      '/jwks': json(keys),
    }))
    const { verify, pass } = worldOf(server.origin)
    expect(await verify()).toBe(503)
    server.serve((origin) => ({
      [rfc8414]: metadataOf(origin, `http://localhost:${new URL(origin).port}/jwks`),
      '/jwks': json(keys),
    }))
    pass(1)
    expect(await verify()).toBe(503)
    expect(foreign.asked()).toEqual([])
    expect(server.asked()).toEqual([rfc8414, rfc8414])
    server.serve((origin) => ({ [rfc8414]: metadataOf(origin), '/jwks': json(keys) }))
    pass(2)
    expect(await verify()).toBe(200)
  })

  it('B-79 a key set at another public host is asked for, and so is one beside an issuer in a private network', async () => {
    const serve = async (issuer: string, jwksUri: string, environment: VerifierEnvironment) => {
      const asked: string[] = []
      const fetch: typeof globalThis.fetch = async (url) => {
        asked.push(String(url))
        return Response.json(String(url) === jwksUri ? keys : { issuer, jwks_uri: jwksUri })
      }
      return { verdict: await worldOf(issuer, { fetch, ...environment }).verify(), asked }
    }
    const place = (issuer: string) => `${issuer}${rfc8414}`
    const [one, other] = ['https://as.example.com', 'https://keys.example.net/jwks']
    expect(await serve(one, other, {})).toEqual({ verdict: 200, asked: [place(one), other] })
    const [inside, beside] = ['https://10.0.0.5', 'https://10.0.0.5/jwks']
    expect(await serve(inside, beside, { allowPrivateNetwork: true })).toEqual({
      verdict: 200,
      asked: [place(inside), beside],
    })
    await expect(serve(inside, beside, {})).rejects.toThrow(TypeError)
  })

  it('explains why there are no keys', async () => {
    const server = await authServer((origin) => ({ [rfc8414]: metadataOf(origin, 'https://10.0.0.1/jwks') }))
    const options = { jwksUri: 'discover', issuer: server.origin, audience, algorithm: 'EdDSA' } as const
    const explained = await explainToken(tokenOf(server.origin), options, { clock })
    expect(explained).toMatchObject({
      verdict: 'unavailable',
      message: expect.stringMatching(/10\.0\.0\.1 is in a private network.*write it as jwksUri\.$/),
      remedy: expect.stringMatching(/jwksUri/),
    })
  })
})

describe('the life of what was found', () => {
  it('J01 B-82 100 first tokens ask once for each document, without any credential', async () => {
    const server = await authServer((origin) => ({ [rfc8414]: metadataOf(origin), '/jwks': json(keys) }))
    const { verify } = worldOf(server.origin)
    expect(server.requests).toHaveLength(0)
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verify()))
    expect(new Set(verdicts)).toEqual(new Set([200]))
    expect(server.asked()).toEqual([rfc8414, '/jwks'])
    for (const { headers } of server.requests) {
      expect(Object.keys(headers).join()).not.toMatch(/authorization|cookie|api-key/)
    }
  })

  it('asks for the keys again where they were, without looking for the place', async () => {
    const server = await authServer((origin) => ({ [rfc8414]: metadataOf(origin), '/jwks': json(keys) }))
    const { verify, pass } = worldOf(server.origin)
    for (let time = 0; time < 3; time++) {
      expect(await verify()).toBe(200)
      pass(600)
    }
    expect(server.asked()).toEqual([rfc8414, '/jwks', '/jwks', '/jwks'])
  })

  it('a key set that moved is found after a failure, and known keys work meanwhile', async () => {
    const server = await authServer((origin) => ({ [rfc8414]: metadataOf(origin), '/jwks': json(keys) }))
    const { verify, pass } = worldOf(server.origin)
    expect(await verify()).toBe(200)
    server.serve((origin) => ({
      [rfc8414]: metadataOf(origin, `${origin}/moved`),
      '/moved': json({ keys: [{ ...keys.keys[0], kid: 'k2' }] }),
    }))
    pass(600)
    expect(await verify()).toBe(200)
    pass(1)
    const young = forge(
      pair.privateKey,
      { alg: 'EdDSA', kid: 'k2' },
      { ...goodClaims, iss: server.origin, exp: now + 86_400 },
    )
    expect(await verify(young)).toBe(200)
    expect(server.asked()).toEqual([rfc8414, '/jwks', '/jwks', rfc8414, '/moved'])
    expect(await verify()).toBe(401)
  })

  it('B-81 J20 finds a real issuer that is started later', async () => {
    const keyPair = await Ed25519KeyPair.generate()
    const first = await LocalIssuer.start({ keyPair, clock, logger: quiet })
    await first.close()
    const { verify, pass } = worldOf(first.issuer)
    const token = await first.mint({ audience })
    expect(await verify(token)).toBe(503)
    const later = await LocalIssuer.start({
      keyPair,
      clock,
      logger: quiet,
      port: Number(new URL(first.issuer).port),
    })
    onTestFinished(() => later.close())
    pass(1)
    expect(await verify(token)).toBe(200)
  })

  it('B-83 close() ends the search, and no other begins', async () => {
    const [asked, closed] = [signal(), signal()]
    const server = await authServer(() => ({
      [rfc8414]: (request) => {
        request.socket.on('close', closed.give)
        asked.give()
      },
    }))
    const { verifier, verify, reason } = worldOf(server.origin)
    const verdict = verify()
    await asked.given
    verifier.close?.()
    expect(await verdict).toBe(503)
    await closed.given
    expect(await verify()).toBe(503)
    expect(server.requests).toHaveLength(1)
    expect(reason()).toBeUndefined()
  })
})

describe('options', () => {
  it.each<[string, object]>([
    ['no issuer', {}],
    ['two issuers', { issuer: ['https://a.example', 'https://b.example'] }],
    ['an issuer that is no URL', { issuer: 'my-issuer' }],
    ['an issuer over http', { issuer: 'http://as.example.com' }],
    ['an issuer with a password', { issuer: 'https://user:pw@as.example.com' }],
    ['an issuer with a query', { issuer: 'https://as.example.com/?tenant=1' }],
    ['an issuer with an empty query', { issuer: 'https://as.example.com/?' }],
    ['an issuer with a fragment', { issuer: 'https://as.example.com/#a' }],
    ['an issuer in a private network', { issuer: 'https://10.0.0.1' }],
    ['a public key besides', { issuer: 'https://as.example.com', publicKey: keys.keys[0] }],
    ['HMAC', { issuer: 'https://as.example.com', algorithm: 'HS256' }],
  ])('B-63 B-70 %s is a TypeError when the verifier is made', (_name, more) => {
    const options = { jwksUri: 'discover', audience, ...more } as JwtVerifierOptions
    expect(() => jwtVerifier(options, { logger: quiet })).toThrow(TypeError)
  })

  it('D8 names the issuer as authorization server', () => {
    const { verifier } = worldOf('https://as.example.com')
    expect(verifier.authorizationServers).toEqual(['https://as.example.com'])
  })
})

describe('the scenario auth-token-audience-validation', () => {
  /** Listens before there is anything to answer with: the address is part of the configuration. */
  async function endpoint() {
    let listener: RequestListener = (_request, response) => void response.writeHead(503).end()
    const open = await listening(createServer((request, response) => listener(request, response)))
    onTestFinished(() => open.close())
    return {
      url: `http://127.0.0.1:${open.port}/mcp`,
      serve: (next: RequestListener) => {
        listener = next
      },
    }
  }

  /** A port of this machine where nobody listens yet. */
  async function laterPort(): Promise<number> {
    const server = createServer()
    const { port, close } = await listening(server)
    await close()
    return port
  }

  it('B-81 A-36 an issuer that starts after the server, RFC 8414 metadata only, RS256, at+jwt: 401 for all but the good token', async () => {
    const port = await laterPort()
    const issuer = `http://127.0.0.1:${port}`
    const { url, serve } = await endpoint()
    let seconds = now
    const time = () => seconds * 1000
    const auth = new BearerAuthProvider(
      { jwksUri: 'discover', issuer, audience: url, rules: { types: 'at+jwt' } },
      { clock: time, logger: quiet },
    )
    const mcp = new MCPServer({ name: 'under-test', auth, clock: time, logger: quiet })
    serve(mcp.nodeListener)

    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'as-1', use: 'sig', alg: 'RS256' }
    const token = (claims: object, key = rsa.privateKey) =>
      forge(
        key,
        { alg: 'RS256', typ: 'at+jwt', kid: 'as-1' },
        {
          iss: issuer,
          sub: 'conformance',
          client_id: 'c',
          aud: url,
          iat: seconds,
          exp: seconds + 600,
          ...claims,
        },
      )
    const ask = async (bearer?: string) => {
      const statuses = new Set<number>()
      for (const [method, revision] of [
        ['initialize', '2025-11-25'],
        ['server/discover', '2026-07-28'],
      ] as const) {
        const params =
          method === 'initialize'
            ? { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'c', version: '1' } }
            : {}
        const response = await fetch(post(url, rpc(method, params, revision), bearer))
        await response.body?.cancel()
        statuses.add(response.status)
      }
      return [...statuses]
    }

    expect(await ask()).toEqual([401])
    expect(await ask(token({}))).toEqual([503])

    const asked: (string | undefined)[] = []
    const as = createServer((request, response) => {
      asked.push(request.url)
      const document = new Map<string | undefined, object>([
        [rfc8414, { issuer, jwks_uri: `${issuer}/jwks` }],
        ['/jwks', { keys: [jwk] }],
      ]).get(request.url)
      response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(document ?? {}))
    })
    as.listen(port, '127.0.0.1')
    await once(as, 'listening')
    onTestFinished(() => {
      as.close()
      as.closeAllConnections()
    })

    seconds += 1
    expect(await ask(token({}))).toEqual([200])
    expect(asked).toEqual([rfc8414, '/jwks'])
    expect(await ask()).toEqual([401])
    expect(await ask(token({ aud: 'https://other.example.com/mcp' }))).toEqual([401])
    expect(await ask(token({ aud: undefined }))).toEqual([401])
    expect(await ask(token({ iat: seconds - 1200, exp: seconds - 600 }))).toEqual([401])
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(await ask(token({}, stranger.privateKey))).toEqual([401])
    expect(await ask(token({ aud: [url, 'https://other.example.com'] }))).toEqual([200])
  })
})
