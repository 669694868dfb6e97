import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/core/index.ts'
import { UpstreamError, type UpstreamProblem } from '../../src/gateway/upstream.ts'
import { rpcReply } from '../../src/server/reply.ts'
import { fakeClock } from '../../src/testing/index.ts'
import {
  alice,
  bob,
  call,
  directory,
  fakeUpstream,
  json,
  late,
  modern,
  opened,
  request,
} from './front-support.ts'

const contentType = 'Content-Type: application/json'

describe('who is asked for a token', () => {
  it('lets a good token through, and not the token itself', async () => {
    const { post, upstream, written } = await opened()
    const told = await post(alice, call('echo', { a: 1 }))
    expect(told.status).toBe(200)
    expect(json(told)).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    const [passage] = upstream.passages
    expect(passage?.caller.subject).toBe('alice')
    expect(passage?.message).toEqual(call('echo', { a: 1 }))
    expect(passage?.body).toBe(JSON.stringify(call('echo', { a: 1 })))
    expect(JSON.stringify([passage?.message, passage?.body])).not.toContain(alice)
    expect([...passage!.incoming.bare().headers.keys()]).not.toContain('authorization')
    const [entry] = await written(1)
    expect(entry).toMatchObject({
      subject: 'alice',
      method: 'tools/call',
      target: 'echo',
      outcome: 'ok',
      status: 200,
    })
  })

  it('writes down no token, wherever its holder puts it', async () => {
    const { post, written } = await opened()
    await post(alice, call(`a-${alice}-z`))
    const [entry] = await written(1)
    expect(entry).toMatchObject({ target: 'a-[redacted]-z' })
    expect(JSON.stringify(entry)).not.toContain(alice)
  })

  it.each([
    ['no token', undefined, [], 401, 'unauthorized'],
    ['a bad token', 'nobody-knows-this', [], 401, 'invalid_token'],
    ['a token that is over', late, [], 401, 'invalid_token'],
    ['two credentials', alice, [`X-Api-Key: ${alice}`], 400, 'invalid_request'],
    ['two lines of one credential', alice, [`Authorization: Bearer ${bob}`], 400, 'invalid_request'],
    ['a foreign Origin', alice, ['Origin: https://evil.example'], 403, 'forbidden_origin'],
    ['the Origin null', alice, ['Origin: null'], 403, 'forbidden_origin'],
    ['a foreign Host', alice, ['Host: evil.example'], 403, 'forbidden_origin'],
  ])(
    'FL-103 refuses %s, and nothing of it reaches the server',
    async (_name, token, headers, status, code) => {
      const { post, upstream, written } = await opened({ http: { apiKeyHeader: 'X-Api-Key' } })
      const told = await post(token, call('echo'), ...headers)
      expect([told.status, json(told).error]).toEqual([status, code])
      expect(await written(1)).toMatchObject([{ method: 'POST', outcome: code, status }])
      expect([upstream.passages, upstream.asked]).toEqual([[], []])
    },
  )

  it('answers before anything of the body was sent', async () => {
    const { port } = await opened()
    const socket = connect(port, '127.0.0.1')
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\n${contentType}\r\nContent-Length: 1000\r\n\r\n`
    const first = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
    socket.write(head)
    expect(await first).toMatch(/^HTTP\/1\.1 401 /)
    socket.destroy()
  })

  it('invites a body only from those whose token is good', async () => {
    const { port, upstream } = await opened()
    const body = JSON.stringify(call('echo'))
    const ask = (token: string) => {
      const socket = connect(port, '127.0.0.1')
      const lines = ['POST /mcp HTTP/1.1', `Host: localhost:${port}`, `Authorization: Bearer ${token}`]
      socket.write(
        [...lines, contentType, `Content-Length: ${body.length}`, 'Expect: 100-continue', '', ''].join(
          '\r\n',
        ),
      )
      return new Promise<string>((resolve) => {
        let got = ''
        socket.on('data', (chunk) => {
          got += chunk
          if (got === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write(body)
          else {
            socket.destroy()
            resolve(got)
          }
        })
      })
    }
    expect(await ask('nobody-knows-this')).toMatch(/^HTTP\/1\.1 401 /)
    expect(upstream.passages).toEqual([])
    expect(await ask(alice)).toMatch(/^HTTP\/1\.1 (100 Continue|200 OK)/)
    expect(upstream.passages).toHaveLength(1)
  })

  it('says that it cannot tell when the verifier cannot, and 500 when it is broken: nobody gets in', async () => {
    const auth = directory()
    const { post, upstream } = await opened({ auth })
    auth.verifyToken = async () => {
      throw new AuthError('verifier_unavailable')
    }
    expect((await post(alice, call('echo'))).status).toBe(503)
    auth.verifyToken = async () => {
      throw new Error(`boom ${alice}`)
    }
    const told = await post(alice, call('echo'))
    expect([told.status, told.body.includes(alice)]).toEqual([500, false])
    expect(upstream.passages).toEqual([])
  })

  it('stops an address that tries bad tokens', async () => {
    const { post, upstream } = await opened({ limits: { failuresPerMinute: 3 }, clock: fakeClock() })
    for (let n = 0; n < 3; n++) expect((await post(`bad-token-${n}`, call('echo'))).status).toBe(401)
    const told = await post('bad-token-4', call('echo'))
    expect([told.status, Number(told.headers['retry-after']) > 0]).toEqual([429, true])
    expect(upstream.passages).toEqual([])
  })

  it('lets web pages in from the origins that are named, and reads nothing in a preflight', async () => {
    const origin = 'https://app.example'
    const { ask, post, verifier } = await opened({ http: { allowedOrigins: [origin] } })
    const preflight = await ask({
      method: 'OPTIONS',
      headers: [`Origin: ${origin}`, 'Access-Control-Request-Method: POST'],
    })
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, origin])
    expect(verifier.asked).toBe(0)
    const told = await post(alice, call('echo'), `Origin: ${origin}`)
    expect([told.status, told.headers['access-control-allow-origin']]).toEqual([200, origin])
  })
})

describe('what a body may be', () => {
  it.each([
    ['two members of one name', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', 400],
    ['another spelling', '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', 400],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400],
    ['no JSON', '{', 400],
    ['no UTF-8', '{"jsonrpc":"2.0","id":1,"method":"\xff"}', 400],
    ['no message', '{"method":"ping"}', 400],
    ['too much', `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${'x'.repeat(2000)}"}}`, 413],
  ])('refuses %s, and nothing of it reaches the server', async (_name, body, status) => {
    const { post, upstream, written } = await opened({ limits: { maxBodyBytes: 1000 } })
    const told = await post(alice, body)
    expect([told.status, json(told).jsonrpc]).toEqual([status, '2.0'])
    expect(await written(1)).toMatchObject([{ subject: 'alice', outcome: 'bad_request', status }])
    expect(upstream.passages).toEqual([])
  })

  it('refuses another media type, and another method', async () => {
    const { ask, upstream } = await opened()
    const body = JSON.stringify(call('echo'))
    expect((await ask({ token: alice, headers: ['Content-Type: text/plain'], body })).status).toBe(415)
    for (const method of ['PUT', 'PATCH', 'HEAD', 'OPTIONS']) {
      const told = await ask({ token: alice, method })
      expect([told.status, told.headers.allow]).toEqual([405, 'GET, POST, DELETE'])
      expect((await ask({ method })).status).toBe(401)
    }
    expect(upstream.passages).toEqual([])
  })

  it('passes a byte order mark on to nobody', async () => {
    const { post, upstream } = await opened()
    expect((await post(alice, `\xef\xbb\xbf${JSON.stringify(request('ping'))}`)).status).toBe(200)
    expect(upstream.passages[0]?.body).toBe(JSON.stringify(request('ping')))
  })

  it('passes GET and DELETE on without a message', async () => {
    const { ask, upstream, written } = await opened()
    for (const method of ['GET', 'DELETE']) expect((await ask({ token: alice, method })).status).toBe(202)
    expect(upstream.passages.map(({ method, message }) => [method, message])).toEqual([
      ['GET', undefined],
      ['DELETE', undefined],
    ])
    expect(await written(2)).toMatchObject([{ method: 'GET' }, { method: 'DELETE' }])
  })
})

describe('headers that repeat the body', () => {
  const list = modern('tools/list')
  const good = modern('tools/call', { name: 'echo', arguments: {} })
  const without = (name: string) => good.headers.filter((line) => !line.startsWith(`${name}:`))

  it('take their turn when they agree, also in Base64', async () => {
    const { post, upstream } = await opened()
    expect((await post(alice, good.message, ...good.headers)).status).toBe(200)
    expect((await post(alice, list.message, ...list.headers)).status).toBe(200)
    const wide = modern('tools/call', { name: 'näme' })
    const encoded = `Mcp-Name: =?base64?${Buffer.from('näme').toString('base64')}?=`
    const body = Buffer.from(JSON.stringify(wide.message)).toString('latin1')
    expect((await post(alice, body, ...wide.headers.slice(0, 2), encoded)).status).toBe(200)
    expect((await post(alice, call('echo'), 'Mcp-Method: tools/call', 'Mcp-Name: echo')).status).toBe(200)
    expect(upstream.passages).toHaveLength(4)
  })

  it.each([
    ['another method', good.message, [...without('Mcp-Method'), 'Mcp-Method: ping']],
    ['another name', good.message, [...without('Mcp-Name'), 'Mcp-Name: purge']],
    [
      'another revision',
      good.message,
      [...without('MCP-Protocol-Version'), 'MCP-Protocol-Version: 2025-11-25'],
    ],
    ['a name in bad Base64', good.message, [...without('Mcp-Name'), 'Mcp-Name: =?base64?!?=']],
    ['two methods', good.message, [...good.headers, 'Mcp-Method: tools/call']],
    ['no method', good.message, without('Mcp-Method')],
    ['no name', good.message, without('Mcp-Name')],
    ['no revision', good.message, without('MCP-Protocol-Version')],
    ['another method of an older revision', call('echo'), ['Mcp-Method: tools/list']],
    ['another name of an older revision', call('purge'), ['Mcp-Name: echo']],
    ['a method for an answer', { jsonrpc: '2.0', id: 1, result: {} }, ['Mcp-Method: tools/list']],
    ['another task', request('tasks/get', { taskId: 'a' }), ['Mcp-Name: b']],
    ['another resource', request('resources/read', { uri: 'a:b' }), ['Mcp-Name: a:c']],
  ])('are refused with %s', async (_name, message, headers) => {
    const { post, upstream } = await opened()
    const told = await post(alice, message, ...headers)
    expect([told.status, json(told).error]).toMatchObject([400, { code: -32020 }])
    expect(upstream.passages).toEqual([])
  })
})

describe('what the server fails to answer', () => {
  it.each<[UpstreamProblem, number]>([
    ['unreachable', 502],
    ['timeout', 504],
    ['refused', 502],
    ['broken', 502],
    ['busy', 503],
  ])('%s is answered with %i and an error of the protocol', async (problem, status) => {
    const upstream = fakeUpstream()
    const { post, written } = await opened({ upstream })
    upstream.reply = () => {
      throw new UpstreamError(problem, 'It is gone.', {
        cause: new Error(`secret ${alice}`),
        retryAfter: 6.5,
      })
    }
    const told = await post(alice, call('echo'))
    const retryAfter = problem === 'busy' ? { retryAfter: 7 } : {}
    expect(told.status).toBe(status)
    expect(json(told)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32000, message: 'It is gone.', data: { problem, ...retryAfter } },
    })
    expect(told.headers['retry-after']).toBe(problem === 'busy' ? '7' : undefined)
    expect(await written(1)).toMatchObject([{ outcome: problem, status, target: 'echo' }])
  })

  it('a bug of ours is 500, says nothing to the caller, and one line to the operator', async () => {
    const upstream = fakeUpstream()
    const { post, log, written } = await opened({ upstream })
    upstream.reply = async () => {
      throw new Error(`boom ${alice}`)
    }
    const told = await post(alice, call('echo'))
    expect([told.status, told.body]).toEqual([500, expect.not.stringContaining('boom')])
    expect(json(told)).toMatchObject({ id: 1, error: { code: -32603 } })
    expect(await written(1)).toMatchObject([{ outcome: 'server_error', status: 500 }])
    expect((await post(alice, { jsonrpc: '2.0', method: 'notifications/initialized' })).status).toBe(500)
    expect(log.map(({ event }) => event)).toEqual(['request_failed'])
    expect(JSON.stringify(log)).toContain('boom')
    expect(JSON.stringify(log)).not.toContain(alice)
  })

  it('an AuthError of the way to the server says nothing of the caller', async () => {
    const upstream = fakeUpstream()
    const { post } = await opened({ upstream })
    upstream.reply = () => {
      throw new AuthError('unauthorized')
    }
    const told = await post(alice, call('echo'))
    expect([told.status, told.headers['www-authenticate']]).toEqual([500, undefined])
  })

  it('an answer of its own that refuses stays what it is', async () => {
    const upstream = fakeUpstream()
    const { post, written } = await opened({ upstream })
    upstream.reply = () =>
      rpcReply({ jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Session not found' } }, 404)
    expect((await post(alice, call('echo'))).status).toBe(404)
    expect(await written(1)).toMatchObject([{ outcome: 'upstream_error', status: 404 }])
  })

  it('a caller who leaves is written down as one, and the server hears of it', async () => {
    const upstream = fakeUpstream()
    const { port, written } = await opened({ upstream })
    const socket = connect(port, '127.0.0.1')
    const left = new Promise<void>((resolve) => {
      upstream.reply = ({ incoming }) =>
        new Promise(() => {
          incoming.onLeave(resolve)
          socket.destroy()
        })
    })
    const body = JSON.stringify(call('echo'))
    socket.write(
      [
        'POST /mcp HTTP/1.1',
        `Host: localhost:${port}`,
        `Authorization: Bearer ${alice}`,
        contentType,
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
    await left
    expect(await written(1)).toMatchObject([
      { outcome: 'left', status: 0, method: 'tools/call', subject: 'alice' },
    ])
  })
})

describe('how often', () => {
  it('one principal too often does not starve another', async () => {
    const clock = fakeClock()
    const { post, upstream, written } = await opened({ limits: { requestsPerMinute: 3 }, clock })
    for (let n = 0; n < 3; n++) expect((await post(alice, request('ping'))).status).toBe(200)
    const told = await post(alice, request('ping'))
    expect([told.status, told.headers['retry-after'], json(told).error]).toEqual([429, '20', 'rate_limited'])
    expect((await written(4))[3]).toMatchObject({ outcome: 'rate_limited', subject: 'alice', method: 'ping' })
    expect((await post(bob, request('ping'))).status).toBe(200)
    clock.advance(20_000)
    expect((await post(alice, request('ping'))).status).toBe(200)
    expect(upstream.passages).toHaveLength(5)
  })
})

describe('100 principals at once', () => {
  it('E-62 each gets its own answers, under its own name', async () => {
    const names = Array.from({ length: 100 }, (_, n) => `person-${n}`)
    const known = Object.fromEntries(
      names.map((name) => [`${name}-token-aa`, { claims: { sub: name, iss: 'https://id.example' } }]),
    )
    const upstream = fakeUpstream()
    const { url, written } = await opened({
      upstream,
      auth: directory(known),
      limits: { failuresPerMinute: 0 },
    })
    upstream.reply = async (passage) => {
      // Answers come back in another order than they were asked for.
      for (let n = passage.caller.subject!.length % 7; n > 0; n--) await Promise.resolve()
      const { caller, principal, message } = passage
      return rpcReply({
        jsonrpc: '2.0',
        id: message!.id,
        result: { who: caller.subject, principal, args: message!.params },
      })
    }
    const asks = names.flatMap((name) => Array.from({ length: 5 }, (_, n) => ({ name, n })))
    // Over connections that everybody shares.
    const told = await Promise.all(
      asks.map(async ({ name, n }) => {
        const headers = { authorization: `Bearer ${name}-token-aa`, 'content-type': 'application/json' }
        const body = JSON.stringify(call('echo', { name, n }))
        return (await fetch(url, { method: 'POST', headers, body })).json()
      }),
    )
    for (const [at, { name, n }] of asks.entries()) {
      const principal = JSON.stringify(['sub', 'https://id.example', name])
      expect(told[at]).toEqual({
        jsonrpc: '2.0',
        id: 1,
        result: { who: name, principal, args: { name: 'echo', arguments: { name, n } } },
      })
    }
    const entries = await written(500)
    for (const name of names) expect(entries.filter(({ subject }) => subject === name)).toHaveLength(5)
  })
})
