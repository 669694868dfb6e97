import type { Server } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { bearerAuth, getAccessToken } from 'mcp-bearer/hono'
import { describe, expect, it } from 'vitest'
import { adapterContract, type StartFramework } from './adapter-contract.ts'
import { goodToken, knowing, listening } from './support.ts'

const start =
  (overrideGlobalObjects: boolean): StartFramework =>
  (options, report) => {
    const app = new Hono()
    app.all('/mcp', bearerAuth(options), async (c) => {
      const body = await c.req.text()
      await turn()
      const seen = {
        clientId: c.get('auth').clientId,
        ambient: getAccessToken()?.clientId,
        credentials: [c.req.header('authorization'), c.req.raw.headers.get('x-api-key')],
        body,
      }
      report(seen)
      return c.json(seen)
    })
    return listening(createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects }) as Server)
  }

describe('mcp-bearer/hono', () => {
  adapterContract(start(false))
})

describe('mcp-bearer/hono, with the global objects of its Node server', () => {
  adapterContract(start(true))
})

describe('mcp-bearer/hono without a socket', () => {
  it('A-17 takes the credential out of a request whose headers are frozen, as on Workers', async () => {
    const app = new Hono()
    app.get('/mcp', bearerAuth({ verifier: knowing({ [goodToken]: { token: goodToken } }) }), (c) =>
      c.text(c.req.header('authorization') ?? 'hidden'),
    )
    const request = new Request('http://localhost/mcp', { headers: { authorization: `Bearer ${goodToken}` } })
    Object.defineProperty(request.headers, 'delete', {
      value: () => {
        throw new TypeError("Can't modify immutable headers.")
      },
    })
    expect(await (await app.request(request)).text()).toBe('hidden')
  })
})
