import type { JsonObject, RpcId, RpcMessage } from '../message.ts'

export { type JsonObject, type RpcId, type RpcMessage, type RpcRequest, revisionOf } from '../message.ts'

const subscriptionKey = 'io.modelcontextprotocol/subscriptionId'

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
