import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, describe, expect, test } from 'vitest'
import { clientCredentials } from '../../src/client/sources/client-credentials.ts'
import { atRoot, fakeIssuer, pathInserted, refuses, resourceServer, tokens } from './authorization-servers.ts'
import { answer, closeServers, listen } from './servers.ts'
import { authFailure, replaced, silence, stillWorld, visible } from './token-sources.ts'

afterEach(closeServers)

const secret = 'a:b%+ é-secret'
const client = { id: 'my agent', secret }

describe('what is asked', () => {
  test('F-01 E-40 E-44 client_credentials with resource and scope, and Basic with id and secret form-encoded', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const source = clientCredentials(
      { issuer: as.issuer, client, scopes: ['a', 'b'] },
      stillWorld().environment,
    )
    expect(await source.token({ url })).toBe('token-1')
    const [form] = as.forms
    expect(form?.fields).toEqual({ grant_type: 'client_credentials', scope: 'a b', resource: url })
    const basic = `my+agent:${encodeURIComponent(secret).replaceAll('%20', '+')}`
    expect(form?.headers.authorization).toBe(`Basic ${btoa(basic)}`)
    expect(form?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    })
  })

  test('E-41 the resource is the URL in canonical form when the server calls itself nothing', async () => {
    const as = await fakeIssuer()
    const server = await listen(answer(404))
    const source = clientCredentials({ issuer: as.issuer, client })
    await source.token({ url: `${server.origin.toUpperCase()}/?a=b` })
    expect(as.forms[0]?.fields.resource).toBe(server.origin)
  })

  test('E-40 the option resource goes before what the server calls itself, and that before the URL', async () => {
    const as = await fakeIssuer()
    const server = await resourceServer((origin) => ({
      [atRoot]: { resource: `${origin}/`, authorization_servers: [as.issuer] },
    }))
    const options = { issuer: as.issuer, client }
    await clientCredentials(options).token({ url: server.url })
    await clientCredentials({ ...options, resource: 'urn:my:server' }).token({ url: server.url })
    expect(as.forms.map(({ fields }) => fields.resource)).toEqual([`${server.origin}/`, 'urn:my:server'])
  })

  test.each([
    ['client_secret_post alone', ['client_secret_post'], 'post'],
    ['both', ['client_secret_post', 'client_secret_basic'], 'basic'],
    ['nothing', undefined, 'basic'],
  ])('E-44, F-03 with %s in the metadata the secret goes by %s', async (_name, methods, how) => {
    const metadata = () => ({ token_endpoint_auth_methods_supported: methods })
    const as = await fakeIssuer({ metadata })
    const { url } = await listen(answer(404))
    await clientCredentials({ issuer: as.issuer, client }).token({ url })
    const [form] = as.forms
    expect(form?.headers.authorization === undefined).toBe(how === 'post')
    expect(form?.fields.client_secret).toBe(how === 'post' ? secret : undefined)
  })

  test.each([
    [
      'the method',
      { token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] },
      'client_secret_basic',
    ],
    ['the grant', { grant_types_supported: ['authorization_code'] }, 'client_credentials'],
  ])('F-04 %s is not listed: an error that says so, and no request', async (_name, metadata, word) => {
    const as = await fakeIssuer({ metadata: () => metadata })
    const { url } = await listen(answer(404))
    const error = await authFailure(clientCredentials({ issuer: as.issuer, client }).token({ url }))
    expect(error.message).toContain(word)
    expect(as.forms).toHaveLength(0)
  })

  test('F-02 E-45 private_key_jwt: iss and sub are the client, aud is the issuer, and each request has a new jti', async () => {
    const metadata = () => ({ token_endpoint_auth_methods_supported: ['private_key_jwt'] })
    const as = await fakeIssuer({ metadata })
    const { url } = await listen(answer(404))
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const world = stillWorld()
    const source = clientCredentials(
      { issuer: as.issuer, client: { id: 'agent', privateKey, kid: 'k1' } },
      world.environment,
    )
    await replaced(source, url)
    const assertions = as.forms.map(({ fields }) => fields.client_assertion ?? '')
    const [claims, other] = assertions.map((jwt) => decodeJwt(jwt))
    expect(decodeProtectedHeader(assertions[0] ?? '')).toMatchObject({ alg: 'ES256', kid: 'k1' })
    expect(claims).toMatchObject({ iss: 'agent', sub: 'agent', aud: as.issuer, iat: world.now / 1000 })
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBeLessThanOrEqual(300)
    expect(claims?.jti).not.toBe(other?.jti)
    expect(as.forms[0]?.headers.authorization).toBeUndefined()
  })

  test('E-26 scopes: those of the challenge, else those the server lists, else none', async () => {
    const as = await fakeIssuer()
    const server = await resourceServer((origin) => ({
      [pathInserted]: {
        resource: `${origin}/mcp`,
        authorization_servers: [as.issuer],
        scopes_supported: ['x', 'y'],
      },
    }))
    const options = { issuer: as.issuer, client }
    await clientCredentials(options).token({ url: server.url })
    await clientCredentials(options).token({ url: server.url, scopes: ['z'] })
    await clientCredentials({ ...options, scopes: ['own'] }).token({ url: server.url })
    await clientCredentials(options).token({ url: (await listen(answer(404))).url })
    expect(as.forms.map(({ fields }) => fields.scope)).toEqual(['x y', 'z', 'own', undefined])
  })
})

describe('whom the credentials go to', () => {
  test('E-51 a server that lists another issuer only: an error that names both, and no request at all', async () => {
    const as = await fakeIssuer()
    const thief = await fakeIssuer()
    const server = await resourceServer((origin) => ({
      [pathInserted]: { resource: `${origin}/mcp`, authorization_servers: [thief.issuer] },
    }))
    const error = await authFailure(
      clientCredentials({ issuer: as.issuer, client }).token({ url: server.url }),
    )
    expect(error.message).toContain(thief.issuer)
    expect(error.message).toContain(as.issuer)
    expect(error.server).toBe(server.origin)
    expect([...as.forms, ...thief.server.requests]).toHaveLength(0)
  })

  test('E-30 metadata of another server: an error, and no request for a token', async () => {
    const as = await fakeIssuer()
    const server = await resourceServer(() => ({
      [pathInserted]: { resource: 'https://other.example/mcp', authorization_servers: [as.issuer] },
    }))
    const error = await authFailure(
      clientCredentials({ issuer: as.issuer, client }).token({ url: server.url }),
    )
    expect(error.message).toContain('https://other.example/mcp')
    expect(as.forms).toHaveLength(0)
  })

  test('E-51 a list without any issuer is not ours either', async () => {
    const as = await fakeIssuer()
    const server = await resourceServer((origin) => ({ [pathInserted]: { resource: `${origin}/mcp` } }))
    await authFailure(clientCredentials({ issuer: as.issuer, client }).token({ url: server.url }))
    expect(as.forms).toHaveLength(0)
  })

  test('E-51 one of several, and with the slash some put after an origin, is ours', async () => {
    const as = await fakeIssuer()
    const server = await resourceServer((origin) => ({
      [pathInserted]: {
        resource: `${origin}/mcp`,
        authorization_servers: ['https://other.example', `${as.issuer}/`],
      },
    }))
    expect(await clientCredentials({ issuer: as.issuer, client }).token({ url: server.url })).toBe('token-1')
  })

  test('E-50 a server that goes over to another issuer gets no further token of the old one, and the new one no secret', async () => {
    const as = await fakeIssuer()
    const next = await fakeIssuer()
    let listed = as.issuer
    const server = await resourceServer((origin) => ({
      [pathInserted]: { resource: `${origin}/mcp`, authorization_servers: [listed] },
    }))
    const source = clientCredentials({ issuer: as.issuer, client })
    const token = await source.token({ url: server.url })
    listed = next.issuer
    await source.refused?.(token, silence)
    await authFailure(source.token({ url: server.url }))
    expect(as.forms).toHaveLength(1)
    expect(next.server.requests).toHaveLength(0)
  })

  test.each([500, 503, 429])(
    'an answer %i for the metadata of the server does not hold up the token',
    async (status) => {
      const as = await fakeIssuer()
      const server = await listen(answer(status))
      expect(await clientCredentials({ issuer: as.issuer, client }).token({ url: server.url })).toBe(
        'token-1',
      )
    },
  )

  test('E-29 resource_metadata of a challenge is asked first when it is of the server, and never elsewhere', async () => {
    const as = await fakeIssuer()
    const elsewhere = await listen(answer(404))
    const server = await resourceServer((origin) => ({
      '/meta': { resource: `${origin}/mcp`, authorization_servers: [as.issuer] },
    }))
    const world = stillWorld()
    const source = clientCredentials({ issuer: as.issuer, client }, world.environment)
    await replaced(source, server.url, { scopes: [], resourceMetadata: `${elsewhere.origin}/meta` })
    expect(elsewhere.requests).toHaveLength(0)
    expect(world.lines.join()).toContain('resource_metadata_ignored')
    const before = server.requests.length
    await replaced(source, server.url, { scopes: [], resourceMetadata: `${server.origin}/meta` })
    expect(server.requests.slice(before).map(({ url }) => url)).toEqual(['/meta'])
    expect(server.authorizations.every((value) => value === undefined)).toBe(true)
  })

  test('E-42 metadata that names another issuer: an error, and no request for a token', async () => {
    const as = await fakeIssuer({ metadata: () => ({ issuer: 'https://thief.example' }) })
    const { url } = await listen(answer(404))
    const error = await authFailure(clientCredentials({ issuer: as.issuer, client }).token({ url }))
    expect(error.message).toContain('https://thief.example')
    expect(as.forms).toHaveLength(0)
  })

  test.each([
    ['OAuth, path inserted', '/.well-known/oauth-authorization-server/tenant'],
    ['OpenID, path inserted', '/.well-known/openid-configuration/tenant'],
    ['OpenID, path appended', '/tenant/.well-known/openid-configuration'],
  ])('E-42 metadata is found at %s', async (_name, at) => {
    const as = await fakeIssuer({ path: '/tenant', at })
    const { url } = await listen(answer(404))
    expect(await clientCredentials({ issuer: as.issuer, client }).token({ url })).toBe('token-1')
  })

  test('E-43 a token endpoint in a private network that the metadata names is not asked', async () => {
    const as = await fakeIssuer({ metadata: () => ({ token_endpoint: 'https://10.0.0.1/token' }) })
    const { url } = await listen(answer(404))
    const error = await authFailure(clientCredentials({ issuer: as.issuer, client }).token({ url }))
    expect(error.message).toContain('tokenEndpoint')
  })

  test('a token endpoint that is given is used without metadata', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const source = clientCredentials({
      issuer: 'https://idp.example',
      tokenEndpoint: as.tokenEndpoint,
      client,
    })
    expect(await source.token({ url })).toBe('token-1')
    expect(as.server.requests).toHaveLength(1)
  })
})

describe('how long a token is used', () => {
  test('E-09 one source at two servers has two tokens, each for its own resource', async () => {
    const as = await fakeIssuer()
    const servers = [await listen(answer(404)), await listen(answer(404))]
    const source = clientCredentials({ issuer: as.issuer, client })
    const given = await Promise.all(servers.map(({ url }) => source.token({ url })))
    expect(new Set(given).size).toBe(2)
    expect(as.forms.map(({ fields }) => fields.resource).sort()).toEqual(servers.map(({ url }) => url).sort())
  })

  test('fifty requests at once are one, and a token that is good is asked for once', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const source = clientCredentials({ issuer: as.issuer, client })
    await Promise.all(Array.from({ length: 50 }, () => source.token({ url })))
    await source.token({ url })
    expect(as.forms).toHaveLength(1)
  })

  test('E-47 renewed before it expires without anybody waiting', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const world = stillWorld()
    const source = clientCredentials({ issuer: as.issuer, client }, world.environment)
    await source.token({ url })
    world.now += 3_590_000
    expect(await source.token({ url })).toBe('token-1')
    await expect.poll(() => source.token({ url })).toBe('token-2')
    expect(as.forms).toHaveLength(2)
  })

  test('a new token endpoint is found after the old one is gone', async () => {
    const next = await fakeIssuer()
    let endpoint = 'http://127.0.0.1:1/token'
    const as = await fakeIssuer({ metadata: () => ({ token_endpoint: endpoint }) })
    const { url } = await listen(answer(404))
    const world = stillWorld()
    const source = clientCredentials({ issuer: as.issuer, client }, world.environment)
    await authFailure(source.token({ url }))
    endpoint = next.tokenEndpoint
    world.now += 60_000
    expect(await source.token({ url })).toBe('token-1')
  })

  test('a refresh token that nobody asked for is not used', async () => {
    const as = await fakeIssuer()
    as.answer((_form, count) => tokens({ access_token: `token-${count}`, refresh_token: 'unasked-refresh' }))
    const { url } = await listen(answer(404))
    await replaced(clientCredentials({ issuer: as.issuer, client }), url)
    expect(as.forms.map(({ fields }) => fields.grant_type)).toEqual([
      'client_credentials',
      'client_credentials',
    ])
  })
})

describe('what shows', () => {
  test('E-61 no secret in an error, its cause, or the source, whatever the server says', async () => {
    const as = await fakeIssuer()
    const { url } = await listen(answer(404))
    const source = clientCredentials({ issuer: as.issuer, client }, stillWorld().environment)
    as.answer(({ headers, fields }) =>
      refuses(
        'invalid_client',
        `${headers.authorization?.slice(6)} ${secret} ${JSON.stringify(fields)}`,
        401,
      ),
    )
    const error = await authFailure(source.token({ url }))
    expect(error).toMatchObject({ error: 'invalid_client', status: 401, server: new URL(url).origin })
    expect(error.message).toMatch(/refused the client: invalid_client.*Check the id of the client/)
    const basic = as.forms[0]?.headers.authorization?.split(' ')[1] ?? ''
    for (const part of [secret, basic, 'é-secret']) expect(visible(error)).not.toContain(part)
    expect(visible(source)).not.toContain('secret')
    expect(Object.isFrozen(source)).toBe(true)
  })

  test.each([
    ['no issuer', { client }, 'issuer'],
    ['an issuer over http', { issuer: 'http://idp.example', client }, 'issuer'],
    ['an issuer with a query', { issuer: 'https://idp.example?a', client }, 'issuer'],
    ['no client', { issuer: 'https://idp.example' }, 'client'],
    ['a client without secret and key', { issuer: 'https://idp.example', client: { id: 'a' } }, 'client'],
    [
      'a secret that is not set',
      { issuer: 'https://idp.example', client: { id: 'a', secret: undefined } },
      'secret',
    ],
    [
      'a secret and a key',
      { issuer: 'https://idp.example', client: { id: 'a', secret: 'b', privateKey: 'c' } },
      'client',
    ],
    ['a bad key', { issuer: 'https://idp.example', client: { id: 'a', privateKey: 'c' } }, 'privateKey'],
    [
      'a token endpoint over http',
      { issuer: 'https://idp.example', client, tokenEndpoint: 'http://a.example' },
      'tokenEndpoint',
    ],
    ['a private address', { issuer: 'https://10.0.0.1', client }, 'allowPrivateNetwork'],
    ['scopes as one text', { issuer: 'https://idp.example', client, scopes: 'a b' }, 'scopes'],
    ['a scope with a space', { issuer: 'https://idp.example', client, scopes: ['a b'] }, 'scopes'],
    [
      'a resource with a fragment',
      { issuer: 'https://idp.example', client, resource: 'https://a.example#b' },
      'resource',
    ],
    ['an unknown option', { issuer: 'https://idp.example', client, scope: 'a' }, 'scope'],
    ['dpop that is none', { issuer: 'https://idp.example', client, dpop: {} }, 'dpop'],
  ])('%s is a TypeError that names the option', (_name, options, word) => {
    const make = () => clientCredentials(options as Parameters<typeof clientCredentials>[0])
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })

  test.each([
    [{ timeout: 0 }, 'timeout'],
    [{ store: {} }, 'store'],
    [{ fetch: 'x' }, 'fetch'],
    [{ allowPrivateNetwork: 1 }, 'allowPrivateNetwork'],
    [{ unknown: 1 }, 'unknown'],
  ])('an environment with %j is a TypeError', (environment, word) => {
    const make = () => clientCredentials({ issuer: 'https://idp.example', client }, environment as object)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })
})
