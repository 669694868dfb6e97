import { AuthError, type TokenVerifier } from 'mcp-bearer'
import { getAccessToken, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, officialClient, openStream } from './feature-peers.ts'
import { alice, bob, directory, memoryLog, rpc, textOf } from './fixtures.ts'

/** Knows alice as somebody else than the outer server does, and bob not at all. */
const inside: TokenVerifier = {
  verifyToken: async (token) =>
    token === alice ? { token, claims: { sub: 'inner-alice', iss: 'inner' }, scopes: ['inner:read'] } : null,
}

const logger = memoryLog().logger

function inner(options: Partial<MCPServerOptions> = {}) {
  const server = new MCPServer({ name: 'inner', logger, ...options })
  const seen: unknown[] = []
  server.tool('who', {}, (_args, ctx) => ({
    auth: ctx.auth?.subject ?? 'nobody',
    ambient: getAccessToken()?.subject ?? 'nobody',
    sdk: (ctx.mcp.http?.authInfo?.extra as { sub?: string } | undefined)?.sub ?? 'nobody',
  }))
  server.tool('guarded', { scopes: ['inner:read'] }, () => 'guarded')
  server.tool('admin', { scopes: ['inner:admin'] }, () => 'admin')
  server.resource('notes://today', {}, (_args, ctx) => {
    seen.push(ctx.uri)
    return 'today'
  })
  server.resource('users://{id}', { complete: { id: (value) => [`${value}-1`] } }, ({ id }, ctx) => {
    seen.push(ctx.uri)
    return `user ${id}`
  })
  server.prompt(
    'greet',
    {
      argsSchema: z.object({ name: z.string() }),
      complete: { name: (_v, { auth }) => [auth?.subject ?? 'nobody'] },
    },
    ({ name }) => `Hello ${name}`,
  )
  return { server, seen }
}

async function mounted(child: MCPServer, options: Partial<MCPServerOptions> = {}) {
  const log = memoryLog()
  const server = new MCPServer({ name: 'outer', logger: log.logger, ...options }, { sessions: false })
  server.tool('own', {}, (_args, ctx) => ctx.auth?.subject ?? 'nobody')
  server.mount(child, { prefix: 'team' })
  return { server, url: await listening(server), ...log }
}

const call = (url: string, token: string | undefined, name: string, args = {}) =>
  ask(url, token, 'tools/call', { name, arguments: args })
const namesOf = (list: unknown) => (list as { name: string }[]).map(({ name }) => name)

describe('names', () => {
  it('tools, resources, templates and prompts have names of their own outside', async () => {
    const { server, seen } = inner()
    const { url } = await mounted(server)
    const client = await officialClient(url, undefined, 'auto')
    expect(namesOf((await client.listTools()).tools)).toEqual(['own', 'team_who'])
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['notes://team/today'])
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { uriTemplate: 'users://team/{id}' },
    ])
    expect(namesOf((await client.listPrompts()).prompts)).toEqual(['team_greet'])
    const { contents } = await client.readResource({ uri: 'notes://team/today' })
    expect(contents).toEqual([{ uri: 'notes://team/today', mimeType: 'text/plain', text: 'today' }])
    expect((await client.readResource({ uri: 'users://team/7' })).contents[0]).toMatchObject({
      uri: 'users://team/7',
      text: 'user 7',
    })
    expect(seen).toEqual(['notes://today', 'users://7'])
    expect(
      (await client.getPrompt({ name: 'team_greet', arguments: { name: 'Ann' } })).messages,
    ).toHaveLength(1)
  })

  it('what has no prefix is not there', async () => {
    const { url } = await mounted(inner().server)
    for (const name of ['who', 'teamwho', 'team_', 'other_who', 'Team_who'])
      expect((await call(url, undefined, name)).error?.code).toBe(-32602)
    for (const uri of ['notes://today', 'notes://teamtoday', 'notes://team', 'users://7'])
      expect((await ask(url, undefined, 'resources/read', { uri })).error?.code).toBe(-32602)
  })

  it('other spellings of a URI reach the same resource, under the same name inside', async () => {
    const { server, seen } = inner()
    const { url } = await mounted(server)
    const { result } = await ask(url, undefined, 'resources/read', { uri: 'notes://te%61m/tod%61y' })
    expect(result.contents).toMatchObject([{ uri: 'notes://te%61m/tod%61y', text: 'today' }])
    expect(seen).toEqual(['notes://today'])
  })

  it('completion of prompts and templates', async () => {
    const { url } = await mounted(inner().server)
    const client = await officialClient(url, undefined, 'auto')
    const complete = async (ref: Parameters<typeof client.complete>[0]['ref'], name: string) =>
      (await client.complete({ ref, argument: { name, value: 'x' } })).completion.values
    expect(await complete({ type: 'ref/resource', uri: 'users://team/{id}' }, 'id')).toEqual(['x-1'])
    expect(await complete({ type: 'ref/prompt', name: 'team_greet' }, 'name')).toEqual(['nobody'])
  })

  it('nested mounts have both prefixes', async () => {
    const { server, seen } = inner({ auth: inside })
    const middle = new MCPServer({ name: 'middle', logger })
    middle.mount(server, { prefix: 'deep' })
    const { url } = await mounted(middle)
    const answer = await call(url, alice, 'team_deep_who')
    expect(answer.result.structuredContent).toEqual({
      auth: 'inner-alice',
      ambient: 'inner-alice',
      sdk: 'inner-alice',
    })
    expect((await call(url, undefined, 'team_deep_who')).status).toBe(401)
    const { result } = await ask(url, alice, 'resources/read', { uri: 'notes://team/deep/today' })
    expect(result.contents).toMatchObject([{ uri: 'notes://team/deep/today', text: 'today' }])
    expect(seen).toEqual(['notes://today'])
  })

  it('a server is mounted neither in itself nor in what it holds', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new MCPServer({ name })) as [
      MCPServer,
      MCPServer,
      MCPServer,
    ]
    expect(() => a.mount(a, { prefix: 'x' })).toThrow(TypeError)
    a.mount(b, { prefix: 'x' })
    b.mount(c, { prefix: 'x' })
    expect(() => c.mount(a, { prefix: 'x' })).toThrow(TypeError)
    expect(() => a.mount({} as MCPServer, { prefix: 'x' })).toThrow(TypeError)
    for (const prefix of ['', 'a_b', 'a/b', '-a', 'a'.repeat(33), 'ä'])
      expect(() => a.mount(new MCPServer({ name: 'd' }), { prefix }), prefix).toThrow(TypeError)
  })

  it('components that come and go inside do so outside, and listeners are told', async () => {
    const { server } = inner()
    const { url } = await mounted(server)
    const stream = await openStream(url, undefined, 'subscriptions/listen', {
      notifications: { toolsListChanged: true, resourceSubscriptions: ['notes://team/today'] },
    })
    expect(await stream.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
    server.tool('later', {}, () => 'later')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    expect(textOf(await call(url, undefined, 'team_later'))).toBe('later')
    server.resourceUpdated('notes://today')
    expect(await stream.next()).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'notes://team/today' },
    })
    server.remove('tool', 'later')
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' })
    expect((await call(url, undefined, 'team_later')).error?.code).toBe(-32602)
    await stream.close()
  })
})

describe('an open server with one inside that asks for a token', () => {
  it('A-17 shows no handler the API key of the one inside, however deep that one is', async () => {
    const showing = (server: MCPServer) =>
      server.tool('shows', {}, (_args, ctx) => Object.fromEntries(ctx.mcp.http?.req?.headers ?? []))
    const keyed = { verifyToken: async (token: string) => (token === 'inner-key' ? { token } : null) }
    const deepest = showing(
      new MCPServer({ name: 'deepest', auth: keyed, logger }, { apiKeyHeader: 'x-inner-key' }),
    )
    const middle = new MCPServer({ name: 'middle', logger })
    const outer = showing(new MCPServer({ name: 'outer', logger }))
    outer.mount(middle, { prefix: 'middle' })
    middle.mount(deepest, { prefix: 'deepest' })
    const url = await listening(outer)
    for (const name of ['shows', 'middle_deepest_shows']) {
      const message = rpc('tools/call', { name, arguments: {} })
      const headers = { ...message.headers, 'x-inner-key': 'inner-key', 'x-other': 'seen' }
      const response = await fetch(url, { method: 'POST', headers, body: message.body })
      const text = await response.text()
      expect([name, response.status, text.includes('x-other')]).toEqual([name, 200, true])
      expect(text).not.toContain('inner-key')
    }
  })

  it('the mounted components need its token, the others none', async () => {
    const { url } = await mounted(inner({ auth: inside }).server)
    expect(textOf(await call(url, undefined, 'own'))).toBe('nobody')
    const refused = await call(url, undefined, 'team_who')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer /)
    const bad = await call(url, bob, 'team_who')
    expect([bad.status, JSON.parse(bad.text).error]).toEqual([401, 'invalid_token'])
    expect((await call(url, alice, 'team_who')).result.structuredContent).toEqual({
      auth: 'inner-alice',
      ambient: 'inner-alice',
      sdk: 'inner-alice',
    })
  })

  it('D-29 what the mounted server shows to some is no public list', async () => {
    const { url } = await mounted(inner({ auth: inside }).server)
    const open = await mounted(inner().server)
    for (const [method, member, sees] of [
      ['tools/list', 'tools', ['own', 'team_who', 'team_guarded']],
      ['prompts/list', 'prompts', ['team_greet']],
    ] as const) {
      const known = await ask(url, alice, method)
      expect([namesOf(known.result[member]), known.result.cacheScope]).toEqual([sees, 'private'])
      const unknown = await ask(url, undefined, method)
      expect(namesOf(unknown.result[member])).toEqual(sees.filter((name) => name === 'own'))
      expect(unknown.result.cacheScope).toBe('private')
      expect((await ask(open.url, undefined, method)).result.cacheScope).toBe('public')
    }
    const read = await ask(url, alice, 'resources/read', { uri: 'notes://team/today' })
    expect(read.result.cacheScope).toBe('private')
    expect((await askLegacy(url, alice, 'tools/list')).result).not.toHaveProperty('cacheScope')
  })

  it('D-53 an answer one caller gave is none of another, who is known only inside', async () => {
    const auth: TokenVerifier = {
      verifyToken: async (token) => ({ token, claims: { sub: token, iss: 'inner' } }),
    }
    const child = new MCPServer({ name: 'inner', auth, logger })
    child.tool('pay', {}, async (_args, ctx) => {
      const { action } = await ctx.elicit({ message: 'Pay?', schema: z.object({}) })
      await ctx.elicit({ message: 'Really?', schema: z.object({}) })
      return `${ctx.auth?.subject} ${action}`
    })
    const { url } = await mounted(child)
    const capabilities = { elicitation: { form: {} } }
    const yes = { action: 'accept', content: {} }
    const pay = async (token: string, more = {}) =>
      ask(url, token, 'tools/call', { name: 'team_pay', ...more }, { capabilities })
    const one = await pay('ann')
    const inputResponses = { 'input-1': yes }
    const two = await pay('ann', { inputResponses, requestState: one.result.requestState })
    expect(Object.keys(two.result.inputRequests as object)).toEqual(['input-2'])
    const stolen = { inputResponses: { 'input-2': yes }, requestState: two.result.requestState }
    expect(textOf(await pay('ann', stolen))).toBe('ann accept')
    const { result } = await pay('eve', stolen)
    expect(Object.keys(result.inputRequests as object)).toEqual(['input-1'])
  })

  it('FL-100 one caller known only inside uses up nothing of another', async () => {
    const auth: TokenVerifier = {
      verifyToken: async (token) => ({ token, claims: { sub: token, iss: 'inner' } }),
    }
    const child = new MCPServer({ name: 'inner', auth, logger })
    child.tool('rare', { rateLimit: 1 }, () => 'rare')
    const { url } = await mounted(child)
    expect((await call(url, 'ann', 'team_rare')).status).toBe(200)
    expect((await call(url, 'ann', 'team_rare')).status).toBe(429)
    expect((await call(url, 'eve', 'team_rare')).status).toBe(200)
  })

  it('a rule, a completion and middleware inside know the caller as the inner server does, and its URIs', async () => {
    const seen: unknown[] = []
    const child = new MCPServer({ name: 'inner', auth: inside, logger })
    child.use(async ({ method, params, auth }, next) => {
      seen.push([method, params.name ?? params.uri ?? params.ref, auth?.subject, getAccessToken()?.subject])
      return next()
    })
    const authorize = ({
      uri,
      name,
      auth,
    }: {
      uri?: string
      name: string
      auth?: { subject?: string } | undefined
    }) => {
      seen.push(['rule', uri ?? name, auth?.subject, getAccessToken()?.subject])
      return uri !== 'users://root'
    }
    child.resource(
      'users://{id}',
      { authorize, complete: { id: () => [`${getAccessToken()?.subject}`] } },
      () => 'x',
    )
    child.tool('tool', { authorize }, () => 'x')
    const outerSees: unknown[] = []
    const { url, server } = await mounted(child, { auth: directory() })
    server.use(async ({ method, params, auth }, next) => {
      outerSees.push([method, params.name ?? params.uri, auth?.subject])
      return next()
    })
    const known = ['inner-alice', 'inner-alice']
    await call(url, alice, 'team_tool')
    expect(seen.splice(0)).toEqual([
      ['rule', 'tool', ...known],
      ['tools/call', 'tool', ...known],
    ])
    expect((await ask(url, alice, 'resources/read', { uri: 'users://team/ann' })).status).toBe(200)
    expect(seen.splice(0)).toEqual([
      ['rule', 'users://ann', ...known],
      ['resources/read', 'users://ann', ...known],
    ])
    for (const uri of ['users://team/root', 'users://te%61m/ro%6Ft'])
      expect((await ask(url, alice, 'resources/read', { uri })).status, uri).toBe(403)
    seen.length = 0
    const ref = { type: 'ref/resource', uri: 'users://team/{id}' }
    const completed = await ask(url, alice, 'completion/complete', {
      ref,
      argument: { name: 'id', value: '' },
    })
    expect(completed.result.completion).toMatchObject({ values: ['inner-alice'] })
    expect(seen.at(-1)).toEqual([
      'completion/complete',
      { type: 'ref/resource', uri: 'users://{id}' },
      ...known,
    ])
    expect(outerSees.slice(0, 2)).toEqual([
      ['tools/call', 'team_tool', 'alice'],
      ['resources/read', 'users://team/ann', 'alice'],
    ])
  })
})

describe('both servers ask for a token', () => {
  it('a caller needs one that both take', async () => {
    const { url } = await mounted(inner({ auth: inside }).server, { auth: directory() })
    expect((await call(url, undefined, 'team_who')).status).toBe(401)
    expect((await call(url, 'unknown-token', 'team_who')).status).toBe(401)
    expect(textOf(await call(url, bob, 'own'))).toBe('bob')
    // Good outside, and not for here: another token of the same kind would not help.
    const refused = await call(url, bob, 'team_who')
    expect([refused.status, JSON.parse(refused.text)]).toEqual([403, { error: 'access_denied' }])
    expect(namesOf((await ask(url, bob, 'tools/list')).result.tools)).toEqual(['own'])
    expect((await call(url, alice, 'team_who')).result.structuredContent).toMatchObject({
      auth: 'inner-alice',
    })
  })

  it('scopes are those the inner server sees', async () => {
    const { url } = await mounted(inner({ auth: inside }).server, { auth: directory() })
    expect(textOf(await call(url, alice, 'team_guarded'))).toBe('guarded')
    const refused = await call(url, alice, 'team_admin')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('scope="inner:admin"')
    expect(namesOf((await ask(url, alice, 'tools/list')).result.tools)).toEqual([
      'own',
      'team_who',
      'team_guarded',
    ])
  })

  it('A-63 scopes that every request to the inner server needs are named', async () => {
    const auth: TokenVerifier = { ...inside, requiredScopes: ['inner:base', 'inner:read'] }
    const { url } = await mounted(inner({ auth }).server, { auth: directory() })
    const refused = await call(url, alice, 'team_who')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    expect(refused.headers.get('www-authenticate')).toContain('scope="inner:base inner:read"')
    expect(namesOf((await ask(url, alice, 'tools/list')).result.tools)).toEqual(['own'])
  })

  it('A-44 an outage of the inner server’s verifier is 503, in calls and in lists, and never a refusal', async () => {
    const auth: TokenVerifier = {
      verifyToken: async () => {
        throw new AuthError('verifier_unavailable', 'the database at 10.0.0.5 is down', { retryAfter: 17 })
      },
    }
    const { url } = await mounted(inner({ auth }).server, { auth: directory() })
    for (const answer of [await call(url, alice, 'team_who'), await ask(url, alice, 'tools/list')]) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '17'])
      expect(answer.text).not.toContain('10.0.0.5')
    }
    expect(textOf(await call(url, alice, 'own'))).toBe('alice')
  })

  it('A-45 an inner verifier that is broken is 500', async () => {
    const auth: TokenVerifier = {
      verifyToken: async () => {
        throw new Error('hunter2')
      },
    }
    const { url } = await mounted(inner({ auth }).server, { auth: directory() })
    for (const answer of [await call(url, alice, 'team_who'), await ask(url, alice, 'tools/list')]) {
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain('hunter2')
    }
  })

  it('the inner verifier is asked once for a call, and once for a list', async () => {
    const verifier = directory()
    const { url } = await mounted(inner({ auth: verifier }).server, { auth: directory() })
    await call(url, alice, 'team_who')
    expect(verifier.asked).toBe(1)
    await ask(url, alice, 'tools/list')
    expect(verifier.asked).toBe(2)
  })

  it('D-42 who is not known inside any more hears of nothing there', async () => {
    let now = 1_000_000
    let isKnown = true
    const auth: TokenVerifier = { verifyToken: async (token) => (isKnown ? inside.verifyToken(token) : null) }
    const clock = () => now
    const child = new MCPServer({ name: 'inner', auth, logger, clock })
    child.resource('notes://today', {}, () => 'x')
    const { url, server } = await mounted(child, { auth: directory() })
    server.resource('own://one', {}, () => 'x')
    const stream = await openStream(url, alice, 'subscriptions/listen', {
      notifications: { resourceSubscriptions: ['notes://team/today', 'own://one'] },
    })
    await stream.next()
    child.resourceUpdated('notes://today')
    expect(await stream.next()).toMatchObject({ params: { uri: 'notes://team/today' } })
    isKnown = false
    now += 1_500
    child.resourceUpdated('notes://today')
    await new Promise((resolve) => setImmediate(resolve))
    server.resourceUpdated('own://one')
    expect(await stream.next()).toMatchObject({ params: { uri: 'own://one' } })
    await stream.close()
  })

  it('FL-98 who listens uses nothing up of the credential when they are looked at again', async () => {
    let now = 1_000_000
    const looks: boolean[] = []
    const auth: TokenVerifier = {
      verifyToken(token, context) {
        looks.push(context?.isRecheck === true)
        return inside.verifyToken(token)
      },
    }
    const child = new MCPServer({ name: 'inner', auth, logger, clock: () => now })
    child.resource('notes://today', {}, () => 'x')
    const { url } = await mounted(child, { auth: directory() })
    const stream = await openStream(url, alice, 'subscriptions/listen', {
      notifications: { resourceSubscriptions: ['notes://team/today'] },
    })
    await stream.next()
    for (let second = 0; second < 2; second++) {
      now += 1_500
      child.resourceUpdated('notes://today')
      expect(await stream.next()).toMatchObject({ params: { uri: 'notes://team/today' } })
    }
    expect(looks).toEqual([false, true, true])
    await stream.close()
  })
})
