import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isModern } from '../front/header-agreement.ts'
import { isRpcMessage, type JsonObject, type RpcId, type RpcMessage, type RpcRequest } from '../message.ts'
import { type Passage, UpstreamError } from '../upstream.ts'
import type { HttpCall } from './http-call.ts'
import { mediaType, nameHeader } from './http-headers.ts'
import { eventReader, eventsIn } from './sse-events.ts'

/** Makes the ids of the gateway's own requests. In a session they stand beside the client's, so none must be a client's. */
export function ownIds(): () => string {
  const prefix = `gateway-${randomBytes(9).toString('base64url')}-`
  let count = 0
  return () => `${prefix}${++count}`
}

/** A request of the gateway's own, as the client of the passage would make it. */
export interface OwnRequest {
  readonly message: RpcRequest
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

/** Makes one. What the client says of itself is said again, but for the token of a progress nobody here waits for. */
export function ownRequest(
  { message, incoming }: Passage,
  id: string,
  method: string,
  given: JsonObject = {},
): OwnRequest {
  const headers = ['accept', 'application/json, text/event-stream']
  const revision = incoming.header('mcp-protocol-version')
  if (revision !== undefined) headers.push('mcp-protocol-version', revision)
  if (message === undefined || !isModern(message))
    return { message: { jsonrpc: '2.0', id, method, params: given }, headers }
  const { progressToken: _, ...envelope } = (message.params?._meta ?? {}) as JsonObject
  const params = { _meta: envelope, ...given }
  headers.push('mcp-method', method)
  const name = given.name ?? given.uri
  if (typeof name === 'string') headers.push('mcp-name', nameHeader(name))
  return { message: { jsonrpc: '2.0', id, method, params }, headers }
}

/** The result in an answer, whichever way it came. @throws UpstreamError when there is none */
export async function resultIn(
  call: HttpCall,
  answer: IncomingMessage,
  id: RpcId,
  maxBytes: number,
): Promise<JsonObject> {
  const type = mediaType(answer)
  const isReadable =
    answer.statusCode === 200 && (type === 'application/json' || type === 'text/event-stream')
  if (!isReadable) {
    call.discard(answer)
    throw new UpstreamError('broken', `The server answered with the HTTP status ${answer.statusCode}.`)
  }
  const message =
    type === 'application/json'
      ? messageIn(await call.text(answer, maxBytes))
      : await streamedAnswer(call, answer, id, maxBytes)
  const { result } = message?.id === id ? message : {}
  if (typeof result === 'object' && result !== null && !Array.isArray(result)) return result as JsonObject
  throw new UpstreamError('broken', 'The server gave no answer to a question of the gateway.')
}

async function streamedAnswer(
  call: HttpCall,
  answer: IncomingMessage,
  id: RpcId,
  maxBytes: number,
): Promise<RpcMessage | undefined> {
  const reader = eventReader(maxBytes)
  answer.on('error', () => {})
  try {
    for await (const bytes of answer) {
      const events = reader.read(bytes as Buffer)
      if (events === undefined) return undefined
      const found = eventsIn(events).map(({ data }) => messageIn(data ?? ''))
      const message = found.find((one) => one?.id === id && one.method === undefined)
      if (message !== undefined) return message
    }
    return undefined
  } catch {
    return undefined
  } finally {
    call.cancel(new UpstreamError('broken', 'The gateway has what it asked for.'))
  }
}

function messageIn(text: string): RpcMessage | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRpcMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}
