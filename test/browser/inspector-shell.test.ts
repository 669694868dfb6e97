import type { IncomingMessage, ServerResponse } from 'node:http'
import axe from 'axe-core'
import { MCPServer } from 'mcp-bearer/server'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Look, openBrowser } from './chromium.ts'
import { type InspectorSiteOptions, inspectorSite } from './inspector-site.ts'
import { type InspectorVisitOptions, openInspector, placesOf } from './inspector-visit.ts'
import { contrast, keyboard, overflow } from './measure.ts'

const goodToken = 'good-token-of-ann-4711'
const open: { close(): Promise<unknown> }[] = []
let browser: Browser
let server: MCPServer
let origin: string

beforeAll(async () => {
  browser = await openBrowser()
  server = new MCPServer(
    {
      name: 'Corner shop',
      version: '1.2.3',
      logger() {},
      auth: {
        requiredScopes: ['shop:read'],
        authorizationServers: ['https://id.example.com'],
        verifyToken: async (token: string) =>
          token === goodToken
            ? {
                token,
                subject: 'ann',
                clientId: 'till',
                scopes: ['shop:read', 'keys:admin'],
                expiresAt: 4_000_000_000,
                claims: { tenant: { name: '<b>north</b>' } },
              }
            : null,
      },
    },
    { resource: 'https://shop.example.com/mcp' },
  )
  server.tool('hello', { description: 'Says hello.' }, () => 'hello')
  origin = new URL((await server.listen({ port: 0 })).url).origin
}, 60_000)

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

async function inspect(at = origin, options?: InspectorVisitOptions) {
  const seen = await openInspector(browser, at, options)
  open.push(seen)
  return seen
}

async function site(options: InspectorSiteOptions): Promise<string> {
  const made = await inspectorSite(options)
  open.push(made)
  return made.origin
}

const box = (page: Page) => page.getByLabel('Bearer token or API key')
const words = (page: Page) => page.locator('#token-words')
const logRows = (page: Page) => page.locator('.log-row')

async function use(page: Page, token: string): Promise<void> {
  await box(page).fill(token)
  await page.getByRole('button', { name: 'Use', exact: true }).click()
}

/** The names and values of a list of facts. */
async function facts(list: Locator): Promise<Record<string, string>> {
  const rows = await list.locator('> div').all()
  const pairs = rows.map(async (row) => [
    await row.locator('dt').innerText(),
    (await row.locator('dd').innerText()).replace(/\s+/g, ' '),
  ])
  return Object.fromEntries(await Promise.all(pairs))
}

/** A server that answers "who am I" as the token says, and says again what it was sent; over MCP it only refuses. */
function parrot(req: IncomingMessage, res: ServerResponse): void {
  const said = req.headers.authorization ?? ''
  const challenge = req.url === '/mcp' && said !== '' ? plainRefusal : answersOf(said)
  if (challenge !== undefined) {
    res.writeHead(challenge.status, {
      'www-authenticate': challenge.header,
      'content-type': 'application/json',
    })
    res.end(JSON.stringify({ error: 'refused', ...(req.url !== '/mcp' && { sent: said }) }))
    return
  }
  res.writeHead(200, { 'content-type': 'application/json', 'x-said': said })
  res.end(
    JSON.stringify({
      authenticated: true,
      subject: `you sent ${said}`,
      url: `?access_token=${said.slice(7)}`,
    }),
  )
}

const plainRefusal = { status: 404, header: 'Basic realm="no MCP here"' }

function answersOf(said: string): { status: number; header: string } | undefined {
  if (said === '') {
    return {
      status: 401,
      header: 'Bearer realm="till", scope="a b", resource_metadata="https://shop.example.com/.well-known/x"',
    }
  }
  if (said.includes('narrow')) {
    return { status: 403, header: 'Bearer error="insufficient_scope", scope="orders:write stock:read"' }
  }
  if (said.includes('old')) {
    return {
      status: 401,
      header: `Bearer realm="<img src=x>", error="invalid_token", error_description="${said.slice(7)} has expired"`,
    }
  }
  return undefined
}

const parrotSite = () => site({ behind: parrot, config: { whoami: '/whoami' } })

describe('the page', () => {
  it('shows the server, speaks with nobody else, and says nothing to the console', async () => {
    const { page, problems } = await inspect()
    expect(await page.locator('h1').innerText()).toContain('Corner shop')
    expect(await page.locator('header').innerText()).toContain('/mcp')
    await use(page, goodToken)
    await page.getByText('The server says you are').waitFor()
    await page.getByRole('link', { name: 'Documentation' }).waitFor()
    expect(await problems()).toEqual([])
  })

  it('says what to do when whoever serves it does not let it in', async () => {
    const at = await site({ behind: parrot })
    const { page } = await inspect(at, {
      prepare: (page) => page.route('**/config.json', (route) => route.fulfill({ status: 403, body: '{}' })),
    })
    expect(await page.getByRole('alert').innerText()).toContain('opened without its key')
  })

  it('works below a prefix that the server does not know', async () => {
    const asked: string[] = []
    const at = await site({
      behind: (_req, res) => res.writeHead(404).end(),
    })
    const { page } = await inspect(at, {
      path: '/team/inspector',
      prepare: async (page) => {
        await page.route('**/team/**', async (route) => {
          const url = new URL(route.request().url())
          asked.push(url.pathname)
          if (!url.pathname.startsWith('/team/inspector') || url.pathname.endsWith('whoami'))
            return route.fulfill({ status: 401, headers: { 'www-authenticate': 'Bearer realm="x"' } })
          if (url.pathname.endsWith('config.json'))
            return route.fulfill({
              json: { kind: 'server', name: 'x', endpoint: '/mcp', whoami: '/inspector/whoami' },
            })
          return route.continue({ url: at + url.pathname.replace('/team', '') })
        })
      },
    })
    await use(page, goodToken)
    await page.getByText('with your token').waitFor()
    expect(asked).toContain('/team/inspector/whoami')
    expect(await page.locator('header').innerText()).toContain(`${at}/team/mcp`)
  })
})

describe('the token box', () => {
  it('cleans what is pasted, and says what it left out', async () => {
    const { page, context } = await inspect()
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
    await page.evaluate(`navigator.clipboard.writeText(' "Bearer ${goodToken}"\\n')`)
    await box(page).focus()
    await page.keyboard.press('ControlOrMeta+V')
    await page.getByText('"Bearer" stands before the token').first().waitFor()
    expect(await box(page).inputValue()).toBe(goodToken)
    expect(await words(page).innerText()).toContain('Quotes stand around the token')
    expect(await words(page).innerText()).toContain('Not in use yet.')
    await page.keyboard.press('Enter')
    await page.getByText('The server says you are').waitFor()
    expect(await words(page).innerText()).toContain('In use.')
    // The same once more: the server is asked again, and says it again.
    await page.getByRole('button', { name: 'Use', exact: true }).click()
    await page.getByText('The server says you are').waitFor()
    await page.getByLabel('Filter the log').fill('/whoami')
    expect(await logRows(page).count()).toBe(2)
  })

  it('masks the token unless it is to be shown', async () => {
    const { page } = await inspect()
    expect(await box(page).getAttribute('type')).toBe('password')
    await page.getByRole('button', { name: 'Show' }).click()
    expect(await box(page).getAttribute('type')).toBe('text')
    expect(await page.getByRole('button', { name: 'Show' }).getAttribute('aria-pressed')).toBe('true')
    await page.getByRole('button', { name: 'Show' }).click()
    expect(await box(page).getAttribute('type')).toBe('password')
    expect(await page.locator('form').count()).toBe(0)
  })

  it.each([
    ['${MCP_TOKEN}', 'Not a token: it is text that stands for one.'],
    ['some-opaque-token', 'An opaque token'],
    ['ghp_abcdefghijklmnop', 'GitHub'],
  ])('says what %s is', async (text, said) => {
    const { page } = await inspect()
    await box(page).fill(text)
    expect(await words(page).innerText()).toContain(said)
  })

  it('does not send what no header can carry', async () => {
    const { page } = await inspect(await parrotSite())
    await use(page, 'one two')
    await page.getByText('It cannot be sent').waitFor()
    expect(await words(page).innerText()).toContain('Not in use yet.')
    await use(page, 'fresh-token-77')
    await page.getByText('The server says you are').waitFor()
    await page.getByLabel('Filter the log').fill('who am I')
    expect(await page.getByLabel('Filter the log').inputValue()).toBe('who am I')
  })

  it('leaves nothing of the token after "Forget"', async () => {
    const { page, context, console: written, problems } = await inspect(await parrotSite())
    const first = 'first-token-of-bob-0815'
    const secret = 'second-token-of-bob-4712'
    await use(page, first)
    await page.getByText('The server says you are').waitFor()
    await use(page, secret)
    await page.getByText('The server says you are').waitFor()
    await page.getByRole('button', { name: 'Show' }).click()
    await logRows(page).first().locator('summary').first().click()
    expect(await placesOf(page, secret)).toEqual(['values'])
    expect(await placesOf(page, first)).toEqual([])

    await page.getByRole('button', { name: 'Forget' }).click()
    await page.getByText('Nothing of the token is left').waitFor()
    expect(await page.locator('#announcer').innerText()).toContain('Forgotten')
    expect(await page.evaluate('document.activeElement.id')).toBe('token')
    expect(await box(page).inputValue()).toBe('')
    for (const token of [first, secret]) {
      for (const part of [token, token.slice(0, 12), Buffer.from(token).toString('base64').slice(0, 16)]) {
        expect(await placesOf(page, part), part).toEqual([])
        expect(JSON.stringify(await context.storageState())).not.toContain(part)
        expect(written()).not.toContain(part)
        expect(page.url()).not.toContain(part)
      }
    }
    await page.keyboard.press('ControlOrMeta+Z')
    expect(await box(page).inputValue()).toBe('')
    await page.goBack().catch(() => {})
    await page.goto(page.url())
    expect(await problems()).toEqual([])
  })

  it('brings nothing back when the page is loaded anew', async () => {
    const { page } = await inspect(await parrotSite())
    await use(page, 'token-of-a-visit-99')
    await page.getByText('The server says you are').waitFor()
    await page.reload()
    await page.getByText('No token is in use.').or(page.locator('#last-answer .badge')).first().waitFor()
    expect(await box(page).inputValue()).toBe('')
    expect(await placesOf(page, 'token-of-a-visit-99')).toEqual([])
  })
})

describe('what the server says of the token', () => {
  it('FL-105 shows the challenge of a refusal, taken apart', async () => {
    const { page, problems } = await inspect(await parrotSite())
    await use(page, 'old-token-of-eve-99')
    const panel = page.locator('#last-answer')
    await panel.getByText('401 Unauthorized').waitFor()
    expect(await facts(panel.getByLabel('Challenge'))).toEqual({
      Realm: '<img src=x>',
      Error: 'invalid_token',
      Description: '[redacted] has expired',
    })
    expect(await panel.innerText()).toContain('Get a new one for this server.')
    await panel.getByText('As it came').click()
    expect(await panel.innerText()).toContain('"sent":"Bearer [redacted]"')
    expect(await placesOf(page, 'old-token-of-eve-99')).toEqual(['values'])
    expect(await page.locator('img').count()).toBe(0)
    expect(await problems()).toEqual([])
  })

  it('FL-105 names the scopes that a token lacks', async () => {
    const { page } = await inspect(await parrotSite())
    await use(page, 'narrow-token-of-eve')
    const panel = page.locator('#last-answer')
    await panel.getByText('403 Forbidden').waitFor()
    expect(await facts(panel.getByLabel('Challenge'))).toEqual({
      Error: 'insufficient_scope',
      Scope: 'orders:write stock:read',
    })
    expect(await panel.innerText()).toContain('Get one with these scopes: orders:write, stock:read.')
    await use(page, 'fresh-token-of-eve')
    await page.getByText('The server says you are').waitFor()
    expect(await panel.innerText()).toBe('')
  })

  it('FL-105 shows what the server asks for before there is a token', async () => {
    const { page } = await inspect(await parrotSite())
    const panel = page.locator('#last-answer')
    await panel.getByText('without a token').waitFor()
    expect(await facts(panel.getByLabel('Challenge'))).toEqual({
      Realm: 'till',
      Scope: 'a b',
      'Resource metadata': 'https://shop.example.com/.well-known/x',
    })
  })

  it('shows who the server says the caller is, and counts the time down', async () => {
    const at = await site({
      behind: (_req, res) =>
        res.setHeader('content-type', 'application/json').end(
          JSON.stringify({
            authenticated: true,
            subject: 'ann',
            clientId: 'till',
            issuer: 'https://id.example.com',
            scopes: ['shop:read'],
            expiresAt: '2030-01-01T01:00:00Z',
            claims: { tenant: { name: '<b>north</b>' }, __proto__: null, constructor: 'x' },
          }),
        ),
      config: { whoami: '/whoami' },
    })
    const { page } = await inspect(at, {
      prepare: (page) => page.clock.install({ time: new Date('2030-01-01T00:54:00Z') }),
    })
    await use(page, goodToken)
    const who = page.getByLabel('Who you are')
    await who.waitFor()
    expect(await facts(who)).toMatchObject({
      Subject: 'ann',
      Client: 'till',
      Issuer: 'https://id.example.com',
      Scopes: 'shop:read',
    })
    await page.getByText('Claims', { exact: true }).click()
    expect(await page.getByRole('cell', { name: '{"name":"<b>north</b>"}' }).count()).toBe(1)
    const time = who.locator('time')
    const before = await time.innerText()
    await page.clock.runFor(60_000)
    expect(await time.innerText()).not.toBe(before)
    expect(await time.innerText()).toMatch(/^expires in 4 minutes [345]\d seconds$/)
    await page.clock.runFor(300_000)
    expect(await time.innerText()).toMatch(/^expired/)
    expect(await page.locator('#announcer').innerText()).toContain('The token has expired.')
  })

  it('shows what a token says of itself where nobody else can be asked', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: 'https://id.example.com', sub: 'ann', scope: 'shop:read', exp: 4_000_000_000 }
    const token = `${part({ alg: 'RS256', kid: 'k1' })}.${part(claims)}.${'c'.repeat(86)}`
    const { page } = await inspect(await site({ behind: parrot }))
    await use(page, token)
    await page.getByText('Not verified: this is what the token says.').waitFor()
    await page.getByText('Claims, not verified', { exact: true }).click()
    expect(await page.getByRole('row', { name: /sub/ }).innerText()).toContain('ann')
    expect(await words(page).innerText()).toMatch(/A JWT that expires in/)
    expect(await placesOf(page, token)).toEqual(['values'])
  })

  it('leads to the keys where they are and the caller may change them', async () => {
    const at = (scopes: string[]) =>
      site({
        behind: (_req, res) => res.end(JSON.stringify({ authenticated: true, scopes })),
        config: { whoami: '/whoami', keys: '/admin' },
      })
    const { page } = await inspect(await at(['shop:read']))
    await use(page, goodToken)
    await page.getByLabel('Who you are').waitFor()
    expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0)
    const other = await inspect(await at(['keys:admin']))
    await use(other.page, goodToken)
    await other.page.getByRole('link', { name: 'API keys' }).waitFor()
  })
})

describe('the HTTP log', () => {
  it('writes down what was sent and what came, without the token, and copies both', async () => {
    const { page, context } = await inspect(await parrotSite())
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()')
    const secret = 'secret-token-of-zoe-31'
    await use(page, secret)
    await page.getByLabel('Filter the log').fill('whoami')
    const row = logRows(page).filter({ hasText: 'who am I' }).first()
    await row.getByText('200 OK').waitFor()
    expect(await row.locator('summary').first().innerText()).toMatch(/GET \/whoami[\s\S]*\d ms/)
    await row.locator('summary').first().click()
    const view = row.locator('.entry-view')
    expect(await view.innerText()).toMatch(/Authorization\s+Bearer \[redacted\]/)
    expect(await view.innerText()).toMatch(/x-said\s+Bearer \[redacted\]/)
    expect(await view.locator('.json').innerText()).toContain('you sent Bearer [redacted]')
    await view.getByRole('button', { name: 'Copy as curl' }).click()
    await view.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await copied()).toBe(
      `curl -i --path-as-is -g -H "Authorization: Bearer $TOKEN" ${new URL(page.url()).origin}/whoami`,
    )
    await view.getByRole('button', { name: 'Copy answer' }).click()
    await page.waitForFunction(`navigator.clipboard.readText().then((text) => text.startsWith('{'))`)
    expect(await copied()).not.toContain(secret)
    expect(await placesOf(page, secret)).toEqual(['values'])
  })

  it('is filtered by words and by failure, and emptied', async () => {
    const { page } = await inspect(await parrotSite())
    await use(page, 'fresh-token-of-zoe-1')
    await page.getByText('The server says you are').waitFor()
    await use(page, 'old-token-of-zoe-2')
    await page.locator('#last-answer').getByText('401 Unauthorized').waitFor()
    const filter = page.getByLabel('Filter the log')
    await filter.fill('WHO insufficient')
    await page.getByText('No request is like that.').waitFor()
    await filter.fill('get /whoami')
    expect(await logRows(page).count()).toBe(2)
    expect(await logRows(page).first().innerText()).toContain('401')
    await page.getByLabel('Only failures').check()
    expect(await logRows(page).count()).toBe(1)
    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await page.getByText('No requests yet.').waitFor()
  })

  it('an answer without a body is whole', async () => {
    const at = await site({
      behind: (req, res) => (req.url === '/whoami' ? res.writeHead(204).end() : parrot(req, res)),
      config: { whoami: '/whoami' },
    })
    const { page } = await inspect(at)
    await use(page, goodToken)
    await page.getByLabel('Filter the log').fill('whoami')
    await logRows(page).first().getByText('204 No content', { exact: true }).waitFor()
  })

  it('shows an answer that is still coming, and its events', async () => {
    let more: (text: string) => void = () => {}
    const at = await site({
      behind: (req, res) => {
        if (req.url !== '/whoami') return parrot(req, res)
        res.writeHead(200, { 'content-type': 'text/event-stream' })
        res.write('event: hello\ndata: {"n":1}\n\n')
        more = (text) => res.end(text)
      },
      config: { whoami: '/whoami' },
    })
    const { page } = await inspect(at)
    await use(page, goodToken)
    await page.getByLabel('Filter the log').fill('whoami')
    const row = logRows(page).first()
    await row.locator('summary .badge', { hasText: 'open' }).waitFor()
    await row.locator('summary').first().click()
    await row.getByText('Event hello').waitFor()
    more(`data: the token was ${goodToken}\n\n`)
    await row.getByText('the token was [redacted]').waitFor()
    expect(await row.locator('summary .badge', { hasText: 'open' }).count()).toBe(0)
  })
})

describe('behind a bridge', () => {
  it('shows the status and the path of the server, and what the bridge says itself', async () => {
    let isReached = true
    const at = await site({
      behind: (req, res) => {
        const { 'x-inspector-session': session } = req.headers
        if (!isReached) {
          res.writeHead(502, { 'x-inspector-problem': 'unreachable', 'content-type': 'application/json' })
          return res.end(JSON.stringify({ problem: 'Nothing listens on mcp.example.com.' }))
        }
        if (req.url === '/inspector/send') {
          const headers = [['www-authenticate', 'Bearer realm="far"']]
          return res
            .setHeader('content-type', 'application/json')
            .end(
              JSON.stringify({ status: 401, headers, body: `{"session":"${session}"}`, isCut: false, ms: 3 }),
            )
        }
        res.writeHead(502, { 'x-inspector-status': '302', location: 'https://elsewhere.example/' })
        return res.end('moved')
      },
      config: {
        kind: 'bridge',
        endpoint: '/target/mcp',
        url: 'https://mcp.example.com/mcp',
        send: '/inspector/send',
        whoami: '/target/who?a=1',
      },
    })
    const { page, problems } = await inspect(at, {
      prepare: (page) =>
        page.addInitScript(`sessionStorage.setItem('mcp-bearer-session', 'session-secret-12345')`),
    })
    await page.locator('#last-answer').getByText('401 Unauthorized').waitFor()
    expect(await facts(page.getByLabel('Challenge'))).toEqual({ Realm: 'far' })
    expect(await page.locator('header').innerText()).toContain('https://mcp.example.com/mcp')
    await use(page, goodToken)
    await page.getByLabel('Filter the log').fill('who am I')
    await page.getByLabel('Filter the log').fill('/who?a=1')
    const row = logRows(page).first()
    await row.getByText('302 Found').waitFor()
    expect(await row.innerText()).toMatch(/GET \/who\?a=1/)
    isReached = false
    await use(page, `${goodToken}-2`)
    await logRows(page).first().getByText('no answer').waitFor()
    await logRows(page).first().locator('summary').first().click()
    await logRows(page).first().getByText('Nothing listens on mcp.example.com.').waitFor()
    await page.getByLabel('Filter the log').fill('')
    expect(await page.locator('.log-rows').innerText()).not.toContain('/target')
    expect((await placesOf(page, 'session-secret-12345')).sort()).toEqual(['sessionStorage'])
    expect(await problems()).toEqual([])
  })
})

const looks: Look[] = [
  { scheme: 'light', width: 1400 },
  { scheme: 'dark', width: 1400 },
  { scheme: 'light', width: 1900 },
  { scheme: 'light', width: 320 },
  { scheme: 'dark', width: 320 },
]

/** The page with everything of this room on it: a refusal, who the caller is, findings, and an open entry of the log. */
async function everything(look: Look, options: InspectorVisitOptions = {}) {
  const seen = await inspect(origin, { ...options, look })
  const { page } = seen
  await use(page, goodToken)
  await page.getByText('The server says you are').waitFor()
  await page.getByRole('button', { name: 'Check this server' }).click()
  await page.getByText(/\d+ passed, \d+ skipped/).waitFor({ timeout: 30_000 })
  const toggle = page.locator('.log-toggle')
  if ((await toggle.getAttribute('aria-expanded')) === 'false') await toggle.click()
  await logRows(page).first().locator('summary').first().click()
  await page.evaluate(`for (const part of document.querySelectorAll('.side details')) part.open = true`)
  return seen
}

describe.each(looks)('in a $scheme window of $width pixels', (look) => {
  it('the page is quiet, fits, and can be read', async () => {
    const { page, problems } = await everything(look)
    expect(await overflow(page)).toBe(0)
    const { measured, faint } = await contrast(page)
    expect(measured).toBeGreaterThan(60)
    expect(faint).toEqual([])
    expect(await problems()).toEqual([])
  })
})

it.each(looks.filter(({ width }) => width < 1900))(
  'axe finds nothing serious in a $scheme window of $width pixels',
  async (look) => {
    const { page } = await everything(look, { bypassCSP: true })
    await page.evaluate(axe.source)
    const found = await page.evaluate<AxeViolation[]>(`axe.run().then(({ violations }) => violations
      .map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ target }) => target.join(' ')) })))`)
    expect(found.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
  },
)

interface AxeViolation {
  readonly id: string
  readonly impact: string
  readonly where: readonly string[]
}

describe('by keyboard', () => {
  it('everything that can be used is reached in the order of the page, with a visible mark', async () => {
    const { page } = await inspect(await parrotSite())
    await page.locator('#last-answer').getByText('without a token').waitFor()
    await page
      .getByRole('button', { name: 'Load again' })
      .and(page.locator('[aria-disabled=false]'))
      .waitFor()
    const { usable, reached, unseen } = await keyboard(page)
    expect(usable.length).toBeGreaterThan(10)
    expect(reached).toEqual(usable)
    expect(unseen).toEqual([])
    expect(reached.slice(0, 3)).toEqual([
      'Skip to the token <a>',
      'Skip to tools, resources and prompts <a>',
      'Skip to the HTTP log <a>',
    ])
  })

  it('a token is used, read about and forgotten without a pointer', async () => {
    const { page } = await inspect(await parrotSite())
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.id')).toBe('token')
    await page.keyboard.type('fresh-token-of-kim-5')
    await page.keyboard.press('Enter')
    await page.getByText('The server says you are').waitFor()
    await page.getByRole('link', { name: 'Skip to the HTTP log' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    const toggle = page.locator('.log-toggle')
    expect(await page.evaluate('document.activeElement.className')).toBe('log-toggle')
    await page.keyboard.press('Space')
    expect(await toggle.getAttribute('aria-expanded')).toBe('false')
    expect(await logRows(page).count()).toBe(0)
    await page.keyboard.press('Space')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.entry-view').waitFor()
    await page.getByRole('button', { name: 'Forget' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('Nothing of the token is left').waitFor()
    expect(page.url()).toMatch(/\/inspector$/)
  })
})

it('every landmark is there once, and every name leads to something', async () => {
  const { page } = await inspect()
  for (const role of ['main', 'banner', 'complementary'] as const)
    expect(await page.getByRole(role).count(), role).toBe(1)
  const unnamed =
    await page.evaluate(`[...document.querySelectorAll('[aria-labelledby], [aria-describedby], [for]')]
    .flatMap((element) => ['aria-labelledby', 'aria-describedby', 'for'].map((name) => element.getAttribute(name)))
    .filter((id) => id !== null && document.getElementById(id) === null)`)
  expect(unnamed).toEqual([])
})

it('nothing moves', async () => {
  const { page } = await inspect()
  const moving =
    await page.evaluate(`[document.documentElement, ...document.querySelectorAll('*')].map(getComputedStyle)
    .filter((style) => style.transitionDuration !== '0s' || style.animationName !== 'none' || style.scrollBehavior !== 'auto')
    .length`)
  expect(moving).toBe(0)
})

it('where the pointer is a finger, what can be pressed is 44 pixels high', async () => {
  const context = await browser.newContext({
    hasTouch: true,
    isMobile: true,
    viewport: { width: 390, height: 800 },
  })
  open.push(context)
  const page = await context.newPage()
  await page.goto(`${origin}/inspector`)
  await page.locator('#token').waitFor()
  const low =
    await page.evaluate(`[...document.querySelectorAll('.token-box button, #token, .head nav a, .side .button')]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44).map((one) => one.textContent)`)
  expect(low).toEqual([])
})
