import { AuthError, authorizedFetch, type TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { awaitsChallenge } from '../../src/client/token-source.ts'
import { answer, closeServers, failure, type Handler, listen } from './servers.ts'

afterEach(closeServers)

const token = 'opaque/fixture+0123456789=='
const named = (description: string, status = 401): Handler =>
  answer(status, {
    'www-authenticate': `Bearer error="invalid_token", error_description="${description}"`,
  })

describe('FL-87 what a refusal says', () => {
  it('holds the words of the challenge', async () => {
    const server = await listen(named('The key was revoked.'))
    const error = await failure(authorizedFetch({ url: server.url, auth: token })(server.url))
    expect(error).toMatchObject({
      code: 'invalid_token',
      status: 401,
      error: 'invalid_token',
      errorDescription: 'The key was revoked.',
      server: server.origin,
    })
    expect((error as Error).message).toBe(
      `${server.origin} refused the credential: The key was revoked. Get a new one.`,
    )
  })

  it('names the credential when the source has a name', async () => {
    const server = await listen(named('The key was revoked'))
    const auth = { name: 'MCP_API_KEY', token: async () => token }
    const fetch = authorizedFetch({ url: server.url, auth, serverName: 'files' })
    expect(((await failure(fetch(server.url))) as Error).message).toBe(
      `MCP_API_KEY is set but files (${server.origin}) does not accept it: The key was revoked. Get a new one.`,
    )
  })

  it.each([401, 403, 429])('holds the words of a JSON body of a %i', async (status) => {
    const body = { error: 'token_revoked', error_description: 'gone' }
    const server = await listen(answer(status, {}, body))
    expect(await failure(authorizedFetch({ url: server.url, auth: token })(server.url))).toMatchObject({
      status,
      error: 'token_revoked',
      errorDescription: 'gone',
    })
  })

  it.each([
    ['too long for a message', 'x'.repeat(201)],
    ['with characters of terminals', 'caf\u00E9'],
    ['none', ''],
  ])('uses our own words for a reason that is %s', async (_case, description) => {
    const server = await listen(named(description))
    const error = await failure(authorizedFetch({ url: server.url, auth: token })(server.url))
    expect((error as Error).message).toBe(
      `${server.origin} refused the credential: it is invalid, expired, or meant for another server. Get a new one.`,
    )
  })

  it('bounds what it holds', async () => {
    const body = { error: 'x'.repeat(101), error_description: 'y'.repeat(5_000) }
    const server = await listen(answer(403, {}, body))
    const error = (await failure(authorizedFetch({ url: server.url, auth: token })(server.url))) as AuthError
    expect(error.error).toBeUndefined()
    expect(error.errorDescription).toHaveLength(1_000)
  })

  it('does not wait for a JSON body of a 401 for ever', async () => {
    const server = await listen((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' }).write('{"error":')
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const answered = vi.fn(globalThis.fetch)
      const fetch = authorizedFetch({ url: server.url, auth: token, fetch: answered })
      const work = failure(fetch(server.url))
      await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0))
      await vi.advanceTimersByTimeAsync(1_000)
      expect(await work).toMatchObject({ code: 'invalid_token' })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('E-61 a server that repeats the credential', () => {
  const forms: [string, (secret: string) => string][] = [
    ['as it is', (secret) => secret],
    ['percent-encoded', encodeURIComponent],
    ['in base64', (secret) => Buffer.from(secret).toString('base64')],
    ['with its header in base64', (secret) => Buffer.from(`Bearer ${secret}`).toString('base64')],
    ['cut short', (secret) => secret.slice(0, 16)],
  ]
  it.each(forms)('%s finds it nowhere in an error that is passed on', async (_case, write) => {
    const written = write(token)
    const server = await listen((_request, response) => {
      response.writeHead(500, `Broken ${written}`, {
        'set-cookie': [`a=${written}`, 'b=2'],
        'x-debug': written,
        'x-other': 'kept',
      })
      response.end(JSON.stringify({ seen: written }))
    })
    const response = await authorizedFetch({ url: server.url, auth: token })(server.url)
    const text = `${response.statusText} ${JSON.stringify([...response.headers])} ${await response.text()}`
    expect(response.status).toBe(500)
    expect(text).toContain('[redacted]')
    expect(text).not.toContain(written)
    expect(response.headers.get('x-other')).toBe('kept')
  })

  it.each(forms)('%s finds it nowhere in an AuthError', async (_case, write) => {
    const written = write(token)
    const challenge = `Bearer realm="${written}", error="${written}", error_description="no ${written}", scope="${written} ok", resource_metadata="https://x.example/${written}"`
    for (const [status, body] of [
      [401, undefined],
      [403, { error: 'insufficient_scope', error_description: written, scope: written }],
    ] as const) {
      const server = await listen(answer(status, { 'www-authenticate': challenge }, body))
      const error = await failure(authorizedFetch({ url: server.url, auth: token })(server.url))
      expect(error).toBeInstanceOf(AuthError)
      expect(JSON.stringify([error, (error as Error).message])).not.toContain(written)
    }
  })

  it.each([
    ['as it is', `/login/${token}`],
    ['percent-encoded', `/login?t=${encodeURIComponent(token)}`],
  ])('E-02 in a redirect, %s: does not put it into a URL', async (_case, location) => {
    const server = await listen(answer(307, { location }))
    const error = await failure(authorizedFetch({ url: server.url, auth: token })(server.url))
    expect((error as Error).message).toContain('a redirect that repeats the credential')
    expect((error as Error).message).not.toContain(token)
    expect(server.requests).toHaveLength(1)
  })

  it('takes out a key that a single request brought', async () => {
    const server = await listen(answer(500, {}, { seen: 'key-of-one-request' }))
    const headers = { 'x-api-key': 'key-of-one-request' }
    const response = await authorizedFetch({ url: server.url })(server.url, { headers })
    expect(await response.text()).toBe('{"seen":"[redacted]"}')
  })
})

describe('a source that waits for a challenge', () => {
  it('E-26 begins without a token, and signs in when the server asks for it', async () => {
    const challenge = 'Bearer resource_metadata="https://mcp.example.com/meta", scope="files"'
    const server = await listen((request, response, body) => {
      if (request.headers.authorization === 'Bearer token-1') response.end('welcome')
      else answer(401, { 'www-authenticate': challenge })(request, response, body)
    })
    let current = ''
    const refused = vi.fn(async () => {
      current = 'token-1'
    })
    const auth = { [awaitsChallenge]: true as const, token: async () => current, refused }
    const fetch = authorizedFetch({ url: server.url, auth })
    expect(await (await fetch(server.url)).text()).toBe('welcome')
    expect(server.authorizations).toEqual([undefined, 'Bearer token-1'])
    expect(refused.mock.calls).toEqual([
      ['', { scopes: ['files'], resourceMetadata: 'https://mcp.example.com/meta' }],
    ])
  })

  it('needs no token for a server that asks for none', async () => {
    const server = await listen(answer(200))
    const refused = vi.fn(async () => {})
    const auth = { [awaitsChallenge]: true as const, token: async () => '', refused }
    expect((await authorizedFetch({ url: server.url, auth })(server.url)).status).toBe(200)
    expect(refused).not.toHaveBeenCalled()
  })

  it('that signs in for nothing is unauthorized after one request', async () => {
    const server = await listen(answer(401))
    const auth = { [awaitsChallenge]: true as const, token: async () => '', refused: async () => {} }
    expect(await failure(authorizedFetch({ url: server.url, auth })(server.url))).toMatchObject({
      code: 'unauthorized',
    })
    expect(server.requests).toHaveLength(1)
  })

  it('of anybody else no token is a mistake', async () => {
    const server = await listen(answer(200))
    const auth: TokenSource = { token: async () => '', refused: async () => {} }
    expect(await failure(authorizedFetch({ url: server.url, auth })(server.url))).toMatchObject({
      code: 'token_unavailable',
    })
    expect(server.requests).toEqual([])
  })
})
