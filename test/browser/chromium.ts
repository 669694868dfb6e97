import { execFileSync } from 'node:child_process'
import { type Browser, chromium, type Page } from 'playwright-core'

/** A real browser that talks to nobody by itself. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: quiet })
}

/** The browser of this machine: nothing is downloaded. */
function executable(): string {
  const given = process.env.CHROMIUM
  if (given !== undefined && given !== '') return given
  try {
    return execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], {
      encoding: 'utf8',
    }).trim()
  } catch (cause) {
    const advice = 'apt-get install chromium, or set CHROMIUM to the path of one'
    throw new Error(`these tests need a Chromium: ${advice}`, { cause })
  }
}

const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

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
