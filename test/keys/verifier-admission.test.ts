import { generateKeyPairSync } from 'node:crypto'
import { AuthError } from 'mcp-bearer'
import { anyOf, cached, jwtVerifier, memoryRevocations, revocable } from 'mcp-bearer/verify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeKey } from '../../src/apikeys/format.ts'
import { ApiKeyAuthProvider } from '../../src/verify/api-key-provider.ts'
import { database, start, verifierOn, watched } from './verifier-world.ts'

const quiet = { logger: () => {} }
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
const jwts = (issuer: string) => jwtVerifier({ publicKey: pem, issuer, audience: 'a' }, quiet)

describe('a key with a rate limit', () => {
  it('is rate_limited beyond it, with when to come back; that uses nothing up', async () => {
    const db = database()
    const { key, id } = await db.add({ rateLimit: 2, usageLimit: 10, usageLeft: 10 })
    const store = db.open()
    const { verify, verifier, events } = await verifierOn(store)
    expect(await verify(key)).not.toBeNull()
    expect(await verify(key)).not.toBeNull()
    const refused: unknown = await verify(key).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(AuthError)
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfter: 30 })
    const decisions = events.flatMap((event) => (event.type === 'rate_limit' ? [event.result] : []))
    expect(decisions).toEqual(['allowed', 'allowed', 'refused'])
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: 'rate_limited' })
    await verifier.close()
    expect(await store.find(id)).toMatchObject({ usageLeft: 8, useCount: 2 })
    const told = await store.readAudit({ keyId: id, event: 'auth.rate_limited' })
    expect(told).toHaveLength(1)
  })

  it('that is bad in another way is just bad, and counts for nothing', async () => {
    const db = database()
    const { key } = await db.add({ rateLimit: 1, expiresAt: start })
    const { verify, events } = await verifierOn(db.open())
    for (let use = 0; use < 3; use++) expect(await verify(key)).toBeNull()
    expect(events.some(({ type }) => type === 'rate_limit')).toBe(false)
  })
})

describe('a key with a usage limit', () => {
  it('works so often, on all nodes together', async () => {
    const db = database()
    const { key } = await db.add({ usageLimit: 7, usageLeft: 7 })
    const nodes = [await verifierOn(db.open()), await verifierOn(db.open())]
    let good = 0
    for (let use = 0; use < 20; use++) {
      const node = nodes[use % 2]
      if ((await node?.verify(key)) !== null) good += 1
    }
    expect(good).toBe(7)
    expect(nodes[0]?.reason()).toBe('usage_exhausted')
  })
})

describe('a look at a token again', () => {
  it('is no use: it counts for no limit, for no last use, and in no log of refusals', async () => {
    const db = database()
    const { key, id } = await db.add({ rateLimit: 1, usageLimit: 1, usageLeft: 1 })
    const bad = await db.add({ expiresAt: start })
    const store = db.open()
    const { verify, verifier } = await verifierOn(store)
    for (let look = 0; look < 5; look++) {
      expect(await verify(key, { isRecheck: true })).not.toBeNull()
      expect(await verify(bad.key, { isRecheck: true })).toBeNull()
      expect(await verify(makeKey('mcpk', 'live').key, { isRecheck: true })).toBeNull()
    }
    await verifier.close()
    expect(await store.find(id)).toMatchObject({ usageLeft: 1, useCount: 0 })
    expect(await store.readAudit({ event: 'auth.failure' })).toEqual([])
  })
})

describe('what is written down', () => {
  it('the first use of a key, from where, and on which request', async () => {
    const db = database()
    const { key, id } = await db.add({ firstUsedAt: undefined } as never)
    const store = db.open()
    const { verify, verifier } = await verifierOn(store)
    expect(await verify(key, { address: '192.0.2.1', requestId: 'r-1' })).not.toBeNull()
    await verifier.close()
    expect(await store.readAudit({ keyId: id, event: 'key.first_use' })).toMatchObject([
      { address: '192.0.2.1', requestId: 'r-1' },
    ])
    expect(await store.find(id)).toMatchObject({ firstUsedAt: start, lastUsedAddress: '192.0.2.1' })
  })

  it('refusals of keys by their reason; garbage writes nothing', async () => {
    const db = database()
    const revoked = await db.add({ state: 'revoked' })
    const narrow = await db.add()
    const store = db.open()
    const { verify, verifier } = await verifierOn(store, { requiredScopes: ['admin'] })
    for (let use = 0; use < 3; use++) {
      expect(await verify(revoked.key)).toBeNull()
      expect(await verify(makeKey('mcpk', 'live').key)).toBeNull()
      await expect(verify(narrow.key)).rejects.toMatchObject({ code: 'insufficient_scope' })
      for (const garbage of ['x', 'YOUR_API_KEY', `${revoked.key}x`]) expect(await verify(garbage)).toBeNull()
    }
    await verifier.close()
    const told = await store.readAudit({ event: 'auth.failure' })
    const reasons = new Set(told.map(({ reason }) => reason))
    expect(reasons).toEqual(new Set(['revoked', 'unknown_key', 'insufficient_scope']))
    expect(told.filter(({ keyId }) => keyId === revoked.id).map(({ reason }) => reason)).toContain('revoked')
  })
})

describe('beside other verifiers', () => {
  it('K16 each credential goes to its own, by its looks', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const keys = await verifierOn(store.store)
    const verifier = anyOf([jwts('https://as.example.com'), keys.verifier], quiet)
    expect(await verifier.verifyToken(key)).not.toBeNull()
    const reads = store.asked.length
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const jwt = `${part({ alg: 'RS256' })}.${part({ iss: 'https://as.example.com' })}.c2ln`
    for (const text of [jwt, 'a.b.c', 'opaque']) expect(await verifier.verifyToken(text)).toBeNull()
    expect(store.asked.length).toBe(reads)
  })

  it('two stores: a key of the second is asked about there when the first does not know it', async () => {
    const [first, second] = [database(), database()]
    const [one, other] = [await first.add(), await second.add()]
    const verifier = anyOf(
      [(await verifierOn(first.open())).verifier, (await verifierOn(second.open())).verifier],
      quiet,
    )
    expect((await verifier.verifyToken(one.key))?.clientId).toBe(one.id)
    expect((await verifier.verifyToken(other.key))?.clientId).toBe(other.id)
    expect(await verifier.verifyToken(makeKey('mcpk', 'live').key)).toBeNull()
  })

  it('a key that is mistyped or cut off is shown to nobody else', async () => {
    const db = database()
    const { key } = await db.add()
    const seen: string[] = []
    const other = {
      async verifyToken(token: string) {
        seen.push(token)
        return null
      },
    }
    const keys = await verifierOn(db.open(), { prefix: 'mcpk' })
    const verifier = anyOf([other, keys.verifier], quiet)
    const typo = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a')
    for (const text of [typo, key.slice(0, -5), `${key}x`])
      expect(await verifier.verifyToken(text)).toBeNull()
    expect(seen).toEqual([])
  })

  it('revocable stands around it, and scopes are asked for last', async () => {
    const db = database()
    const { key } = await db.add()
    const revocations = memoryRevocations()
    const keys = await verifierOn(db.open(), { requiredScopes: ['admin'] })
    const verifier = revocable(keys.verifier, revocations)
    await expect(verifier.verifyToken(key)).rejects.toMatchObject({ code: 'insufficient_scope' })
    revocations.revoke({ token: key })
    expect(await verifier.verifyToken(key)).toBeNull()
  })
})

describe('ApiKeyAuthProvider', () => {
  it('FL-100 cached refuses to stand around it, whatever stands in between: uses would not be counted', () => {
    const store = database().open()
    const own = new ApiKeyAuthProvider({ store })
    onTestFinished(() => own.close())
    for (const verifier of [
      own,
      revocable(own, memoryRevocations()),
      anyOf([jwts('https://a.example'), own]),
    ]) {
      expect(() => cached(verifier)).toThrow(/^cached: an apiKeyVerifier/)
    }
    expect(cached(jwts('https://a.example'))).toBeDefined()
  })

  it('is apiKeyVerifier with new: verdict, recheck, what it recognizes, close', async () => {
    const db = database()
    const { key, id } = await db.add()
    const provider = new ApiKeyAuthProvider({ store: db.open(), requiredScopes: ['read'] }, quiet)
    onTestFinished(() => provider.close())
    const token = await provider.verifyToken(key)
    expect(token?.clientId).toBe(id)
    expect(token && provider.recheck(token)).toBeUndefined()
    expect(provider.requiredScopes).toEqual(['read'])
    expect(provider.recognizes?.(key)).toBe(true)
    expect(provider.recognizes?.('a.b.c')).toBe(false)
    const around = anyOf([jwts('https://as.example.com'), provider], quiet)
    expect((await around.verifyToken(key))?.clientId).toBe(id)
    await provider.close()
    await expect(provider.verifyToken(key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
  })

  it('a subclass has the last word, also inside of anyOf', async () => {
    class Office extends ApiKeyAuthProvider {
      override async verifyToken(token: string) {
        const verified = await super.verifyToken(token)
        return verified?.subject === 'alice' ? verified : null
      }
    }
    const db = database()
    const [alice, bob] = [await db.add(), await db.add({ owner: { id: 'bob' } })]
    const provider = new Office({ store: db.open() }, quiet)
    onTestFinished(() => provider.close())
    for (const verifier of [provider, anyOf([provider], quiet)]) {
      expect(await verifier.verifyToken(alice.key)).not.toBeNull()
      expect(await verifier.verifyToken(bob.key)).toBeNull()
    }
  })
})
