import type { Server } from '@modelcontextprotocol/server'
import { admitExchange } from './admit-exchange.ts'
import { answering, type Outcome, plainOutlet } from './answering.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { laneServerClass } from './lane-server.ts'
import { Multiplexer, type RpcRequest } from './multiplexer.ts'
import { regularReader } from './regular-request.ts'
import { capabilities, type Sdk, serverOf } from './sdk-server.ts'
import type { Served } from './served.ts'

/** Answers requests that need nothing of a client kept, over one long-lived SDK server for each protocol revision. */
export interface FastLane {
  /**
   * Takes a request if it is a regular one.
   *
   * @returns `undefined` when it is not, at once or later: the slow lane knows what to say to it
   */
  take(incoming: Incoming, body: unknown, exchange: Exchange): Promise<Outcome | undefined> | undefined
  close(): Promise<void>
}

/** What one shared server is built for. */
interface Shared {
  readonly revision: string | undefined
  readonly versions: readonly string[]
}

/**
 * Makes a {@link FastLane}.
 *
 * @param servesLegacy whether requests of 2025-11-25 are served without a session
 */
export function fastLane(sdk: Sdk, served: Served, servesLegacy: boolean): FastLane {
  const legacyVersions = sdk.SUPPORTED_PROTOCOL_VERSIONS
  const read = regularReader(sdk, servesLegacy ? legacyVersions : [])
  const lanes = {
    modern: sharedServer(sdk, served, { revision: '2026-07-28', versions: ['2026-07-28'] }),
    legacy: sharedServer(sdk, served, { revision: undefined, versions: legacyVersions }),
  }
  return {
    take(incoming, body, exchange) {
      const regular = read(incoming, body)
      if (!regular) return undefined
      const { message, era } = regular
      const run = () => dispatched(lanes[era].current(), message, incoming, exchange)
      const pending = admitExchange(served, exchange, message, era === 'modern')
      return pending ? pending.then(run) : run()
    },
    async close() {
      await Promise.all([lanes.modern.close(), lanes.legacy.close()])
    },
  }
}

const refused: Promise<Outcome> = Promise.resolve({ kind: 'refused' })

function dispatched(
  lane: Multiplexer,
  message: RpcRequest,
  incoming: Incoming,
  exchange: Exchange,
): Promise<Outcome | undefined> | undefined {
  if (exchange.refused) return refused
  const answer = answering(exchange, () => {
    const outlet = plainOutlet()
    outlet.stream.onClose(leave)
    return outlet
  })
  const pending = lane.request(message, exchange, answer)
  if (answer.isEarly) return undefined
  // Closing the response cancels the request (MCP Streamable HTTP, "Cancellation"). Once it is answered there is nothing
  // to cancel.
  function leave(): void {
    pending.cancel('the client left')
    answer.left()
  }
  incoming.onLeave(leave)
  return answer.outcome
}

/** One SDK server, built when it is needed, and anew when what it says of itself is not true any more. */
function sharedServer(sdk: Sdk, served: Served, { revision, versions }: Shared) {
  const { registry } = served
  const Class = laneServerClass(sdk)
  let built: Built | undefined
  let isStale = true
  for (const list of [registry.tools, registry.resources, registry.templates, registry.prompts]) {
    list.onChange(() => {
      isStale = true
    })
  }

  function renewed(): Built {
    const said = JSON.stringify(capabilities(registry, undefined, versions))
    isStale = false
    if (built?.said === said) return built
    // What the one before has begun it also ends.
    const lane = new Multiplexer()
    const server = serverOf(Class, sdk, served, {
      exchangeOf: (ctx) => lane.exchangeOf(ctx),
      requestIdOf: (ctx) => lane.requestIdOf(ctx),
      versions,
    })
    lane.connect(sdk, server, revision, server)
    built = { said, server, lane }
    return built
  }

  return {
    current(): Multiplexer {
      return (isStale || !built ? renewed() : built).lane
    },
    close: async () => built?.server.close(),
  }
}

interface Built {
  /** What it says that it can do. */
  readonly said: string
  readonly server: Server
  readonly lane: Multiplexer
}
