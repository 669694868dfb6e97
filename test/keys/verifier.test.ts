import { createHash } from 'node:crypto'
import { scopePolicy } from 'mcp-bearer'
import { describe, expect, it } from 'vitest'
import { base62OfUint32 } from '../../src/apikeys/base62.ts'
import { crc32 } from '../../src/apikeys/crc32.ts'
import { importedId, makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'
import { database, start, verifierOn, watched } from './verifier-world.ts'

const day = 86_400_000

describe('a key that is good', () => {
  it('K01 gives the principal, scopes and claims of its record', async () => {
    const db = database()
    const { key, id } = await db.add({
      owner: { type: 'user', id: 'alice' },
      tenant: 't1',
      scopes: ['read', 'write'],
      tools: ['search'],
      metadata: { team: 'blue', constructor: 'acme' },
      expiresAt: start + day,
    })
    const { verify, events } = await verifierOn(db.open())
    const token = await verify(key)
    expect(token).toMatchObject({
      clientId: id,
      subject: 'alice',
      scopes: ['read', 'write'],
      tools: ['search'],
    })
    expect(token?.issuer).toBeUndefined()
    expect(token?.expiresAt).toEqual(new Date(start + day))
    expect({ ...token?.claims }).toEqual({
      key_id: id,
      lineage_id: id,
      name: 'CI',
      environment: 'live',
      owner_type: 'user',
      tenant_id: 't1',
      metadata: { team: 'blue', constructor: 'acme' },
    })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'accepted', method: 'api_key', cache: 'miss' }),
    )
  })

  it('K14 B-103 and does not expire is not expired, ever', async () => {
    const db = database()
    const { key } = await db.add()
    const { verify } = await verifierOn(db.open())
    db.pass(1000 * 365 * day)
    const token = await verify(key)
    expect(token?.expiresAt).toBeUndefined()
    expect(token?.isExpired(db.clock())).toBe(false)
  })

  it('K12 and has no scopes has none', async () => {
    const db = database()
    const { key } = await db.add({ scopes: [] })
    const { verify } = await verifierOn(db.open())
    expect((await verify(key))?.scopes).toEqual([])
  })

  it('and lacks a scope every key needs is insufficient_scope, unless it is bad in another way', async () => {
    const db = database()
    const { key, id } = await db.add({ scopes: ['read'] })
    const { verify, verifier } = await verifierOn(db.open(), { requiredScopes: ['write'] })
    await expect(verify(key)).rejects.toMatchObject({ code: 'insufficient_scope', scopes: ['write'] })
    const scopes = scopePolicy({ read: ['write'] })
    expect(await verify(key, { scopes })).not.toBeNull()
    expect(verifier.requiredScopes).toEqual(['write'])
    await db.change(id, { state: 'revoked', revokedAt: start })
    const other = await verifierOn(db.open(), { requiredScopes: ['write'] })
    expect(await other.verify(key)).toBeNull()
  })

  it('B-104 several of one owner work at once', async () => {
    const db = database()
    const [one, other] = [await db.add(), await db.add({ state: 'pending' })]
    const { verify } = await verifierOn(db.open())
    expect((await verify(one.key))?.subject).toBe('alice')
    expect((await verify(other.key))?.subject).toBe('alice')
  })
})

describe('a key that is not good', () => {
  const cases: readonly [string, Partial<KeyRecord>][] = [
    ['revoked', { state: 'revoked' }],
    ['disabled', { isEnabled: false }],
    ['not_yet_valid', { notBefore: start + 1 }],
    ['expired', { expiresAt: start }],
    ['wrong_environment', { environment: 'test' }],
    ['wrong_audience', { audiences: ['https://a.example.com'] }],
    ['address_not_allowed', { addresses: ['192.0.2.0/24'] }],
    ['usage_exhausted', { usageLimit: 5, usageLeft: 0 }],
  ]

  it.each(cases)('K05 K06 B-103 is refused as %s, remembered or not', async (reason, more) => {
    const db = database()
    const { key, id } = await db.add(more)
    const store = watched(db.open())
    const world = await verifierOn(store.store)
    expect(await world.verify(key)).toBeNull()
    await world.sync()
    expect(await world.verify(key)).toBeNull()
    expect(await world.verify(key)).toBeNull()
    expect(world.refusals.map((refusal) => refusal.reason)).toEqual([reason, reason, reason])
    expect(world.reason()).toBe(reason)
    expect(world.refusals[2]?.hint).toBe(`the key is ${id}: mcp-bearer keys show ${id}`)
    // One that is used up is read again, now and then: another key may have taken its place, and what is left.
    expect(store.asked.length).toBe(reason === 'usage_exhausted' ? 3 : 2)
  })

  it('is told of in the order of the checks', async () => {
    const all = Object.assign({}, ...cases.map(([, more]) => more)) as Partial<KeyRecord>
    const db = database()
    const { key, id } = await db.add({ ...all, notBefore: start + 1, expiresAt: start + 1 })
    const store = db.open()
    const world = await verifierOn(store, { requiredScopes: ['none-has-it'] })
    const repairs: readonly Partial<KeyRecord>[] = [
      { state: 'active' },
      { isEnabled: true },
      { notBefore: start },
      { expiresAt: start + 1 },
      { environment: 'live' },
      { audiences: undefined } as unknown as Partial<KeyRecord>,
    ]
    const told: (string | undefined)[] = []
    await db.change(id, { expiresAt: start })
    for (const repair of repairs) {
      const fresh = await verifierOn(db.open(), { requiredScopes: ['none-has-it'] })
      expect(await fresh.verify(key)).toBeNull()
      told.push(fresh.reason())
      await db.change(id, repair)
    }
    expect(told).toEqual(cases.slice(0, 6).map(([reason]) => reason))
    expect(await world.verify(key)).toBeNull()
    expect(world.reason()).toBe('address_not_allowed')
    await expect(world.verify(key, { address: '192.0.2.7' })).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })

  it('K05 nobody is told why but the operator: a caller never hears that a key has expired', async () => {
    const db = database()
    const { key } = await db.add({ expiresAt: start })
    const heard: string[] = []
    const { verify, reason } = await verifierOn(db.open())
    expect(await verify(key, { refused: (why) => void heard.push(why) })).toBeNull()
    expect(reason()).toBe('expired')
    expect(heard).toEqual([])
  })

  it('K03 K04 with a character changed, dropped, doubled, added or in the other case never reaches the store', async () => {
    const db = database()
    const { key } = await db.add()
    const store = watched(db.open())
    const { verify, refusals } = await verifierOn(store.store, { prefix: 'mcpk' })
    const at = (index: number) => key[index] ?? ''
    const forms = new Set<string>([key.toUpperCase(), key.toLowerCase(), `${key}A`, ` ${key}`, `${key}\n`])
    for (let index = 0; index < key.length; index++) {
      forms.add(key.slice(0, index) + (at(index) === 'a' ? 'b' : 'a') + key.slice(index + 1))
      forms.add(key.slice(0, index) + key.slice(index + 1))
      forms.add(key.slice(0, index) + at(index) + key.slice(index))
    }
    forms.delete(key)
    for (const form of forms) expect(await verify(form)).toBeNull()
    expect(store.asked).toEqual([])
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['malformed', 'bad_checksum']))
  })

  it('K07 K09 K10 K11 FL-33 garbage, words of JavaScript, a digest, and a megabyte never reach the store', async () => {
    const db = database()
    const { record } = await db.add()
    const hash = Buffer.from(record.hash)
    const store = watched(db.open())
    const { verify, refusals } = await verifierOn(store.store)
    const garbage = [
      '',
      ' ',
      '__proto__',
      'constructor',
      'toString',
      hash.toString('hex'),
      hash.toString('base64'),
      'mcpk_live_constructor_',
      'x'.repeat(1_000_000),
      '\ud800',
      7 as unknown as string,
      null as unknown as string,
    ]
    for (const text of garbage) expect(await verify(text)).toBeNull()
    expect(store.asked).toEqual([])
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['malformed', 'too_long']))
  })

  it('K11 B-101 with an id of its own making is not found, and a known id with another secret is wrong_secret', async () => {
    const db = database()
    const { key, id } = await db.add()
    const { verify, reason, refusals } = await verifierOn(db.open())
    const unknown = makeKey('mcpk', 'live')
    expect(await verify(unknown.key)).toBeNull()
    expect(reason()).toBe('unknown_key')
    expect(refusals[0]?.hint).toContain(unknown.id)
    const guess = withId(id)
    expect(guess).not.toBe(key)
    expect(await verify(guess)).toBeNull()
    expect(reason()).toBe('wrong_secret')
    expect(refusals[1]?.hint).toContain(id)
  })

  it('K08 B-101 a digest of the wrong length, or of an unknown kind, matches nothing and breaks nothing', async () => {
    const db = database()
    const { key } = await db.add({ hashAlgorithm: 'hmac-sha256:gone' })
    const { verify, reason } = await verifierOn(db.open())
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('wrong_secret')
  })

  it('FL-32 that is an example is explained in the log, and nowhere else', async () => {
    const db = database()
    const store = watched(db.open())
    const { verify, refusals, logs } = await verifierOn(store.store)
    for (const text of ['YOUR_API_KEY', 'changeme', 'undefined', '<token>', 'xxxxxxxx']) {
      expect(await verify(text)).toBeNull()
    }
    expect(refusals.every(({ reason, hint }) => reason === 'placeholder' && hint !== undefined)).toBe(true)
    expect(logs[0]).toMatchObject({ event: 'token_refused', details: { reason: 'placeholder' } })
    expect(store.asked).toEqual([])
  })

  it('of another project is refused without a look-up, where the prefix is known', async () => {
    const db = database()
    const { key, id } = await db.add({}, makeKey('other', 'live').key)
    const store = watched(db.open())
    const { verify, refusals } = await verifierOn(store.store, { prefix: 'mcpk' })
    expect(await verify(key)).toBeNull()
    expect(refusals[0]).toMatchObject({ reason: 'unknown_key', expected: 'mcpk', found: 'other' })
    expect(refusals[0]?.hint).toContain(id)
    expect(store.asked).toEqual([])
    expect(await (await verifierOn(store.store)).verify(key)).not.toBeNull()
  })
})

describe('B-103 a key and the server it is for', () => {
  const here = 'https://a.example.com/mcp'
  it.each<[string, readonly string[] | undefined, string | undefined, boolean]>([
    ['for this one', [here], here, true],
    ['for this one and another', ['https://b.example.com', here], here, true],
    ['for another one', ['https://b.example.com'], here, false],
    ['with a slash too many', [`${here}/`], here, false],
    ['for any, at one that has a name', undefined, here, false],
    ['for this one, at one that has no name', [here], undefined, false],
    ['for none', [], undefined, false],
    ['for any, at one that has no name', undefined, undefined, true],
  ])('%s', async (_name, audiences, audience, isGood) => {
    const db = database()
    const { key } = await db.add(audiences && { audiences })
    const { verify, refusals } = await verifierOn(db.open(), audience === undefined ? {} : { audience })
    expect((await verify(key)) !== null).toBe(isGood)
    if (isGood) return
    expect(refusals[0]).toMatchObject({ reason: 'wrong_audience', expected: audience ?? 'none' })
  })
})

describe('a key that is bound to addresses', () => {
  it('works from there only, on every use; from nowhere when it is not known where that is', async () => {
    const db = database()
    const { key } = await db.add({ addresses: ['192.0.2.0/24', '2001:db8::/32'] })
    const { verify, warm, sync, refusals } = await verifierOn(db.open())
    await expect(warm(key)).rejects.toThrow('refused')
    await sync()
    expect(await verify(key, { address: '192.0.2.1' })).not.toBeNull()
    expect(await verify(key, { address: '2001:db8::7' })).not.toBeNull()
    expect(await verify(key, { address: '192.0.3.1' })).toBeNull()
    expect(refusals.at(-1)).toMatchObject({
      reason: 'address_not_allowed',
      expected: '192.0.2.0/24, 2001:db8::/32',
      found: '192.0.3.1',
    })
    expect(await verify(key)).toBeNull()
    expect(refusals.at(-1)?.found).toBe('not known')
  })

  it('stays good when a stream is looked at again and nobody knows from where', async () => {
    const db = database()
    const { key } = await db.add({ addresses: ['192.0.2.0/24'] })
    const { verify } = await verifierOn(db.open())
    expect(await verify(key, { isRecheck: true })).not.toBeNull()
    expect(await verify(key, { isRecheck: true, address: '192.0.3.1' })).toBeNull()
  })
})

describe('peppers', () => {
  const pepper = { id: 'p2', secret: 'a pepper that is at least thirty-two bytes' }
  const older = { id: 'p1', secret: 'an older pepper of at least thirty-two bytes' }

  it('B-100 a key digested with any of them is good, and gets a digest of the newest', async () => {
    const db = database()
    const key = makeKey('mcpk', 'live').key
    const { id } = await db.add({ hash: keyHasher([older]).hash(key), hashAlgorithm: 'hmac-sha256:p1' }, key)
    const store = db.open()
    expect(await (await verifierOn(db.open())).verify(key)).toBeNull()
    const { verify, verifier } = await verifierOn(store, { peppers: [pepper, older] })
    expect(await verify(key)).not.toBeNull()
    await verifier.close()
    expect((await store.find(id))?.hashAlgorithm).toBe('hmac-sha256:p2')
    expect(await (await verifierOn(db.open(), { peppers: [pepper] })).verify(key)).not.toBeNull()
  })
})

describe('keys from before there was a pepper', () => {
  const peppers = [{ id: 'p1', secret: 'a pepper that is at least thirty-two bytes' }]

  it('B-100 whoever can only write to the table lets nobody in', async () => {
    const db = database()
    const { key } = await db.add()
    const { verify, reason } = await verifierOn(db.open(), { peppers })
    expect(await verify(key)).toBeNull()
    expect(reason()).toBe('wrong_secret')
  })

  it('are taken where that is asked for, and have one afterwards', async () => {
    const db = database()
    const { key, id } = await db.add()
    const store = db.open()
    const { verify, verifier } = await verifierOn(store, { peppers, unpeppered: true })
    expect(await verify(key)).not.toBeNull()
    await verifier.close()
    expect((await store.find(id))?.hashAlgorithm).toBe('hmac-sha256:p1')
    expect(await (await verifierOn(db.open(), { peppers })).verify(key)).not.toBeNull()
  })

  it('need peppers to be told from', () => {
    const store = database().open()
    expect(() => apiKeyVerifier({ store, unpeppered: true })).toThrow('unpeppered')
    expect(() => apiKeyVerifier({ store, peppers, unpeppered: 'yes' as never })).toThrow('unpeppered')
  })
})

describe('keys that were imported', () => {
  const foreign = 'sk-0123456789abcdefghijklmnopqrstuv'
  const idOf = (key: string) => importedId(createHash('sha256').update(key).digest())

  it('of our own format are found by their id, whatever they begin with', async () => {
    const db = database()
    const { key, id } = makeKey('elsewhere', 'live')
    await db.add({ id, prefix: 'elsewhere' }, key)
    const { verify } = await verifierOn(db.open(), { prefix: 'mcpk', imported: true })
    expect(await verify(key)).toMatchObject({ claims: { key_id: id } })
    const strict = await verifierOn(db.open(), { prefix: 'mcpk' })
    expect(await strict.verify(key)).toBeNull()
  })

  it('are taken where that is asked for, whatever they look like', async () => {
    const db = database()
    await db.add({ id: idOf(foreign), isImported: true }, foreign)
    const store = watched(db.open())
    const strict = await verifierOn(store.store)
    expect(await strict.verify(foreign)).toBeNull()
    expect(store.asked).toEqual([])
    const { verify, warm, reason } = await verifierOn(store.store, { imported: true })
    expect(await warm(foreign)).toMatchObject({ clientId: idOf(foreign) })
    expect(await verify(`${foreign}x`)).toBeNull()
    expect(reason()).toBe('unknown_key')
    expect(await verify('YOUR_API_KEY')).toBeNull()
    expect(reason()).toBe('placeholder')
    const { key } = await db.add()
    expect(await verify(key)).not.toBeNull()
  })

  it('K16 a JWT is none of them, and neither is what cannot be a bearer token', async () => {
    const db = database()
    const store = watched(db.open())
    const { verify, verifier } = await verifierOn(store.store, { imported: true })
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const jwt = `${part({ alg: 'RS256' })}.${part({ iss: 'https://as.example.com' })}.c2ln`
    for (const text of [jwt, 'two words', 'ümlaut', '']) expect(await verify(text)).toBeNull()
    expect(store.asked).toEqual([])
    expect(verifier.recognizes).toBeUndefined()
  })
})

/** A key with this id, and a secret nobody has. */
function withId(id: string): string {
  const [prefix, environment, , rest = ''] = makeKey('mcpk', 'live').key.split('_')
  const unsigned = `${prefix}_${environment}_${id}_${rest.slice(0, 32)}`
  return unsigned + base62OfUint32(crc32(unsigned))
}
