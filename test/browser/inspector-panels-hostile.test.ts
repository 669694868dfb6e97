import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from './chromium.ts'
import { hostileServer } from './inspector-panels-hostile-server.ts'
import { inspectorSite } from './inspector-site.ts'
import { openInspector, placesOf } from './inspector-visit.ts'
import { overflow } from './measure.ts'

const token = 'the-token-of-ann-0815-4711'
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

async function inspect(width = 1400, isCrowded = false) {
  const { listener, seen } = hostileServer(isCrowded)
  const site = await inspectorSite({ behind: listener, config: { openMcp: '/openmcp.json' } })
  open.push(site)
  const visit = await openInspector(browser, site.origin, { look: { scheme: 'light', width } })
  open.push(visit)
  await visit.page.getByLabel('Bearer token or API key').fill(token)
  await visit.page.getByRole('button', { name: 'Use', exact: true }).click()
  await item(visit.page, 'echo').waitFor()
  return { ...visit, seen }
}

const item = (page: Page, name: string) =>
  page
    .locator('.panels .list .item')
    .filter({ has: page.getByText(name, { exact: true }) })
    .first()
const detail = (page: Page) => page.locator('article.detail')
const answer = (page: Page) => detail(page).getByRole('region', { name: 'Answer' })

async function run(page: Page, name: string, button = 'Run'): Promise<void> {
  await item(page, name).click()
  await detail(page).getByRole('button', { name: button, exact: true }).click()
  await answer(page).locator('.badge').first().and(page.locator(':not(.accent)')).waitFor()
}

/** Opens every part of the answer and of the page that can be opened. */
async function openAll(page: Page): Promise<void> {
  for (let round = 0; round < 3; round += 1)
    await page.evaluate(`for (const part of document.querySelectorAll('details')) part.open = true`)
}

/** Where the token, or its Base64, is seen beside the box it was typed into. */
async function leaks(page: Page): Promise<string[]> {
  const found = [...(await placesOf(page, token)), ...(await placesOf(page, btoa(token).slice(0, 30)))]
  return found.filter((place) => place !== 'values')
}

const values = (page: Page) =>
  page.evaluate<number>(`[...document.querySelectorAll('input, textarea, option')]
    .filter(({ id, value, textContent }) => id !== 'token' && (value + textContent).includes('${token}')).length`)

describe('a server that says the token again', () => {
  it('in names, schemas, defaults and what it says of itself: it is not shown', async () => {
    const { page } = await inspect()
    await item(page, 'echo').click()
    await openAll(page)
    expect(await leaks(page)).toEqual([])
    expect(await values(page)).toBe(0)
    expect(await page.locator('h1').innerText()).toContain('server of [redacted]')
    await detail(page).getByRole('button', { name: 'Write JSON' }).click()
    expect(await values(page)).toBe(0)
  })

  it.each(['echo', 'escaped', 'in pieces', 'refuses', 'fails', 'garbage', 'page'])(
    'in what comes of the tool "%s": it is shown neither there nor in the log nor in the history',
    async (name) => {
      const { page } = await inspect()
      await run(page, name)
      for (const tab of await answer(page).getByRole('tab').all()) {
        await tab.click()
        await openAll(page)
        expect(await leaks(page), await tab.innerText()).toEqual([])
      }
      expect(await answer(page).innerText()).toContain('[redacted]')
      expect(await page.locator('.log').innerText()).toContain('[redacted]')
    },
  )

  it('in resources and prompts: it is not shown', async () => {
    const { page } = await inspect()
    await page.getByRole('tab', { name: 'Resources' }).click()
    await run(page, '[redacted]', 'Read')
    await openAll(page)
    expect(await leaks(page)).toEqual([])
    await page.getByRole('tab', { name: 'Prompts' }).click()
    await run(page, 'prompt', 'Get the prompt')
    await openAll(page)
    expect(await leaks(page)).toEqual([])
  })
})

describe('"Forget"', () => {
  it('sends nothing more with the token, and leaves nothing of it in memory', async () => {
    const { page, seen } = await inspect()
    await run(page, 'echo')
    await item(page, 'never').click()
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await answer(page).getByText('running').waitFor()
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    const before = seen.length
    await page.getByRole('button', { name: 'Forget' }).click()
    await item(page, 'echo').waitFor()
    await page.getByText('Nothing of the token is left').waitFor()
    expect(seen.slice(before).filter((one) => one.token !== '')).toEqual([])
    expect(seen.length).toBeGreaterThan(before)
    const heap = await heapOf(page)
    expect(heap).toContain('tools/list')
    expect([heap.includes(token), heap.includes(btoa(token).slice(0, 30))]).toEqual([false, false])
  })

  it('happens by itself when the browser keeps the page for later', async () => {
    const { page } = await inspect()
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`)
    await page.getByText('Nothing of the token is left').waitFor()
    expect(await placesOf(page, token)).toEqual([])
  })
})

describe('a hostile server', () => {
  it('lists thousands of tools with names without end: the page stays narrow and quick', async () => {
    const { page, problems } = await inspect(320, true)
    await page.locator('.panels .list .item').filter({ hasText: 'long nnn' }).first().click()
    expect(await overflow(page)).toBe(0)
    expect((await detail(page).innerText()).length).toBeLessThan(50_000)
    for (const name of ['wide', 'circular', 'proto']) {
      await item(page, name).click()
      await detail(page).getByRole('button', { name: 'Write JSON' }).click()
      await detail(page).getByRole('button', { name: 'Use the form' }).click()
    }
    await page.getByLabel('Search tools').fill('tool-4')
    expect(await overflow(page)).toBe(0)
    expect(await problems()).toEqual([])
  })

  it.each(['nested text', 'big image', 'twice', 'shouts'])('answers "%s": it is shown', async (name) => {
    const { page, problems } = await inspect()
    await run(page, name)
    expect(await answer(page).locator('.badge').first().innerText()).toBe('done')
    for (const tab of await answer(page).getByRole('tab').all()) {
      await tab.click()
      await openAll(page)
      expect((await answer(page).innerText()).length, await tab.innerText()).toBeLessThan(150_000)
      // Nothing turns around what stands beside it.
      expect(await page.locator('.shell').innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/)
    }
    await page.getByRole('button', { name: 'Load again' }).click()
    await item(page, 'echo').waitFor()
    expect(await page.evaluate('document.cookie')).toBe('')
    expect(await problems()).toEqual([])
  })

  it('floods the page with news: it goes on answering', async () => {
    const { page } = await inspect()
    await page.evaluate(`globalThis.longest = 0
      let last = performance.now()
      setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now }, 10)`)
    await run(page, 'flood')
    await answer(page).getByText('after the flood').waitFor()
    expect(await page.evaluate<number>('longest')).toBeLessThan(2000)
  })

  it('asks for the token: it is plainly the server that asks, and no key press answers by accident', async () => {
    const { page } = await inspect()
    await item(page, 'asks').click()
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'The server asks you something' })
    await dialog.waitFor()
    expect(await dialog.innerText()).toContain('A server must not ask for secrets here.')
    expect(await leaks(page)).toEqual([])
    await page.keyboard.type('x')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Space')
    expect(await dialog.getByLabel('Bearer token or API key').inputValue()).toBe('')
    await page.keyboard.press('Escape')
    await answer(page).getByText('thanks').waitFor()
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Run')
  })
})

/** All texts the page holds in memory, after it has let go of what it can. */
async function heapOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const chunks: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk))
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  return chunks.join('')
}
