import { describe, expect, it } from 'vitest'
import { AccessToken, type AccessTokenInit } from '../../core/index.ts'
import type { JsonObject, RpcMessage } from '../message.ts'
import type { PolicyCaller } from '../policy.ts'
import type { PolicyDocument } from './policy-document.ts'
import { gatewayPolicy } from './policy-engine.ts'

/** A clock that only moves by hand. */
function fakeClock() {
  let now = 1_800_000_000_000
  return Object.assign(() => now, {
    advance(milliseconds: number) {
      now += milliseconds
    },
  })
}

function caller(init: Partial<AccessTokenInit> = {}): PolicyCaller {
  const token = new AccessToken({ token: 'sk-secret', clientId: 'app', subject: 'alice', ...init })
  return { token, covers: (scopes) => scopes.every((scope) => token.scopes.includes(scope)) }
}

function message(method: string, params: JsonObject = {}): RpcMessage {
  return { jsonrpc: '2.0', id: 1, method, params }
}

const call = (name: unknown, args?: unknown) =>
  message('tools/call', { name, ...(args !== undefined && { arguments: args }) })
const read = (uri: unknown) => message('resources/read', { uri })

/** The tools of the server: what their annotations say. */
const server: Readonly<Record<string, JsonObject>> = {
  look: { name: 'look', annotations: { readOnlyHint: true } },
  change: { name: 'change', annotations: { readOnlyHint: false } },
  plain: { name: 'plain' },
  odd: { name: 'odd', annotations: { readOnlyHint: 'true' } },
}
const toolNamed = async (name: string) => (Object.hasOwn(server, name) ? server[name] : undefined)
const noLookup = async (): Promise<undefined> => {
  throw new Error('nothing has to be looked up')
}

async function kindOf(
  document: PolicyDocument,
  asked: RpcMessage,
  who = caller(),
  lookup: typeof toolNamed = noLookup,
): Promise<string> {
  return (await gatewayPolicy(document).judge(asked, who, lookup)).kind
}

const ofProtocol = [
  'initialize',
  'server/discover',
  'ping',
  'logging/setLevel',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'tasks/get',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
]

describe('an empty policy', () => {
  it.each([
    call('look'),
    call('__proto__'),
    call('constructor'),
    read('docs://a'),
    message('resources/subscribe', { uri: 'docs://a' }),
    message('resources/unsubscribe', { uri: 'docs://a' }),
    message('prompts/get', { name: 'a' }),
    message('completion/complete', { ref: { type: 'ref/prompt', name: 'a' } }),
    message('completion/complete', { ref: { type: 'ref/resource', uri: 'docs://{a}' } }),
    message('completion/complete', {}),
    message('completion/complete', { ref: null }),
    message('subscriptions/listen', { notifications: { resourceSubscriptions: ['docs://a'] } }),
    message('tasks/list'),
    message('sampling/createMessage'),
    message('Tools/Call', { name: 'look' }),
    message('tools/call '),
    message('notifications/'),
    message('notifications/tools/call', { name: 'look' }),
    { jsonrpc: '2.0', method: 'notifications/deploy' } as RpcMessage,
    message('toString'),
    message(''),
  ])('denies $method $params', async (asked) => {
    expect(await kindOf({}, asked)).toBe('access_denied')
  })

  it.each(ofProtocol)('lets %s pass', async (method) => {
    expect(await kindOf({}, message(method))).toBe('pass')
  })

  it('lets answers of the client pass', async () => {
    expect(await kindOf({}, { jsonrpc: '2.0', id: 1, result: {} })).toBe('pass')
  })

  it('lets news of lists be listened to', async () => {
    expect(
      await kindOf({}, message('subscriptions/listen', { notifications: { toolsListChanged: true } })),
    ).toBe('pass')
  })
})

describe('a name that no tool or prompt has, and that servers may cut or trim', () => {
  const names = [
    'drop\u0000',
    'drop\n',
    ' drop',
    'drop ',
    'drop\t',
    '\ufeffdrop',
    'drop\u00a0',
    `drop${'x'.repeat(1024)}`,
  ]

  it.each(names)('%j is denied, whatever is allowed', async (name) => {
    const document: PolicyDocument = { default: 'allow', deny: { tools: ['drop'], prompts: ['drop'] } }
    expect(await kindOf(document, call(name))).toBe('access_denied')
    expect(await kindOf(document, message('prompts/get', { name }))).toBe('access_denied')
    expect(await kindOf({ rules: [{ tools: ['*'] }] }, call(name))).toBe('access_denied')
    expect(await kindOf(document, call('dro'))).toBe('pass')
  })
})

describe('a rule', () => {
  it('allows what it names, and nothing else', async () => {
    const document = { rules: [{ tools: ['read_*'], resources: ['docs://*'], prompts: ['greet'] }] }
    expect(await kindOf(document, call('read_file'))).toBe('pass')
    expect(await kindOf(document, call('write_file'))).toBe('access_denied')
    expect(await kindOf(document, read('docs://a'))).toBe('pass')
    expect(await kindOf(document, read('docs://a/b'))).toBe('access_denied')
    expect(await kindOf(document, message('prompts/get', { name: 'greet' }))).toBe('pass')
    expect(await kindOf(document, message('prompts/get', { name: 'read_file' }))).toBe('access_denied')
  })

  it('counts a call without an id as a call', async () => {
    const asked = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'other' } } as const
    expect(await kindOf({ rules: [{ tools: ['look'] }] }, asked)).toBe('access_denied')
  })

  it.each([[undefined], [null], [5], [['look']], [{}], [''], ['x'.repeat(2000)]])(
    'a tool or resource named %j is no one’s, whatever the rules',
    async (name) => {
      const document: PolicyDocument = { rules: [{ tools: ['?*', 'x*', 'look'], resources: ['**'] }] }
      expect(await kindOf(document, call(name))).toBe('access_denied')
      expect(await kindOf(document, read(name))).toBe('access_denied')
    },
  )

  it('names that every object has are names like any other', async () => {
    const document = { rules: [{ tools: ['__proto__', 'constructor'] }] }
    expect(await kindOf(document, call('__proto__'))).toBe('pass')
    expect(await kindOf(document, call('constructor'))).toBe('pass')
    expect(await kindOf(document, call('toString'))).toBe('access_denied')
  })

  it('deny goes before every rule', async () => {
    const document = {
      deny: { tools: ['rm'], resources: ['docs://secret/**'], prompts: ['p'] },
      rules: [{ tools: ['*'], resources: ['**'], prompts: ['*'] }],
    }
    expect(await kindOf(document, call('rm'))).toBe('access_denied')
    expect(await kindOf(document, read('docs://secret/a'))).toBe('access_denied')
    expect(await kindOf(document, read('docs://secret//a'))).toBe('access_denied')
    expect(await kindOf(document, read('docs://pub/..%2fsecret/a'))).toBe('access_denied')
    expect(await kindOf(document, message('prompts/get', { name: 'p' }))).toBe('access_denied')
    expect(await kindOf(document, call('ls'))).toBe('pass')
  })

  it('completion is decided by what is completed', async () => {
    const document = { rules: [{ prompts: ['greet'], resources: ['docs://*'] }] }
    const complete = (ref: JsonObject) => kindOf(document, message('completion/complete', { ref }))
    expect(await complete({ type: 'ref/prompt', name: 'greet' })).toBe('pass')
    expect(await complete({ type: 'ref/prompt', name: 'other' })).toBe('access_denied')
    expect(await complete({ type: 'ref/resource', uri: 'docs://{id}' })).toBe('pass')
    expect(await complete({ type: 'ref/resource', uri: 'other://{id}' })).toBe('access_denied')
    expect(await complete({ type: 'ref/tool', name: 'greet' })).toBe('access_denied')
  })

  it('subscriptions need every URI', async () => {
    const document = { rules: [{ resources: ['docs://*'] }] }
    const listen = (resourceSubscriptions: unknown) =>
      kindOf(document, message('subscriptions/listen', { notifications: { resourceSubscriptions } }))
    expect(await listen(['docs://a', 'docs://b'])).toBe('pass')
    expect(await listen(['docs://a', 'other://b'])).toBe('access_denied')
    expect(await listen('docs://a')).toBe('access_denied')
    expect(await listen({ 0: 'docs://a' })).toBe('access_denied')
    expect(await listen([['docs://a']])).toBe('access_denied')
    expect(await listen(Array.from({ length: 1001 }, () => 'docs://a'))).toBe('access_denied')
  })

  it('methods nobody knows pass where a rule names them', async () => {
    const document = { rules: [{ who: { scopes: ['x'] }, methods: ['acme/do', 'tasks/list'] }] }
    const able = caller({ scopes: ['x'] })
    expect(await kindOf(document, message('acme/do'), able)).toBe('pass')
    expect(await kindOf(document, message('tasks/list'), able)).toBe('pass')
    expect(await kindOf(document, message('acme/other'), able)).toBe('access_denied')
    expect(await kindOf({ ...document, readOnly: true }, message('acme/do'), able)).toBe('access_denied')
    expect(await kindOf({ default: 'allow' }, message('acme/do'), able)).toBe('access_denied')
    expect(await gatewayPolicy(document).judge(message('acme/do'), caller(), noLookup)).toEqual({
      kind: 'insufficient_scope',
      scopes: ['x'],
    })
  })
})

describe('default: allow', () => {
  const document: PolicyDocument = {
    default: 'allow',
    deny: { tools: ['rm'] },
    rules: [{ who: { scopes: ['admin'] }, tools: ['admin_*'], resources: ['docs://secret'] }],
  }

  it('allows what no rule names', async () => {
    expect(await kindOf(document, call('other'))).toBe('pass')
    expect(await kindOf(document, read('docs://a'))).toBe('pass')
    expect(await kindOf(document, call('rm'))).toBe('access_denied')
  })

  it('leaves what a rule names to those whom a rule allows it', async () => {
    expect(await kindOf(document, call('admin_x'))).toBe('insufficient_scope')
    expect(await kindOf(document, call('admin_x'), caller({ scopes: ['admin'] }))).toBe('pass')
  })

  it.each([
    'docs://SECRET',
    'docs://secret/',
    'docs:///secret',
    'docs://secret?x',
    'docs://%73ecret',
    'docs://x/../secret',
  ])('another spelling, %s, is not what no rule names', async (uri) => {
    expect(await kindOf(document, read(uri))).not.toBe('pass')
  })

  it('a URI without a spelling is denied all the same', async () => {
    expect(await kindOf({ default: 'allow' }, read('docs://a/../b'))).toBe('access_denied')
  })
})

describe('who', () => {
  const key = {
    subject: 'alice',
    claims: { key_id: 'k1', lineage_id: 'l1', name: 'ci-main', tenant_id: 't1' },
  }

  it.each([
    ['subjects', ['al*'], {}, true],
    ['subjects', ['bob'], {}, false],
    ['subjects', ['*'], { subject: undefined }, false],
    ['clients', ['app'], {}, true],
    ['clients', ['app2'], {}, false],
    ['issuers', ['https://a'], { issuer: 'https://a' }, true],
    ['issuers', ['https://*'], { issuer: 'https://a' }, false],
    ['issuers', ['https://a'], {}, false],
    ['keys', ['k1'], key, true],
    ['keys', ['ci-*'], key, true],
    ['keys', ['k2'], key, false],
    ['keys', ['*'], {}, false],
    ['tenants', ['t*'], key, true],
    ['tenants', ['t2'], key, false],
    ['tenants', ['*'], {}, false],
  ])('%s %j and %j: %j', async (member, globs, init, expected) => {
    const kind = await kindOf(
      { rules: [{ who: { [member]: globs }, tools: ['x'] }] },
      call('x'),
      caller(init),
    )
    expect(kind).toBe(expected ? 'pass' : 'access_denied')
  })

  it('a token of an issuer is no API key, whatever name its owner chose', async () => {
    const document = { rules: [{ who: { keys: ['ci-*'] }, tools: ['x'] }] }
    expect(await kindOf(document, call('x'), caller({ issuer: 'https://a', claims: key.claims }))).toBe(
      'access_denied',
    )
    expect(await kindOf(document, call('x'), caller({ claims: { name: 'ci-main' } }))).toBe('access_denied')
    expect(await kindOf(document, call('x'), caller({ claims: { key_id: 'ci-1' } }))).toBe('access_denied')
  })

  it('all members have to fit', async () => {
    const document = { rules: [{ who: { subjects: ['alice'], clients: ['other'] }, tools: ['x'] }] }
    expect(await kindOf(document, call('x'))).toBe('access_denied')
  })

  it('empty fits everybody', async () => {
    expect(await kindOf({ rules: [{ who: {}, tools: ['x'] }] }, call('x'))).toBe('pass')
  })

  it('scopes are needed all of them, and are named when nothing else is in the way', async () => {
    const document = { rules: [{ who: { scopes: ['a', 'b'] }, tools: ['x'] }] }
    expect(await kindOf(document, call('x'), caller({ scopes: ['a', 'b'] }))).toBe('pass')
    const refused = gatewayPolicy(document).judge(call('x'), caller({ scopes: ['a'] }), noLookup)
    expect(refused).toEqual({ kind: 'insufficient_scope', scopes: ['a', 'b'] })
    const others = { rules: [{ who: { scopes: ['a'], subjects: ['bob'] }, tools: ['x'] }] }
    expect(await kindOf(others, call('x'))).toBe('access_denied')
  })
})

describe('arguments', () => {
  const schema = { properties: { path: { type: 'string', pattern: '^/srv/' } }, required: ['path'] }
  const document: PolicyDocument = {
    rules: [
      { tools: ['write_*'], arguments: { 'write_*': schema, write_all: { maxProperties: 1 } } },
      { who: { scopes: ['admin'] }, tools: ['write_*'] },
    ],
  }

  it('have to fit every schema of the rule that is about the tool', async () => {
    expect(await kindOf(document, call('write_a', { path: '/srv/x', other: 1 }))).toBe('pass')
    expect(await kindOf(document, call('write_all', { path: '/srv/x', other: 1 }))).toBe('arguments')
    expect(await kindOf(document, call('write_a'))).toBe('arguments')
  })

  it('another rule may allow more', async () => {
    const etc = call('write_a', { path: '/etc/x' })
    expect(await kindOf(document, etc, caller({ scopes: ['admin'] }))).toBe('pass')
    const judged = await gatewayPolicy(document).judge(etc, caller(), noLookup)
    expect(judged).toMatchObject({ kind: 'arguments', problem: expect.stringContaining('arguments/path') })
  })

  it('are told to nobody whom the rule is not for', async () => {
    const others = {
      rules: [{ who: { scopes: ['a'] }, tools: ['x'], arguments: { x: { required: ['a'] } } }],
    }
    expect(await kindOf(others, call('x'))).toBe('access_denied')
    expect(await kindOf(others, call('x', { a: 1 }))).toBe('insufficient_scope')
  })
})

describe('read-only', () => {
  it.each([
    ['look', 'pass'],
    ['change', 'access_denied'],
    ['plain', 'access_denied'],
    ['odd', 'access_denied'],
    ['unknown', 'access_denied'],
  ])('%s: %s, by policy and by rule', async (name, expected) => {
    const everything = { rules: [{ tools: ['*'] }] }
    expect(await kindOf({ readOnly: true, ...everything }, call(name), caller(), toolNamed)).toBe(expected)
    expect(await kindOf({ readOnly: true, default: 'allow' }, call(name), caller(), toolNamed)).toBe(expected)
    expect(await kindOf({ rules: [{ tools: ['*'], readOnly: true }] }, call(name), caller(), toolNamed)).toBe(
      expected,
    )
  })

  it('looks up nothing where it does not matter', async () => {
    const document: PolicyDocument = {
      readOnly: true,
      deny: { tools: ['rm'] },
      rules: [{ tools: ['rm', 'x'], who: { subjects: ['bob'] } }],
    }
    expect(await kindOf(document, call('rm'))).toBe('access_denied')
    expect(await kindOf(document, call('x'))).toBe('access_denied')
    expect(await kindOf({ rules: [{ tools: ['x'] }, { tools: ['*'], readOnly: true }] }, call('x'))).toBe(
      'pass',
    )
    expect(
      await kindOf(
        { rules: [{ tools: ['x'] }, { tools: ['*'], readOnly: true }] },
        call('y'),
        caller(),
        toolNamed,
      ),
    ).toBe('access_denied')
  })

  it('what cannot be looked up is not allowed', async () => {
    await expect(kindOf({ readOnly: true, default: 'allow' }, call('x'))).rejects.toThrow('looked up')
  })

  it('does not keep anybody from reading', async () => {
    const document: PolicyDocument = { readOnly: true, rules: [{ resources: ['**'], prompts: ['*'] }] }
    expect(await kindOf(document, read('docs://a'))).toBe('pass')
    expect(await kindOf(document, message('prompts/get', { name: 'a' }))).toBe('pass')
  })
})

describe('rates', () => {
  it('count requests of a principal by itself', async () => {
    const clock = fakeClock()
    const policy = gatewayPolicy({ default: 'allow', requestsPerMinute: 2 }, { clock })
    const ping = (who: PolicyCaller) => policy.judge(message('ping'), who, noLookup)
    const [alice, bob] = [caller(), caller({ subject: 'bob' })]
    expect([await ping(alice), await ping(alice)]).toEqual([{ kind: 'pass' }, { kind: 'pass' }])
    expect(await ping(alice)).toEqual({ kind: 'rate_limited', retryAfter: 30 })
    expect(await ping(bob)).toEqual({ kind: 'pass' })
    clock.advance(30_000)
    expect(await ping(alice)).toEqual({ kind: 'pass' })
  })

  it('count what is denied as a request, and answers as nothing', () => {
    const policy = gatewayPolicy({ requestsPerMinute: 1 }, { clock: fakeClock() })
    const answer = { jsonrpc: '2.0', id: 1, result: {} } as const
    for (let at = 0; at < 3; at++) expect(policy.judge(answer, caller(), noLookup)).toEqual({ kind: 'pass' })
    expect(policy.judge(call('x'), caller(), noLookup)).toEqual({ kind: 'access_denied' })
    expect(policy.judge(call('x'), caller(), noLookup)).toMatchObject({ kind: 'rate_limited' })
  })

  it('count calls of tools that pass, and nothing else', () => {
    const policy = gatewayPolicy(
      { rules: [{ tools: ['x'], resources: ['**'] }], callsPerMinute: 1 },
      { clock: fakeClock() },
    )
    expect(policy.judge(read('docs://a'), caller(), noLookup)).toEqual({ kind: 'pass' })
    expect(policy.judge(call('y'), caller(), noLookup)).toEqual({ kind: 'access_denied' })
    expect(policy.judge(call('x'), caller(), noLookup)).toEqual({ kind: 'pass' })
    expect(policy.judge(call('x'), caller(), noLookup)).toEqual({ kind: 'rate_limited', retryAfter: 60 })
    expect(policy.judge(read('docs://a'), caller(), noLookup)).toEqual({ kind: 'pass' })
  })

  it('of a rule are those of what it allows; another rule may allow more', () => {
    const clock = fakeClock()
    const rules = [
      { tools: ['x'], callsPerMinute: 1 },
      { who: { scopes: ['more'] }, tools: ['x'], callsPerMinute: 2 },
    ]
    const policy = gatewayPolicy({ rules }, { clock })
    const passing = (who: PolicyCaller) =>
      Array.from({ length: 5 }, () => policy.judge(call('x'), who, noLookup)).map((one) =>
        JSON.stringify(one),
      )
    const wait = (retryAfter: number) => JSON.stringify({ kind: 'rate_limited', retryAfter })
    const pass = JSON.stringify({ kind: 'pass' })
    expect(passing(caller())).toEqual([pass, wait(60), wait(60), wait(60), wait(60)])
    expect(passing(caller({ subject: 'bob', scopes: ['more'] }))).toEqual([
      pass,
      pass,
      pass,
      wait(30),
      wait(30),
    ])
  })

  it('count calls that were looked up as well', async () => {
    const policy = gatewayPolicy(
      { readOnly: true, default: 'allow', callsPerMinute: 1 },
      { clock: fakeClock() },
    )
    expect(await policy.judge(call('look'), caller(), toolNamed)).toEqual({ kind: 'pass' })
    expect(await policy.judge(call('look'), caller(), toolNamed)).toMatchObject({ kind: 'rate_limited' })
  })
})

describe('review', () => {
  const document: PolicyDocument = {
    deny: { tools: ['rm'] },
    rules: [{ tools: ['rm', 'look', 'x'], resources: ['docs://*'], prompts: ['greet'] }],
  }
  const lists = {
    tools: [{ name: 'rm' }, { name: 'look' }, { name: 'y' }, { name: 5 }, 'x', null, {}],
    resources: [{ uri: 'docs://a' }, { uri: 'docs://a/b' }, { uri: 'docs://../x' }, {}],
    resourceTemplates: [{ uriTemplate: 'docs://{id}' }, { uriTemplate: 'other://{id}' }],
    prompts: [{ name: 'greet' }, { name: 'other' }],
  }
  const seen = {
    tools: [{ name: 'look' }],
    resources: [{ uri: 'docs://a' }],
    resourceTemplates: [{ uriTemplate: 'docs://{id}' }],
    prompts: [{ name: 'greet' }],
  }
  const answer = (result: unknown): RpcMessage => ({ jsonrpc: '2.0', id: 1, result })

  it.each([
    ['tools/list', 'tools'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
    ['prompts/list', 'prompts'],
  ] as const)('%s shows what may be used, and keeps the cursor', (method, member) => {
    const review = gatewayPolicy(document).review(message(method), caller())
    const result = { [member]: lists[member], nextCursor: 'c', _meta: { a: 1 } }
    expect(review?.(answer(result))).toEqual(answer({ ...result, [member]: seen[member] }))
  })

  it('a stream that answers no request is looked through for every list', () => {
    const review = gatewayPolicy(document).review(undefined, caller())
    expect(review?.(answer(lists))).toEqual(answer(seen))
  })

  it('lists that are none are empty', () => {
    const review = gatewayPolicy(document).review(message('tools/list'), caller())
    expect(review?.(answer({ tools: { 0: { name: 'look' } } }))).toEqual(answer({ tools: [] }))
    expect(review?.(answer({ tools: 'look' }))).toEqual(answer({ tools: [] }))
  })

  it('news of a resource are for who may read it', () => {
    const review = gatewayPolicy(document).review(undefined, caller())
    const news = (uri: unknown): RpcMessage => ({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri },
    })
    expect(review?.(news('docs://a'))).toEqual(news('docs://a'))
    expect(review?.(news('docs://a/b'))).toBeUndefined()
    expect(review?.(news(undefined))).toBeUndefined()
  })

  it('everything else stays the same object', () => {
    const review = gatewayPolicy(document).review(undefined, caller())
    for (const other of [
      answer({ content: [] }),
      answer(null),
      answer([{ tools: [] }]),
      { jsonrpc: '2.0', id: 1, error: { code: 1 } },
      { jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: { tools: [{ name: 'rm' }] } },
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
    ] satisfies RpcMessage[])
      expect(review?.(other)).toBe(other)
  })

  it('answers that show no list need not be read', () => {
    const policy = gatewayPolicy(document)
    for (const method of [
      'tools/call',
      'resources/read',
      'prompts/get',
      'initialize',
      'ping',
      'completion/complete',
    ])
      expect(policy.review(message(method), caller())).toBeUndefined()
    const listen = (notifications: JsonObject) =>
      policy.review(message('subscriptions/listen', { notifications }), caller())
    expect(listen({ toolsListChanged: true })).toBeUndefined()
    expect(listen({ resourceSubscriptions: ['docs://a'] })).toBeTypeOf('function')
  })

  it('read-only shows the tools that say so', () => {
    const review = gatewayPolicy({ readOnly: true, default: 'allow' }).review(message('tools/list'), caller())
    const tools = Object.values(server)
    expect(review?.(answer({ tools }))).toEqual(answer({ tools: [server.look] }))
  })
})

describe('gatewayPolicy', () => {
  it.each([
    [null, 'policy: must be an object'],
    [[], 'policy: must be an object'],
    [{ rulez: [] }, 'policy.rulez: does not exist. Did you mean "rules"?'],
    [{ default: 'alow' }, 'policy.default: must be "deny" or "allow"; did you mean "allow"?'],
    [{ readOnly: 'true' }, 'policy.readOnly: must be true or false'],
    [{ deny: { tool: ['x'] } }, 'policy.deny.tool: does not exist. Did you mean "tools"?'],
    [{ rules: {} }, 'policy.rules: must be a list'],
    [{ rules: [{ tools: 'x' }] }, 'policy.rules[0].tools: must be a list'],
    [{ rules: [{ tools: ['x'] }, { tools: [5] }] }, 'policy.rules[1].tools[0]: must be a text'],
    [{ rules: [{ tools: [''] }] }, 'policy.rules[0].tools[0]: must be a text'],
    [{ rules: [{ tools: ['x'.repeat(2000)] }] }, 'policy.rules[0].tools[0]: is too long'],
    [{ rules: [{ resources: ['docs/*'] }] }, 'policy.rules[0].resources[0]: must begin with a scheme'],
    [{ deny: { resources: ['docs://../x'] } }, 'policy.deny.resources[0]: fits no URI'],
    [
      { rules: [{ who: { scopes: [] }, tools: ['x'] }] },
      'policy.rules[0].who.scopes: must be a list that is not empty',
    ],
    [
      { rules: [{ who: { scopes: ['a b'] }, tools: ['x'] }] },
      'policy.rules[0].who.scopes[0]: must be a scope',
    ],
    [{ rules: [{ who: { subjects: [] }, tools: ['x'] }] }, 'policy.rules[0].who.subjects: must be a list'],
    [{ rules: [{ who: { scope: ['x'] }, tools: ['x'] }] }, 'Did you mean "scopes"?'],
    [{ rules: [{ who: null, tools: ['x'] }] }, 'policy.rules[0].who: must be an object'],
    [{ rules: [{ who: undefined, tools: ['x'] }] }, 'policy.rules[0].who: must be an object'],
    [{ rules: [{}] }, 'policy.rules[0]: allows nothing'],
    [{ rules: [{ callsPerMinute: 5 }] }, 'policy.rules[0]: allows nothing'],
    [{ rules: [{ prompts: ['x'], readOnly: true }] }, 'policy.rules[0].readOnly: has no effect'],
    [{ rules: [{ prompts: ['x'], callsPerMinute: 5 }] }, 'policy.rules[0].callsPerMinute: has no effect'],
    [
      { rules: [{ tools: ['x'], methods: ['a/b'], readOnly: true }] },
      'policy.rules[0].methods: has no effect',
    ],
    [{ rules: [{ methods: ['tools/call'] }] }, 'policy.rules[0].methods[0]: is a method of the protocol'],
    [
      { rules: [{ methods: ['notifications/cancelled'] }] },
      'policy.rules[0].methods[0]: is a method of the protocol',
    ],
    [{ rules: [{ tools: ['x'], arguments: { y: {} } }] }, 'policy.rules[0].arguments.y: fits no tool'],
    [
      { rules: [{ tools: ['x*'], arguments: { 'y*': {} } }] },
      'policy.rules[0].arguments["y*"]: fits no tool',
    ],
    [
      { rules: [{ tools: ['x'], arguments: { x: { typ: 'object' } } }] },
      'policy.rules[0].arguments.x: holds "typ"',
    ],
    [{ rules: [{ tools: ['x'], arguments: { x: true } }] }, 'policy.rules[0].arguments.x: must be an object'],
    [{ requestsPerMinute: 0 }, 'policy.requestsPerMinute: must be a whole number from 1 to 1000000'],
    [{ callsPerMinute: 1.5 }, 'policy.callsPerMinute: must be a whole number'],
    [{ callsPerMinute: '5' }, 'policy.callsPerMinute: must be a whole number'],
    [
      { rules: Array.from({ length: 1001 }, () => ({ tools: ['x'] })) },
      'policy.rules: must hold at most 1000',
    ],
    [JSON.parse('{"__proto__":{"default":"allow"}}'), 'policy.__proto__: does not exist'],
    [Object.create({ default: 'allow' }), 'policy.default: does not exist'],
    [{ constructor: 5 }, 'policy.constructor: does not exist'],
  ])('%j is refused: %s', (document, expected) => {
    expect(() => gatewayPolicy(document as PolicyDocument)).toThrow(TypeError)
    expect(() => gatewayPolicy(document as PolicyDocument)).toThrow(expected)
  })

  it('names everything that is wrong at once', () => {
    const made = () => gatewayPolicy({ rules: [{ tools: [''] }], readOnly: 5 } as never)
    expect(made).toThrow(/policy\.rules\[0\]\.tools\[0\].*\n.*policy\.readOnly/)
  })

  it('repeats no value', () => {
    const made = () =>
      gatewayPolicy({ default: 'sk-live-hunter2', rules: [{ tools: 'sk-live-hunter2' }] } as never)
    expect(made).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hunter2') }))
  })

  it('copies the document', async () => {
    const document = { rules: [{ tools: ['x'] }] }
    const policy = gatewayPolicy(document)
    document.rules[0]!.tools[0] = 'y'
    document.rules.push({ tools: ['*'] })
    expect(policy.judge(call('y'), caller(), noLookup)).toEqual({ kind: 'access_denied' })
  })

  it('checks its options', () => {
    expect(() => gatewayPolicy({}, { clok: 1 } as never)).toThrow('clok')
    expect(() => gatewayPolicy({}, { clock: 1 } as never)).toThrow('clock')
  })

  it('many invented names cost no memory, and change no decision', () => {
    const policy = gatewayPolicy({ rules: [{ tools: ['x*'] }] })
    for (let at = 0; at < 5000; at++) {
      expect(policy.judge(call(`x${at}`), caller(), noLookup)).toEqual({ kind: 'pass' })
      expect(policy.judge(call(`y${at}`), caller(), noLookup)).toEqual({ kind: 'access_denied' })
    }
  })
})
