import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { htmlReport } from '../../src/inspector/report/html.ts'
import { hostileReport } from '../inspector/hostile-report.ts'
import { type Look, openBrowser } from './chromium.ts'
import { contrast, keyboard, overflow } from './measure.ts'

const looks: Look[] = [
  { scheme: 'light', width: 1400 },
  { scheme: 'dark', width: 1400 },
  { scheme: 'light', width: 320 },
  { scheme: 'dark', width: 320 },
]
const nasty = `</title></style></pre><script>alert(1)</script><img src=http://elsewhere.example/x onerror=alert(2)>" autofocus onfocus="alert(3)' \u202E`
let browser: Browser
let folder: string

beforeAll(async () => {
  browser = await openBrowser()
  folder = await mkdtemp(join(tmpdir(), 'probe-report-'))
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Opens a document as a person does: as a file. Gives back what it did that it should not. */
async function opened(
  html: string,
  { scheme, width }: Look,
  work: (page: Page) => Promise<void>,
): Promise<string[]> {
  const file = join(folder, `${scheme}-${width}.html`)
  await writeFile(file, html)
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } })
  const problems: string[] = []
  try {
    const page = await context.newPage()
    page.on('console', (message) => problems.push(`console: ${message.text()}`))
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
    page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`))
    page.on('request', (request) => problems.push(`request: ${request.url().slice(0, 200)}`))
    await page.goto(pathToFileURL(file).href)
    await work(page)
    // The document itself, and the empty icon.
    const known = [`request: ${pathToFileURL(file).href}`, 'request: data:,']
    return problems.filter((one) => !known.includes(one))
  } finally {
    await context.close()
  }
}

/** Opens a report, which does nothing that it should not. */
async function report(text: string, look: Look, work: (page: Page) => Promise<void>): Promise<void> {
  expect(await opened(htmlReport(hostileReport(text)), look, work)).toEqual([])
}

describe.each(looks)('the report of a probe, $scheme, $width wide', (look) => {
  it('can be read, fits, and axe finds nothing', async () => {
    await report('A harmless word', look, async (page) => {
      for (const details of await page.locator('details').all()) {
        await details.evaluate((element) => element.setAttribute('open', ''))
      }
      const { measured, faint } = await contrast(page)
      expect(measured).toBeGreaterThan(30)
      expect(faint).toEqual([])
      expect(await overflow(page)).toBe(0)
      await page.evaluate(axe.source)
      const violations = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
        'axe.run().then(({ violations }) => violations)',
      )
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    })
  })

  it('FL-104 what a server wrote is shown and does nothing', async () => {
    await report(nasty, look, async (page) => {
      expect(await page.locator('script, img, [onfocus], [autofocus]').count()).toBe(0)
      expect(await page.locator('h1').innerText()).toContain('<script>alert(1)</script>')
      expect(await overflow(page)).toBe(0)
      // The style has force: the policy names it.
      expect(await page.evaluate(`getComputedStyle(document.body).marginTop`)).toBe('0px')
    })
  })
})

it('the policy of the report stops a script and an image, were there any', async () => {
  const planted = '<script>document.title = "ran"</script><img src="http://127.0.0.1:9/x" alt=""></body>'
  const html = htmlReport(hostileReport('x')).replace('</body>', planted)
  const problems = await opened(html, { scheme: 'light', width: 1400 }, async (page) => {
    expect(await page.title()).toBe('Probe of http://127.0.0.1:9/mcp')
  })
  // What is stopped is written to the console.
  const stopped = problems.filter((one) => one.startsWith('console: '))
  expect(stopped).toHaveLength(2)
  for (const one of stopped) expect(one).toContain('Content Security Policy')
})

it('everything in it can be reached with the Tab key, with a visible mark', async () => {
  await report('x', { scheme: 'light', width: 1400 }, async (page) => {
    const { usable, reached, unseen } = await keyboard(page)
    expect(usable.length).toBeGreaterThan(3)
    expect(reached).toEqual(usable)
    expect(unseen).toEqual([])
  })
})

it('on paper everything is black on white, and the exchanges are there', async () => {
  await report('x', { scheme: 'dark', width: 1400 }, async (page) => {
    await page.emulateMedia({ media: 'print' })
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(0, 0, 0)')
    expect((await contrast(page)).faint).toEqual([])
  })
})
