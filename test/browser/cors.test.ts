import { createServer } from 'node:http'
import { MCPServer } from 'mcp-bearer/server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listening } from '../http/support.ts'
import { alice, directory } from '../server/fixtures.ts'
import { openBrowser } from './chromium.ts'

/** A client that is a web page of another origin: what it can do is what the browser lets it (FL-69). */

let browser: Browser
const open: { close(): unknown }[] = []

/** An empty page of an origin of its own. */
async function pageOf(): Promise<{ page: Page; origin: string }> {
  const site = await listening(
    createServer(
      (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<title>app</title>'),
    ),
  )
  const context = await browser.newContext()
  open.push(site, context)
  const page = await context.newPage()
  const origin = `http://127.0.0.1:${site.port}`
  await page.goto(origin)
  return { page, origin }
}

async function serverFor(allowedOrigins: readonly string[]) {
  const server = new MCPServer({ name: 'for pages', auth: directory(), logger() {} }, { allowedOrigins })
  open.push(server)
  server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)
  server.tool('grow', {}, () => {
    server.tool('grown', {}, () => 'x')
    return 'grown'
  })
  const { url } = await server.listen({ port: 0 })
  return url
}

/** Runs in the page: a client of 2025-11-25 with nothing but `fetch`, and what it sees at each step. */
const client = `async ([url, token]) => {
  const seen = []
  const base = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  }
  const send = (body, headers) =>
    fetch(url, { method: 'POST', headers: { ...base, ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...body }) })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } }
  const refused = await send({ id: 1, method: 'initialize', params })
  seen.push(['refused', refused.status, refused.headers.get('www-authenticate'), (await refused.json()).error])
  const authorization = 'Bearer ' + token
  const opened = await send({ id: 1, method: 'initialize', params }, { authorization })
  const session = { authorization, 'mcp-session-id': opened.headers.get('mcp-session-id') }
  seen.push(['opened', opened.status, session['mcp-session-id']?.length])
  await opened.text()
  const ready = await send({ method: 'notifications/initialized' }, session)
  seen.push(['ready', ready.status])
  const stream = await fetch(url, { headers: { ...base, ...session, accept: 'text/event-stream' } })
  seen.push(['stream', stream.status, stream.headers.get('content-type')])
  const called = await send({ id: 2, method: 'tools/call', params: { name: 'whoami', arguments: {} } }, {
    ...session, 'mcp-param-region': 'eu',
  })
  seen.push(['called', called.status, (await called.json()).result.content[0].text])
  await (await send({ id: 3, method: 'tools/call', params: { name: 'grow', arguments: {} } }, session)).text()
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes('list_changed')) text += (await reader.read()).value
  seen.push(['event', /"method":"([^"]+)"/.exec(text)?.[1]])
  const ended = await fetch(url, { method: 'DELETE', headers: { ...base, ...session } })
  seen.push(['ended', ended.status])
  while (!(await reader.read()).done);
  const gone = await send({ id: 4, method: 'ping' }, session)
  seen.push(['gone', gone.status])
  return seen
}`

beforeAll(async () => {
  browser = await openBrowser()
})

afterAll(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  await browser?.close()
})

describe('a web page of another origin', () => {
  it('FL-69 that is allowed reads a challenge, opens a session, hears of a change, and ends the session', async () => {
    const { page, origin } = await pageOf()
    const url = await serverFor([origin])
    const seen = await page.evaluate<unknown[]>(`(${client})(${JSON.stringify([url, alice])})`)
    expect(seen).toEqual([
      ['refused', 401, 'Bearer realm="mcp"', 'unauthorized'],
      ['opened', 200, 32],
      ['ready', 202],
      ['stream', 200, 'text/event-stream'],
      ['called', 200, 'alice'],
      ['event', 'notifications/tools/list_changed'],
      ['ended', 204],
      ['gone', 404],
    ])
  })

  it('A-84 that is not allowed reads nothing, and its requests do nothing', async () => {
    const { page } = await pageOf()
    const url = await serverFor(['https://app.example.com'])
    const failed = await page.evaluate(`(async () => {
      const outcomes = []
      for (const init of [
        {},
        { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
        { method: 'POST', headers: { 'content-type': 'text/plain', }, body: '{}' },
        { method: 'DELETE' },
        { headers: { authorization: 'Bearer ${alice}' } },
      ]) outcomes.push(await fetch(${JSON.stringify(url)}, init).then(({ status }) => status, (error) => error.name))
      outcomes.push((await fetch(${JSON.stringify(url)}, { mode: 'no-cors' })).type)
      return outcomes
    })()`)
    expect(failed).toEqual(['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'opaque'])
  })
})
