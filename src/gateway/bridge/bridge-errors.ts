import { AuthError, redact } from '../../core/index.ts'
import type { JsonObject, RpcId, RpcMessage } from '../message.ts'

/** JSON-RPC 2.0 section 5.1: of the range for implementations. */
const failed = -32_000

/** Characters of a message that a person has to read. */
const longestText = 2_000

/**
 * What the host reads of a request that has no answer: what happened, and what can be done about it.
 *
 * @param label what messages call the server
 * @param advice what to do about a refused or missing credential, besides what the error says itself
 */
export function errorAnswer(
  id: RpcId,
  error: unknown,
  label: string,
  advice: string | undefined,
): RpcMessage {
  return { jsonrpc: '2.0', id, error: serversError(error) ?? ownError(error, label, advice) }
}

/** The words of a failure, for the log. */
export function wordsOf(error: unknown, label: string, advice?: string): string {
  return ownError(error, label, advice).message
}

function ownError(error: unknown, label: string, advice: string | undefined): ErrorBody {
  if (error instanceof AuthError) {
    const { code, status, retryAfter } = error
    const isOfToken = code === 'unauthorized' || code === 'invalid_token' || code === 'token_unavailable'
    return {
      code: failed,
      message: clean(isOfToken && advice !== undefined ? `${error.message} ${advice}` : error.message),
      data: {
        reason: code,
        ...(status !== undefined && { status }),
        ...(retryAfter !== undefined && { retryAfter }),
      },
    }
  }
  const status = statusOf(error)
  if (status !== undefined) {
    return {
      code: failed,
      message: `${label} answered with status ${status}${meaning(status)}`,
      data: { status },
    }
  }
  const words = error instanceof Error ? error.message : 'The request failed.'
  return { code: failed, message: clean(words) }
}

interface ErrorBody {
  readonly code: number
  readonly message: string
  readonly data?: JsonObject
}

function clean(text: string): string {
  return redact(text.slice(0, longestText))
}

function meaning(status: number): string {
  if (status === 404) return ': is that the URL of an MCP endpoint?'
  if (status === 405 || status === 415 || status === 406) return ': it does not speak Streamable HTTP there.'
  if (status >= 500) return ': it has an outage. Try again later.'
  return '.'
}

/** The status of an answer that the SDK made an error of. */
export function statusOf(error: unknown): number | undefined {
  const status = dataOf(error)?.status
  return typeof status === 'number' ? status : undefined
}

/**
 * What the server says in JSON-RPC comes with a status of 400 and above as well, 404 for a method that it does not know
 * (MCP 2026-07-28 transports, "Streamable HTTP"). It is the server's answer.
 */
function serversError(error: unknown): ErrorBody | undefined {
  const text = dataOf(error)?.text
  if (typeof text !== 'string') return undefined
  try {
    const { jsonrpc, error: body } = JSON.parse(text) as Partial<Record<'jsonrpc' | 'error', unknown>>
    if (jsonrpc !== '2.0' || typeof body !== 'object' || body === null) return undefined
    const { code, message, data } = body as JsonObject
    if (!Number.isSafeInteger(code) || typeof message !== 'string') return undefined
    return { code: code as number, message: clean(message), ...(isObject(data) && { data }) }
  } catch {
    return undefined
  }
}

function dataOf(error: unknown): JsonObject | undefined {
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined
  return isObject(data) ? data : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null
}

/** The connection was never made, so nobody has seen the request. Codes of Node, Bun and Deno. */
const neverMade: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ConnectionRefused',
])

/** Whether the request cannot have reached the server, so that it may be sent again. */
export function wasNeverSent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && neverMade.has(error.code)
}

/** The connection was there, and ended. */
const cutOff: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'ConnectionClosed',
])

/** Whether another attempt can help a request that does nothing when it is made twice: `initialize`. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error)
  if (status !== undefined) return status === 502 || status === 503 || status === 504
  return wasNeverSent(error) || (error instanceof Error && 'code' in error && cutOff.has(error.code))
}
