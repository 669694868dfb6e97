import { afterEach, describe, expect, test } from 'vitest'
import { authorizedFetch } from '../../src/client/fetch/authorized-fetch.ts'
import { type EnterpriseManagedOptions, enterpriseManaged } from '../../src/client/sources/enterprise.ts'
import { tokenExchange } from '../../src/client/sources/token-exchange.ts'
import { workloadIdentity } from '../../src/client/sources/workload-identity.ts'
import { type FakeIssuer, fakeIssuer, refuses, resourceServer, tokens } from './authorization-servers.ts'
import { answer, closeServers, listen } from './servers.ts'
import { authFailure, replaced, silence, stillWorld, visible } from './token-sources.ts'

afterEach(closeServers)

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const idJag = 'urn:ietf:params:oauth:token-type:id-jag'
const typeOf = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

/** Something that has the shape of a JWT. */
function jwt(claims: object, typ = 'JWT'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256', typ })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`
}

const nobody = async () => (await listen(answer(404))).url

describe('workload identity', () => {
  test('F-20 F-23 jwt-bearer with the assertion that was made for the issuer, resource and scope, and no client', async () => {
    const as = await fakeIssuer()
    const url = await nobody()
    const audiences: string[] = []
    const source = workloadIdentity({
      issuer: as.issuer,
      scopes: ['a'],
      assertion: (audience) => {
        audiences.push(audience)
        return 'the-assertion\n'
      },
    })
    expect(await source.token({ url })).toBe('token-1')
    expect(as.forms[0]?.fields).toEqual({
      grant_type: jwtBearer,
      assertion: 'the-assertion',
      scope: 'a',
      resource: url,
    })
    expect(as.forms[0]?.headers.authorization).toBeUndefined()
    expect(audiences).toEqual([as.issuer])
  })

  test('a client that the server wants to know goes along', async () => {
    const as = await fakeIssuer()
    const url = await nobody()
    const assertion = () => 'the-assertion'
    await workloadIdentity({ issuer: as.issuer, client: { id: 'pod' }, assertion }).token({ url })
    await workloadIdentity({ issuer: as.issuer, client: { id: 'pod', secret: 's' }, assertion }).token({
      url,
    })
    expect(as.forms[0]?.fields.client_id).toBe('pod')
    expect(as.forms[1]?.headers.authorization).toBe(`Basic ${btoa('pod:s')}`)
  })

  test('F-22 the assertion is asked for anew each time', async () => {
    const as = await fakeIssuer()
    const url = await nobody()
    let count = 0
    await replaced(workloadIdentity({ issuer: as.issuer, assertion: () => `assertion-${++count}` }), url)
    expect(as.forms.map(({ fields }) => fields.assertion)).toEqual(['assertion-1', 'assertion-2'])
  })

  test('F-22 one that has expired is not sent', async () => {
    const as = await fakeIssuer()
    const url = await nobody()
    const world = stillWorld()
    const source = (exp: number) =>
      workloadIdentity({ issuer: as.issuer, assertion: () => jwt({ sub: 'pod', exp }) }, world.environment)
    const error = await authFailure(source(world.now / 1000).token({ url }))
    expect(error.message).toContain('expired')
    expect(as.forms).toHaveLength(0)
    expect(await source(world.now / 1000 + 1).token({ url })).toBe('token-1')
  })

  test.each(['invalid_grant', 'invalid_scope', 'unauthorized_client'])(
    'F-21 after %s: no second request, of this grant or another',
    async (word) => {
      const as = await fakeIssuer()
      as.answer(({ fields }) => refuses(word, `not ${fields.assertion}`))
      const url = await nobody()
      const source = workloadIdentity({ issuer: as.issuer, assertion: () => 'the-assertion' })
      const fetch = authorizedFetch({ url, auth: source })
      const error = await authFailure(fetch(url))
      expect(error).toMatchObject({ error: word, status: 400 })
      expect(visible(error)).not.toContain('the-assertion')
      expect(as.forms).toHaveLength(1)
    },
  )

  test('a store is not used: whose assertion it was does not show', async () => {
    const as = await fakeIssuer()
    const url = await nobody()
    const failing = async () => Promise.reject(new Error('used'))
    const store = { load: failing, save: failing, exclusive: failing }
    const source = workloadIdentity({ issuer: as.issuer, assertion: () => 'a' }, { store })
    expect(await source.token({ url })).toBe('token-1')
  })
})

describe('token exchange', () => {
  test('RFC 8693: subject token, its type, audience, resource, scope and requested type', async () => {
    const as = await fakeIssuer()
    as.answer(() => tokens({ access_token: 'exchanged', issued_token_type: typeOf('jwt') }))
    const url = await nobody()
    const source = tokenExchange({
      issuer: as.issuer,
      client: { id: 'service', secret: 's' },
      subjectToken: async () => 'of-caller',
      subjectTokenType: typeOf('id_token'),
      requestedTokenType: typeOf('jwt'),
      audience: 'mcp',
      scopes: ['a'],
    })
    expect(await source.token({ url })).toBe('exchanged')
    expect(as.forms[0]?.fields).toEqual({
      grant_type: exchange,
      subject_token: 'of-caller',
      subject_token_type: typeOf('id_token'),
      requested_token_type: typeOf('jwt'),
      audience: 'mcp',
      scope: 'a',
      resource: url,
    })
  })

  test('the subject token is an access token unless it is said, and asked for each time', async () => {
    const as = await fakeIssuer()
    const url = await nobody()
    let count = 0
    await replaced(tokenExchange({ issuer: as.issuer, subjectToken: () => `caller-${++count}` }), url)
    expect(as.forms.map(({ fields }) => [fields.subject_token, fields.subject_token_type])).toEqual([
      ['caller-1', typeOf('access_token')],
      ['caller-2', typeOf('access_token')],
    ])
  })

  test('another type than was requested is not used', async () => {
    const as = await fakeIssuer()
    as.answer(() => tokens({ access_token: 'shown-never', issued_token_type: typeOf('access_token') }))
    const options = { issuer: as.issuer, subjectToken: () => 'a', requestedTokenType: typeOf('jwt') }
    const error = await authFailure(tokenExchange(options).token({ url: await nobody() }))
    expect(error.message).toContain('requestedTokenType')
    expect(visible(error)).not.toContain('shown-never')
  })

  test.each([
    ['subjectToken', { subjectToken: 'text' }],
    ['subjectTokenType', { subjectTokenType: 'jwt' }],
    ['requestedTokenType', { requestedTokenType: '' }],
    ['audience', { audience: '' }],
    ['actorToken', { actorToken: 'a' }],
  ])('a wrong %s is a TypeError', (word, part) => {
    const options = { issuer: 'https://idp.example', subjectToken: () => 'a', ...part }
    const make = () => tokenExchange(options as unknown as Parameters<typeof tokenExchange>[0])
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })
})

describe('enterprise-managed authorization', () => {
  /** An identity provider that gives assertions for ten minutes, and the server that takes them. */
  async function enterprise(part: Partial<EnterpriseManagedOptions> = {}) {
    const world = stillWorld()
    const idp = await fakeIssuer()
    const as = await fakeIssuer()
    idp.answer((_form, count) =>
      tokens({
        access_token: jwt({ n: count, exp: world.now / 1000 + 600 }, 'oauth-id-jag+jwt'),
        token_type: 'N_A',
        issued_token_type: idJag,
      }),
    )
    const url = await nobody()
    const options = {
      identityProvider: {
        issuer: idp.issuer,
        client: { id: 'at-idp', secret: 'idp-secret' },
        subjectToken: () => 'id-token-of-user',
      },
      issuer: as.issuer,
      client: { id: 'at-mcp', secret: 'mcp-secret' },
      scopes: ['a'],
      ...part,
    }
    return { world, idp, as, url, source: enterpriseManaged(options, world.environment) }
  }
  const asked = (one: FakeIssuer) => one.forms.length

  test('F-10 F-12 the identity provider gives an ID-JAG for the other server, and that takes it', async () => {
    const { idp, as, url, source } = await enterprise()
    expect(await source.token({ url })).toBe('token-1')
    expect(idp.forms[0]?.fields).toEqual({
      grant_type: exchange,
      requested_token_type: idJag,
      audience: as.issuer,
      subject_token: 'id-token-of-user',
      subject_token_type: typeOf('id_token'),
      scope: 'a',
      resource: url,
    })
    expect(idp.forms[0]?.headers.authorization).toBe(`Basic ${btoa('at-idp:idp-secret')}`)
    expect(as.forms[0]?.fields).toMatchObject({ grant_type: jwtBearer, scope: 'a', resource: url })
    expect(as.forms[0]?.fields.assertion).toMatch(/^eyJ/)
    expect(as.forms[0]?.headers.authorization).toBe(`Basic ${btoa('at-mcp:mcp-secret')}`)
  })

  const good = jwt({ exp: 9e9 }, 'oauth-id-jag+jwt')
  test.each([
    [
      'an access token',
      { access_token: good, token_type: 'Bearer', issued_token_type: typeOf('access_token') },
    ],
    ['no issued_token_type', { access_token: good, token_type: 'N_A', issued_token_type: undefined }],
    ['an ID token', { access_token: jwt({ exp: 9e9 }), token_type: 'N_A', issued_token_type: idJag }],
    ['no JWT', { access_token: 'opaque', token_type: 'N_A', issued_token_type: idJag }],
  ])('F-11 %s instead of an ID-JAG goes no further', async (_name, members) => {
    const { idp, as, url, source } = await enterprise()
    idp.answer(() => tokens(members))
    const error = await authFailure(source.token({ url }))
    expect(visible(error)).not.toContain(members.access_token)
    expect(asked(as)).toBe(0)
  })

  test('F-15 after a 401 the second step is repeated, and after another one the first as well', async () => {
    const { idp, as, url, source } = await enterprise()
    await replaced(source, url)
    expect([asked(idp), asked(as)]).toEqual([1, 2])
    await replaced(source, url)
    expect([asked(idp), asked(as)]).toEqual([2, 3])
  })

  test('F-15 an ID-JAG is used until it expires', async () => {
    const { world, idp, as, url, source } = await enterprise()
    as.answer((_form, count) => tokens({ access_token: `token-${count}`, expires_in: 300 }))
    await source.token({ url })
    world.now += 300_000
    await source.token({ url })
    expect([asked(idp), asked(as)]).toEqual([1, 2])
    world.now += 300_000
    await source.token({ url })
    expect([asked(idp), asked(as)]).toEqual([2, 3])
  })

  test('a server that takes each ID-JAG once gets a new one', async () => {
    const { idp, as, url, source } = await enterprise()
    const seen = new Set<string | undefined>()
    as.answer(({ fields }, count) => {
      if (seen.has(fields.assertion)) return refuses('invalid_grant')
      seen.add(fields.assertion)
      return tokens({ access_token: `token-${count}` })
    })
    await source.token({ url })
    await source.refused?.('token-1', silence)
    expect(await source.token({ url })).toBe('token-3')
    expect(asked(idp)).toBe(2)
  })

  test('a new one that is refused too is the end', async () => {
    const { idp, as, url, source } = await enterprise()
    as.answer(() => refuses('invalid_grant'))
    expect(await authFailure(source.token({ url }))).toMatchObject({ error: 'invalid_grant' })
    expect([asked(idp), asked(as)]).toEqual([1, 1])
  })

  test('more scopes are in a new ID-JAG as well', async () => {
    const { idp, url, source } = await enterprise()
    await source.token({ url })
    await source.token({ url, scopes: ['b'] })
    expect(idp.forms.map(({ fields }) => fields.scope)).toEqual(['a', 'a b'])
  })

  test('E-51 the identity provider is not asked for a server that belongs to another issuer', async () => {
    const { idp, as, source } = await enterprise()
    const server = await resourceServer((origin) => ({
      '/.well-known/oauth-protected-resource/mcp': {
        resource: `${origin}/mcp`,
        authorization_servers: ['https://thief.example'],
      },
    }))
    await authFailure(source.token({ url: server.url }))
    expect([asked(idp), asked(as)]).toEqual([0, 0])
  })

  test('E-61 neither server can make an error show what it was sent', async () => {
    const { idp, as, url, world, source } = await enterprise()
    as.answer(({ fields, headers }) => refuses('invalid_request', JSON.stringify({ fields, headers })))
    const errors = [await authFailure(source.token({ url }))]
    idp.answer(({ fields, headers }) => refuses('invalid_request', JSON.stringify({ fields, headers })))
    world.now += 700_000
    errors.push(await authFailure(source.token({ url })))
    expect(errors.map(({ error }) => error)).toEqual(['invalid_request', 'invalid_request'])
    const sent = [...as.forms, ...idp.forms].flatMap(({ fields, headers }) => [
      fields.assertion,
      fields.subject_token,
      headers.authorization?.split(' ')[1],
    ])
    const secrets = [...sent, 'idp-secret', 'mcp-secret'].filter((text) => text !== undefined)
    expect(secrets).toHaveLength(8)
    for (const part of secrets) for (const error of errors) expect(visible(error)).not.toContain(part)
  })

  test('F-12 a server that names its grant profiles, and not this one, gets no ID-JAG', async () => {
    const as = await fakeIssuer({ metadata: () => ({ authorization_grant_profiles_supported: ['other'] }) })
    const { url, source } = await enterprise({ issuer: as.issuer })
    expect((await authFailure(source.token({ url }))).message).toContain('grant-profile:id-jag')
    expect(asked(as)).toBe(0)
  })

  test('the token endpoint of the identity provider is enough', async () => {
    const other = await enterprise()
    const identityProvider = {
      tokenEndpoint: other.idp.tokenEndpoint,
      client: { id: 'at-idp', secret: 'idp-secret' },
      subjectToken: () => 'id-token-of-user',
    }
    const { url, source } = await enterprise({ identityProvider })
    expect(await source.token({ url })).toBe('token-1')
    expect(other.idp.server.requests.map((request) => request.url)).toEqual(['/token'])
  })

  const subjectToken = (): string => 'a'
  test.each([
    ['identityProvider', undefined],
    ['identityProvider', { client: { id: 'a' }, subjectToken }],
    ['client', { issuer: 'https://idp.example', subjectToken }],
    ['subjectToken', { issuer: 'https://idp.example', client: { id: 'a' }, subjectToken: 'a' }],
    [
      'subjectTokenType',
      { issuer: 'https://idp.example', client: { id: 'a' }, subjectToken, subjectTokenType: 'id' },
    ],
  ])('a wrong %s is a TypeError', (word, identityProvider) => {
    const options = { identityProvider, issuer: 'https://as.example', client: { id: 'a', secret: 'b' } }
    const make = () => enterpriseManaged(options as unknown as EnterpriseManagedOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(word)
  })
})
