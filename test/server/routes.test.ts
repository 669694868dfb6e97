import { createServer as createHttp2, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { getAccessToken, requireScopes } from 'mcp-bearer/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openConnection } from '../http/support.ts'
import { alice, bob, guarded, serveNode } from './fixtures.ts'
import { askOnce, type Told } from './wire.ts'

type Made = ReturnType<typeof guarded>

async function listening(add: (made: Made) => unknown, ...how: Parameters<typeof guarded>) {
  const made = guarded(...how)
  onTestFinished(() => made.server.close())
  add(made)
  return { ...made, ...(await made.server.listen({ port: 0 })) }
}

const bearer = (token: string) => `Authorization: Bearer ${token}`

describe('a route of one’s own', () => {
  it('FL-21 needs a token unless its author said otherwise, whoever carries the request', async () => {
    const ran: string[] = []
    const { server, port } = await listening(({ server }) => {
      server.route('/admin', () => {
        ran.push('admin')
        return new Response('for alice')
      })
      server.route('/status', () => new Response('for everybody'), { auth: false })
    })
    const mount = await serveNode(express().use('/team', server.nodeListener))
    onTestFinished(mount.close)
    const routes = new Map(server.routes.map((route) => [route.path, route]))
    const statuses = async (path: string, headers: Record<string, string>) => {
      const request = () => new Request(`http://localhost${path}`, { headers })
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      const own = await serveNode(routes.get(path)!.nodeListener)
      const answers = await Promise.all([
        askOnce(port, { method: 'GET', target: path, headers: lines }),
        askOnce(mount.port, { method: 'GET', target: `/team${path}`, headers: lines }),
        askOnce(own.port, { method: 'GET', target: '/whatever', headers: lines }),
        server.fetch(request()),
        routes.get(path)!.fetch(request()),
      ])
      await own.close()
      return answers.map(({ status }) => status)
    }
    expect(await statuses('/admin', {})).toEqual([401, 401, 401, 401, 401])
    expect(await statuses('/admin', { authorization: 'Bearer wrong' })).toEqual([401, 401, 401, 401, 401])
    expect(ran).toEqual([])
    expect(await statuses('/admin', { authorization: `Bearer ${alice}` })).toEqual([200, 200, 200, 200, 200])
    expect(await statuses('/status', {})).toEqual([200, 200, 200, 200, 200])
  })

  it('knows who calls, in its context and everywhere below, and does not see the credential', async () => {
    const { port } = await listening(
      ({ server }) =>
        server.route(
          '/me',
          async (request, { auth }) => {
            await new Promise((resolve) => setImmediate(resolve))
            const seen = [...request.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
            return Response.json({ seen, url: request.url, who: [auth?.subject, getAccessToken()?.subject] })
          },
          { methods: ['POST'] },
        ),
      {},
      { apiKeyHeader: 'X-API-Key' },
    )
    for (const credential of [bearer(bob), `X-API-Key: ${bob}`]) {
      const ask = { method: 'POST', target: '/me?x=1', headers: [credential, 'X-Other: kept'], body: 'a' }
      const told = await askOnce(port, ask)
      expect(JSON.parse(told.body)).toMatchObject({ who: ['bob', 'bob'], url: 'http://localhost/me' })
      expect(told.body).toContain('x-other: kept')
      expect(told.body).not.toContain(bob)
    }
  })

  it('D-31 scopes it asks for become the same 403 as everywhere', async () => {
    const { port } = await listening(({ server }) =>
      server.route('/reports', () => {
        requireScopes('reports')
        return new Response('reports')
      }),
    )
    const told = await askOnce(port, { method: 'GET', target: '/reports', headers: [bearer(alice)] })
    expect([told.status, told.headers['www-authenticate']]).toEqual([
      403,
      expect.stringContaining('error="insufficient_scope"'),
    ])
  })

  it('FL-27 stays closed beside optionalAuth and anonymous methods', async () => {
    for (const options of [{ optionalAuth: true }, { anonymous: ['tools/list'] }]) {
      const { port } = await listening(
        ({ server }) => server.route('/admin', () => new Response('x')),
        options,
      )
      expect((await askOnce(port, { method: 'GET', target: '/admin', headers: [] })).status).toBe(401)
    }
  })

  it('D-01 is not open to foreign hosts and origins, even without auth', async () => {
    const { port } = await listening(({ server }) =>
      server.route('/status', () => new Response('x'), { auth: false }),
    )
    const status = async (...headers: string[]) =>
      (await askOnce(port, { method: 'GET', target: '/status', headers })).status
    expect(await status('Host: evil.example')).toBe(403)
    expect(await status('Origin: https://evil.example')).toBe(403)
    expect(await status(`Origin: http://localhost:${port}`)).toBe(200)
  })

  it('answers the methods it was given, HEAD with GET, and no others: also those no Request can be made of', async () => {
    const ran: string[] = []
    const { server, port, entries } = await listening(({ server }) =>
      server.route(
        '/status',
        ({ method }) => {
          ran.push(method)
          return new Response('body')
        },
        { auth: false },
      ),
    )
    const ask = (method: string) => askOnce(port, { method, target: '/status', headers: [] })
    expect(await ask('HEAD')).toMatchObject({ status: 200, body: '' })
    for (const method of ['POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']) {
      const told = await ask(method)
      expect([method, told.status, told.headers.allow]).toEqual([method, 405, 'GET'])
    }
    const inProcess = await server.fetch(new Request('http://localhost/status', { method: 'PUT' }))
    expect(inProcess.status).toBe(405)
    expect(ran).toEqual(['HEAD'])
    expect(entries).toEqual([])
  })

  it('FL-25 its body is bounded in size and time, and read only for who may come', async () => {
    let asked = 0
    const { port } = await listening(
      ({ server }) =>
        server.route(
          '/upload',
          async (request) => {
            asked++
            return new Response(String((await request.arrayBuffer()).byteLength))
          },
          { methods: ['POST'] },
        ),
      { limits: { maxBodyBytes: 100, bodyTimeoutMs: 50 } },
    )
    const upload = (body: string, ...headers: string[]) =>
      askOnce(port, { method: 'POST', target: '/upload', headers, body })
    expect((await upload('x'.repeat(101))).status).toBe(401)
    expect((await upload('x'.repeat(101), bearer(alice))).status).toBe(413)
    expect((await upload('x'.repeat(101), bearer(alice), 'Transfer-Encoding: chunked')).status).toBe(413)
    expect(asked).toBe(0)
    expect((await upload('x'.repeat(100), bearer(alice))).body).toBe('100')
    expect((await upload('x'.repeat(100), bearer(alice), 'Transfer-Encoding: chunked')).body).toBe('100')
    const connection = openConnection(port)
    const head = [
      'POST /upload HTTP/1.1',
      `Host: localhost:${port}`,
      bearer(alice),
      'Content-Length: 9',
      '',
      'x',
    ]
    const slow = await connection.ask(head.join('\r\n'))
    expect([slow.status, slow.header('connection')]).toEqual([408, ['close']])
    expect(asked).toBe(2)
  })

  it('FL-70 what it throws is a 500 without the text, in process as well; so is an answer that is none', async () => {
    const handlers: Record<string, () => unknown> = {
      '/throws': () => {
        throw new Error('postgres://admin:hunter2@db')
      },
      '/undefined': () => undefined,
      '/error': () => Response.error(),
      '/text': () => 'text',
      '/used': () => {
        const used = new Response('text')
        used.body?.getReader()
        return used
      },
    }
    const { server, port, entries } = await listening(({ server }) => {
      for (const [path, handler] of Object.entries(handlers))
        server.route(path, handler as never, { auth: false })
    })
    for (const path of Object.keys(handlers)) {
      const told = await askOnce(port, { method: 'GET', target: path, headers: [] })
      expect([path, told.status, told.body]).toEqual([path, 500, '{"error":"server_error"}'])
      const response = await server.fetch(new Request(`http://localhost${path}`))
      expect([path, response.status, await response.text()]).toEqual([path, 500, '{"error":"server_error"}'])
    }
    expect(new Set(entries.map(({ event }) => event))).toEqual(new Set(['request_failed']))
    expect(entries).toHaveLength(2 * Object.keys(handlers).length)
  })

  it('a body that breaks off is not sent as if it were whole', async () => {
    const { port } = await listening(({ server }) =>
      server.route('/breaks', () => {
        let pulls = 0
        return new Response(
          new ReadableStream({
            pull(controller) {
              if (pulls++ === 0) controller.enqueue(new TextEncoder().encode('half'))
              else controller.error(new Error('disk'))
            },
          }),
        )
      }),
    )
    const response = await fetch(`http://127.0.0.1:${port}/breaks`, {
      headers: { authorization: `Bearer ${alice}` },
    })
    await expect(response.text()).rejects.toThrow()
  })

  it('A-82 A-83 can be read by an allowed page, and what it varies on by itself stays', async () => {
    const origin = 'https://app.example.com'
    const { server, port } = await listening(
      ({ server }) => {
        server.route('/status', () => new Response('x', { headers: { vary: 'Accept-Language' } }), {
          auth: false,
        })
        server.route('/any', () => new Response('x', { headers: { vary: '*' } }), { auth: false })
      },
      {},
      { allowedOrigins: [origin] },
    )
    const inProcess = await server.fetch(new Request('http://localhost/status', { headers: { origin } }))
    const wire = await askOnce(port, { method: 'GET', target: '/status', headers: [`Origin: ${origin}`] })
    for (const header of [
      (name: string) => inProcess.headers.get(name),
      (name: string) => wire.headers[name],
    ]) {
      expect(header('access-control-allow-origin')).toBe(origin)
      expect(header('vary')).toBe('Accept-Language, Origin')
    }
    const any = await askOnce(port, { method: 'GET', target: '/any', headers: [`Origin: ${origin}`] })
    expect(any.headers.vary).toMatch(/\*/)
  })

  it('several cookies stay several', async () => {
    const { port } = await listening(({ server }) =>
      server.route(
        '/cookies',
        () =>
          new Response(null, {
            headers: [
              ['set-cookie', 'a=1'],
              ['set-cookie', 'b=2'],
            ],
          }),
        { auth: false },
      ),
    )
    const response = await fetch(`http://127.0.0.1:${port}/cookies`)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  it('is served over HTTP/2 as well', async () => {
    const { server } = await listening(({ server }) =>
      server.route('/me', (_request, { auth }) => new Response(auth?.subject)),
    )
    const http2 = createHttp2((req, res) => server.nodeListener(req as never, res as never))
    onTestFinished(() => void http2.close())
    const ask = await http2Client(http2)
    expect(await ask({ ':path': '/me' })).toMatchObject({ status: 401 })
    expect(await ask({ ':path': '/me', authorization: `Bearer ${alice}` })).toMatchObject({
      status: 200,
      body: 'alice',
    })
  })
})

async function http2Client(server: Http2Server) {
  const { connect } = await import('node:http2')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => void session.close())
  return (headers: Record<string, string>): Promise<Pick<Told, 'status' | 'body'>> =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers)
      let status = 0
      let body = ''
      stream.on('response', (head) => {
        status = Number(head[':status'])
      })
      stream.on('data', (chunk) => {
        body += chunk
      })
      stream.on('end', () => resolve({ status, body }))
      stream.on('error', reject)
    })
}

describe('the path of a route', () => {
  it.each([
    ['', /must begin/],
    ['no-slash', /must begin/],
    ['/a?b', /must begin/],
    ['/a/:id', /must begin/],
    ['/a/*', /must begin/],
    ['/%61', /must begin/],
    ['/a/../b', /must begin/],
    ['/a/./b', /must begin/],
    ['/a\n', /must begin/],
    ['/health', /taken/],
    ['/docs', /taken/],
    ['/docs/app.js', /taken/],
    ['/openmcp.json', /taken/],
    ['/inspector', /taken/],
    ['/.well-known/oauth-protected-resource/mcp', /taken/],
  ])('%j is refused', (path, message) => {
    expect(() => guarded().server.route(path, () => new Response())).toThrow(message)
  })

  it('FL-23 an option that is unknown or no boolean, and a handler that is none, are refused', () => {
    const route = (options: object, handler: unknown = () => new Response()) =>
      guarded().server.route('/a', handler as never, options as never)
    expect(() => route({ Auth: false })).toThrow(/unknown option "Auth"/)
    for (const auth of [undefined, null, 0, 'false'])
      expect(() => route({ auth })).toThrow(/auth must be true or false/)
    for (const methods of [[], 'GET', [1], ['GET, POST'], ['']])
      expect(() => route({ methods })).toThrow(/methods must be/)
    expect(() => route({}, 'text')).toThrow(/handler must be a function/)
  })

  it('two handlers of one path are one too many', () => {
    const { server } = guarded()
    server.route('/a', () => new Response())
    expect(() => server.route('/a', () => new Response(), { auth: false })).toThrow(/taken/)
  })

  it('FL-18 another spelling is another path', async () => {
    const { port } = await listening(({ server }) =>
      server.route('/status', () => new Response('open'), { auth: false }),
    )
    for (const target of [
      '/Status',
      '/status/',
      '//status',
      '/%73tatus',
      '/x/../status',
      '/status;x',
      '/status%00',
    ]) {
      expect([target, (await askOnce(port, { method: 'GET', target, headers: [] })).status]).toEqual([
        target,
        404,
      ])
    }
  })
})
