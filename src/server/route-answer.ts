import { AuthError } from '../core/index.ts'
import { runWithToken } from '../http/context.ts'
import { isRefusal } from '../http/gate.ts'
import { jsonAnswer, type PlainAnswer } from '../http/refusal.ts'
import { type BodyProblem, bodyProblemAnswer } from './body.ts'
import type { CustomRoute, RouteContext, RouteHandler } from './custom-routes.ts'
import type { Door } from './door.ts'
import { closed, type Endpoint, refusalFor, type Visit } from './endpoint.ts'
import { isResponse } from './node-response.ts'

/** A request to a route of one's own. */
export interface RouteVisit extends Pick<Visit, 'incoming'> {
  /** Reads the body, within the limits of the server. Not called before the caller is known. */
  bytes(): readonly Uint8Array[] | BodyProblem | Promise<readonly Uint8Array[] | BodyProblem>
}

/**
 * Answers a request to a route of one's own, behind the same door as the MCP endpoint: protected unless its author said
 * otherwise, and even then not open to every `Host` and `Origin`.
 */
export async function answerRoute(
  { handler, isProtected, methods }: CustomRoute,
  visit: RouteVisit,
  door: Door,
  endpoint: Endpoint,
): Promise<Response | PlainAnswer> {
  const { incoming } = visit
  const caller = await endpoint.admit(visit, isProtected ? door : { ...door, gate: undefined })
  if (caller && isRefusal(caller)) return caller
  // What is bound to tools is good for them alone.
  if (caller?.tools !== undefined) return door.refuse('access_denied')
  if (endpoint.isClosed) return closed
  const { method } = incoming.head
  // Whoever answers GET answers HEAD, without the body (RFC 9110 section 9.3.2).
  if (!methods.includes(method === 'HEAD' && methods.includes('GET') ? 'GET' : method))
    return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: methods.join(', ') })
  const read = method === 'GET' || method === 'HEAD' ? [] : await visit.bytes()
  if (typeof read === 'string') return bodyProblemAnswer(read, { error: 'invalid_request' })
  const bare = incoming.bare()
  const request = read.length === 0 ? bare : new Request(bare, { body: new Blob([...read]) })
  const covers: Endpoint['covers'] = (token, scopes) => endpoint.covers(token, scopes)
  const entry = { token: caller, covers, clock: endpoint.clock }
  return runWithToken(entry, () => handled(handler, request, { auth: caller }, door))
}

/** A handler may refuse, with `requireScopes` or an {@link AuthError} of its own. */
async function handled(
  handler: RouteHandler,
  request: Request,
  context: RouteContext,
  { refuse }: Door,
): Promise<Response | PlainAnswer> {
  try {
    const response: unknown = await handler(request, context)
    if (isResponse(response)) return response
    throw new TypeError('a route must answer with a Response')
  } catch (error) {
    if (error instanceof AuthError) return refusalFor(error, refuse)
    throw error
  }
}
