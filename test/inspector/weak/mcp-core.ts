/** What a server says. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: { readonly name?: string; readonly _meta?: Readonly<Record<string, unknown>> }
}

const modern = '2026-07-28'
const legacy = '2025-11-25'
const serverInfo = { name: 'weak', version: '1.0.0' }
const capabilities = { tools: {} }
const tools = [
  { name: 'add', description: 'Adds two numbers', inputSchema: { type: 'object', properties: {} } },
]

/** The smallest MCP server: two revisions, one tool, no state. Knows nothing of tokens. */
export function answerMessage(body: string, sessionId?: string): Answer {
  const message = parsed(body)
  if (message === undefined) return json(400, rpcError(null, -32700, 'Parse error'))
  const { id, method } = message
  if (method === undefined) return json(400, rpcError(null, -32600, 'Invalid Request'))
  if (id === undefined) return { status: 202 }
  const isModern = message.params?._meta?.['io.modelcontextprotocol/protocolVersion'] === modern
  const result = resultOf(message, isModern)
  if (result === undefined) {
    return json(isModern ? 404 : 200, rpcError(id, -32601, 'Method not found'))
  }
  const headers = method === 'initialize' && sessionId !== undefined ? { 'mcp-session-id': sessionId } : {}
  return json(200, { jsonrpc: '2.0', id, result }, headers)
}

/** The method of a message; `undefined` when there is none. */
export function methodOf(body: string): string | undefined {
  return parsed(body)?.method
}

function resultOf({ method, params }: Message, isModern: boolean): object | undefined {
  const keep = isModern
    ? {
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
      }
    : {}
  switch (method) {
    case 'initialize':
      return isModern ? undefined : { protocolVersion: legacy, capabilities, serverInfo }
    case 'server/discover':
      return isModern ? { ...keep, supportedVersions: [modern], capabilities } : undefined
    case 'ping':
      return keep
    case 'tools/list':
      return { ...keep, tools }
    case 'tools/call':
      return {
        ...keep,
        content: [{ type: 'text', text: params?.name === 'add' ? '3' : 'no such tool' }],
        isError: params?.name !== 'add',
      }
    default:
      return undefined
  }
}

function parsed(body: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function rpcError(id: string | number | null, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } }
}
