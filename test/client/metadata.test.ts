import { AuthError } from 'mcp-bearer'
import { afterEach, describe, expect, test } from 'vitest'
import { resourceMetadata } from '../../src/client/grants/resource-metadata.ts'
import { atRoot, pathInserted, resourceServer } from './authorization-servers.ts'
import { answer, closeServers, failure, listen } from './servers.ts'
import { authFailure, visible } from './token-sources.ts'

afterEach(closeServers)

const issuer = 'https://idp.example'

describe('E-31 where it is', () => {
  test('at the path-inserted place first, and then no other is asked', async () => {
    const server = await resourceServer((origin) => ({
      [pathInserted]: { resource: `${origin}/mcp`, authorization_servers: [issuer], scopes_supported: ['a'] },
    }))
    expect(await resourceMetadata(server.url)).toEqual({
      resource: server.url,
      authorizationServers: [issuer],
      scopes: ['a'],
    })
    expect(server.requests.map(({ url }) => url)).toEqual([pathInserted])
  })

  test('at the root of the origin after that, with nothing but what is public', async () => {
    const server = await resourceServer((origin) => ({ [atRoot]: { resource: origin } }))
    expect(await resourceMetadata(`${server.url}?key=secret-in-query`)).toEqual({
      resource: server.origin,
      authorizationServers: [],
      scopes: [],
    })
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${pathInserted}`,
      `GET ${atRoot}`,
    ])
  })

  test('a server at the root has one place', async () => {
    const server = await listen(answer(404))
    await authFailure(resourceMetadata(server.origin))
    expect(server.requests.map(({ url }) => url)).toEqual([atRoot])
  })

  test.each([
    ['a page', answer(200, { 'content-type': 'text/html' }, '<html>')],
    ['a redirect', answer(302, { location: 'http://127.0.0.1:1/' })],
    ['a list', answer(200, {}, [])],
    ['a refusal', answer(401)],
  ])('%s is no metadata, and the next place is asked', async (_name, other) => {
    const server = await resourceServer((origin) => ({
      [pathInserted]: other,
      [atRoot]: { resource: origin },
    }))
    expect((await resourceMetadata(server.url)).resource).toBe(server.origin)
  })

  test.each([500, 503, 429])('an answer %i is an error, and no further place is asked', async (status) => {
    const server = await listen(answer(status))
    expect((await authFailure(resourceMetadata(server.url))).message).toContain(String(status))
    expect(server.requests).toHaveLength(1)
  })

  test('a server that does not answer is given up after the time of the environment', async () => {
    const server = await listen(() => {})
    expect((await authFailure(resourceMetadata(server.url, { timeout: 50 }))).message).toContain('50 ms')
  })

  test('no metadata anywhere is an error that says so', async () => {
    const server = await listen(answer(404))
    const error = await authFailure(resourceMetadata(server.url))
    expect(error).toBeInstanceOf(AuthError)
    expect(error.server).toBe(server.origin)
    expect(error.message).toContain('RFC 9728')
  })
})

describe('E-30 whose it is', () => {
  const named = (resource: unknown, at: string = pathInserted) =>
    resourceServer((origin) => ({
      [at]: { resource: typeof resource === 'string' ? resource.replace('ORIGIN', origin) : resource },
    }))

  test.each(['ORIGIN/mcp', 'ORIGIN', 'ORIGIN/', 'ORIGIN/mcp/'])(
    '%s is that of a server at /mcp, and stays as it is',
    async (resource) => {
      const server = await named(resource)
      expect((await resourceMetadata(server.url)).resource).toBe(resource.replace('ORIGIN', server.origin))
    },
  )

  test.each([
    'https://other.example/mcp',
    'ORIGIN/other',
    'ORIGIN/mc',
    'ORIGIN/mcp/deeper',
    'ORIGIN/mcp?tenant=1',
    'ORIGIN/mcp#part',
    'ORIGIN.evil.example/mcp',
    'urn:mcp',
    'mcp',
    '',
    7,
    undefined,
  ])('%s is not, and the next place is not asked', async (resource) => {
    const server = await named(resource)
    await authFailure(resourceMetadata(server.url))
    expect(server.requests).toHaveLength(1)
  })

  test('a user name in it is not shown', async () => {
    const server = await named('http://user:secret-word@127.0.0.1/mcp')
    expect(visible(await authFailure(resourceMetadata(server.url)))).not.toContain('secret-word')
  })
})

test('what is no text in its lists is left out, and the lists are not endless', async () => {
  const server = await resourceServer((origin) => ({
    [pathInserted]: {
      resource: origin,
      authorization_servers: [1, issuer, null, ...Array.from({ length: 100 }, () => 'https://more.example')],
      scopes_supported: ['a', 'b c', '', 5],
    },
  }))
  const found = await resourceMetadata(server.url)
  expect(found.authorizationServers).toHaveLength(32)
  expect(found.authorizationServers[0]).toBe(issuer)
  expect(found.scopes).toEqual(['a'])
  expect(Object.isFrozen(found.scopes)).toBe(true)
})

test.each([
  ['http elsewhere', 'http://mcp.example/mcp'],
  ['a user name', 'https://user:pass@mcp.example/mcp'],
  ['no URL', 'mcp'],
])('a URL with %s is a TypeError', async (_name, url) => {
  expect(await failure(resourceMetadata(url))).toBeInstanceOf(TypeError)
})

test('E-29 a private address is not asked unless the environment says so', async () => {
  const asked: string[] = []
  const fetch = async (url: string | URL): Promise<Response> => {
    asked.push(String(url))
    return Response.json({ resource: 'https://10.0.0.1/mcp' })
  }
  const url = 'https://10.0.0.1/mcp'
  expect((await authFailure(resourceMetadata(url, { fetch }))).message).toContain('allowPrivateNetwork')
  expect(asked).toHaveLength(0)
  expect((await resourceMetadata(url, { fetch, allowPrivateNetwork: true })).resource).toBe(url)
})
