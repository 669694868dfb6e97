import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from './chromium.ts'
import {
  everythingIn,
  type KeysPageSite,
  type KeysVisit,
  keysPageSite,
  rowOf,
  sessionSecret,
  visitKeys,
} from './keys-page.ts'
import { contrast, overflow } from './measure.ts'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const open: { close(): Promise<unknown> }[] = []
let browser: Browser

beforeAll(async () => {
  browser = await openBrowser()
}, 60_000)
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(() => browser?.close())

async function siteWith(...given: Parameters<typeof keysPageSite>): Promise<KeysPageSite> {
  const site = await keysPageSite(...given)
  open.push(site)
  return site
}

async function look(
  site: KeysPageSite,
  token?: string,
  how?: Parameters<typeof visitKeys>[3],
): Promise<KeysVisit> {
  const seen = await visitKeys(browser, `${site.origin}/inspector/keys`, token ?? site.adminKey, how)
  open.push(seen)
  return seen
}

function button(page: Page, name: string | RegExp) {
  return page.getByRole('button', { name, exact: true })
}

function field(page: Page, label: string) {
  return page.getByRole('dialog').getByLabel(label, { exact: true })
}

/** Opens a key of the list. */
async function openKey(page: Page, name: string): Promise<void> {
  await button(page, name).click()
  await page.getByRole('heading', { name, level: 2 }).waitFor()
}

const dayMs = 86_400_000

describe('the list', () => {
  it('shows each key with its status, expiry, last use and uses, in words', async () => {
    const site = await siteWith()
    const { apiKey } = await site.keys.create({
      name: 'laptop',
      owner: 'alice',
      scopes: ['reports:read', 'reports:write'],
      expiresInSeconds: 90 * 86_400 + 60,
    })
    await site.keys.create({ name: 'idle', owner: 'bob' })
    const now = Date.now()
    await site.store.recordUses([{ id: apiKey.id, count: 4, at: now - 3 * dayMs }])
    await site.store.recordUses([{ id: apiKey.id, count: 1200, at: now - dayMs }])
    const { page } = await look(site)
    const text = (await rowOf(page, 'laptop').innerText()).replace(/\s+/g, ' ')
    for (const part of [
      'laptop',
      apiKey.id,
      'alice',
      'reports:read',
      'Active',
      'Expires in 90 days',
      '1 day ago',
      '1,204',
    ])
      expect(text).toContain(part)
    const best = new Date(now - dayMs).toLocaleDateString('en-GB', {
      day: 'numeric',
      month: 'long',
      timeZone: 'UTC',
    })
    await rowOf(page, 'laptop')
      .getByRole('img', { name: `30 days: 1,204 uses, most on ${best}` })
      .waitFor()
    const paths = await rowOf(page, 'laptop').locator('path').all()
    const bars = await Promise.all(paths.map((path) => path.getAttribute('d')))
    expect(bars.map((path) => path?.match(/M/g)?.length)).toEqual([28, 2])
    await rowOf(page, 'idle').getByRole('img', { name: '30 days: no uses' }).waitFor()
    const idle = (await rowOf(page, 'idle').innerText()).replace(/\s+/g, ' ')
    for (const part of ['Never expires', 'None', 'Never']) expect(idle).toContain(part)
  })

  it('is searched, filtered by status, and read on with More', async () => {
    const site = await siteWith()
    for (let count = 0; count < 60; count += 1) {
      await site.keys.create({ name: `key ${count}`, owner: count % 2 ? 'alice' : 'bob' })
    }
    const { apiKey, key } = await site.keys.create({ name: 'gone', owner: 'carol' })
    await site.keys.revoke(apiKey.id)
    const { page } = await look(site)
    await page.getByText('50 keys', { exact: true }).waitFor()
    await button(page, 'More').click()
    await page.getByText('62 keys', { exact: true }).waitFor()
    expect(await button(page, 'More').count()).toBe(0)
    await page.getByLabel('Search').fill('ALICE')
    await page.getByText('30 of 62 keys', { exact: true }).waitFor()
    await page.getByLabel('Search').fill('')
    await page.getByLabel('Status').selectOption({ label: 'Revoked' })
    await page.getByText('1 key', { exact: true }).waitFor()
    await rowOf(page, 'gone').waitFor()
    // Whoever looks for a key with all of it leaves only its id on the page.
    await page.getByLabel('Search').fill(key)
    expect(await page.getByLabel('Search').inputValue()).toBe(apiKey.id)
    expect(await everythingIn(page)).not.toContain(key.slice(-38))
  })

  it('finds a key by its id that is not loaded', async () => {
    const site = await siteWith()
    const { apiKey } = await site.keys.create({ name: 'hidden', owner: 'alice' })
    const { page } = await look(site)
    await page.getByLabel('Status').selectOption({ label: 'Revoked' })
    await page.getByText('0 keys', { exact: true }).waitFor()
    await page.getByLabel('Search').fill(apiKey.id)
    await button(page, 'Look for the key with this id').click()
    await page.getByRole('heading', { name: 'hidden', level: 2 }).waitFor()
  })

  it('is there where the server does not count uses by day', async () => {
    const site = await siteWith('server', ({ usesByDay: _, ...store }) => store)
    const { page } = await look(site)
    await rowOf(page, 'admin').getByText('Not known').waitFor()
  })
})

describe('a key that is made', () => {
  it('is shown once, can be copied, and is found nowhere afterwards', async () => {
    const site = await siteWith()
    const { page, problems } = await look(site)
    await button(page, 'Create a key').click()
    await field(page, 'Name').fill('laptop')
    await field(page, 'Owner').fill('alice')
    await field(page, 'Scopes').fill('reports:read, reports:write')
    await field(page, 'Expires').selectOption({ label: 'In 30 days' })
    await page.getByText('More', { exact: true }).click()
    await field(page, 'Tools').fill('export\nimport')
    await field(page, 'Requests a minute').fill('60')
    await field(page, 'Metadata').fill('{"project": "q4"}')
    await button(page, 'Create').click()
    await page.getByRole('dialog', { name: 'Store the key now' }).waitFor()
    const [key = ''] = site.made
    const secret = key.slice(-38)
    // Masked: not even the document has it.
    expect(await everythingIn(page)).not.toContain(secret)
    await button(page, 'Copy the key').click()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key)
    await page.getByRole('dialog').getByRole('button', { name: 'Show' }).click()
    await page.getByText(key, { exact: true }).waitFor()
    // Escape would lose it.
    for (const _twice of [1, 2]) await page.keyboard.press('Escape')
    expect(await page.getByText(key, { exact: true }).isVisible()).toBe(true)
    await button(page, 'I have stored it').click()
    await page.getByText('The key "laptop" was made.').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Create a key')
    const entry = page.locator('.log-row').filter({ hasText: 'POST /admin/keys' })
    await entry.locator('summary').first().click()
    await entry.getByText('reports:write').first().waitFor()
    const [made] = (await site.keys.list({ owner: 'alice' })).keys
    await entry.getByText(made!.id).first().waitFor()
    expect(await everythingIn(page)).not.toContain(secret)
    expect(await problems()).toEqual([])
    expect(made).toMatchObject({
      name: 'laptop',
      scopes: ['reports:read', 'reports:write'],
      tools: ['export', 'import'],
      rateLimit: 60,
      metadata: { project: 'q4' },
    })
    expect(made!.expiresAt!.getTime() - made!.createdAt.getTime()).toBe(30 * dayMs)
    await rowOf(page, 'laptop').waitFor()
    await button(page, 'Open it').click()
    await page.getByRole('heading', { name: 'laptop', level: 2 }).waitFor()
    expect(await everythingIn(page)).not.toContain(secret)
  })

  it('is not in the memory of the page when its dialog is closed', async () => {
    const site = await siteWith()
    const { page } = await look(site)
    await button(page, 'Create a key').click()
    await field(page, 'Name').fill('laptop')
    await field(page, 'Owner').fill('alice')
    await button(page, 'Create').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Show' }).click()
    await button(page, 'I have stored it').click()
    await page.getByText('The key "laptop" was made.').waitFor()
    const [key = ''] = site.made
    const heap = await heapOf(page)
    // What the page was told of it is there, and nothing of the key itself.
    expect([heap.includes('"laptop"'), heap.includes(key)]).toEqual([true, false])
  })

  it('is told what is wrong with it, at the field, by the page and by the server', async () => {
    const site = await siteWith()
    const { page } = await look(site)
    await button(page, 'Create a key').click()
    await button(page, 'Create').click()
    await page.getByRole('alert').filter({ hasText: 'Look at the fields that are marked.' }).waitFor()
    expect(await field(page, 'Name').getAttribute('aria-invalid')).toBe('true')
    expect(await page.evaluate('document.activeElement === document.querySelector("dialog input")')).toBe(
      true,
    )
    await field(page, 'Name').fill('laptop')
    await field(page, 'Owner').fill('alice')
    await page.getByText('More', { exact: true }).click()
    await field(page, 'Addresses').fill('nowhere')
    await button(page, 'Create').click()
    await page.getByRole('alert').filter({ hasText: 'Addresses' }).waitFor()
    expect(await field(page, 'Addresses').getAttribute('aria-invalid')).toBe('true')
    await field(page, 'Addresses').fill('')
    await field(page, 'Metadata').fill('[1]')
    await button(page, 'Create').click()
    await page.getByText('This must be a JSON object').waitFor()
    expect((await site.keys.list({ owner: 'alice' })).keys).toEqual([])
  })
})

describe('a key that is there', () => {
  async function withLaptop(how?: Parameters<typeof visitKeys>[3]) {
    const site = await siteWith()
    const { apiKey } = await site.keys.create({
      name: 'laptop',
      owner: 'alice',
      scopes: ['read'],
      rateLimit: 5,
    })
    const { page, problems } = await look(site, undefined, how)
    await openKey(page, 'laptop')
    return { site, page, problems, id: apiKey.id }
  }

  it('is rotated: the new key is shown once, and the lineage is there', async () => {
    const { site, page, id } = await withLaptop()
    await button(page, 'Rotate').click()
    await field(page, 'The old key works on for').selectOption({ label: 'An hour' })
    await field(page, 'That time begins').selectOption({
      label: 'When the new key is used for the first time',
    })
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
    await page.getByRole('dialog', { name: 'Store the key now' }).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Show' }).click()
    const key = await page.locator('.secret').innerText()
    await button(page, 'I have stored it').click()
    await page.getByText('was replaced by a new key').waitFor()
    expect(await everythingIn(page)).not.toContain(key.slice(-38))
    const next = (await site.keys.list({ lineageId: id })).keys.find((one) => one.id !== id)
    expect(next?.status).toBe('pending')
    expect(key).toContain(next!.id)
    await button(page, next!.id).click()
    await page.getByText('First of its row').waitFor()
  })

  it('is changed: only what was changed is sent', async () => {
    const { site, page, id } = await withLaptop()
    const sent: unknown[] = []
    page.on('request', (request) => {
      if (request.method() === 'PATCH') sent.push(request.postDataJSON())
    })
    await button(page, 'Change').click()
    await field(page, 'Name').fill('desktop')
    await field(page, 'Scopes').fill('read write')
    await page.getByText('More', { exact: true }).click()
    await field(page, 'Requests a minute').fill('')
    await button(page, 'Save').click()
    await page.getByText('The key was changed.').waitFor()
    await page.getByRole('heading', { name: 'desktop', level: 2, exact: true }).waitFor()
    expect(sent).toEqual([{ name: 'desktop', scopes: ['read', 'write'], rateLimit: null }])
    expect(await site.keys.get(id)).toMatchObject({ name: 'desktop', scopes: ['read', 'write'] })
    expect((await site.keys.get(id))?.rateLimit).toBeUndefined()
  })

  it('is disabled and enabled, with the reason in its audit trail', async () => {
    const { site, page, id } = await withLaptop()
    await button(page, 'Disable').click()
    await field(page, 'Reason').fill('on holiday')
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByText('Disabled', { exact: true }).waitFor()
    await page.getByText('reason: on holiday').waitFor()
    expect((await site.keys.get(id))?.status).toBe('disabled')
    await button(page, 'Enable').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click()
    await page.getByText('Key enabled').waitFor()
    const events = await page.locator('.audit strong').allInnerTexts()
    expect(events).toEqual(['Key enabled', 'Key disabled', 'Key made'])
  })

  it('is revoked only with a reason and its name typed again, and the focus is not lost', async () => {
    const { site, page, id } = await withLaptop()
    await button(page, 'Revoke').click()
    const revoke = button(page, 'Revoke for good')
    expect(await revoke.isDisabled()).toBe(true)
    await field(page, 'Reason').fill('lost')
    await field(page, 'Type the name of the key: laptop').fill('lap')
    expect(await revoke.isDisabled()).toBe(true)
    await field(page, 'Type the name of the key: laptop').fill('laptop')
    await revoke.click()
    await page.getByText('The key "laptop" was revoked.').waitFor()
    expect(await site.keys.get(id)).toMatchObject({ status: 'revoked', revokeReason: 'lost' })
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('key-name')
    for (const gone of ['Change', 'Rotate', 'Disable', 'Revoke'])
      expect(await button(page, gone).count()).toBe(0)
    await button(page, 'All keys').click()
    await rowOf(page, 'laptop').getByText('Revoked', { exact: true }).waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('laptop')
  })

  it('a dialog that is closed gives the focus back and changes nothing', async () => {
    const { site, page, id } = await withLaptop()
    for (const name of ['Change', 'Rotate', 'Disable', 'Revoke']) {
      await button(page, name).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      expect(await page.evaluate('document.activeElement.textContent')).toBe(name)
    }
    expect((await site.keys.get(id))?.status).toBe('active')
    expect(await site.keys.audit({ keyId: id })).toHaveLength(1)
  })

  it('a conflict is told, and what nobody changed too', async () => {
    const { site, page, id } = await withLaptop()
    // Somebody else was faster.
    await site.keys.revoke(id)
    await button(page, 'Disable').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByRole('alert').filter({ hasText: 'Nothing was changed.' }).waitFor()
    // The page shows what became of the key meanwhile.
    await page.getByText('Revoked', { exact: true }).first().waitFor()
  })

  it('a database that is down is told, and nothing is said to be done', async () => {
    const { site, page, id } = await withLaptop()
    site.breakDown(true)
    await button(page, 'Disable').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByRole('alert').filter({ hasText: 'cannot be reached. Nothing was changed' }).waitFor()
    expect((await site.keys.get(id))?.status).toBe('active')
    site.breakDown(false)
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByText('The key "laptop" was disabled.').waitFor()
  })
})

describe('who may', () => {
  it('without a token the page asks for one, and sends nothing', async () => {
    const site = await siteWith()
    const asked: string[] = []
    const { page } = await visitKeys(browser, `${site.origin}/inspector/keys`).then((seen) => {
      open.push(seen)
      seen.page.on('request', (request) => asked.push(request.url()))
      return seen
    })
    await page.getByText('Give the page a token with the scope keys:admin').waitFor()
    expect(asked.filter((url) => url.includes('/admin/'))).toEqual([])
  })

  it('FL-105 a token that is not good, or may not, is told with the challenge', async () => {
    const site = await siteWith()
    const { key } = await site.keys.create({ name: 'poor', owner: 'alice', scopes: ['read'] })
    const { page } = await look(site, key)
    const alert = page.getByRole('alert')
    await alert.filter({ hasText: 'insufficient_scope' }).waitFor()
    const text = (await alert.innerText()).replace(/\s+/g, ' ')
    for (const part of ['does not allow this', 'Status 403', 'Scopes needed keys:admin'])
      expect(text).toContain(part)
    await page.getByLabel('Bearer token or API key').fill('not-a-key-of-this-server')
    await button(page, 'Use').click()
    await alert.filter({ hasText: 'invalid_token' }).waitFor()
    expect(await alert.innerText()).toContain('401')
    // With a good one the page is there at once.
    await page.getByLabel('Bearer token or API key').fill(site.adminKey)
    await button(page, 'Use').click()
    await rowOf(page, 'admin').waitFor()
    await button(page, 'Forget').click()
    await page.getByText('Give the page a token').waitFor()
    expect(await everythingIn(page)).not.toContain(site.adminKey)
    expect(await rowOf(page, 'admin').count()).toBe(0)
  })

  it('opened by a program on this machine, the page needs no token and asks for none', async () => {
    const site = await siteWith('keys')
    const seen = await visitKeys(browser, `${site.origin}/inspector/keys#key=once`)
    open.push(seen)
    const { page } = seen
    await rowOf(page, 'admin').waitFor()
    expect(await page.getByLabel('Bearer token or API key').count()).toBe(0)
    expect(page.url()).not.toContain('once')
    expect(await page.content()).not.toContain(sessionSecret)
    expect(await seen.problems()).toEqual([])
  })
})

describe('the audit trail', () => {
  it('shows everything, newest first, with filters, and leads to the key', async () => {
    const site = await siteWith()
    const { apiKey } = await site.keys.create({ name: 'laptop', owner: 'alice' })
    await site.keys.disable(apiKey.id, { actor: { type: 'user', id: 'carol' }, reason: 'strange use' })
    const { page } = await look(site)
    await page.getByRole('tab', { name: 'Audit trail' }).click()
    await page.getByText('reason: strange use').waitFor()
    const events = () => page.locator('.audit strong').allInnerTexts()
    expect(await events()).toEqual(expect.arrayContaining(['Key disabled', 'Key made']))
    expect((await events()).indexOf('Key disabled')).toBeLessThan((await events()).indexOf('Key made'))
    await page.getByLabel('Done by').fill('carol')
    await page.getByLabel('Done by').press('Enter')
    await expect.poll(events).toEqual(['Key disabled'])
    await page.getByLabel('Event').selectOption({ label: 'Key made' })
    await expect.poll(events).toEqual([])
    await page.getByLabel('Event').selectOption({ label: 'Any' })
    await page.getByLabel('Outcome').selectOption({ label: 'Done' })
    await page.getByLabel('Time').selectOption({ label: 'The last hour' })
    await expect.poll(events).toEqual(['Key disabled'])
    await button(page, `Key ${apiKey.id}`).click()
    await page.getByRole('heading', { name: 'laptop', level: 2 }).waitFor()
  })

  it('is read on, where there is more', async () => {
    const site = await siteWith()
    const { apiKey } = await site.keys.create({ name: 'laptop', owner: 'alice' })
    const entry = {
      event: 'key.update',
      outcome: 'success',
      severity: 'info',
      actor: { type: 'system' },
      keyId: apiKey.id,
    } as const
    await site.store.appendAudit(Array.from({ length: 230 }, () => entry))
    const { page } = await look(site)
    await openKey(page, 'laptop')
    await page.getByText('200 entries').waitFor()
    const shown = page.locator('.audit strong')
    expect([await shown.count(), await shown.last().innerText()]).toEqual([200, 'Key changed'])
    await button(page, 'More').click()
    await page.getByText('231 entries').waitFor()
    expect([await shown.count(), await shown.last().innerText()]).toEqual([231, 'Key made'])
    expect(await button(page, 'More').count()).toBe(0)
  })
})

describe('everybody can use it', () => {
  const markup = '<img src=x onerror=alert(1)><b>bold</b>'

  it('FL-104 markup in names, owners and scopes is shown, and not run', async () => {
    const site = await siteWith()
    const { apiKey } = await site.keys.create({
      name: markup,
      owner: `<script>alert(2)</script>`,
      scopes: ['<i>a</i>', '__proto__', 'constructor'],
      metadata: { __proto__x: markup, constructor: markup },
    })
    await site.keys.disable(apiKey.id, {
      reason: markup,
      actor: { type: 'user', id: '__proto__', name: markup },
    })
    const { page, problems } = await look(site)
    await openKey(page, markup)
    await page.getByText(`reason: ${markup}`).waitFor()
    for (const name of ['Change', 'Rotate', 'Revoke']) {
      if ((await button(page, name).count()) === 0) continue
      await button(page, name).click()
      await page.getByRole('dialog', { name: markup }).waitFor()
      await page.keyboard.press('Escape')
    }
    expect(await page.locator('main img[src], main script, main i, main b').count()).toBe(0)
    expect(await problems()).toEqual([])
  })

  it.each([
    { scheme: 'light', width: 1400 },
    { scheme: 'dark', width: 1400 },
    { scheme: 'light', width: 320 },
    { scheme: 'dark', width: 320 },
  ] as const)(
    'axe finds nothing serious, text is readable and nothing too wide: $scheme, $width',
    async (how) => {
      const site = await siteWith()
      const long = 'a-very-long-name-without-any-blank-'.repeat(5)
      const { apiKey } = await site.keys.create({
        name: long,
        owner: long,
        scopes: ['reports:read', `x:${'y'.repeat(120)}`],
        metadata: { note: long },
        audience: 'https://mcp.example.com/mcp',
      })
      await site.store.recordUses([{ id: apiKey.id, count: 3, at: Date.now() }])
      await site.keys.revoke((await site.keys.create({ name: 'over', owner: 'x' })).apiKey.id)
      const { page } = await look(site, undefined, how)
      await rowOf(page, long).getByRole('img').waitFor()
      const check = async (what: string) => {
        expect([what, await serious(page)]).toEqual([what, []])
        expect([what, await overflow(page)]).toEqual([what, 0])
        expect([what, (await contrast(page)).faint]).toEqual([what, []])
      }
      await check('the list')
      await button(page, 'Create a key').click()
      await page.getByText('More', { exact: true }).click()
      await check('the dialog')
      await page.keyboard.press('Escape')
      await openKey(page, long)
      await page.locator('.audit strong').first().waitFor()
      await check('the key')
      await button(page, 'Revoke').click()
      await check('revoking')
      await page.keyboard.press('Escape')
      await button(page, 'All keys').click()
      await page.getByRole('tab', { name: 'Audit trail' }).click()
      await page.locator('.audit strong').first().waitFor()
      await check('the audit trail')
    },
  )
})

async function serious(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in globalThis'))) {
    const session = await page.context().newCDPSession(page)
    await session.send('Runtime.evaluate', { expression: readFileSync(axe, 'utf8') })
  }
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`)
}

/** All texts the page holds in memory, after it has let go of what it can. */
async function heapOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const chunks: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk))
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  return chunks.join('')
}
