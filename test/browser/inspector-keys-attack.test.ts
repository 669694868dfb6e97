import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from './chromium.ts'
import { everythingIn, type KeysPageSite, keysPageSite, rowOf, visitKeys } from './keys-page.ts'

const open: { close(): Promise<unknown> }[] = []
let browser: Browser

beforeAll(async () => {
  browser = await openBrowser()
}, 60_000)
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(() => browser?.close())

async function world(kind?: 'server' | 'keys'): Promise<{ site: KeysPageSite; page: Page }> {
  const site = await keysPageSite(kind)
  open.push(site)
  const [address, token] = kind === 'keys' ? ['#key=once'] : ['', site.adminKey]
  const seen = await visitKeys(browser, `${site.origin}/inspector/keys${address}`, token)
  open.push(seen)
  await rowOf(seen.page, 'admin').waitFor()
  return { site, page: seen.page }
}

function button(page: Page, name: string) {
  return page.getByRole('button', { name, exact: true })
}

async function askForKey(page: Page): Promise<void> {
  await button(page, 'Create a key').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill('laptop')
  await dialog.getByLabel('Owner', { exact: true }).fill('alice')
  await button(page, 'Create').click()
}

async function shownKey(page: Page): Promise<string> {
  await page.getByRole('dialog').getByRole('button', { name: 'Show' }).click()
  return page.locator('.secret').innerText()
}

/** Holds what the page asks for, until it is let go. */
async function held(page: Page, url: string | RegExp, method: string) {
  const routes: Route[] = []
  await page.route(url, (route) => {
    if (route.request().method() === method) routes.push(route)
    else return route.fallback()
    return undefined
  })
  return {
    routes,
    arrived: (count = 1) => expect.poll(() => routes.length).toBeGreaterThanOrEqual(count),
  }
}

describe('a key that is on its way', () => {
  it('is not lost when somebody wants to close the dialog, and is made once', async () => {
    const { site, page } = await world()
    const requests = await held(page, '**/admin/keys', 'POST')
    await askForKey(page)
    await requests.arrived()
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).press('Enter')
    for (const _twice of [1, 2]) await page.keyboard.press('Escape')
    await button(page, 'Cancel').click({ force: true })
    expect(requests.routes).toHaveLength(1)
    await requests.routes[0]!.continue()
    expect(await shownKey(page)).toBe(site.made[0])
    expect((await site.keys.list({ owner: 'alice' })).keys).toHaveLength(1)
  })

  it('is shown at once, whatever else the page cannot read', async () => {
    const { site, page } = await world()
    const requests = await held(page, /\/admin\/(?:keys\/|usage)/, 'GET')
    await askForKey(page)
    expect(await shownKey(page)).toBe(site.made[0])
    await button(page, 'I have stored it').click()
    await page.getByText('The key "laptop" was made.').waitFor()
    for (const route of requests.routes) await route.abort()
  })

  it('may be there when its answer is lost: the page says so, and shows it in the list', async () => {
    const { site, page } = await world()
    await page.route('**/admin/keys', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback()
      await route.fetch()
      await route.abort()
    })
    await askForKey(page)
    const alert = page.getByRole('alert')
    await alert.filter({ hasText: 'nobody knows whether the key was made' }).waitFor()
    expect(await alert.innerText()).toContain('revoke it')
    await button(page, 'Cancel').click()
    await rowOf(page, 'laptop').waitFor()
    expect(await everythingIn(page)).not.toContain(site.made[0]!.slice(-38))
  })

  it('that replaces one may be there when its answer is lost', async () => {
    const { site, page } = await world()
    await site.keys.create({ name: 'laptop', owner: 'alice' })
    await page.reload()
    await page.getByLabel('Bearer token or API key').fill(site.adminKey)
    await button(page, 'Use').click()
    await rowOf(page, 'laptop').getByRole('button', { name: 'laptop' }).click()
    await page.route('**/rotate', async (route) => {
      await route.fetch()
      await route.abort()
    })
    await button(page, 'Rotate').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
    await page.getByRole('alert').filter({ hasText: 'nobody knows whether the key was made' }).waitFor()
    await button(page, 'Cancel').click()
    await page.getByText('Replaced by', { exact: true }).waitFor()
  })

  it('that somebody else has replaced meanwhile is not replaced again', async () => {
    const { site, page } = await world()
    const { apiKey } = await site.keys.create({ name: 'laptop', owner: 'alice' })
    await page.getByLabel('Status').selectOption({ label: 'Active' })
    await rowOf(page, 'laptop').getByRole('button', { name: 'laptop' }).click()
    await button(page, 'Rotate').click()
    await site.keys.rotate(apiKey.id)
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
    await page.getByRole('alert').filter({ hasText: 'Nothing was changed.' }).waitFor()
    await page.getByText('Replaced, still works').waitFor()
    expect((await site.keys.list({ lineageId: apiKey.id })).keys).toHaveLength(2)
  })
})

describe('what a server says', () => {
  it('is in the words of the program where that answered itself', async () => {
    const { page } = await world('keys')
    await page.route('**/admin/keys?*', (route) =>
      route.fulfill({ status: 403, headers: { 'x-inspector-problem': 'session' }, json: { problem: 'x' } }),
    )
    await page.getByLabel('Status').selectOption({ label: 'Active' })
    await page.getByRole('alert').filter({ hasText: 'This page was let out' }).waitFor()
  })

  it('is shown without the token, though it says it again', async () => {
    const { page } = await world()
    const token = 'a-word-that-looks-like-no-token'
    await page.route('**/admin/keys?*', (route) => {
      const challenge = `Bearer realm="${token}", error="invalid_token", error_description="${token} is over"`
      const headers = { 'www-authenticate': challenge }
      const json = { error: 'invalid_request', error_description: `list: ${token} is over` }
      return route.fulfill({ status: 401, headers, json })
    })
    await page.getByLabel('Bearer token or API key').fill(token)
    await button(page, 'Use').click()
    await page.getByRole('alert').filter({ hasText: 'is over' }).waitFor()
    expect(await page.getByRole('alert').innerText()).not.toContain(token)
  })
})

describe('what is shown', () => {
  it('a key that is made while others are asked for does not stand among them', async () => {
    const { page } = await world()
    await page.getByLabel('Status').selectOption({ label: 'Revoked' })
    await page.getByText('0 keys', { exact: true }).waitFor()
    await askForKey(page)
    await button(page, 'I have stored it').click()
    await page.getByText('The key "laptop" was made.').waitFor()
    await page.getByText('0 keys', { exact: true }).waitFor()
    expect(await rowOf(page, 'laptop').count()).toBe(0)
    await button(page, 'Open it').click()
    await page.getByRole('heading', { name: 'laptop', level: 2 }).waitFor()
  })

  it('events of another question do not come in between', async () => {
    const { site, page } = await world()
    const entry = { event: 'key.update', outcome: 'success', severity: 'info' } as const
    await site.store.appendAudit(Array.from({ length: 210 }, () => ({ ...entry, actor: { type: 'system' } })))
    await page.getByRole('tab', { name: 'Audit trail' }).click()
    await page.getByText('200 entries').waitFor()
    const pages = await held(page, /\/admin\/audit\?.*before=/, 'GET')
    await button(page, 'More').click()
    await pages.arrived()
    await page.getByLabel('Event').selectOption({ label: 'Key made' })
    await page.getByText('1 entry').waitFor()
    await pages.routes[0]!.continue()
    await page.waitForResponse(/before=/)
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    expect(await page.locator('.audit strong').allInnerTexts()).toEqual(['Key made'])
  })

  it('a name is typed again as it is seen', async () => {
    const { site, page } = await world()
    const { apiKey } = await site.keys.create({ name: 'two  blanks of Zoe\u0308', owner: 'alice' })
    await page.getByLabel('Status').selectOption({ label: 'Active' })
    await rowOf(page, 'two blanks of Zoe\u0308').getByRole('button').click()
    await button(page, 'Revoke').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason', { exact: true }).fill('lost')
    await dialog.getByLabel(/^Type the name/).fill('two blanks of Zo\u00eb')
    await button(page, 'Revoke for good').click()
    await expect.poll(async () => (await site.keys.get(apiKey.id))?.status).toBe('revoked')
  })

  it('a thousand keys are read page by page, and names of other scripts stand where they belong', async () => {
    const { site, page } = await world()
    const name = '\u05de\u05e4\u05ea\u05d7 \u05e9\u05dc Alice (1)'
    const { apiKey } = await site.keys.create({ name, owner: '\u0639\u0644\u064a' })
    const made = Array.from({ length: 999 }, (_, at) => ({ name: `key ${at}`, owner: 'bob' }))
    await site.keys.createMany(made)
    await page.getByLabel('Status').selectOption({ label: 'Active' })
    await page.getByText('50 keys', { exact: true }).waitFor()
    // Not by way of locators, which look at every button again and again.
    await page.evaluate(`(async () => {
      const more = () => [...document.querySelectorAll('main button')].find((one) => one.textContent === 'More')
      while (more()) {
        const before = document.querySelectorAll('tbody tr').length
        more().click()
        while (document.querySelectorAll('tbody tr').length === before || more()?.disabled)
          await new Promise(requestAnimationFrame)
      }
    })()`)
    await page.getByText('1001 keys', { exact: true }).waitFor()
    await page.getByLabel('Search').fill(apiKey.id)
    await rowOf(page, name).getByRole('img').waitFor()
  })
})
