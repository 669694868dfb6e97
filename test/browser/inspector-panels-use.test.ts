import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Look, openBrowser } from './chromium.ts'
import { openInspector } from './inspector-visit.ts'
import { overflow } from './measure.ts'
import { type OwnServer, ownServer, reader } from './panels-servers.ts'

let browser: Browser
let server: OwnServer
const open: { close(): Promise<unknown> }[] = []

beforeAll(async () => {
  browser = await openBrowser()
  server = await ownServer()
})

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

async function inspect(look: Look, bypassCSP = false): Promise<Page> {
  const seen = await openInspector(browser, server.origin, { look, bypassCSP })
  open.push(seen)
  await seen.page.getByLabel('Bearer token or API key').fill(reader)
  await seen.page.getByRole('button', { name: 'Use', exact: true }).click()
  await seen.page.getByText('connected', { exact: true }).waitFor()
  await item(seen.page, 'order').waitFor()
  return seen.page
}

const item = (page: Page, name: string) =>
  page.locator('.panels .list .item').filter({ has: page.getByText(name, { exact: true }) })
const detail = (page: Page) => page.locator('article.detail')
const answer = (page: Page) => detail(page).getByRole('region', { name: 'Answer' })
const badge = (page: Page, words: string) => answer(page).locator('.badge').getByText(words, { exact: true })
const focused = (page: Page) =>
  page.evaluate<string>(`(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText ||
    document.activeElement.localName).trim()`)

async function use(page: Page, name: string, ends: string, button = 'Run'): Promise<void> {
  await item(page, name).click()
  await detail(page).getByRole('button', { name: button, exact: true }).click()
  await badge(page, ends).waitFor()
}

const looks: Look[] = [
  { scheme: 'light', width: 1400 },
  { scheme: 'dark', width: 320 },
]

/** States of the panels, one after the other. */
const states: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  [
    'a form with mistakes',
    async (page) => {
      await item(page, 'order').click()
      await detail(page).getByRole('button', { name: 'Add address' }).click()
      await detail(page).getByRole('button', { name: 'Add notes' }).click()
      await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
      await detail(page).getByRole('alert').waitFor()
    },
  ],
  ['a form as JSON', (page) => detail(page).getByRole('button', { name: 'Write JSON' }).click()],
  ['a picture', (page) => use(page, 'picture', 'done')],
  ['a failure', (page) => use(page, 'fail', 'the tool failed')],
  ['a refusal', (page) => use(page, 'report', 'refused')],
  ['messages as they went and came', (page) => answer(page).getByRole('tab', { name: 'Raw' }).click()],
  [
    'a run',
    async (page) => {
      await item(page, 'slow').click()
      await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
      await answer(page).getByText('1 of 4').waitFor()
    },
  ],
  [
    'a question',
    async (page) => {
      await detail(page).getByRole('button', { name: 'Cancel' }).click()
      await item(page, 'ask').click()
      await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
      await page.getByRole('dialog').getByText('Which one?').waitFor()
    },
  ],
  [
    'a resource',
    async (page) => {
      await page.keyboard.press('Escape')
      await page.getByRole('tab', { name: 'Resources' }).click()
      await use(page, 'hours', 'done', 'Read')
    },
  ],
  [
    'a prompt',
    async (page) => {
      await page.getByRole('tab', { name: 'Prompts' }).click()
      await item(page, 'letter').click()
      await detail(page).getByLabel('to', { exact: true }).fill('Ann')
      await detail(page).getByRole('button', { name: 'Get the prompt' }).click()
      await badge(page, 'done').waitFor()
    },
  ],
]

it.each(looks)('axe finds nothing in a $scheme window of $width pixels, whatever is shown', async (look) => {
  const page = await inspect(look, true)
  await page.evaluate(axe.source)
  for (const [name, reach] of states) {
    await reach(page)
    const found = await page.evaluate<
      string[]
    >(`axe.run().then(({ violations }) => violations.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ target }) => impact + ': ' + id + ' ' + target.join(' '))))`)
    expect(found, name).toEqual([])
    expect(await overflow(page), name).toBe(0)
  }
})

describe('by keyboard', () => {
  it('a tool is chosen, filled in, run, cancelled, and left again; the focus is never lost', async () => {
    const page = await inspect({ scheme: 'light', width: 1400 })
    await item(page, 'order').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Place an order')
    await page.keyboard.press('Escape')
    expect(await focused(page)).toMatch(/^order/)
    await page.keyboard.press('Enter')
    await detail(page).getByRole('button', { name: 'Add notes' }).press('Enter')
    await detail(page).getByRole('button', { name: 'Remove 1' }).press('Enter')
    await expect.poll(() => focused(page)).toMatch(/^Add|^Leave/)
    await page.keyboard.press('Control+Enter')
    await expect.poll(() => page.evaluate('document.activeElement.ariaInvalid')).toBe('true')
    await page.keyboard.type('ink')
    await page.keyboard.press('Control+Enter')
    await badge(page, 'done').waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.localName')).toMatch(/input|textarea/)

    await item(page, 'slow').press('Enter')
    await detail(page).getByRole('button', { name: 'Run', exact: true }).press('Enter')
    await answer(page).getByText('1 of 4').waitFor()
    expect(await focused(page)).toBe('Run')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Cancel')
    await page.keyboard.press('Enter')
    await badge(page, 'cancelled').waitFor()
    await expect.poll(() => focused(page)).toBe('Run')
  })

  it('lists that are loaded again keep the focus, the tool and what stands in its form', async () => {
    const page = await inspect({ scheme: 'light', width: 1400 })
    await item(page, 'order').press('Enter')
    await detail(page).getByLabel('item').fill('glue')
    const again = page.getByRole('button', { name: 'Load again' })
    await again.press('Enter')
    await again.and(page.locator('[aria-disabled=false]')).waitFor()
    expect(await focused(page)).toBe('Load again')
    expect(await detail(page).getByLabel('item').inputValue()).toBe('glue')
  })
})

it('on a narrow screen a tool that is chosen comes into view, and a button leads back', async () => {
  const page = await inspect({ scheme: 'light', width: 320 })
  const inView = (what: string) =>
    page.evaluate<boolean>(`(() => { const { top, bottom } = document.querySelector('${what}').getBoundingClientRect()
      return top >= 0 && bottom <= innerHeight })()`)
  await item(page, 'order').click()
  await expect.poll(() => inView('#detail-title')).toBe(true)
  await detail(page).getByRole('button', { name: 'Back to the list' }).click()
  await expect.poll(() => inView('.item[aria-current]')).toBe(true)
  await use(page, 'fail', 'the tool failed')
  await expect.poll(() => inView('.run h4')).toBe(true)
})
