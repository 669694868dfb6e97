import { Client } from 'mcp-bearer/client'
import { MCPServer } from 'mcp-bearer/server'
import { staticVerifier } from 'mcp-bearer/verify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { failure } from './servers.ts'

const token = 'sk-in-process-0123456789'
const servers: MCPServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

function protectedServer(): MCPServer {
  const auth = staticVerifier({ [token]: { claims: { sub: 'alice' } } }, { logger: () => {} })
  const server = new MCPServer({ name: 'in-process', auth })
  servers.push(server)
  server.tool('whoami', {}, (_args, ctx) => `I am ${ctx.auth?.subject}`)
  server.tool('secret', { scopes: ['top'] }, () => 'nothing to see')
  return server
}

describe('FL-97 a server of this process', () => {
  it('knows who calls', async () => {
    await using client = new Client(protectedServer(), { auth: token })
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: 'I am alice' }] })
  })

  it('FL-20 refuses no token, a bad one, and one without the scope, as over the network', async () => {
    const server = protectedServer()
    await using anonymous = new Client(server)
    expect(await failure(anonymous.ping())).toMatchObject({ code: 'unauthorized', status: 401 })
    await using stranger = new Client(server, { auth: 'sk-bad-0123456789' })
    expect(await failure(stranger.ping())).toMatchObject({ code: 'invalid_token', status: 401 })
    await using alice = new Client(server, { auth: token })
    const error = await failure(alice.callTool('secret'))
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, scopes: ['top'] })
  })
})

describe('what else a server of this process does', () => {
  it('FL-97 is the same as over the network: questions, progress, log lines, changes', async () => {
    const server = protectedServer()
    server.resource('notes://today', {}, () => 'Buy milk.')
    server.tool('book', {}, async (_args, ctx) => {
      await ctx.progress(1, 2)
      await ctx.log('info', 'asking')
      const { action } = await ctx.elicit({ message: 'Sure?', schema: z.object({ sure: z.boolean() }) })
      server.resourceUpdated('notes://today')
      return action
    })
    const log = vi.fn()
    const onProgress = vi.fn()
    const elicit = async () => ({ action: 'decline' as const })
    await using client = new Client(server, { auth: token, handlers: { elicit, log } })
    const listener = vi.fn()
    const subscription = await client.subscribe({ resources: ['notes://today'] }, listener)
    expect(await client.callTool('book', {}, { onProgress })).toMatchObject({
      content: [{ text: 'decline' }],
    })
    await vi.waitFor(
      () => expect(listener).toHaveBeenCalledWith({ kind: 'resource', uri: 'notes://today' }),
      { timeout: 8000 },
    )
    expect(log).toHaveBeenCalledWith(expect.objectContaining({ level: 'info', data: 'asking' }))
    expect(onProgress).toHaveBeenCalledWith(expect.objectContaining({ progress: 1, total: 2 }))
    expect(client.serverInfo).toMatchObject({ name: 'in-process' })
    await subscription.close()
  })

  it('E-55 a call that is given up ends there, too', async () => {
    const server = protectedServer()
    let begun: () => void = () => {}
    const begin = new Promise<void>((resolve) => {
      begun = resolve
    })
    let end: () => void = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    server.tool('slow', {}, async (_args, ctx) => {
      ctx.signal.addEventListener('abort', end)
      begun()
      await ended
      return 'late'
    })
    await using client = new Client(server, { auth: token })
    const abort = new AbortController()
    const call = failure(client.callTool('slow', {}, { signal: abort.signal }))
    await begin
    abort.abort(new Error('enough'))
    expect(await call).toMatchObject({ message: 'enough' })
    await ended
  })
})
