import { AuthError, authorizedFetch, type TokenSource } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answer, closeServers, failure, type Handler, listen } from './servers.ts'

afterEach(closeServers)

describe('403 insufficient_scope', () => {
  it('E-23 asks the source for the missing scopes, and sends the request once more', async () => {
    const server = await listen(needs('files-read', 'files-write'))
    const source = scoped()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    const response = await fetch(server.url, { method: 'POST', body: 'hello' })
    expect(await response.text()).toBe('welcome')
    expect(server.requests.map(({ body }) => body)).toEqual(['hello', 'hello'])
    expect(source.asked).toEqual([[], ['files-read', 'files-write']])
    expect(source.refused).not.toHaveBeenCalled()
  })

  it('E-23 asks for all scopes of the server so far, and keeps asking for them', async () => {
    const server = await listen((request, response, body) => {
      needs(request.url === '/mcp?write' ? 'write' : 'read')(request, response, body)
    })
    const source = scoped()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    await fetch(server.url)
    await fetch(`${server.url}?write`)
    await fetch(server.url)
    expect(source.asked).toEqual([[], ['read'], ['read'], ['read', 'write'], ['read', 'write']])
    expect(server.requests).toHaveLength(5)
  })

  it('E-23 reads the scopes of the body when there is no challenge', async () => {
    const server = await listen((request, response) => {
      if (request.headers.authorization === 'Bearer t.a.b') response.end('welcome')
      else answer(403, {}, { error: 'insufficient_scope', scope: 'a b' })(request, response, '')
    })
    const response = await authorizedFetch({ url: server.url, auth: scoped() })(server.url)
    expect(response.status).toBe(200)
  })

  it('E-23 a server that always refuses sees two requests, and the error names the scopes', async () => {
    const server = await listen(refuses('files-write'))
    const source = scoped()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    const error = await failure(fetch(server.url))
    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, scopes: ['files-write'] })
    expect((error as Error).message).toContain('files-write')
    expect(server.requests).toHaveLength(2)
    // The token had them already.
    await failure(fetch(server.url))
    expect(server.requests).toHaveLength(3)
    expect(source.asked).toEqual([[], ['files-write'], ['files-write']])
  })

  it('E-23 a server that names another scope each time sees two requests for each of ours, and 32 scopes at most', async () => {
    let named = 0
    const server = await listen((request, response, body) => {
      refuses(`scope-${++named}`)(request, response, body)
    })
    const source = scoped()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    await failure(fetch(server.url))
    expect(server.requests).toHaveLength(2)
    for (let more = 0; more < 40; more++) await failure(fetch(server.url))
    expect(Math.max(...source.asked.map(({ length }) => length))).toBe(32)
    const asked = source.asked.length
    await failure(fetch(server.url))
    expect(source.asked).toHaveLength(asked + 1)
  })

  it.each([
    ['too many', Array.from({ length: 33 }, (_, at) => `s${at}`).join(' ')],
    ['too long', `ok ${'x'.repeat(257)}`],
    ['none', ''],
  ])('E-23 asks for no scopes that are %s', async (_case, scope) => {
    const server = await listen(refuses(scope))
    const source = scoped()
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toMatchObject({ code: 'insufficient_scope' })
    expect(server.requests).toHaveLength(scope.startsWith('ok') ? 2 : 1)
    expect(source.asked.slice(1)).toEqual(scope.startsWith('ok') ? [['ok']] : [])
  })

  it('E-61 a server cannot make a scope of the token', async () => {
    const server = await listen(refuses('t.no-such-token-0123456789 ok'))
    const source = { ...scoped(), token: async () => 't.no-such-token-0123456789' }
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toMatchObject({ scopes: ['ok'] })
  })

  it('E-23 fifty requests that lack a scope ask for it once', async () => {
    const server = await listen(needs('write'))
    let refusals = 0
    let release: () => void = () => {}
    const allRefused = new Promise<void>((resolve) => {
      release = resolve
    })
    const counting = async (url: string | URL, init?: RequestInit) => {
      const response = await fetch(url, init)
      if (response.status === 403 && ++refusals === 50) release()
      return response
    }
    const asked: (readonly string[])[] = []
    let current = 't'
    const source: TokenSource = {
      refused: async () => {},
      async token({ scopes = [] }) {
        if (scopes.length > 0 && current === 't') {
          asked.push(scopes)
          await allRefused
          current = `t.${scopes.join('.')}`
        }
        return current
      },
    }
    const authorized = authorizedFetch({ url: server.url, auth: source, fetch: counting })
    const responses = await Promise.all(Array.from({ length: 50 }, () => authorized(server.url)))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect(asked).toEqual([['write']])
    expect(server.requests).toHaveLength(100)
  })

  it('E-24, E-72 stepUp: false makes it final at once', async () => {
    const server = await listen(refuses('files-write'))
    const source = scoped()
    const fetch = authorizedFetch({ url: server.url, auth: source, retry: { stepUp: false } })
    expect(await failure(fetch(server.url))).toMatchObject({ scopes: ['files-write'] })
    expect(server.requests).toHaveLength(1)
    expect(source.asked).toEqual([[]])
  })

  it('E-24 a static token is one request, and the error names the scopes', async () => {
    const server = await listen(refuses('files-write'))
    const error = await failure(authorizedFetch({ url: server.url, auth: 'static-token' })(server.url))
    expect(error).toMatchObject({ code: 'insufficient_scope', scopes: ['files-write'] })
    expect(server.requests).toHaveLength(1)
  })

  it('a source that is not asked twice hears of the scopes with the next request', async () => {
    const server = await listen(needs('write'))
    const asked: (readonly string[])[] = []
    const token = async ({ scopes = [] }: { scopes?: readonly string[] }) => {
      asked.push(scopes)
      return ['t', ...scopes].join('.')
    }
    const fetch = authorizedFetch({ url: server.url, auth: { token } as TokenSource })
    await failure(fetch(server.url))
    expect((await fetch(server.url)).status).toBe(200)
    expect(asked).toEqual([[], ['write']])
  })

  it('E-25 a 403 that does not lack a scope is final', async () => {
    const headers = { 'www-authenticate': 'Bearer error="access_denied", scope="admin"' }
    const server = await listen(answer(403, headers))
    const source = scoped()
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toMatchObject({ code: 'access_denied' })
    expect(server.requests).toHaveLength(1)
    expect(source.asked).toEqual([[]])
  })

  it('E-27 a body that is a stream is not sent twice', async () => {
    const server = await listen(refuses('write'))
    const source = scoped()
    const body = new Blob(['hello']).stream()
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url, init))
    expect(error).toMatchObject({ code: 'insufficient_scope' })
    expect(server.requests).toHaveLength(1)
    expect(source.asked).toEqual([[]])
  })

  it('a scope that cannot be had does not fail later requests', async () => {
    const server = await listen((request, response, body) => {
      if (request.url === '/mcp?write') refuses('write')(request, response, body)
      else response.end('welcome')
    })
    const refusal = new AuthError('token_unavailable', 'invalid_scope')
    const source: TokenSource = {
      refused: async () => {},
      token: async ({ scopes = [] }) => (scopes.length > 0 ? Promise.reject(refusal) : 't'),
    }
    const fetch = authorizedFetch({ url: server.url, auth: source })
    expect(await failure(fetch(`${server.url}?write`))).toBe(refusal)
    expect((await fetch(server.url)).status).toBe(200)
  })

  it('E-09 what one server asks for is not asked for another', async () => {
    const a = await listen(needs('a'))
    const b = await listen(needs('b'))
    const source = scoped()
    await authorizedFetch({ url: a.url, auth: source })(a.url)
    await authorizedFetch({ url: b.url, auth: source })(b.url)
    expect(source.asked).toEqual([[], ['a'], [], ['b']])
    expect(source.resources).toEqual([a.url, a.url, b.url, b.url])
  })
})

describe('what a source is told', () => {
  it('E-41 the server as a resource, whatever path the request goes to', async () => {
    const server = await listen(answer(200))
    const source = scoped()
    const fetch = authorizedFetch({ url: `${server.origin.toUpperCase()}/mcp?tenant=1`, auth: source })
    await fetch(`${server.origin}/other`)
    expect(source.resources).toEqual([`${server.origin}/mcp`])
  })

  it('E-55 a caller who gives up does not wait for the source, and the others get their token', async () => {
    const server = await listen(answer(200))
    let give: (token: string) => void = () => {}
    const shared = new Promise<string>((resolve) => {
      give = resolve
    })
    const seen: (AbortSignal | undefined)[] = []
    const source: TokenSource = {
      token({ signal }) {
        seen.push(signal)
        return shared
      },
    }
    const fetch = authorizedFetch({ url: server.url, auth: source })
    const one = new AbortController()
    const first = failure(fetch(server.url, { signal: one.signal }))
    const second = fetch(server.url)
    const reason = new Error('enough')
    one.abort(reason)
    expect(await first).toBe(reason)
    give('token-1')
    expect((await second).status).toBe(200)
    expect(seen).toEqual([one.signal, undefined])
    expect(server.authorizations).toEqual(['Bearer token-1'])
  })

  it('E-55 a caller who gives up during a renewal leaves it to the others', async () => {
    let current = 'token-1'
    const server = await listen((request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer token-2' ? 200 : 401).end()
    })
    let finish: () => void = () => {}
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    const refused = vi.fn(async () => {
      await work
      current = 'token-2'
    })
    const fetch = authorizedFetch({ url: server.url, auth: { token: async () => current, refused } })
    const one = new AbortController()
    const first = failure(fetch(server.url, { signal: one.signal }))
    const second = fetch(server.url)
    await vi.waitFor(() => expect(refused).toHaveBeenCalled())
    const reason = new Error('enough')
    one.abort(reason)
    expect(await first).toBe(reason)
    finish()
    expect((await second).status).toBe(200)
    expect(refused).toHaveBeenCalledTimes(1)
  })
})

/** Gives a token that names the scopes it was asked for. */
function scoped() {
  const asked: (readonly string[])[] = []
  const resources: (string | undefined)[] = []
  return {
    asked,
    resources,
    refused: vi.fn(async () => {}),
    token: async ({ scopes = [], resource }: Parameters<TokenSource['token']>[0]) => {
      asked.push(scopes)
      resources.push(resource)
      return ['t', ...scopes].join('.')
    },
  }
}

function needs(...scopes: string[]): Handler {
  return (request, response, body) => {
    const granted = request.headers.authorization?.split('.') ?? []
    if (scopes.every((scope) => granted.includes(scope))) response.end('welcome')
    else refuses(scopes.join(' '))(request, response, body)
  }
}

function refuses(scope: string): Handler {
  return answer(403, { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` })
}
