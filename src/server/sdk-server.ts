import type { Server, ServerContext, ServerOptions } from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'
import { protocolEntry } from './failure.ts'
import { offerCompletions, offerPrompts, offerResources, offerTools } from './offers.ts'
import type { Registry } from './registry.ts'
import { type Answer, answerer } from './request.ts'
import type { Served } from './served.ts'
import { stateCodec } from './state-codec.ts'

/** The protocol engine, loaded when the first message needs it. */
export type Sdk = typeof import('@modelcontextprotocol/server')

/** Where an SDK server sits: what it cannot know of the messages it gets. */
export interface Seat {
  /** The exchange a request belongs to. */
  exchangeOf(ctx: ServerContext): Exchange
  /** The JSON-RPC id under which the caller knows a request. */
  requestIdOf(ctx: ServerContext): string | number
  /** Set where one client stays: it can be asked, and told of changes. */
  readonly client?: {
    /** URIs it wants to hear of (2025-11-25). */
    readonly subscriptions: Set<string>
  }
  /** The protocol versions this server speaks. Default: those of the SDK. */
  readonly versions?: readonly string[]
}

/**
 * A low-level SDK server over the registry that all share. Building it costs the same whatever the registry holds.
 */
export function sdkServer(sdk: Sdk, served: Served, seat: Seat): Server {
  return serverOf(sdk.Server, sdk, served, seat)
}

/** The same, of a class that extends the SDK's. */
export function serverOf<Made extends Server>(
  Class: new (...args: ConstructorParameters<Sdk['Server']>) => Made,
  sdk: Sdk,
  served: Served,
  seat: Seat,
): Made {
  const { registry, instructions } = served
  const codec = stateCodec(sdk, served, seat)
  const server = new Class(wire(served.identity), {
    capabilities: capabilities(registry, seat.client, seat.versions),
    ...(instructions !== undefined && { instructions }),
    ...(seat.versions && { supportedProtocolVersions: [...seat.versions] }),
    requestState: { verify: codec.verify },
    cacheHints: cacheHints(served),
  })
  server.onerror = (error) => served.logger(protocolEntry(error))
  const answer: Answer = answerer(sdk, served, seat, server, codec)
  if (registry.tools.isOffered) offerTools(server, served, answer)
  if (hasResources(registry)) offerResources(sdk, server, served, seat, answer)
  if (registry.prompts.isOffered) offerPrompts(sdk, server, served, answer)
  if (hasCompletions(registry)) offerCompletions(server, served, answer)
  return server
}

/**
 * What a server built now would say it can do. A shared one is built anew when this changes; nobody is told of changes
 * where there is no way to.
 */
export function capabilities(
  registry: Registry,
  client: Seat['client'],
  versions: Seat['versions'],
): Record<string, object> {
  // Subscriptions of 2026-07-28 are streams of their own, which need nobody to stay.
  const listens = client !== undefined || versions?.includes('2026-07-28') === true
  const changes = listens ? { listChanged: true } : {}
  return {
    logging: {},
    ...(registry.tools.isOffered && { tools: changes }),
    ...(hasResources(registry) && { resources: listens ? { ...changes, subscribe: true } : {} }),
    ...(registry.prompts.isOffered && { prompts: changes }),
    ...(hasCompletions(registry) && { completions: {} }),
  }
}

/** Values the registry checked when they were registered; their static types are ours and read-only, the SDK's are not. */
function wire<Result>(value: unknown): Result {
  return value as Result
}

function hasResources(registry: Registry): boolean {
  return registry.resources.isOffered || registry.templates.isOffered
}

function hasCompletions({ prompts, templates }: Registry): boolean {
  for (const { completions } of prompts.values()) if (completions.size > 0) return true
  for (const { completions } of templates.values()) if (completions.size > 0) return true
  return false
}

/** How long a client may keep a list, and whether it may share it (MCP "Caching"). */
function cacheHints({ limits, isOpen }: Served): NonNullable<ServerOptions['cacheHints']> {
  const hint = { ttlMs: limits.listTtlMs, cacheScope: isOpen ? 'public' : 'private' } as const
  return {
    'tools/list': hint,
    'resources/list': hint,
    'resources/templates/list': hint,
    'prompts/list': hint,
    'server/discover': hint,
  }
}
