import type { PlainAnswer } from '../../http/refusal.ts'
import { EventStream } from '../../server/reply.ts'
import type { RpcRequest } from '../message.ts'
import type { Upstream } from '../upstream.ts'
import type { Crossing } from './crossing.ts'
import { isModern } from './header-agreement.ts'

/**
 * Finds out whether the server would not say what tools it has because the session of the request is over, or missing:
 * then the client has to read that, or it would never begin a new one (MCP Streamable HTTP, "Session Management"). Asked
 * with a ping, which does nothing else.
 *
 * @returns that 404 or 400, as the upstream words it; `undefined` when it is something else
 */
export async function sessionProblem(
  upstream: Upstream,
  { incoming, method, caller, principal, exchange, message, identity }: Crossing,
): Promise<PlainAnswer | undefined> {
  if (message?.id === undefined || isModern(message)) return undefined
  const ping: RpcRequest = { jsonrpc: '2.0', id: message.id, method: 'ping' }
  const passage = { incoming, method, caller, principal, exchange, message: ping, body: JSON.stringify(ping) }
  try {
    const reply = await upstream.answer({ ...passage, review: undefined, identity })
    if (!(reply instanceof EventStream)) return [400, 404].includes(reply.status) ? reply : undefined
    reply.close()
  } catch {
    // It is not the session, or not only.
  }
  return undefined
}
