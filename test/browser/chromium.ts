import type { Browser, Page } from 'playwright-core'
import { openChromium } from '../../tools/chromium.mjs'

/** A real browser that talks to nobody by itself. */
export function openBrowser(): Promise<Browser> {
  return openChromium()
}

/** How a page is looked at. */
export interface Look {
  readonly scheme: 'light' | 'dark'
  readonly width: number
}

/** Whatever a page should not do, as it happens: console messages, errors, violations, requests to elsewhere. */
export interface Visit {
  readonly page: Page
  /** What was seen up to now. */
  problems(): Promise<string[]>
  close(): Promise<void>
}

/**
 * Opens an address in a browser of its own memory, and waits until the page has shown its content.
 *
 * @param prepare is called before the page is opened
 */
export async function visit(
  browser: Browser,
  address: string,
  { scheme, width }: Look = { scheme: 'light', width: 1400 },
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<Visit> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } })
  const page = await context.newPage()
  const seen: string[] = []
  page.on('console', (message) => seen.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => seen.push(`dialog: ${dialog.message()}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== new URL(address).origin && url.protocol !== 'data:')
      seen.push(`request: ${request.url()}`)
  })
  await page.addInitScript(`globalThis.violations = []
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      violations.push('violation: ' + violatedDirective + ' ' + blockedURI))`)
  await prepare(page)
  await page.goto(address)
  await page.waitForSelector('#content[aria-busy="false"]')
  return {
    page,
    problems: async () => [...seen, ...(await page.evaluate<string[]>('violations'))],
    close: () => context.close(),
  }
}
