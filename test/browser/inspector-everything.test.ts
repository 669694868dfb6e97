import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { gateway, httpUpstream } from 'mcp-bearer/gateway'
import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
import { apiKeyVerifier } from 'mcp-bearer/verify'
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inspectorBridge } from '../../src/inspector/bridge/bridge.ts'
import { installed } from '../real/programs.ts'
import { afterThem, listeningServer } from '../real/protect.ts'
import { openBrowser } from './chromium.ts'
import { handOn, type InspectorHand } from './everything-page.ts'
import { type InspectorVisit, openInspector, placesOf } from './inspector-visit.ts'

const atEnd = afterThem()
const open: { close(): Promise<unknown> }[] = []
let browser: Browser
/** The official server that has everything, which asks for no token. */
let url: string

beforeAll(async () => {
  const program = installed('mcp-server-everything')
  url = (await listeningServer(program, ['streamableHttp'], (port) => ({ PORT: String(port) }), atEnd)).url
  browser = await openBrowser()
})

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

afterAll(async () => {
  await browser?.close()
})

function kept<T extends { close(): Promise<unknown> }>(one: T): T {
  open.push(one)
  return one
}

/** The page behind a bridge to a server, and what it has sent to that server. */
interface Inspected extends InspectorVisit {
  readonly hand: InspectorHand
  readonly sent: readonly string[]
}

async function inspect(target: string): Promise<Inspected> {
  const bridge = kept(await inspectorBridge({ target, logger() {} }))
  const sent: string[] = []
  const prepare = async (page: Page) => {
    page.setDefaultTimeout(15_000)
    page.on('request', (request) => sent.push(...passedOn(request)))
  }
  const path = bridge.url.slice(bridge.origin.length)
  const seen = kept(await openInspector(browser, bridge.origin, { path, prepare }))
  await isLoaded(seen.page)
  return { ...seen, hand: handOn(seen.page), sent }
}

const isLoaded = (page: Page) => page.locator('.panels[aria-busy="false"]').waitFor()

/** What a request of the page makes the bridge send, as the log writes it. */
function passedOn(request: Request): string[] {
  const { pathname } = new URL(request.url())
  const text = request.postData() ?? ''
  if (pathname.startsWith('/target/'))
    return [logLine(request.method(), pathname.slice('/target'.length), text)]
  if (pathname !== '/inspector/send') return []
  const { method, target, body = '' } = JSON.parse(text)
  return [logLine(method, target, body)]
}

function logLine(method: string, path: string, body: string): string {
  return `${method} ${path} ${/"method":"([^"]+)"/.exec(body)?.[1] ?? ''}`.trim()
}

/** The log of the page, the oldest first: status, request, method of MCP. */
async function logged(page: Page): Promise<{ readonly status: string; readonly line: string }[]> {
  const rows = await page.locator('.log-row .log-line').evaluateAll((lines) =>
    lines.map((line) => ({
      status: line.querySelector('.badge')?.textContent ?? '',
      line: [...line.querySelectorAll('.log-what, .log-aside > span:not(.badge)')]
        .slice(0, 2)
        .map((part) => part.textContent)
        .join(' ')
        .trim(),
    })),
  )
  return rows.reverse()
}

/** What the SDK's client sees, which can answer questions as the page can. */
async function sdkClient(target: string, more: object = {}, key?: string): Promise<Client> {
  const capabilities = { elicitation: { form: {}, url: {} }, ...more }
  const client = new Client({ name: 'sdk', version: '1' }, { capabilities })
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers } }))
  return kept(client)
}

async function listedBy(client: Client) {
  const { resources } = await client.listResources()
  const { resourceTemplates } = await client.listResourceTemplates()
  return {
    Tools: (await client.listTools()).tools.map(({ name }) => name),
    Resources: [...resources, ...resourceTemplates].map(({ name }) => name),
    Prompts: (await client.listPrompts()).prompts.map(({ name }) => name),
  }
}

async function shownBy({ names }: InspectorHand) {
  return {
    Tools: await names('Tools'),
    Resources: await names('Resources'),
    Prompts: await names('Prompts'),
  }
}

/** The codes of all findings, in alphabetical order, once the check is over. */
async function findings(page: Page): Promise<string[]> {
  await page.getByRole('button', { name: 'Check this server' }).click()
  await page.getByText(/^\d+ passed, \d+ skipped$/).waitFor()
  const codes = await page.locator('.finding > p > span > code').allInnerTexts()
  return codes.sort()
}

describe('the official server-everything in the page', () => {
  let seen: Inspected
  let hand: InspectorHand
  let page: Page

  beforeEach(async () => {
    seen = await inspect(url)
    ;({ hand, page } = seen)
  })

  afterEach(async () => {
    // A request that went out is in the log, with its answer; nothing of it went wrong on the way.
    await expect.poll(async () => (await logged(page)).map(({ line }) => line)).toEqual(seen.sent)
    expect(await seen.problems()).toEqual([])
  })

  it('is met in its revision, and has in the page what it has for the SDK’s client', async () => {
    expect(await page.locator('#connection').innerText()).toMatch(/^connected\s+MCP 2025-11-25$/)
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('Everything')
    const listed = await listedBy(await sdkClient(url))
    expect(await shownBy(hand)).toEqual(listed)
    expect(listed.Tools).toContain('trigger-elicitation-request')
    // The page has no model to sample from, and says so: the server does not even offer what would need one.
    expect(listed.Tools).not.toContain('trigger-sampling-request')
    const sampling = await listedBy(await sdkClient(url, { sampling: {} }))
    expect(sampling.Tools).toContain('trigger-sampling-request')
    // It was asked in the new way first, and answered that it does not know it.
    const mcp = (await logged(page)).filter(({ line }) => line === 'POST /mcp server/discover')
    expect(new Set(mcp.map(({ status }) => status))).toEqual(new Set(['400 Bad request']))
  })

  it('text, sums, and what it finds wrong with the input', async () => {
    await hand.open('Tools', 'echo')
    await hand.field('message').fill('Grüße, 世界 🐎 <b>')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    expect(await hand.texts()).toEqual(['Echo: Grüße, 世界 🐎 <b>'])
    await hand.open('Tools', 'get-sum')
    await hand.field('a').fill('1.5')
    await hand.field('b').fill('-3')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    expect(await hand.texts()).toEqual(['The sum of 1.5 and -3 is -1.5.'])
    await hand.field('b').fill('three')
    await hand.go()
    await hand.detail.getByRole('button', { name: 'Send anyway' }).click()
    expect(await hand.ended()).toBe('the tool failed')
    expect((await hand.texts()).join()).toContain('expected number')
    expect((await logged(page)).every(({ status }) => !status.includes('broke off'))).toBe(true)
  })

  it('a long operation tells how far it is, can be cancelled, and the page goes on', async () => {
    await hand.open('Tools', 'trigger-long-running-operation')
    await hand.field('duration').fill('60')
    await hand.field('steps').fill('1200')
    await hand.go()
    await expect.poll(() => hand.answer.innerText()).toMatch(/\b[1-9]\d* of 1200\b/)
    await hand.detail.getByRole('button', { name: 'Cancel' }).click()
    expect(await hand.ended()).toBe('cancelled')
    await expect.poll(() => seen.sent).toContain('POST /mcp notifications/cancelled')
    await hand.field('duration').fill('0.2')
    await hand.field('steps').fill('2')
    await hand.go()
    await expect
      .poll(() => hand.texts())
      .toEqual(['Long running operation completed. Duration: 0.2 seconds, Steps: 2.'])
  })

  it('pictures, annotated and structured content, links', async () => {
    const client = await sdkClient(url)
    const call = async (name: string, args: Record<string, unknown> = {}) =>
      (await client.callTool({ name, arguments: args })) as {
        content: { type: string; text: string; data: string; uri: string }[]
        structuredContent: Record<string, unknown>
      }
    await hand.open('Tools', 'get-tiny-image')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    const { content: tiny } = await call('get-tiny-image')
    expect(await hand.texts()).toEqual(tiny.flatMap(({ type, text }) => (type === 'text' ? text : [])))
    const image = hand.answer.getByRole('img')
    expect(await image.getAttribute('src')).toBe(`data:image/png;base64,${tiny[1]!.data}`)
    await expect
      .poll(() => image.evaluate((shown) => (shown as unknown as { naturalWidth: number }).naturalWidth))
      .toBeGreaterThan(0)

    await hand.open('Tools', 'get-annotated-message')
    await hand.field('messageType').selectOption('error')
    await hand.field('includeImage').selectOption('Yes')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    expect(await hand.texts()).toEqual(['Error: Operation failed'])
    expect(await hand.answer.getByRole('img').count()).toBe(1)
    await hand.view('Raw')
    expect(await hand.answer.locator('.json').first().innerText()).toContain('"tools/call"')
    expect(await hand.answer.getByText('received', { exact: true }).count()).toBe(1)

    await hand.open('Tools', 'get-structured-content')
    await hand.field('location').selectOption('Chicago')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    await hand.view('Structured')
    const { structuredContent } = await call('get-structured-content', { location: 'Chicago' })
    const shown = await hand.answer.locator('.json').innerText()
    for (const [name, value] of Object.entries(structuredContent))
      expect(shown).toContain(`${JSON.stringify(name)}: ${JSON.stringify(value)}`)

    // Only its parts scroll, however much came.
    expect(await page.evaluate('document.scrollingElement.scrollHeight - innerHeight')).toBe(0)

    await hand.open('Tools', 'get-resource-links')
    await hand.field('count').fill('4')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    const { content: links } = await call('get-resource-links', { count: 4 })
    expect(await hand.answer.locator('dl.facts dd').allInnerTexts()).toEqual(
      links.flatMap(({ type, uri }) => (type === 'resource_link' ? uri : [])),
    )
    // Only the server knows what is behind them: nothing to press.
    expect(await hand.answer.locator('a').count()).toBe(0)
  })

  it('asks the person: a form, which may be left or declined, and an address', async () => {
    const dialog = page.getByRole('dialog')
    await hand.open('Tools', 'trigger-elicitation-request')
    await hand.go()
    await dialog.getByText('Please provide inputs for the following fields:').waitFor()
    await dialog.getByRole('button', { name: 'Answer' }).click()
    // Its schema wants a name.
    await dialog.getByText('This is needed.').waitFor()
    await dialog.getByLabel('String name', { exact: true }).fill('Ada')
    await dialog.getByRole('button', { name: 'Answer' }).click()
    expect(await hand.ended()).toBe('done')
    const answered = (await hand.texts()).join('\n')
    expect(answered).toContain('Name: Ada')
    // What it proposes is filled in.
    expect(answered).toContain('Favorite Integer: 42')
    await hand.go()
    await dialog.getByRole('button', { name: 'Decline' }).click()
    await expect.poll(async () => (await hand.texts()).join('\n')).toContain('declined')

    await hand.open('Tools', 'trigger-url-elicitation')
    await hand.field('url').fill('https://example.com/a')
    await hand.go()
    await dialog.getByRole('link', { name: 'https://example.com/a' }).waitFor()
    await dialog.getByRole('button', { name: 'I have done it' }).click()
    expect(await hand.ended()).toBe('done')
    expect((await hand.texts()).join('\n')).toContain('completed the URL elicitation flow')
  })

  it('resources of text and of bytes, templates, and prompts with arguments', async () => {
    const client = await sdkClient(url)
    const { resources } = await client.listResources()
    const { name, uri } = resources[0]!
    await hand.open('Resources', name)
    await hand.go()
    expect(await hand.ended()).toBe('done')
    const { contents } = await client.readResource({ uri })
    expect(await hand.texts()).toEqual([(contents[0] as { text: string }).text])

    await hand.open('Resources', 'Dynamic Text Resource')
    await hand.field('resourceId').fill('7')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    expect((await hand.texts()).join()).toMatch(/^Resource 7: This is a plaintext resource/)
    expect(await hand.answer.innerText()).toContain('demo://resource/dynamic/text/7')

    await hand.open('Resources', 'Dynamic Blob Resource')
    await hand.field('resourceId').fill('8')
    await hand.go()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      hand.answer.getByRole('button', { name: /^Download \(\d+ bytes\)$/ }).click(),
    ])
    const chunks: Buffer[] = []
    for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toMatch(/^Resource 8: This is a base64 blob/)
    await hand.field('resourceId').fill('none')
    await hand.go()
    expect(await hand.ended()).toBe('failed')
    expect(await hand.answer.innerText()).toContain('Unknown resource')

    await hand.open('Prompts', 'args-prompt')
    await hand.field('city').fill('Köln')
    await hand.field('state').fill('NRW')
    await hand.go()
    expect(await hand.ended()).toBe('done')
    expect(await hand.texts()).toEqual(["What's weather in Köln, NRW?"])
  })

  it('is told what it is: open to everybody, and nothing that is not so', async () => {
    expect(await findings(page)).toEqual([
      // Its Express application looks at the name it is called by nowhere.
      'foreign-host',
      // It lets the pages of everybody in: `cors({ origin: '*' })`, on a server for one machine.
      'foreign-origin',
      // It has no authentication at all.
      'no-authentication',
    ])
    const first = page.locator('.finding').first()
    expect(await first.innerText()).toContain('Anybody can use the server: it asks for no token.')
    // Of a token nothing can be said where none is asked for.
    const skipped = await page.locator('section', { has: page.locator('#check-title') }).locator('details li')
    expect((await skipped.allTextContents()).join('\n')).toContain('The server asks for no token.')
  })
})

describe('server-everything behind a gateway that wants an API key', () => {
  /** A gateway, and a key that it takes. */
  async function guarded() {
    const store = memoryKeyStore()
    const { key } = await apiKeys({ store }).create({ name: 'first', owner: 'ada', scopes: ['tools'] })
    const logger = () => {}
    const auth = apiKeyVerifier({ store }, { logger })
    kept(auth)
    const front = gateway({ upstream: httpUpstream({ url, logger }), auth, logger })
    kept(front)
    return { key, ...(await front.listen({ port: 0, closeOnSigterm: false })) }
  }

  async function use(page: Page, key: string): Promise<void> {
    await page.getByLabel('Bearer token or API key').fill(key)
    await page.getByRole('button', { name: 'Use', exact: true }).click()
    await page.locator('#connection').getByText('connected', { exact: true }).waitFor()
    await isLoaded(page)
  }

  it('shows the challenge without a key, everything with it, and nothing after Forget', async () => {
    const { key, url: guardedUrl } = await guarded()
    const { page, hand, problems } = await inspect(guardedUrl)
    await page.locator('#connection').getByText('refused', { exact: true }).waitFor()
    const last = page.locator('#last-answer')
    expect(await last.innerText()).toContain('401 Unauthorized')
    expect(await last.getByText('As it came').count()).toBe(1)
    expect(await last.locator('details').textContent()).toContain('WWW-Authenticate: Bearer ')
    expect(await hand.names('Tools')).toEqual([])

    await use(page, key)
    expect(await shownBy(hand)).toEqual(await listedBy(await sdkClient(guardedUrl, {}, key)))
    await hand.open('Tools', 'echo')
    await hand.field('message').fill('through the gate')
    await hand.go()
    await expect.poll(() => hand.texts()).toEqual(['Echo: through the gate'])
    await hand.open('Tools', 'trigger-elicitation-request')
    await hand.go()
    await page.getByRole('dialog').getByLabel('String name', { exact: true }).fill('Ada')
    await page.getByRole('dialog').getByRole('button', { name: 'Answer' }).click()
    await expect.poll(async () => (await hand.texts()).join('\n')).toContain('Name: Ada')
    await hand.open('Resources', 'Dynamic Text Resource')
    await hand.field('resourceId').fill('7')
    await hand.go()
    await expect.poll(async () => (await hand.texts()).join()).toMatch(/^Resource 7: /)
    expect((await placesOf(page, key)).filter((place) => place !== 'values')).toEqual([])

    await page.getByRole('button', { name: 'Forget', exact: true }).first().click()
    await page.locator('#connection').getByText('refused', { exact: true }).waitFor()
    await isLoaded(page)
    expect(await hand.names('Tools')).toEqual([])
    expect(await placesOf(page, key)).toEqual([])
    expect(await problems()).toEqual([])
  })

  it('is found to be protected, with the key and without', async () => {
    const { key, url: guardedUrl } = await guarded()
    const { page, problems } = await inspect(guardedUrl)
    expect(await findings(page)).toEqual([])
    await use(page, key)
    expect(await findings(page)).toEqual([])
    expect(await page.getByText(/^\d+ passed, \d+ skipped$/).innerText()).toMatch(/^[12]\d passed/)
    expect(await problems()).toEqual([])
  })
})
