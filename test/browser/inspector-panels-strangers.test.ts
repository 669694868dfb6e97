import type { RequestListener } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { markup } from './catalogues.ts'
import { openBrowser } from './chromium.ts'
import { inspectorSite } from './inspector-site.ts'
import { type InspectorVisit, openInspector } from './inspector-visit.ts'
import { overflow } from './measure.ts'
import { brokenServer, brokenTools, ledAway, sdkModern, sdkSessions } from './panels-strangers.ts'

let browser: Browser
const open: { close(): Promise<unknown> }[] = []

beforeAll(async () => {
  browser = await openBrowser()
})

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

afterAll(async () => {
  await browser?.close()
})

async function inspect(behind: RequestListener, width = 1400): Promise<InspectorVisit> {
  const site = await inspectorSite({ behind })
  open.push(site)
  const seen = await openInspector(browser, site.origin, { look: { scheme: 'light', width } })
  open.push(seen)
  await seen.page
    .getByRole('button', { name: 'Load again' })
    .and(seen.page.locator('[aria-disabled=false]'))
    .waitFor()
  return seen
}

const item = (page: Page, name: string) =>
  page.locator('.panels .list .item').filter({ has: page.getByText(name, { exact: true }) })
const detail = (page: Page) => page.locator('article.detail')
const answer = (page: Page) => detail(page).getByRole('region', { name: 'Answer' })
const state = (page: Page) => answer(page).locator('.badge').first()

async function run(page: Page, name: string): Promise<void> {
  await item(page, name).first().click()
  await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
}

describe.each([
  ['2026-07-28', sdkModern],
  ['2025-11-25, with sessions', sdkSessions],
])("the official SDK's server of %s", (_revision, make) => {
  it('is used: every kind of content, forms, structured results', async () => {
    const { page, problems } = await inspect(make())
    await run(page, 'everything')
    await expect.poll(() => state(page).innerText()).toBe('done')
    expect(await detail(page).innerText()).toContain('only reads')
    expect(await answer(page).locator('pre').allInnerTexts()).toEqual([
      '{\n  "pretty": [\n    1,\n    2\n  ]\n}',
      'embedded',
    ])
    expect(await answer(page).locator('img, audio').count()).toBe(2)
    expect(await answer(page).locator('a').allInnerTexts()).toEqual(['https://example.com/a'])
    expect(await answer(page).innerText()).toContain('javascript:globalThis.ran=1')
    await item(page, 'add').click()
    await detail(page).getByLabel('a', { exact: true }).fill('2')
    await detail(page).getByLabel('b', { exact: true }).fill('0.5')
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await answer(page).getByRole('tab', { name: 'Structured' }).click()
    expect(await answer(page).locator('.json').innerText()).toContain('2.5')
    await item(page, 'region').click()
    await detail(page).getByLabel('region').fill('größe')
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await expect.poll(() => answer(page).locator('pre').allInnerTexts()).toEqual(['in größe'])
    expect(await problems()).toEqual([])
  })
})

it("the SDK's server of 2026-07-28 asks in rounds", async () => {
  const { page } = await inspect(sdkModern())
  await run(page, 'rounds')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Who is it?').waitFor()
  await dialog.getByLabel('who').fill('me')
  await dialog.getByRole('button', { name: 'Answer' }).click()
  await expect
    .poll(() => answer(page).locator('pre').allInnerTexts())
    .toEqual([expect.stringContaining('"me"')])
})

it("the SDK's server of 2025-11-25 asks while the call waits, and a lost session is opened anew", async () => {
  const server = sdkSessions()
  const { page } = await inspect(server)
  await run(page, 'ask')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Your name?').waitFor()
  await dialog.getByLabel('name').fill('Ann')
  await dialog.getByRole('button', { name: 'Answer' }).click()
  await expect
    .poll(() => answer(page).locator('pre').allInnerTexts())
    .toEqual(['{\n  "action": "accept",\n  "content": {\n    "name": "Ann"\n  }\n}'])
  server.forget()
  await run(page, 'everything')
  await expect.poll(() => state(page).innerText()).toBe('done')
})

describe('a broken server', () => {
  const said: Readonly<Record<string, string>> = {
    garbage: 'The answer is not MCP',
    page: 'It is text/html, not JSON or an event stream.',
    'wrong-id': 'something the page did not ask',
    'too-huge': 'longer than 8 MiB',
    '401': 'The server does not accept the token (401)',
    '403': 'The server does not allow this (403)',
    '429': 'Try again after 30 seconds.',
    '500': 'The server answered with HTTP 500',
    redirect: 'The server sends the page elsewhere',
    cut: 'The answer is not MCP',
    dead: 'The server did not answer',
  }

  it('is told from a good one: the page stays usable and says what is wrong, whatever comes', async () => {
    const { page, problems } = await inspect(brokenServer)
    for (const [name, words] of Object.entries(said)) {
      await run(page, name)
      await expect.poll(() => answer(page).innerText(), { message: name }).toContain(words)
    }
    expect(Object.keys(said).every((name) => brokenTools.includes(name))).toBe(true)
    expect(ledAway).toEqual([])
    expect((await problems()).filter((one) => !/net::ERR_/.test(one))).toEqual([])
  })

  it('a stream without end is cancelled, a huge answer is shown in part, odd and deep ones do no harm', async () => {
    const { page } = await inspect(brokenServer)
    await run(page, 'endless')
    await detail(page).getByRole('button', { name: 'Cancel' }).click()
    await expect.poll(() => state(page).innerText()).toBe('cancelled')
    await run(page, 'huge')
    await expect.poll(() => answer(page).innerText()).toContain('The first 20000 of 6000000 characters.')
    await run(page, 'odd')
    await expect.poll(() => state(page).innerText()).toBe('done')
    expect(await answer(page).innerText()).toContain('This page does not know this kind of content')
    await run(page, 'deep')
    await expect.poll(() => state(page).innerText()).toBe('done')
    await answer(page).getByRole('tab', { name: 'Structured' }).click()
    await answer(page).getByRole('tab', { name: 'Raw' }).click()
    await run(page, '500')
    await expect.poll(() => state(page).innerText()).toBe('failed')
  })

  it('FL-104 markup in every name is shown, and does nothing; nothing is asked elsewhere', async () => {
    const { page, problems } = await inspect(brokenServer, 360)
    await item(page, markup).first().click()
    expect(await detail(page).getByRole('heading').first().innerText()).toBe(markup)
    await detail(page).getByRole('button', { name: 'Write JSON' }).click()
    await detail(page).getByRole('button', { name: 'Use the form' }).click()
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await expect.poll(() => state(page).innerText()).toBe('failed')
    await answer(page).getByRole('tab', { name: 'Raw' }).click()
    await page.getByRole('tab', { name: 'Resources' }).click()
    await item(page, 'javascript:globalThis.ran=1').or(item(page, markup)).first().click()
    expect(await overflow(page)).toBe(0)
    expect(
      await page.evaluate(
        '[globalThis.ran, document.querySelectorAll("main img, main script, main a").length]',
      ),
    ).toEqual([undefined, 0])
    expect(await problems()).toEqual([])
  })
})
