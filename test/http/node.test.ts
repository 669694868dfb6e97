import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { bearerAuth, getAccessToken, requireAuth, requireScopes } from 'mcp-bearer/node'
import { describe, expect, it } from 'vitest'
import { adapterContract } from './adapter-contract.ts'
import { askRaw, goodToken, knowing, listening, openConnection, post, request } from './support.ts'

describe('mcp-bearer/node', () => {
  adapterContract((options, report) =>
    listening(
      createServer(
        bearerAuth(options, async (req, res) => {
          const body = await text(req)
          await turn()
          const seen = {
            clientId: req.auth.clientId,
            ambient: getAccessToken()?.clientId,
            credentials: [req.headers.authorization, req.headersDistinct['x-api-key']?.[0]],
            body,
          }
          report(seen)
          res.setHeader('content-type', 'application/json').end(JSON.stringify(seen))
        }),
      ),
    ),
  )

  const alice = { token: goodToken, clientId: 'alice', scopes: ['mcp:admin'] }

  it('A-17 shows no credential in the raw headers either, nor in what is written of req.auth', async () => {
    let written = ''
    const server = await listening(
      createServer(
        bearerAuth({ verifier: knowing({ [goodToken]: alice }) }, (req, res) => {
          written = JSON.stringify([
            req.rawHeaders,
            req.headers,
            req.headersDistinct,
            req.auth,
            { ...req.auth },
          ])
          res.end(req.auth.token === goodToken ? 'same' : 'other')
        }),
      ),
    )
    const answer = await askRaw(server.port, post(`Authorization: Bearer ${goodToken}`))
    await server.close()
    expect(answer.body).toContain('same')
    for (const part of goodToken.split('.')) expect(written).not.toContain(part)
  })

  it('A-64 counts the hierarchy of the gate in requireScopes', async () => {
    const verifier = knowing({ [goodToken]: alice })
    const scopeHierarchy = { 'mcp:admin': ['mcp:read'] }
    const server = await listening(
      createServer(
        bearerAuth({ verifier, scopeHierarchy }, (_req, res) => {
          res.end(`${requireScopes('mcp:read') === requireAuth()}`)
        }),
      ),
    )
    const answer = await askRaw(server.port, post(`Authorization: Bearer ${goodToken}`))
    await server.close()
    expect(answer.body).toContain('true')
  })

  it('closes the connection behind a refusal when much of the body is unread, and keeps it open otherwise', async () => {
    const server = await listening(
      createServer(bearerAuth({ verifier: knowing({}) }, (_req, res) => res.end())),
    )
    const unread = await askRaw(server.port, request('POST /mcp HTTP/1.1', ['Content-Length: 1000000']))
    const chunked = await askRaw(server.port, request('POST /mcp HTTP/1.1', ['Transfer-Encoding: chunked']))
    const head = await askRaw(server.port, request('HEAD /mcp HTTP/1.1', ['Content-Length: 1000000']))
    const connection = openConnection(server.port)
    const small = await connection.ask(post())
    const empty = await connection.ask(request('GET /mcp HTTP/1.1', []))
    connection.close()
    await server.close()
    expect([unread, chunked, head, small, empty].map((answer) => answer.header('connection')[0])).toEqual([
      'close',
      'close',
      'close',
      'keep-alive',
      'keep-alive',
    ])
  })

  it('FL-25 lets a caller who is still sending a large body read the refusal', async () => {
    const server = await listening(
      createServer(bearerAuth({ verifier: knowing({}) }, (_req, res) => res.end())),
    )
    const response = await fetch(`http://127.0.0.1:${server.port}/mcp`, {
      method: 'POST',
      body: 'x'.repeat(600_000),
    })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: 'unauthorized' })
    await server.close()
  })

  it('survives a caller who leaves while the token is being verified, and tells the verifier', async () => {
    let left = () => {}
    let asked = () => {}
    const hasLeft = new Promise<void>((resolve) => {
      left = resolve
    })
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    let reached = false
    const server = await listening(
      createServer(
        bearerAuth(
          {
            verifier: {
              verifyToken: (_token, context) =>
                new Promise(() => {
                  context?.signal?.addEventListener('abort', left)
                  asked()
                }),
            },
          },
          (_req, res) => {
            reached = true
            res.end()
          },
        ),
      ),
    )
    const connection = openConnection(server.port)
    const answer = connection.ask(post(`Authorization: Bearer ${goodToken}`))
    await wasAsked
    connection.close()
    await expect(answer).rejects.toThrow('connection closed')
    await hasLeft
    await server.close()
    expect(reached).toBe(false)
  })
})
