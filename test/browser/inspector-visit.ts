import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Look } from './chromium.ts'

/** The inspector in a browser of its own memory, and what it should not have done. */
export interface InspectorVisit {
  readonly page: Page
  readonly context: BrowserContext
  /** Console messages, errors, violations of the policy, dialogs, and requests to elsewhere, up to now. */
  problems(): Promise<string[]>
  /** Everything that was written to the console, the browser's own words included. */
  console(): string
  close(): Promise<void>
}

/** How the page is opened. */
export interface InspectorVisitOptions {
  readonly look?: Look
  /** Below the origin. Default: `/inspector`. */
  readonly path?: string
  /** For tools that have to be put into the page, such as axe. */
  readonly bypassCSP?: boolean
  /** Called before the page is opened. */
  readonly prepare?: (page: Page) => Promise<unknown>
}

/**
 * What Chromium says of its own accord, whatever a page does: a line for each answer of 400 or more, and advice for
 * log-in forms, which the token box is none.
 */
const ofTheBrowser = [
  /^Failed to load resource: the server responded with a status of \d+/,
  /^\[DOM\] Password field is not contained in a form/,
]

/** Opens the inspector of a server and waits until it shows something. */
export async function openInspector(
  browser: Browser,
  origin: string,
  options: InspectorVisitOptions = {},
): Promise<InspectorVisit> {
  const { look = { scheme: 'light', width: 1400 }, path = '/inspector', bypassCSP = false, prepare } = options
  const context = await browser.newContext({
    colorScheme: look.scheme,
    viewport: { width: look.width, height: 900 },
    bypassCSP,
  })
  const page = await context.newPage()
  const seen: string[] = []
  const written: string[] = []
  page.on('console', (message) => {
    written.push(message.text())
    if (!ofTheBrowser.some((pattern) => pattern.test(message.text()))) seen.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => seen.push(`dialog: ${dialog.message()}`))
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== origin && url.protocol !== 'data:' && url.protocol !== 'blob:')
      seen.push(`request: ${request.url()}`)
  })
  await page.addInitScript(`globalThis.violations = []
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      violations.push('violation: ' + violatedDirective + ' ' + blockedURI))`)
  await prepare?.(page)
  await page.goto(origin + path)
  await page.waitForSelector('#app h1')
  return {
    page,
    context,
    problems: async () => [...seen, ...(await page.evaluate<string[]>('violations'))],
    console: () => written.join('\n'),
    close: () => context.close(),
  }
}

/**
 * Where in the page a text can be found: markup, values of inputs, storage, cookies, databases, caches, address and
 * history.
 */
export async function placesOf(page: Page, text: string): Promise<string[]> {
  return page.evaluate<string[]>(`(async () => {
    const wanted = ${JSON.stringify(text)}
    const holds = (value) => typeof value === 'string' && value.includes(wanted)
    const places = {
      markup: document.documentElement.outerHTML,
      text: document.documentElement.innerText,
      values: [...document.querySelectorAll('input, textarea')].map((input) => input.value + input.defaultValue).join(' '),
      localStorage: JSON.stringify(Object.entries(localStorage)),
      sessionStorage: JSON.stringify(Object.entries(sessionStorage)),
      cookies: document.cookie,
      address: location.href,
      history: JSON.stringify(history.state),
      name: window.name,
      databases: JSON.stringify(await indexedDB.databases()),
      caches: JSON.stringify(globalThis.caches ? await caches.keys() : []),
      entries: JSON.stringify(performance.getEntries()),
    }
    return Object.keys(places).filter((place) => holds(places[place]))
  })()`)
}
