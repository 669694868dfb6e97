import { runWithToken } from '../http/context.ts'
import { isRefusal } from '../http/gate.ts'
import { jsonAnswer, type PlainAnswer } from '../http/refusal.ts'
import { type BodyProblem, bodyProblemStatus } from './body.ts'
import type { CustomRoute } from './custom-routes.ts'
import type { Door } from './door.ts'
import { closed, type Endpoint, type Visit } from './endpoint.ts'

/** A request to a route of one's own. */
export interface RouteVisit extends Pick<Visit, 'incoming' | 'remote'> {
  /** Reads the body, within the limits of the server. Not called before the caller is known. */
  bytes(): Promise<readonly Uint8Array[] | BodyProblem>
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
  if (endpoint.isClosed) return closed
  const bare = incoming.bare()
  // Whoever answers GET answers HEAD, without the body (RFC 9110 section 9.3.2).
  const method = bare.method === 'HEAD' && methods.includes('GET') ? 'GET' : bare.method
  if (!methods.includes(method))
    return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: methods.join(', ') })
  const read = bare.method === 'GET' || bare.method === 'HEAD' ? [] : await visit.bytes()
  if (typeof read === 'string') return jsonAnswer(bodyProblemStatus(read), { error: 'invalid_request' })
  const request = read.length === 0 ? bare : new Request(bare, { body: new Blob([...read]) })
  const entry = { token: caller, covers: endpoint.covers, clock: endpoint.clock }
  return runWithToken(entry, async () => handler(request, { auth: caller }))
}
