import type { Browser, Locator, Page } from 'playwright-core'
import { type ApiKeys, apiKeys, type KeyStore, memoryKeyStore } from '../../src/apikeys/index.ts'
import { type AccessToken, AuthError } from '../../src/core/index.ts'
import { keysAdmin } from '../../src/http/admin/index.ts'
import { apiKeyVerifier } from '../../src/verify/api-key.ts'
import type { Look } from './chromium.ts'
import { inspectorSite, listenerOf } from './inspector-site.ts'

/** A page for keys in front of a real API and a store in memory. */
export interface KeysPageSite {
  readonly origin: string
  readonly store: KeyStore
  readonly keys: ApiKeys
  /** A key that may administer keys. */
  readonly adminKey: string
  /** The keys that the API has shown, the last one last. */
  readonly made: readonly string[]
  /** Has every change answered with 503 from now on, or no more. */
  breakDown(isBroken: boolean): void
  close(): Promise<void>
}

/** Of a server (`server`), or of a program on this machine (`keys`), which a page has to be opened with a key for. */
export async function keysPageSite(
  kind: 'server' | 'keys' = 'server',
  change: (store: KeyStore) => KeyStore = (store) => store,
): Promise<KeysPageSite> {
  const store = memoryKeyStore()
  const keys = apiKeys({ store })
  const { key: adminKey } = await keys.create({ name: 'admin', owner: 'root', scopes: ['keys:admin'] })
  const made: string[] = []
  let isBroken = false
  const failing: KeyStore = {
    ...change(store),
    commit: (changes) =>
      isBroken ? Promise.reject(new AuthError('verifier_unavailable')) : store.commit(changes),
  }
  const verifier = apiKeyVerifier({ store }, { logger() {} })
  const auth = kind === 'keys' ? { verifyToken: async (token: string) => sessionOf(token) } : verifier
  const admin = keysAdmin({ store: failing, auth, logger() {} })
  const behind = listenerOf(async (request) => {
    if (new URL(request.url).pathname === '/inspector/open') return Response.json({ session: sessionSecret })
    const answer = await admin.fetch(request)
    if (answer.status === 201) made.push(((await answer.clone().json()) as { key: string }).key)
    return answer
  })
  const site = await inspectorSite({ behind, config: { kind, name: 'Corner shop', keys: '/admin' } })
  return {
    origin: site.origin,
    store,
    keys,
    adminKey,
    made,
    breakDown(to) {
      isBroken = to
    },
    async close() {
      await site.close()
      await verifier.close?.()
    },
  }
}

/** What opens the program on this machine. */
export const sessionSecret = 'session-secret-of-this-test-only-0123456789'

function sessionOf(token: string): AccessToken | null {
  if (token !== sessionSecret) return null
  return {
    token,
    clientId: 'page',
    subject: 'somebody',
    scopes: ['keys:admin'],
    claims: {},
  } as unknown as AccessToken
}

/** A page that is looked at, and what it should not have done. */
export interface KeysVisit {
  readonly page: Page
  /** Console messages, errors, violations of the policy, requests to elsewhere; also failed answers unless told. */
  problems(): Promise<string[]>
  close(): Promise<void>
}

/** Opens the page for keys, and gives it a token when there is one. */
export async function visitKeys(
  browser: Browser,
  address: string,
  token?: string,
  { scheme, width }: Look = { scheme: 'light', width: 1400 },
): Promise<KeysVisit> {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  const seen: string[] = []
  // What Chromium itself remarks is no word of the page.
  page.on(
    'console',
    (message) => message.text().startsWith('[DOM]') || seen.push(`console: ${message.text()}`),
  )
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== new URL(address).origin && url.protocol !== 'data:')
      seen.push(`request: ${request.url()}`)
  })
  await page.addInitScript(`globalThis.violations = []
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      violations.push('violation: ' + violatedDirective + ' ' + blockedURI))`)
  await page.goto(address)
  await page.getByRole('heading', { level: 1 }).waitFor()
  if (token !== undefined) {
    await page.getByLabel('Bearer token or API key').fill(token)
    await page.getByRole('button', { name: 'Use', exact: true }).click()
  }
  return {
    page,
    problems: async () => [...seen, ...(await page.evaluate<string[]>('violations'))],
    close: () => context.close(),
  }
}

/** The row of a key in the list. */
export function rowOf(page: Page, name: string): Locator {
  return page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) })
}

/** Everything the page has of texts: document, inputs, storage, address. */
export function everythingIn(page: Page): Promise<string> {
  return page.evaluate(`JSON.stringify([
    document.documentElement.outerHTML,
    [...document.querySelectorAll('input, textarea')].map((one) => one.value),
    { ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, name,
  ])`)
}
