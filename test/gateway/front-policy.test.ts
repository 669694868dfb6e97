import { describe, expect, it } from 'vitest'
import type { JsonObject, RpcMessage } from '../../src/gateway/message.ts'
import type { GatewayPolicy, Judgement } from '../../src/gateway/policy.ts'
import { type Passage, UpstreamError } from '../../src/gateway/upstream.ts'
import { EventStream, rpcReply } from '../../src/server/reply.ts'
import { fakeClock } from '../../src/testing/index.ts'
import {
  alice,
  bob,
  call,
  directory,
  fakeUpstream,
  json,
  modern,
  opened,
  people,
  request,
} from './front-support.ts'

/** Says the same of every message. */
function always(judgement: unknown): GatewayPolicy {
  return { judge: () => judgement as Judgement, review: () => undefined }
}

describe('what a policy says', () => {
  it('insufficient_scope is a 403 whose challenge names the scopes', async () => {
    const { post, upstream, written } = await opened({
      policy: always({ kind: 'insufficient_scope', scopes: ['files:read', 'files:write'] }),
    })
    const told = await post(alice, call('echo'))
    expect([told.status, json(told).error]).toEqual([403, 'insufficient_scope'])
    expect(told.headers['www-authenticate']).toMatch(
      /error="insufficient_scope".*scope="files:read files:write"/,
    )
    expect(await written(1)).toMatchObject([{ outcome: 'insufficient_scope', target: 'echo' }])
    expect(upstream.passages).toEqual([])
  })

  it('access_denied is a 403 without a challenge', async () => {
    const { post, upstream, written } = await opened({ policy: always({ kind: 'access_denied' }) })
    const told = await post(alice, call('echo'))
    expect([told.status, json(told).error, told.headers['www-authenticate']]).toEqual([
      403,
      'access_denied',
      undefined,
    ])
    expect(await written(1)).toMatchObject([{ outcome: 'access_denied' }])
    expect(upstream.passages).toEqual([])
  })

  it('rate_limited is a 429 that says how long to wait', async () => {
    const { post, upstream } = await opened({ policy: always({ kind: 'rate_limited', retryAfter: 17 }) })
    const told = await post(alice, call('echo'))
    expect([told.status, told.headers['retry-after']]).toEqual([429, '17'])
    expect(upstream.passages).toEqual([])
  })

  it('wrong arguments are a result the model reads, in both revisions', async () => {
    const { post, upstream, written } = await opened({
      policy: always({ kind: 'arguments', problem: 'path: too long' }),
    })
    const result = { content: [{ type: 'text', text: 'path: too long' }], isError: true }
    const told = await post(alice, call('echo'))
    expect([told.status, json(told)]).toEqual([200, { jsonrpc: '2.0', id: 1, result }])
    const { message, headers } = modern('tools/call', { name: 'echo' })
    expect(json(await post(alice, message, ...headers)).result).toEqual({ resultType: 'complete', ...result })
    const other = await post(alice, request('prompts/get', { name: 'x' }))
    expect([other.status, json(other).error]).toEqual([200, { code: -32602, message: 'path: too long' }])
    const untold = await post(alice, { jsonrpc: '2.0', method: 'tools/call', params: { name: 'x' } })
    expect([untold.status, json(untold).id]).toEqual([400, null])
    expect((await written(4)).map(({ outcome }) => outcome)).toEqual(Array(4).fill('arguments'))
    expect(upstream.passages).toEqual([])
  })

  it.each([
    ['throws', { judge: () => Promise.reject(new Error('boom')), review: () => undefined }],
    ['says what is no judgement', always({ kind: 'maybe' })],
    ['says nothing', always(undefined)],
    [
      'cannot say what may be seen',
      {
        judge: () => ({ kind: 'pass' }),
        review: () => {
          throw new Error('boom')
        },
      },
    ],
  ] as [string, GatewayPolicy][])('a policy that %s lets nothing through', async (_name, policy) => {
    const { post, upstream } = await opened({ policy })
    expect((await post(alice, call('echo'))).status).toBe(500)
    expect(upstream.passages).toEqual([])
  })

  it('judges every message, answers and notifications too, and knows who sends it', async () => {
    const judged: unknown[] = []
    const policy: GatewayPolicy = {
      judge(message, caller) {
        judged.push([
          message.method,
          caller.token.subject,
          caller.covers(['read']),
          caller.covers(['admin']),
          caller.covers(['write']),
        ])
        return { kind: 'pass' }
      },
      review: () => undefined,
    }
    const { post } = await opened({ policy, scopeHierarchy: { admin: ['write'] } })
    await post(alice, request('ping'))
    await post(bob, { jsonrpc: '2.0', method: 'notifications/initialized' })
    await post(bob, { jsonrpc: '2.0', id: 7, result: {} })
    expect(judged).toEqual([
      ['ping', 'alice', true, true, true],
      ['notifications/initialized', 'bob', true, false, false],
      [undefined, 'bob', true, false, false],
    ])
  })

  it('changes while the gateway runs, also for what comes on streams that are open', async () => {
    const upstream = fakeUpstream()
    const { post, door, url } = await opened({ upstream })
    expect((await post(alice, call('echo'))).status).toBe(200)
    door.usePolicy(always({ kind: 'access_denied' }))
    expect((await post(alice, call('echo'))).status).toBe(403)

    const hiding = (word: string): GatewayPolicy => ({
      judge: () => ({ kind: 'pass' }),
      review: () => (answer) => (answer.method === word ? undefined : answer),
    })
    door.usePolicy(hiding('a'))
    const stream = new EventStream()
    let review: ((message: RpcMessage) => RpcMessage | undefined) | undefined
    upstream.reply = (passage) => {
      review = passage.review
      return stream
    }
    const response = await fetch(url, { headers: { authorization: `Bearer ${alice}` } })
    const [one, two] = ['a', 'b'].map((method) => ({ jsonrpc: '2.0' as const, method }))
    expect([review?.(one!), review?.(two!)]).toEqual([undefined, two])
    door.usePolicy(hiding('b'))
    expect([review?.(one!), review?.(two!)]).toEqual([one, undefined])
    door.usePolicy(undefined)
    expect([review?.(one!), review?.(two!)]).toEqual([one, two])
    expect(stream.isOpen).toBe(true)
    await response.body?.cancel()
  })

  it('holds on streams that were opened when there was none', async () => {
    const upstream = fakeUpstream()
    const { door, url, post } = await opened({ upstream })
    const reviews: Passage['review'][] = []
    upstream.reply = (passage) => {
      reviews.push(passage.review)
      return { status: 200, headers: {}, body: '' }
    }
    await fetch(url, { headers: { authorization: `Bearer ${alice}` } })
    const listening = modern('subscriptions/listen', { notifications: { resourceSubscriptions: ['a://b'] } })
    await post(alice, listening.message, ...listening.headers)
    const news: RpcMessage = { jsonrpc: '2.0', method: 'notifications/resources/updated' }
    expect(reviews.map((review) => review?.(news))).toEqual([news, news])
    door.usePolicy({ judge: () => ({ kind: 'pass' }), review: () => () => undefined })
    expect(reviews.map((review) => review?.(news))).toEqual([undefined, undefined])
  })

  it('refuses what is no policy', async () => {
    const { door } = await opened()
    expect(() => door.usePolicy({} as GatewayPolicy)).toThrow(TypeError)
    expect(() => door.usePolicy(null as never)).toThrow(TypeError)
  })
})

describe('tokens that are bound to tools', () => {
  const bound = 'bound-3344cc-token'
  const auth = directory({
    ...people,
    [bound]: { claims: { sub: 'alice', iss: 'https://id.example' }, tools: ['echo'] },
  })

  it('call these, and nothing else, without a policy and with one', async () => {
    for (const policy of [undefined, always({ kind: 'pass' })]) {
      const { post, upstream } = await opened({ auth, policy })
      const status = async (message: JsonObject) => (await post(bound, message)).status
      expect(await status(call('echo'))).toBe(200)
      for (const message of [
        call('purge'),
        request('resources/read', { uri: 'a:b' }),
        request('resources/subscribe', { uri: 'a:b' }),
        request('prompts/get', { name: 'x' }),
        request('completion/complete', { ref: { type: 'ref/prompt', name: 'x' } }),
        request('subscriptions/listen', { notifications: { resourceSubscriptions: ['a:b'] } }),
      ])
        expect(await status(message), JSON.stringify(message)).toBe(403)
      expect(upstream.passages).toHaveLength(1)
    }
  })

  it('are somebody else than the same principal without a bound', async () => {
    const { post, upstream } = await opened({ auth })
    for (const token of [bound, alice]) await post(token, request('ping'))
    const [one, two] = upstream.passages.map(({ principal }) => principal)
    expect(one).not.toBe(two)
  })
})

describe('how tools describe themselves', () => {
  /** Lets tools pass that say they change nothing. */
  const readOnly: GatewayPolicy = {
    async judge(message, _caller, toolNamed) {
      if (message.method !== 'tools/call') return { kind: 'pass' }
      const tool = await toolNamed(String(message.params?.name))
      const { readOnlyHint } = (tool?.annotations ?? {}) as JsonObject
      return readOnlyHint === true ? { kind: 'pass' } : { kind: 'access_denied' }
    },
    review: () => (answer) => answer,
  }
  const tool = (name: string, readOnlyHint: unknown = true) => ({
    name,
    description: name,
    annotations: { readOnlyHint },
  })

  it('is asked for page by page, and remembered for a minute', async () => {
    const clock = fakeClock()
    const upstream = fakeUpstream()
    upstream.pages = [{ tools: [tool('a')], nextCursor: '1' }, { tools: [tool('b'), tool('c', false)] }]
    const { post } = await opened({ policy: readOnly, upstream, clock })
    const statuses = async () =>
      Promise.all(['a', 'b', 'c'].map(async (name) => (await post(alice, call(name))).status))
    expect(await statuses()).toEqual([200, 200, 403])
    expect(upstream.asked.map(({ method, params }) => [method, params])).toEqual([
      ['tools/list', {}],
      ['tools/list', { cursor: '1' }],
    ])
    clock.advance(59_999)
    expect(await statuses()).toEqual([200, 200, 403])
    expect(upstream.asked).toHaveLength(2)
    clock.advance(1)
    upstream.pages = [{ tools: [tool('c')] }]
    expect(await statuses()).toEqual([403, 403, 200])
    expect(upstream.asked).toHaveLength(3)
  })

  it('is asked for again when a tool is new, once a second', async () => {
    const clock = fakeClock()
    const upstream = fakeUpstream()
    const { post } = await opened({ policy: readOnly, upstream, clock })
    expect((await post(alice, call('a'))).status).toBe(403)
    upstream.pages = [{ tools: [tool('a')] }]
    expect((await post(alice, call('a'))).status).toBe(403)
    expect(upstream.asked).toHaveLength(1)
    clock.advance(1000)
    expect((await post(alice, call('a'))).status).toBe(200)
    expect(upstream.asked).toHaveLength(2)
  })

  it('is each principal’s own, and each session’s', async () => {
    const upstream = fakeUpstream()
    upstream.pages = [{ tools: [tool('a')] }]
    const { post } = await opened({ policy: readOnly, upstream, clock: fakeClock() })
    for (const token of [alice, bob, alice]) await post(token, call('a'))
    await post(alice, call('a'), 'Mcp-Session-Id: one')
    expect(upstream.asked.map(({ passage }) => passage.caller.subject)).toEqual(['alice', 'bob', 'alice'])
  })

  it('is asked for once by many at once', async () => {
    const upstream = fakeUpstream()
    upstream.pages = [{ tools: [tool('a')] }]
    const { post } = await opened({ policy: readOnly, upstream, clock: fakeClock() })
    await Promise.all(Array.from({ length: 8 }, () => post(alice, call('a'))))
    expect(upstream.asked).toHaveLength(1)
  })

  it('is forgotten when the server says that its tools have changed', async () => {
    const upstream = fakeUpstream()
    upstream.pages = [{ tools: [tool('a')] }]
    const { post } = await opened({ policy: readOnly, upstream, clock: fakeClock() })
    expect((await post(alice, call('a'))).status).toBe(200)
    upstream.pages = [{ tools: [tool('a', false)] }]
    expect((await post(alice, call('a'))).status).toBe(200)
    upstream.passages[0]?.review?.({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    expect((await post(alice, call('a'))).status).toBe(403)
  })

  it('a session that is over is a 404, so that the client begins a new one', async () => {
    const upstream = fakeUpstream()
    const { post, written } = await opened({ policy: readOnly, upstream, clock: fakeClock() })
    upstream.ask = () =>
      Promise.reject(new UpstreamError('broken', 'The server answered with the HTTP status 404.'))
    const error = { code: -32001, message: 'Session not found' }
    upstream.reply = ({ message }) => rpcReply({ jsonrpc: '2.0', id: message!.id, error }, 404)
    const told = await post(alice, call('a'), 'Mcp-Session-Id: gone')
    expect([told.status, json(told)]).toEqual([404, { jsonrpc: '2.0', id: 1, error }])
    expect(upstream.passages.map(({ message }) => message)).toEqual([request('ping')])
    expect(await written(1)).toMatchObject([{ outcome: 'upstream_error', method: 'tools/call', status: 404 }])

    upstream.reply = () =>
      rpcReply({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'No session' } }, 400)
    expect((await post(alice, call('a'))).status).toBe(400)
    const { message, headers } = modern('tools/call', { name: 'a' })
    expect((await post(alice, message, ...headers)).status).toBe(502)
    upstream.reply = () => rpcReply({ jsonrpc: '2.0', id: 1, result: {} })
    expect((await post(alice, call('a'))).status).toBe(502)
    const stream = new EventStream()
    upstream.reply = () => stream
    expect((await post(alice, call('a'), 'Mcp-Session-Id: one')).status).toBe(502)
    expect(stream.isOpen).toBe(false)
    upstream.reply = () => Promise.reject(new Error('boom'))
    expect((await post(alice, call('a'), 'Mcp-Session-Id: one')).status).toBe(502)
  })

  it('an upstream that could not ask says itself what is to be answered', async () => {
    const upstream = fakeUpstream()
    const { post } = await opened({ policy: readOnly, upstream })
    const reply = rpcReply(
      { jsonrpc: '2.0', id: 1, error: { code: -32022, message: 'Another revision' } },
      400,
    )
    upstream.ask = () => Promise.reject(new UpstreamError('broken', 'no', { reply }))
    const { message, headers } = modern('tools/call', { name: 'a' })
    const told = await post(alice, message, ...headers)
    expect([told.status, json(told).error]).toEqual([400, { code: -32022, message: 'Another revision' }])
    expect(upstream.passages).toEqual([])
  })

  it.each<[string, JsonObject[]]>([
    ['two tools of one name', [{ tools: [tool('a'), tool('a')] }]],
    ['a tool without annotations', [{ tools: [{ name: 'a' }] }]],
    ['a hint that is no yes', [{ tools: [tool('a', 'true')] }]],
    ['entries that are none', [{ tools: [null, 'a', { name: 7 }, []] }]],
  ])('denies what it does not know for sure: %s', async (_name, pages) => {
    const upstream = fakeUpstream()
    upstream.pages = pages
    const { post } = await opened({ policy: readOnly, upstream })
    expect((await post(alice, call('a'))).status).toBe(403)
    expect(upstream.passages).toEqual([])
  })

  it.each<[string, JsonObject[]]>([
    ['is none', [{}]],
    ['never ends', [{ tools: [tool('a')], nextCursor: '0' }]],
    [
      'is longer than any',
      [{ tools: Array.from({ length: 10_001 }, (_, n) => tool(`t${n}`)), nextCursor: '0' }],
    ],
  ])('a list that %s lets nothing through', async (_name, pages) => {
    const upstream = fakeUpstream()
    upstream.pages = pages
    const { post } = await opened({ policy: readOnly, upstream })
    expect((await post(alice, call('a'))).status).toBe(502)
    expect(upstream.passages.map(({ message }) => message)).toEqual([request('ping')])
    expect(upstream.asked.length).toBeLessThanOrEqual(100)
  })

  it('a server that gives none is not remembered for it', async () => {
    const upstream = fakeUpstream()
    upstream.pages = [{ tools: [tool('a')] }]
    const { ask } = upstream
    upstream.ask = () => Promise.reject(new UpstreamError('unreachable', 'gone'))
    const { post } = await opened({ policy: readOnly, upstream, clock: fakeClock() })
    expect((await post(alice, call('a'))).status).toBe(502)
    upstream.ask = ask
    expect((await post(alice, call('a'))).status).toBe(200)
  })
})
