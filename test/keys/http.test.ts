import { createServer } from 'node:http'
import { AuthError } from 'mcp-bearer'
import { type BearerGateOptions, bearerAuth } from 'mcp-bearer/node'
import { anyOf, jwtVerifier } from 'mcp-bearer/verify'
import { describe, expect, it } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { askRaw, listening, post, type RawAnswer, request } from '../http/support.ts'
import { breakable, keyHouse, undated } from './http-support.ts'

/** API keys over HTTP, and what the wire says of them (requirements, group K). */

const quiet = { logger: () => {} }

/** A server that lets holders of good keys in. */
function houseOf(more: Parameters<typeof keyHouse>[0] = {}) {
  const house = keyHouse(more)
  async function ask(bytes: string, options: Partial<BearerGateOptions> = {}): Promise<RawAnswer> {
    const gate = {
      verifier: house.verifier,
      requiredScopes: ['mcp:read'],
      clock: house.clock,
      ...quiet,
      ...options,
    }
    const { port, close } = await listening(
      createServer(bearerAuth(gate, (req, res) => res.end(JSON.stringify(req.auth)))),
    )
    try {
      return await askRaw(port, bytes)
    } finally {
      await close()
    }
  }
  const bearing = (key: string, options?: Partial<BearerGateOptions>) =>
    ask(post(`Authorization: Bearer ${key}`), options)
  return { ...house, ask, bearing }
}

const exchanged = (key: string, at: number) => {
  const other = key[at] === 'x' ? 'y' : 'x'
  return `${key.slice(0, at)}${other}${key.slice(at + 1)}`
}
const swappedCase = (text: string) =>
  text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  )

describe('API keys over HTTP', () => {
  it('K01 B-103 a good one lets in, as the principal and with the scopes of its record', async () => {
    const { made, bearing } = houseOf()
    const { key, id } = await made({
      scopes: ['mcp:read', 'mcp:write'],
      tenant: 'acme',
      metadata: { team: 'a' },
    })
    const answer = await bearing(key)
    expect(answer.status).toBe(200)
    expect(answer.raw).not.toContain(key)
    const { clientId, scopes, extra, ...rest } = JSON.parse(answer.body)
    expect({ clientId, scopes, sub: extra.sub, iss: extra.iss, rest }).toEqual({
      clientId: id,
      scopes: ['mcp:read', 'mcp:write'],
      sub: 'alice',
      iss: undefined,
      rest: {},
    })
    expect(extra.claims).toMatchObject({
      key_id: id,
      name: 'test',
      tenant_id: 'acme',
      metadata: { team: 'a' },
    })
  })

  it('K02 is taken from a configured header as well, and only when it is configured', async () => {
    const { made, ask } = houseOf()
    const { key } = await made()
    const line = post(`X-API-Key: ${key}`)
    expect((await ask(line, { apiKeyHeader: 'X-API-Key' })).status).toBe(200)
    expect((await ask(line)).status).toBe(401)
    const both = post(`X-API-Key: ${key}`, `Authorization: Bearer ${key}`)
    expect((await ask(both, { apiKeyHeader: 'X-API-Key' })).status).toBe(400)
  })

  it.each<[string, (key: string, id: string) => string]>([
    ['K03 one character of the secret changed', (key) => exchanged(key, 30)],
    ['K03 one character of the checksum changed', (key) => exchanged(key, key.length - 1)],
    ['K03 one character less', (key) => key.slice(0, -1)],
    ['K03 one character more', (key) => `${key}0`],
    ['K04 in other case', swappedCase],
    ['K07 the digest instead of the key', (key) => Buffer.from(keyHasher().hash(key)).toString('hex')],
    ['K07 the digest in another encoding', (key) => Buffer.from(keyHasher().hash(key)).toString('base64url')],
    ['K07 its public id', (_key, id) => id],
    ['K11 __proto__', () => '__proto__'],
    ['K11 constructor', () => 'constructor'],
    ['K11 toString', () => 'toString'],
  ])('%s: invalid_token', async (_name, change) => {
    const { made, bearing } = houseOf()
    const { key, id } = await made()
    const answer = await bearing(change(key, id))
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')[0]).toContain('error="invalid_token"')
    expect(answer.raw).not.toContain(change(key, id))
  })

  it('K05 K06 K08 A-38 a key that is revoked, expired, disabled, not valid yet, of another server, unknown, or has a wrong secret gets the same bytes', async () => {
    const { made, keys, time, bearing } = houseOf({ audience: 'https://mcp.example.com' })
    const audience = 'https://mcp.example.com'
    const [good, revoked, expired, disabled, later, foreign] = await Promise.all([
      made({ audience }),
      made({ audience }),
      made({ audience, expiresInSeconds: 60 }),
      made({ audience }),
      made({ audience, notBefore: new Date(time.now + 3_600_000) }),
      made({ audience: 'https://other.example.com' }),
    ])
    await keys.revoke(revoked!.id)
    await keys.disable(disabled!.id)
    time.now += 61_000
    expect((await bearing(good!.key)).status).toBe(200)
    const { key: unknown } = makeKey('mcpk', 'live')
    const expectation = undated(await bearing(unknown))
    expect(expectation).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/)
    const wrongSecret = wrongSecretOf(good!.key)
    const cases = { revoked, expired, disabled, later, foreign }
    for (const [name, one] of Object.entries(cases))
      expect([name, undated(await bearing(one!.key))]).toEqual([name, expectation])
    expect(undated(await bearing(wrongSecret))).toBe(expectation)
    expect(undated(await bearing(exchanged(good!.key, 30)))).toBe(expectation)
    expect(undated(await bearing(makeKey('mcpk', 'test').key))).toBe(expectation)
    expect(undated(await bearing('sk-something-else-altogether'))).toBe(expectation)
  })

  it('K08 with the id of a key that exists and another secret: invalid_token', async () => {
    const { made, bearing } = houseOf()
    const { key } = await made()
    expect((await bearing(key)).status).toBe(200)
    expect((await bearing(wrongSecretOf(key))).status).toBe(401)
  })

  it.each(['Bearer', 'Bearer ', 'Bearer    '])('K09 an empty one is none: %j', async (value) => {
    const { ask } = houseOf()
    const answer = await ask(post(`Authorization: ${value}`))
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')[0]).not.toContain('error')
  })

  it('K09 an empty configured header is none', async () => {
    const { ask } = houseOf()
    for (const value of ['', '  ']) {
      const answer = await ask(post(`X-API-Key: ${value}`), { apiKeyHeader: 'x-api-key' })
      expect(answer.status).toBe(401)
      expect(answer.header('www-authenticate')[0]).not.toContain('error')
    }
  })

  it('K10 one of a megabyte is refused before the store is asked', async () => {
    const store = memoryKeyStore()
    let asked = 0
    const find = store.find.bind(store)
    store.find = (id) => {
      asked += 1
      return find(id)
    }
    const { bearing } = houseOf({ store })
    expect([401, 431]).toContain((await bearing('k'.repeat(1_000_000))).status)
    expect((await bearing('k'.repeat(8000))).status).toBe(401)
    expect(asked).toBe(0)
    await bearing(makeKey('mcpk', 'live').key)
    expect(asked).toBe(1)
  })

  it('K12 without the scope: 403, naming it', async () => {
    const { made, bearing } = houseOf()
    const { key } = await made({ scopes: [] })
    const answer = await bearing(key)
    expect(answer.status).toBe(403)
    expect(answer.header('www-authenticate')[0]).toContain('scope="mcp:read"')
    expect(JSON.parse(answer.body).error).toBe('insufficient_scope')
  })

  it('K13 B-106 a store that cannot be reached: 503, and nothing of why', async () => {
    const down = () =>
      new AuthError('verifier_unavailable', 'connect ECONNREFUSED 10.0.0.5 as postgres:hunter2')
    const { store, ...rest } = breakable(memoryKeyStore(), down)
    const { made, bearing } = houseOf({ store, maxAge: 0 })
    const { key } = await made()
    expect((await bearing(key)).status).toBe(200)
    rest.break()
    const answer = await bearing(makeKey('mcpk', 'live').key)
    expect(answer.status).toBe(503)
    expect(Number(answer.header('retry-after')[0])).toBeGreaterThan(0)
    expect(answer.raw).not.toMatch(/10\.0\.0\.5|hunter2|postgres/)
    // What cannot be a key is bad, whether or not the store is there.
    expect((await bearing('sk-nothing')).status).toBe(401)
  })

  it('K14 FL-46 one without expiry lets in, today and in a hundred years', async () => {
    const { made, time, bearing } = houseOf()
    const { key } = await made()
    expect((await bearing(key)).status).toBe(200)
    time.now += 100 * 365 * 86_400_000
    expect((await bearing(key)).status).toBe(200)
  })

  it('K15 two keys with one digest cannot be in one store', async () => {
    const { keys } = houseOf()
    const imported = { key: 'legacy-9mJ0xWq3TtB4hRk2Ld8Z', name: 'old', owner: 'alice' }
    const results = await keys.import([imported, imported])
    expect(results.filter((result) => 'error' in result)).toHaveLength(1)
  })

  it('K16 B-62 what looks like a JWT goes to the verifier of JWTs only, and a key to that of keys', async () => {
    const { made, verifier, bearing, clock } = houseOf({ imported: true })
    const { key } = await made()
    const issuer = 'https://as.example.com'
    const requests: string[] = []
    const jwt = jwtVerifier(
      { jwksUri: `${issuer}/jwks`, issuer, audience: 'me' },
      {
        ...quiet,
        clock,
        fetch: async (url) => {
          requests.push(String(url))
          throw new Error('nobody there')
        },
      },
    )
    const chain = anyOf([jwt, verifier], { ...quiet, clock })
    expect((await bearing(key, { verifier: chain })).status).toBe(200)
    expect(requests).toEqual([])
    const lookalike = `${encode({ alg: 'RS256', kid: 'a' })}.${encode({ iss: issuer, exp: 1_900_000_000, aud: 'me' })}.c2ln`
    expect((await bearing(lookalike, { verifier: chain })).status).toBe(503)
    expect(requests.length).toBeGreaterThan(0)
  })

  it('B-109 X33 is never taken from the query, in any spelling of its name', async () => {
    const { made, ask } = houseOf()
    const { key } = await made()
    for (const name of ['access_token', 'token', 'api_key', 'key']) {
      const answer = await ask(request(`POST /mcp?${name}=${key} HTTP/1.1`, [], '{}'))
      expect(answer.status).toBe(401)
      expect(answer.raw).not.toContain(key)
    }
  })

  it('B-104 a key that was replaced works until its grace is over, beside the new one', async () => {
    const { made, keys, time, bearing } = houseOf()
    const { key, id } = await made()
    const { key: next } = await keys.rotate(id, { graceSeconds: 60 })
    const seen = async () => [(await bearing(key)).status, (await bearing(next)).status]
    expect(await seen()).toEqual([200, 200])
    time.now += 59_000
    expect(await seen()).toEqual([200, 200])
    time.now += 2000
    expect(await seen()).toEqual([401, 200])
  })

  it('B-104 FL-98 one that is revoked, disabled or narrowed is refused on the very next request', async () => {
    const { made, keys, bearing } = houseOf()
    const [revoked, disabled, narrowed] = await Promise.all([made(), made(), made()])
    for (const { key } of [revoked!, disabled!, narrowed!]) expect((await bearing(key)).status).toBe(200)
    await keys.revoke(revoked!.id)
    expect((await bearing(revoked!.key)).status).toBe(401)
    await keys.disable(disabled!.id)
    expect((await bearing(disabled!.key)).status).toBe(401)
    await keys.enable(disabled!.id)
    expect((await bearing(disabled!.key)).status).toBe(200)
    await keys.update(narrowed!.id, { scopes: [] })
    expect((await bearing(narrowed!.key)).status).toBe(403)
    await keys.update(narrowed!.id, { scopes: ['mcp:read'], tools: ['search'] })
    expect((await bearing(narrowed!.key)).status).toBe(403)
  })
})

describe('API keys that are bound to addresses', () => {
  it('B-103 are good from there, as the socket says', async () => {
    const { made, bearing } = houseOf()
    const [here, elsewhere] = await Promise.all([
      made({ addresses: ['127.0.0.0/8', '::1'] }),
      made({ addresses: ['192.0.2.0/24'] }),
    ])
    expect((await bearing(here!.key)).status).toBe(200)
    expect((await bearing(elsewhere!.key)).status).toBe(401)
  })

  it('B-103 D-07 as proxies of ones own say, and nobody else', async () => {
    const { made, ask } = houseOf()
    const { key } = await made({ addresses: ['192.0.2.0/24'] })
    const from = async (options: Partial<BearerGateOptions>, ...lines: string[]) =>
      (await ask(post(`Authorization: Bearer ${key}`, ...lines), options)).status
    expect(await from({}, 'X-Forwarded-For: 192.0.2.7')).toBe(401)
    expect(await from({ trustProxy: 1 }, 'X-Forwarded-For: 192.0.2.7')).toBe(200)
    expect(await from({ trustProxy: 1 }, 'X-Forwarded-For: 192.0.2.7, 198.51.100.1')).toBe(401)
    expect(await from({ trustProxy: 2 }, 'X-Forwarded-For: 192.0.2.7, 198.51.100.1')).toBe(200)
    expect(await from({ trustProxy: 2 }, 'X-Forwarded-For: 192.0.2.7')).toBe(401)
  })

  it('B-103 are not good through a proxy that says nothing, not even from its own network', async () => {
    const { made, bearing } = houseOf()
    const { key } = await made({ addresses: ['127.0.0.0/8'] })
    expect((await bearing(key, { trustProxy: 1 })).status).toBe(401)
  })
})

describe('the audit of keys', () => {
  it('B-122 names the request, the key and the reason, and never the secret', async () => {
    const { made, keys, verifier, ask } = houseOf()
    const { key, id } = await made()
    await keys.revoke(id)
    await ask(post(`Authorization: Bearer ${key}`, 'X-Request-Id: req-42'))
    await verifier.close()
    const [event] = await keys.audit({ event: 'auth.failure' })
    expect(event).toMatchObject({ keyId: id, reason: 'revoked', requestId: 'req-42', address: '127.0.0.1' })
    expect(JSON.stringify(await keys.audit())).not.toContain(key)
  })

  it('B-122 does not take the key for the name of the request, whatever it looks like', async () => {
    const { store, keys, verifier, ask } = houseOf({ imported: true })
    const key = 'team-billing.9f8e7d6c5b4a39281706f5e4'
    await apiKeys({ store }).import([{ name: 'old', owner: 'bob', key, scopes: ['mcp:read'] }])
    for (const name of [key, `req:${key}`])
      expect((await ask(post(`Authorization: Bearer ${key}`, `X-Request-Id: ${name}`))).status).toBe(200)
    await verifier.close()
    const [event] = await keys.audit({ event: 'key.first_use' })
    expect(event).toMatchObject({ address: '127.0.0.1' })
    expect(JSON.stringify(await keys.audit())).not.toContain(key)
  })
})

/** The same id, a secret of its own, and a checksum that fits. */
function wrongSecretOf(key: string): string {
  const { crc32 } = process.getBuiltinModule('node:zlib')
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const body = exchanged(key.slice(0, -6), 30)
  let rest = crc32(body)
  let checksum = ''
  for (let place = 0; place < 6; place++) {
    checksum = `${digits[rest % 62]}${checksum}`
    rest = Math.floor(rest / 62)
  }
  return body + checksum
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
