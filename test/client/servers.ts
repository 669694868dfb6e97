import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import {
  createMcpHandler,
  fromJsonSchema,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'

/** A request as it arrived. */
export interface Arrived {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server on a port of its own that writes down what arrives. */
export interface TestServer {
  readonly origin: string
  readonly url: string
  readonly requests: readonly Arrived[]
  /** The `Authorization` of every request, in order. */
  readonly authorizations: readonly (string | undefined)[]
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

const open: (() => Promise<void>)[] = []

/** Closes every server of the test, connections included. */
export async function closeServers(): Promise<void> {
  await Promise.all(open.splice(0).map((close) => close()))
}

/** Starts a server; `respond` sees each request after it was written down. */
export async function listen(respond: Handler, host = '127.0.0.1'): Promise<TestServer> {
  const requests: Arrived[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    requests.push({ method, url, headers, body })
    respond(request, response, body)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  open.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/mcp`,
    requests,
    get authorizations() {
      return requests.map(({ headers }) => headers.authorization)
    },
  }
}

/** Answers every request the same. */
export function answer(
  status: number,
  headers: Record<string, string | string[]> = {},
  body: unknown = undefined,
): Handler {
  return (_request, response) => {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    const type = typeof body === 'object' ? { 'content-type': 'application/json' } : {}
    response.writeHead(status, { ...type, ...headers }).end(text)
  }
}

/** What the server says about keeping its answers: a client may, for itself, for a minute. */
const keep = { ttlMs: 60_000, cacheScope: 'private' as const }

/** An MCP server with three tools, a resource and a prompt. */
export function someServer(): McpServer {
  const server = new McpServer(
    { name: 'some', version: '1' },
    { cacheHints: { 'tools/list': keep, 'resources/read': keep } },
  )
  const inputSchema = fromJsonSchema<{ text?: string }>({
    type: 'object',
    properties: { text: { type: 'string' } },
  })
  server.registerTool('echo', { inputSchema }, async ({ text = '' }, ctx) => {
    const token = ctx.mcpReq._meta?.progressToken
    if (token !== undefined) {
      const params = { progressToken: token, progress: 1, total: 2 }
      await ctx.mcpReq.notify({ method: 'notifications/progress', params })
    }
    return { content: [{ type: 'text', text }] }
  })
  const outputSchema = fromJsonSchema<{ n: number }>({
    type: 'object',
    properties: { n: { type: 'number' } },
    required: ['n'],
  })
  server.registerTool('count', { outputSchema }, () => ({ content: [], structuredContent: { n: 3 } }))
  server.registerTool('fail', {}, () => ({
    isError: true,
    content: [
      { type: 'text', text: 'first line' },
      { type: 'text', text: 'second line' },
    ],
  }))
  server.registerResource('note', 'note://1', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'a note' }],
  }))
  server.registerPrompt('greet', {}, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }],
  }))
  return server
}

/** Whether a request may pass. */
export type Gate = (authorization: string | undefined) => boolean

/** Passes one token. */
export const only =
  (token: string): Gate =>
  (authorization) =>
    authorization === `Bearer ${token}`

export function unauthorized(): Response {
  return Response.json(
    { error: 'invalid_token' },
    { status: 401, headers: { 'www-authenticate': 'Bearer realm="mcp", error="invalid_token"' } },
  )
}

/** The fetch of an MCP server of the revision 2026-07-28, which serves older clients without sessions. */
export function modernFetch(gate: Gate): (request: Request) => Promise<Response> {
  const handler = createMcpHandler(someServer)
  return async (request) =>
    gate(request.headers.get('authorization') ?? undefined) ? handler.fetch(request) : unauthorized()
}

/** The fetch of an MCP server of the revision 2025-11-25, with sessions; `forget` is a restart. */
export function sessionFetch(gate: Gate): {
  fetch: (request: Request) => Promise<Response>
  forget: () => void
  readonly sessions: number
} {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const fetch = async (request: Request): Promise<Response> => {
    if (!gate(request.headers.get('authorization') ?? undefined)) return unauthorized()
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known) return known.handleRequest(request)
    if (id !== null) return Response.json(rpcError(-32001, 'Session not found'), { status: 404 })
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    })
    await someServer().connect(transport)
    return transport.handleRequest(request)
  }
  return {
    fetch,
    forget: () => sessions.clear(),
    get sessions() {
      return sessions.size
    },
  }
}

function rpcError(code: number, message: string): unknown {
  return { jsonrpc: '2.0', id: null, error: { code, message } }
}

/** Serves a fetch function on a port, and writes down what arrives. */
export async function serve(fetch: (request: Request) => Promise<Response>): Promise<TestServer> {
  const requests: Arrived[] = []
  const listener = getRequestListener(
    async (request: Request) => {
      const body = request.method === 'POST' ? await request.clone().text() : ''
      const url = new URL(request.url)
      requests.push({
        method: request.method,
        url: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        body,
      })
      return fetch(request)
    },
    { overrideGlobalObjects: false },
  )
  const server = createServer((request, response) => void listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/mcp`,
    requests,
    get authorizations() {
      return requests.map(({ headers }) => headers.authorization)
    },
  }
}

/** The JSON-RPC methods of the requests that arrived. */
export function methodsOf({ requests }: TestServer): string[] {
  return requests.map(({ method, body }) =>
    method === 'POST' ? (JSON.parse(body) as { method: string }).method : method,
  )
}

/** What a promise is rejected with; fails the test when it is not. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('did not fail')
}
