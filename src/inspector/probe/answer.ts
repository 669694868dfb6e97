import { type BearerChallenge, readBearerChallenge } from '../../core/challenge.ts'
import { isObject } from '../../verify/json.ts'
import { isAnswerTo, messagesOf, parsed } from './event-stream.ts'
import type { ProbeRequest, ProbeResponse } from './exchange.ts'
import type { SeenExchange } from './finding.ts'

/**
 * What an answer means.
 *
 * | verdict | meaning |
 * |---|---|
 * | `admitted` | 2xx with the result of the request: whoever sent it was let in |
 * | `refused` | 401 or 403 |
 * | `rpc_error` | an error of JSON-RPC that is no refusal: the protocol was reached |
 * | `redirect` | 3xx |
 * | `missing` | 404 or 405 |
 * | `throttled` | 429 |
 * | `broken` | 5xx |
 * | `silent` | no answer came |
 * | `other` | anything else |
 */
export type Verdict =
  | 'admitted'
  | 'refused'
  | 'rpc_error'
  | 'redirect'
  | 'missing'
  | 'throttled'
  | 'broken'
  | 'silent'
  | 'other'

/** A request with what came back, and what it means. Not for showing: nothing is taken out of it yet. */
export interface Answer extends SeenExchange {
  readonly verdict: Verdict
  /** 0 when no answer came. */
  readonly status: number
  /** The JSON-RPC answer, when there is one. */
  readonly message?: Readonly<Record<string, unknown>>
}

/** Reads an answer. */
export function answerOf(request: ProbeRequest, response: ProbeResponse): Answer {
  const message = messageIn(request, response)
  const verdict = verdictOf(response.status, message)
  return { request, response, verdict, status: response.status, ...(message && { message }) }
}

/** No answer came. */
export function silence(request: ProbeRequest, problem: string): Answer {
  return { request, response: undefined, problem, verdict: 'silent', status: 0 }
}

function verdictOf(status: number, message: Answer['message']): Verdict {
  // A page cannot see where it would be sent: 0 is a redirect that was not followed.
  if (status === 0 || (status >= 300 && status < 400)) return 'redirect'
  if (status === 401 || status === 403) return 'refused'
  if (status === 429) return 'throttled'
  if (message && status < 300 && Object.hasOwn(message, 'result')) return 'admitted'
  if (status >= 500) return 'broken'
  if (message && isObject(message.error)) return 'rpc_error'
  return status === 404 || status === 405 ? 'missing' : 'other'
}

function messageIn(request: ProbeRequest, response: ProbeResponse): Answer['message'] {
  const isStream = /^text\/event-stream\b/i.test(headerOf(response, 'content-type') ?? '')
  // A batch is answered with a list (JSON-RPC 2.0 section 6).
  const candidates = (isStream ? messagesOf(response.body) : [parsed(response.body)]).flat()
  const isAnswer = isAnswerTo(request.body)
  // An error may come before anybody knew the id (JSON-RPC 2.0 section 5).
  const isOurs = (one: unknown) => isAnswer(one) || (isObject(one) && one.id == null && isRpcError(one))
  return candidates.find(isOurs) as Answer['message']
}

function isRpcError(message: Readonly<Record<string, unknown>>): boolean {
  return message.jsonrpc === '2.0' && isObject(message.error)
}

/** The first line of a header. */
export function headerOf(response: ProbeResponse | undefined, name: string): string | undefined {
  return headersOf(response, name)[0]
}

/** All lines of a header. */
export function headersOf(response: ProbeResponse | undefined, name: string): string[] {
  return (response?.headers ?? []).filter(([one]) => one === name).map(([, value]) => value)
}

/** The Bearer challenge of an answer, in words. */
export function challengeOf(answer: Answer): BearerChallenge | undefined {
  return readBearerChallenge(headersOf(answer.response, 'www-authenticate'))
}

/** The code of a JSON-RPC error. */
export function rpcCodeOf(answer: Answer): number | undefined {
  const error = answer.message?.error
  return isObject(error) && typeof error.code === 'number' ? error.code : undefined
}

/** The result of the request, as an object. */
export function resultOf(answer: Answer | undefined): Readonly<Record<string, unknown>> {
  const result = answer?.verdict === 'admitted' ? answer.message?.result : undefined
  return isObject(result) ? result : {}
}
