import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ApiKeys } from '../../src/apikeys/api-key.ts'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import type { KeyStore } from '../../src/apikeys/key-store.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import { AuthError, type LogEntry } from '../../src/core/index.ts'
import { type KeysAdmin, keysAdmin } from '../../src/http/admin/index.ts'
import { fakeClock } from '../../src/testing/fake-clock.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'

interface World {
  readonly store: KeyStore
  readonly keys: ApiKeys
  readonly admin: KeysAdmin
  readonly adminKey: string
  readonly log: LogEntry[]
  readonly clock: ReturnType<typeof fakeClock>
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function world(change: (store: KeyStore) => KeyStore = (store) => store): Promise<World> {
  const clock = fakeClock()
  const store = memoryKeyStore({ clock })
  const keys = apiKeys({ store })
  const { key: adminKey } = await keys.create({ name: 'admin', owner: 'root', scopes: ['keys:admin'] })
  const verifier = apiKeyVerifier({ store }, { logger: () => {} })
  closing.push(() => verifier.close?.())
  const log: LogEntry[] = []
  const admin = keysAdmin({
    store: change(store),
    auth: verifier,
    logger: (entry) => log.push(entry),
    clock,
  })
  return { store, keys, admin, adminKey, log, clock }
}

interface Sent {
  readonly key?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

async function send({ admin }: World, line: string, { key, body, headers = {} }: Sent = {}) {
  const [method = '', path = ''] = line.split(' ')
  const response = await admin.fetch(
    new Request(`http://127.0.0.1/admin/${path}`, {
      method,
      headers: { ...(key && { authorization: `Bearer ${key}` }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
  )
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    value: text === '' ? undefined : JSON.parse(text),
  }
}

describe('keysAdmin', () => {
  it('makes a key that works, shows it once, and never again', async () => {
    const here = await world()
    const made = await send(here, 'POST keys', {
      key: here.adminKey,
      body: { name: 'laptop', owner: 'alice', scopes: ['read'], expiresAt: '2026-06-01T00:00:00Z' },
    })
    expect(made.status).toBe(201)
    const { key, apiKey } = made.value as { key: string; apiKey: { id: string; expiresAt: string } }
    expect(apiKey).toMatchObject({ name: 'laptop', status: 'active', expiresAt: '2026-06-01T00:00:00.000Z' })
    expect(await apiKeyVerifier({ store: here.store }).verifyToken(key)).toMatchObject({ subject: 'alice' })
    for (const line of [`GET keys/${apiKey.id}`, 'GET keys', 'GET audit']) {
      const { status, text } = await send(here, line, { key: here.adminKey })
      expect(status).toBe(200)
      expect(text).toContain(apiKey.id)
      expect(text).not.toContain(key.slice(-38))
    }
  })

  it('goes through the life of a key', async () => {
    const here = await world()
    const { apiKey } = await here.keys.create({ name: 'one', owner: 'alice', scopes: ['read'] })
    const ask = (line: string, body: unknown = {}) => send(here, line, { key: here.adminKey, body })
    const at = `keys/${apiKey.id}`
    expect((await ask(`PATCH ${at}`, { name: 'other', rateLimit: 5 })).value).toMatchObject({ name: 'other' })
    expect((await ask(`POST ${at}/disable`)).value).toMatchObject({ status: 'disabled' })
    expect((await ask(`POST ${at}/enable`)).value).toMatchObject({ status: 'active' })
    const next = await ask(`POST ${at}/rotate`, { graceSeconds: 60 })
    expect(next).toMatchObject({ status: 201, value: { apiKey: { lineageId: apiKey.id } } })
    expect((await ask(`POST ${at}/rotate`, {})).status).toBe(409)
    expect((await ask(`POST ${at}/revoke`, { reason: 'lost' })).value).toMatchObject({
      status: 'revoked',
      revokeReason: 'lost',
    })
    expect((await ask(`PATCH ${at}`, { name: 'late' })).status).toBe(409)
    expect((await ask('POST keys/000000000000/revoke')).status).toBe(404)
  })

  it('tells the newest events first where that is asked for, a page after the other', async () => {
    const here = await world()
    const { apiKey } = await here.keys.create({ name: 'one', owner: 'alice' })
    await here.keys.disable(apiKey.id)
    await here.keys.enable(apiKey.id)
    const page = async (more: string) => {
      const line = `GET audit?keyId=${apiKey.id}&order=desc&limit=2${more}`
      const { value } = await send(here, line, { key: here.adminKey })
      return value.events as { event: string; sequence: number }[]
    }
    const first = await page('')
    expect(first.map(({ event }) => event)).toEqual(['key.enable', 'key.disable'])
    const second = await page(`&before=${first[1]!.sequence}`)
    expect(second.map(({ event }) => event)).toEqual(['key.create'])
    for (const query of [{ order: 'newest' }, { before: -1 }, { before: 1.5 }])
      await expect(here.keys.audit(query as object)).rejects.toThrow(/^audit: (?:order|before) must/)
  })

  it('writes down who did it, why and in which request', async () => {
    const here = await world()
    const { apiKey } = await here.keys.create({ name: 'one', owner: 'alice' })
    await send(here, `POST keys/${apiKey.id}/revoke`, {
      key: here.adminKey,
      body: { reason: 'lost' },
      headers: { 'x-request-id': 'req-7' },
    })
    const { value } = await send(here, `GET audit?event=key.revoke`, { key: here.adminKey })
    const adminId = here.adminKey.split('_')[2]
    expect(value.events).toHaveLength(1)
    expect(value.events[0]).toMatchObject({
      keyId: apiKey.id,
      requestId: 'req-7',
      reason: 'lost',
      actor: { type: 'key', id: adminId },
    })
    expect(value.events[0].time).toMatch(/^2026-01-01T/)
  })

  it('lists page by page, and by what is asked for', async () => {
    const here = await world()
    for (const owner of ['a', 'a', 'b']) await here.keys.create({ name: 'one', owner })
    const first = await send(here, 'GET keys?limit=2', { key: here.adminKey })
    const second = await send(here, `GET keys?limit=2&after=${first.value.next}`, { key: here.adminKey })
    expect([first.value.keys.length, second.value.keys.length]).toEqual([2, 2])
    expect(second.value.next).toBeUndefined()
    const { value } = await send(here, 'GET keys?owner=a&status=active', { key: here.adminKey })
    expect(value.keys.map(({ owner }: { owner: { id: string } }) => owner.id)).toEqual(['a', 'a'])
  })

  it('imports, and says of each what became of it', async () => {
    const here = await world()
    const { value, text } = await send(here, 'POST keys/import', {
      key: here.adminKey,
      body: {
        keys: [
          { name: 'old', owner: 'bob', sha256: 'ab'.repeat(32) },
          { name: 'weak', owner: 'bob', key: 'secret' },
          { name: 'none', owner: 'bob', key: null },
        ],
      },
    })
    expect(value.results).toMatchObject([
      { ok: true, key: { isImported: true } },
      { ok: false },
      { ok: false, error: expect.stringMatching(/key must be 1 to 512 characters/) },
    ])
    expect(text).not.toContain('"secret"')
  })

  describe('who may', () => {
    const protectedLines = [
      'GET keys',
      'POST keys',
      'POST keys/import',
      'GET keys/000000000000',
      'PATCH keys/000000000000',
      'POST keys/000000000000/rotate',
      'POST keys/000000000000/enable',
      'POST keys/000000000000/disable',
      'POST keys/000000000000/revoke',
      'GET usage',
      'GET audit',
    ]

    it.each([...protectedLines, 'POST keys/self/rotate'])('%s needs a token, and its scope', async (line) => {
      const here = await world()
      const { key } = await here.keys.create({ name: 'one', owner: 'alice', scopes: ['read'] })
      const none = await send(here, line)
      expect(none).toMatchObject({ status: 401 })
      expect(none.headers.get('www-authenticate')).toBe('Bearer realm="keys"')
      const poor = await send(here, line, { key })
      expect(poor).toMatchObject({ status: 403, value: { error: 'insufficient_scope' } })
    })

    it('every operation is in the list above, or open on purpose', async () => {
      const { admin } = await world()
      const paths = admin.openApi.paths as Record<string, Record<string, { security: unknown[] }>>
      const open = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).flatMap(([method, { security }]) =>
          security.length === 0 ? [`${method} ${path}`] : [],
        ),
      )
      expect(open).toEqual(['get /admin/openapi.json', 'post /admin/keys/leaked'])
      const count = Object.values(paths).flatMap((methods) => Object.keys(methods)).length
      expect(count).toBe(protectedLines.length + 3)
    })

    it('a key that is bound to tools does not administer keys', async () => {
      const here = await world()
      const { key } = await here.keys.create({
        name: 'x',
        owner: 'y',
        scopes: ['keys:admin'],
        tools: ['search'],
      })
      expect((await send(here, 'GET keys', { key })).status).toBe(403)
    })

    it('a key rotates itself, and no other, and gets no longer life', async () => {
      const here = await world()
      const { key, apiKey } = await here.keys.create({
        name: 'self',
        owner: 'alice',
        scopes: ['keys:rotate:self'],
        expiresInSeconds: 3600,
      })
      expect((await send(here, `POST keys/${apiKey.id}/rotate`, { key, body: {} })).status).toBe(403)
      const longer = { expiresAt: '2030-01-01T00:00:00Z' }
      expect((await send(here, 'POST keys/self/rotate', { key, body: longer })).status).toBe(400)
      const { status, value } = await send(here, 'POST keys/self/rotate', { key, body: { graceSeconds: 10 } })
      expect(status).toBe(201)
      expect(value.apiKey).toMatchObject({ lineageId: apiKey.id, scopes: ['keys:rotate:self'] })
      expect(Date.parse(value.apiKey.expiresAt)).toBeLessThanOrEqual(here.clock() + 3_600_000)
    })

    it('a token of others that says it is a key rotates nothing, and is no key in the audit log', async () => {
      const here = await world()
      const { apiKey } = await here.keys.create({ name: 'victim', owner: 'alice' })
      const { apiKey: other } = await here.keys.create({ name: 'other', owner: 'alice' })
      const claims = { key_id: apiKey.id, lineage_id: apiKey.id }
      const init = { subject: 'mallory', claims, scopes: ['keys:rotate:self', 'keys:admin'] }
      const admin = keysAdmin({
        store: here.store,
        auth: { verifyToken: async (token) => ({ token, ...init }) },
        logger: () => {},
      })
      const forged = { ...here, admin }
      const { status } = await send(forged, 'POST keys/self/rotate', { key: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln' })
      expect(status).toBe(409)
      expect(await here.keys.get(apiKey.id)).toEqual(apiKey)
      await send(forged, `POST keys/${other.id}/revoke`, { key: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln' })
      const [event] = await here.keys.audit({ event: 'key.revoke' })
      expect(event?.actor).toEqual({ type: 'user', id: 'mallory' })
    })

    it('a key that was imported rotates itself, too', async () => {
      const here = await world()
      const key = 'sk-3f9c1b7e5a2d48809c6e'
      const [imported] = await here.keys.import([
        { name: 'old', owner: 'alice', key, scopes: ['keys:rotate:self'] },
      ])
      const auth = apiKeyVerifier({ store: here.store, imported: true }, { logger: () => {} })
      closing.push(() => auth.close?.())
      const admin = keysAdmin({ store: here.store, auth, logger: () => {} })
      const { status, value } = await send({ ...here, admin }, 'POST keys/self/rotate', { key })
      expect(status).toBe(201)
      expect(imported).toMatchObject({ ok: true, value: { id: value.apiKey.lineageId } })
    })

    it('a key with a usage limit gets no more uses by rotating itself', async () => {
      const here = await world()
      const { key, apiKey } = await here.keys.create({
        name: 'few',
        owner: 'alice',
        scopes: ['keys:rotate:self'],
        usageLimit: 100,
      })
      const made = await send(here, 'POST keys/self/rotate', { key, body: { graceSeconds: 60 } })
      expect(made.status).toBe(201)
      const left = (await here.keys.get(apiKey.id))?.usageLeft ?? 0
      expect(made.value.apiKey.usageLeft + left).toBeLessThanOrEqual(99)
    })

    it('whoever was shut out while his request came in changes nothing', async () => {
      const here = await world()
      const [, , adminId = ''] = here.adminKey.split('_')
      let revoked: unknown
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            revoked = await here.keys.revoke(adminId)
            controller.enqueue(new TextEncoder().encode('{"name":"late","owner":"mallory"}'))
            controller.close()
          },
        },
        { highWaterMark: 0 },
      )
      const response = await here.admin.fetch(
        new Request('http://127.0.0.1/admin/keys', {
          method: 'POST',
          headers: { authorization: `Bearer ${here.adminKey}` },
          body,
          duplex: 'half',
        } as RequestInit),
      )
      expect(revoked).toMatchObject({ status: 'revoked' })
      expect(response.status).toBe(401)
      expect((await here.keys.list({ owner: 'mallory' })).keys).toEqual([])
    })

    it('a key that was imported is ended by showing it, whatever it looks like', async () => {
      const here = await world()
      const key = 'sk-3f9c1b7e5a2d48809c6e'
      const [imported] = await here.keys.import([{ name: 'old', owner: 'alice', key }])
      const { status, text } = await send(here, 'POST keys/leaked', { body: { key } })
      expect([status, text]).toEqual([202, '{"accepted":true}'])
      const { value } = imported as unknown as { value: { id: string } }
      expect(await here.keys.get(value.id)).toMatchObject({ status: 'revoked' })
    })

    it('whoever shows a key ends it, and learns nothing', async () => {
      const here = await world()
      const { key, apiKey } = await here.keys.create({ name: 'leaked', owner: 'alice' })
      const unknown = key.replace(/_[^_]{12}_/, '_000000000000_')
      const answers = []
      for (const shown of [key, key, unknown, 'nonsense']) {
        const { status, text } = await send(here, 'POST keys/leaked', { body: { key: shown } })
        answers.push([status, text])
      }
      expect(new Set(answers.map(String)).size).toBe(1)
      expect(answers[0]).toEqual([202, '{"accepted":true}'])
      expect(await here.keys.get(apiKey.id)).toMatchObject({ status: 'revoked' })
    })

    it('reports of leaks are limited; garbage does not use them up', async () => {
      const here = await world()
      const { key } = await here.keys.create({ name: 'leaked', owner: 'alice' })
      const report = (shown: string) => send(here, 'POST keys/leaked', { body: { key: shown } })
      for (let n = 0; n < 100; n++) expect((await report('no "key"')).status).toBe(202)
      // What may have been imported can look like anything, and has turns of its own.
      for (let n = 0; n < 60; n++) expect((await report('nonsense')).status).toBe(202)
      expect((await report('nonsense')).status).toBe(429)
      for (let n = 0; n < 60; n++) expect((await report(key)).status).toBe(202)
      const refused = await report(key)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      here.clock.advance(60_000)
      expect((await report(key)).status).toBe(202)
    })
  })

  describe('requests that make no sense', () => {
    it.each([
      ['no JSON', 'POST keys', '{'],
      ['no object', 'POST keys', '[]'],
      ['a member nobody knows', 'POST keys', { name: 'x', owner: 'y', scope: 'read' }],
      ['no name', 'POST keys', { owner: 'y' }],
      ['a date that is none', 'POST keys', { name: 'x', owner: 'y', expiresAt: 'tomorrow' }],
      ['a list that is none', 'POST keys/import', { keys: 'all' }],
      ['an item that is none', 'POST keys/import', { keys: [1] }],
      ['a list nobody else could wait for', 'POST keys/import', { keys: Array(1001).fill({}) }],
      ['too much', 'POST keys', `{"name":"${'x'.repeat(1_100_000)}"}`],
    ])('%s is told what is wrong, and nothing is done', async (_what, line, body) => {
      const here = await world()
      const before = await here.store.readAudit({ limit: 1000 })
      const { status, value } = await send(here, line, { key: here.adminKey, body })
      expect(status).toBe(400)
      expect(value.error).toBe('invalid_request')
      expect(value.error_description).not.toBe('')
      const after = await here.store.readAudit({ limit: 1000 })
      expect(after.filter(({ event }) => event !== 'key.first_use')).toEqual(before)
    })

    it.each([
      'GET keys?limit=x',
      'GET keys?status=odd',
      'GET keys?stale=perhaps',
      'GET audit?since=yesterday',
      'GET audit?order=newest',
      'GET audit?order=',
      'GET audit?before=-1',
    ])('%s is 400', async (line) => {
      const here = await world()
      expect((await send(here, line, { key: here.adminKey })).status).toBe(400)
    })

    it('another path is 404, another method 405 with those there are', async () => {
      const here = await world()
      expect((await send(here, 'GET nothing', { key: here.adminKey })).status).toBe(404)
      expect((await send(here, 'GET keys/constructor', { key: here.adminKey })).status).toBe(404)
      const wrong = await send(here, 'DELETE keys', { key: here.adminKey })
      expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST'])
    })
  })

  it('a database that is down is 503, and the change is not said to be done', async () => {
    const here = await world((store) => ({
      ...store,
      commit: () => Promise.reject(new AuthError('verifier_unavailable')),
    }))
    const { status, headers } = await send(here, 'POST keys', {
      key: here.adminKey,
      body: { name: 'x', owner: 'y' },
    })
    expect(status).toBe(503)
    expect(headers.get('retry-after')).not.toBeNull()
  })

  it('what breaks is 500, and its message is for the log only', async () => {
    const here = await world((store) => ({
      ...store,
      list: () => Promise.reject(new Error('column "hash" of mcp_bearer_keys')),
    }))
    const { status, text } = await send(here, 'GET keys', { key: here.adminKey })
    expect([status, text]).toEqual([500, '{"error":"server_error"}'])
    expect(here.log.map(({ event }) => event)).toContain('keys_admin_failed')
  })

  it('no answer is kept by a cache', async () => {
    const here = await world()
    for (const line of ['GET keys', 'GET nothing', 'GET openapi.json']) {
      const { headers } = await send(here, line, { key: here.adminKey })
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })

  it('the description refers to schemas that exist', async () => {
    const here = await world()
    const { value } = await send(here, 'GET openapi.json')
    expect(value.openapi).toBe('3.1.0')
    const text = JSON.stringify(value)
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g))
      expect(value.components.schemas).toHaveProperty([name!])
  })

  it.each([
    [{ path: '/admin/' }, 'path'],
    [{ pth: '/admin' }, 'pth'],
    [{ auth: undefined }, 'verifier'],
    [{ store: undefined }, 'store'],
  ])('%j is refused when it is made', async (wrong, name) => {
    const store = memoryKeyStore()
    const auth = { verifyToken: vi.fn() }
    expect(() => keysAdmin({ store, auth, ...wrong } as never)).toThrow(name)
  })
})
