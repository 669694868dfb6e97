import type { JsonObject, RpcId, RpcMessage } from '../message.ts'

/** How a request is called by whoever sent it. */
export interface Named {
  readonly id: RpcId
  /** What it calls itself in `notifications/progress`. */
  readonly progressToken: RpcId | undefined
}

/** Names the request that a message of a subscription belongs to (MCP 2026-07-28 `subscriptions/listen`). */
export const subscriptionKey = 'io.modelcontextprotocol/subscriptionId'

/** `_meta` of a message's parameters; an empty one when there is none. */
export function metaOf({ params }: RpcMessage): JsonObject {
  return isObject(params?._meta) ? params._meta : nothing
}

const nothing: JsonObject = Object.freeze({})

/** What a request calls itself in `notifications/progress` (MCP "Progress"). */
export function progressTokenOf(message: RpcMessage): RpcId | undefined {
  const { progressToken } = metaOf(message)
  return typeof progressToken === 'string' || typeof progressToken === 'number' ? progressToken : undefined
}

/** A request under a name of our own: those of two clients may be equal. */
export function renamed(message: RpcMessage, own: number): RpcMessage {
  if (progressTokenOf(message) === undefined) return { ...message, id: own }
  const _meta = { ...metaOf(message), progressToken: own }
  return { ...message, id: own, params: { ...message.params, _meta } }
}

/** Which request of ours a message of the server's speaks of, if it does. */
export function ownIdIn(message: RpcMessage): number | 'none' {
  const subscription = metaOf(message)[subscriptionKey]
  if (subscription !== undefined) return ownId(subscription)
  return message.method === 'notifications/progress' ? ownId(message.params?.progressToken) : 'none'
}

/** An id as we have given it. Some servers keep all ids as text. */
export function ownId(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : Number.NaN
}

/** A notification of the server's that speaks of a request, with the names its sender knows. */
export function notificationFor(message: RpcMessage, { id, progressToken }: Named): RpcMessage | undefined {
  const meta = metaOf(message)
  const params = meta[subscriptionKey] === undefined ? message.params : withSubscription(message.params!, id)
  if (message.method !== 'notifications/progress') return { ...message, params: params! }
  // It has asked for none.
  if (progressToken === undefined) return undefined
  return { ...message, params: { ...params, progressToken } }
}

/** An answer of the server's, with the names the sender of its request knows. */
export function answerFor(message: RpcMessage, { id }: Named): RpcMessage {
  const { result } = message
  const isNamed = isObject(result) && isObject(result._meta) && result._meta[subscriptionKey] !== undefined
  return isNamed ? { ...message, id, result: withSubscription(result, id) } : { ...message, id }
}

function withSubscription(holder: JsonObject, id: RpcId): JsonObject {
  return { ...holder, _meta: { ...(holder._meta as JsonObject), [subscriptionKey]: id } }
}

/** Whether it is an object of JSON, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
