import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AuthError } from '../core/errors.ts'
import type { LogEntry } from '../core/log.ts'
import { ECKeyPair, Ed25519KeyPair, RSAKeyPair } from '../issuer/index.ts'
import { cached } from './cached.ts'
import { jwtVerifier } from './jwt.ts'
import type { JwtVerifierOptions } from './jwt-options.ts'
import type { RefusalReason, TokenRefusal } from './refusal.ts'

const issuer = 'https://as.example.com'
const audience = 'https://mcp.example.com/mcp'
const quiet = { logger: () => {} }
let pair: RSAKeyPair

beforeAll(async () => {
  pair = await RSAKeyPair.generate()
})

describe('options of jwtVerifier', () => {
  it.each<[string, () => object]>([
    ['no key', () => ({})],
    ['publicKey that is undefined', () => ({ publicKey: undefined })],
    ['publicKey and jwksUri', () => ({ publicKey: pair.publicKey, jwksUri: 'https://as.example.com/jwks' })],
    [
      'publicKey and secret',
      () => ({ publicKey: pair.publicKey, secret: 'x'.repeat(32), algorithm: 'HS256' }),
    ],
    ['B-04 jwksUri with HMAC', () => ({ jwksUri: 'https://as.example.com/jwks', algorithms: ['HS256'] })],
    ['B-04 publicKey with HMAC', () => ({ publicKey: pair.publicKey, algorithms: ['HS256'] })],
    ['B-04 secret without HMAC', () => ({ secret: 'x'.repeat(64) })],
    ['B-04 HMAC beside RSA', () => ({ secret: 'x'.repeat(64), algorithms: ['HS256', 'RS256'] })],
    [
      'B-01 algorithm and algorithms',
      () => ({ publicKey: pair.publicKey, algorithm: 'RS256', algorithms: ['RS256'] }),
    ],
    ['B-01 algorithm none', () => ({ publicKey: pair.publicKey, algorithm: 'none' })],
    ['B-01 SHA-1', () => ({ publicKey: pair.publicKey, algorithms: ['RS1'] })],
    ['B-01 no algorithm at all', () => ({ publicKey: pair.publicKey, algorithms: [] })],
    ['B-01 a hole among algorithms', () => ({ publicKey: pair.publicKey, algorithms: Array(1) })],
    ['B-01 __proto__ as algorithm', () => ({ publicKey: pair.publicKey, algorithm: '__proto__' })],
    ['B-42 audience empty', () => ({ publicKey: pair.publicKey, audience: '' })],
    ['B-42 audience an empty list', () => ({ publicKey: pair.publicKey, audience: [] })],
    ['B-42 audience with a hole', () => ({ publicKey: pair.publicKey, audience: [undefined] })],
    ['B-42 audience null', () => ({ publicKey: pair.publicKey, audience: null })],
    ['B-42 issuer empty', () => ({ publicKey: pair.publicKey, issuer: '' })],
    ['B-42 issuer a number', () => ({ publicKey: pair.publicKey, issuer: 1 })],
    ['B-48 clockSkew of 301', () => ({ publicKey: pair.publicKey, clockSkew: 301 })],
    ['B-48 clockSkew of -1', () => ({ publicKey: pair.publicKey, clockSkew: -1 })],
    ['allowMissingExp a text', () => ({ publicKey: pair.publicKey, rules: { allowMissingExp: 'false' } })],
    ['requiredScopes a text', () => ({ publicKey: pair.publicKey, requiredScopes: 'read' })],
    ['requiredScopes with a hole', () => ({ publicKey: pair.publicKey, requiredScopes: Array(1) })],
    ['B-70 jwksUri over http', () => ({ jwksUri: 'http://as.example.com/jwks' })],
    ['B-70 jwksUri with a password', () => ({ jwksUri: 'https://user:pw@as.example.com/jwks' })],
    ['B-70 jwksUri that is no URL', () => ({ jwksUri: 'jwks' })],
    ['FL-23 an unknown option', () => ({ publicKey: pair.publicKey, verify: false })],
  ])('B-63 refuses %s', (_name, options) => {
    expect(() => jwtVerifier(options() as JwtVerifierOptions, quiet)).toThrow(TypeError)
  })

  it('B-70 takes http on this machine, and fetches nothing yet', () => {
    const fetch = () => Promise.reject(new Error('nobody asked'))
    expect(() => jwtVerifier({ jwksUri: 'http://127.0.0.1:9797/jwks' }, { ...quiet, fetch })).not.toThrow()
  })

  it('names the environment member that is wrong', () => {
    const options = { publicKey: pair.publicKey }
    expect(() => Reflect.apply(jwtVerifier, undefined, [options, { log: () => {} }])).toThrow(
      /unknown option "log"/,
    )
    expect(() => Reflect.apply(jwtVerifier, undefined, [options, { clock: 5 }])).toThrow(
      /clock must be a function/,
    )
  })

  it('D4 B-42 warns once for each check that is left out, saying what to set', () => {
    const logged: LogEntry[] = []
    const environment = { logger: (entry: LogEntry) => logged.push(entry) }
    jwtVerifier({ publicKey: pair.publicKey }, environment)
    expect(logged.map(({ event }) => event)).toEqual(['audience_unchecked', 'issuer_unchecked'])
    expect(logged[0]?.message).toMatch(/Set audience/)
    expect(logged[1]?.message).toMatch(/Set issuer/)
    jwtVerifier({ publicKey: pair.publicKey, issuer, audience }, environment)
    expect(logged).toHaveLength(2)
  })

  it('D8 names authorization servers only where jwksUri and issuer are both given', () => {
    const jwksUri = 'https://as.example.com/jwks'
    expect(jwtVerifier({ jwksUri, issuer }, quiet).authorizationServers).toEqual([issuer])
    expect(jwtVerifier({ jwksUri }, quiet)).not.toHaveProperty('authorizationServers')
    expect(jwtVerifier({ publicKey: pair.publicKey, issuer }, quiet)).not.toHaveProperty(
      'authorizationServers',
    )
  })

  it('copies what it is given, and changes none of it', async () => {
    const options = {
      publicKey: pair.publicKey,
      issuer: [issuer],
      audience: [audience],
      requiredScopes: ['a'],
    }
    const verifier = jwtVerifier(options, quiet)
    options.audience.push('https://other.example')
    options.requiredScopes.push('b')
    const token = await pair.createToken({ issuer, audience: 'https://other.example', scopes: ['a'] })
    expect(await verifier.verifyToken(token)).toBeNull()
    expect(verifier.requiredScopes).toEqual(['a'])
  })
})

describe('jwtVerifier', () => {
  it('takes the token of a key pair with its defaults', async () => {
    const verifier = jwtVerifier({
      publicKey: pair.publicKey,
      issuer: 'https://dev.example.com',
      audience: 'my-dev-server',
    })
    const token = await pair.createToken({
      subject: 'dev-user',
      issuer: 'https://dev.example.com',
      audience: 'my-dev-server',
      scopes: ['read', 'write'],
    })
    expect(await verifier.verifyToken(token)).toMatchObject({
      token,
      clientId: 'dev-user',
      subject: 'dev-user',
      scopes: ['read', 'write'],
    })
  })

  it('B-42 without audience and issuer takes any', async () => {
    const verifier = jwtVerifier({ publicKey: pair.publicKey }, quiet)
    expect(await verifier.verifyToken(await pair.createToken({ audience: 'x' }))).not.toBeNull()
    expect(
      await verifier.verifyToken(await pair.createToken({ additionalClaims: { iss: ['x'] } })),
    ).toBeNull()
  })

  it('B-44 takes one of several issuers and audiences', async () => {
    const verifier = jwtVerifier(
      { publicKey: pair.publicKey, issuer: ['a', issuer], audience: ['b', audience] },
      quiet,
    )
    expect(await verifier.verifyToken(await pair.createToken({ issuer, audience }))).not.toBeNull()
    expect(
      await verifier.verifyToken(await pair.createToken({ issuer: 'a', audience: ['b'] })),
    ).not.toBeNull()
    expect(await verifier.verifyToken(await pair.createToken({ issuer: 'b', audience: 'a' }))).toBeNull()
  })

  it('B-45 FL-35 allowMissingExp lets an absent exp pass, and nothing else', async () => {
    const verifier = jwtVerifier({ publicKey: pair.publicKey, rules: { allowMissingExp: true } }, quiet)
    const token = (exp: unknown) => pair.createToken({ additionalClaims: { exp } })
    const accepted = await verifier.verifyToken(await token(undefined))
    expect(accepted?.expiresAt).toBeUndefined()
    for (const exp of [null, '9999999999', 0, 1])
      expect(await verifier.verifyToken(await token(exp))).toBeNull()
  })

  it('B-48 applies the skew it is given', async () => {
    const environment = { ...quiet, clock: () => 1_000_000_000_000 }
    const late = await pair.createToken({ expiresInSeconds: 10 }, () => 1_000_000_000_000 - 40_000)
    const strict = jwtVerifier({ publicKey: pair.publicKey, clockSkew: 30 }, environment)
    const loose = jwtVerifier({ publicKey: pair.publicKey, clockSkew: 31 }, environment)
    expect(await strict.verifyToken(late)).toBeNull()
    expect(await loose.verifyToken(late)).not.toBeNull()
  })

  it('FL-42 a good token without the required scopes is insufficient_scope, a bad one is null', async () => {
    const verifier = jwtVerifier({ publicKey: pair.publicKey, requiredScopes: ['read', 'write'] }, quiet)
    const refused = await verifier
      .verifyToken(await pair.createToken({ scopes: ['read'] }))
      .catch((error) => error)
    expect(refused).toMatchObject({
      code: 'insufficient_scope',
      scopes: ['read', 'write'],
    } satisfies Partial<AuthError>)
    expect(await verifier.verifyToken(await pair.createToken({ expiresInSeconds: -3600 }))).toBeNull()
    expect(await verifier.verifyToken(await pair.createToken({ scopes: ['write', 'read'] }))).not.toBeNull()
  })

  it('tells the reason of each refusal, and survives a callback that throws', async () => {
    const reasons: RefusalReason[] = []
    const environment = {
      ...quiet,
      onRefused: ({ reason }: TokenRefusal) => {
        reasons.push(reason)
        throw new Error('broken callback')
      },
    }
    const verifier = jwtVerifier({ publicKey: pair.publicKey, issuer }, environment)
    expect(await verifier.verifyToken('x')).toBeNull()
    expect(await verifier.verifyToken(await pair.createToken({ issuer, expiresInSeconds: -3600 }))).toBeNull()
    expect(await verifier.verifyToken(await pair.createToken())).toBeNull()
    expect(reasons).toEqual(['malformed', 'expired', 'wrong_issuer'])
  })

  it('B-121 judges time and the last word again for whoever remembers its verdict', async () => {
    let now = Date.now()
    let isTenant = true
    const clock = () => now
    const verifier = cached(
      jwtVerifier(
        { publicKey: pair.publicKey, rules: { maxTokenAge: 60, validate: () => isTenant }, clockSkew: 0 },
        { ...quiet, clock },
      ),
      { maxAge: 3600 },
      { ...quiet, clock },
    )
    const token = await pair.createToken({}, clock)
    expect(await verifier.verifyToken(token)).not.toBeNull()
    isTenant = false
    expect(await verifier.verifyToken(token)).toBeNull()
    isTenant = true
    expect(await verifier.verifyToken(token)).not.toBeNull()
    now += 60_000
    expect(await verifier.verifyToken(token)).toBeNull()
  })

  it.each([undefined, null, 7, {}, ['a.b.c']])('refuses %j, which is no text', async (token) => {
    const { verifyToken } = jwtVerifier({ publicKey: pair.publicKey }, quiet)
    expect(await Reflect.apply(verifyToken, undefined, [token])).toBeNull()
  })

  it('FL-71 shows neither key nor secret', () => {
    const secret = 'a-shared-secret-of-more-than-32-bytes'
    const verifier = jwtVerifier({ secret, algorithm: 'HS256' }, quiet)
    expect(inspect(verifier, { depth: 9, showHidden: true })).not.toContain(secret)
  })
})

describe('B-01 FL-39 algorithms', () => {
  const pairs = {
    RS256: () => RSAKeyPair.generate(),
    RS384: () => RSAKeyPair.generate({ algorithm: 'RS384' }),
    RS512: () => RSAKeyPair.generate({ algorithm: 'RS512' }),
    PS256: () => RSAKeyPair.generate({ algorithm: 'PS256' }),
    PS384: () => RSAKeyPair.generate({ algorithm: 'PS384' }),
    PS512: () => RSAKeyPair.generate({ algorithm: 'PS512' }),
    ES256: () => ECKeyPair.generate(),
    ES384: () => ECKeyPair.generate({ curve: 'P-384' }),
    ES512: () => ECKeyPair.generate({ curve: 'P-521' }),
    EdDSA: () => Ed25519KeyPair.generate(),
  } as const
  const names = Object.keys(pairs) as (keyof typeof pairs)[]

  it.each(names)('%s passes where it is named, and nowhere else', async (name) => {
    const own = await pairs[name]()
    const token = await own.createToken()
    const named = jwtVerifier({ publicKey: own.publicKey, algorithm: name }, quiet)
    expect(await named.verifyToken(token)).not.toBeNull()
    for (const other of names.filter((one) => one !== name)) {
      const verify = async () =>
        jwtVerifier({ publicKey: own.publicKey, algorithms: [other] }, quiet).verifyToken(token)
      // Either the key does not fit the other algorithm, or the token names one that is not allowed.
      expect(await verify().catch((error) => (error instanceof TypeError ? null : error))).toBeNull()
    }
  })

  it('several names: the key decides which of them can be used', async () => {
    const verifier = jwtVerifier(
      { publicKey: pair.publicKey, algorithms: ['RS256', 'RS512', 'ES256'] },
      quiet,
    )
    const other = RSAKeyPair.fromPem(pair.privateKey, { algorithm: 'RS512' })
    const third = RSAKeyPair.fromPem(pair.privateKey, { algorithm: 'RS384' })
    expect(await verifier.verifyToken(await pair.createToken())).not.toBeNull()
    expect(await verifier.verifyToken(await other.createToken())).not.toBeNull()
    expect(await verifier.verifyToken(await third.createToken())).toBeNull()
  })
})
