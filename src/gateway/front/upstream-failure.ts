import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import type { RpcMessage } from '../message.ts'
import type { UpstreamError, UpstreamProblem } from '../upstream.ts'

/** RFC 9110 section 15.6. */
const statuses: Readonly<Record<UpstreamProblem, 502 | 503 | 504>> = {
  unreachable: 502,
  timeout: 504,
  refused: 502,
  broken: 502,
  busy: 503,
}

/** JSON-RPC 2.0, section 5.1: an error of the server's own. */
const code = -32000
/** Seconds to wait when nobody knows better. */
const patience = 5

/** The answer when the server behind the gateway gave none: a failure of the protocol, and of HTTP for those who read no further. */
export function upstreamFailure(
  { problem, message, retryAfter = patience }: UpstreamError,
  asked: RpcMessage | undefined,
): PlainAnswer {
  const seconds = Math.min(Math.max(Math.ceil(retryAfter), 1), 86_400)
  const isBusy = problem === 'busy'
  const data = isBusy ? { problem, retryAfter: seconds } : { problem }
  // The id of an answer is of somebody else's request.
  const id = asked?.method === undefined ? null : (asked.id ?? null)
  return jsonAnswer(
    statuses[problem],
    { jsonrpc: '2.0', id, error: { code, message, data } },
    isBusy ? { 'retry-after': String(seconds) } : {},
  )
}
