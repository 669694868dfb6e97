import type { InboundClassificationOutcome } from '@modelcontextprotocol/server'
import type { Incoming } from './exchange.ts'
import type { RpcRequest } from './multiplexer.ts'
import type { Sdk } from './sdk-server.ts'
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

/** Reads requests for the fast lane; `undefined` for every one that is not regular. */
export type RegularReader = (incoming: Incoming, body: unknown) => RegularRequest | undefined

/**
 * Makes a {@link RegularReader}. It takes only what is exactly as it should be, and leaves all judgement of the rest to
 * the slow lane: so both cannot differ in what they refuse.
 *
 * @param legacyVersions protocol versions before 2026-07-28 that are taken
 */
export function regularReader(sdk: Sdk, legacyVersions: readonly string[]): RegularReader {
  const isGoodEnvelope = envelopeJudge(sdk)
  return (incoming, body) => {
    const message = readMessage(body)
    if (!message) return undefined
    const meta = message.params?._meta
    if (meta !== undefined && !(isObject(meta) && isProgressToken(meta.progressToken))) return undefined
    if (meta && versionKey in meta) {
      const isRegular = isRegularModern(incoming, message, meta) && isGoodEnvelope(incoming, message, meta)
      return isRegular ? { message, era: 'modern' } : undefined
    }
    if (meta && Object.keys(meta).some((name) => name !== 'progressToken')) return undefined
    return isRegularLegacy(incoming, message, legacyVersions) ? { message, era: 'legacy' } : undefined
  }
}

/** How many envelopes are remembered, and how long each may be. */
const mostEnvelopes = 256
const longestEnvelope = 2048

/**
 * Whether the envelope of a request is as the protocol engine wants it. Clients send the same one again and again, and to
 * look at it costs more than all else here: what was found good is remembered by its text, which says nothing of who
 * sent it.
 */
function envelopeJudge(sdk: Sdk): (incoming: Incoming, message: RpcRequest, meta: JsonObject) => boolean {
  const good = new Set<string>()
  return (incoming, message, meta) => {
    const text = JSON.stringify(meta.progressToken === undefined ? meta : { ...meta, progressToken: 0 })
    if (good.has(text)) return true
    if (classify(sdk, incoming, message).kind !== 'modern') return false
    if (good.size >= mostEnvelopes) good.clear()
    if (text.length <= longestEnvelope) good.add(text)
    return true
  }
}

/** What the protocol engine makes of a message, by its body first and its headers second. */
export function classify(sdk: Sdk, incoming: Incoming, body: unknown): InboundClassificationOutcome {
  const version = incoming.header('mcp-protocol-version')
  const method = incoming.header('mcp-method')
  const name = incoming.header('mcp-name')
  return sdk.classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
  })
}

function isProgressToken(value: unknown): boolean {
  return value === undefined || typeof value === 'string' || Number.isSafeInteger(value)
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
  if (legacyVersions.length === 0 || (!both.has(method) && method !== 'ping')) return false
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
  return { jsonrpc, id: id as string | number, method, ...(params && { params }) }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
