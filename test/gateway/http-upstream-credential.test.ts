import { fakeClock } from 'mcp-bearer/testing'
import { describe, expect, it } from 'vitest'
import { AccessToken, AuthError } from '../../src/core/index.ts'
import { identityAssertion } from '../../src/gateway/front/identity.ts'
import { exchangedCredential } from '../../src/gateway/http/upstream-credential.ts'
import { ECKeyPair } from '../../src/issuer/index.ts'
import { alice, bob } from './front-support.ts'
import { behind, call, fronted } from './http-upstream-support.ts'

const result = JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} })

/** A server that takes one token at a time. */
async function guarded(good: () => string) {
  return behind((request, response) => {
    const isGood = request.headers.authorization === `Bearer ${good()}`
    response.writeHead(isGood ? 200 : 401, {
      'content-type': 'application/json',
      ...(!isGood && { 'www-authenticate': 'Bearer error="invalid_token"' }),
    })
    response.end(isGood ? result : '{}')
  })
}

describe('the credential of the gateway', () => {
  it('is sent in place of that of the caller', async () => {
    const { url, heard } = await guarded(() => 'inner-1')
    const { post } = await fronted(url, { auth: 'inner-1' })
    expect((await post(call(1))).status).toBe(200)
    expect(heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer inner-1'])
  })

  it('is asked for before each request, so it can rotate', async () => {
    let token = 'inner-1'
    const { url, heard } = await guarded(() => token)
    const { post } = await fronted(url, { auth: { token: async () => token } })
    await post(call(1))
    token = 'inner-2'
    expect((await post(call(1))).status).toBe(200)
    expect(heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer inner-1', 'Bearer inner-2'])
  })

  it('that is refused is replaced, once for many requests, and each is sent once more', async () => {
    let token = 'inner-1'
    const refusals: string[] = []
    const { url, heard } = await guarded(() => 'inner-2')
    const source = {
      token: async () => token,
      async refused(old: string) {
        refusals.push(old)
        token = 'inner-2'
      },
    }
    const { post, log } = await fronted(url, { auth: source })
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(call(1))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(refusals).toEqual(['inner-1'])
    expect(heard.length).toBeLessThanOrEqual(10)
    expect(log).toEqual([])
  })

  it('that stays refused is a fault of the gateway, and no request is sent a third time', async () => {
    let given = 0
    const { url, heard } = await guarded(() => 'never')
    const { post, log } = await fronted(url, {
      auth: { token: async () => `inner-${++given}`, refused: async () => {} },
    })
    const answer = await post(call(1))
    expect(answer.status).toBe(502)
    // The caller must not take it for a word on its own token.
    expect(answer.headers.get('www-authenticate')).toBeNull()
    expect(heard).toHaveLength(2)
    expect(log.map(({ event }) => event)).toEqual(['upstream_refused'])
  })

  it('E-28 is not replaced after anything but 401', async () => {
    const { url, heard } = await behind((_request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{}')
    })
    const { post } = await fronted(url, { auth: { token: async () => 'inner', refused: async () => {} } })
    expect((await post(call(1))).status).toBe(500)
    expect(heard).toHaveLength(1)
  })

  it('that cannot be had is told to the operator, and nothing is sent', async () => {
    const { url, heard } = await guarded(() => 'inner')
    const secret = new AuthError('token_unavailable', 'No token: INNER_KEY is not set.')
    const { post, log } = await fronted(url, {
      auth: {
        token: async () => {
          throw secret
        },
      },
    })
    const answer = await post(call(1))
    expect(answer.status).toBe(502)
    expect(await answer.text()).not.toContain('INNER_KEY')
    expect(log[0]?.details?.reason).toBe('No token: INNER_KEY is not set.')
    expect(heard).toEqual([])
  })
})

describe('a server that knows one client, the gateway', () => {
  const list = { jsonrpc: '2.0', id: 1, method: 'tasks/list' }

  it.each([
    ['with its credential', { auth: 'inner-1' }],
    ['without one', {}],
  ])('is not asked for the tasks of everybody: %s', async (_name, options) => {
    const { url, heard } = await behind((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(result)
    })
    const { post } = await fronted(url, options)
    const answer = await post(list)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { jsonrpc: '2.0', id: 1, error: { code: -32601, message: expect.stringContaining('tasks') } },
    ])
    // As a notification nobody waits for it, and it is not passed on either.
    expect((await post({ jsonrpc: '2.0', method: 'tasks/list' })).status).toBe(202)
    expect(heard).toEqual([])
    expect((await post({ ...list, method: 'tasks/get', params: { taskId: 'mine' } })).status).toBe(200)
    expect(heard).toHaveLength(1)
  })

  it('and is told who calls may be asked for them', async () => {
    const { url, heard } = await behind((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(result)
    })
    const keyPair = await ECKeyPair.generate()
    const identity = identityAssertion({ keyPair, issuer: 'https://gateway.example', audience: 'inner' })
    const { post } = await fronted(url, { auth: 'inner-1' }, { identity })
    expect((await post(list)).status).toBe(200)
    expect(heard).toHaveLength(1)
  })
})

describe('a credential for each caller', () => {
  /** Exchanges tokens, and says for whom. */
  async function issuer() {
    const asked: URLSearchParams[] = []
    const server = await behind((_request, response, body) => {
      const form = new URLSearchParams(body)
      asked.push(form)
      const token = `for-${form.get('subject_token')?.split('-')[0]}`
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      response.end(
        JSON.stringify({
          access_token: token,
          token_type: 'Bearer',
          expires_in: 3600,
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        }),
      )
    })
    const { origin } = new URL(server.url)
    return { asked, issuer: origin, tokenEndpoint: `${origin}/token` }
  }

  it('RFC 8693 is exchanged once for the token of each, and sent for nobody else', async () => {
    const { asked, ...idp } = await issuer()
    const { url, heard } = await behind((request, response) => {
      if (request.method === 'GET') response.writeHead(404).end()
      else response.writeHead(200, { 'content-type': 'application/json' }).end(result)
    })
    const exchange = { ...idp, audience: 'inner', client: { id: 'gateway', secret: 'gateway-secret' } }
    const { post } = await fronted(url, { exchange })
    for (const token of [alice, bob, alice, bob]) expect((await post(call(1), {}, token)).status).toBe(200)
    const posts = heard.filter(({ method }) => method === 'POST')
    expect(posts.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer for-alice',
      'Bearer for-bob',
      'Bearer for-alice',
      'Bearer for-bob',
    ])
    expect(asked.map((form) => form.get('subject_token'))).toEqual([alice, bob])
    expect(asked[0]?.get('audience')).toBe('inner')
    expect(JSON.stringify(heard)).not.toContain(alice)
  })

  it('a caller who leaves while it is exchanged has nothing sent any more', async () => {
    let give = () => {}
    let isAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve
    })
    const idp = await behind((_request, response) => {
      give = () => {
        response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        response.end(JSON.stringify(exchanged))
      }
      isAsked()
    })
    const { url, heard } = await behind((request, response) => {
      response.writeHead(request.method === 'POST' ? 200 : 404, { 'content-type': 'application/json' })
      response.end(result)
    })
    const { origin } = new URL(idp.url)
    const { url: own, post } = await fronted(url, {
      exchange: { issuer: origin, tokenEndpoint: `${origin}/token` },
    })
    const leaving = new AbortController()
    const left = fetch(own, {
      method: 'POST',
      signal: leaving.signal,
      headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' },
      body: JSON.stringify(call(1, 'left')),
    })
    left.catch(() => {})
    await asked
    leaving.abort()
    await left.catch(() => {})
    give()
    expect((await post(call(2, 'stayed'))).status).toBe(200)
    expect(heard.filter(({ body }) => body.includes('left'))).toEqual([])
  })

  const exchanged = {
    access_token: 'inner',
    token_type: 'Bearer',
    expires_in: 3600,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  }

  const parts = (clock = fakeClock()) => {
    let sweep = () => {}
    let isScheduled = false
    const schedule = (run: () => void) => {
      sweep = run
      isScheduled = true
      return () => {
        isScheduled = false
      }
    }
    const url = new URL('https://mcp.example.com/mcp')
    const server = { url, name: url.origin, label: url.origin }
    const credential = exchangedCredential(
      { issuer: 'https://id.example', tokenEndpoint: 'https://id.example/token' },
      { server, clock, logger: () => {}, schedule },
    )
    return { credential, clock, sweep: () => sweep(), isScheduled: () => isScheduled }
  }
  const caller = (token: string, expiresAt?: number) =>
    new AccessToken({ token, ...(expiresAt !== undefined && { expiresAt }) })

  it('is remembered while the token of the caller is good, an hour for one that does not end', () => {
    const { credential, clock, sweep, isScheduled } = parts()
    const soon = caller('soon', clock() / 1000 + 60)
    const first = credential.keeperFor(soon)
    const open = credential.keeperFor(caller('open'))
    expect(credential.keeperFor(caller('soon', clock() / 1000 + 60))).toBe(first)
    expect(credential.keeperFor(caller('other'))).not.toBe(first)
    clock.advance(60_000)
    expect(credential.keeperFor(soon)).not.toBe(first)
    expect(credential.keeperFor(caller('open'))).toBe(open)
    clock.advance(3_600_000)
    expect(isScheduled()).toBe(true)
    // Nobody asks, and still they are forgotten.
    sweep()
    expect(isScheduled()).toBe(false)
  })

  it('is remembered for a thousand callers; who was not heard from for longest is forgotten', () => {
    const { credential } = parts()
    const first = credential.keeperFor(caller('caller-0'))
    const second = credential.keeperFor(caller('caller-1'))
    for (let at = 2; at < 1000; at++) credential.keeperFor(caller(`caller-${at}`))
    expect(credential.keeperFor(caller('caller-0'))).toBe(first)
    credential.keeperFor(caller('caller-1000'))
    expect(credential.keeperFor(caller('caller-0'))).toBe(first)
    expect(credential.keeperFor(caller('caller-1'))).not.toBe(second)
  })

  it('is forgotten with the gateway', () => {
    const { credential, isScheduled } = parts()
    credential.keeperFor(caller('one'))
    credential.close()
    expect(isScheduled()).toBe(false)
  })
})

describe('a question of the gateway’s own', () => {
  const listing = {
    jsonrpc: '2.0',
    id: 1,
    result: { tools: [{ name: 'echo', annotations: { readOnlyHint: true } }] },
  }
  /** Lets a tool pass that the list says is read-only. */
  const policy = {
    async judge(
      message: { params?: { name?: unknown } },
      _caller: unknown,
      toolNamed: (name: string) => Promise<unknown>,
    ) {
      const tool = await toolNamed(String(message.params?.name))
      return tool === undefined ? ({ kind: 'access_denied' } as const) : ({ kind: 'pass' } as const)
    },
    review: () => undefined,
  }

  it.each(['json', 'stream'] as const)(
    'is asked with the credential, and its answer found (%s)',
    async (kind) => {
      const { url, heard } = await behind((_request, response, body) => {
        const { id, method } = JSON.parse(body) as { id: unknown; method: string }
        const text = JSON.stringify({ ...listing, id, ...(method === 'tools/call' && { result: {} }) })
        const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
        const isStream = kind === 'stream' && method === 'tools/list'
        response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
        // A stream that stays open when all is said.
        if (isStream) response.write(`data: ${note}\n\ndata: ${text}\n\n`)
        else response.end(text)
      })
      const { post } = await fronted(url, { auth: 'inner' }, { policy: policy as never })
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        progressToken: 7,
      }
      const message = { ...call(1), params: { name: 'echo', arguments: {}, _meta } }
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'echo',
      }
      expect((await post(message, headers)).status).toBe(200)
      const [asked] = heard
      const { method, id, params } = JSON.parse(asked!.body) as {
        method: string
        id: string
        params: unknown
      }
      expect(method).toBe('tools/list')
      expect(id).toMatch(/^gateway-[\w-]{12}-1$/)
      const { progressToken: _, ...envelope } = _meta
      expect(params).toEqual({ _meta: envelope })
      expect(asked!.headers).toMatchObject({
        authorization: 'Bearer inner',
        accept: 'application/json, text/event-stream',
        'mcp-method': 'tools/list',
        'mcp-protocol-version': '2026-07-28',
      })
    },
  )

  it.each([
    ['an error', () => ({ jsonrpc: '2.0', error: { code: -1, message: 'no' } })],
    ['the answer to something else', () => ({ jsonrpc: '2.0', id: 'other', result: { tools: [] } })],
    ['no message', () => [1]],
  ])('that is answered with %s lets nothing through', async (_name, answer) => {
    const { url, heard } = await behind((_request, response, body) => {
      const { id } = JSON.parse(body) as { id: unknown }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ id, ...answer() }))
    })
    const { post } = await fronted(url, {}, { policy: policy as never })
    expect((await post(call(1))).status).toBe(502)
    expect(heard.length).toBeGreaterThan(0)
    expect(heard.filter(({ body }) => body.includes('tools/call'))).toEqual([])
  })
})
