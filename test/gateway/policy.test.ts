import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessToken } from '../../src/core/index.ts'
import type { JsonObject, RpcMessage } from '../../src/gateway/message.ts'
import { boundPolicy } from '../../src/gateway/policy/policy-bound.ts'
import type { PolicyDocument, PolicyRule, PolicyThings } from '../../src/gateway/policy/policy-document.ts'
import { gatewayPolicy } from '../../src/gateway/policy/policy-engine.ts'
import type { Judgement, PolicyCaller } from '../../src/gateway/policy.ts'

/** What a policy says, word for word as it is written down, without regard to speed: the engine has to agree with it. */
interface Model {
  judge(asked: RpcMessage, caller: PolicyCaller): Judgement['kind']
  sees(kind: keyof PolicyThings, name: string, caller: PolicyCaller): boolean
}

interface Question {
  readonly kind: keyof PolicyThings
  readonly name: string
  readonly caller: PolicyCaller
  readonly args: JsonObject | undefined
}

interface Tool {
  readonly name: string
  readonly annotations?: { readonly readOnlyHint?: boolean }
}

const tools: readonly Tool[] = [
  { name: 'read_a', annotations: { readOnlyHint: true } },
  { name: 'read_b', annotations: { readOnlyHint: false } },
  { name: 'write_a' },
  { name: '__proto__', annotations: { readOnlyHint: true } },
  { name: 'constructor', annotations: {} },
]
const uris = ['docs://a', 'docs://a/b', 'docs://b', 'other://a/b/c']
const prompts = ['greet', 'toString', 'read_a']
const scopes = ['s1', 's2']
const subjects = ['alice', 'bob']

function isReadOnly(name: string): boolean {
  return tools.find((tool) => tool.name === name)?.annotations?.readOnlyHint === true
}

function fits(glob: string, text: string, kind: keyof PolicyThings): boolean {
  const parts = glob.split(/(\*+)/).map((part) => {
    if (!part.startsWith('*')) return part.replace(/[/.]/g, '\\$&')
    return kind === 'resources' && part.length === 1 ? '[^/]*' : '.*'
  })
  return new RegExp(`^${parts.join('')}$`, 's').test(text)
}

function modelOf(document: PolicyDocument): Model {
  const names = (things: PolicyThings, kind: keyof PolicyThings, name: string) =>
    (things[kind] ?? []).some((glob) => fits(glob, name, kind))

  const others = ({ who = {} }: PolicyRule, { token }: PolicyCaller) =>
    (who.subjects ?? [token.subject ?? '']).some((glob) => fits(glob, token.subject ?? '', 'tools'))

  const scoped = ({ who = {} }: PolicyRule, { token }: PolicyCaller) =>
    (who.scopes ?? []).every((scope) => token.scopes.includes(scope))

  const argued = (rule: PolicyRule, name: string, args: JsonObject) =>
    Object.entries(rule.arguments ?? {}).every(
      ([glob, schema]) =>
        !fits(glob, name, 'tools') ||
        (schema.required as string[]).every((member) => Object.hasOwn(args, member)),
    )

  /** Whether a tool changes something is asked last. */
  function decide(
    kind: keyof PolicyThings,
    name: string,
    caller: PolicyCaller,
    args?: JsonObject,
  ): Judgement['kind'] {
    const truth = decideAs(kind === 'tools' && !isReadOnly(name), { kind, name, caller, args })
    const atBest = decideAs(false, { kind, name, caller, args })
    return truth === 'pass' || atBest === 'pass' ? truth : atBest
  }

  function decideAs(changes: boolean, { kind, name, caller, args }: Question): Judgement['kind'] {
    if (names(document.deny ?? {}, kind, name)) return 'access_denied'
    if (document.readOnly && changes) return 'access_denied'
    const about = (document.rules ?? []).filter((rule) => names(rule, kind, name))
    if (about.length === 0) return document.default === 'allow' ? 'pass' : 'access_denied'
    const mine = about.filter((rule) => others(rule, caller) && !(rule.readOnly && changes))
    const isArgued = (rule: PolicyRule) => args === undefined || argued(rule, name, args)
    if (mine.some((rule) => scoped(rule, caller) && isArgued(rule))) return 'pass'
    if (mine.some((rule) => scoped(rule, caller))) return 'arguments'
    return mine.some(isArgued) ? 'insufficient_scope' : 'access_denied'
  }

  return {
    judge({ method, params = {} }, caller) {
      if (method === 'tools/call')
        return decide('tools', String(params.name), caller, (params.arguments ?? {}) as JsonObject)
      if (method === 'prompts/get') return decide('prompts', String(params.name), caller)
      if (method === 'resources/read') return decide('resources', String(params.uri), caller)
      if (method === 'ping') return 'pass'
      const naming = (document.rules ?? []).filter(
        (rule) => rule.methods?.includes(String(method)) && others(rule, caller),
      )
      if (document.readOnly || naming.length === 0) return 'access_denied'
      return naming.some((rule) => scoped(rule, caller)) ? 'pass' : 'insufficient_scope'
    },
    sees: (kind, name, caller) => decide(kind, name, caller) === 'pass',
  }
}

const some = <T>(...values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 })
const things = {
  tools: some('*', 'read_*', '*_a', 'write_a', '__proto__', 'constructor', 'r*d*b', 'nope'),
  resources: some('**', 'docs://*', 'docs://**', '*://a/**', 'docs://a', '**/b', 'nope:x'),
  prompts: some('*', 'greet', 'to*', 'nope'),
}
const who = fc.record(
  {
    scopes: fc.uniqueArray(fc.constantFrom(...scopes), { minLength: 1, maxLength: 2 }),
    subjects: fc.uniqueArray(fc.constantFrom('*', 'al*', 'bob', 'carol'), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const rule = fc
  .record(
    {
      ...things,
      who,
      methods: some('acme/do', 'acme/other'),
      readOnly: fc.boolean(),
      arguments: fc.dictionary(
        fc.constantFrom('*', 'read_*', '*_a'),
        some('x', 'y').map((required) => ({ required })),
        { maxKeys: 2 },
      ),
    },
    { requiredKeys: ['tools'] },
  )
  .map((made): PolicyRule => {
    const { arguments: args, methods, ...others } = made
    // What has no effect is refused: `*` meets every pattern, and methods are not for rules that are read-only.
    return {
      ...others,
      ...(args && { arguments: args, tools: [...made.tools, '*'] }),
      ...(methods && !made.readOnly && { methods }),
    } as PolicyRule
  })
const document = fc.record(
  {
    default: fc.constantFrom('deny', 'allow'),
    readOnly: fc.boolean(),
    deny: fc.record(things, { requiredKeys: [] }),
    rules: fc.array(rule, { maxLength: 4 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<PolicyDocument>

const caller = fc
  .tuple(some(...scopes), fc.constantFrom(...subjects))
  .map(([granted, subject]): PolicyCaller => {
    const token = new AccessToken({ token: 'sk-secret', clientId: 'app', subject, scopes: granted })
    return { token, covers: (needed) => needed.every((scope) => granted.includes(scope)) }
  })

const call = (name: string, args: JsonObject = {}): RpcMessage => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
})
const read = (uri: string): RpcMessage => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'resources/read',
  params: { uri },
})
const get = (name: string): RpcMessage => ({ jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name } })
const toolNames = [...tools.map(({ name }) => name), 'unknown']
const message = fc.oneof(
  fc
    .tuple(fc.constantFrom(...toolNames), fc.constantFrom({}, { x: 1 }, { y: 1 }, { x: 1, y: 1 }))
    .map(([name, args]) => call(name, args)),
  fc.constantFrom(...uris).map(read),
  fc.constantFrom(...prompts).map(get),
  fc
    .constantFrom('ping', 'acme/do', 'acme/other', 'tasks/list')
    .map((method): RpcMessage => ({ jsonrpc: '2.0', id: 1, method })),
)

const toolNamed = async (name: string) => tools.find((tool) => tool.name === name) as JsonObject | undefined

function listed(
  policy: ReturnType<typeof gatewayPolicy>,
  asks: string,
  result: JsonObject,
  who: PolicyCaller,
): JsonObject {
  const review = policy.review({ jsonrpc: '2.0', id: 1, method: asks }, who)
  const answer: RpcMessage = { jsonrpc: '2.0', id: 1, result }
  return (review ? review(answer) : answer)?.result as JsonObject
}

describe('a policy', () => {
  it('decides as it is written, whatever is written and asked', async () => {
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(
        document,
        fc.array(message, { minLength: 5, maxLength: 5 }),
        caller,
        async (policy, asked, who) => {
          const engine = gatewayPolicy(policy)
          const model = modelOf(policy)
          for (const one of asked) {
            const { kind } = await engine.judge(one, who, toolNamed)
            seen.set(kind, (seen.get(kind) ?? 0) + 1)
            expect([one, kind]).toEqual([one, model.judge(one, who)])
          }
        },
      ),
      { numRuns: 400 },
    )
    expect([...seen.keys()].sort()).toEqual(['access_denied', 'arguments', 'insufficient_scope', 'pass'])
  })

  it('shows in lists what could be used, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(document, caller, async (policy, who) => {
        const engine = gatewayPolicy(policy)
        const isUsable = async (one: RpcMessage) => (await engine.judge(one, who, toolNamed)).kind === 'pass'
        const shownTools = listed(engine, 'tools/list', { tools }, who).tools
        // With all the arguments that any schema here requires.
        const usableTools = await kept(tools, ({ name }) => isUsable(call(name, { x: 1, y: 1 })))
        expect(shownTools).toEqual(usableTools)
        const resources = uris.map((uri) => ({ uri }))
        expect(listed(engine, 'resources/list', { resources }, who).resources).toEqual(
          await kept(resources, ({ uri }) => isUsable(read(uri))),
        )
        const all = prompts.map((name) => ({ name }))
        expect(listed(engine, 'prompts/list', { prompts: all }, who).prompts).toEqual(
          await kept(all, ({ name }) => isUsable(get(name))),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('lets a token that is bound to tools do less, and never more', async () => {
    await fc.assert(
      fc.asyncProperty(document, message, caller, some(...toolNames), async (policy, asked, who, bound) => {
        const inner = gatewayPolicy(policy)
        const { subject, scopes: granted } = who.token
        const init = { token: 'sk-secret', clientId: 'app', subject, scopes: granted, tools: bound }
        const limited = { ...who, token: new AccessToken(init) }
        const { kind } = await boundPolicy(inner).judge(asked, limited, toolNamed)
        const free = await inner.judge(asked, who, toolNamed)
        const { method, params } = asked
        const isWithin =
          method === 'ping' || (method === 'tools/call' && bound.includes(String(params?.name)))
        expect(kind).toBe(isWithin ? free.kind : 'access_denied')
      }),
      { numRuns: 200 },
    )
  })
})

async function kept<T>(items: readonly T[], isGood: (item: T) => Promise<boolean>): Promise<readonly T[]> {
  const good = await Promise.all(items.map(isGood))
  return items.filter((_, at) => good[at])
}
