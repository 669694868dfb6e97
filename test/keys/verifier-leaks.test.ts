import { AuthError } from 'mcp-bearer'
import { assertShowsNoSecret } from 'mcp-bearer/testing'
import { expect, it, onTestFinished } from 'vitest'
import { makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import { formatLogEntry } from '../../src/core/log.ts'
import { ApiKeyAuthProvider } from '../../src/verify/api-key-provider.ts'
import { database, start, stopwatch, verifierOn, watched } from './verifier-world.ts'

const pepper = { id: 'p1', secret: 'a pepper that is at least thirty-two bytes' }

/** What must not be seen of a key: all of it, its secret, and its digests in every way of writing. */
function secretsOf(key: string): string[] {
  const digests = [keyHasher().hash(key), keyHasher([pepper]).hash(key)].map((hash) => Buffer.from(hash))
  return [
    key,
    key.slice(-38),
    ...digests.flatMap((hash) => [hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')]),
  ]
}

it('B-100 FL-71 no key, no part of one, no digest and no pepper is in what a verifier shows, says, logs, throws or writes down', async () => {
  const db = database()
  const keys = {
    good: await db.add(),
    fresh: await db.add({ firstUsedAt: undefined } as never),
    revoked: await db.add({ state: 'revoked' }),
    disabled: await db.add({ isEnabled: false }),
    early: await db.add({ notBefore: start + 1 }),
    expired: await db.add({ expiresAt: start }),
    test: await db.add({ environment: 'test' }),
    foreign: await db.add({ audiences: ['https://other.example.com'] }),
    bound: await db.add({ addresses: ['192.0.2.0/24'] }),
    limited: await db.add({ rateLimit: 1 }),
    exhausted: await db.add({ usageLimit: 1, usageLeft: 0 }),
    narrow: await db.add({ scopes: [] }),
  }
  const shown = Object.values(keys).map(({ key }) => key)
  const wrong = [
    makeKey('mcpk', 'live').key,
    ...shown.flatMap((key) => [
      `${key}x`,
      key.slice(0, -1),
      key.slice(0, 30),
      key.toUpperCase(),
      `Bearer ${key}`,
    ]),
  ]
  const store = watched(db.open())
  const watch = stopwatch()
  const errors: unknown[] = []
  const options = { requiredScopes: ['read'], peppers: [pepper], unpeppered: true, serveLastKnownFor: 60 }
  const world = await verifierOn(store.store, options)
  const provider = new ApiKeyAuthProvider(
    { store: db.open(), peppers: [pepper], unpeppered: true, imported: true },
    { logger: (entry) => world.logs.push(entry), onRefused: (refusal) => world.refusals.push(refusal) },
  )
  onTestFinished(() => provider.close())
  const verifyAll = async () => {
    for (const text of [...shown, ...shown, ...wrong]) {
      await world.verify(text).catch((error: unknown) => errors.push(error))
      await provider.verifyToken(text).catch((error: unknown) => errors.push(error))
    }
  }
  await verifyAll()
  await world.sync()
  await verifyAll()
  watch.pass(6000)
  store.answer(() => {
    throw new AuthError('verifier_unavailable')
  })
  await verifyAll()
  store.answer((id) => ({ id, hash: 'junk' }))
  watch.pass(60_000)
  await verifyAll()

  const audit = await store.store.readAudit({ limit: 1000 })
  expect(new Set(world.refusals.map(({ reason }) => reason)).size).toBeGreaterThan(9)
  expect(errors.length).toBeGreaterThan(10)
  expect(world.events.some(({ type }) => type === 'fail_open')).toBe(true)
  const all = {
    verifier: world.verifier,
    provider,
    refusals: world.refusals,
    logs: world.logs,
    lines: world.logs.map(formatLogEntry),
    events: world.events,
    errors,
    audit,
  }
  const secrets = [...shown, ...wrong.filter((text) => text.length >= 30)].flatMap((key) =>
    key.length > 38 ? secretsOf(key) : [key],
  )
  for (const [what, value] of Object.entries(all)) {
    assertShowsNoSecret(`the ${what}`, value, [...secrets, pepper.secret])
  }
})
