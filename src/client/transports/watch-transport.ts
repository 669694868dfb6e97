import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { AuthError } from '../../core/index.ts'
import type { LastListen } from '../changes.ts'
import { lostAnswer } from '../explain.ts'

/**
 * Sees to what nobody would hear of otherwise:
 *
 * - A request whose stream ended without an answer would wait until its time is up. It fails at once.
 * - When an answer of ours to a question of the server is refused, no call fails.
 *
 * @param onRefused told of such a refusal
 * @returns the id of the last request for a stream of changes, kept up to date
 */
export function watchTransport(transport: Transport, onRefused: (error: AuthError) => void): LastListen {
  const last: LastListen = {}
  const send = transport.send.bind(transport)
  transport.send = async (message, options) => {
    if (!isRequest(message))
      return send(message, options).catch((error: unknown) => onUnheard(message, error))
    if (message.method === 'subscriptions/listen') last.id = message.id
    const onRequestStreamEnd =
      options?.onRequestStreamEnd ?? (() => transport.onmessage?.(lostAnswer(message.id)))
    return send(message, { ...options, onRequestStreamEnd })
  }
  const onUnheard = (message: JSONRPCMessage, error: unknown): never => {
    if (error instanceof AuthError && !('method' in message)) onRefused(error)
    throw error
  }
  return last
}

function isRequest(
  message: JSONRPCMessage,
): message is Extract<JSONRPCMessage, { id: unknown; method: string }> {
  return 'method' in message && 'id' in message
}
