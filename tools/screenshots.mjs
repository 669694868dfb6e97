/**
 * Takes the pictures of docs/inspector.md: the pages of the demo, and of a server that has forgotten what most forget.
 *
 * usage: npm run screenshots [-- FOLDER]
 *   CHROMIUM=/path/to/chromium takes that browser.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { demoAudience, startDemo } from '../dist/cli/demo/server.js'
import { inspectorBridge } from '../dist/inspector/bridge/bridge.js'
import { htmlReport, probe } from '../dist/inspector/index.js'
import { openChromium } from './chromium.mjs'
import { fillKeys } from './screenshots/keys.mjs'
import { weakServer } from './screenshots/weak-server.mjs'

const folder = process.argv[2] ?? fileURLToPath(new URL('../docs/images/', import.meta.url))
const wide = { width: 1280, height: 860 }
const tall = { width: 1280, height: 1300 }
const narrow = { width: 390, height: 860 }
const mostBytes = 200_000

mkdirSync(folder, { recursive: true })
const browser = await openChromium()
const demo = await startDemo(8000, 'memory:')
const weak = await weakServer()
const mint = (subject, ...scopes) => demo.issuer.mint({ subject, audience: demoAudience, scopes })
const alice = await mint('alice', 'reports:read')
const root = await mint('root', 'reports:read', 'reports:write', 'keys:admin')
/** What must be in no picture. */
const secrets = [alice, root, weak.token, ...(await fillKeys(demo.apiKeys.store))]
if (demo.apiKeys.first) secrets.push(demo.apiKeys.first.key)

try {
  await refused()
  await tool()
  await dark()
  await findings()
  await keys()
  await report()
  await small()
} finally {
  await browser.close()
  await weak.close()
  await demo.close()
}

/** The first visit: what the server says to somebody without a token. */
async function refused() {
  await taken('inspector-refused', demo.inspector, {}, async (page) => {
    await page.locator('#last-answer').getByText('401').waitFor()
    await page.getByText('Without a token it refuses, as it should.').waitFor()
    await page.getByText('needs a token').first().waitFor()
  })
}

async function tool() {
  await taken('inspector-tool', demo.inspector, { viewport: tall }, async (page) => {
    await use(page, alice)
    await closeLog(page)
    await open(page, 'quote_parcel')
    await fillParcel(page)
    await run(page)
    await page.getByRole('tab', { name: 'Structured' }).click()
    await page.locator('article.detail').evaluate((detail) => detail.scrollIntoView({ block: 'end' }))
  })
}

async function dark() {
  await taken('inspector-dark', demo.inspector, { colorScheme: 'dark' }, async (page) => {
    await use(page, alice)
    await open(page, 'draw_gradient')
    await run(page)
    await page.locator('.log-row summary').first().click()
  })
}

async function findings() {
  const bridge = await inspectorBridge({ target: weak.url, logger() {} })
  await taken('inspector-findings', bridge.url, {}, async (page) => {
    await use(page, weak.token)
    await closeLog(page)
    await open(page, 'forecast')
    await run(page)
    await check(page)
    await toStart(page.locator('section', { has: page.locator('#check-title') }))
  })
  await bridge.close()
}

async function keys() {
  await taken(
    'inspector-keys',
    `${demo.inspector}/keys`,
    { viewport: { width: 1280, height: 1040 } },
    async (page) => {
      await page.getByLabel('Bearer token or API key').fill(root)
      await page.getByRole('button', { name: 'Use', exact: true }).click()
      await page.locator('.sparkline').first().waitFor()
    },
  )
}

async function report() {
  const html = htmlReport(await probe(weak.url, { token: weak.token }))
  await taken('report', `data:text/html;base64,${Buffer.from(html).toString('base64')}`)
}

async function small() {
  await taken('inspector-narrow', demo.inspector, { viewport: narrow }, async (page) => {
    await use(page, alice)
    await open(page, 'quote_parcel')
    await toStart(page.locator('article.detail'))
  })
}

/** Opens a page, brings it to where it is worth a picture, and takes it: unless a secret can be read in it. */
async function taken(name, address, look = {}, prepare = async () => {}) {
  const context = await browser.newContext({
    viewport: wide,
    deviceScaleFactor: 1,
    colorScheme: 'light',
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    ...look,
  })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    await page.goto(address)
    await prepare(page)
    const image = await page.screenshot({ animations: 'disabled', caret: 'hide' })
    const read = await page.evaluate(visible)
    if (secrets.some((secret) => read.includes(secret))) throw new Error(`${name}: a secret is on the page`)
    if (image.length > mostBytes) throw new Error(`${name}: ${image.length} bytes are too many`)
    writeFileSync(join(folder, `${name}.png`), image)
    console.log(`screenshots: ${name}.png, ${Math.ceil(image.length / 1000)} kB`)
  } finally {
    await context.close()
  }
}

/** What can be read on the page: its text, and what is in its fields; runs in the browser. */
function visible() {
  const fields = [...document.querySelectorAll('input, textarea, select')]
  const typed = fields.filter(({ type }) => type !== 'password').map(({ value }) => value)
  return [document.documentElement.innerText, ...typed].join('\n')
}

async function use(page, token) {
  await page.getByLabel('Bearer token or API key').fill(token)
  await page.getByRole('button', { name: 'Use', exact: true }).click()
  await page.locator('#connection').getByText('connected', { exact: true }).waitFor()
  await page.locator('.panels[aria-busy="false"]').waitFor()
}

async function open(page, name) {
  await page
    .locator('.panels .list .item')
    .filter({ has: page.getByText(name, { exact: true }) })
    .click()
}

async function run(page) {
  await page.locator('article.detail').getByRole('button', { name: 'Run', exact: true }).click()
  await page.locator('article.detail .run .badge').getByText('done', { exact: true }).waitFor()
}

async function fillParcel(page) {
  const form = page.locator('article.detail')
  await form.getByLabel(/^\s*city/).fill('Göteborg')
  await form.getByLabel(/^\s*country/).fill('SE')
}

async function check(page) {
  await page.getByRole('button', { name: 'Check this server' }).click()
  await page.getByText(/^\d+ passed, \d+ skipped$/).waitFor()
}

/** For pictures of what is above it. */
async function closeLog(page) {
  const toggle = page.locator('.log-toggle')
  if ((await toggle.getAttribute('aria-expanded')) === 'true') await toggle.click()
}

function toStart(place) {
  return place.evaluate((element) => element.scrollIntoView({ block: 'start' }))
}
