/** A message of the protocol with the headers that belong to it. */
export interface Message {
  readonly revision: Revision
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** The two ways servers speak: without and with a handshake. */
export type Revision = '2026-07-28' | '2025-11-25'

const client = Object.freeze({ name: 'mcp-bearer-probe', version: '1' })

const common = [
  ['Content-Type', 'application/json'],
  ['Accept', 'application/json, text/event-stream'],
] as const

/** A request of 2026-07-28: it says everything itself (MCP Streamable HTTP, "Request Metadata"). */
export function modern(method: string, params: Readonly<Record<string, unknown>> = {}): Message {
  const revision = '2026-07-28'
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientInfo': client,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const { name } = params
  return {
    revision,
    method,
    headers: [
      ...common,
      ['MCP-Protocol-Version', revision],
      ['Mcp-Method', method],
      ...(typeof name === 'string' ? [['Mcp-Name', name] as const] : []),
    ],
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  }
}

/** The handshake of 2025-11-25 and older. */
export function initialize(): Message {
  const revision = '2025-11-25'
  const params = { protocolVersion: revision, capabilities: {}, clientInfo: client }
  return {
    revision,
    method: 'initialize',
    headers: common,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  }
}

/** A message after the handshake; one without an answer has no id. */
export function inSession(method: string, session: string | undefined, params = {}): Message {
  const revision = '2025-11-25'
  const id = method.startsWith('notifications/') ? {} : { id: 1 }
  return {
    revision,
    method,
    headers: [
      ...common,
      ['MCP-Protocol-Version', revision],
      ...(session === undefined ? [] : [['Mcp-Session-Id', session] as const]),
    ],
    body: JSON.stringify({ jsonrpc: '2.0', ...id, method, params }),
  }
}

/** A tool nobody has: calling it does nothing, wherever it ends up. */
export const unknownTool = 'mcp-bearer-probe-no-such-tool'
