import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { memoryKeyStore } from 'mcp-bearer/keys'
import { MCPServer } from 'mcp-bearer/server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { documentTo } from '../../src/cli/inspect/browser.ts'
import { inspectorBridge } from '../../src/inspector/bridge/bridge.ts'
import { keysSite } from '../../src/inspector/bridge/keys-site.ts'
import { openBrowser } from './chromium.ts'
import { placesOf } from './inspector-visit.ts'

const goodToken = 'good-token-of-ann-4711'
const open: { close(): Promise<unknown> }[] = []
let browser: Browser

beforeAll(async () => {
  browser = await openBrowser()
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(async () => {
  await browser.close()
})

function kept<T extends { close(): Promise<unknown> }>(one: T): T {
  open.push(one)
  return one
}

/** A protected server, and a bridge to it. */
async function bridge() {
  const server = new MCPServer({
    name: 'Far away',
    logger() {},
    auth: { verifyToken: async (token: string) => (token === goodToken ? { token, subject: 'ann' } : null) },
  })
  server.tool('whisper', { description: 'Says little' }, () => 'pssst')
  const { url } = kept(await server.listen({ port: 0 }))
  return { url, bridge: kept(await inspectorBridge({ target: url, logger() {} })) }
}

/** A tab that has gone to an address. */
async function tab(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(address)
  await page.waitForSelector('#app h1')
  return page
}

const shutOut = 'It was opened without its key, or the key was used already.'

describe('the page behind a real bridge', () => {
  it('FL-103 one tab is let in, once; it may be loaded anew, and makes way for a newer one', async () => {
    const { bridge: site, url } = await bridge()
    const context = kept(await browser.newContext())
    const page = await tab(context, site.url)
    await page.locator('header').getByText(url).waitFor()
    await page.locator('#last-answer').getByText('401 Unauthorized').waitFor()
    expect(page.url()).toBe(`${site.origin}/inspector`)
    await page.reload()
    await page.locator('header').getByText(url).waitFor()
    const second = await tab(context, site.url)
    await second.getByText(shutOut).waitFor()
    const third = await tab(context, site.renew())
    await third.locator('header').getByText(url).waitFor()
    await page.reload()
    await page.getByText(shutOut).waitFor()
  })

  it('uses a tool of the server with a token, and keeps neither the token nor the key', async () => {
    const { bridge: site } = await bridge()
    const page = await tab(kept(await browser.newContext()), site.url)
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== site.origin) problems.push(request.url())
    })
    await page.getByLabel('Bearer token or API key').fill(goodToken)
    await page.getByRole('button', { name: 'Use', exact: true }).click()
    await page.getByText('whisper').first().waitFor()
    const key = new URL(site.url).hash.slice('#key='.length)
    // What the browser remembers of the navigation it shows to the page; the key is good for nothing by then.
    expect((await placesOf(page, key)).filter((place) => place !== 'entries')).toEqual([])
    expect((await placesOf(page, goodToken)).filter((place) => place !== 'values')).toEqual([])
    expect(problems).toEqual([])
  })

  it('is come to from the file that --open makes', async () => {
    const { bridge: site, url } = await bridge()
    const folder = await mkdtemp(join(tmpdir(), 'mcp-bearer-open-test-'))
    kept({ close: () => rm(folder, { recursive: true }) })
    const file = join(folder, 'open.html')
    await writeFile(file, documentTo(site.url))
    const page = await kept(await browser.newContext()).newPage()
    await page.goto(pathToFileURL(file).href)
    await page.waitForURL(`${site.origin}/inspector`)
    await page.locator('header').getByText(url).waitFor()
  })
})

describe('the page for keys on this machine', () => {
  it('shows the keys of a database to one tab', async () => {
    const store = kept(memoryKeyStore())
    const actor = { type: 'cli', name: 'alice' } as const
    const site = kept(await keysSite({ keys: { store }, name: 'keys of the shop', actor, logger() {} }))
    const context = kept(await browser.newContext())
    const page = await tab(context, site.url)
    await page.getByText('keys of the shop').first().waitFor()
    await (await tab(context, site.url)).getByText(shutOut).waitFor()
  })
})
