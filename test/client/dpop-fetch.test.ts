import { AuthError, authorizedFetch } from 'mcp-bearer/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answer, closeServers, failure, type Handler, listen } from './servers.ts'

afterEach(closeServers)

const token = 'bound-token-0123456789'

describe('a token that is bound to a key', () => {
  it('F-40 goes out under the scheme DPoP, each request with a proof of its own', async () => {
    const server = await listen(answer(200))
    const fetch = authorizedFetch({ url: server.url, auth: bound() })
    await fetch(`${server.url}?page=2`, { method: 'post', body: 'hello' })
    await fetch(server.url)
    expect(server.authorizations).toEqual([`DPoP ${token}`, `DPoP ${token}`])
    expect(proofs(server)).toEqual([
      { n: 1, method: 'POST', url: `${server.url}?page=2`, token, nonce: '' },
      { n: 2, method: 'GET', url: server.url, token, nonce: '' },
    ])
  })

  it('F-41 a nonce the server demands is used at once, and from then on', async () => {
    const server = await listen(demands('nonce-1'))
    const source = bound()
    const fetch = authorizedFetch({ url: server.url, auth: source })
    const response = await fetch(server.url, { method: 'POST', body: 'hello' })
    expect(response.status).toBe(200)
    await fetch(server.url)
    expect(proofs(server).map(({ nonce }) => nonce)).toEqual(['', 'nonce-1', 'nonce-1'])
    expect(server.requests.map(({ body }) => body)).toEqual(['hello', 'hello', ''])
    expect(source.refused).not.toHaveBeenCalled()
  })

  it('F-41 a server that always demands another nonce sees two requests', async () => {
    let count = 0
    const server = await listen((request, response, body) => {
      demands(`nonce-${++count}`)(request, response, body)
    })
    const source = bound()
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ code: 'invalid_token', status: 401, error: 'use_dpop_nonce' })
    expect(server.requests).toHaveLength(2)
    expect(source.refused).not.toHaveBeenCalled()
  })

  it('F-41 a server that demands a nonce and gives none sees one request', async () => {
    const server = await listen(answer(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"' }))
    expect(await failure(authorizedFetch({ url: server.url, auth: bound() })(server.url))).toMatchObject({
      challenge: { error: 'use_dpop_nonce' },
    })
    expect(server.requests).toHaveLength(1)
  })

  it('F-41 a nonce and a renewal are one attempt each', async () => {
    const server = await listen((request, response, body) => {
      if (request.headers.authorization === 'DPoP token-2') demands('nonce-1')(request, response, body)
      else answer(401, { 'www-authenticate': 'DPoP error="invalid_token"' })(request, response, body)
    })
    const source = bound()
    let current = 'token-1'
    source.token = async () => current
    source.refused.mockImplementation(async () => {
      current = 'token-2'
    })
    expect((await authorizedFetch({ url: server.url, auth: source })(server.url)).status).toBe(200)
    expect(server.authorizations).toEqual(['DPoP token-1', 'DPoP token-2', 'DPoP token-2'])
    expect(source.refused.mock.calls).toMatchObject([['token-1', { error: 'invalid_token' }]])
  })

  it('F-41 takes the nonce of every answer', async () => {
    const server = await listen(answer(200, { 'dpop-nonce': 'nonce-7' }))
    const fetch = authorizedFetch({ url: server.url, auth: bound() })
    await fetch(server.url)
    await fetch(server.url)
    expect(proofs(server).map(({ nonce }) => nonce)).toEqual(['', 'nonce-7'])
  })

  it('F-41 a body that is a stream is not sent twice', async () => {
    const server = await listen(demands('nonce-1'))
    const body = new Blob(['hello']).stream()
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    await failure(authorizedFetch({ url: server.url, auth: bound() })(server.url, init))
    expect(server.requests).toHaveLength(1)
  })

  it('E-05 a redirect within the origin gets a new proof for the new URL', async () => {
    const server = await listen((request, response) => {
      if (request.url === '/mcp') response.writeHead(307, { location: '/new' }).end()
      else response.end('arrived')
    })
    await authorizedFetch({ url: server.url, auth: bound() })(server.url, { method: 'POST', body: 'x' })
    expect(proofs(server)).toMatchObject([
      { n: 1, method: 'POST', url: server.url },
      { n: 2, method: 'POST', url: `${server.origin}/new` },
    ])
  })

  it.each([301, 302, 303, 307, 308])('F-44 no proof follows a %i to another origin', async (status) => {
    const other = await listen(answer(200))
    const server = await listen(answer(status, { location: other.url }))
    const error = await failure(authorizedFetch({ url: server.url, auth: bound() })(server.url))
    expect(error).toMatchObject({ code: 'origin_mismatch' })
    expect(other.requests).toEqual([])
  })

  it('RFC 9449 section 7.1 reads a challenge under either scheme', async () => {
    const both = 'Bearer error="insufficient_scope", scope="a", DPoP algs="ES256"'
    const server = await listen(answer(403, { 'www-authenticate': both }))
    const fetch = authorizedFetch({ url: server.url, auth: bound(), retry: { stepUp: false } })
    expect(await failure(fetch(server.url))).toMatchObject({ code: 'insufficient_scope', scopes: ['a'] })
    const plain = await listen(
      answer(401, { 'www-authenticate': 'DPoP error="invalid_token", error_description="bound"' }),
    )
    expect(await failure(authorizedFetch({ url: plain.url, auth: token })(plain.url))).toMatchObject({
      error: 'invalid_token',
      errorDescription: 'bound',
    })
  })

  it('a prover that fails is a token_unavailable, and no request', async () => {
    const server = await listen(answer(200))
    const cause = new Error('no key')
    const source = bound()
    source.dpop.proof = async () => Promise.reject(cause)
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    expect(error).toMatchObject({ code: 'token_unavailable', cause })
    expect(server.requests).toEqual([])
  })

  it.each(['dpop', 'DPoP'])('refuses the header %s beside it', (name) => {
    const options = { url: 'https://mcp.example.com/mcp', auth: bound(), headers: { [name]: 'x' } }
    expect(() => authorizedFetch(options)).toThrow(TypeError)
    expect(() => authorizedFetch(options)).toThrow(`the header ${name}`)
  })

  it('E-61 neither token nor proof is in an error', async () => {
    const server = await listen((request, response) => {
      const { authorization, dpop } = request.headers
      response.writeHead(403, {
        'www-authenticate': `DPoP error="invalid_token", error_description="${authorization} and ${dpop}"`,
      })
      response.end()
    })
    const source = bound()
    // It must not be found by its looks alone.
    source.dpop.proof = async () => 'proof-0123456789'
    const error = await failure(authorizedFetch({ url: server.url, auth: source })(server.url))
    const text = JSON.stringify([error, (error as Error).message])
    expect(text).toContain('[redacted]')
    expect(text).not.toContain(token)
    expect(text).not.toContain('proof-0123456789')
  })
})

/** A source whose prover writes down what it proves. */
function bound() {
  let n = 0
  let nonce = ''
  const dpop = {
    async proof({ method, url, token }: { method: string; url: URL; token?: string }) {
      const claims = { n: ++n, method, url: url.href, token, nonce }
      return Buffer.from(JSON.stringify(claims)).toString('base64url')
    },
    observe(_url: URL, headers: Headers): boolean {
      const given = headers.get('dpop-nonce')
      if (given === null || given === nonce) return false
      nonce = given
      return true
    },
  }
  return { token: async () => token, refused: vi.fn(async () => {}), dpop }
}

interface Claims {
  readonly nonce: string
}

function proofs({ requests }: { requests: readonly { headers: NodeJS.Dict<unknown> }[] }): Claims[] {
  return requests.map(({ headers }) => JSON.parse(Buffer.from(String(headers.dpop), 'base64url').toString()))
}

function demands(nonce: string): Handler {
  return (request, response) => {
    const proof = Buffer.from(String(request.headers.dpop), 'base64url').toString()
    if ((JSON.parse(proof) as Claims).nonce === nonce) response.end('welcome')
    else {
      response.writeHead(401, {
        'www-authenticate': 'Bearer realm="mcp", DPoP error="use_dpop_nonce"',
        'dpop-nonce': nonce,
      })
      response.end()
    }
  }
}
