import express from 'express'
import { AccessToken, BearerAuthProvider, MCPServer, RSAKeyPair, requireScopes } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { alice, answerOf, directory, guarded, post, revisions, rpc, serveNode, textOf } from './fixtures.ts'

const whoami = rpc('tools/call', { name: 'whoami', arguments: {} })

describe('a server that was closed', () => {
  it('listens no more, and says so; requests that come later get a 503', async () => {
    const { server } = guarded()
    const { url } = await server.listen({ port: 0 })
    expect((await fetch(post(url, whoami, alice))).status).toBe(200)
    await server.close()
    await server.close()
    await expect(server.listen({ port: 0 })).rejects.toThrow('the server was closed')
    await expect(server.stdio()).rejects.toThrow('the server was closed')
    expect((await server.fetch(post(url, whoami, alice))).status).toBe(503)
    expect((await server.fetch(post(url, whoami))).status).toBe(401)
  })

  it('is closed from the moment it is told to: no listener, no call slips in', async () => {
    const { server, calls } = guarded()
    const starting = server.listen({ port: 0 })
    const closing = server.close()
    await expect(starting).rejects.toThrow('the server was closed')
    await expect(server.listen({ port: 0 })).rejects.toThrow('the server was closed')
    expect((await server.fetch(post('http://localhost/mcp', whoami, alice))).status).toBe(503)
    await closing
    expect(calls).toEqual([])
  })

  it('runs nothing for a body that ends after it was closed', async () => {
    const { server, calls } = guarded()
    let finish = () => {}
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        finish = () => {
          controller.enqueue(new TextEncoder().encode(whoami.body))
          controller.close()
        }
      },
    })
    const headers = { ...whoami.headers, authorization: `Bearer ${alice}` }
    const request = new Request('http://localhost/mcp', { method: 'POST', headers, body, duplex: 'half' })
    const answer = server.fetch(request)
    await server.close()
    finish()
    expect((await answer).status).toBe(503)
    expect(calls).toEqual([])
  })

  it('lets a call that is nearly done finish', async () => {
    let goOn = () => {}
    let arrived = () => {}
    const inside = new Promise<void>((go) => (arrived = go))
    const server = new MCPServer({ name: 'slow', auth: directory() }, { sessions: false })
    server.tool('slow', {}, async () => {
      arrived()
      await new Promise<void>((go) => (goOn = go))
      return 'done'
    })
    const { url } = await server.listen({ port: 0 })
    const answer = fetch(post(url, rpc('tools/call', { name: 'slow' }), alice))
    await inside
    const closed = server.close()
    goOn()
    expect(textOf(await answerOf(await answer))).toBe('done')
    await closed
  })

  it.each(revisions)('aborts a call that does not end (%s)', async (revision) => {
    let signal: AbortSignal | undefined
    let arrived = () => {}
    const inside = new Promise<void>((go) => (arrived = go))
    const server = new MCPServer({ name: 'hangs', auth: directory() }, { sessions: false })
    server.tool('hangs', {}, (_args, ctx) => {
      signal = ctx.signal
      arrived()
      return new Promise(() => {})
    })
    // Nobody listens here, so there is nobody whose grace would have to pass.
    const answer = server.fetch(
      post('http://localhost/mcp', rpc('tools/call', { name: 'hangs' }, revision), alice),
    )
    answer.catch(() => {})
    await inside
    await server.close()
    expect(signal?.aborted).toBe(true)
  })

  it('two listeners of one server are independent', async () => {
    const { server } = guarded()
    const [one, two] = [
      await server.listen({ port: 0 }),
      await server.listen({ port: 0, host: 'localhost', path: '/other' }),
    ]
    await one.close()
    expect((await fetch(post(two.url, whoami, alice))).status).toBe(200)
    await server.close()
  })
})

describe('what is not what it seems', () => {
  it('an identity for stdio that is no AccessToken opens nothing', async () => {
    const { server } = guarded()
    await expect(server.stdio({ token: 'x', scopes: ['admin'] } as never)).rejects.toThrow(
      /must be an AccessToken/,
    )
  })

  it.each(['expires_at', 'client_id', 'scope', 'exp'])('a member called %s is named, not dropped', (name) => {
    expect(() => new AccessToken({ token: 'x', [name]: 1 } as never)).toThrow(
      new RegExp(`no ${name}; it is called`),
    )
  })

  it('B-106 a verifier that answers in the words of another language is a bug, not a token that never expires', async () => {
    const auth = { verifyToken: async (token: string) => ({ token, expires_at: 1 }) }
    const server = new MCPServer({ name: 'x', auth, logger: () => {} }, { sessions: false })
    expect((await server.fetch(post('http://localhost/mcp', whoami, 'any'))).status).toBe(500)
  })

  it('FL-22 an audience or issuer that is there and undefined is an unset variable', async () => {
    const { publicKey } = await RSAKeyPair.generate()
    for (const name of ['audience', 'issuer', 'requiredScopes']) {
      expect(() => new BearerAuthProvider({ publicKey, [name]: undefined } as never)).toThrow(
        `${name} is undefined`,
      )
    }
  })

  it('FL-23 an API-key header without auth, a logger and a clock that are none are refused', () => {
    expect(() => new MCPServer({ name: 'x' }, { apiKeyHeader: 'X-API-Key' })).toThrow(
      /apiKeyHeader has no effect/,
    )
    expect(() => new MCPServer({ name: 'x', logger: console as never })).toThrow(/logger must be a function/)
    expect(() => new MCPServer({ name: 'x', clock: 3 as never })).toThrow(/clock must be a function/)
  })

  it('scopes in a list are asked for one by one', () => {
    expect(() => requireScopes(['a', 'b'] as never)).toThrow(/one by one/)
  })

  it('a logger that rejects ends no process', async () => {
    const logger = (async () => {
      throw new Error('disk full')
    }) as never
    const server = new MCPServer({ name: 'x', logger })
    server.tool('fails', {}, () => {
      throw new Error('x')
    })
    const answer = await answerOf(
      await server.fetch(post('http://localhost/mcp', rpc('tools/call', { name: 'fails' }))),
    )
    expect(answer.result?.isError).toBe(true)
    await new Promise((resolve) => setImmediate(resolve))
  })

  it.each([
    ['text', express.text({ type: '*/*' })],
    ['bytes', express.raw({ type: '*/*' })],
  ])('a body that a framework left as %s is read', async (_what, parser) => {
    const { server } = guarded()
    const mount = await serveNode(express().use(parser).use('/mcp', server.nodeListener))
    try {
      expect(textOf(await answerOf(await fetch(post(`${mount.url}/mcp`, whoami, alice))))).toBe('alice')
    } finally {
      await mount.close()
    }
  })
})
