import { pause } from '../../client/fetch/retry-after.ts'
import { reconnectPace } from '../../client/transports/reconnect-pace.ts'
import { type JsonObject, type RpcMessage, type RpcRequest, subscriptionMeta } from './bridge-words.ts'

/** A `subscriptions/listen` of the host's (MCP 2026-07-28 "Subscriptions"). */
export interface Listening {
  /** Asks until the answer is about the request itself: the stream may end with a token, or with the server. */
  run(): Promise<RpcMessage | undefined>
  /**
   * Takes the server's word that it has agreed.
   * @returns whether the host has to hear of it
   */
  agreed(message: RpcMessage): boolean
}

/**
 * Keeps a subscription of the host's. On stdio it lives as long as the process, so that no host asks twice; here its
 * stream ends with the token that opened it, and with a restart of the server. It is asked for again then, and the host
 * is told of everything it listens to once, since any of it may have changed.
 */
export function listening(
  request: RpcRequest,
  ask: () => Promise<RpcMessage | undefined>,
  write: (message: RpcMessage) => void,
  signal: AbortSignal,
): Listening {
  const pace = reconnectPace()
  let filter: unknown
  let isOpen = false
  return {
    agreed(message) {
      const isFirst = filter === undefined
      isOpen = true
      filter = message.params?.notifications ?? {}
      if (!isFirst) for (const news of missed(filter, subscriptionMeta(request.id))) write(news)
      return isFirst
    },
    async run() {
      for (;;) {
        isOpen = false
        try {
          const answer = await ask()
          if (answer === undefined || !isOpen || answer.error !== undefined) return answer
        } catch (error) {
          if (!isOpen || signal.aborted) throw error
        }
        await pause(pace(0), signal)
      }
    },
  }
}

const lists = ['tools', 'prompts', 'resources'] as const

function missed(filter: unknown, meta: JsonObject): RpcMessage[] {
  const agreed = (filter ?? {}) as JsonObject
  const uris: readonly unknown[] = Array.isArray(agreed.resourceSubscriptions)
    ? agreed.resourceSubscriptions
    : []
  return [
    ...lists
      .filter((list) => agreed[`${list}ListChanged`] === true)
      .map((list) => ({
        jsonrpc: '2.0' as const,
        method: `notifications/${list}/list_changed`,
        params: meta,
      })),
    ...uris.map((uri) => ({
      jsonrpc: '2.0' as const,
      method: 'notifications/resources/updated',
      params: { uri, ...meta },
    })),
  ]
}
