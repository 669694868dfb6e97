import { AuthError } from '../core/index.ts'
import { principalKey } from './admission.ts'
import { admitExchange } from './admit-exchange.ts'
import type { Outcome } from './answering.ts'
import type { Exchange, Incoming } from './exchange.ts'
import type { CheckedSessions } from './http-options.ts'
import { rpcCode } from './rpc-error.ts'
import { rpcOutcome } from './rpc-outcome.ts'
import type { Sdk } from './sdk-server.ts'
import type { Served } from './served.ts'
import { type Session, session } from './session.ts'
import { type SessionTable, sessionTable } from './session-table.ts'

/** Answers clients of 2025-11-25 and older, which stay for a while. */
export interface SessionLane {
  /**
   * Answers a request of an HTTP method a session knows: POST, GET, DELETE.
   *
   * @param body of a POST
   */
  respond(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome>
  readonly table: SessionTable
  close(): void
}

/** Makes a {@link SessionLane} (MCP 2025-11-25, Streamable HTTP "Session Management"). */
export function sessionLane(sdk: Sdk, served: Served, options: CheckedSessions): SessionLane {
  const table = sessionTable(options, served.clock)
  const find = (incoming: Incoming, body: unknown, exchange: Exchange) =>
    foundSession(sdk, table, incoming, body, exchange)

  async function post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    if (!acceptsBoth(incoming)) return notAcceptable(body)
    const isOpening = methodOf(body) === 'initialize'
    if (isOpening && incoming.header('mcp-session-id') === undefined) return opened(incoming, body, exchange)
    const current = find(incoming, body, exchange)
    if (!isSession(current)) return current
    if (isOpening)
      return rpcOutcome(400, idOf(body), rpcCode.invalidRequest, 'The session is initialized already')
    return current.post(incoming, body, exchange)
  }

  /** A session that comes to nothing leaves nothing behind. */
  async function opened(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    const owner = principalKey(exchange)
    if (!table.canHold(owner)) return noRoom(exchange)
    const next = session(sdk, served, 'responses')
    const outcome = await next.post(incoming, body, exchange)
    // While it was opened others were, too.
    if (!isInitialized(outcome) || !table.makeRoomFor(owner)) {
      next.close()
      return isInitialized(outcome) ? noRoom(exchange) : outcome
    }
    table.add(next, owner)
    const { reply } = outcome
    return { kind: 'reply', reply: { ...reply, headers: { ...reply.headers, 'mcp-session-id': next.id } } }
  }

  async function listened(incoming: Incoming, current: Session, exchange: Exchange): Promise<Outcome> {
    await admitExchange(served, exchange, opening, false)
    return exchange.refused ? { kind: 'refused' } : streamOf(incoming, current)
  }

  return {
    table,
    async respond(incoming, body, exchange) {
      const { method } = incoming.head
      if (method === 'POST') return post(incoming, body, exchange)
      const current = find(incoming, undefined, exchange)
      if (!isSession(current)) return current
      current.heardFrom(exchange)
      if (method === 'GET') return listened(incoming, current, exchange)
      table.remove(current)
      return { kind: 'reply', reply: { status: 204, headers: {}, body: '' } }
    },
    close: () => table.close(),
  }
}

/** Opening a stream asks for no component; it counts like a request. */
export const opening = Object.freeze({ method: '' })

/** The session of the caller, or why there is none. Somebody else's is as good as none. */
function foundSession(
  sdk: Sdk,
  table: SessionTable,
  incoming: Incoming,
  body: unknown,
  exchange: Exchange,
): Session | Outcome {
  const id = incoming.header('mcp-session-id')
  if (id === undefined)
    return rpcOutcome(400, idOf(body), rpcCode.invalidRequest, 'The header Mcp-Session-Id is missing')
  const current = table.find(id, principalKey(exchange))
  if (!current) return rpcOutcome(404, idOf(body), rpcCode.invalidRequest, 'Session not found')
  const version = incoming.header('mcp-protocol-version')
  if (version !== undefined && !sdk.SUPPORTED_PROTOCOL_VERSIONS.includes(version))
    return rpcOutcome(400, idOf(body), rpcCode.invalidRequest, 'Unsupported protocol version')
  return current
}

function isSession(found: Session | Outcome): found is Session {
  return 'channels' in found
}

/** The stream of no request, or one that was cut off. */
function streamOf(incoming: Incoming, { channels }: Session): Outcome {
  if (incoming.header('accept')?.includes('text/event-stream') !== true) return notAcceptable(undefined)
  const lastEventId = incoming.header('last-event-id')
  if (lastEventId === undefined) {
    const stream = channels.standalone()
    return stream ? { kind: 'reply', reply: stream } : refused(409, 'The session has a stream already')
  }
  const stream = channels.resume(lastEventId)
  if (stream === 'unknown') return refused(404, 'No such event in this session')
  return stream === 'over' ? refused(400, 'The stream has ended') : { kind: 'reply', reply: stream }
}

function refused(status: number, message: string): Outcome {
  return rpcOutcome(status, null, rpcCode.invalidRequest, message)
}

/** Every session there may be is in use. */
export function noRoom(exchange: Exchange): Outcome {
  exchange.refused = new AuthError('rate_limited', undefined, { retryAfter: 60 })
  return { kind: 'refused' }
}

function acceptsBoth(incoming: Incoming): boolean {
  const accept = incoming.header('accept')
  return accept?.includes('application/json') === true && accept.includes('text/event-stream')
}

function notAcceptable(body: unknown): Outcome {
  const message = 'Not Acceptable: the client must accept application/json and text/event-stream'
  return rpcOutcome(406, idOf(body), rpcCode.invalidRequest, message)
}

function methodOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'method' in body ? body.method : undefined
}

function idOf(body: unknown): string | number | null {
  const { id, method } = (body ?? {}) as { id?: unknown; method?: unknown }
  if (typeof method !== 'string') return null
  return typeof id === 'string' || typeof id === 'number' ? id : null
}

type InitializedOutcome = {
  readonly kind: 'reply'
  readonly reply: { readonly status: number; readonly headers: Record<string, string>; readonly body: string }
}

function isInitialized(outcome: Outcome): outcome is InitializedOutcome {
  if (outcome.kind !== 'reply' || !('body' in outcome.reply) || outcome.reply.status !== 200) return false
  return 'result' in (JSON.parse(outcome.reply.body) as object)
}
