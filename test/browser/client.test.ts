import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { MCPServer } from 'mcp-bearer/server'
import type { Browser, Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listening } from '../http/support.ts'
import { alice, directory } from '../server/fixtures.ts'
import { openBrowser } from './chromium.ts'

/** The client of this package, bundled, in a page of another origin than the server's. */

let browser: Browser
let script: string
const open: { close(): unknown }[] = []

beforeAll(async () => {
  browser = await openBrowser()
  script = await bundled(['AuthError', 'BearerAuth', 'Client', 'authorizedFetch', 'dpopKey', 'functionToken'])
})

afterAll(async () => {
  await Promise.all(open.map((one) => one.close()))
  await browser?.close()
})

/** One script; nothing of Node may be left in it. */
async function bundled(names: readonly string[]): Promise<string> {
  const client = fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))
  const built = await rolldown({
    input: 'entry',
    platform: 'browser',
    external: /^node:/,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? id : undefined),
        load: (id) =>
          id === 'entry' ? `export { ${names.join(', ')} } from ${JSON.stringify(client)}` : undefined,
      },
    ],
  })
  const { output } = await built.generate({ format: 'iife', name: 'mcp', codeSplitting: false })
  await built.close()
  const [{ code, imports, dynamicImports }] = output
  expect([...imports, ...dynamicImports].filter((name) => name.startsWith('node:'))).toEqual([])
  return code
}

async function world(): Promise<{ readonly page: Page; readonly url: string }> {
  const site = await listening(
    createServer(
      (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<title>app</title>'),
    ),
  )
  const origin = `http://127.0.0.1:${site.port}`
  const server = new MCPServer(
    { name: 'for pages', auth: directory(), logger() {} },
    { allowedOrigins: [origin] },
  )
  server.tool('whoami', {}, (_args, ctx) => ctx.auth?.subject)
  const { url } = await server.listen({ port: 0 })
  const context = await browser.newContext()
  open.push(site, server, context)
  const page = await context.newPage()
  await page.goto(origin)
  await page.addScriptTag({ content: script })
  return { page, url }
}

const run = <T>(page: Page, body: string, ...args: unknown[]): Promise<T> =>
  page.evaluate(`(async (...args) => { ${body} })(...${JSON.stringify(args)})`) as Promise<T>

describe('a web page', () => {
  it('calls a protected server with its token, and lists what there is', async () => {
    const { page, url } = await world()
    const seen = await run(
      page,
      `const [url, token] = args
       const client = new mcp.Client(url, { auth: mcp.functionToken(async () => token) })
       const tools = await client.listTools()
       const { content } = await client.callTool('whoami')
       await client.ping()
       await client.close()
       return [tools.map(({ name }) => name), content[0].text, client.protocolVersion]`,
      url,
      alice,
    )
    expect(seen).toEqual([['whoami'], 'alice', '2026-07-28'])
  })

  it('FL-87 gets one AuthError for a refused token, without the token', async () => {
    const { page, url } = await world()
    const seen = await run<Record<string, unknown>>(
      page,
      `const client = new mcp.Client(args[0], { auth: 'not-a-good-token' })
       try { await client.listTools() } catch (error) {
         const { code, status, challenge, message } = error
         return { isAuthError: error instanceof mcp.AuthError, code, status, error: challenge?.error, message }
       }`,
      url,
    )
    expect(seen).toMatchObject({
      isAuthError: true,
      code: 'invalid_token',
      status: 401,
      error: 'invalid_token',
    })
    expect(JSON.stringify(seen)).not.toContain('not-a-good-token')
  })

  it('F-40 makes proofs with a key that cannot be taken out of it', async () => {
    const { page } = await world()
    const [proof, other] = await run<string[]>(
      page,
      `const key = mcp.dpopKey()
       const request = { method: 'POST', url: new URL('https://mcp.example.com/mcp?q=1'), token: 'a-token' }
       return [await key.proof(request), await key.proof(request)]`,
    )
    const claims = JSON.parse(Buffer.from(proof?.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject({ htm: 'POST', htu: 'https://mcp.example.com/mcp', ath: expect.any(String) })
    expect(other).not.toBe(proof)
  })
})
