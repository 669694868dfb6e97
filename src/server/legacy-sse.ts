import { principalKey } from './admission.ts'
import { admitExchange } from './admit-exchange.ts'
import type { Outcome } from './answering.ts'
import type { Exchange, Incoming } from './exchange.ts'
import type { CheckedSessions } from './http-options.ts'
import { rpcCode } from './rpc-error.ts'
import { rpcOutcome } from './rpc-outcome.ts'
import type { Sdk } from './sdk-server.ts'
import type { Served } from './served.ts'
import { session } from './session.ts'
import { type SessionTable, sessionTable } from './session-table.ts'
import { noRoom, opening } from './sessions.ts'

/**
 * The HTTP+SSE transport of 2024-11-05: one stream for everything that comes from the server, and a URL to post to. Both
 * behind the same gate, and a session belongs to who opened it (MCP "HTTP+SSE Transport", deprecated).
 */
export interface LegacySse {
  /** Opens a stream; `undefined` when the request is another one. */
  open(incoming: Incoming, exchange: Exchange): Promise<Outcome> | undefined
  /** Takes a message; `undefined` when the request is another one. */
  post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> | undefined
  readonly table: SessionTable
  close(): void
}

/** Names the session in the URL to post to. Who knows it gains nothing: the token decides. */
const parameter = 'sessionId'

/** Makes a {@link LegacySse}. */
export function legacySse(sdk: Sdk, served: Served, limits: CheckedSessions): LegacySse {
  const table = sessionTable(limits, served.clock)

  async function opened(exchange: Exchange): Promise<Outcome> {
    const owner = principalKey(exchange)
    await admitExchange(served, exchange, opening, false)
    if (exchange.refused) return { kind: 'refused' }
    if (!table.makeRoomFor(owner)) return noRoom(exchange)
    const next = session(sdk, served, 'one stream')
    const stream = next.channels.standalone()
    if (!stream) throw new Error('a new session has no stream')
    next.heardFrom(exchange)
    table.add(next, owner)
    // A relative reference: it holds under any prefix the server is mounted at.
    stream.raw(`event: endpoint\ndata: ?${parameter}=${next.id}\n\n`)
    stream.onClose(() => table.remove(next))
    return { kind: 'reply', reply: stream }
  }

  async function posted(id: string, incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    const current = table.find(id, principalKey(exchange))
    if (!current) return rpcOutcome(404, null, rpcCode.invalidRequest, 'Session not found')
    return current.post(incoming, body, exchange)
  }

  return {
    table,
    open(incoming, exchange) {
      if (incoming.head.method !== 'GET' || incoming.header('mcp-session-id') !== undefined) return undefined
      return opened(exchange)
    },
    post(incoming, body, exchange) {
      const [, query = ''] = incoming.head.url.split('?', 2)
      const id = new URLSearchParams(query).get(parameter)
      return id === null ? undefined : posted(id, incoming, body, exchange)
    },
    close: () => table.close(),
  }
}
