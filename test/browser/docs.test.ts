import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Catalogue } from '../../src/server/pages/catalogue.ts'
import { openMcp } from '../../src/server/pages/open-mcp.ts'
import { emptyCatalogue, hostileCatalogue, markup, shopCatalogue } from './catalogues.ts'
import { type Look, openBrowser, type Visit, visit } from './chromium.ts'
import { contrast, keyboard, overflow, picture } from './measure.ts'
import { siteBelowPrefix, siteOfServer } from './server-site.ts'
import { type Site, siteOf } from './site.ts'

const looks: Look[] = [
  { scheme: 'light', width: 1400 },
  { scheme: 'dark', width: 1400 },
  { scheme: 'light', width: 360 },
  { scheme: 'dark', width: 360 },
]
const open: { close(): Promise<void> }[] = []
let browser: Browser
let shop: Site

beforeAll(async () => {
  browser = await openBrowser()
  shop = await siteOfServer(shopCatalogue)
}, 60_000)

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

afterAll(async () => {
  await browser?.close()
  await shop?.close()
})

async function look(
  path = '/docs',
  how?: Look,
  site: Site = shop,
  prepare?: (page: Page) => Promise<unknown>,
): Promise<Visit> {
  const seen = await visit(browser, site.origin + path, how, prepare)
  open.push(seen)
  return seen
}

async function siteFor(catalogue: () => Catalogue): Promise<Site> {
  const site = await siteOf(catalogue)
  open.push(site)
  return site
}

/** The texts of all elements that are visible. */
async function shown(page: Page, selector: string): Promise<string[]> {
  const texts = await page.locator(selector).filter({ visible: true }).allInnerTexts()
  return texts.map((text) => text.replace(/\s+/g, ' ').trim())
}

function card(page: Page, name: string) {
  return page.getByRole('article', { name })
}

it('what the server publishes is what it was made of', async () => {
  const response = await fetch(`${shop.origin}/openmcp.json`)
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openMcp(shopCatalogue))))
})

describe('the page shows', () => {
  it('the server, where it is and what it asks for', async () => {
    const { page } = await look()
    expect(await page.title()).toBe('Corner shop \u00b7 MCP server')
    expect(await shown(page, 'h1')).toEqual(['Corner shop'])
    const facts = (await shown(page, '.overview dl > div')).join('\n')
    expect(facts).toContain(`Endpoint ${shop.origin}/mcp`)
    expect(facts).toContain('Authentication Authorization: Bearer')
    expect(facts).toContain('API keys also in the header X-API-Key')
    expect(facts).toContain('Required scopes shop')
    expect(facts).toContain('Tokens come from https://id.example.com')
    expect(facts).toContain('Protocol 2026-07-28, 2025-11-25')
    expect(await shown(page, '.lead')).toEqual([
      'Orders, stock and customers of the corner shop. The prices are in euros.',
    ])
    await page.getByText('Instructions for the model').click()
    expect(await shown(page, '.overview details p')).toEqual([
      'Look up the customer before placing an order.',
    ])
  })

  it('every component by its kind, with its scopes and hints', async () => {
    const { page } = await look()
    expect(await shown(page, 'main h2')).toEqual([
      'Connect',
      'Tools 4',
      'Resources 1',
      'Resource templates 1',
      'Prompts 1',
    ])
    expect(await shown(page, 'article h3')).toEqual([
      'place_order Place an order',
      'stock_level',
      'category_tree',
      'ping',
      'shop://opening-hours Opening hours',
      'shop://orders/{number} One order',
      'complaint',
    ])
    expect(await shown(page, '[id="tools/place_order"] .badge')).toEqual([
      'scope orders:write',
      'scope customers:read',
      'depends on the caller',
      'destructive',
    ])
    expect(await shown(page, '[id="tools/ping"] .badge')).toEqual([])
    expect(await shown(page, '[id="tools/ping"] > p')).toEqual(['Arguments: none.'])
    expect(await shown(page, '[id="prompts/complaint"] li')).toEqual([
      'order string required Its number.',
      'tone string',
    ])
  })

  it('schemas with what is nested in them', async () => {
    const { page } = await look()
    const rows = (selector: string) => shown(page, `[id="tools/place_order"] ${selector} > .line`)
    expect(await rows('details > .rows > li')).toEqual([
      'customer string required',
      'lines array of object required',
      'delivery object',
      'priority string',
      'note string or null',
    ])
    expect(await rows('details > .rows > li > .rows > li')).toEqual([
      'article string required',
      'quantity integer',
      'options object',
      'street string required',
      'country string required',
    ])
    expect(await rows('.rows .rows .rows > li')).toEqual(['any other name string'])
    expect((await shown(page, '[id="tools/place_order"] .facts')).join(' ')).toMatch(
      /items 1 to 50 .*default 1 value at least 1 .*"normal" "express" "overnight" default "normal"/,
    )
    expect((await shown(page, '[id="tools/category_tree"] .line')).at(-1)).toBe(
      'children array of node (as above)',
    )
    await card(page, 'place_order').getByText('Result').click()
    expect(await shown(page, '[id="tools/place_order"] details:nth-of-type(2) .line')).toEqual([
      'number string required',
      'total number required',
    ])
  })

  it('how each host is told, with a variable in place of the token and no field to type one into', async () => {
    const { page } = await look()
    const codes: Record<string, string> = {}
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click()
      codes[await tab.innerText()] = await page.getByRole('tabpanel').locator('pre').innerText()
    }
    expect(Object.keys(codes)).toEqual(['mcp-bearer', 'Claude Code', 'VS Code', 'Cursor', 'curl'])
    for (const code of Object.values(codes)) expect(code).toContain(`${shop.origin}/mcp`)
    expect(codes['mcp-bearer']).toContain("envToken('MCP_TOKEN')")
    expect(codes['Claude Code']).toContain("--header 'Authorization: Bearer ${MCP_TOKEN}'")
    expect(JSON.parse(codes['VS Code'] ?? '').servers.shop.headers).toEqual({
      Authorization: 'Bearer ${input:mcp-token}',
    })
    expect(JSON.parse(codes.Cursor ?? '').mcpServers.shop.headers).toEqual({
      Authorization: 'Bearer ${env:MCP_TOKEN}',
    })
    expect(codes.curl).toContain('-H "Authorization: Bearer $MCP_TOKEN"')
    expect(codes.curl).toContain('"method":"tools/list"')
    expect(await page.locator('input, textarea, select, [contenteditable]').count()).toBe(1)
  })

  it('its content below a prefix as well', async () => {
    const below = await siteBelowPrefix(shopCatalogue)
    open.push(below)
    const { page, problems } = await look('/below/docs', undefined, below)
    expect(await shown(page, 'h1')).toEqual(['Corner shop'])
    expect(await problems()).toEqual([])
  })
})

describe('the filter', () => {
  it('leaves what holds every word, in names, titles, descriptions or scopes, and says how many', async () => {
    const { page } = await look()
    const filter = page.getByRole('searchbox', { name: 'Filter' })
    for (const [words, names] of [
      ['stock', ['stock_level']],
      ['ORDER number', ['place_order', 'shop://orders/{number}']],
      ['one order', ['shop://orders/{number}']],
      ['complaint', ['complaint']],
      ['customers:read', ['place_order']],
    ] as const) {
      await filter.fill(words)
      expect(await shown(page, 'article h3 code'), words).toEqual(names)
      expect(await shown(page, 'nav li'), words).toEqual(names)
      expect(await shown(page, '#found'), words).toEqual([`${names.length} of 7`])
      expect(await shown(page, '#connect, .overview'), words).toEqual([])
    }
    await filter.fill('order')
    expect(await shown(page, 'main h2')).toEqual(['Tools 1', 'Resource templates 1'])
    await filter.fill('no such thing')
    expect(await shown(page, 'article')).toEqual([])
    expect(await shown(page, '#nothing')).toEqual(['Nothing matches \u201cno such thing\u201d.'])
  })

  it('is reached by "/", and emptied by Escape', async () => {
    const { page } = await look()
    await page.keyboard.press('/')
    await page.keyboard.type('stock/')
    expect(await page.locator('#filter').inputValue()).toBe('stock/')
    expect(await shown(page, 'article')).toEqual([])
    await page.keyboard.press('Escape')
    expect(await page.locator('#filter').inputValue()).toBe('')
    expect(await shown(page, 'article h3')).toHaveLength(7)
  })

  it('makes way for what the address names', async () => {
    const { page } = await look(`/docs#${encodeURIComponent('prompts/complaint')}`)
    const complaint = page.locator('[id="prompts/complaint"]')
    expect(await page.evaluate('scrollY')).toBeGreaterThan(500)
    expect(await page.evaluate('document.querySelector(":target")?.id')).toBe('prompts/complaint')
    await page.getByRole('searchbox').fill('stock')
    expect(await complaint.isVisible()).toBe(false)
    await page.evaluate(`location.hash = encodeURIComponent('tools/ping')`)
    await page.waitForFunction(`document.querySelector('[id="tools/ping"]').checkVisibility()`)
    expect(await page.getByRole('searchbox').inputValue()).toBe('')
  })
})

describe('a server that offers nothing, or does not answer', () => {
  it('is said to offer nothing, and to ask for no token', async () => {
    const empty = await siteOfServer(emptyCatalogue)
    open.push(empty)
    const { page, problems } = await look('/docs', undefined, empty)
    expect(await shown(page, '#empty')).toEqual([
      'This server offers nothing yet: no tools, no resources, no prompts.',
    ])
    expect(await shown(page, '#search, nav')).toEqual([])
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click()
      expect(await page.getByRole('tabpanel').innerText()).not.toMatch(/token|authorization/i)
    }
    expect(await page.getByRole('tabpanel').innerText()).toContain('"method":"server/discover"')
    expect(await problems()).toEqual([])
  })

  it('is reported, and asked again when the reader wants it', async () => {
    let isBroken = true
    const site = await siteFor(() => {
      if (isBroken) throw new Error('no catalogue')
      return shopCatalogue
    })
    const { page } = await look('/docs', undefined, site)
    expect(await page.getByRole('alert').innerText()).toMatch(
      /The catalogue cannot be read\s+The server answered with status 500\./,
    )
    isBroken = false
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.waitForSelector('article')
    expect(await shown(page, 'h1')).toEqual(['Corner shop'])
  })

  it.each([
    ['{', 'What the server sent is not JSON.'],
    ['null', 'The catalogue has a format this page does not know.'],
    ['{"openmcp":"2.0"}', 'The catalogue has a format this page does not know.'],
  ])('is reported when it sends %s', async (body, message) => {
    const { page } = await look('/docs', undefined, shop, (before) =>
      before.route('**/openmcp.json', (route) => route.fulfill({ status: 200, body })),
    )
    expect(await page.getByRole('alert').innerText()).toContain(message)
  })

  it('is shown as far as it can be read', async () => {
    const { page, problems } = await look('/docs', undefined, shop, (before) =>
      before.route('**/openmcp.json', (route) =>
        route.fulfill({
          status: 200,
          body: '{"openmcp":"1.7","info":7,"tools":[null,{"name":"left"}],"prompts":{}}',
        }),
      ),
    )
    expect(await shown(page, 'h1')).toEqual(['MCP server'])
    expect(await shown(page, 'article h3')).toEqual(['without a name', 'left'])
    expect(await problems()).toEqual([])
  })
})

describe('text of the catalogue', () => {
  it('that is markup is shown and not run, and nothing is loaded from elsewhere (FL-104)', async () => {
    const { page, problems } = await look('/docs', undefined, await siteFor(() => hostileCatalogue))
    await page.evaluate(`for (const part of document.querySelectorAll('details')) part.open = true`)
    expect(await shown(page, 'h1')).toEqual([markup])
    for (const selector of [
      '[id^="tools/"] .badge',
      '[id^="tools/"] .title, [id^="tools/"] h3 code',
      '[id^="tools/"] .field',
      '[id^="tools/"] .type',
      '[id^="tools/"] .rows .prose',
      '[id^="prompts/"] .field',
      'nav li',
      '.overview details p',
    ]) {
      expect((await shown(page, selector)).join('\n'), selector).toContain(markup)
    }
    expect((await shown(page, '[id^="tools/"] .line')).join('\n')).toContain('__proto__ string')
    expect(await page.locator('script').count()).toBe(1)
    expect(await page.locator('img, b, body script').count()).toBe(0)
    const addresses = await page.evaluate<string[]>(
      `[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))`,
    )
    expect(addresses.length).toBeGreaterThan(5)
    for (const address of addresses) expect(address).toMatch(/^#|^openmcp\.json$/)
    expect(await page.evaluate('globalThis.ran')).toBeUndefined()
    expect(await problems()).toEqual([])
  })

  it('could not run, either, if the script had read it as markup', async () => {
    const { page, problems } = await look()
    const text = JSON.stringify(markup)
    await expect(page.evaluate(`document.body.innerHTML = ${text}`)).rejects.toThrow(/TrustedHTML/)
    await page.evaluate(`{
      const image = document.createElement('img')
      image.src = 'http://127.0.0.1:9/x'
      const script = document.createElement('div')
      script.setAttribute('style', 'color: red')
      document.body.append(image, script)
    }`)
    const blocked = (await problems()).filter((problem) => problem.startsWith('violation: '))
    expect(blocked.join('\n')).toMatch(/require-trusted-types-for/)
    expect(blocked.join('\n')).toMatch(/img-src http:\/\/127\.0\.0\.1:9/)
    expect(blocked.join('\n')).toMatch(/style-src/)
    expect(await page.evaluate('globalThis.ran')).toBeUndefined()
  })
})

describe.each(looks)('in a $scheme window of $width pixels', (how) => {
  it('the page is quiet, fits, and can be read', async () => {
    const { page, problems } = await look('/docs', how)
    await page.evaluate(`for (const part of document.querySelectorAll('details')) part.open = true`)
    expect(await overflow(page)).toBe(0)
    const { measured, faint } = await contrast(page)
    expect(measured).toBeGreaterThan(100)
    expect(faint).toEqual([])
    expect(await problems()).toEqual([])
  })

  it('fits whatever names are like', async () => {
    const long = 'word'.repeat(60)
    const server = {
      name: long,
      version: long,
      title: long,
      description: long,
      websiteUrl: `https://${long}.example/`,
    }
    const field = { type: 'string', description: long, default: long, enum: [long] }
    const listed = {
      name: long,
      uri: `x://${long}`,
      uriTemplate: `x://${long}`,
      title: long,
      description: long,
    }
    const tool = { ...listed, inputSchema: { type: 'object', properties: { [long]: field } } }
    const security = {
      scheme: 'bearer',
      apiKeyHeader: long,
      authorizationServers: [`https://id.example/${long}`],
    } as const
    const component = { listed, scopes: [long] }
    const kinds = { resources: [component], resourceTemplates: [component], prompts: [component] }
    const all = { ...shopCatalogue, server, security, ...kinds, tools: [{ listed: tool, scopes: [long] }] }
    const { page } = await look('/docs', how, await siteFor(() => all))
    await page.evaluate(`for (const part of document.querySelectorAll('details')) part.open = true`)
    expect(await shown(page, 'article')).toHaveLength(4)
    expect(await overflow(page)).toBe(0)
  })

  it('a screenshot shows the content from top to bottom, on the ground of the scheme', async () => {
    const { page } = await look('/docs', how)
    const png = await page.screenshot({ fullPage: true })
    const folder = process.env.SCREENSHOTS
    if (folder) writeFileSync(join(folder, `docs-${how.scheme}-${how.width}.png`), png)
    const seen = await picture(page, png)
    expect(seen.width).toBe(how.width)
    expect(seen.height).toBeGreaterThan(2000)
    expect(seen.ink).toBeGreaterThan(0.01)
    expect(seen.ink).toBeLessThan(0.3)
    expect(seen.longestBlank).toBeLessThan(160)
    if (how.scheme === 'light') expect(seen.ground).toBeGreaterThan(240)
    else expect(seen.ground).toBeLessThan(40)
  })
})

describe('by keyboard', () => {
  it('everything that can be used is reached in the order of the page, with a visible mark', async () => {
    const { page } = await look()
    const { usable, reached, unseen } = await keyboard(page)
    expect(usable.length).toBeGreaterThan(20)
    expect(reached).toEqual(usable)
    expect(unseen).toEqual([])
    expect(reached[0]).toBe('Skip to the content <a>')
    expect(reached[1]).toBe('filter <input>')
  })

  it('the first stop leads past the index', async () => {
    const { page } = await look()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.closest("main") !== null')).toBe(true)
  })

  it('arrows go through the hosts, round and round', async () => {
    const { page } = await look()
    await page.getByRole('tab', { name: 'mcp-bearer' }).focus()
    const visited: string[] = []
    for (const key of ['ArrowRight', 'ArrowRight', 'End', 'ArrowRight', 'ArrowLeft', 'Home']) {
      await page.keyboard.press(key)
      const selected = await page.locator('[role=tab][aria-selected=true]').innerText()
      expect(await page.evaluate('document.activeElement.textContent')).toBe(selected)
      expect(await page.getByRole('tabpanel').getAttribute('aria-labelledby')).toBe(
        await page.locator('[role=tab][aria-selected=true]').getAttribute('id'),
      )
      visited.push(selected)
    }
    expect(visited).toEqual(['Claude Code', 'VS Code', 'curl', 'mcp-bearer', 'curl', 'mcp-bearer'])
  })

  it('code is copied as it is shown', async () => {
    const { page } = await look()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: shop.origin })
    await page.getByRole('tab', { name: 'Cursor' }).click()
    const panel = page.getByRole('tabpanel')
    await panel.getByRole('button', { name: 'Copy Cursor: .cursor/mcp.json' }).press('Enter')
    await panel.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await panel.locator('pre').innerText())
  })
})

it('the page has one of each landmark, and a heading in each section', async () => {
  const { page } = await look()
  for (const role of ['main', 'search', 'navigation'] as const)
    expect(await page.getByRole(role).count(), role).toBe(1)
  const unnamed = await page.evaluate(`[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')]
    .flatMap((element) => [element.getAttribute('aria-labelledby'), element.getAttribute('aria-describedby')])
    .filter((id) => id !== null && document.getElementById(id) === null)`)
  expect(unnamed).toEqual([])
})

it('nothing moves, whatever motion the reader prefers', async () => {
  const { page } = await look()
  const moving =
    await page.evaluate(`[document.documentElement, ...document.querySelectorAll('*')].map(getComputedStyle)
    .filter((style) => style.transitionDuration !== '0s' || style.animationName !== 'none' || style.scrollBehavior !== 'auto')
    .length`)
  expect(moving).toBe(0)
})
