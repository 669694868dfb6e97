import type { JsonObject, RpcMessage, RpcRequest } from '../message.ts'

/** Subscriptions that are made again in a new session; more of them would hold everybody up. */
const mostSubscriptions = 1_000

/** What makes a session what it is, so that another one can take its place (MCP 2025-11-25 "Lifecycle"). */
export interface SessionMemory {
  /** The host's `initialize`; `undefined` before the server has answered it. */
  readonly handshake: RpcRequest | undefined
  /** The revision the server has answered it with. */
  readonly revision: unknown
  /** Whether the host has said that it is ready. */
  readonly isInitialized: boolean
  /** Remembers what a good answer has changed at the server. */
  answered(request: RpcRequest, answer: RpcMessage): void
  /** Remembers that the host is ready. */
  initialized(): void
  /** What is asked again in a new session, besides `initialize`; without ids. */
  requests(): readonly { readonly method: string; readonly params: JsonObject }[]
  /** What the host may not know any more: the lists of which the server tells when they change. */
  news(): readonly RpcMessage[]
}

export function sessionMemory(): SessionMemory {
  let handshake: RpcRequest | undefined
  let revision: unknown
  let capabilities: JsonObject = {}
  let isInitialized = false
  let level: JsonObject | undefined
  const subscriptions = new Set<string>()
  return {
    get handshake() {
      return handshake
    },
    get revision() {
      return revision
    },
    get isInitialized() {
      return isInitialized
    },
    initialized() {
      isInitialized = true
    },
    answered(request, answer) {
      if (answer.error !== undefined) return
      const { method, params = {} } = request
      if (method === 'initialize') {
        handshake = request
        revision = revisionIn(answer)
        capabilities = objectIn(answer.result, 'capabilities')
        isInitialized = false
        level = undefined
        subscriptions.clear()
      }
      if (method === 'logging/setLevel') level = params
      const { uri } = params
      if (typeof uri !== 'string') return
      if (method === 'resources/subscribe' && subscriptions.size < mostSubscriptions) subscriptions.add(uri)
      if (method === 'resources/unsubscribe') subscriptions.delete(uri)
    },
    requests: () => [
      ...(level ? [{ method: 'logging/setLevel', params: level }] : []),
      ...[...subscriptions].map((uri) => ({ method: 'resources/subscribe', params: { uri } })),
    ],
    news: () => [
      ...['tools', 'prompts', 'resources']
        .filter((list) => objectIn(capabilities, list).listChanged === true)
        .map((list) => notification(`notifications/${list}/list_changed`)),
      ...[...subscriptions].map((uri) => notification('notifications/resources/updated', { uri })),
    ],
  }
}

/** The revision in the answer to `initialize`. */
export function revisionIn({ result }: RpcMessage): unknown {
  return (result as { protocolVersion?: unknown } | null | undefined)?.protocolVersion
}

function notification(method: string, params?: JsonObject): RpcMessage {
  return { jsonrpc: '2.0', method, ...(params && { params }) }
}

function objectIn(value: unknown, name: string): JsonObject {
  const member: unknown =
    typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined
  return typeof member === 'object' && member !== null ? (member as JsonObject) : {}
}
