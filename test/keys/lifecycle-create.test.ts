import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { KeyPolicy, NewApiKey } from '../../src/apikeys/api-key.ts'
import { type ApiKeysOptions, apiKeys } from '../../src/apikeys/api-keys.ts'
import { keyPattern, makeKey, parseKey } from '../../src/apikeys/format.ts'
import { keyHasher } from '../../src/apikeys/hash.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'

const start = Date.UTC(2026, 0, 1)
const wanted: NewApiKey = { name: 'CI', owner: 'alice' }
const pepper = { id: 'one', secret: 'x'.repeat(32) }

function world(options: Partial<ApiKeysOptions> = {}) {
  const clock = fakeClock(start)
  const store = memoryKeyStore({ clock })
  return { clock, store, keys: apiKeys({ store, ...options }) }
}

const inSeconds = (seconds: number) => new Date(start + seconds * 1000)
const unchecked = (value: unknown) => value as never

describe('apiKeys: options', () => {
  it('B-105 refuses an option that is there and undefined, unknown or wrong, naming it', () => {
    const store = memoryKeyStore()
    const cases: readonly [string, object][] = [
      ['store', {}],
      ['store', { store: {} }],
      ['peppers', { store, peppers: undefined }],
      ['peppers', { store, peppers: [] }],
      ['prefix', { store, prefix: undefined }],
      ['prefix', { store, prefix: 'my_prefix' }],
      ['environment', { store, environment: undefined }],
      ['environment', { store, environment: 'prod' }],
      ['audience', { store, audience: undefined }],
      ['audience', { store, audience: [] }],
      ['policy', { store, policy: undefined }],
      ['maxLifetime', { store, policy: { maxLifetime: 1 } }],
      ['maxLifetimeSeconds', { store, policy: { maxLifetimeSeconds: undefined } }],
      ['maxLifetimeSeconds', { store, policy: { maxLifetimeSeconds: 0 } }],
      ['requireExpiry', { store, policy: { requireExpiry: 'yes' } }],
      ['maxGraceSeconds', { store, policy: { maxGraceSeconds: -1 } }],
      ['allowedScopes', { store, policy: { allowedScopes: 'read' } }],
      ['pepper', { store, pepper }],
    ]
    for (const [name, options] of cases) {
      expect(() => apiKeys(unchecked(options)), name).toThrow(TypeError)
      expect(() => apiKeys(unchecked(options)), name).toThrow(name)
    }
  })

  it('is frozen', () => {
    expect(Object.isFrozen(world().keys)).toBe(true)
  })
})

describe('create', () => {
  it('makes a key of the format, of which only a digest is kept', async () => {
    const { keys, store } = world({ prefix: 'acme', environment: 'test' })
    const { key, apiKey } = await keys.create(wanted)
    expect(key).toMatch(keyPattern)
    expect(parseKey(key)).toEqual({ prefix: 'acme', environment: 'test', id: apiKey.id })
    const record = await store.find(apiKey.id)
    expect(keyHasher().matches(key, record)).toBe(true)
    const secret = key.slice(-38)
    for (const shown of [inspect(record), JSON.stringify(apiKey), JSON.stringify(await keys.audit())]) {
      expect(shown).not.toContain(secret)
    }
    expect(JSON.stringify(await keys.audit())).not.toContain(Buffer.from(record!.hash).toString('hex'))
  })

  it('digests with the newest pepper', async () => {
    const { keys, store } = world({ peppers: [{ ...pepper, id: 'two' }, pepper] })
    const { key, apiKey } = await keys.create(wanted)
    const record = await store.find(apiKey.id)
    expect(record?.hashAlgorithm).toBe('hmac-sha256:two')
    expect(keyHasher([{ ...pepper, id: 'two' }]).matches(key, record)).toBe(true)
    expect(keyHasher().matches(key, record)).toBe(false)
  })

  it('defaults: nothing but a name and an owner, active at once and for good', async () => {
    const { keys } = world()
    const { apiKey } = await keys.create(wanted)
    expect(apiKey).toEqual({
      id: apiKey.id,
      lineageId: apiKey.id,
      clientId: apiKey.id,
      status: 'active',
      prefix: 'mcpk',
      environment: 'live',
      isImported: false,
      name: 'CI',
      owner: { id: 'alice' },
      scopes: [],
      metadata: {},
      useCount: 0,
      createdAt: inSeconds(0),
      createdBy: 'system',
      updatedAt: inSeconds(0),
    })
    expect(await keys.get(apiKey.id)).toEqual(apiKey)
  })

  it('keeps all that was wanted', async () => {
    const { keys } = world({ audience: 'https://other.example.com/mcp' })
    const all: NewApiKey = {
      name: 'Größe ✓ Basic plan',
      owner: { type: 'team', id: 'blue' },
      tenant: 'acme',
      clientId: 'ci',
      scopes: ['files:read', 'files:read', '*'],
      tools: ['read_file'],
      audience: 'https://mcp.example.com/mcp',
      addresses: ['10.0.0.0/8', '2001:DB8::1'],
      rateLimit: 60,
      usageLimit: 1000,
      notBefore: inSeconds(10),
      expiresInSeconds: 3600,
      metadata: { ticket: 'OPS-1', deep: [{ a: null, b: 1.5, c: true }] },
    }
    const { apiKey } = await keys.create(all)
    expect(apiKey).toMatchObject({
      ...{ name: all.name, owner: all.owner, tenant: 'acme', clientId: 'ci', tools: ['read_file'] },
      scopes: ['files:read', '*'],
      audiences: ['https://mcp.example.com/mcp'],
      addresses: ['10.0.0.0/8', '2001:db8::1'],
      ...{ rateLimit: 60, usageLimit: 1000, usageLeft: 1000, status: 'not_yet_valid' },
      notBefore: inSeconds(10),
      expiresAt: inSeconds(3600),
      metadata: all.metadata,
    })
    expect(apiKey.lineageId).toBe(apiKey.id)
  })

  it('takes the audience of the options where none is given', async () => {
    const { keys } = world({ audience: ['https://a.example.com', 'https://b.example.com'] })
    expect((await keys.create(wanted)).apiKey.audiences).toEqual([
      'https://a.example.com',
      'https://b.example.com',
    ])
  })

  it('B-104 makes several active keys of one principal', async () => {
    const { keys } = world()
    const made = await Promise.all([keys.create(wanted), keys.create(wanted), keys.create(wanted)])
    const { keys: listed } = await keys.list({ owner: 'alice', status: 'active' })
    expect(listed.map(({ id }) => id)).toEqual(made.map(({ apiKey }) => apiKey.id).sort())
    expect(new Set(listed.map(({ clientId }) => clientId)).size).toBe(3)
  })

  it('refuses what is wrong, naming the member, and writes nothing', async () => {
    const { keys, store } = world()
    const many = Array.from({ length: 1001 }, (_, at) => `t${at}`)
    const endless: Record<string, unknown> = {}
    endless.self = endless
    const cases: readonly [string, object][] = [
      ['name', { owner: 'alice' }],
      ['owner', { name: 'CI' }],
      ['colour', { ...wanted, colour: 'red' }],
      ...['', ' ', 'x'.repeat(201), 'a\nb', 'a\u0000b', 'a\u202Eb', 'a\uD800', 7, null, undefined].flatMap(
        (text): [string, object][] => [
          ['name', { ...wanted, name: text }],
          ['owner', { ...wanted, owner: text }],
          ['owner', { ...wanted, owner: { type: 'user', id: text } }],
          ['tenant', { ...wanted, tenant: text }],
          ['clientId', { ...wanted, clientId: text }],
        ],
      ),
      ['owner', { ...wanted, owner: { id: 'a', mail: 'b' } }],
      ['owner.type', { ...wanted, owner: { id: 'a', type: '' } }],
      ['scopes', { ...wanted, scopes: 'read' }],
      ['scopes', { ...wanted, scopes: ['a b'] }],
      ['scopes', { ...wanted, scopes: ['x'.repeat(201)] }],
      ['scopes', { ...wanted, scopes: many }],
      ['scopes', { ...wanted, scopes: undefined }],
      ['tools', { ...wanted, tools: [] }],
      ['tools', { ...wanted, tools: many }],
      ['tools', { ...wanted, tools: [''] }],
      ['tools', { ...wanted, tools: ['read_file', 'read_*'] }],
      ['tools', { ...wanted, tools: undefined }],
      ['audience', { ...wanted, audience: [] }],
      ['audience', { ...wanted, audience: many }],
      ['audience', { ...wanted, audience: '' }],
      ['addresses', { ...wanted, addresses: [] }],
      ['addresses', { ...wanted, addresses: ['10.0.0.0/33'] }],
      ['addresses', { ...wanted, addresses: '10.0.0.1' }],
      ['addresses', { ...wanted, addresses: undefined }],
      ...[0, 1.5, -1, 1_000_001, '5', Number.NaN, null].map((rateLimit): [string, object] => [
        'rateLimit',
        { ...wanted, rateLimit },
      ]),
      ...[0, 1.5, -1, 2 ** 53, '5', Number.POSITIVE_INFINITY].map((usageLimit): [string, object] => [
        'usageLimit',
        { ...wanted, usageLimit },
      ]),
      ['notBefore', { ...wanted, notBefore: new Date(Number.NaN) }],
      ['notBefore', { ...wanted, notBefore: start }],
      ['notBefore', { ...wanted, notBefore: inSeconds(60), expiresAt: inSeconds(60) }],
      ['expiresAt', { ...wanted, expiresAt: inSeconds(0) }],
      ['expiresAt', { ...wanted, expiresAt: inSeconds(-1) }],
      ['expiresAt', { ...wanted, expiresAt: new Date(Number.NaN) }],
      ['expiresAt', { ...wanted, expiresAt: new Date(8.64e15) }],
      ['expiresAt', { ...wanted, expiresAt: undefined }],
      ['expiresAt', { ...wanted, expiresAt: null }],
      ['expiresInSeconds', { ...wanted, expiresAt: inSeconds(1), expiresInSeconds: 1 }],
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, '60', null].map(
        (expiresInSeconds): [string, object] => ['expiresInSeconds', { ...wanted, expiresInSeconds }],
      ),
      ...[
        ...['text', [], 7, new Map(), new Date(0), null],
        ...[
          { a: undefined },
          { a: () => 1 },
          { a: Number.NaN },
          { a: 1n },
          { a: new Date(0) },
          { a: Symbol('a') },
        ],
        ...[{ a: 'x'.repeat(8192) }, { a: 'ü'.repeat(4096) }, { a: '\u0000' }, { '\uD800': 1 }, endless],
        ...[{ list: new Array(100_000).fill(1) }, { list: new Array(2 ** 31) }],
      ].map((metadata): [string, object] => ['metadata', { ...wanted, metadata }]),
    ]
    for (const [name, key] of cases) {
      const failure = keys.create(unchecked(key))
      await expect(failure, `${name} ${inspect(key).slice(0, 200)}`).rejects.toThrow(TypeError)
      await expect(failure).rejects.toThrow(name)
    }
    expect(await store.list({})).toEqual([])
    expect(await keys.audit()).toEqual([])
  })

  it('refuses what looks like a credential wherever it stands, and does not show it', async () => {
    const { keys } = world()
    const { key } = makeKey('mcpk', 'live')
    const cases: readonly [string, object][] = [
      ['name', { name: `for ${key}` }],
      ['owner', { owner: key }],
      ['owner', { owner: { type: key, id: 'a' } }],
      ['tenant', { tenant: key }],
      ['clientId', { clientId: key }],
      ['scopes', { scopes: ['read', key] }],
      ['tools', { tools: [key] }],
      ['audiences', { audience: `https://example.com/?api_key=${key}` }],
      ['metadata', { metadata: { deep: [{ note: `Bearer\t${key.slice(10)}` }] } }],
      ['metadata', { metadata: { password: 'hunter2' } }],
      ['metadata', { metadata: { [key]: 1 } }],
    ]
    for (const [name, part] of cases) {
      const failure = await keys.create({ ...wanted, ...part }).catch((error: unknown) => error)
      expect(failure, name).toBeInstanceOf(TypeError)
      expect(String(failure)).toContain(name)
      expect(inspect(failure)).not.toContain(key.slice(10, 40))
    }
  })

  it('takes prototypes for what they are: names', async () => {
    const { keys } = world()
    const metadata = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":"c"}')
    const { apiKey } = await keys.create({ ...wanted, owner: '__proto__', tools: ['constructor'], metadata })
    const read = await keys.get(apiKey.id)
    expect(JSON.stringify(read?.metadata)).toBe('{"__proto__":{"isAdmin":true},"constructor":"c"}')
    expect(Reflect.get(read!.metadata, 'isAdmin')).toBeUndefined()
    await expect(keys.create(Object.create({ ...wanted }))).rejects.toThrow(TypeError)
    const inherited = Object.assign(Object.create({ expiresInSeconds: 1 }), wanted)
    await expect(keys.create(inherited)).rejects.toThrow('expiresInSeconds')
  })

  it('reads each member once: what was checked is what is used', async () => {
    const { keys } = world({ policy: { allowedScopes: ['read'] } })
    let reads = 0
    const { apiKey } = await keys.create({
      ...wanted,
      get scopes() {
        reads += 1
        return reads === 1 ? ['read'] : ['admin']
      },
    })
    expect(apiKey.scopes).toEqual(['read'])
  })

  it('gives back what nobody can change', async () => {
    const { keys } = world()
    const metadata = { list: [{ a: 1 }] }
    const made = await keys.create({ ...wanted, scopes: ['a'], tools: ['t'], metadata, expiresInSeconds: 60 })
    metadata.list[0]!.a = 2
    const { apiKey } = made
    expect(apiKey.metadata).toEqual({ list: [{ a: 1 }] })
    for (const part of [made, apiKey, apiKey.owner, apiKey.scopes, apiKey.tools, apiKey.metadata]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    expect(Object.isFrozen((apiKey.metadata.list as object[])[0])).toBe(true)
    apiKey.expiresAt?.setTime(0)
    expect((await keys.get(apiKey.id))?.expiresAt).toEqual(inSeconds(60))
  })

  it('tells who did it, when, why and on what occasion', async () => {
    const { keys } = world()
    const actor = { type: 'user', id: 'root', name: 'Root' } as const
    const { key, apiKey } = await keys.create(
      { ...wanted, scopes: ['read'] },
      { actor, requestId: 'r-1', reason: 'asked for' },
    )
    expect(apiKey.createdBy).toBe('user:root')
    expect(await keys.audit()).toMatchObject([
      {
        event: 'key.create',
        outcome: 'success',
        severity: 'notice',
        actor,
        requestId: 'r-1',
        reason: 'asked for',
        keyId: apiKey.id,
        lineageId: apiKey.id,
        changes: { before: {}, after: { name: 'CI', owner: { id: 'alice' }, scopes: ['read'] } },
      },
    ])
    await keys.revoke(apiKey.id, { reason: `found ${key} on a wall` })
    expect((await keys.get(apiKey.id))?.revokeReason).toBe('found [redacted] on a wall')
  })

  it('refuses a wrong `by`, naming the member, and does nothing then', async () => {
    const { keys, store } = world()
    for (const [name, by] of [
      ['actor', { actor: undefined }],
      ['actor', { actor: { type: 'robot' } }],
      ['actor.id', { actor: { type: 'user', id: '' } }],
      ['requestId', { requestId: 'a\nb' }],
      ['reason', { reason: 7 }],
      ['reason', { reason: 'x'.repeat(501) }],
      ['user', { user: 'root' }],
    ] as const) {
      await expect(keys.create(wanted, unchecked(by))).rejects.toThrow(name)
      await expect(keys.createMany([wanted], unchecked(by))).rejects.toThrow(TypeError)
      await expect(keys.revoke('0123456789AB', unchecked(by))).rejects.toThrow(TypeError)
    }
    expect(await store.list({})).toEqual([])
  })
})

describe('a policy', () => {
  const made = (policy: KeyPolicy, key: Partial<NewApiKey> = {}) =>
    world({ policy }).keys.create({ ...wanted, ...key })

  it('gives a key without expiry the longest life there is, and refuses a longer one', async () => {
    const policy = { maxLifetimeSeconds: 60 }
    expect((await made(policy)).apiKey.expiresAt).toEqual(inSeconds(60))
    expect((await made(policy, { expiresAt: inSeconds(60) })).apiKey.expiresAt).toEqual(inSeconds(60))
    expect((await made(policy, { expiresInSeconds: 59 })).apiKey.expiresAt).toEqual(inSeconds(59))
    await expect(made(policy, { expiresAt: inSeconds(60.001) })).rejects.toThrow('expiresAt')
    await expect(made(policy, { expiresInSeconds: 61 })).rejects.toThrow(TypeError)
    await expect(made(policy, { notBefore: inSeconds(60) })).rejects.toThrow('notBefore')
  })

  it('can refuse keys that never expire', async () => {
    await expect(made({ requireExpiry: true })).rejects.toThrow('expiresAt')
    expect((await made({ requireExpiry: true }, { expiresInSeconds: 5 })).apiKey.expiresAt).toEqual(
      inSeconds(5),
    )
    expect((await made({ requireExpiry: true, maxLifetimeSeconds: 9 })).apiKey.expiresAt).toEqual(
      inSeconds(9),
    )
  })

  it('can allow some scopes only; none is none, not all', async () => {
    const policy = { allowedScopes: ['read', 'constructor'] }
    expect((await made(policy, { scopes: ['read'] })).apiKey.scopes).toEqual(['read'])
    await expect(made(policy, { scopes: ['read', 'write'] })).rejects.toThrow('scopes: the scope "write"')
    await expect(made({ allowedScopes: [] }, { scopes: ['toString'] })).rejects.toThrow(TypeError)
  })
})

describe('createMany', () => {
  it('makes many in transactions of a thousand; one that is wrong does not stop the others', async () => {
    const { store } = world()
    const sizes: number[] = []
    const counting: KeyStore = {
      ...store,
      commit: (changes) => {
        sizes.push(changes.add?.length ?? 0)
        expect(changes.audit).toHaveLength(changes.add?.length ?? 0)
        return store.commit(changes)
      },
    }
    const items = Array.from({ length: 2500 }, (_, at) => ({
      name: at % 500 === 7 ? '' : `key ${at}`,
      owner: 'a',
    }))
    const results = await apiKeys({ store: counting }).createMany(items)
    expect(sizes).toEqual([998, 998, 499])
    expect(results).toHaveLength(2500)
    for (const [at, result] of results.entries()) {
      if (at % 500 === 7) {
        expect(result).toMatchObject({
          ok: false,
          error: new TypeError(`createMany[${at}]: name must be a text of 1 to 200 characters`),
        })
      } else {
        expect(result).toMatchObject({ ok: true, value: { apiKey: { name: `key ${at}` } } })
      }
    }
    const found = results.flatMap((result) => (result.ok ? [result.value.apiKey.id] : []))
    expect(new Set(found).size).toBe(2495)
    expect(Object.isFrozen(results)).toBe(true)
  })

  it('keeps what was made when the database goes away in between', async () => {
    const { store } = world()
    let commits = 0
    const failing: KeyStore = {
      ...store,
      commit: async (changes) => {
        commits += 1
        if (commits === 2) throw new Error('gone')
        return store.commit(changes)
      },
    }
    const items = Array.from({ length: 3000 }, () => wanted)
    const results = await apiKeys({ store: failing }).createMany(items)
    expect(commits).toBe(2)
    expect(results.filter(({ ok }) => ok)).toHaveLength(1000)
    expect(results.slice(0, 1000).every(({ ok }) => ok)).toBe(true)
    expect(results[2999]).toEqual({ ok: false, error: new Error('gone') })
  })

  it('takes lists only, and an empty one for nothing', async () => {
    const { keys } = world()
    expect(await keys.createMany([])).toEqual([])
    await expect(keys.createMany(unchecked('x'))).rejects.toThrow(TypeError)
    expect(await keys.createMany(unchecked([null]))).toMatchObject([{ ok: false }])
  })

  it('makes other keys when an id exists already', async () => {
    const { store } = world()
    let refusals = 2
    const busy: KeyStore = {
      ...store,
      commit: async (changes) => refusals-- <= 0 && store.commit(changes),
    }
    const { apiKey } = await apiKeys({ store: busy }).create(wanted)
    expect((await store.list({})).map(({ id }) => id)).toEqual([apiKey.id])
  })

  it('gives up some time, with an outage', async () => {
    const store: KeyStore = { ...memoryKeyStore(), commit: async () => false }
    await expect(apiKeys({ store }).create(wanted)).rejects.toMatchObject({ code: 'verifier_unavailable' })
  })
})
