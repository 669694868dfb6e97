import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LogEntry, TokenVerifier } from 'mcp-bearer'
import { type AccessTokenInit, type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'

/** Tokens of two principals. Shaped like nothing else, so that any trace of them can be found. */
export const alice = 'alice-7f3a9c-token'
export const bob = 'bob-51d2e8-token'

const people: Record<string, Omit<AccessTokenInit, 'token'>> = {
  [alice]: { claims: { sub: 'alice', iss: 'https://id.example' }, scopes: ['read', 'admin'] },
  [bob]: { claims: { sub: 'bob', iss: 'https://id.example' }, scopes: ['read'] },
}

/** Knows alice and bob, and counts how often it was asked. */
export function directory(): TokenVerifier & { asked: number } {
  return {
    asked: 0,
    async verifyToken(token) {
      this.asked++
      return Object.hasOwn(people, token) ? { token, ...people[token] } : null
    },
  }
}

/** A log that remembers. */
export function memoryLog(): { entries: LogEntry[]; logger: (entry: LogEntry) => void } {
  const entries: LogEntry[] = []
  return { entries, logger: (entry) => void entries.push(entry) }
}

/** A protected server with a tool that counts its calls. Without sessions, so that a request of any revision stands alone. */
export function guarded(options: Partial<MCPServerOptions> = {}, http: HttpOptions = {}) {
  const verifier = directory()
  const log = memoryLog()
  const server = new MCPServer(
    { name: 'guarded', auth: verifier, logger: log.logger, ...options },
    { sessions: false, ...http },
  )
  const calls: string[] = []
  server.tool('whoami', { description: 'Who calls' }, (_args, ctx) => {
    calls.push('whoami')
    return ctx.auth?.subject ?? 'nobody'
  })
  server.tool('purge', { scopes: ['admin', 'write'] }, () => {
    calls.push('purge')
    return 'purged'
  })
  return { server, verifier, calls, ...log }
}

/** The revisions of the protocol, each with what a call needs on the wire. */
export type Revision = '2026-07-28' | '2025-11-25'
export const revisions: Revision[] = ['2026-07-28', '2025-11-25']

/** Headers and body of a JSON-RPC request. */
export function rpc(
  method: string,
  params: Record<string, unknown> = {},
  revision: Revision = '2026-07-28',
  id = 1,
) {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': revision,
  }
  if (revision === '2025-11-25')
    return { headers, body: JSON.stringify({ jsonrpc: '2.0', id, method, params }) }
  const _meta = {
    ...(params._meta as object | undefined),
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const name = params.name ?? params.uri
  return {
    headers: { ...headers, 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } }),
  }
}

/** A POST for `server.fetch` or the global `fetch`. */
export function post(url: string, message: ReturnType<typeof rpc>, token?: string): Request {
  const headers = { ...message.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  return new Request(url, { method: 'POST', headers, body: message.body })
}

/** The JSON-RPC answer in a response, whether it came as JSON or as a stream. */
export async function answerOf(
  response: Response,
): Promise<{ result?: Record<string, unknown>; error?: { code: number; message: string } }> {
  const text = await response.text()
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return JSON.parse(text)
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .at(-1)
  return JSON.parse(data!.slice('data: '.length))
}

/** The text of the first content block. */
export function textOf(answer: { result?: Record<string, unknown> }): string | undefined {
  return (answer.result?.content as { text: string }[] | undefined)?.[0]?.text
}

/** Serves a listener on a free loopback port. */
export async function serveNode(
  listener: RequestListener,
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, port, close }
}
