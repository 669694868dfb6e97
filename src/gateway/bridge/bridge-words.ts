import type { JsonObject, RpcId, RpcMessage } from '../message.ts'

export type { JsonObject, RpcId, RpcMessage, RpcRequest } from '../message.ts'

/** MCP 2026-07-28 "Request Metadata": what each request says of itself. */
const revisionKey = 'io.modelcontextprotocol/protocolVersion'
const subscriptionKey = 'io.modelcontextprotocol/subscriptionId'

/** The revision a message says it is of: 2026-07-28 and later. `undefined` of one that belongs to a session. */
export function revisionOf({ params }: RpcMessage): string | undefined {
  const revision = metaOf(params)[revisionKey]
  return typeof revision === 'string' ? revision : undefined
}

/** The id of the `subscriptions/listen` a notification belongs to (MCP 2026-07-28 "Subscriptions"). */
export function subscriptionOf({ params }: RpcMessage): RpcId | undefined {
  const id = metaOf(params)[subscriptionKey]
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}

/** What a notification of a subscription says of it. */
export function subscriptionMeta(id: RpcId): JsonObject {
  return { _meta: { [subscriptionKey]: id } }
}

function metaOf(params: JsonObject | undefined): JsonObject {
  const meta = params?._meta
  return typeof meta === 'object' && meta !== null ? (meta as JsonObject) : {}
}

/** JSON-RPC 2.0 section 5.1: of the range for implementations. */
export const failed = -32_000

/** Says that nobody waits for that answer any more (MCP "Cancellation"). */
export function cancelled(requestId: RpcId, reason: string): RpcMessage {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } }
}
