import { generateKeyPairSync } from 'node:crypto'
import { jwtVerify } from 'jose'
import { principalOf } from 'mcp-bearer'
import {
  bearerToken,
  clientSecretBasic,
  clientSecretPost,
  type IntrospectionVerifierOptions,
  introspectionVerifier,
  privateKeyJwt,
} from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { audience, issuer, now, quiet } from './forge.ts'
import { client, good, introspecting, introspectionServer, knows, says } from './introspection-server.ts'

/** Asks once about a token, and shows what arrived. */
async function arrival(client: IntrospectionVerifierOptions['client'], token = 'tok-1') {
  const server = await introspectionServer(says(good))
  expect(await introspecting(server.url, { client }).verify(token)).toBe(200)
  expect(server.questions).toHaveLength(1)
  return { ...server.questions[0]!, url: server.url }
}

/** The verdict on an answer: 200, or why not. */
async function judged(answer: unknown, options: Partial<IntrospectionVerifierOptions> = {}) {
  const server = await introspectionServer(says(answer))
  return introspecting(server.url, options).reason('tok-1')
}

/** The access token that an answer makes. */
async function accepted(answer: unknown, options: Partial<IntrospectionVerifierOptions> = {}) {
  const server = await introspectionServer(says(answer))
  const token = await introspecting(server.url, options).verifier.verifyToken('tok-1')
  return { token: token!, origin: server.origin }
}

/** RFC 6749 appendix B the other way round, by hand. */
const formDecode = (encoded: string) => decodeURIComponent(encoded.replaceAll('+', ' '))

describe('the question', () => {
  it('B-90 is a POST of a form that names the token, and asks for JSON', async () => {
    const { method, path, headers, body } = await arrival(client)
    expect({ method, path, body }).toEqual({
      method: 'POST',
      path: '/introspect',
      body: 'token=tok-1&token_type_hint=access_token',
    })
    expect(headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    })
    expect(headers).not.toHaveProperty('cookie')
  })

  it('B-90 FL-57 basic: id and secret are form-encoded before they are joined', async () => {
    const [id, password] = ['https://mcp.example.com/ä', 'a:b%c+d e&f=ü']
    const { headers, body } = await arrival(clientSecretBasic(id, password))
    const [scheme, encoded = ''] = (headers.authorization ?? '').split(' ')
    expect(scheme).toBe('Basic')
    const pair = Buffer.from(encoded, 'base64').toString('latin1').split(':')
    expect(pair.map(formDecode)).toEqual([id, password])
    expect(body).toBe('token=tok-1&token_type_hint=access_token')
  })

  it('B-90 post: id and secret stand in the body, and nowhere else', async () => {
    const { headers, body } = await arrival(clientSecretPost('a&b', 's=1&active=true'))
    expect([...new URLSearchParams(body)]).toEqual([
      ['token', 'tok-1'],
      ['token_type_hint', 'access_token'],
      ['client_id', 'a&b'],
      ['client_secret', 's=1&active=true'],
    ])
    expect(headers).not.toHaveProperty('authorization')
  })

  it('B-90 private_key_jwt: the endpoint verifies the assertion with the public key, for itself', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const { body, url } = await arrival(privateKeyJwt('mcp-server', { privateKey: pem, kid: 'k1' }))
    const form = new URLSearchParams(body)
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', publicKey, {
      audience: url,
      issuer: 'mcp-server',
      subject: 'mcp-server',
      algorithms: ['ES256'],
      currentDate: new Date(now * 1000),
      requiredClaims: ['jti', 'exp', 'iat'],
    })
    expect(protectedHeader.kid).toBe('k1')
    expect(payload.exp).toBe(now + 60)
    expect(form.get('client_id')).toBe('mcp-server')
  })

  it('B-90 bearer: a token of this server, asked for anew each time', async () => {
    expect((await arrival(bearerToken('own-token'))).headers.authorization).toBe('Bearer own-token')
    let count = 0
    const server = await introspectionServer(says(good))
    const { verify } = introspecting(server.url, { client: bearerToken(async () => `own-${++count}`) })
    await verify('tok-1')
    await verify('tok-2')
    expect(server.questions.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer own-1',
      'Bearer own-2',
    ])
  })

  it.each([
    ['an ampersand and a field', 'abc&active=true&token=other'],
    ['percent signs', 'abc%26active%3Dtrue%'],
    ['plus signs and blanks', 'a+b c'],
    ['line breaks', 'abc\r\nHost: evil.example.com\r\n\r\n'],
    ['other alphabets', 'töken-🔑'],
    ['8 KiB of what has to be encoded', '&=%+'.repeat(2048)],
  ])('I23 B-90 a token with %s arrives as it was, and breaks nothing', async (_name, token) => {
    const { body, headers } = await arrival(clientSecretPost('mcp-server', 'hidden'), token)
    const names = ['token', 'token_type_hint', 'client_id', 'client_secret']
    const form = new URLSearchParams(body)
    expect([...form.keys()]).toEqual(names)
    expect(form.get('token')).toBe(token)
    expect(body).toMatch(/^[\w.*%+=&-]+$/)
    expect(headers.host).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it.each([
    ['more than 8 KiB', 'a'.repeat(8193), 'too_long'],
    ['nothing', '', 'malformed'],
    ['no text', 42, 'malformed'],
    ['null', null, 'malformed'],
  ])('I23 nobody is asked about %s', async (_name, token, expected) => {
    const server = await introspectionServer(says(good))
    expect(await introspecting(server.url).reason(token as string)).toBe(expected)
    expect(server.questions).toHaveLength(0)
  })
})

describe('the answer', () => {
  it('I01 B-91 FL-57 is an access token with all that was said, frozen to its depths', async () => {
    const { token } = await accepted({ ...good, act: { sub: 'agent' }, groups: [{ name: 'a' }] })
    expect({ ...token, expiresAt: token.expiresAt }).toMatchObject({
      clientId: 'app-1',
      subject: 'user-1',
      scopes: ['mcp:read'],
      expiresAt: new Date((now + 300) * 1000),
      claims: { aud: audience, act: { sub: 'agent' }, groups: [{ name: 'a' }] },
    })
    const { claims, scopes } = token
    const parts = [token, scopes, claims, claims.act, claims.groups, (claims.groups as object[])[0]]
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(Array(6).fill(true))
  })

  it.each<[string, unknown]>([
    ['I02 false', { active: false }],
    ['I03 the text true', { ...good, active: 'true' }],
    ['I03 the number 1', { ...good, active: 1 }],
    ['I03 null', { ...good, active: null }],
    ['I03 a list', { ...good, active: [true] }],
    ['I03 an object', { ...good, active: { valueOf: true } }],
    ['I04 nothing at all', {}],
    ['I04 absent beside all the rest', { ...good, active: undefined }],
    ['I05 false beside all the rest', { ...good, active: false, scope: 'admin' }],
    ['I22 inherited', '{"__proto__":{"active":true},"sub":"user-1"}'],
  ])('B-91 active is %s: inactive', async (_name, answer) => {
    expect(await judged(answer)).toBe('inactive')
  })

  const without = ({ aud: _aud, ...rest }: typeof good) => rest

  it.each<[string, unknown, string | number]>([
    ['I06 absent', undefined, 'wrong_audience'],
    ['I06 null', null, 'wrong_audience'],
    ['I06 an empty list', [], 'wrong_audience'],
    ['I07 another service', 'https://other.example.com', 'wrong_audience'],
    ['I07 this server with a slash', `${audience}/`, 'wrong_audience'],
    ['I07 a list with something that is no text', [audience, 1], 'wrong_audience'],
    ['I08 a list with this server', ['https://other.example.com', audience], 200],
  ])('B-92 FL-57 aud is %s', async (_name, aud, expected) => {
    expect(await judged({ ...good, aud })).toBe(expected)
  })

  it('B-92 I06 allowMissingAudience takes an answer without aud, and no wrong one', async () => {
    const options = { allowMissingAudience: true }
    expect(await judged(without(good), options)).toBe(200)
    expect(await judged(good, options)).toBe(200)
    expect(await judged({ ...good, aud: 'https://other.example.com' }, options)).toBe('wrong_audience')
    expect(await judged({ ...good, aud: null }, options)).toBe('wrong_audience')
  })

  it('B-92 one of several audiences is enough', async () => {
    const options = { audience: ['https://mcp.example.com/', audience] }
    expect(await judged(good, options)).toBe(200)
    expect(await judged({ ...good, aud: 'https://mcp.example.com/' }, options)).toBe(200)
    expect(await judged({ ...good, aud: 'https://mcp.example.com' }, options)).toBe('wrong_audience')
  })

  it('B-92 B-42 without audience any passes, and one warning says so when made', async () => {
    const server = await introspectionServer(says({ ...good, aud: 'https://other.example.com' }))
    const logged: string[] = []
    const verifier = introspectionVerifier(
      { endpoint: server.url, client },
      { logger: ({ event }) => logged.push(event), clock: () => now * 1000 },
    )
    expect(logged).toEqual(['audience_unchecked'])
    expect(await verifier.verifyToken('tok-1')).not.toBeNull()
    expect(logged).toEqual(['audience_unchecked'])
  })

  it.each<[string, object, string | number]>([
    ['I09 exp just past, within the clock skew', { exp: now - 59 }, 200],
    ['I09 exp past', { exp: now - 60 }, 'expired'],
    ['I10 exp a text', { exp: '9999999999' }, 'invalid_time'],
    ['I10 exp null', { exp: null }, 'invalid_time'],
    ['I10 exp in milliseconds', { exp: (now + 300) * 1000 }, 'invalid_time'],
    ['exp absent', { exp: undefined }, 200],
    ['I11 nbf within the clock skew', { nbf: now + 60 }, 200],
    ['I11 nbf in the future', { nbf: now + 61 }, 'not_yet_valid'],
    ['iat in the future', { iat: now + 61 }, 'issued_in_future'],
    ['iat a text', { iat: String(now) }, 'invalid_time'],
    ['iat not before exp', { iat: now + 30, exp: now + 30 }, 'invalid_time'],
    ['I13 token_type refresh_token', { token_type: 'refresh_token' }, 'not_an_access_token'],
    ['I13 token_type N_A', { token_type: 'N_A' }, 'not_an_access_token'],
    ['I13 token_type DPoP', { token_type: 'DPoP' }, 'not_an_access_token'],
    ['I13 token_type null', { token_type: null }, 'not_an_access_token'],
    ['I13 token_type a list', { token_type: ['Bearer'] }, 'not_an_access_token'],
    ['I13 token_type Bearer', { token_type: 'Bearer' }, 200],
    ['I13 token_type bearer', { token_type: 'bearer' }, 200],
    ['I13 token_type access_token', { token_type: 'access_token' }, 200],
    ['I13 typ Refresh of Keycloak', { typ: 'Refresh' }, 'not_an_access_token'],
    ['I14 cnf.jkt', { cnf: { jkt: 'abc' } }, 'sender_constrained'],
    ['I14 cnf.x5t#S256', { cnf: { 'x5t#S256': 'abc' } }, 'sender_constrained'],
    ['I14 cnf that is no object', { cnf: 'abc' }, 'sender_constrained'],
    ['I14 another member of cnf', { cnf: { kid: 'abc' } }, 200],
    ['sub empty', { sub: '' }, 'no_identity'],
    ['sub a number', { sub: 7 }, 'no_identity'],
    ['client_id a list', { client_id: ['app-1'] }, 'no_identity'],
    ['neither sub nor client_id', { sub: undefined, client_id: undefined }, 'no_identity'],
    ['I21 scope a number', { scope: 7 }, 'invalid_scope'],
    ['I21 scope null', { scope: null }, 'invalid_scope'],
    ['I21 scope a list with a number', { scope: ['mcp:read', 7] }, 'invalid_scope'],
    ['I21 scope a list with two in one', { scope: ['mcp:read admin'] }, 'invalid_scope'],
  ])('B-93 %s', async (_name, more, expected) => {
    expect(await judged({ ...good, ...more })).toBe(expected)
  })

  it.each<[string, object | string, readonly string[]]>([
    ['I21 a list', { scope: ['mcp:read', 'mcp:write'] }, ['mcp:read', 'mcp:write']],
    ['a text with blanks', { scope: ' mcp:read  mcp:write mcp:read ' }, ['mcp:read', 'mcp:write']],
    ['absent, beside scp', { scope: undefined, scp: ['mcp:read'] }, ['mcp:read']],
    ['absent', { scope: undefined }, []],
    ['I22 in a prototype', `{"active":true,"__proto__":{"scope":"admin"},"aud":"${audience}","sub":"u"}`, []],
    ['I22 in a constructor', { scope: undefined, constructor: { prototype: { scope: 'admin' } } }, []],
  ])('B-93 scope is %s', async (_name, answer, expected) => {
    const { token } = await accepted(typeof answer === 'string' ? answer : { ...good, ...answer })
    expect(token.scopes).toEqual(expected)
    expect(({} as { scope?: unknown }).scope).toBeUndefined()
  })

  it('B-93 the clock skew can be set', async () => {
    expect(await judged({ ...good, exp: now }, { clockSkew: 0 })).toBe('expired')
    expect(await judged({ ...good, exp: now + 0.5 }, { clockSkew: 0 })).toBe(200)
    expect(await judged({ ...good, exp: now - 299 }, { clockSkew: 300 })).toBe(200)
  })
})

describe('who it is', () => {
  const second = 'https://second.example.com'

  it.each<[string, unknown, string | readonly string[] | undefined, string | number]>([
    ['the configured one', issuer, issuer, 200],
    ['I12 another', 'https://evil.example.com', issuer, 'wrong_issuer'],
    ['I12 the same with a slash', `${issuer}/`, issuer, 'wrong_issuer'],
    ['I12 a list with the right one', [issuer], issuer, 'wrong_issuer'],
    ['I12 null', null, issuer, 'wrong_issuer'],
    ['I12 empty', '', issuer, 'wrong_issuer'],
    ['one of two', second, [issuer, second], 200],
    ['absent, where it can be one only', undefined, issuer, 200],
    ['absent, where it can be one of two', undefined, [issuer, second], 'wrong_issuer'],
    ['any, where none is configured', 'https://any.example.com', undefined, 200],
    ['absent, where none is configured', undefined, undefined, 200],
    ['empty, where none is configured', '', undefined, 'wrong_issuer'],
    ['null, where none is configured', null, undefined, 'wrong_issuer'],
  ])('B-93 iss is %s', async (_name, iss, configured, expected) => {
    expect(await judged({ ...good, iss }, configured === undefined ? {} : { issuer: configured })).toBe(
      expected,
    )
  })

  it('B-93 without iss it is the configured issuer, or else the origin of the endpoint', async () => {
    expect((await accepted(good, { issuer })).token.issuer).toBe(issuer)
    const { token, origin } = await accepted(good)
    expect(token.issuer).toBe(origin)
    expect((await accepted({ ...good, iss: issuer })).token.issuer).toBe(issuer)
  })

  it.each([
    ['with issuer', { issuer }],
    ['without issuer', {}],
  ])('B-93 two users of one client are two principals, %s, and stay who they are', async (_name, options) => {
    const server = await introspectionServer(
      knows({ 'tok-1': says(good), 'tok-2': says({ ...good, sub: 'user-2' }) }),
    )
    const { verifier } = introspecting(server.url, options)
    const principal = async (token: string) => principalOf((await verifier.verifyToken(token))!)
    const [one, two] = [await principal('tok-1'), await principal('tok-2')]
    expect(one).not.toBe(two)
    expect([await principal('tok-1'), await principal('tok-2')]).toEqual([one, two])
    expect(server.questions).toHaveLength(2)
  })

  it('B-93 D15 a name for people is no subject: two of them must not become one caller', async () => {
    const { sub: _sub, ...nameless } = good
    expect(await judged({ ...nameless, client_id: 'app', username: 'alice' })).toBe('no_identity')
    expect(await judged({ ...good, client_id: 'app', username: 'alice' })).toBe(200)
    expect(await judged({ ...nameless, client_id: 'app' })).toBe(200)
  })

  it('FL-36 FL-47 FL-61 tells the operator what was compared', async () => {
    const server = await introspectionServer(says({ ...good, aud: `${audience}/` }))
    const { verifier, refusals } = introspecting(server.url)
    expect(await verifier.verifyToken('tok-1')).toBeNull()
    expect(refusals).toEqual([
      expect.objectContaining({
        reason: 'wrong_audience',
        expected: audience,
        found: `${audience}/`,
        hint: 'they differ in a slash at the end',
      }),
    ])
  })

  it('B-62 a JWT is none of its business in anyOf, nor one that was damaged on its way', () => {
    const opaque = introspectionVerifier(
      { endpoint: 'https://as.example.com/i', client, audience },
      { logger: quiet },
    )
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'
    for (const token of [jwt, `${jwt}=`, `${jwt} `, jwt.replace('In0', 'In')])
      expect(opaque.recognizes?.(token)).toBe(false)
    for (const token of ['2YotnFZFEjr1zCsicMWpAA', 'a.b.c', 'ey', 'eyJ.x'])
      expect(opaque.recognizes?.(token)).toBe(true)
  })

  it('B-93 names its issuers as the authorization servers of the resource', () => {
    const named = (more: object) =>
      introspectionVerifier(
        { endpoint: 'https://as.example.com/i', client, audience, ...more },
        { logger: quiet },
      ).authorizationServers
    expect(named({ issuer: [issuer, second] })).toEqual([issuer, second])
    expect(named({})).toBeUndefined()
  })
})
