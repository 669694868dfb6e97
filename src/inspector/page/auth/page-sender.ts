import { stopwatch } from '../../../core/clock.ts'
import type { ProbeRequest, ProbeResponse, ProbeSender } from '../../probe/exchange.ts'
import { ProbeUnreachable } from '../../probe/exchange.ts'
import { sendExactly } from '../net/exact-send.ts'
import { NotPassedOn } from '../net/passed-on.ts'
import { tracedFetch } from '../net/traced-fetch.ts'
import { config } from '../state.ts'
import { readAnswer } from './answer-reader.ts'

/** Milliseconds for the head of an answer. */
const timeoutMs = 10_000

/**
 * Sends the requests of a probe from the page: through the bridge exactly as they are, or as a browser sends them, where
 * the server itself serves the page.
 */
export function pageSender(): ProbeSender {
  const { send } = config.peek()
  return send === undefined
    ? { isRaw: false, send: sendAsBrowser }
    : { isRaw: true, send: (request, signal) => sendExactly(send, request, signal) }
}

async function sendAsBrowser(request: ProbeRequest, signal: AbortSignal): Promise<ProbeResponse> {
  const { method, target, headers, body } = request
  const started = stopwatch()
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await tracedFetch({
      purpose: 'probe',
      method,
      path: target,
      headers: Object.fromEntries(headers),
      ...(body !== undefined && { body }),
      signal: AbortSignal.any([signal, late]),
    })
    const ms = Math.round(stopwatch() - started)
    if (answer.type === 'opaqueredirect') throw new ProbeUnreachable('The server answered with a redirect.')
    return { status: answer.status, headers: [...answer.headers], ms, ...(await readAnswer(answer, request)) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ProbeUnreachable) throw error
    throw new ProbeUnreachable(problemOf(error, late))
  }
}

function problemOf(error: unknown, late: AbortSignal): string {
  if (error instanceof NotPassedOn) return error.message
  if (late.aborted) return `No answer came within ${timeoutMs / 1000} seconds.`
  return 'The server cannot be reached, or the browser did not let the page ask it.'
}
