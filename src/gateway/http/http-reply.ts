import type { IncomingMessage } from 'node:http'
import { conceal } from '../../client/fetch/secrets.ts'
import { readBearerChallenge } from '../../core/index.ts'
import type { PlainAnswer } from '../../http/refusal.ts'
import { rpcReply } from '../../server/reply.ts'
import { rpcErrorMessage } from '../../server/rpc-error.ts'
import { isRequest, isRpcMessage, type RpcMessage } from '../message.ts'
import { type Passage, UpstreamError } from '../upstream.ts'
import type { HttpCall } from './http-call.ts'
import { mediaType, retryAfterOf } from './http-headers.ts'

/** An answer of the server, and what it is the answer to. */
export interface Answered {
  readonly call: HttpCall
  readonly answer: IncomingMessage
  /** What went out and must not come back in an error. */
  readonly secrets: () => readonly string[]
}

/** What kind of answer it is. @throws UpstreamError when it is none that can be passed on */
export function kindOf({ call, answer }: Answered): 'stream' | 'json' | 'other' {
  const { statusCode: status = 0, headers } = answer
  const refuse = (error: UpstreamError): never => {
    call.discard(answer)
    throw error
  }
  if (isRefusal(status, headers['www-authenticate'])) return refuse(refused())
  if (status < 200 || status > 599) return refuse(broken(`answered with the HTTP status ${status}`))
  // Where to is for the operator to decide: a credential and a caller's arguments go to the URL that was written down.
  if (status >= 300 && status < 400)
    return refuse(broken('redirects to another URL; the gateway follows no redirects'))
  const coding = headers['content-encoding']
  if (coding !== undefined && coding !== 'identity')
    return refuse(broken('sent a compressed answer that nobody asked for'))
  const type = mediaType(answer)
  if (type === 'application/json') return 'json'
  return type === 'text/event-stream' && status === 200 ? 'stream' : 'other'
}

/** It is the gateway that was refused: the caller's own credential is good, and another one of it would not help. */
function isRefusal(status: number, challenge: string | undefined): boolean {
  if (status === 401 || status === 407) return true
  return status === 403 && challenge !== undefined && readBearerChallenge(challenge) !== undefined
}

/** The server does not take the credential of the gateway. */
export function refused(cause?: unknown): UpstreamError {
  const message =
    'The server behind the gateway does not let the gateway in. Its operator has to look at that.'
  return new UpstreamError('refused', message, { cause })
}

function broken(what: string): UpstreamError {
  return new UpstreamError('broken', `The server behind the gateway ${what}.`)
}

/** What goes back when the answer is in one piece. @throws UpstreamError */
export async function plainReply(
  { call, answer, secrets }: Answered,
  isJson: boolean,
  passage: Pick<Passage, 'message' | 'method' | 'review'>,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): Promise<PlainAnswer> {
  const status = answer.statusCode!
  const { message, review } = passage
  if (status >= 400) {
    const text = isJson ? await call.text(answer, mostOfError) : ''
    if (!isJson) call.discard(answer)
    return failed(answer, conceal(text, secrets()), passage, headers)
  }
  if (passage.method === 'POST' && message !== undefined && isRequest(message)) {
    const text = isJson ? await call.text(answer, maxBytes) : ''
    if (text !== '') return jsonReply(status, review ? reviewedText(text, review, message) : text, headers)
    if (!isJson) call.discard(answer)
    throw broken('gave no answer of MCP')
  }
  call.discard(answer)
  if (passage.method === 'GET') throw broken('gave no stream where one was asked for')
  // Nobody waits for an answer to a notification (MCP Streamable HTTP, "Sending Messages to the Server").
  const isEmpty = status === 204
  const length: Readonly<Record<string, string>> = isEmpty ? {} : { 'content-length': '0' }
  return { status: passage.method === 'POST' ? 202 : status, headers: { ...length, ...headers }, body: '' }
}

/** Bytes of the body of an error. */
const mostOfError = 1_048_576

function jsonReply(status: number, body: string, headers: Readonly<Record<string, string>>): PlainAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
    body,
  }
}

/** Written anew: what two readers could read in two ways is gone then. */
function reviewedText(
  text: string,
  review: NonNullable<Passage['review']>,
  asked: RpcMessage | undefined,
): string {
  const answer = parsed(text)
  if (!isRpcMessage(answer)) {
    // Without an id, an error names nothing (JSON-RPC 2.0, section 5).
    if (isNamelessError(answer)) return JSON.stringify({ jsonrpc: '2.0', id: null, error: answer.error })
    throw broken('gave an answer that is no JSON-RPC')
  }
  const seen = review(answer)
  return JSON.stringify(seen ?? rpcErrorMessage(asked?.id ?? null, code, 'The answer may not be seen'))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isNamelessError(value: unknown): value is { readonly error: object } {
  if (typeof value !== 'object' || value === null) return false
  const { id, error, result } = value as RpcMessage
  return (id ?? null) === null && result === undefined && typeof error === 'object' && error !== null
}

/** JSON-RPC 2.0, section 5.1: an error of the server's own. */
const code = -32000

/** An error of the server's is the caller's to see, in the server's words if these are JSON, else in ours. */
function failed(
  answer: IncomingMessage,
  text: string,
  { message, review }: Pick<Passage, 'message' | 'review'>,
  headers: Readonly<Record<string, string>>,
): PlainAnswer {
  const status = answer.statusCode!
  const retryAfter = retryAfterOf(answer)
  const all = retryAfter === undefined ? headers : { ...headers, 'retry-after': String(retryAfter) }
  const value = parsed(text)
  if (review && (isRpcMessage(value) || isNamelessError(value)))
    return jsonReply(status, reviewedText(text, review, message), all)
  if (!review && typeof value === 'object' && value !== null) return jsonReply(status, text, all)
  if (status === 503) {
    const words = 'The server behind the gateway is busy.'
    throw new UpstreamError('busy', words, retryAfter === undefined ? {} : { retryAfter })
  }
  if (status >= 500) throw broken(`answered with the HTTP status ${status}`)
  const id = message !== undefined && isRequest(message) ? message.id : null
  const words = status === 404 ? 'Session not found' : `The server answered with the HTTP status ${status}`
  const { headers: own, body } = rpcReply(rpcErrorMessage(id, status === 404 ? noSession : code, words))
  return { status, headers: { ...own, ...all }, body }
}

/** JSON-RPC 2.0, section 5.1. */
const methodNotFound = -32601

/** What the SDKs answer for a session that is none. */
const noSession = -32001

/** The answer to the name of a session that is nobody's, or somebody else's (MCP "Session Management"). */
export function sessionNotFound({ message }: Pick<Passage, 'message'>): PlainAnswer {
  const id = message !== undefined && isRequest(message) ? message.id : null
  return rpcReply(rpcErrorMessage(id, noSession, 'Session not found'), 404)
}

/** The answer to a question for the tasks of everybody (MCP 2025-11-25 "Tasks", "Security Considerations"). */
export function noTaskList({ message }: Pick<Passage, 'message'>): PlainAnswer {
  const words =
    'Method not found: the server cannot tell whose tasks are whose, so the gateway does not ask for them'
  return message !== undefined && isRequest(message)
    ? rpcReply(rpcErrorMessage(message.id, methodNotFound, words))
    : { status: 202, headers: { 'content-length': '0' }, body: '' }
}

/** The answer to an event that was not sent to who comes back with it. */
export function eventNotFound(): PlainAnswer {
  return rpcReply(rpcErrorMessage(null, code, 'Last-Event-ID names no event of this session'), 400)
}
