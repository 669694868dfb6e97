import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from './chromium.ts'
import { type InspectorVisit, openInspector } from './inspector-visit.ts'
import { overflow } from './measure.ts'
import { type OwnServer, ownServer, reader, reporter } from './panels-servers.ts'

let browser: Browser
let server: OwnServer
const open: { close(): Promise<unknown> }[] = []

beforeAll(async () => {
  browser = await openBrowser()
  server = await ownServer()
})

afterEach(async () => {
  server.seen.length = 0
  for (const one of open.splice(0).reverse()) await one.close()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

async function inspect(token?: string, width = 1400): Promise<InspectorVisit> {
  const seen = await openInspector(browser, server.origin, { look: { scheme: 'light', width } })
  open.push(seen)
  if (token !== undefined) await use(seen.page, token)
  return seen
}

async function use(page: Page, token: string): Promise<void> {
  await page.getByLabel('Bearer token or API key').fill(token)
  await page.getByRole('button', { name: 'Use', exact: true }).click()
  await page.getByRole('button', { name: 'Load again' }).and(page.locator('[aria-disabled=false]')).waitFor()
}

const panels = (page: Page) => page.locator('.panels')
const item = (page: Page, name: string) =>
  panels(page)
    .locator('.list .item')
    .filter({ has: page.getByText(name, { exact: true }) })
const detail = (page: Page) => page.locator('article.detail')
const answer = (page: Page) => detail(page).getByRole('region', { name: 'Answer' })
const state = (page: Page, words: string) => answer(page).locator('.badge').getByText(words, { exact: true })
const tab = (page: Page, name: string) => page.getByRole('tab', { name })

async function run(page: Page, name: string): Promise<void> {
  await item(page, name).click()
  await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
}

describe('what a server has', () => {
  it('is listed with counts, searched with a key, and locked where a scope is missing', async () => {
    const { page, problems } = await inspect(reader)
    expect(await tab(page, 'Tools').innerText()).toMatch(/Tools\s*6/)
    expect(await tab(page, 'Resources').innerText()).toMatch(/Resources\s*3/)
    expect(await tab(page, 'Prompts').innerText()).toMatch(/Prompts\s*1/)
    expect(await item(page, 'report').innerText()).toContain('needs reports:write')
    expect(await item(page, 'order').innerText()).not.toContain('needs')
    await page.keyboard.press('/')
    await page.keyboard.type('takes TIME')
    await expect.poll(() => panels(page).locator('.list .item').count()).toBe(1)
    expect(await tab(page, 'Resources').innerText()).toMatch(/Resources\s*0/)
    await item(page, 'slow').waitFor()
    expect(await problems()).toEqual([])
  })

  it('is what another token may see, as soon as that is there; all else is forgotten', async () => {
    const { page } = await inspect(reader)
    await run(page, 'fail')
    await state(page, 'the tool failed').waitFor()
    await use(page, reporter)
    await expect.poll(() => item(page, 'report').innerText()).not.toContain('needs')
    expect(await page.getByRole('heading', { name: 'History' }).count()).toBe(0)
    expect(await answer(page).count()).toBe(0)
  })

  it('is locked as a whole without a token, and the page says what to do', async () => {
    const { page } = await inspect()
    const notice = panels(page).locator('.notice')
    await notice.waitFor()
    expect(await notice.innerText()).toBe('The server wants a token (401). Put one into the token box.')
    // It is told, and it is no alarm.
    expect(await notice.getAttribute('role')).toBe('status')
    expect(await item(page, 'report').innerText()).toContain('needs reports:write')
    expect(await item(page, 'order').innerText()).toContain('needs a token')
  })

  it('a locked tool can be tried, and the answer says which scope is missing', async () => {
    const { page } = await inspect(reader)
    await run(page, 'report')
    await state(page, 'refused').waitFor()
    expect(await answer(page).getByRole('alert').innerText()).toContain(
      'The token lacks a scope. Use a token that has the scope reports:write.',
    )
  })
})

describe('a tool', () => {
  it('is run with what a form says', async () => {
    const { page, problems } = await inspect(reader)
    await item(page, 'order').click()
    const form = detail(page)
    expect(await form.innerText()).toContain('may destroy something')
    expect(await form.getByLabel('count').inputValue()).toBe('1')
    await form.getByLabel('item').fill('paper')
    await form.getByLabel('kind').selectOption('gift')
    await form.getByRole('button', { name: 'Add notes' }).click()
    await form.getByLabel('1', { exact: true }).fill('soon')
    await form.getByRole('button', { name: 'Add address' }).click()
    await form.getByLabel('street').fill('Main')
    await page.keyboard.press('Control+Enter')
    await state(page, 'done').waitFor()
    expect(server.seen).toEqual([
      'order {"item":"paper","count":1,"kind":"gift","notes":["soon"],"address":{"street":"Main"}}',
    ])
    await answer(page).getByRole('tab', { name: 'Structured' }).click()
    expect(await answer(page).locator('.json').innerText()).toContain('"paper"')
    await answer(page).getByRole('tab', { name: 'Raw' }).click()
    expect(await answer(page).locator('.json').first().innerText()).toContain('"tools/call"')
    expect(await answer(page).innerText()).toMatch(/\d+ ms/)
    expect(await problems()).toEqual([])
  })

  it('says beside the fields what does not look right, and sends it when it is told to', async () => {
    const { page } = await inspect(reader)
    await item(page, 'order').click()
    const form = detail(page)
    await form.getByLabel('count').fill('11')
    await form.getByRole('button', { name: 'Run', exact: true }).click()
    expect(await form.getByRole('alert').innerText()).toBe('2 fields do not look right.')
    const field = form.getByLabel('item')
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    const told = (await field.getAttribute('aria-describedby'))!.split(' ')
    const texts = await Promise.all(told.map((id) => page.locator(`[id="${id}"]`).innerText()))
    expect(texts).toEqual(['What is ordered', 'This is needed.'])
    expect(server.seen).toEqual([])
    await form.getByRole('button', { name: 'Send anyway' }).click()
    await answer(page).waitFor()
    await expect.poll(() => answer(page).innerText()).toMatch(/failed/)
    expect(server.seen).toEqual([])
  })

  it('takes its input as JSON, too; both say the same', async () => {
    const { page } = await inspect(reader)
    await item(page, 'order').click()
    const form = detail(page)
    await form.getByLabel('item').fill('ink')
    await form.getByRole('button', { name: 'Write JSON' }).click()
    const text = form.getByLabel('Input as JSON')
    expect(JSON.parse(await text.inputValue())).toEqual({ item: 'ink', count: 1 })
    await text.fill('{"item": "ink",}')
    expect(await form.innerText()).toContain('there is a comma before the end at line 1, column 16')
    expect(await form.getByRole('button', { name: 'Use the form' }).isDisabled()).toBe(true)
    await text.fill('{"item": "ink", "count": 2, "more": true}')
    await form.getByRole('button', { name: 'Use the form' }).click()
    expect(await form.getByLabel('count').inputValue()).toBe('2')
    expect(await form.innerText()).toContain('Also sent, as it was written in JSON: more')
  })

  it('that fails says so in words', async () => {
    const { page } = await inspect(reader)
    await run(page, 'fail')
    await state(page, 'the tool failed').waitFor()
    expect(await answer(page).innerText()).toContain('The tool says that it failed.')
    expect(await answer(page).innerText()).toContain('out of paper')
  })

  it('shows how far it is and what it writes, and is cancelled', async () => {
    const { page } = await inspect(reader)
    await run(page, 'slow')
    const bar = answer(page).getByRole('progressbar')
    await expect.poll(() => bar.getAttribute('value')).toBe('1')
    expect(await bar.getAttribute('max')).toBe('4')
    expect(await answer(page).innerText()).toContain('1 of 4: one quarter')
    expect(await answer(page).getByLabel('Log of the server').innerText()).toContain('getting started')
    await detail(page).getByRole('button', { name: 'Cancel' }).click()
    await state(page, 'cancelled').waitFor()
    await expect.poll(() => server.seen).toEqual(['slow was cancelled'])
  })

  it('may ask the person, who answers, or says no', async () => {
    const { page } = await inspect(reader)
    await run(page, 'ask')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Which one?').waitFor()
    await dialog.getByLabel('colour').selectOption('blue')
    await dialog.getByLabel('size').fill('9')
    await dialog.getByRole('button', { name: 'Answer' }).click()
    expect(await dialog.innerText()).toContain('At most 5.')
    await dialog.getByLabel('size').fill('3')
    await dialog.getByRole('button', { name: 'Answer' }).click()
    await state(page, 'done').waitFor()
    expect(await answer(page).locator('pre').innerText()).toBe('accept {"colour":"blue","size":3}')
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await dialog.getByRole('button', { name: 'Decline' }).click()
    await expect.poll(() => answer(page).locator('pre').innerText()).toBe('decline undefined')
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => answer(page).locator('pre').innerText()).toBe('cancel undefined')
  })

  it('may answer with pictures; a drawing that is a program is not shown', async () => {
    const { page, problems } = await inspect(reader)
    await run(page, 'picture')
    await state(page, 'done').waitFor()
    const widths = `[...document.querySelectorAll('.run img')].map((image) => image.naturalWidth)`
    await expect.poll(() => page.evaluate(widths)).toEqual([1])
    expect(await answer(page).innerText()).toContain('image of type image/svg+xml, which is not shown here')
    expect(await problems()).toEqual([])
  })
})

describe('resources and prompts', () => {
  it('a resource is read, and its bytes are a file', async () => {
    const { page, problems } = await inspect(reader)
    await tab(page, 'Resources').click()
    await item(page, 'hours').click()
    await detail(page).getByRole('button', { name: 'Read' }).click()
    await expect.poll(() => answer(page).locator('pre').innerText()).toBe('nine to five')
    await item(page, 'logo').click()
    await detail(page).getByRole('button', { name: 'Read' }).click()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      answer(page)
        .getByRole('button', { name: /^Download/ })
        .click(),
    ])
    expect(file.suggestedFilename()).toBe('logo')
    expect(await problems()).toEqual([])
  })

  it('a template is filled in', async () => {
    const { page } = await inspect(reader)
    await tab(page, 'Resources').click()
    await item(page, 'room').click()
    await detail(page).getByLabel('room').fill('12 b')
    await detail(page).getByRole('button', { name: 'Read' }).click()
    await expect.poll(() => answer(page).locator('pre').innerText()).toBe('room 12 b')
    expect(await answer(page).innerText()).toContain('office://rooms/12%20b')
  })

  it('a prompt is filled in, and its messages say who speaks', async () => {
    const { page } = await inspect(reader)
    await tab(page, 'Prompts').click()
    await item(page, 'letter').click()
    await detail(page).getByLabel('to', { exact: true }).fill('Ann')
    await detail(page).getByRole('button', { name: 'Get the prompt' }).click()
    await state(page, 'done').waitFor()
    expect(await answer(page).locator('section').allInnerTexts()).toEqual([
      expect.stringMatching(/^user\s+Dear Ann$/),
      expect.stringMatching(/^assistant\s+Gladly$/),
    ])
  })
})

describe('the history', () => {
  it('shows what was done, does it again, and gives the input back', async () => {
    const { page } = await inspect(reader)
    await item(page, 'order').click()
    await detail(page).getByLabel('item').fill('glue')
    await detail(page).getByRole('button', { name: 'Run', exact: true }).click()
    await state(page, 'done').waitFor()
    await detail(page).getByLabel('item').fill('')
    await run(page, 'fail')
    await state(page, 'the tool failed').waitFor()
    const past = page.locator('.history li')
    expect(await past.count()).toBe(2)
    await past.nth(1).getByRole('button', { name: 'Run again' }).click()
    await expect.poll(() => server.seen.length).toBe(2)
    expect(server.seen[1]).toBe(server.seen[0])
    await past.nth(2).getByRole('button', { name: 'Edit the input' }).click()
    expect(await detail(page).getByLabel('item').inputValue()).toBe('glue')
    await page.getByRole('button', { name: 'Forget' }).click()
    await expect.poll(() => past.count()).toBe(0)
  })
})

it('nothing is wider than a narrow screen, whatever is open', async () => {
  const { page } = await inspect(reader, 320)
  await item(page, 'order').click()
  await detail(page).getByRole('button', { name: 'Add address' }).click()
  expect(await overflow(page)).toBe(0)
  await run(page, 'picture')
  await state(page, 'done').waitFor()
  expect(await overflow(page)).toBe(0)
})
