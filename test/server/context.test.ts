import { getAccessToken, type HandlerContext, MCPServer, requireAuth, requireScopes } from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  alice,
  answerOf,
  bob,
  directory,
  memoryLog,
  post,
  type Revision,
  revisions,
  rpc,
  textOf,
} from './fixtures.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function serve(add: (server: MCPServer) => void) {
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'context', auth: directory(), logger: log.logger },
    { sessions: false },
  )
  add(server)
  open.push(server)
  const { url } = await server.listen({ port: 0 })
  const call = (name: string, token: string, revision: Revision, args = {}, meta = {}) =>
    fetch(post(url, rpc('tools/call', { name, arguments: args, _meta: meta }, revision), token))
  return { url, call, ...log }
}

describe.each(revisions)('identity in %s', (revision) => {
  it('FL-16 D-20 is each request’s own across awaits, timers and 200 parallel requests', async () => {
    const arrived: (() => void)[] = []
    const { call } = await serve((server) => {
      server.tool('slow', {}, async (_args, ctx) => {
        const before = getAccessToken()?.subject
        // Every request waits until all are inside, so that they truly overlap.
        await new Promise<void>((resolve) => {
          arrived.push(resolve)
          if (arrived.length === 200) for (const go of arrived) go()
        })
        await new Promise((resolve) => setImmediate(resolve))
        const inTimer = await new Promise<string | undefined>((resolve) =>
          setTimeout(() => resolve(getAccessToken()?.subject), 0),
        )
        return { before, inTimer, after: getAccessToken()?.subject, context: ctx.auth?.subject }
      })
    })
    const tokens = Array.from({ length: 200 }, (_, n) => (n % 2 ? alice : bob))
    const answers = await Promise.all(
      tokens.map(async (token) => answerOf(await call('slow', token, revision))),
    )
    for (const [n, answer] of answers.entries()) {
      const name = n % 2 ? 'alice' : 'bob'
      expect(answer.result?.structuredContent).toEqual({
        before: name,
        inTimer: name,
        after: name,
        context: name,
      })
    }
  })

  it('FL-16 stays with work that goes on in the background, and is absent outside', async () => {
    let finished: Promise<string | undefined> = Promise.resolve(undefined)
    const { call } = await serve((server) => {
      server.tool('start', {}, () => {
        finished = new Promise((resolve) => setImmediate(() => resolve(getAccessToken()?.subject)))
        return 'started'
      })
    })
    await answerOf(await call('start', bob, revision))
    expect(await finished).toBe('bob')
    expect(getAccessToken()).toBeUndefined()
    expect(() => requireAuth()).toThrow(expect.objectContaining({ code: 'unauthorized' }))
  })

  it('A-17 nothing a handler prints of its context shows the token', async () => {
    const { call } = await serve((server) => {
      server.tool('print', {}, async (_args, ctx) => {
        const { inspect } = await import('node:util')
        return [
          JSON.stringify(ctx),
          inspect(ctx, { depth: 9, showHidden: true }),
          JSON.stringify(ctx.auth),
          String(ctx.auth),
        ].join('\n')
      })
    })
    const text = textOf(await answerOf(await call('print', alice, revision)))
    expect(text).toContain('alice')
    expect(text).not.toContain(alice)
  })

  it('D-31 requireScopes before anything is written is an HTTP 403 that names the scopes', async () => {
    const { call } = await serve((server) => {
      server.tool('careful', {}, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        requireScopes('admin', 'read')
        return 'done'
      })
    })
    const refused = await call('careful', bob, revision)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin read"')
    expect(textOf(await answerOf(await call('careful', alice, revision)))).toBe('done')
  })

  it('D-31 requireScopes after progress was sent is an error in the stream', async () => {
    let goOn = () => {}
    const { call } = await serve((server) => {
      server.tool('late', {}, async (_args, ctx) => {
        const seen = new Promise<void>((resolve) => {
          goOn = resolve
        })
        await ctx.progress(1, 2)
        await seen
        requireScopes('admin')
        return 'done'
      })
    })
    const response = await call('late', bob, revision, {}, { progressToken: 'p' })
    expect(response.status).toBe(200)
    goOn()
    const answer = await answerOf(response)
    expect(answer.error?.message).toContain('admin')
  })

  it('an error of a client inside a handler says nothing about our caller', async () => {
    const { call, entries } = await serve((server) => {
      server.tool('upstream', {}, async () => {
        const { AuthError } = await import('mcp-bearer')
        throw new AuthError('invalid_token', 'the other server refused', { status: 401 })
      })
    })
    const response = await call('upstream', alice, revision)
    expect(response.status).toBe(200)
    expect((await answerOf(response)).result?.isError).toBe(true)
    expect(entries.map((entry) => entry.event)).toContain('handler_failed')
  })

  it('progress arrives before the result, and only for who asked', async () => {
    const { call } = await serve((server) => {
      server.tool(
        'count',
        { inputSchema: z.object({ to: z.number() }) },
        async ({ to }, ctx: HandlerContext) => {
          for (let n = 1; n <= to; n++) await ctx.progress(n, to, `${n}`)
          return 'counted'
        },
      )
    })
    const asked = await (await call('count', bob, revision, { to: 3 }, { progressToken: 'p1' })).text()
    expect(asked.match(/notifications\/progress/g)).toHaveLength(3)
    expect(asked).toContain('"progressToken":"p1"')
    const unasked = await (await call('count', bob, revision, { to: 3 })).text()
    expect(unasked).not.toContain('notifications/progress')
    expect(unasked).toContain('counted')
  })
})

describe('a token that ends while a handler works', () => {
  it('FL-16 is gone from the ambient context then', async () => {
    let now = 1_000_000
    const server = new MCPServer({
      name: 'expiring',
      clock: () => now,
      auth: { verifyToken: async (token) => ({ token, claims: { sub: 'x' }, expiresAt: 1_001 }) },
    })
    const seen: boolean[] = []
    server.tool('work', {}, () => {
      seen.push(getAccessToken() !== undefined)
      now += 2_000
      seen.push(getAccessToken() !== undefined)
    })
    await server.fetch(post('http://localhost/mcp', rpc('tools/call', { name: 'work' }), 'a-token'))
    expect(seen).toEqual([true, false])
  })
})
