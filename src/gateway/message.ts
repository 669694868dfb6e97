import { isObject } from '../verify/json.ts'

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What tells two requests of one sender apart (JSON-RPC 2.0, section 4). */
export type RpcId = string | number

/** Where a request says which revision it is of (MCP 2026-07-28 "Per-Request Metadata"). */
export const revisionKey = 'io.modelcontextprotocol/protocolVersion'

/** One message, whatever it is: only what all of them may have is said here. */
export interface RpcMessage {
  readonly jsonrpc: '2.0'
  readonly id?: RpcId
  readonly method?: string
  readonly params?: JsonObject
  readonly result?: unknown
  readonly error?: unknown
}

/** A message that waits for an answer. */
export interface RpcRequest extends RpcMessage {
  readonly id: RpcId
  readonly method: string
}

/** Whether somebody waits for an answer to it. */
export function isRequest(message: RpcMessage): message is RpcRequest {
  return message.method !== undefined && message.id !== undefined
}

/** Whether it is the answer to a request, good or bad. */
export function isAnswer(message: RpcMessage): boolean {
  return message.method === undefined && message.id !== undefined
}

/** Whether it is a message of JSON-RPC 2.0 with an id that can be one of MCP ("Requests": a text or a whole number). */
export function isRpcMessage(value: unknown): value is RpcMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { jsonrpc, id, method, params } = value as JsonObject
  if (jsonrpc !== '2.0') return false
  if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id)) return false
  if (method === undefined) return id !== undefined && ('result' in value || 'error' in value)
  const isObject = typeof params === 'object' && params !== null && !Array.isArray(params)
  return typeof method === 'string' && (params === undefined || isObject)
}

/** The revision a message says it is of, as those since 2026-07-28 do; `undefined` of one that belongs to a session. */
export function revisionOf({ params }: RpcMessage): string | undefined {
  const meta = params?._meta
  const revision = isObject(meta) ? meta[revisionKey] : undefined
  return typeof revision === 'string' ? revision : undefined
}
