import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import {
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { markup } from './catalogues.ts'
import { listenerOf } from './inspector-site.ts'
import { png } from './panels-servers.ts'

type JsonSchema = Parameters<typeof fromJsonSchema>[0]

/** A server of the official SDK, with every kind of content. */
function sdkServer(): McpServer {
  const server = new McpServer(
    { name: 'sdk-everything', version: '9.9.9' },
    { capabilities: { logging: {} } },
  )
  server.registerTool('everything', { title: 'Everything', annotations: { readOnlyHint: true } }, () => ({
    content: [
      { type: 'text', text: '{"pretty":[1,2]}' },
      { type: 'image', data: png, mimeType: 'image/png' },
      {
        type: 'audio',
        data: 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=',
        mimeType: 'audio/wav',
      },
      { type: 'resource_link', uri: 'https://example.com/a', name: 'a link' },
      { type: 'resource_link', uri: 'javascript:globalThis.ran=1', name: 'no link' },
      { type: 'resource', resource: { uri: 'file:///a.txt', text: 'embedded' } },
    ],
  }))
  server.registerTool(
    'add',
    { inputSchema: z.object({ a: z.number(), b: z.number() }), outputSchema: z.object({ sum: z.number() }) },
    ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }], structuredContent: { sum: a + b } }),
  )
  const bound = { region: { type: 'string', 'x-mcp-header': 'Region' } }
  const region = fromJsonSchema<{ region: string }>({
    type: 'object',
    properties: bound,
    required: ['region'],
  } as JsonSchema)
  server.registerTool('region', { inputSchema: region }, ({ region: named }) => ({
    content: [{ type: 'text', text: `in ${named}` }],
  }))
  server.registerTool('rounds', {}, (ctx) => {
    if (ctx.mcpReq.inputResponses !== undefined) {
      return { content: [{ type: 'text', text: JSON.stringify(ctx.mcpReq.inputResponses) }] }
    }
    const requestedSchema = { type: 'object' as const, properties: { who: { type: 'string' as const } } }
    return inputRequired({
      inputRequests: { who: inputRequired.elicit({ message: 'Who is it?', requestedSchema }) },
    })
  })
  return server
}

/** The same in the revision 2026-07-28. */
export function sdkModern(): RequestListener {
  const handler = createMcpHandler(sdkServer)
  return listenerOf((request) => handler.fetch(request))
}

/** A server of the SDK in 2025-11-25, with sessions; its tool asks the person while the call waits. */
export function sdkSessions(): RequestListener & { readonly seen: string[]; forget(): void } {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const seen: string[] = []
  const listener = listenerOf(async (request) => {
    const id = request.headers.get('mcp-session-id')
    seen.push(`${request.method} ${id === null ? 'without' : 'with'} session`)
    const known = id === null ? undefined : sessions.get(id)
    if (known) return known.handleRequest(request)
    if (id !== null)
      return Response.json(
        { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'gone' } },
        { status: 404 },
      )
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    })
    const server = sdkServer()
    server.registerTool('ask', {}, async (ctx) => {
      const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } }
      const answer = await ctx.mcpReq.elicitInput({ message: 'Your name?', requestedSchema })
      return { content: [{ type: 'text', text: JSON.stringify(answer) }] }
    })
    await server.connect(transport)
    return transport.handleRequest(request)
  })
  return Object.assign(listener, { seen, forget: () => sessions.clear() })
}

/** What a broken server does with calls of a tool, by the name of the tool. */
const mischief: Readonly<Record<string, (id: unknown, res: ServerResponse) => void>> = {
  garbage: (_id, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc": '),
  page: (_id, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>hello</h1>${markup}`),
  'wrong-id': (_id, res) => answer(res, { jsonrpc: '2.0', id: 'someone else', result: {} }),
  endless: (_id, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
    const timer = setInterval(() => res.write(': still here\n\n'), 5)
    res.on('close', () => clearInterval(timer))
  },
  huge: (id, res) =>
    answer(res, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'x'.repeat(6_000_000) }] } }),
  'too-huge': (id, res) => answer(res, { jsonrpc: '2.0', id, result: { text: 'x'.repeat(9_000_000) } }),
  odd: (id, res) =>
    answer(res, {
      jsonrpc: '2.0',
      id,
      result: {
        content: [
          { type: 'text' },
          7,
          null,
          { type: markup },
          { type: 'image', data: '%%%', mimeType: 'image/png' },
        ],
        isError: markup,
      },
    }),
  deep: (id, res) => {
    const depth = 20_000
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(
      `{"jsonrpc":"2.0","id":${id},"result":{"structuredContent":${'['.repeat(depth)}${']'.repeat(depth)}}}`,
    )
  },
  '401': (_id, res) =>
    void res
      .writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token", error_description="too old"' })
      .end(),
  '403': (_id, res) => void res.writeHead(403).end(markup),
  '429': (_id, res) => void res.writeHead(429, { 'retry-after': '30' }).end(),
  '500': (_id, res) => void res.writeHead(500).end('stack trace'),
  redirect: (_id, res) =>
    void res.writeHead(307, { location: `http://${res.req.headers.host}/elsewhere` }).end(),
  cut: (_id, res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{')
    setImmediate(() => res.destroy())
  },
  dead: (_id, res) => void res.destroy(),
}

export const brokenTools = Object.keys(mischief)

/** What was asked of the place to which it sends its callers. */
export const ledAway: string[] = []

/** A server that means no good, or does not know better. */
export const brokenServer: RequestListener = (req, res) => {
  if (req.url === '/elsewhere') ledAway.push(req.url)
  read(req).then(
    (message) => respond(message, res),
    () => res.destroy(),
  )
}

interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly name?: string }
}

function respond({ id, method = '', params }: Message, res: ServerResponse): void {
  const name = params?.name ?? ''
  const known = new Map<string, unknown>(Object.entries(results())).get(method)
  const error = { code: -32601, message: markup, data: { [markup]: markup } }
  if (Object.hasOwn(mischief, name)) mischief[name]!(id, res)
  else answer(res, { jsonrpc: '2.0', id, ...(known ? { result: known } : { error }) })
}

/** What it says of itself: nothing is what it should be. */
function results(): Readonly<Record<string, object>> {
  const inputSchema = {
    type: 'object',
    properties: {
      [markup]: { type: 'string', title: markup, description: markup, enum: [markup] },
      a: { $ref: 'http://127.0.0.1:9/' },
    },
  }
  const hostile = { name: markup, title: markup, description: markup, inputSchema, annotations: markup }
  return {
    'server/discover': {
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, resources: {}, prompts: {} },
      serverInfo: { name: markup, version: markup },
      instructions: markup,
    },
    'tools/list': {
      tools: [hostile, { name: 7 }, null, { name: markup }, ...brokenTools.map((name) => ({ name }))],
    },
    'resources/list': { resources: [{ uri: 'javascript:globalThis.ran=1', name: markup }] },
    'prompts/list': { prompts: 'none' },
  }
}

function answer(res: ServerResponse, body: unknown): void {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function read(req: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as object)
}
