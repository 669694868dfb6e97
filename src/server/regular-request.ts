import type { Incoming } from './exchange.ts'
import type { RpcRequest } from './multiplexer.ts'
import type { JsonObject } from './types.ts'

/** A request in which everything is as it should be, and that needs nothing of its client kept. */
export interface RegularRequest {
  readonly message: RpcRequest
  readonly era: 'modern' | 'legacy'
}

/** What a header repeats of the parameters (MCP Streamable HTTP, "Standard Request Headers"). */
const named: Readonly<Record<string, 'name' | 'uri'>> = Object.assign(Object.create(null), {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
})

const both: ReadonlySet<string> = new Set([
  'tools/call',
  'tools/list',
  'resources/read',
  'resources/list',
  'resources/templates/list',
  'prompts/get',
  'prompts/list',
  'completion/complete',
])

const versionKey = 'io.modelcontextprotocol/protocolVersion'
const modern = '2026-07-28'

/**
 * Reads a request for the fast lane. It takes only what is exactly as it should be, and leaves all judgement of the rest
 * to the slow lane: so both cannot differ in what they refuse.
 *
 * @param legacyVersions protocol versions before 2026-07-28 that are taken
 */
export function regularRequest(
  incoming: Incoming,
  body: unknown,
  legacyVersions: readonly string[],
): RegularRequest | undefined {
  const message = readMessage(body)
  if (!message) return undefined
  const meta = message.params?._meta
  const isModern = isObject(meta) && versionKey in meta
  if (isModern) return isRegularModern(incoming, message, meta) ? { message, era: 'modern' } : undefined
  return legacyVersions.length > 0 && isRegularLegacy(incoming, message, legacyVersions)
    ? { message, era: 'legacy' }
    : undefined
}

function isRegularModern(incoming: Incoming, { method, params }: RpcRequest, meta: JsonObject): boolean {
  if (meta[versionKey] !== modern || incoming.header('mcp-protocol-version') !== modern) return false
  if (incoming.header('mcp-method') !== method) return false
  if (!both.has(method) && method !== 'server/discover') return false
  const source = named[method]
  if (source === undefined) return true
  const name = params?.[source]
  // What cannot stand in a header comes encoded; the slow lane decodes it.
  return typeof name === 'string' && incoming.header('mcp-name') === name && !name.startsWith('=?')
}

function isRegularLegacy(
  incoming: Incoming,
  { method }: RpcRequest,
  legacyVersions: readonly string[],
): boolean {
  if (!both.has(method) && method !== 'ping') return false
  if (incoming.header('mcp-session-id') !== undefined) return false
  const version = incoming.header('mcp-protocol-version')
  if (version !== undefined && !legacyVersions.includes(version)) return false
  const accept = incoming.header('accept')
  return accept?.includes('application/json') === true && accept.includes('text/event-stream')
}

/** A JSON-RPC request without anything that does not belong to one. */
function readMessage(body: unknown): RpcRequest | undefined {
  if (!isObject(body)) return undefined
  const { jsonrpc, id, method, params } = body
  if (jsonrpc !== '2.0' || typeof method !== 'string') return undefined
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined
  if (params !== undefined && !isObject(params)) return undefined
  const members = 'params' in body ? 4 : 3
  if (Object.keys(body).length !== members) return undefined
  return { jsonrpc, id: id as string | number, method, params }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
