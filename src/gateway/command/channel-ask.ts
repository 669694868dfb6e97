import type { Reply } from '../../server/reply.ts'
import type { JsonObject, RpcMessage } from '../message.ts'
import { UpstreamError } from '../upstream.ts'
import type { Channel } from './channel.ts'
import { isObject } from './channel-ids.ts'

/**
 * Asks something of the gateway's own.
 *
 * @param timeoutMs milliseconds to wait
 * @returns the answer, good or bad
 * @throws UpstreamError when there is none
 */
export function ask(
  channel: Channel,
  method: string,
  params: JsonObject | undefined,
  timeoutMs: number,
): Promise<RpcMessage> {
  return new Promise((resolve, reject) => {
    const own = channel.ask(
      { jsonrpc: '2.0', method, ...(params && { params }) },
      {
        id: 0,
        progressToken: undefined,
        message() {},
        answer(message) {
          clearTimeout(timer)
          resolve(message)
        },
        fail(error) {
          clearTimeout(timer)
          reject(error)
        },
      },
    )
    const timer = setTimeout(() => {
      // One that is not initialized yet must not be sent a cancellation (MCP "Cancellation").
      if (method === 'initialize') channel.dismiss(own)
      else channel.giveUp(own, 'timeout')
      reject(new UpstreamError('timeout', `The server does not answer ${method}.`))
    }, timeoutMs)
  })
}

/** The result in an answer. @throws UpstreamError when it is an error, or none at all */
export function resultIn({ result }: RpcMessage, method: string): JsonObject {
  if (!isObject(result)) throw new UpstreamError('broken', `The server cannot answer ${method}.`)
  return result
}

/**
 * What the gateway cannot ask, because the client is to be answered otherwise: nothing of what it wants will be done.
 * @param reply what it is to be answered
 */
export function cannotAsk(message: string, reply: Reply): UpstreamError {
  return Object.assign(new UpstreamError('broken', message), { reply })
}
