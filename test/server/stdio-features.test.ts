import { PassThrough } from 'node:stream'
import { AccessToken, MCPServer } from 'mcp-bearer/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rpc } from './fixtures.ts'

const real = { stdin: process.stdin, stdout: process.stdout }
const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close()
  for (const name of ['stdin', 'stdout'] as const)
    Object.defineProperty(process, name, { value: real[name], configurable: true })
})

type Message = { id?: unknown; method?: string; params?: Record<string, unknown>; [more: string]: unknown }

/** A client at the other end of the pipes. */
async function piped(server: MCPServer, identity?: AccessToken) {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true })
  Object.defineProperty(process, 'stdout', { value: stdout, configurable: true })
  closing.push(await server.stdio(identity))
  let text = ''
  const lines = stdout[Symbol.asyncIterator]()
  async function next(): Promise<Message> {
    for (;;) {
      const end = text.indexOf('\n')
      if (end >= 0) {
        const line = text.slice(0, end)
        text = text.slice(end + 1)
        return JSON.parse(line)
      }
      text += String((await lines.next()).value)
    }
  }
  const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  let id = 0
  return {
    next,
    send,
    /** The answer, and what came before it. */
    async ask(method: string, params: Record<string, unknown> = {}) {
      const own = ++id
      send({ id: own, method, params })
      const before: Message[] = []
      for (;;) {
        const message = await next()
        if (message.id === own && message.method === undefined)
          return {
            ...(message as { result?: Record<string, unknown>; error?: { code: number; message: string } }),
            before,
          }
        before.push(message)
      }
    },
  }
}

async function legacy(server: MCPServer, identity?: AccessToken, capabilities: object = {}) {
  const client = await piped(server, identity)
  const clientInfo = { name: 'pipe', version: '1' }
  await client.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo })
  client.send({ method: 'notifications/initialized' })
  return client
}

/** Parameters with the envelope of 2026-07-28. */
function enveloped(params: Record<string, unknown> = {}, capabilities: object = {}): Record<string, unknown> {
  const { params: full } = JSON.parse(rpc('x', params).body)
  full._meta['io.modelcontextprotocol/clientCapabilities'] = capabilities
  return full
}

const ann = new AccessToken({ token: 'local', claims: { sub: 'ann', iss: 'here' }, scopes: ['read'] })

function served() {
  const asked: unknown[] = []
  const server = new MCPServer({ name: 'piped', logger: () => {} })
  const authorize = ({ auth, uri }: { auth: AccessToken | undefined; uri?: string }) => {
    asked.push(uri)
    return auth?.subject === 'ann' && uri !== 'ruled://no'
  }
  server.tool('who', {}, (_args, ctx) => ctx.auth?.subject ?? 'nobody')
  server.tool('read', { scopes: ['read'] }, () => 'read')
  server.tool('admin', { scopes: ['admin'] }, () => 'admin')
  server.tool('ruled', { authorize }, () => 'ruled')
  server.resource('open://one', {}, () => 'x')
  server.resource('ruled://{id}', { authorize, complete: { id: () => ['7'] } }, ({ id }) => id)
  server.tool('colour', {}, async (_args, ctx) => {
    const schema = z.object({ colour: z.string() })
    const { content } = await ctx.elicit<{ colour: string }>({ message: 'Which?', schema })
    return content?.colour
  })
  server.tool('report', {}, async (_args, ctx) => {
    await ctx.progress(1, 2)
    await ctx.log('info', 'half')
    return 'done'
  })
  return { server, asked }
}

const namesOf = (list: unknown) => (list as { name: string }[]).map(({ name }) => name)
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('D-70 identity over stdio', () => {
  it('nobody is known unless somebody says so: scopes and rules stay closed', async () => {
    const { server } = served()
    const { ask } = await legacy(server)
    expect(namesOf((await ask('tools/list')).result?.tools)).toEqual(['who', 'colour', 'report'])
    expect((await ask('tools/call', { name: 'who' })).result?.content).toMatchObject([{ text: 'nobody' }])
    for (const name of ['read', 'admin', 'ruled'])
      expect((await ask('tools/call', { name })).error?.message, name).toContain('Authentication required')
  })

  it('who is said to be there gets what their scopes and the rules allow', async () => {
    const { server, asked } = served()
    const { ask } = await legacy(server, ann)
    expect(namesOf((await ask('tools/list')).result?.tools)).toEqual([
      'who',
      'read',
      'ruled',
      'colour',
      'report',
    ])
    expect((await ask('tools/call', { name: 'who' })).result?.content).toMatchObject([{ text: 'ann' }])
    expect((await ask('tools/call', { name: 'read' })).result?.content).toMatchObject([{ text: 'read' }])
    expect((await ask('tools/call', { name: 'admin' })).error?.message).toContain('admin')
    asked.length = 0
    expect((await ask('tools/call', { name: 'ruled' })).result?.content).toMatchObject([{ text: 'ruled' }])
    expect(asked).toHaveLength(1)
    expect((await ask('resources/read', { uri: 'ruled://%6Eo' })).error).toBeDefined()
    expect((await ask('resources/read', { uri: 'ruled://yes' })).result?.contents).toMatchObject([
      { text: 'yes' },
    ])
  })

  it('A-41 who is bound to tools gets these, and hears of nothing else', async () => {
    const { server } = served()
    const bound = new AccessToken({ token: 'local', scopes: ['read'], tools: ['read', 'later'] })
    const { ask, next } = await legacy(server, bound)
    expect(namesOf((await ask('tools/list')).result?.tools)).toEqual(['read'])
    expect((await ask('resources/list')).result?.resources).toEqual([])
    expect((await ask('tools/call', { name: 'read' })).result?.content).toMatchObject([{ text: 'read' }])
    const refused = await ask('tools/call', { name: 'who' })
    expect(refused.error?.message).toContain('Access denied')
    for (const [method, params] of [
      ['resources/read', { uri: 'open://one' }],
      ['resources/subscribe', { uri: 'open://one' }],
      [
        'completion/complete',
        { ref: { type: 'ref/resource', uri: 'ruled://{id}' }, argument: { name: 'id', value: '' } },
      ],
    ] as const)
      expect((await ask(method, params)).error, method).toBeDefined()
    server.resource('open://two', {}, () => 'x')
    server.tool('sooner', {}, () => '')
    await turn()
    server.tool('later', {}, () => '')
    expect((await next()).method).toBe('notifications/tools/list_changed')
    // Had it heard of more, it would come before the answer.
    expect((await ask('ping')).before).toEqual([])
  })

  it('D-29 a list that is made for somebody is private, also on a server without auth', async () => {
    const server = new MCPServer({ name: 'plain', logger: () => {} }).tool('who', {}, () => 'x')
    const { ask } = await piped(server, new AccessToken({ token: 'local', tools: ['who'] }))
    expect((await ask('tools/list', enveloped())).result).toMatchObject({ cacheScope: 'private' })
  })

  it('an identity that is none is refused', async () => {
    await expect(served().server.stdio({ subject: 'ann' } as never)).rejects.toThrow(TypeError)
  })

  it('a mounted server is as open as it would be over stdio by itself: its scopes stay closed', async () => {
    const inner = new MCPServer({ name: 'inner', auth: { verifyToken: async () => null } })
    inner.tool('one', {}, (_args, ctx) => ctx.auth?.subject ?? 'nobody')
    inner.tool('read', { scopes: ['read'] }, () => 'read')
    const outer = new MCPServer({ name: 'outer', logger: () => {} })
    outer.mount(inner, { prefix: 'in' })
    const { ask } = await legacy(outer)
    expect(namesOf((await ask('tools/list')).result?.tools)).toEqual(['in_one'])
    expect((await ask('tools/call', { name: 'in_one' })).result?.content).toMatchObject([{ text: 'nobody' }])
    expect((await ask('tools/call', { name: 'in_read' })).error?.message).toContain('Authentication required')
  })
})

describe('2025-11-25 over stdio', () => {
  it('asks while the call waits', async () => {
    const client = await legacy(served().server, undefined, { elicitation: {} })
    client.send({ id: 'c', method: 'tools/call', params: { name: 'colour' } })
    const question = await client.next()
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Which?' } })
    client.send({ id: question.id, result: { action: 'accept', content: { colour: 'red' } } })
    expect(await client.next()).toMatchObject({ id: 'c', result: { content: [{ text: 'red' }] } })
  })

  it('progress and log lines come before the answer', async () => {
    const { ask } = await legacy(served().server)
    const { before } = await ask('tools/call', { name: 'report', _meta: { progressToken: 'p' } })
    expect(before.map(({ method }) => method)).toEqual(['notifications/progress', 'notifications/message'])
  })

  it('D-42 tells of resources only who subscribed, and may read them', async () => {
    const { server } = served()
    const { ask, next } = await legacy(server, ann)
    server.resourceUpdated('open://one')
    await turn()
    expect((await ask('resources/subscribe', { uri: 'open://one' })).before).toEqual([])
    expect((await ask('resources/subscribe', { uri: 'ruled://no' })).error).toBeDefined()
    server.resourceUpdated('ruled://no')
    server.resourceUpdated('open://one')
    expect(await next()).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'open://one' },
    })
    await ask('resources/unsubscribe', { uri: 'open://one' })
    server.resourceUpdated('open://one')
    await turn()
    server.tool('later', {}, () => 'x')
    expect(await next()).toMatchObject({ method: 'notifications/tools/list_changed' })
  })
})

describe('2026-07-28 over stdio', () => {
  it('asks in rounds', async () => {
    const { ask } = await piped(served().server)
    const capabilities = { elicitation: { form: {} } }
    const first = await ask('tools/call', enveloped({ name: 'colour' }, capabilities))
    expect(first.result).toMatchObject({ resultType: 'input_required' })
    const inputResponses = { 'input-1': { action: 'accept', content: { colour: 'red' } } }
    const { requestState } = first.result!
    const again = { name: 'colour', inputResponses, requestState }
    const second = await ask('tools/call', enveloped(again, capabilities))
    expect(second.result?.content).toMatchObject([{ text: 'red' }])
    const forged = await ask(
      'tools/call',
      enveloped({ ...again, requestState: `${requestState}x` }, capabilities),
    )
    expect(forged.error?.code).toBe(-32602)
  })

  it('D-42 tells only who listens of what they may read', async () => {
    const { server } = served()
    const { ask, send, next } = await piped(server, ann)
    await ask('tools/list', enveloped())
    server.resourceUpdated('open://one')
    await turn()
    const uris = ['open://one', 'ruled://no', 'ruled://7']
    send({
      id: 'l',
      method: 'subscriptions/listen',
      params: enveloped({ notifications: { resourceSubscriptions: uris } }),
    })
    expect(await next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
    server.resourceUpdated('ruled://no')
    server.resourceUpdated('ruled://7')
    expect(await next()).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'ruled://7' },
    })
  })

  it('middleware and completion work as over HTTP', async () => {
    const { server } = served()
    const seen: string[] = []
    server.use(async ({ method }, following) => {
      seen.push(method)
      return following()
    })
    const { ask } = await piped(server, ann)
    const ref = { type: 'ref/resource', uri: 'ruled://{id}' }
    const completed = await ask(
      'completion/complete',
      enveloped({ ref, argument: { name: 'id', value: '' } }),
    )
    expect(completed.result?.completion).toMatchObject({ values: ['7'] })
    await ask('tools/call', enveloped({ name: 'who' }))
    expect(seen).toEqual(['completion/complete', 'tools/call'])
  })
})

describe('an identity that is bound to tools', () => {
  it('A-41 is refused the same whether something exists or not', async () => {
    const server = new MCPServer({ name: 'piped' })
    server.tool('search', {}, () => 'found')
    server.tool('other', {}, () => 'other')
    server.resource('notes://today', { name: 'today' }, () => 'private')
    server.prompt(
      'summary',
      { argsSchema: z.object({ q: z.string() }), complete: { q: () => ['private'] } },
      () => 'private',
    )
    const bound = new AccessToken({ token: 'local', clientId: 'desk', tools: ['search'] })
    const client = await legacy(server, bound)
    const found = await client.ask('tools/call', { name: 'search', arguments: {} })
    expect(found.result).toMatchObject({ content: [{ text: 'found' }] })
    const argument = { name: 'q', value: '' }
    const prompt = (name: string) => ({ ref: { type: 'ref/prompt', name }, argument })
    for (const [method, there, nowhere] of [
      ['tools/call', { name: 'other' }, { name: 'nowhere' }],
      ['resources/read', { uri: 'notes://today' }, { uri: 'notes://nowhere' }],
      ['resources/subscribe', { uri: 'notes://today' }, { uri: 'notes://nowhere' }],
      ['prompts/get', { name: 'summary', arguments: { q: 'x' } }, { name: 'nowhere' }],
      ['completion/complete', prompt('summary'), prompt('nowhere')],
    ] as const) {
      const { error } = await client.ask(method, there)
      expect([method, error]).toEqual([method, (await client.ask(method, nowhere)).error])
      expect(error).toBeDefined()
    }
  })
})
