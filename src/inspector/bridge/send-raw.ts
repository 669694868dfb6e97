import { jsonAnswer, type PlainAnswer } from '../../http/refusal.ts'
import { readNodeBody } from '../../server/body.ts'
import { type ProbeRequest, type ProbeSender, ProbeUnreachable } from '../probe/exchange.ts'
import { problemAnswer } from './local-answer.ts'
import type { LocalVisit } from './local-site.ts'
import { readProbeRequest } from './probe-request.ts'
import type { Target } from './target.ts'

/** Of a request in JSON. */
const limits = { maxBytes: 2 * 1024 * 1024, timeoutMs: 30_000 }
/** Headers whose values are credentials. */
const credential = /^(?:(?:proxy-)?authorization|cookie|x-api-key|dpop)$/i
/** RFC 6750 section 2.3, and what some servers take instead. */
export const inQuery = /[?&](?:access_token|token|api_key|key)=/i

/**
 * Sends one request to the server exactly as the page describes it, and tells the page what came back. The headers of the
 * person who started the bridge go along, unless the request has its own of that name.
 *
 * @returns `undefined` when the page has left
 */
export async function sendRaw(
  target: Target,
  sender: ProbeSender,
  visit: LocalVisit,
): Promise<PlainAnswer | undefined> {
  const { req, res, invite } = visit
  const body = await readNodeBody(req, limits, invite)
  if (!body.ok) return unreadable
  const request = readProbeRequest(body.value)
  if (typeof request === 'string') return problemAnswer(400, 'request', request)
  if (isCredentialed(request) && !target.takesCredentials) return insecure
  if (isForAnother(request, target)) return forAnother
  const left = new AbortController()
  res.once('close', () => left.abort())
  try {
    return jsonAnswer(200, await sender.send(withOwn(request, target), left.signal))
  } catch (error) {
    if (left.signal.aborted) return undefined
    if (!(error instanceof ProbeUnreachable)) throw error
    return problemAnswer(502, 'unreachable', error.message)
  }
}

function isCredentialed({ headers, target }: ProbeRequest): boolean {
  return inQuery.test(target) || headers.some(([name]) => credential.test(name))
}

/**
 * Whether a credential would go to whatever has another name at the same address: behind many addresses there are the
 * servers of many people. On this machine it is how one asks whether a server minds.
 */
function isForAnother(request: ProbeRequest, { url, headers, isLoopback }: Target): boolean {
  const hasCredential = headers.length > 0 || isCredentialed(request)
  if (isLoopback || !hasCredential) return false
  return request.headers.some(
    ([name, value]) => /^host$/i.test(name) && value.trim().toLowerCase() !== url.host,
  )
}

function withOwn(request: ProbeRequest, { headers }: Target): ProbeRequest {
  const given = new Set(request.headers.map(([name]) => name.toLowerCase()))
  const own = headers.filter(([name]) => !given.has(name.toLowerCase()))
  return own.length === 0 ? request : { ...request, headers: [...request.headers, ...own] }
}

const unreadable = problemAnswer(400, 'request', 'The request must be a JSON object of at most 2 MiB.')
/** The answer to a token that anybody on the way could read. */
export const insecure = problemAnswer(
  403,
  'insecure',
  'A token is not sent over plain http to another machine: anybody on the way could read it. Use https; or start this program with --allow-insecure.',
)
const forAnother = problemAnswer(
  403,
  'insecure',
  'A token is not sent under another host name: another server at the same address could get it.',
)
