import type { Outcome } from './answering.ts'
import type { Changes } from './changes.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { fastLane } from './fast-lane.ts'
import { type CheckedSessions, checkedSessions } from './http-options.ts'
import { legacySse } from './legacy-sse.ts'
import { classify } from './regular-request.ts'
import type { Sdk } from './sdk-server.ts'
import type { Served } from './served.ts'
import { sessionLane } from './sessions.ts'
import { slowLane } from './slow-lane.ts'

/** The MCP protocol over HTTP, behind the gate: the caller is known and the body is parsed. */
export interface Lanes {
  /**
   * Answers one request of an HTTP method this server has.
   *
   * @param body the parsed JSON body of a POST
   */
  respond(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome>
  close(): Promise<void>
}

/** Which ways there are. */
export interface LaneChoice {
  /** `undefined` for none. */
  readonly sessions: CheckedSessions | undefined
  /** Whether the transport of 2024-11-05 is served. */
  readonly legacySse: boolean
  /** Off only to compare: everything then takes the slow lane that can. */
  readonly fast: boolean
}

/** Makes the {@link Lanes} of one server: three ways to an answer, all over one registry. */
export function lanes(sdk: Sdk, served: Served, changes: Changes, choice: LaneChoice): Lanes {
  const slow = slowLane(sdk, served)
  const fast = choice.fast ? fastLane(sdk, served, choice.sessions === undefined) : undefined
  const sessions = choice.sessions && sessionLane(sdk, served, choice.sessions)
  const old = choice.legacySse ? legacySse(sdk, served, choice.sessions ?? checkedSessions({})) : undefined
  const listeners = [slow.notify, sessions?.table, old?.table].filter((listener) => listener !== undefined)
  const forget = listeners.map((listener) => changes.listen(listener))

  const isLegacy = (incoming: Incoming, body: unknown) => classify(sdk, incoming, body).kind === 'legacy'

  function post(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    const sent = old && isLegacy(incoming, body) ? old.post(incoming, body, exchange) : undefined
    if (sent) return sent
    const taken = fast?.take(incoming, body, exchange)
    if (!taken) return postSlowly(incoming, body, exchange)
    return taken.then((outcome) => outcome ?? postSlowly(incoming, body, exchange))
  }

  async function postSlowly(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome> {
    return sessions && isLegacy(incoming, body)
      ? sessions.respond(incoming, body, exchange)
      : slow.respond(incoming, body, exchange)
  }

  return {
    respond(incoming, body, exchange) {
      if (incoming.head.method === 'POST') return post(incoming, body, exchange)
      const opened = old?.open(incoming, exchange)
      // Without sessions there is nothing to GET or DELETE, which the slow lane says.
      return opened ?? (sessions ?? slow).respond(incoming, body, exchange)
    },
    async close() {
      for (const stop of forget) stop()
      sessions?.close()
      old?.close()
      await Promise.all([slow.close(), fast?.close()])
    },
  }
}
