import { AuthError } from 'mcp-bearer'
import {
  type AuthorizeRequest,
  getAccessToken,
  type HttpOptions,
  MCPServer,
  type MCPServerOptions,
  requireScopes,
} from 'mcp-bearer/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, askLegacy, listening, openSession } from './feature-peers.ts'
import { alice, bob, directory, memoryLog, type Revision, revisions, textOf } from './fixtures.ts'

type Rule = (request: AuthorizeRequest) => unknown

/** A server whose tool, resource, template and prompt are all under one rule. */
async function serve(
  rule: Rule,
  options: Partial<MCPServerOptions> = {},
  http: HttpOptions = { sessions: false },
) {
  const asked: AuthorizeRequest[] = []
  const ran: string[] = []
  const log = memoryLog()
  const server = new MCPServer({ name: 'ruled', auth: directory(), logger: log.logger, ...options }, http)
  const authorize = ((request: AuthorizeRequest) => {
    asked.push(request)
    return rule(request)
  }) as () => boolean
  const args = z.object({ n: z.string() }).partial()
  server.tool('open', {}, () => 'open')
  server.tool('tool', { authorize, inputSchema: args }, () => void ran.push('tool'))
  server.resource('notes://one', { authorize }, () => ran.push('resource'))
  server.resource('users://{id}', { authorize, complete: { id: () => ['x'] } }, ({ id }) => {
    ran.push(`template ${id}`)
    return 'x'
  })
  server.prompt('prompt', { authorize, argsSchema: args, complete: { n: () => ['x'] } }, () => {
    ran.push('prompt')
    return 'x'
  })
  return { server, url: await listening(server), asked, ran, ...log }
}

const uses = [
  ['tools/call', { name: 'tool', arguments: { n: '1' } }],
  ['resources/read', { uri: 'notes://one' }],
  ['resources/read', { uri: 'users://7' }],
  ['prompts/get', { name: 'prompt', arguments: { n: '1' } }],
] as const

const lists = [
  ['tools/list', 'tools', 1],
  ['resources/list', 'resources', 0],
  ['resources/templates/list', 'resourceTemplates', 0],
  ['prompts/list', 'prompts', 0],
] as const

const senders = { '2026-07-28': ask, '2025-11-25': askLegacy }

describe.each(revisions)('authorize in %s', (revision: Revision) => {
  const send = senders[revision]

  it.each(uses)('%s %j: true lets in, and the rule is asked once', async (method, params) => {
    const { url, asked, ran } = await serve(async () => true)
    const answer = await send(url, bob, method, params)
    expect([answer.status, answer.error, ran.length, asked.length]).toEqual([200, undefined, 1, 1])
    expect(asked[0]?.auth?.subject).toBe('bob')
    expect(asked[0]).toMatchObject('uri' in params ? { uri: params.uri } : { arguments: { n: '1' } })
  })

  it.each(uses)('A-41 %s %j: false is 403 that no scope would cure', async (method, params) => {
    const { url, ran } = await serve(() => false)
    const answer = await send(url, alice, method, params)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([403, null])
    expect(JSON.parse(answer.text)).toEqual({ error: 'access_denied' })
    expect(ran).toEqual([])
  })

  it.each(uses)(
    'A-63 %s %j: scopes are 403 that names them, and let in who has them',
    async (method, params) => {
      const { url, ran } = await serve(() => ['admin', 'read'])
      const answer = await send(url, bob, method, params)
      expect(answer.status).toBe(403)
      expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
      expect(answer.headers.get('www-authenticate')).toContain('scope="admin read"')
      expect(ran).toEqual([])
      expect((await send(url, alice, method, params)).status).toBe(200)
      expect(ran).toHaveLength(1)
    },
  )

  it.each(uses)('FL-70 %s %j: what a rule throws is 500 and stays here', async (method, params) => {
    const { url, ran, entries } = await serve(() => {
      throw new Error('hunter2: postgres at 10.0.0.5 is down')
    })
    const answer = await send(url, alice, method, params)
    expect(answer.status).toBe(500)
    expect(answer.text + JSON.stringify([...answer.headers])).not.toMatch(/hunter2|postgres/)
    expect(JSON.stringify(entries)).toContain('hunter2')
    expect(ran).toEqual([])
  })

  it.each([undefined, null, 0, 'admin', [1], ['a b'], {}, [['admin']]])(
    'an answer that is none, %j, is 500',
    async (odd) => {
      const { url, ran } = await serve(() => odd)
      expect((await send(url, alice, ...uses[0])).status).toBe(500)
      expect(ran).toEqual([])
    },
  )

  it('an empty list says that no scope would help', async () => {
    const { url, ran } = await serve(() => [])
    const answer = await send(url, alice, ...uses[0])
    expect([answer.status, JSON.parse(answer.text), ran]).toEqual([403, { error: 'access_denied' }, []])
  })

  it('an error that some other server answered to the rule is 500: it says nothing of our caller', async () => {
    const { url } = await serve(() => {
      throw new AuthError('invalid_token', 'refused', { status: 401 })
    })
    const answer = await send(url, alice, ...uses[0])
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([500, null])
  })

  it('the rule knows who asks, also by getAccessToken() and requireScopes()', async () => {
    const { url } = await serve(() => {
      requireScopes('admin')
      return getAccessToken()?.subject === 'alice'
    })
    expect((await send(url, alice, ...uses[0])).status).toBe(200)
    const refused = await send(url, bob, ...uses[0])
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin"')
  })

  it.each(lists)(
    'FL-63 %s: what a rule forbids is hidden, whatever kind of no it is',
    async (method, member, left) => {
      for (const rule of [() => false, () => ['write'], () => requireScopes('write')]) {
        const { url } = await serve(rule)
        expect((await send(url, bob, method)).result[member]).toHaveLength(left)
      }
      const { url, asked } = await serve(() => true)
      expect((await send(url, bob, method)).result[member]).toHaveLength(left + 1)
      expect(asked).toHaveLength(1)
      expect(asked[0]).not.toHaveProperty('arguments')
    },
  )

  it.each(lists)('FL-70 %s: a rule that throws is 500 and stays here', async (method) => {
    const { url, entries } = await serve(() => {
      throw new Error('hunter2')
    })
    const answer = await send(url, bob, method)
    expect([answer.status, answer.text.includes('hunter2')]).toEqual([500, false])
    expect(JSON.stringify(entries)).toContain('hunter2')
  })

  it('decides by the arguments, as they were sent, before they are validated', async () => {
    const { url, ran } = await serve(
      ({ arguments: args }) => (args as { n?: string } | undefined)?.n !== 'secret',
    )
    const call = (n: unknown) => send(url, bob, 'tools/call', { name: 'tool', arguments: { n } })
    expect((await call('secret')).status).toBe(403)
    expect((await call('public')).status).toBe(200)
    expect((await call({ toString: 'secret' })).result.isError).toBe(true)
    expect(ran).toEqual(['tool'])
  })

  it.each(['users://b%6Fb', 'users://%62%6f%62', 'users://bob'])(
    'no spelling of a URI gets past a rule that compares it: %s',
    async (uri) => {
      const { url, ran } = await serve((request) => request.uri !== 'users://bob')
      expect((await send(url, alice, 'resources/read', { uri })).status).toBe(403)
      expect(ran).toEqual([])
    },
  )

  it('anonymous callers: no is 401, and yes lets them in', async () => {
    const { url } = await serve(({ auth }) => auth !== undefined, { optionalAuth: true })
    expect((await send(url, undefined, ...uses[0])).status).toBe(401)
    expect((await send(url, bob, ...uses[0])).status).toBe(200)
    expect((await send(url, undefined, 'tools/list')).result.tools).toHaveLength(1)
    const scoped = await serve(() => ['read'], { optionalAuth: true })
    expect((await send(scoped.url, undefined, ...uses[0])).status).toBe(401)
    const all = await serve(() => true, { optionalAuth: true })
    expect((await send(all.url, undefined, ...uses[0])).status).toBe(200)
  })

  it('what a rule forbids is unknown to completion, and a rule that throws is 500 there, too', async () => {
    const refs = [
      { type: 'ref/prompt', name: 'prompt' },
      { type: 'ref/resource', uri: 'users://{id}' },
    ]
    const argument = { name: 'n', value: '' }
    for (const ref of refs) {
      const hidden = await serve(() => false)
      const { error } = await send(hidden.url, bob, 'completion/complete', { ref, argument })
      const unknown = ref.type === 'ref/prompt' ? { ...ref, name: 'no' } : { ...ref, uri: 'no://{id}' }
      const nothing = await send(hidden.url, bob, 'completion/complete', { ref: unknown, argument })
      expect(error).toEqual(nothing.error)
      expect(error?.code).toBe(-32602)
      const broken = await serve(() => {
        throw new Error('hunter2')
      })
      const answer = await send(broken.url, bob, 'completion/complete', { ref, argument })
      expect([answer.status, answer.text.includes('hunter2')]).toEqual([500, false])
    }
  })

  it('scopes come before the rule', async () => {
    const asked: unknown[] = []
    const server = new MCPServer({ name: 's', auth: directory() }, { sessions: false })
    const authorize = () => {
      asked.push(1)
      return ['read', 'write']
    }
    server.tool('both', { scopes: ['admin'], authorize }, () => 'x')
    const url = await listening(server)
    const few = await send(url, bob, 'tools/call', { name: 'both' })
    expect([few.status, asked]).toEqual([403, []])
    const more = await send(url, alice, 'tools/call', { name: 'both' })
    expect(more.headers.get('www-authenticate')).toContain('scope="admin read write"')
  })
})

describe('authorize in a session', () => {
  it('is asked with the token of each message, once', async () => {
    const { url, asked, ran } = await serve(({ auth }) => auth?.subject === 'bob', {}, {})
    const session = await openSession(url, bob)
    expect(textOf(await askLegacy(url, bob, 'tools/call', { name: 'open' }, session))).toBe('open')
    expect((await askLegacy(url, bob, ...uses[0], session)).status).toBe(200)
    expect([asked.length, ran]).toEqual([1, ['tool']])
    const own = await openSession(url, alice)
    expect((await askLegacy(url, alice, ...uses[0], own)).status).toBe(403)
  })

  it('FL-70 subscribing under a rule that throws is 500, under one that forbids 403', async () => {
    let rule: Rule = () => {
      throw new Error('hunter2')
    }
    const { url } = await serve((request) => rule(request), {}, {})
    const session = await openSession(url, bob)
    const subscribe = (uri: string) => askLegacy(url, bob, 'resources/subscribe', { uri }, session)
    const broken = await subscribe('notes://one')
    expect([broken.status, broken.text.includes('hunter2')]).toEqual([500, false])
    rule = ({ uri }) => uri !== 'users://bob'
    expect((await subscribe('users://%62ob')).status).toBe(403)
    expect((await subscribe('users://ann')).status).toBe(200)
    expect((await subscribe('none://ann')).error?.code).toBe(-32602)
  })
})
