import { describe, expect, it } from 'vitest'
import { AccessToken } from '../../core/index.ts'
import type { JsonObject, RpcMessage } from '../message.ts'
import type { PolicyCaller } from '../policy.ts'
import { boundPolicy } from './policy-bound.ts'
import { gatewayPolicy } from './policy-engine.ts'

function caller(tools?: readonly string[]): PolicyCaller {
  const token = new AccessToken({ token: 'sk-secret', clientId: 'app', ...(tools && { tools }) })
  return { token, covers: () => true }
}

const message = (method: string, params: JsonObject = {}): RpcMessage => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params,
})
const call = (name: unknown) => message('tools/call', { name })
const answer = (result: unknown): RpcMessage => ({ jsonrpc: '2.0', id: 1, result })
const noLookup = async () => undefined
const passed = { kind: 'pass' }
const refused = { kind: 'access_denied' }

const everything = [
  call('a'),
  call('b'),
  message('resources/read', { uri: 'docs://a' }),
  message('acme/do'),
  message('tasks/list'),
  message('tools/list'),
]

describe('a token that is bound to tools', () => {
  const policy = boundPolicy()
  const bound = caller(['a', '__proto__'])

  it.each([
    call('a'),
    call('__proto__'),
    message('tools/list'),
    message('resources/list'),
    message('ping'),
    message('initialize'),
    message('notifications/initialized'),
    message('tasks/get', { taskId: 't' }),
    message('subscriptions/listen', { notifications: { toolsListChanged: true } }),
    message('subscriptions/listen', { notifications: { resourceSubscriptions: [] } }),
    answer({}),
  ])('may send $method $params', (asked) => {
    expect(policy.judge(asked, bound, noLookup)).toEqual(passed)
  })

  it.each([
    message('notifications/deploy'),
    call('b'),
    call('A'),
    call('a*'),
    call('constructor'),
    call(undefined),
    call(['a']),
    message('resources/read', { uri: 'docs://a' }),
    message('resources/subscribe', { uri: 'docs://a' }),
    message('resources/unsubscribe', { uri: 'docs://a' }),
    message('prompts/get', { name: 'a' }),
    message('completion/complete', { ref: { type: 'ref/prompt', name: 'a' } }),
    message('subscriptions/listen', { notifications: { resourceSubscriptions: ['docs://a'] } }),
    message('subscriptions/listen', { notifications: { resourceSubscriptions: 'docs://a' } }),
    message('tasks/list'),
    message('acme/do'),
  ])('may not send $method $params', (asked) => {
    expect(policy.judge(asked, bound, noLookup)).toEqual(refused)
  })

  it('to no tools may call none', () => {
    expect(policy.judge(call('a'), caller([]), noLookup)).toEqual(refused)
  })

  it('sees these tools alone, and nothing else', () => {
    const all = {
      tools: [{ name: 'a' }, { name: 'b' }],
      resources: [{ uri: 'docs://a' }],
      resourceTemplates: [{ uriTemplate: 'docs://{a}' }],
      prompts: [{ name: 'a' }],
      nextCursor: 'c',
    }
    const seen = {
      tools: [{ name: 'a' }],
      resources: [],
      resourceTemplates: [],
      prompts: [],
      nextCursor: 'c',
    }
    for (const asked of [undefined, message('tools/list'), message('prompts/list')])
      expect(policy.review(asked, bound)?.(answer(all))).toEqual(answer(seen))
    const news: RpcMessage = {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'docs://a' },
    }
    expect(policy.review(undefined, bound)?.(news)).toBeUndefined()
    expect(policy.review(call('a'), bound)).toBeUndefined()
  })

  it('may do no more than the inner policy allows', () => {
    const inner = boundPolicy(gatewayPolicy({ rules: [{ tools: ['b', 'c'], resources: ['**'] }] }))
    const both = caller(['a', 'b'])
    expect(inner.judge(call('a'), both, noLookup)).toEqual(refused)
    expect(inner.judge(call('b'), both, noLookup)).toEqual(passed)
    expect(inner.judge(call('c'), both, noLookup)).toEqual(refused)
    expect(inner.judge(message('resources/read', { uri: 'docs://a' }), both, noLookup)).toEqual(refused)
    const listed = answer({ tools: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] })
    expect(inner.review(message('tools/list'), both)?.(listed)).toEqual(answer({ tools: [{ name: 'b' }] }))
  })
})

describe('other tokens', () => {
  it('may do everything without a policy, and nothing is looked at', () => {
    for (const asked of everything) {
      expect(boundPolicy().judge(asked, caller(), noLookup)).toEqual(passed)
      expect(boundPolicy().review(asked, caller())).toBeUndefined()
    }
    expect(boundPolicy().review(undefined, caller())).toBeUndefined()
  })

  it('are judged by the policy alone', () => {
    const inner = gatewayPolicy({ rules: [{ tools: ['a'] }] })
    for (const asked of everything)
      expect(boundPolicy(inner).judge(asked, caller(), noLookup)).toEqual(
        inner.judge(asked, caller(), noLookup),
      )
    const listed = answer({ tools: [{ name: 'a' }, { name: 'b' }] })
    expect(boundPolicy(inner).review(undefined, caller())?.(listed)).toEqual(
      answer({ tools: [{ name: 'a' }] }),
    )
  })
})
