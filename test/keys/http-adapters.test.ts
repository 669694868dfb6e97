import { createServer, type Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { createMcpHandler, McpServer, requireBearerAuth } from '@modelcontextprotocol/server'
import express from 'express'
import { Hono } from 'hono'
import { type BearerGateOptions, bearerGate } from 'mcp-bearer'
import { bearerAuth as onExpress } from 'mcp-bearer/express'
import { bearerAuth as onHono } from 'mcp-bearer/hono'
import { bearerAuth as onNode } from 'mcp-bearer/node'
import { bearerAuth as onSdk, sdkVerifier } from 'mcp-bearer/sdk'
import { MCPServer } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askRaw, listening, type RawAnswer, request } from '../http/support.ts'
import { rpc } from '../server/fixtures.ts'
import { keyHouse, undated } from './http-support.ts'

/** The same keys through everything that stands in front of a handler. */

type Started = { readonly port: number; close(): Promise<void> }

const whoami = () => {
  const server = new McpServer({ name: 'test', version: '1.0.0' })
  server.registerTool('whoami', {}, (ctx) => ({
    content: [{ type: 'text', text: String(ctx.http?.authInfo?.clientId) }],
  }))
  return server
}
const onFetch = (fetch: (request: Request) => Response | Promise<Response>): Promise<Started> =>
  listening(createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server)

/** What an adapter is told, in its own words. */
interface Adapter {
  readonly name: string
  start(options: BearerGateOptions): Promise<Started>
  /** Whether it knows the other end of the connection. */
  readonly knowsSocket: boolean
  /** What a token that is bound to tools gets. */
  readonly bound: number
  /** Whether the answers are those of this package. */
  readonly isOwn: boolean
}

const adapters: readonly Adapter[] = [
  {
    name: 'node:http',
    knowsSocket: true,
    bound: 403,
    isOwn: true,
    start: (options) => listening(createServer(onNode(options, (req, res) => res.end(req.auth.clientId)))),
  },
  {
    name: 'Express',
    knowsSocket: true,
    bound: 403,
    isOwn: true,
    start(options) {
      const app = express()
      app.use('/mcp', onExpress(options), (req, res) => void res.end(req.auth?.clientId))
      return listening(createServer(app))
    },
  },
  {
    name: 'Hono on Node',
    knowsSocket: true,
    bound: 403,
    isOwn: true,
    start(options) {
      const app = new Hono()
      app.all('/mcp', onHono(options), (c) => c.text(c.get('auth').clientId))
      return listening(createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server)
    },
  },
  {
    name: 'the SDK behind our gate',
    knowsSocket: false,
    bound: 403,
    isOwn: true,
    start(options) {
      const { fetch } = onSdk(options, createMcpHandler(whoami))
      return onFetch(fetch)
    },
  },
  {
    name: 'bearerGate alone',
    knowsSocket: false,
    bound: 403,
    isOwn: true,
    start(options) {
      const gate = bearerGate(options)
      return onFetch(async (request) => {
        const caller = await gate(request)
        return caller instanceof Response ? caller : new Response(caller.clientId)
      })
    },
  },
  {
    // It knows a status for two codes only (D3).
    name: 'the gate of the SDK itself',
    knowsSocket: false,
    bound: 400,
    isOwn: false,
    start({ verifier, clock }) {
      const gate = requireBearerAuth({
        verifier: sdkVerifier(verifier, { logger: () => {}, ...(clock && { clock }) }),
      })
      return onFetch(async (request) => {
        const caller = await gate(request)
        return caller instanceof Response ? caller : new Response(caller.clientId)
      })
    },
  },
  {
    name: 'MCPServer that listens',
    knowsSocket: true,
    bound: 200,
    isOwn: true,
    async start({ verifier, clock }) {
      const server = new MCPServer({
        name: 'keys',
        auth: verifier,
        logger: () => {},
        ...(clock && { clock }),
      })
      server.tool('whoami', {}, (_args, ctx) => ctx.auth?.clientId ?? 'nobody')
      return server.listen({ port: 0 })
    },
  },
  {
    name: 'MCPServer in a host of fetch',
    knowsSocket: false,
    bound: 200,
    isOwn: true,
    async start({ verifier, clock }) {
      const server = new MCPServer({
        name: 'keys',
        auth: verifier,
        logger: () => {},
        ...(clock && { clock }),
      })
      server.tool('whoami', {}, (_args, ctx) => ctx.auth?.clientId ?? 'nobody')
      const started = await onFetch(server.fetch)
      return {
        port: started.port,
        close: () => Promise.all([started.close(), server.close()]).then(() => {}),
      }
    },
  },
]

describe.each(adapters)('$name', ({ start, knowsSocket, bound, isOwn }) => {
  async function served() {
    const house = keyHouse()
    const { port, close } = await start({ verifier: house.verifier, clock: house.clock, logger: () => {} })
    onTestFinished(close)
    const { headers, body } = rpc('tools/call', { name: 'whoami', arguments: {} }, '2026-07-28')
    const lines = Object.entries(headers)
      .filter(([name]) => name !== 'content-type')
      .map((header) => header.join(': '))
    const ask = (...credential: string[]): Promise<RawAnswer> =>
      askRaw(
        port,
        request('POST /mcp HTTP/1.1', [...lines, ...credential], body).replace(
          'Host: localhost',
          `Host: localhost:${port}`,
        ),
      )
    return { ...house, ask, bearing: (key: string) => ask(`Authorization: Bearer ${key}`) }
  }

  it('K01 K14 FL-46 B-103 a key that never expires lets in, and goes on doing so', async () => {
    const { made, bearing, time } = await served()
    const { key, id } = await made()
    for (let year = 0; year < 3; year++) {
      const answer = await bearing(key)
      expect(answer.status).toBe(200)
      expect(answer.body).toContain(id)
      time.now += 365 * 86_400_000
    }
  })

  it('K05 one that is revoked, expired or unknown gets the same bytes, on the very next request', async () => {
    const { made, keys, bearing, time } = await served()
    const [revoked, expired] = await Promise.all([made(), made({ expiresInSeconds: 60 })])
    for (const { key } of [revoked!, expired!]) expect((await bearing(key)).status).toBe(200)
    await keys.revoke(revoked!.id)
    time.now += 60_000
    const [one, two] = [await bearing(revoked!.key), await bearing(expired!.key)]
    expect([one.status, two.status]).toEqual([401, 401])
    expect(undated(two)).toBe(undated(one))
    expect(undated(await bearing('sk-unknown'))).toBe(undated(one))
  })

  it('K09 an empty key is none', async () => {
    const { ask } = await served()
    const [none, empty] = [await ask(), await ask('Authorization: Bearer ')]
    expect([none.status, empty.status]).toEqual([401, 401])
    if (!isOwn) return
    expect(undated(empty)).toBe(undated(none))
    expect(none.header('www-authenticate')[0]).not.toContain('error')
  })

  it('K10 one of a megabyte is refused', async () => {
    const { bearing } = await served()
    expect([401, 431]).toContain((await bearing('k'.repeat(1_000_000))).status)
  })

  it('A-41 one that is bound to tools opens nothing where nobody looks at them', async () => {
    const { made, bearing } = await served()
    const { key } = await made({ tools: ['whoami'] })
    const answer = await bearing(key)
    expect(answer.status).toBe(bound)
    if (bound !== 200) expect(JSON.parse(answer.body).error).toBe('access_denied')
    // Where tools are looked at, another one is refused.
    const { key: other } = await made({ tools: ['another'] })
    expect((await bearing(other)).status).toBe(bound === 200 ? 403 : bound)
  })

  it('B-103 one that is bound to addresses is good where its address is known, and nowhere else', async () => {
    const { made, bearing } = await served()
    const { key } = await made({ addresses: ['127.0.0.0/8'] })
    const { key: elsewhere } = await made({ addresses: ['192.0.2.0/24'] })
    expect((await bearing(key)).status).toBe(knowsSocket ? 200 : 401)
    expect((await bearing(elsewhere)).status).toBe(401)
  })
})
