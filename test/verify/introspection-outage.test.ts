import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { bearerToken, type ClientAuthentication, clientSecretPost } from 'mcp-bearer/verify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Answer,
  client,
  fails,
  faultOf,
  good,
  hangs,
  introspecting,
  introspectionServer,
  says,
  secret,
} from './introspection-server.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const destroys: Answer = (_question, response) => void response.destroy()
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

describe('no answer that counts', () => {
  it.each<[string, Answer, string]>([
    ['I15 400', fails(400), 'introspection_refused'],
    ['I15 401', fails(401), 'introspection_refused'],
    ['I15 403', fails(403), 'introspection_refused'],
    [
      'I15 200 that says who asks is not known',
      says({ error: 'invalid_client' }),
      'introspection_unavailable',
    ],
    ['I16 404', fails(404), 'introspection_unavailable'],
    ['I16 429', fails(429), 'introspection_unavailable'],
    ['I16 500', fails(500), 'introspection_unavailable'],
    ['I16 502', fails(502), 'introspection_unavailable'],
    ['I16 another good status', fails(204), 'introspection_unavailable'],
    ['I16 a connection that ends', destroys, 'introspection_unavailable'],
    ['I17 HTML', says('<!doctype html>', { 'content-type': 'text/html' }), 'introspection_unavailable'],
    [
      'I17 JSON that calls itself HTML',
      says(good, { 'content-type': 'text/html' }),
      'introspection_unavailable',
    ],
    [
      'I17 what only begins like JSON',
      says(good, { 'content-type': 'application/json-seq' }),
      'introspection_unavailable',
    ],
    ['I17 HTML that calls itself JSON', says('<!doctype html>'), 'introspection_unavailable'],
    ['I17 nothing', says(''), 'introspection_unavailable'],
    ['I17 a list', says([good]), 'introspection_unavailable'],
    ['I17 null', says('null'), 'introspection_unavailable'],
    ['I17 true', says('true'), 'introspection_unavailable'],
    ['I17 more after the end', says(`${JSON.stringify(good)}{}`), 'introspection_unavailable'],
    ['I17 active twice', says('{"active":false,"sub":"u","active":true}'), 'introspection_unavailable'],
    [
      'I17 active twice, once in disguise',
      says('{"active":true,"\\u0061ctive":false}'),
      'introspection_unavailable',
    ],
    ['I17 nested 33 deep', says(nested(33)), 'introspection_unavailable'],
    ['I17 nested 200 deep', says({ ...good, a: JSON.parse(nested(200)) }), 'introspection_unavailable'],
    ['I17 64 KiB of brackets', says(`{"a":${'['.repeat(65_000)}`), 'introspection_unavailable'],
    [
      'I17 names in another encoding',
      says(Buffer.from('{"active":true,"sub":"Zo\xeb"}', 'latin1')),
      'introspection_unavailable',
    ],
    [
      'I17 compressed',
      says(gzipSync(JSON.stringify(good)), { 'content-encoding': 'gzip' }),
      'introspection_unavailable',
    ],
    ['I19 100 KiB', says({ ...good, pad: 'x'.repeat(100 * 1024) }), 'introspection_unavailable'],
    [
      'B-96 a JWT',
      says('a.b.c', { 'content-type': 'application/token-introspection+jwt' }),
      'introspection_unavailable',
    ],
    [
      'B-96 JSON that calls itself a JWT',
      says(good, { 'content-type': 'application/token-introspection+jwt' }),
      'introspection_unavailable',
    ],
  ])('B-94 D6 %s: 503, one line of log, and no verdict is remembered', async (_name, answer, event) => {
    const server = await introspectionServer(answer)
    const { verify, logged, refusals } = introspecting(server.url)
    expect(await verify('tok-1')).toBe(503)
    expect(await verify('tok-1')).toBe(503)
    expect(logged).toEqual([expect.objectContaining({ level: 'error', event })])
    expect(logged[0]?.details?.url).toBe(server.url)
    server.answer = says(good)
    expect(await verify('tok-1')).toBe(200)
    expect(refusals).toEqual([])
  })

  it.each([
    'application/json;charset=UTF-8',
    'application/problem+json',
    'text/plain',
    'Application/JSON ; a=b',
  ])('B-94 %s is JSON', async (type) => {
    const server = await introspectionServer(says(good, { 'content-type': type }))
    expect(await introspecting(server.url).verify('tok-1')).toBe(200)
  })

  it('B-94 32 levels and 64 KiB are taken, and a missing label', async () => {
    const text = JSON.stringify({ ...good, a: JSON.parse(nested(31)) })
    const server = await introspectionServer((_question, response) => {
      response.end(text.padEnd(64 * 1024))
    })
    expect(await introspecting(server.url).verify('tok-1')).toBe(200)
  })

  it.each([301, 302, 303, 307, 308])(
    'I18 B-94 a redirect (%s) is not followed, and takes no secret along',
    async (status) => {
      const target = await introspectionServer(says(good))
      const server = await introspectionServer(fails(status, { location: target.url }))
      const { verify, logged } = introspecting(server.url, { client: clientSecretPost('mcp-server', secret) })
      expect(await verify('tok-1')).toBe(503)
      expect(await verify('tok-2')).toBe(503)
      expect(target.questions).toEqual([])
      expect(logged.map(({ event }) => event)).toEqual(['introspection_unavailable'])
    },
  )

  it.each<[string, Answer]>([
    ['an answer that never begins', hangs],
    [
      'an answer that never ends',
      (_question, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('{"active":true,')
      },
    ],
  ])('I20 FL-57 %s is waited for 5 s', async (_name, answer) => {
    const server = await introspectionServer(answer)
    const arrived = new Promise<void>((resolve) => {
      server.answer = (question, response) => {
        answer(question, response)
        resolve()
      }
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { verifier } = introspecting(server.url)
    const fault = faultOf(verifier, 'tok-1')
    await arrived
    vi.advanceTimersByTime(4999)
    expect(await Promise.race([fault, Promise.resolve('still waiting')])).toBe('still waiting')
    vi.advanceTimersByTime(1)
    expect((await fault).cause).toEqual(new Error('no complete answer within 5000 ms'))
  })

  it('I20 B-90 a client authentication that never ends is waited for 5 s as well', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const server = await introspectionServer(says(good))
    const { verifier } = introspecting(server.url, { client: bearerToken(() => new Promise(() => {})) })
    const fault = faultOf(verifier, 'tok-1')
    await vi.advanceTimersByTimeAsync(5000)
    expect((await fault).code).toBe('verifier_unavailable')
    expect(server.questions).toEqual([])
  })

  it('B-94 FL-56 a fetch of the operator is used for every question, and held to the same rules', async () => {
    const target = await introspectionServer(says(good))
    const server = await introspectionServer(says(good))
    const fetch = vi.fn(globalThis.fetch)
    const { verify } = introspecting(server.url, {}, { fetch })
    expect(await verify('tok-1')).toBe(200)
    server.answer = fails(307, { location: target.url })
    server.answer = says(good)
    expect(await verify('tok-3')).toBe(200)
    expect(fetch.mock.calls.length).toBe(server.questions.length)
    expect(target.questions).toEqual([])
  })
})

describe('what nobody sees', () => {
  it('B-94 FL-71 wrong credentials: 503, one line for the operator, and the secret nowhere', async () => {
    const server = await introspectionServer(fails(401, { 'www-authenticate': 'Basic realm="as"' }))
    const { verifier, logged, events, pass } = introspecting(server.url)
    const shown: string[] = [inspect(verifier, { depth: 9, showHidden: true }), JSON.stringify(verifier)]
    for (let time = 0; time < 20; time++) {
      const fault = await faultOf(verifier, `opaque-visitor-${time}`)
      shown.push(inspect(fault, { depth: 9, showHidden: true }), JSON.stringify(fault), String(fault.cause))
      pass(1)
    }
    expect(logged).toEqual([expect.objectContaining({ level: 'error', event: 'introspection_refused' })])
    shown.push(JSON.stringify(logged), JSON.stringify(events))
    const all = shown.join('\n')
    for (const hidden of [
      secret,
      btoa(`mcp-server:${secret}`),
      'opaque-visitor',
      'invalid_client',
      '10.0.0.5',
    ]) {
      expect(all.includes(hidden)).toBe(false)
    }
  })

  it('B-94 FL-71 a fetch whose errors hold the whole request gives nothing away', async () => {
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const headers = JSON.stringify([...new Headers(init?.headers)])
      const error = new Error(`POST ${input} with ${init?.body} and ${headers} failed`, {
        cause: new Error(`bad value ${new URLSearchParams(String(init?.body)).get('token')}`),
      })
      throw Object.assign(error, { config: init, request: { init } })
    }
    const ownHeader: ClientAuthentication = ({ headers }) => {
      headers['x-server'] = secret
    }
    for (const proof of [clientSecretPost('mcp-server', secret), client, ownHeader]) {
      const { verifier, logged } = introspecting(
        'https://as.example.com/introspect',
        { client: proof },
        { fetch },
      )
      const faults = [await faultOf(verifier, 'opaque-visitor'), await faultOf(verifier, 'opaque-visitor')]
      expect(logged).toHaveLength(1)
      const all = [inspect(faults, { depth: 9, showHidden: true }), JSON.stringify(logged)].join('\n')
      expect(all).toContain('POST https://as.example.com/introspect')
      for (const hidden of [secret, btoa(`mcp-server:${secret}`), 'opaque-visitor']) {
        expect(all.includes(hidden)).toBe(false)
      }
    }
  })

  it('B-94 what the client option throws reaches the operator, as an outage', async () => {
    const client = bearerToken(() => Promise.reject(new Error('the vault is closed')))
    const { verify, logged } = introspecting('https://as.example.com/introspect', { client })
    expect(await verify('tok-1')).toBe(503)
    expect(await verify('tok-2')).toBe(503)
    expect(logged.map(({ event, details }) => [event, details?.reason])).toEqual([
      ['introspection_unavailable', 'the vault is closed'],
    ])
  })

  it('events tell of each question, and of each verdict whose it was', async () => {
    const server = await introspectionServer(says(good))
    const { verify, events } = introspecting(server.url)
    await verify('tok-1')
    server.answer = says({ active: false })
    await verify('tok-2')
    server.answer = fails(500)
    await verify('tok-3')
    const told = events.map((event) => ({ ...event, seconds: 0 }))
    expect(told.filter(({ type }) => type !== 'cache.miss').slice(0, 6)).toEqual([
      { type: 'introspection', result: 'active', seconds: 0 },
      { type: 'accepted', method: 'introspection', cache: 'miss', seconds: 0 },
      { type: 'introspection', result: 'inactive', seconds: 0 },
      { type: 'refused', method: 'introspection', cache: 'miss', reason: 'inactive', seconds: 0 },
      { type: 'introspection', result: 'failed', seconds: 0 },
      { type: 'failed', method: 'introspection', cache: 'miss', error: 'verifier_unavailable', seconds: 0 },
    ])
  })
})
