import {
  type HandlerContext,
  type HttpOptions,
  MCPServer,
  type MCPServerOptions,
  requireScopes,
  ToolError,
} from 'mcp-bearer/server'
import { z } from 'zod'
import { slowOnly } from '../../src/server/server-parts.ts'
import { directory } from './fixtures.ts'

/** Two servers that are equal but for the lane that answers. */
export interface World {
  readonly fast: Side
  readonly slow: Side
  /** Lets time pass on both: what depends on it must not depend on which side was asked first. */
  pass(ms: number): void
}

/** One server of a {@link World}, and what has happened in it. */
export interface Side {
  readonly server: MCPServer
  /** What ran since somebody looked, in order. */
  ran(): readonly string[]
}

/** How a {@link World} is made. */
export interface WorldSettings {
  readonly options?: Partial<MCPServerOptions>
  readonly http?: HttpOptions
  /** Without `auth`. */
  readonly isOpen?: boolean
  /** Gives both sides what they have. Default: everything. */
  readonly fill?: (server: MCPServer, note: Note) => void
}

/** Remembers that something ran. */
export type Note = (what: string, args?: unknown) => void

/** Signs the states of both sides, so that what one gave out the other must take. */
const stateKey = 'the same on both sides, for these tests'

export function world(settings: WorldSettings = {}): World {
  const { options = {}, http = {}, isOpen = false, fill = everything } = settings
  let now = 1_800_000_000_000
  const side = (isSlow: boolean): Side => {
    const happened: string[] = []
    const verifier = directory()
    const auth = isOpen ? {} : { auth: verifier }
    const httpOptions: HttpOptions = { sessions: false, stateKey, ...http }
    if (isSlow) slowOnly.add(httpOptions)
    const server = new MCPServer(
      { name: 'world', version: '1.0.0', ...auth, logger: () => {}, clock: () => now, ...options },
      httpOptions,
    )
    fill(
      server,
      (what, args) => void happened.push(args === undefined ? what : `${what} ${JSON.stringify(args)}`),
    )
    return {
      server,
      ran() {
        if (verifier.asked > 0) happened.push(`verified ${verifier.asked}`)
        verifier.asked = 0
        return happened.splice(0)
      },
    }
  }
  return {
    fast: side(false),
    slow: side(true),
    pass(ms) {
      now += ms
    },
  }
}

export const toolNames = [
  'echo',
  'anything',
  'secret',
  'hidden',
  'throws',
  'fails',
  'refuses',
  'refuses_late',
  'steps',
  'tells',
  'asks',
  'asks_twice',
  'pictures',
  'misshapen',
  'headed',
  'limited',
  'ruled',
  'broken_rule',
  'client',
  'sdk',
]
export const uris = [
  'notes://today',
  'notes://bytes',
  'secrets://all',
  'broken://x',
  'asking://x',
  'users://42',
  'users://%2e%2e',
  'files://a/b/c',
  'members://7',
]
export const promptNames = ['greet', 'admin_prompt', 'broken', 'asking', 'misshapen']

/** Everything a server can have, and every way in which a handler can end. */
export function everything(server: MCPServer, note: Note): void {
  answeringTools(server, note)
  guardedTools(server, note)
  talkingTools(server, note)
  resources(server, note)
  prompts(server, note)
  server.use(({ method, auth }, next) => {
    note('middleware', [method, auth?.subject])
    return next()
  })
}

function answeringTools(server: MCPServer, note: Note): void {
  server.tool(
    'echo',
    {
      title: 'Echo',
      description: 'Says it again',
      inputSchema: z.object({ text: z.string(), times: z.number().int().max(3).default(1) }),
      outputSchema: z.object({ said: z.string() }),
      annotations: { readOnlyHint: true },
    },
    (args) => {
      note('echo', args)
      return { said: args.text.repeat(args.times) }
    },
  )
  server.tool('anything', { inputSchema: z.looseObject({}) }, (args, ctx) => {
    note('anything', args)
    return { args, id: ctx.requestId, caller: ctx.auth?.subject }
  })
  server.tool('pictures', { listed: { meta: { a: 1 } } }, () => [
    { type: 'image', data: 'AA==', mimeType: 'image/png' },
    { type: 'text', text: 'a dot', _meta: { x: 'y' } },
    { type: 'resource_link', uri: 'notes://today', name: 'note' },
  ])
  server.tool('misshapen', {}, () => [{ type: 'nonsense' }])
  server.tool('throws', {}, async () => {
    note('throws')
    throw new Error('password wrong')
  })
  server.tool('fails', {}, () => {
    throw new ToolError('try again')
  })
}

function guardedTools(server: MCPServer, note: Note): void {
  server.tool('secret', { scopes: ['admin', 'read'], inputSchema: z.object({ a: z.string() }) }, (args) => {
    note('secret', args)
    return 'secret'
  })
  server.tool('hidden', { scopes: ['write', 'nobody:has'] }, () => 'never')
  server.tool('refuses', {}, async () => {
    note('refuses')
    await new Promise((resolve) => setImmediate(resolve))
    requireScopes('admin', 'purge')
    return 'done'
  })
  server.tool('refuses_late', {}, async (_args, ctx) => {
    await ctx.log('info', 'so far, so good')
    requireScopes('admin', 'purge')
    return 'done'
  })
  server.tool('limited', { rateLimit: 2 }, () => {
    note('limited')
    return 'once more'
  })
  server.tool(
    'ruled',
    {
      inputSchema: z.looseObject({ mine: z.unknown() }),
      authorize: async ({ auth, arguments: args, name }) => {
        note('rule', [name, auth?.subject, args])
        if (typeof args !== 'object' || args === null || !('mine' in args)) return true
        return args.mine === 'no' ? false : args.mine === 'some' ? ['admin', 'extra'] : true
      },
    },
    (args) => {
      note('ruled', args)
      return 'ruled'
    },
  )
  server.tool(
    'broken_rule',
    { authorize: ({ arguments: args }) => args === undefined || Promise.reject(new Error('no')) },
    () => 'x',
  )
  server.tool(
    'headed',
    {
      inputSchema: z.object({
        region: z.string().optional().meta({ 'x-mcp-header': 'Region' }),
        size: z.number().int().optional().meta({ 'x-mcp-header': 'Size' }),
      }),
    },
    (args) => {
      note('headed', args)
      return 'headed'
    },
  )
}

function talkingTools(server: MCPServer, note: Note): void {
  server.tool('steps', {}, async (_args, ctx) => {
    note('steps')
    for (let n = 1; n <= 3; n++) await ctx.progress(n, 3, `step ${n}`)
    return 'stepped'
  })
  server.tool('tells', {}, async (_args, ctx) => {
    await ctx.log('debug', { detail: 1 })
    await ctx.log('warning', 'careful')
    void ctx.progress(1)
    await new Promise((resolve) => setImmediate(resolve))
    await ctx.log('error', 'oh')
    return { told: true }
  })
  server.tool('asks', {}, async (_args, ctx) => {
    note('asks')
    return named(await ctx.elicit({ message: 'Who?', schema: z.object({ name: z.string() }) }))
  })
  server.tool('asks_twice', { inputSchema: z.looseObject({}) }, async (_args, ctx) => {
    note('asks_twice')
    const [answer, roots] = await Promise.all([
      ctx.elicit({ message: 'Which?', schema: { type: 'object', properties: { n: { type: 'number' } } } }),
      ctx.roots(),
    ])
    const said = await ctx.sample({ messages: [], maxTokens: 5 })
    return { answer, roots, said }
  })
  server.tool('client', {}, (_args, ctx) => {
    note('client', ctx.clientCapabilities)
    return { says: ctx.clientCapabilities }
  })
  server.tool('sdk', {}, (_args, ctx) => sdkView(ctx))
}

function named(answer: { action: string; content?: unknown }): string {
  return `${answer.action} ${JSON.stringify(answer.content)}`
}

/** What of the protocol engine's context may differ with the caller, and must not with the lane. */
function sdkView({ mcp }: HandlerContext): object {
  const { mcpReq, http, sessionId } = mcp
  const headers = http?.req && Object.fromEntries(http.req.headers)
  return {
    id: mcpReq.id,
    method: mcpReq.method,
    meta: mcpReq._meta,
    envelope: mcpReq.envelope,
    subject: http?.authInfo?.extra,
    scopes: http?.authInfo?.scopes,
    sessionId,
    headers,
    verb: http?.req?.method,
  }
}

function resources(server: MCPServer, note: Note): void {
  server.resource('notes://today', { description: 'A note', ttlMs: 5000 }, (_args, ctx) => {
    note('read', ctx.uri)
    return `A note for ${ctx.auth?.subject}`
  })
  server.resource('notes://bytes', { mimeType: 'image/png' }, () => new Uint8Array([1, 2, 3]))
  server.resource('secrets://all', { scopes: ['admin'] }, () => {
    note('secrets')
    return 'secret'
  })
  server.resource('broken://x', {}, () => {
    throw new Error('password wrong')
  })
  server.resource('asking://x', {}, async (_args, ctx) => ({ roots: await ctx.roots() }))
  server.resource(
    'users://{id}',
    { name: 'user', complete: { id: (value, { auth }) => [`${value}1`, `${auth?.subject}`] } },
    ({ id }, ctx) => {
      note('user', [id, ctx.uri])
      return { id, uri: ctx.uri }
    },
  )
  server.resource('files://{+path}', { scopes: ['read'] }, ({ path }) => `file ${path}`)
  server.resource(
    'members://{id}',
    { authorize: ({ uri, auth }) => uri === undefined || auth?.subject === 'alice' },
    ({ id }) => `member ${id}`,
  )
}

function prompts(server: MCPServer, note: Note): void {
  server.prompt(
    'greet',
    {
      description: 'Greets',
      argsSchema: z.object({ name: z.string().describe('Whom'), tone: z.string().optional() }),
      complete: {
        name: (value) => Array.from({ length: 150 }, (_, n) => `${value}${n}`),
        tone: () => {
          throw new Error('no tone')
        },
      },
    },
    (args) => {
      note('greet', args)
      return `Say hello to ${args.name}`
    },
  )
  server.prompt('admin_prompt', { scopes: ['admin'] }, () => 'admin')
  server.prompt('broken', {}, () => {
    throw new ToolError('not today')
  })
  server.prompt('asking', {}, async (_args, ctx) =>
    named(await ctx.elicit({ message: 'Go?', url: 'https://x.example/' })),
  )
  server.prompt('misshapen', {}, () => ({ messages: [{ role: 'nobody' }] }) as never)
}
