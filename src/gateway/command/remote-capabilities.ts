import type { JsonObject, RpcMessage } from '../message.ts'
import { isObject, metaOf } from './channel-ids.ts'

/** Says in each request what its client can (MCP 2026-07-28 "Per-Request Metadata"). */
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

/**
 * What a client can, as a process of this machine may know it: without `roots`. Those are paths on the client's machine,
 * and a server takes them for its own (MCP "Roots"): some servers open them instead of the folders they were started with.
 */
export function remoteCapabilities(capabilities: JsonObject): JsonObject {
  const { roots: _, ...rest } = capabilities
  return rest
}

/** The parameters of `initialize`, without what a process may not know. */
export function remoteIntroduction(params: JsonObject | undefined): JsonObject | undefined {
  const capabilities = params?.capabilities
  return isObject(capabilities) ? { ...params, capabilities: remoteCapabilities(capabilities) } : params
}

/** The same for a request that says for itself what its client can. */
export function remoteRequest<T extends RpcMessage>(message: T): T {
  const meta = metaOf(message)
  const capabilities = meta[capabilitiesKey]
  if (!isObject(capabilities) || !Object.hasOwn(capabilities, 'roots')) return message
  const _meta = { ...meta, [capabilitiesKey]: remoteCapabilities(capabilities) }
  return { ...message, params: { ...message.params, _meta } }
}

/** Whether a client says that its roots have changed. */
export function isOfRoots({ method }: RpcMessage): boolean {
  return method === 'notifications/roots/list_changed'
}
