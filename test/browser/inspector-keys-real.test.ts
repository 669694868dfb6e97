import { apiKeys, type KeyStore, memoryKeyStore } from 'mcp-bearer/keys'
import { keysAdmin } from 'mcp-bearer/keys-admin'
import { apiKeyVerifier, MCPServer } from 'mcp-bearer/server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { keysSite } from '../../src/inspector/bridge/keys-site.ts'
import { openBrowser } from './chromium.ts'
import { type InspectorVisit, openInspector, placesOf } from './inspector-visit.ts'
import { rowOf } from './keys-page.ts'

const open: { close(): unknown }[] = []
let browser: Browser

beforeAll(async () => {
  browser = await openBrowser()
}, 60_000)
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(() => browser?.close())

function kept<T extends { close(): unknown }>(one: T): T {
  open.push(one)
  return one
}

/** A server that is protected with the keys of a database, and can be asked for the keys themselves. */
async function protectedServer(store: KeyStore) {
  const auth = apiKeyVerifier({ store }, { logger() {} })
  kept({ close: () => auth.close?.() })
  const server = new MCPServer({ name: 'Real shop', auth, logger() {} })
  server.tool('whisper', { description: 'Says little' }, () => 'pssst')
  server.mount(keysAdmin({ store, auth, logger() {} }))
  const { url } = kept({ ...(await server.listen({ port: 0 })), close: () => server.close() })
  return { url, origin: new URL(url).origin }
}

/** What an MCP client asks with a key, over HTTP. */
async function callWith(
  url: string,
  key: string,
): Promise<{ status: number; text: string; challenge: string }> {
  const request = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'whisper',
      arguments: {},
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  }
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'whisper',
    },
    body: JSON.stringify(request),
  })
  const challenge = answer.headers.get('www-authenticate') ?? ''
  return { status: answer.status, text: await answer.text(), challenge }
}

function button(page: Page, name: string) {
  return page.getByRole('button', { name, exact: true })
}

async function useToken(page: Page, token: string): Promise<void> {
  await page.getByLabel('Bearer token or API key').fill(token)
  await button(page, 'Use').click()
}

/** Makes a key in the page. @returns it, as a person reads it */
async function makeKey(page: Page): Promise<string> {
  await button(page, 'Create a key').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill('laptop')
  await dialog.getByLabel('Owner', { exact: true }).fill('alice')
  await button(page, 'Create').click()
  await dialog.getByRole('button', { name: 'Show' }).click()
  const key = await page.locator('.secret').innerText()
  await button(page, 'I have stored it').click()
  await rowOf(page, 'laptop').waitFor()
  return key
}

/** Ends the key in the page. */
async function endKey(page: Page): Promise<void> {
  await rowOf(page, 'laptop').getByRole('button', { name: 'laptop' }).click()
  await button(page, 'Revoke').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason', { exact: true }).fill('lost on a train')
  await dialog.getByLabel('Type the name of the key: laptop').fill('laptop')
  await button(page, 'Revoke for good').click()
  await page.getByText('The key "laptop" was revoked.').waitFor()
}

/** A key is made, works, is ended, and does not work any more; afterwards it is nowhere in the page. */
async function goThrough({ page, problems }: InspectorVisit, url: string): Promise<string> {
  const key = await makeKey(page)
  const before = await callWith(url, key)
  expect([before.status, before.text]).toEqual([200, expect.stringContaining('pssst')])
  await endKey(page)
  const after = await callWith(url, key)
  expect([after.status, after.challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')])
  expect(after.text).not.toContain('pssst')
  // Newest first: what was done last is what somebody looks for.
  await expect.poll(() => page.locator('.audit strong').first().innerText()).toBe('Key revoked')
  expect(await placesOf(page, key.slice(-38))).toEqual([])
  expect(await problems()).toEqual([])
  return key
}

describe('a server that keysAdmin is mounted on', () => {
  async function world() {
    const store = kept(memoryKeyStore())
    const keys = apiKeys({ store })
    const admin = await keys.create({ name: 'admin', owner: 'root', scopes: ['keys:admin'] })
    const poor = await keys.create({ name: 'poor', owner: 'eve', scopes: ['reports:read'] })
    const server = await protectedServer(store)
    const seen = kept(await openInspector(browser, server.origin, { path: '/inspector/keys' }))
    return { ...server, keys, seen, admin: admin.key, poor: poor.key }
  }

  it('FL-105 a key is made in its page, works against its endpoint, is ended in the page and refused', async () => {
    const { url, keys, seen, admin } = await world()
    await useToken(seen.page, admin)
    await goThrough(seen, url)
    const [, , id = ''] = admin.split('_')
    const [revoked] = await keys.audit({ event: 'key.revoke' })
    expect(revoked).toMatchObject({ actor: { type: 'key', id }, reason: 'lost on a train' })
  })

  it('FL-105 who has no keys:admin sees the challenge and no key', async () => {
    const { seen, admin, poor } = await world()
    const { page } = seen
    await page.getByText('Give the page a token with the scope keys:admin').waitFor()
    await useToken(page, poor)
    const alert = page.getByRole('alert')
    await alert.filter({ hasText: 'insufficient_scope' }).waitFor()
    expect((await alert.innerText()).replace(/\s+/g, ' ')).toContain('Scopes needed keys:admin')
    const ids = [admin, poor].map((key) => key.split('_')[2] ?? '')
    expect(await placesOf(page, ids[0]!)).toEqual([])
    for (const text of ['poor', 'root', 'Create a key', 'Audit trail'])
      expect([text, await page.locator('main').getByText(text, { exact: true }).count()]).toEqual([text, 0])
    expect(await seen.problems()).toEqual([])
  })
})

describe('the program that shows the keys of a database', () => {
  it('FL-105 makes a key that works against a server with the same database, and ends it there', async () => {
    const store = kept(memoryKeyStore())
    const { url } = await protectedServer(store)
    const actor = { type: 'cli', name: 'alice' } as const
    const site = kept(await keysSite({ keys: { store }, name: 'keys of the shop', actor, logger() {} }))
    const path = site.url.slice(site.origin.length)
    const seen = kept(await openInspector(browser, site.origin, { path }))
    await goThrough(seen, url)
    const events = await apiKeys({ store }).audit()
    const done = events.filter(({ event }) => event === 'key.create' || event === 'key.revoke')
    expect(done.map(({ event, actor: who }) => [event, who])).toEqual([
      ['key.create', actor],
      ['key.revoke', actor],
    ])
  })

  it('FL-105 answers nobody who has not opened it with its key', async () => {
    const store = kept(memoryKeyStore())
    const { apiKey } = await apiKeys({ store }).create({ name: 'hidden', owner: 'root' })
    const actor = { type: 'cli' } as const
    const site = kept(await keysSite({ keys: { store }, name: 'keys of the shop', actor, logger() {} }))
    const { page } = kept(await openInspector(browser, site.origin, { path: '/inspector/keys' }))
    await page.getByText('It was opened without its key').waitFor()
    expect(await page.content()).not.toContain(apiKey.id)
    const answer = await fetch(`${site.origin}/admin/keys`)
    expect(answer.ok).toBe(false)
    expect(await answer.text()).not.toContain(apiKey.id)
  })
})
