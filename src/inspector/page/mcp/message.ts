/** A JSON object somebody else wrote. Members are read with {@link memberOf}, so that `__proto__` is one like any other. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The revisions the page speaks, the newest first. */
export const modernRevision = '2026-07-28'
export const legacyRevision = '2025-11-25'
/** What a server may answer `initialize` with; all of them are alike in what the page uses. */
export const legacyRevisions: readonly string[] = [legacyRevision, '2025-06-18', '2025-03-26']

/** Keys of `_meta` in 2026-07-28 (MCP "Base protocol", "_meta"). */
export const metaKeys = {
  revision: 'io.modelcontextprotocol/protocolVersion',
  client: 'io.modelcontextprotocol/clientInfo',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
} as const

/** Who the page is, and what it can do for a server: ask the person in front of it. */
export const clientInfo: JsonObject = { name: 'mcp-bearer-inspector', version: '1' }
export const clientCapabilities: JsonObject = { elicitation: { form: {}, url: {} } }

/** What a request of JSON-RPC ended with. */
export type Outcome =
  | { readonly result: JsonObject }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member of its own; what every object has is none. */
export function memberOf(object: unknown, name: string): unknown {
  return isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined
}

export function textOf(object: unknown, name: string): string | undefined {
  const value = memberOf(object, name)
  return typeof value === 'string' ? value : undefined
}

export function listOf(object: unknown, name: string): readonly unknown[] {
  const value = memberOf(object, name)
  return Array.isArray(value) ? value : []
}

/** Reads an answer to a request; `undefined` when it is none. */
export function outcomeOf(message: unknown): Outcome | undefined {
  const result = memberOf(message, 'result')
  if (isObject(result)) return { result }
  const error = memberOf(message, 'error')
  const code = memberOf(error, 'code')
  if (typeof code !== 'number') return undefined
  const data = memberOf(error, 'data')
  return { error: { code, message: textOf(error, 'message') ?? '', ...(data !== undefined && { data }) } }
}
