import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ApiKey, ImportedApiKey, NewApiKey } from '../../src/apikeys/api-key.ts'
import { type ApiKeysOptions, apiKeys } from '../../src/apikeys/api-keys.ts'
import { base62OfUint32 } from '../../src/apikeys/base62.ts'
import { crc32 } from '../../src/apikeys/crc32.ts'
import { importedId, makeKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import type { KeyRecord } from '../../src/apikeys/key-record.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'

const start = Date.UTC(2026, 0, 1)
const wanted: NewApiKey = { name: 'CI', owner: 'alice' }
const nobody = '000000000000'

function world(options: Partial<ApiKeysOptions> = {}) {
  const clock = fakeClock(start)
  const store = memoryKeyStore({ clock })
  const keys = apiKeys({ store, ...options })
  const patch = async (id: string, part: Partial<KeyRecord>) => {
    const record = { ...(await store.find(id))!, ...part }
    const audit = [
      { event: 'audit.gap', outcome: 'success', severity: 'info', actor: { type: 'system' } },
    ] as const
    expect(await store.commit({ update: [{ record, resetUsage: true }], audit })).toBe(true)
  }
  const events = async () => (await keys.audit({ limit: 1000 })).map(({ event }) => event)
  const make = async (key: Partial<NewApiKey> = {}) => (await keys.create({ ...wanted, ...key })).apiKey
  return { clock, store, keys, patch, events, make }
}

const inSeconds = (seconds: number) => new Date(start + seconds * 1000)
const unchecked = (value: unknown) => value as never

describe('keys that do not exist', () => {
  it('are a RangeError that names the id, and undefined to get', async () => {
    const { keys, events } = world()
    for (const call of [
      keys.update(nobody, { name: 'x' }),
      keys.disable(nobody),
      keys.enable(nobody),
      keys.rotate(nobody),
      keys.revoke(nobody),
    ]) {
      await expect(call).rejects.toThrow(RangeError)
      await expect(call).rejects.toThrow(nobody)
    }
    expect(await keys.get(nobody)).toBeUndefined()
    await expect(keys.get(unchecked(7))).rejects.toThrow(TypeError)
    expect(await events()).toEqual([])
  })

  it('K11 a text that is no id is not asked for, nor shown: it may be a whole key', async () => {
    const { store } = world()
    const asked: string[] = []
    const find = (id: string) => {
      asked.push(id)
      return store.find(id)
    }
    const keys = apiKeys({ store: { ...store, find } })
    const { key } = makeKey('mcpk', 'live')
    for (const id of [
      key,
      '__proto__',
      'constructor',
      '',
      `${nobody}\n`,
      ' 00000000000',
      unchecked(undefined),
    ]) {
      const failure = await keys.revoke(id).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(RangeError)
      expect(inspect(failure)).not.toContain(key.slice(10))
      if (typeof id === 'string') expect(await keys.get(id)).toBeUndefined()
    }
    expect(asked).toEqual([])
  })
})

describe('update', () => {
  it('changes what is given and nothing else, and tells what differs', async () => {
    const { keys, clock, make } = world()
    const before = await make({ scopes: ['a'], tools: ['t'], tenant: 'acme', metadata: { a: 1 } })
    clock.advance(5000)
    const by = { actor: { type: 'user', id: 'root' }, reason: 'asked', requestId: 'r' } as const
    const changed = await keys.update(before.id, { name: 'other', scopes: ['b'], tools: null }, by)
    const { tools: _gone, ...kept } = before
    expect(changed).toEqual({ ...kept, name: 'other', scopes: ['b'], updatedAt: inSeconds(5) })
    expect(await keys.get(before.id)).toEqual(changed)
    expect((await keys.audit()).at(-1)).toMatchObject({
      ...{ event: 'key.update', ...by, keyId: before.id },
      changes: {
        before: { name: 'CI', scopes: ['a'], tools: ['t'] },
        after: { name: 'other', scopes: ['b'] },
      },
    })
  })

  it('takes each limit away with null, and sets each', async () => {
    const { keys, make } = world()
    const limits = {
      ...{ tenant: 'acme', tools: ['t'], audience: 'https://a.example.com', addresses: ['10.0.0.1'] },
      ...{ rateLimit: 5, usageLimit: 7, notBefore: inSeconds(1), expiresAt: inSeconds(9) },
    }
    const { id } = await make()
    const set = await keys.update(id, limits)
    const { audience, ...others } = limits
    expect(set).toMatchObject({ ...others, audiences: [audience], usageLeft: 7 })
    const none = Object.fromEntries(Object.keys(limits).map((name) => [name, null]))
    const cleared = await keys.update(id, none)
    for (const name of [...Object.keys(limits), 'audiences', 'usageLeft'])
      expect(cleared).not.toHaveProperty(name)
    expect(await keys.get(id)).toEqual(cleared)
  })

  it('refuses to take away what every key has, and what is wrong', async () => {
    const { keys, make, events } = world()
    const { id } = await make()
    for (const [name, change] of [
      ...['name', 'owner', 'scopes', 'metadata'].map((one) => [one, { [one]: null }] as const),
      ...['name', 'tools', 'expiresAt'].map((one) => [one, { [one]: undefined }] as const),
      ['clientId', { clientId: 'x' }],
      ['expiresInSeconds', { expiresInSeconds: 5 }],
      ['name', { name: '' }],
      ['tools', { tools: [] }],
      ['expiresAt', { expiresAt: inSeconds(0) }],
      ['notBefore', { notBefore: inSeconds(60), expiresAt: inSeconds(60) }],
    ] as const) {
      await expect(keys.update(id, unchecked(change)), name).rejects.toThrow(TypeError)
      await expect(keys.update(id, unchecked(change)), name).rejects.toThrow(name)
    }
    expect(await events()).toEqual(['key.create'])
  })

  it('never lets a key live longer than the policy allows, counted from when it was made', async () => {
    const { keys, clock, make } = world({ policy: { maxLifetimeSeconds: 100, allowedScopes: ['read'] } })
    const { id } = await make({ expiresInSeconds: 50 })
    clock.advance(40_000)
    expect((await keys.update(id, { expiresAt: inSeconds(100) })).expiresAt).toEqual(inSeconds(100))
    await expect(keys.update(id, { expiresAt: inSeconds(100.001) })).rejects.toThrow('expiresAt')
    expect((await keys.update(id, { expiresAt: null })).expiresAt).toEqual(inSeconds(100))
    await expect(keys.update(id, { scopes: ['write'] })).rejects.toThrow('scopes')
    clock.advance(61_000)
    await expect(keys.update(id, { expiresAt: null })).rejects.toThrow('expiresAt')
    const strict = world({ policy: { requireExpiry: true } })
    const other = await strict.make({ expiresInSeconds: 5 })
    await expect(strict.keys.update(other.id, { expiresAt: null })).rejects.toThrow('expiresAt')
  })

  it('asks of a key that is older than the policy only what is changed', async () => {
    const { store, make } = world()
    const { id } = await make({ scopes: ['write'] })
    const keys = apiKeys({ store, policy: { allowedScopes: ['read'], requireExpiry: true } })
    expect((await keys.update(id, { name: 'still' })).scopes).toEqual(['write'])
  })

  it('sets what is left with the usage limit, even to the same', async () => {
    const { keys, store, make } = world()
    const { id } = await make({ usageLimit: 10 })
    await store.takeUses(id, 10)
    expect((await keys.get(id))?.status).toBe('exhausted')
    expect((await keys.update(id, { name: 'x' })).usageLeft).toBe(0)
    expect(await keys.update(id, { usageLimit: 10 })).toMatchObject({ usageLeft: 10, status: 'active' })
    expect(await keys.get(id)).toMatchObject({ usageLeft: 10 })
  })

  it('writes nothing when nothing differs', async () => {
    const { keys, make, events, clock } = world()
    const made = await make({ scopes: ['a'] })
    clock.advance(1)
    expect(await keys.update(made.id, { name: 'CI', scopes: ['a'], tools: null })).toEqual(made)
    expect(await keys.update(made.id, {})).toEqual(made)
    expect(await keys.enable(made.id)).toEqual(made)
    expect(await events()).toEqual(['key.create'])
  })

  it('keeps both of two changes made at once', async () => {
    const { keys, make, events } = world()
    const { id } = await make()
    await Promise.all([keys.update(id, { name: 'x' }), keys.update(id, { rateLimit: 5 }), keys.disable(id)])
    expect(await keys.get(id)).toMatchObject({ name: 'x', rateLimit: 5, status: 'disabled' })
    expect((await events()).sort()).toEqual(['key.create', 'key.disable', 'key.update', 'key.update'])
  })

  it('does not let a replaced key live longer', async () => {
    const { keys, make } = world()
    const { id } = await make()
    await keys.rotate(id, { graceSeconds: 60 })
    for (const expiresAt of [null, inSeconds(61)]) {
      await expect(keys.update(id, { expiresAt })).rejects.toThrow(TypeError)
    }
    expect((await keys.update(id, { expiresAt: inSeconds(30) })).expiresAt).toEqual(inSeconds(30))
  })
})

describe('disable, enable and revoke', () => {
  it('disable switches a key off until it is enabled again', async () => {
    const { keys, make, events } = world()
    const { id } = await make()
    expect((await keys.disable(id)).status).toBe('disabled')
    expect((await keys.get(id))?.status).toBe('disabled')
    expect((await keys.enable(id)).status).toBe('active')
    expect(await events()).toEqual(['key.create', 'key.disable', 'key.enable'])
  })

  it('revoke ends a key for good, and again changes nothing', async () => {
    const { keys, make, clock, events } = world()
    const { id } = await make()
    const actor = { type: 'user', id: 'root' } as const
    const gone = await keys.revoke(id, { actor, reason: 'left the company' })
    expect(gone).toMatchObject({
      ...{ status: 'revoked', revokedBy: 'user:root', revokeReason: 'left the company' },
      revokedAt: inSeconds(0),
    })
    clock.advance(1000)
    expect(await keys.revoke(id, { reason: 'another' })).toEqual(gone)
    for (const call of [keys.update(id, { name: 'x' }), keys.enable(id), keys.disable(id), keys.rotate(id)]) {
      await expect(call).rejects.toThrow(RangeError)
    }
    expect(await keys.get(id)).toEqual(gone)
    expect(await events()).toEqual(['key.create', 'key.revoke'])
  })

  it('revokeMany ends many in one transaction; one that does not exist does not stop the others', async () => {
    const { store, make, events } = world()
    const [one, two, three] = [await make(), await make(), await make()]
    let commits = 0
    const commit: KeyStore['commit'] = (changes) => {
      commits += 1
      return store.commit(changes)
    }
    const keys = apiKeys({ store: { ...store, commit } })
    await keys.revoke(three.id)
    const ids = [one.id, nobody, two.id, one.id, three.id, unchecked('__proto__')]
    const results = await keys.revokeMany(ids, { reason: 'incident' })
    expect(commits).toBe(2)
    expect(results.map((result) => result.ok && result.value.id)).toEqual([
      ...[one.id, false, two.id, one.id, three.id, false],
    ])
    expect(results[1]).toEqual({ ok: false, error: new RangeError(`revokeMany: there is no key ${nobody}`) })
    for (const { id } of [one, two]) {
      expect(await keys.get(id)).toMatchObject({ status: 'revoked', revokeReason: 'incident' })
    }
    expect((await events()).filter((event) => event === 'key.revoke')).toHaveLength(3)
  })

  it('revokeMany begins anew when one of them changes meanwhile', async () => {
    const { store, keys, make } = world()
    const [one, two] = [await make(), await make()]
    let isFirst = true
    const commit: KeyStore['commit'] = async (changes) => {
      if (isFirst) {
        isFirst = false
        await keys.update(one.id, { name: 'meanwhile' })
      }
      return store.commit(changes)
    }
    await apiKeys({ store: { ...store, commit } }).revokeMany([one.id, two.id])
    expect(await keys.get(one.id)).toMatchObject({ status: 'revoked', name: 'meanwhile' })
    expect(await keys.get(two.id)).toMatchObject({ status: 'revoked' })
  })
})

describe('rotate', () => {
  it('makes a new key of the same lineage with the same rights, and lets the old one live on for a while', async () => {
    const { keys, store, clock, make } = world()
    const old = await make({
      ...{ tenant: 'acme', scopes: ['a'], tools: ['t'], audience: 'https://a.example.com', rateLimit: 5 },
      ...{ addresses: ['10.0.0.1'], metadata: { a: 1 }, clientId: 'ci', expiresInSeconds: 1000 },
    })
    clock.advance(100_000)
    const { key, apiKey } = await keys.rotate(old.id, { graceSeconds: 60 })
    expect(apiKey).toEqual({
      ...old,
      ...{ id: apiKey.id, createdAt: inSeconds(100), updatedAt: inSeconds(100), expiresAt: inSeconds(1100) },
    })
    expect(apiKey.id).not.toBe(old.id)
    expect(keyHasher().matches(key, await store.find(apiKey.id))).toBe(true)
    expect(await keys.get(old.id)).toEqual({
      ...old,
      ...{ status: 'grace', replacedBy: apiKey.id, expiresAt: inSeconds(160), updatedAt: inSeconds(100) },
    })
    clock.advance(60_000)
    expect((await keys.get(old.id))?.status).toBe('expired')
    const third = await keys.rotate(apiKey.id)
    expect(third.apiKey).toMatchObject({ lineageId: old.id, clientId: 'ci' })
    expect((await keys.list({ lineageId: old.id })).keys).toHaveLength(3)
  })

  it('never lets the old key work longer than it would have', async () => {
    const { keys, make } = world()
    const { id } = await make({ expiresInSeconds: 10 })
    await keys.rotate(id, { graceSeconds: 60 })
    expect((await keys.get(id))?.expiresAt).toEqual(inSeconds(10))
  })

  it('grace: a day, or the maximum of the policy if that is less; 0 ends the old key at once', async () => {
    for (const [policy, grace] of [
      [{}, 86_400],
      [{ maxGraceSeconds: 100 }, 100],
      [{ maxGraceSeconds: 2_000_000 }, 86_400],
    ] as const) {
      const { keys, make } = world({ policy })
      const { id } = await make()
      await keys.rotate(id)
      expect((await keys.get(id))?.expiresAt).toEqual(inSeconds(grace))
    }
    const { keys, make } = world()
    const { id } = await make()
    await keys.rotate(id, { graceSeconds: 0 })
    expect((await keys.get(id))?.status).toBe('expired')
  })

  it('refuses what is wrong and what the policy forbids', async () => {
    const { keys, make, events } = world({ policy: { maxGraceSeconds: 100, maxLifetimeSeconds: 500 } })
    const { id } = await make()
    for (const [name, how] of [
      ['graceSeconds', { graceSeconds: 101 }],
      ['graceSeconds', { graceSeconds: -1 }],
      ['graceSeconds', { graceSeconds: undefined }],
      ['activate', { activate: 'later' }],
      ['expiresAt', { expiresAt: inSeconds(501) }],
      ['expiresAt', { expiresAt: inSeconds(0) }],
      ['grace', { grace: 5 }],
    ] as const) {
      await expect(keys.rotate(id, unchecked(how)), name).rejects.toThrow(TypeError)
      await expect(keys.rotate(id, unchecked(how)), name).rejects.toThrow(name)
    }
    const byDefault = world()
    const other = await byDefault.make()
    await expect(byDefault.keys.rotate(other.id, { graceSeconds: 2_592_001 })).rejects.toThrow('graceSeconds')
    expect(await events()).toEqual(['key.create'])
  })

  it('gives the new key a life as long as the old one was given, cut to what the policy allows', async () => {
    const { keys, store, clock, make } = world()
    const { id } = await make({ expiresInSeconds: 1000 })
    const forever = await make()
    const scoped = await make({ scopes: ['write'] })
    clock.advance(50_000)
    const strict = apiKeys({ store, policy: { maxLifetimeSeconds: 100, allowedScopes: [] } })
    expect((await strict.rotate(id)).apiKey.expiresAt).toEqual(inSeconds(150))
    expect((await strict.rotate(forever.id)).apiKey.expiresAt).toEqual(inSeconds(150))
    await expect(strict.rotate(scoped.id)).rejects.toThrow('scopes')
    const expiring = apiKeys({ store, policy: { requireExpiry: true } })
    await expect(expiring.rotate(scoped.id)).rejects.toThrow('expiresAt')
    const given = await expiring.rotate(scoped.id, { expiresAt: inSeconds(77) })
    expect(given.apiKey.expiresAt).toEqual(inSeconds(77))
    expect((await keys.rotate((await make()).id)).apiKey).not.toHaveProperty('expiresAt')
  })

  it('RangeError for a key that is revoked, expired, or replaced already', async () => {
    const { keys, clock, make } = world()
    const [revoked, expired, replaced] = [await make(), await make({ expiresInSeconds: 1 }), await make()]
    await keys.revoke(revoked.id)
    clock.advance(1000)
    const { apiKey } = await keys.rotate(replaced.id)
    for (const [id, why] of [
      [revoked.id, 'revoked'],
      [expired.id, 'expired'],
      [replaced.id, apiKey.id],
    ] as const) {
      await expect(keys.rotate(id)).rejects.toThrow(RangeError)
      await expect(keys.rotate(id)).rejects.toThrow(why)
      await expect(keys.rotate(id)).rejects.toThrow(id)
    }
  })

  it('on-first-use: the old key goes on as it is until the new one is used', async () => {
    const { keys, store, make } = world()
    const old = await make()
    const { apiKey } = await keys.rotate(old.id, { activate: 'on-first-use', graceSeconds: 60 })
    expect(apiKey.status).toBe('pending')
    expect(await store.find(apiKey.id)).toMatchObject({ state: 'pending', graceMs: 60_000 })
    expect(await keys.get(old.id)).toEqual({ ...old, replacedBy: apiKey.id })
    await expect(keys.rotate(old.id)).rejects.toThrow(`was replaced by ${apiKey.id} already`)
    await expect(keys.rotate(apiKey.id)).rejects.toThrow(RangeError)
    // One that was never used has replaced nothing once it is over.
    await keys.revoke(apiKey.id)
    const next = await keys.rotate(old.id)
    expect(await keys.get(old.id)).toMatchObject({ status: 'grace', replacedBy: next.apiKey.id })
  })

  it('does not begin anew what was used up or switched off', async () => {
    const { keys, store, make } = world()
    const { id } = await make({ usageLimit: 10 })
    await store.takeUses(id, 4)
    await keys.disable(id)
    const { apiKey } = await keys.rotate(id)
    expect(apiKey).toMatchObject({ usageLimit: 10, usageLeft: 6, status: 'disabled', useCount: 0 })
    expect((await keys.get(apiKey.id))?.usageLeft).toBe(6)
    expect((await keys.get(id))?.usageLeft).toBe(0)
  })

  it('never makes a live key of a test key, and one of our own of an imported one', async () => {
    const { store } = world()
    const { apiKey } = await apiKeys({ store, environment: 'test', prefix: 'acme' }).create(wanted)
    const live = apiKeys({ store, prefix: 'other' })
    expect((await live.rotate(apiKey.id)).key).toMatch(/^acme_test_/)
    const imported = await live.import([{ ...wanted, sha256: 'ab'.repeat(32) }])
    const { key, apiKey: next } = await live.rotate(imported[0]?.ok ? imported[0].value.id : '')
    expect(key).toMatch(/^other_live_/)
    expect(next.isImported).toBe(false)
  })

  it('one of ten at once wins; the others are told so', async () => {
    const { keys, make, events } = world()
    const { id } = await make()
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => keys.rotate(id)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(RangeError)
    }
    expect((await keys.list()).keys).toHaveLength(2)
    expect((await events()).filter((event) => event === 'key.rotate')).toHaveLength(1)
  })

  it('tells of the old key that it was replaced, and of the new one that it was made', async () => {
    const { keys, make } = world()
    const { id } = await make()
    const { apiKey } = await keys.rotate(id, { graceSeconds: 60 }, { reason: 'monthly' })
    expect((await keys.audit({ lineageId: id })).slice(1)).toMatchObject([
      {
        ...{
          event: 'key.rotate',
          keyId: id,
          reason: 'monthly',
          details: { graceSeconds: 60, activate: 'now' },
        },
        changes: {
          before: { state: 'active' },
          after: { state: 'grace', replacedBy: apiKey.id, expiresAt: start + 60_000 },
        },
      },
      { event: 'key.create', keyId: apiKey.id, lineageId: id, details: { replaces: id } },
    ])
  })
})

describe('import', () => {
  const key = 'sk-pQ8zR2vT5wX1yB4cD7eF'
  const digest = createHash('sha256').update(key).digest()
  const failureOf = async (item: object, options: Partial<ApiKeysOptions> = {}) => {
    const [result] = await world(options).keys.import([{ ...wanted, ...item } as ImportedApiKey])
    if (result === undefined || result.ok) throw new Error('was taken')
    expect(inspect(result)).not.toContain('pQ8zR2vT5wX1yB4cD7eF')
    return result.error
  }

  it('takes a key itself, which is hashed at once', async () => {
    const pepper = { id: 'p', secret: 's'.repeat(32) }
    const { keys, store } = world({ peppers: [pepper] })
    const [result] = await keys.import([{ ...wanted, key, scopes: ['read'] }])
    expect(result).toMatchObject({
      ok: true,
      value: { id: importedId(digest), isImported: true, scopes: ['read'], status: 'active' },
    })
    const record = await store.find(importedId(digest))
    expect(record?.hashAlgorithm).toBe('hmac-sha256:p')
    expect(keyHasher([pepper]).matches(key, record)).toBe(true)
    expect(await keys.audit()).toMatchObject([{ event: 'key.import', keyId: importedId(digest) }])
    expect(JSON.stringify(await keys.audit())).not.toContain(key)
  })

  it('takes a SHA-256 as hex, base64 and base64url', async () => {
    for (const sha256 of [
      digest.toString('hex'),
      digest.toString('hex').toUpperCase(),
      digest.toString('base64'),
      digest.toString('base64').replace('=', ''),
      digest.toString('base64url'),
    ]) {
      const { keys, store } = world()
      const [result] = await keys.import([{ ...wanted, sha256 }])
      expect(result, sha256).toMatchObject({ ok: true, value: { id: importedId(digest) } })
      expect(keyHasher().matches(key, await store.find(importedId(digest)))).toBe(true)
    }
  })

  it('refuses what is neither, or both', async () => {
    for (const item of [
      {},
      { key, sha256: digest.toString('hex') },
      { key: undefined },
      { key: '' },
      { key: `Bearer ${key}` },
      { key: `${key}\n` },
      { key: 'aB3$'.repeat(10) },
      { key: 'aB3x9Q'.repeat(86) },
      { key: 7 },
      { key: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.', allowWeak: true },
      { sha256: '' },
      { sha256: 'ab'.repeat(31) },
      { sha256: 'zz'.repeat(32) },
      { sha256: digest.subarray(1).toString('base64') },
      { sha256: `${digest.toString('base64url').slice(0, 42)}B` },
      { sha256: createHash('sha256').update('').digest('hex') },
      { key, allowWeak: 'yes' },
      { key, expiresInSeconds: 0 },
      { key, colour: 'red' },
    ]) {
      expect(await failureOf(item), inspect(item)).toBeInstanceOf(TypeError)
    }
  })

  it('B-100 refuses a key too short or too simple to be random, unless that is allowed by name', async () => {
    for (const weak of [
      'sk-abc123',
      'pQ8zR2vT5wX1yB4cD7e',
      'a'.repeat(64),
      'abababababababababababababab',
      'abcdefghijklmnopqrstuvwxyz',
      '12345678901234567890123456',
      'ZYXWVUTSRQPONMLKJIHGFEDCBA',
      'password1password1password1',
      'deadbeefdeadbeefdeadbeefdeadbeef',
      '0123456789abcdef0123456789abcdef',
      '93847561029384756102',
      '9384756102938475610293847561029384756102',
    ]) {
      const failure = await failureOf({ key: weak })
      expect(failure, weak).toBeInstanceOf(TypeError)
      expect(failure.message).toContain('allowWeak')
      expect(failure.message).not.toContain(weak)
      const { keys } = world()
      expect(await keys.import([{ ...wanted, key: weak, allowWeak: true }])).toMatchObject([{ ok: true }])
    }
    for (const strong of [
      '9f8b3c61d0e74a52b6f1',
      'kfjwpqmzxhtbvnrydcls',
      '39471650283019475629183746501928',
    ]) {
      expect(await world().keys.import([{ ...wanted, key: strong }]), strong).toMatchObject([{ ok: true }])
    }
  })

  it('keeps the id of a key of our own format, and refuses one with a wrong checksum', async () => {
    const { keys, store } = world()
    const own = makeKey('acme', 'test')
    expect(await keys.import([{ ...wanted, key: own.key }])).toMatchObject([
      { ok: true, value: { id: own.id, prefix: 'acme', environment: 'test', isImported: false } },
    ])
    expect(keyHasher().matches(own.key, await store.find(own.id))).toBe(true)
    const wrong = own.key.slice(0, -1) + (own.key.endsWith('0') ? '1' : '0')
    expect((await failureOf({ key: wrong })).message).toContain('checksum')
    expect((await failureOf({ key: wrong, allowWeak: true })).message).toContain('checksum')
  })

  it('reports what exists already, or was given twice, and takes the others', async () => {
    const { keys, events } = world()
    const random = (seed: string) => createHash('sha256').update(seed).digest('base64url')
    await keys.import([{ ...wanted, key: random('old') }])
    const items = [random('a'), random('old'), random('b'), random('a')].map((one) => ({
      ...wanted,
      key: one,
    }))
    const sha256 = createHash('sha256').update(random('b')).digest('hex')
    const results = await keys.import([...items, { ...wanted, sha256 }, { ...wanted, key: 'short' }])
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true, false, false, false])
    expect(results[1]).toMatchObject({ error: { name: 'RangeError', message: /exists already/ } })
    expect(results[3]).toMatchObject({ error: { name: 'RangeError', message: /given before/ } })
    expect(results[5]).toMatchObject({ error: { name: 'TypeError' } })
    expect((await keys.list()).keys).toHaveLength(3)
    expect(await events()).toEqual(['key.import', 'key.import', 'key.import'])
  })

  it('loses nothing to somebody who imports the same at the same time', async () => {
    const { keys } = world()
    const items = Array.from({ length: 20 }, (_, at) => ({
      ...wanted,
      key: createHash('sha256').update(String(at)).digest('base64url'),
    }))
    const both = await Promise.all([keys.import(items), keys.import(items.slice(5))])
    expect(both.flat().filter(({ ok }) => ok)).toHaveLength(20)
    expect((await keys.list()).keys).toHaveLength(20)
  })

  it('is bound by the policy, counted from the import', async () => {
    const policy = { maxLifetimeSeconds: 60, allowedScopes: ['read'] }
    const [result] = await world({ policy }).keys.import([{ ...wanted, key }])
    expect(result).toMatchObject({ ok: true, value: { expiresAt: inSeconds(60) } })
    expect((await failureOf({ key, expiresInSeconds: 61 }, { policy })).message).toContain('expiresAt')
    expect((await failureOf({ key, scopes: ['write'] }, { policy })).message).toContain('scopes')
  })
})

describe('a key that was imported, and looks like nothing in particular', () => {
  const key = '3f9c1b7e5a2d48809c6e'

  it('stands in no other member: names and metadata are shown to everybody', async () => {
    const { keys, store } = world()
    const base = { owner: 'bob', name: 'old' }
    const wrong = [
      { ...base, key, name: `old ${key}` },
      { ...base, key, owner: key },
      { ...base, key, metadata: { was: [key] } },
      { ...base, key, metadata: { [key]: true } },
      { owner: 'bob', name: 'pass', key: 'pass', allowWeak: true },
    ]
    const results = await keys.import(wrong)
    for (const result of results) {
      expect(result).toMatchObject({ ok: false, error: expect.any(TypeError) })
      expect(inspect(result)).not.toContain(key)
    }
    expect(await store.readAudit({})).toEqual([])
    const weak = { owner: 'bob', name: 'a boat', key: 'a', allowWeak: true }
    expect(await keys.import([weak])).toMatchObject([{ ok: true }])
  })

  it('is taken out of the reason it is ended for', async () => {
    const { keys, store } = world()
    await keys.import([{ owner: 'bob', name: 'old', key }])
    await keys.revokeLeaked(key, { reason: `found ${key} in a log` })
    const [{ reason } = {}] = await keys.audit({ event: 'key.leak_reported' })
    expect(reason).toMatch(/^found .+ in a log$/)
    expect(inspect([await store.list({}), await store.readAudit({})], { depth: 9 })).not.toContain(key)
  })
})

describe('revokeLeaked', () => {
  const random = createHash('sha256').update('leaked').digest('base64url')

  it('ends a key by showing it, with an event of the highest severity', async () => {
    const { keys, clock } = world()
    const { key, apiKey } = await keys.create(wanted)
    expect(await keys.revokeLeaked(key, { requestId: 'r' })).toBeUndefined()
    const revoked = await keys.get(apiKey.id)
    expect(revoked).toMatchObject({ status: 'revoked', revokeReason: 'leaked' })
    const told = { event: 'key.leak_reported', severity: 'critical', outcome: 'success', keyId: apiKey.id }
    expect((await keys.audit()).at(-1)).toMatchObject({
      ...told,
      requestId: 'r',
      changes: { after: { state: 'revoked' } },
    })
    clock.advance(1000)
    await keys.revokeLeaked(key)
    expect(await keys.get(apiKey.id)).toEqual(revoked)
    expect((await keys.audit()).at(-1)).toMatchObject(told)
    expect(JSON.stringify(await keys.audit())).not.toContain(key.slice(-38))
  })

  it('ends imported keys as well, with and without a pepper', async () => {
    for (const item of [{ key: random }, { sha256: createHash('sha256').update(random).digest('hex') }]) {
      const { keys } = world({ peppers: [{ id: 'p', secret: 's'.repeat(32) }] })
      await keys.import([{ ...wanted, ...item }])
      await keys.revokeLeaked(random)
      expect((await keys.list()).keys).toMatchObject([{ status: 'revoked' }])
    }
  })

  it('K08 an id alone ends nothing: it is public', async () => {
    const { keys } = world()
    const { key, apiKey } = await keys.create(wanted)
    const forged = makeSame(key)
    await keys.revokeLeaked(forged)
    await keys.revokeLeaked(apiKey.id)
    expect((await keys.get(apiKey.id))?.status).toBe('active')
    expect((await keys.audit()).slice(1)).toMatchObject([
      { outcome: 'failure', reason: 'wrong_secret', keyId: apiKey.id, severity: 'notice' },
      { outcome: 'failure', reason: 'unknown_key' },
    ])
  })

  it('does the same work whether the key existed: one look-up, one comparison, one write', async () => {
    const { store, keys } = world()
    const { key } = await keys.create(wanted)
    const done: string[] = []
    const logged: KeyStore = {
      ...store,
      find: async (id) => {
        done.push('find')
        return store.find(id)
      },
      commit: async (changes) => {
        done.push('write')
        return store.commit(changes)
      },
      appendAudit: async (entries) => {
        done.push('write')
        return store.appendAudit(entries)
      },
    }
    const reporter = apiKeys({ store: logged })
    for (const text of [key, key, makeSame(key), makeKey('mcpk', 'live').key, random]) {
      expect(await reporter.revokeLeaked(text)).toBeUndefined()
      expect(done.splice(0)).toEqual(['find', 'write'])
    }
    for (const text of ['', 'no key', 'x'.repeat(513), `${key.slice(0, -1)}!`]) {
      expect(await reporter.revokeLeaked(text)).toBeUndefined()
      expect(done).toEqual([])
    }
    await expect(reporter.revokeLeaked(unchecked(undefined))).rejects.toThrow(TypeError)
  })

  it('is not lost to a change at the same time, and reports an outage', async () => {
    const { keys, store } = world()
    const { key, apiKey } = await keys.create(wanted)
    const update: KeyStore['commit'] = async (changes) => {
      if ((await store.find(apiKey.id))?.name === 'CI') await keys.update(apiKey.id, { name: 'meanwhile' })
      return store.commit(changes)
    }
    await apiKeys({ store: { ...store, commit: update } }).revokeLeaked(key)
    expect((await keys.get(apiKey.id))?.status).toBe('revoked')
    await store.close()
    await expect(keys.revokeLeaked(key)).rejects.toMatchObject({ code: 'verifier_unavailable' })
  })

  /** A key with the same id and another secret. */
  function makeSame(key: string): string {
    const flip = (character: string) => (character === 'a' ? 'b' : 'a')
    const unsigned = key.slice(0, -7) + flip(key.at(-7)!)
    return unsigned + base62OfUint32(crc32(unsigned))
  }
})

describe('list and all', () => {
  it('give pages in the order of ids, the last one without next', async () => {
    const { keys, make } = world()
    const ids: string[] = []
    for (let at = 0; at < 5; at += 1) ids.push((await make()).id)
    ids.sort()
    const first = await keys.list({}, { limit: 2 })
    const second = await keys.list({}, { limit: 2, after: first.next! })
    const third = await keys.list({}, { limit: 2, after: second.next! })
    expect([first, second, third].map((page) => page.keys.map(({ id }) => id))).toEqual([
      ids.slice(0, 2),
      ids.slice(2, 4),
      ids.slice(4),
    ])
    expect(third).not.toHaveProperty('next')
    expect(await keys.list({}, { limit: 5 })).not.toHaveProperty('next')
    expect([first, first.keys].every(Object.isFrozen)).toBe(true)
  })

  it('filter by owner, tenant, lineage and status', async () => {
    const { keys, make } = world()
    const a = await make({ owner: { type: 'user', id: 'a' }, tenant: 't' })
    const b = await make({ owner: 'b', tenant: 't' })
    await make({ owner: 'a' })
    const next = (await keys.rotate(b.id)).apiKey
    await keys.disable(a.id)
    const idsOf = async (filter: Parameters<typeof keys.list>[0]) =>
      (await keys.list(filter)).keys.map(({ id }) => id)
    expect(await idsOf({ owner: 'a', tenant: 't' })).toEqual([a.id])
    expect(await idsOf({ lineageId: b.id })).toEqual([b.id, next.id].sort())
    expect(await idsOf({ status: 'disabled' })).toEqual([a.id])
    expect(await idsOf({ status: ['grace', 'disabled'] })).toEqual([a.id, b.id].sort())
    expect(await idsOf({ owner: '__proto__' })).toEqual([])
  })

  it('find the few among thousands, page by page', async () => {
    const { keys } = world()
    const items = Array.from({ length: 2500 }, (_, at) => ({
      name: 'x',
      owner: 'a',
      ...(at % 400 === 0 && { expiresInSeconds: 5 }),
    }))
    await keys.createMany(items)
    const found: ApiKey[] = []
    for await (const key of keys.all({ stale: false })) found.push(key)
    expect(found).toHaveLength(2500)
    expect(found.map(({ id }) => id)).toEqual(found.map(({ id }) => id).sort())
    const pages: number[] = []
    let after: string | undefined
    do {
      const page = await keys.list({ stale: true }, { limit: 1000, ...(after !== undefined && { after }) })
      pages.push(page.keys.length)
      after = page.next
    } while (after !== undefined)
    expect(pages).toEqual([1000, 1000, 493])
  })

  it('compute the status with the time of the database, when it is asked for', async () => {
    const { keys, patch, clock, make } = world()
    const usable = await make({ notBefore: inSeconds(10), expiresAt: inSeconds(20) })
    const at = async (id: string) => (await keys.get(id))?.status
    expect(await at(usable.id)).toBe('not_yet_valid')
    clock.advance(10_000)
    expect(await at(usable.id)).toBe('active')
    clock.advance(9999)
    expect(await at(usable.id)).toBe('active')
    clock.advance(1)
    expect(await at(usable.id)).toBe('expired')
    const used = await make({ usageLimit: 1 })
    await patch(used.id, { usageLeft: 0 })
    expect(await at(used.id)).toBe('exhausted')
  })

  it('refuse filters that are wrong: a filter that was lost would show everything', async () => {
    const { keys } = world()
    for (const filter of [
      { owner: undefined },
      { owner: 7 },
      { tenant: undefined },
      { status: 'gone' },
      { status: [] },
      { status: ['active', 'constructor'] },
      { stale: 'yes' },
      { colour: 'red' },
    ]) {
      await expect(keys.list(unchecked(filter)), inspect(filter)).rejects.toThrow(TypeError)
      expect(() => keys.all(unchecked(filter)), inspect(filter)).toThrow(TypeError)
    }
    for (const page of [{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { after: 7 }, { after: undefined }]) {
      await expect(keys.list({}, unchecked(page))).rejects.toThrow(TypeError)
    }
  })

  it('audit filters, freezes, and refuses what is wrong', async () => {
    const { keys, make } = world()
    const { id } = await make()
    await make()
    const events = await keys.audit({ keyId: id })
    expect(events).toHaveLength(1)
    expect([events, events[0], events[0]?.changes?.after].every(Object.isFrozen)).toBe(true)
    expect(
      await keys.audit({ after: 1, limit: 5, event: 'key.create', outcome: 'success', since: start }),
    ).toHaveLength(1)
    for (const query of [
      { keyId: undefined },
      { keyId: 7 },
      { event: 'key.gone' },
      { outcome: 'maybe' },
      { since: new Date(0) },
      { until: Number.NaN },
      { after: -1 },
      { limit: 1001 },
      { colour: 'red' },
    ]) {
      await expect(keys.audit(unchecked(query)), inspect(query)).rejects.toThrow(TypeError)
    }
  })
})

describe('purge', () => {
  it('removes keys that were revoked or have expired so long ago, and no others', async () => {
    const { keys, clock, make } = world()
    const [revoked, expired, live] = [await make(), await make({ expiresInSeconds: 1 }), await make()]
    await keys.revoke(revoked.id)
    clock.advance(100_000)
    const late = await make()
    await keys.revoke(late.id)
    expect(await keys.purge(100)).toEqual({ keys: 0 })
    expect(await keys.purge(98)).toEqual({ keys: 2 })
    expect((await keys.list()).keys.map(({ id }) => id)).toEqual([live.id, late.id].sort())
    expect(await keys.get(expired.id)).toBeUndefined()
    expect((await keys.audit()).at(-1)).toMatchObject({
      event: 'key.purge',
      details: { olderThanSeconds: 98 },
    })
    expect(await keys.audit({ keyId: revoked.id })).toHaveLength(2)
  })

  it('keeps changes other nodes may not have read yet', async () => {
    const { keys, store, clock, make } = world()
    const { cursor } = await store.changes(undefined)
    await keys.revoke((await make()).id)
    clock.advance(3_599_000)
    await keys.purge(0)
    expect((await store.changes(cursor)).isComplete).toBe(true)
    clock.advance(2000)
    await keys.purge(0)
    expect((await store.changes(cursor)).isComplete).toBe(false)
  })

  it('is told before it is done, and refuses what is no age', async () => {
    const { store, keys } = world()
    const failing = apiKeys({ store: { ...store, prune: async () => Promise.reject(new Error('gone')) } })
    await expect(failing.purge(5)).rejects.toThrow('gone')
    expect((await keys.audit()).map(({ event }) => event)).toEqual(['key.purge'])
    for (const age of [-1, Number.NaN, '5', undefined])
      await expect(keys.purge(unchecked(age))).rejects.toThrow(TypeError)
  })
})
