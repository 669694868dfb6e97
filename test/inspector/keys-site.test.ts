import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ApiKeysOptions } from '../../src/apikeys/api-keys.ts'
import { memoryKeyStore } from '../../src/apikeys/index.ts'
import { keysSite } from '../../src/inspector/bridge/keys-site.ts'
import type { LocalSite } from '../../src/inspector/bridge/local-site.ts'
import { apiKeyVerifier } from '../../src/verify/index.ts'
import { ask, bytes, type Got, keptLog, keyOf, open, type Said, tryKey } from './bridge-support.ts'

const actor = { type: 'cli', name: 'alice' } as const
const wanted = { name: 'ci', owner: 'alice', scopes: ['keys:admin'] }
let sites: LocalSite[] = []
let store = memoryKeyStore()

beforeEach(() => {
  store = memoryKeyStore()
})
afterEach(async () => {
  await Promise.all(sites.map((site) => site.close()))
  sites = []
  await store.close()
})

/** A page for keys, opened. */
async function opened(keys: Partial<ApiKeysOptions> = {}) {
  const { entries, logger } = keptLog()
  const site = await keysSite({ keys: { store, ...keys }, name: 'keys.db', actor, logger })
  sites.push(site)
  const session = await open(site)
  const secret = session['x-inspector-session']
  return { site, session, secret, log: entries }
}

/** What its page asks: with the session, and the same as a token. */
function api(
  { site, session, secret }: { site: LocalSite; session: Record<string, string>; secret: string },
  path: string,
  said: Said & { readonly json?: object } = {},
): Promise<Got> {
  const headers = {
    'content-type': 'application/json',
    ...session,
    authorization: `Bearer ${secret}`,
    ...said.headers,
  }
  const body = said.json === undefined ? said.body : JSON.stringify(said.json)
  return ask(site, `/admin/${path}`, { ...said, headers, ...(body !== undefined && { body }) })
}

describe('the page for keys', () => {
  it('has an address of its own, to which the others lead', async () => {
    const { site } = await opened()
    expect(site.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/inspector\/keys#key=[\w-]{32}$/)
    const page = await ask(site, '/inspector/keys')
    expect([page.status, page.headers['content-security-policy']]).toEqual([
      200,
      expect.stringContaining("default-src 'none'"),
    ])
    for (const path of ['/', '/inspector', '/inspector/'])
      expect((await ask(site, path)).headers.location).toBe('/inspector/keys')
    expect((await ask(site, '/inspector/app.js')).status).toBe(200)
  })

  it('is told where the keys are, and of no server', async () => {
    const { site, session } = await opened()
    const config = await ask(site, '/inspector/config.json', { headers: session })
    expect(config.json()).toEqual({ kind: 'keys', name: 'keys.db', keys: '/admin' })
  })

  it('makes the first key of an empty database, changes and ends it', async () => {
    const page = await opened()
    const made = await api(page, 'keys', { method: 'POST', json: wanted })
    expect(made.status).toBe(201)
    const { key, apiKey } = made.json() as { key: string; apiKey: { id: string } }
    expect(await apiKeyVerifier({ store }).verifyToken(key)).toMatchObject({ scopes: ['keys:admin'] })
    const listed = await api(page, 'keys')
    expect(listed.json()).toMatchObject({ keys: [{ id: apiKey.id, name: 'ci' }] })
    expect((await api(page, `keys/${apiKey.id}`, { method: 'PATCH', json: { name: 'cd' } })).status).toBe(200)
    const revoked = await api(page, `keys/${apiKey.id}/revoke`, { method: 'POST', json: { reason: 'lost' } })
    expect(revoked.json()).toMatchObject({ name: 'cd', status: 'revoked' })
    for (const got of [made, listed]) {
      expect(got.headers['cache-control']).toBe('no-store')
      expect(got.headers['content-security-policy']).toBe("sandbox; default-src 'none'")
    }
  })

  it('is in the audit log as whoever started it, as the other commands are', async () => {
    const page = await opened()
    await api(page, 'keys', { method: 'POST', json: { ...wanted, reason: 'a trial' } })
    const { events } = (await api(page, 'audit')).json() as { events: object[] }
    expect(events).toMatchObject([{ event: 'key.create', actor, reason: 'a trial' }])
    expect(JSON.stringify(events)).not.toContain(page.secret)
  })

  it('makes keys as it was told to: prefix, environment, peppers, longest life', async () => {
    const peppers = [{ id: 'p1', secret: 'x'.repeat(32) }]
    const page = await opened({
      prefix: 'acme',
      environment: 'test',
      peppers,
      policy: { maxLifetimeSeconds: 3600 },
    })
    const made = (await api(page, 'keys', { method: 'POST', json: wanted })).json() as { key: string }
    expect(made.key).toMatch(/^acme_test_/)
    const long = { ...wanted, expiresAt: '2099-01-01T00:00:00Z' }
    expect((await api(page, 'keys', { method: 'POST', json: long })).status).toBe(400)
    const verifier = apiKeyVerifier({ store, prefix: 'acme', environment: 'test', peppers })
    expect(await verifier.verifyToken(made.key)).not.toBeNull()
  })
})

describe('who may ask the page for keys', () => {
  it('FL-103 nobody without the session: the API is not even asked', async () => {
    const page = await opened()
    const wrong = [
      { 'x-inspector-session': '' },
      { 'x-inspector-session': 'wrong' },
      { 'x-inspector-session': keyOf(page.site.url) },
    ]
    for (const headers of wrong) {
      for (const path of ['keys', 'audit', 'openapi.json', 'keys/leaked', 'nothing']) {
        const got = await api(page, path, { headers })
        expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'session'])
      }
    }
  })

  it('FL-103 not with the session alone, a token of somebody else, or a key of the database', async () => {
    const page = await opened()
    const { key } = (await api(page, 'keys', { method: 'POST', json: wanted })).json() as { key: string }
    const wrong = ['Bearer wrong', `Bearer ${page.secret}x`, `Basic ${page.secret}`, `Bearer ${key}`, '']
    for (const authorization of wrong)
      expect((await api(page, 'keys', { headers: { authorization } })).status).toBe(401)
    expect((await ask(page.site, '/admin/keys', { headers: page.session })).status).toBe(401)
  })

  it('FL-103 not from another site, and not under another name', async () => {
    const page = await opened()
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { host: 'evil.example' },
      { 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of foreign) {
      const got = await api(page, 'keys', { headers })
      expect([got.status, got.headers['x-inspector-problem']]).toEqual([403, 'forbidden'])
      expect(Object.keys(got.headers).join()).not.toContain('access-control')
    }
  })

  it('not a page whose session is over', async () => {
    const page = await opened()
    await open(page.site, page.site.renew())
    expect((await api(page, 'keys')).status).toBe(403)
  })

  it('a key is used once', async () => {
    const page = await opened()
    expect((await tryKey(page.site, keyOf(page.site.url))).status).toBe(403)
  })
})

describe('limits of the page for keys', () => {
  it.each([
    '/target/mcp',
    '/inspector/send',
    '/admin',
    '/adminx/keys',
    '/admin%2fkeys',
    '//admin/keys',
    '/admin/../admin/nothing',
    '/__proto__',
  ])('%s: 404', async (path) => {
    const { site, session, secret } = await opened()
    const headers = { ...session, authorization: `Bearer ${secret}` }
    expect((await ask(site, path, { headers })).status).toBe(404)
  })

  it('a body of 2 MiB: 413', async () => {
    const page = await opened()
    const got = await api(page, 'keys', { method: 'POST', body: 'x'.repeat(2 * 1024 * 1024) })
    expect([got.status, got.headers['x-inspector-problem']]).toEqual([413, 'too_large'])
  })

  it.each(['TRACE', 'OPTIONS', 'PUT', 'PROPFIND'])(
    '%s changes nothing, and the program goes on',
    async (method) => {
      const page = await opened()
      expect((await api(page, 'keys', { method })).status).toBeGreaterThanOrEqual(404)
      expect((await api(page, 'keys')).status).toBe(200)
      expect(page.log).toEqual([])
    },
  )

  it('a GET with a body is one without', async () => {
    const page = await opened()
    expect((await api(page, 'keys', { headers: { 'content-length': '2' }, body: '{}' })).status).toBe(200)
  })

  it('CONNECT leads nowhere', async () => {
    const { site } = await opened()
    expect(await bytes(site, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n')).toBe('')
  })
})
