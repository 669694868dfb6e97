import { generateKeyPairSync } from 'node:crypto'
import { scopePolicy } from 'mcp-bearer'
import { anyOf, introspectionVerifier, jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { audience, clock, forge, goodClaims, issuer, now, quiet } from './forge.ts'
import {
  client,
  fails,
  faultOf,
  good,
  introspecting,
  introspectionServer,
  knows,
  says,
  tokens,
  verdictOf,
} from './introspection-server.ts'

const lasting = { ...good, exp: undefined }

describe('what is remembered', () => {
  it.each([20, 100])('B-95 FL-57 %i callers with one token: one question, the same answer', async (count) => {
    const server = await introspectionServer(says(good))
    const { verifier } = introspecting(server.url)
    const found = await Promise.all(Array.from({ length: count }, () => verifier.verifyToken('tok-1')))
    expect(new Set(found.map((token) => token?.subject))).toEqual(new Set(['user-1']))
    expect(server.questions).toHaveLength(1)
    expect((await verifier.verifyToken('tok-1'))?.token).toBe('tok-1')
    expect(server.questions).toHaveLength(1)
  })

  it.each<[object, number]>([
    [{}, 30],
    [{ maxAge: 1 }, 1],
    [{ maxAge: 60 }, 60],
  ])('B-95 a revocation is noticed in time: options %j, after %i s', async (options, seconds) => {
    const server = await introspectionServer(says(lasting))
    const { verify, pass } = introspecting(server.url, options)
    expect(await verify('tok-1')).toBe(200)
    server.answer = says({ active: false })
    pass(seconds - 0.001)
    expect(await verify('tok-1')).toBe(200)
    expect(server.questions).toHaveLength(1)
    pass(0.001)
    expect(await verify('tok-1')).toBe(401)
  })

  it('B-95 FL-57 a remembered answer dies at its exp, whatever maxAge says', async () => {
    const server = await introspectionServer(says({ ...good, exp: now + 10 }))
    const { reason, pass } = introspecting(server.url, { clockSkew: 0 })
    expect(await reason('tok-1')).toBe(200)
    pass(9.999)
    expect(await reason('tok-1')).toBe(200)
    pass(0.001)
    expect(await reason('tok-1')).toBe('expired')
  })

  it('B-95 a refusal is remembered for 5 s, and no longer', async () => {
    const server = await introspectionServer(says({ active: false }))
    const { verify, pass } = introspecting(server.url)
    expect(await verify('tok-1')).toBe(401)
    server.answer = says(good)
    pass(4.999)
    expect(await verify('tok-1')).toBe(401)
    expect(server.questions).toHaveLength(1)
    pass(0.001)
    expect(await verify('tok-1')).toBe(200)
  })

  it('B-95 no more than rememberTokens are remembered, and invented ones push out none', async () => {
    const server = await introspectionServer(
      knows({ 'tok-1': says(good), 'tok-2': says(good), 'tok-3': says(good) }),
    )
    const { verify } = introspecting(server.url, {}, { rememberTokens: 2 })
    const invented = tokens('invented')
    await verify('tok-1')
    await verify('tok-2')
    for (let time = 0; time < 20; time++) expect(await verify(invented())).toBe(401)
    const before = server.questions.length
    expect([await verify('tok-1'), await verify('tok-2')]).toEqual([200, 200])
    expect(server.questions).toHaveLength(before)
    await verify('tok-3')
    await verify('tok-1')
    expect(server.questions).toHaveLength(before + 2)
  })

  it('B-95 rememberTokens: 0 asks each time, and still once for many at the same time', async () => {
    const server = await introspectionServer(says(good))
    const { verify } = introspecting(server.url, {}, { rememberTokens: 0 })
    await Promise.all(Array.from({ length: 20 }, () => verify('tok-1')))
    expect(server.questions).toHaveLength(1)
    server.answer = says({ active: false })
    expect(await verify('tok-1')).toBe(401)
    expect(server.questions).toHaveLength(2)
  })

  it('B-95 D6 an outage is told to all who wait, and is no verdict', async () => {
    const server = await introspectionServer(fails(500))
    const { verify, refusals } = introspecting(server.url)
    const all = await Promise.all(Array.from({ length: 100 }, () => verify('tok-1')))
    expect(new Set(all)).toEqual(new Set([503]))
    expect(server.questions.filter(({ token }) => token === 'tok-1')).toHaveLength(1)
    server.answer = says(good)
    expect(await verify('tok-1')).toBe(200)
    expect(refusals).toEqual([])
  })

  it('D6 what is remembered serves during an outage until it is too old, and then it is 503', async () => {
    const server = await introspectionServer(says(lasting))
    const { verify, pass } = introspecting(server.url)
    expect(await verify('tok-1')).toBe(200)
    server.answer = fails(500)
    for (let time = 0; time < 5; time++) expect(await verify('tok-2')).toBe(503)
    expect(await verify('tok-1')).toBe(200)
    pass(30)
    expect(await verify('tok-1')).toBe(503)
  })

  it('B-95 verifiers remember each for itself', async () => {
    const [one, two] = [
      await introspectionServer(says(good)),
      await introspectionServer(says({ active: false })),
    ]
    expect(await introspecting(one.url).verify('tok-1')).toBe(200)
    expect(await introspecting(two.url).verify('tok-1')).toBe(401)
  })
})

describe('scopes that every token needs', () => {
  it('a good token without them is insufficient_scope, remembered or not, and names them', async () => {
    const server = await introspectionServer(says(good))
    const { verifier } = introspecting(server.url, { requiredScopes: ['mcp:write', 'mcp:read'] })
    expect(verifier.requiredScopes).toEqual(['mcp:write', 'mcp:read'])
    for (let time = 0; time < 2; time++) {
      const { code, scopes } = await faultOf(verifier, 'tok-1')
      expect([code, scopes]).toEqual(['insufficient_scope', ['mcp:write', 'mcp:read']])
    }
    expect(server.questions).toHaveLength(1)
  })

  it('a token that is bad as well is bad', async () => {
    const server = await introspectionServer(says({ ...good, exp: now + 10 }))
    const { reason, pass } = introspecting(server.url, { requiredScopes: ['mcp:write'], clockSkew: 0 })
    expect(await reason('tok-1')).toBe(403)
    pass(10)
    expect(await reason('tok-1')).toBe('expired')
  })

  it('scopes are compared as the server compares them', async () => {
    const server = await introspectionServer(says({ ...good, scope: 'admin' }))
    const { verifier } = introspecting(server.url, { requiredScopes: ['mcp:read'] })
    const scopes = scopePolicy({ admin: ['mcp:read'] })
    expect(await verifier.verifyToken('tok-1', { scopes })).not.toBeNull()
    expect((await faultOf(verifier, 'tok-1')).code).toBe('insufficient_scope')
  })
})

describe('beside verifiers of JWTs', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwt = (claims: object) =>
    forge(privateKey, { alg: 'EdDSA', typ: 'JWT' }, { ...goodClaims, ...claims })
  const world = { clock, logger: quiet }
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
  const own = jwtVerifier({ publicKey: pem, issuer, audience, algorithm: 'EdDSA' }, world)
  const foreign = jwt({ iss: 'https://other.example.com' })
  const forged = jwt({}).replace(/.{10}$/, 'AAAAAAAAAA')

  async function both(kind: object) {
    const server = await introspectionServer(says(good))
    const options = { endpoint: server.url, client, audience, ...kind }
    const opaque = introspectionVerifier(options, world)
    return { server, opaque, verify: (token: string) => verdictOf(anyOf([own, opaque], world), token) }
  }

  it('B-62 opaque tokens go to the endpoint; JWTs, good, forged or of strangers, do not', async () => {
    const { server, verify } = await both({})
    expect(await verify('tok-1')).toBe(200)
    expect(await verify('one.two.three')).toBe(200)
    const asked = server.questions.length
    expect([await verify(jwt({})), await verify(forged), await verify(foreign)]).toEqual([200, 401, 401])
    expect(server.questions).toHaveLength(asked)
  })

  it("B-62 with tokens: 'all' a JWT that nobody else knows goes to the endpoint as well", async () => {
    const { server, verify } = await both({ tokens: 'all' })
    expect([await verify('tok-1'), await verify(foreign)]).toEqual([200, 200])
    expect(server.questions.map(({ token }) => token)).toEqual(['tok-1', foreign])
  })

  it('B-62 which tokens it is there for can be asked', async () => {
    const recognized = async (kind: object) => {
      const { opaque } = await both(kind)
      return ['tok-1', foreign, 'a.b.c'].map((token) => opaque.recognizes?.(token))
    }
    expect(await recognized({})).toEqual([true, false, true])
    expect(await recognized({ tokens: 'opaque' })).toEqual([true, false, true])
    expect(await recognized({ tokens: 'all' })).toEqual([true, true, true])
  })

  it('B-62 on its own it asks about any token', async () => {
    const { opaque } = await both({})
    expect(await verdictOf(opaque, foreign)).toBe(200)
  })

  it('B-62 D6 FL-58 an outage of the endpoint is an outage for opaque tokens only', async () => {
    const { server, verify } = await both({})
    server.answer = fails(500)
    expect([await verify('tok-1'), await verify(jwt({})), await verify(forged)]).toEqual([503, 200, 401])
  })
})
