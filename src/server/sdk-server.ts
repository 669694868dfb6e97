import type { Server, ServerContext } from '@modelcontextprotocol/server'
import type { AccessToken, Logger } from '../core/index.ts'
import { CallContext, type ProtocolContext } from './call-context.ts'
import { type Component, permitted } from './component.ts'
import type { Exchange } from './exchange.ts'
import { genericFailure, isRefusal, stackText } from './failure.ts'
import { findResource, type Registry } from './registry.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { LogLevel } from './types.ts'

/** The protocol engine, loaded when the first message needs it. */
export type Sdk = typeof import('@modelcontextprotocol/server')

/** What a server says of itself. */
export interface ServerIdentity {
  readonly name: string
  readonly version: string
  readonly title?: string
}

/** What every exchange of one server shares. */
export interface Served {
  readonly identity: ServerIdentity
  readonly instructions: string | undefined
  readonly registry: Registry
  readonly logger: Logger
  /** Calls that are running now. */
  readonly inFlight: Set<CallContext>
  /** Whether a token's scopes cover these, the hierarchy counted. */
  covers(token: AccessToken, scopes: readonly string[]): boolean
}

/**
 * A low-level SDK server for one exchange (or one stdio connection), over the registry that all share. Building it
 * costs the same whatever the registry holds.
 */
export function sdkServer(sdk: Sdk, served: Served, exchange: Exchange): Server {
  const { registry } = served
  const server = new sdk.Server(
    { ...served.identity },
    {
      capabilities: capabilities(registry),
      ...(served.instructions !== undefined && { instructions: served.instructions }),
    },
  )
  const answer = answerer(sdk, served, exchange)
  if (registry.tools.size > 0) offerTools(server, registry, exchange, answer)
  if (hasResources(registry)) offerResources(sdk, server, registry, exchange, answer)
  if (registry.prompts.size > 0) offerPrompts(sdk, server, registry, exchange, answer)
  return server
}

/** What a posted message asks for that needs scopes, looked up before anything runs. */
export function addressed(registry: Registry, message: unknown): Component | undefined {
  const { method, params } = (message ?? {}) as {
    method?: unknown
    params?: { name?: unknown; uri?: unknown } | null
  }
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  if (method === 'tools/call') return registry.tools.get(text(params?.name))
  if (method === 'resources/read') return findResource(registry, text(params?.uri))?.entry
  if (method === 'prompts/get') return registry.prompts.get(text(params?.name))
  return undefined
}

type Answer = <Result>(
  ctx: ServerContext,
  run: (call: CallContext) => Result | Promise<Result>,
) => Promise<Result>

/** Runs one request and turns what it throws into what the protocol carries. */
function answerer(sdk: Sdk, { logger, inFlight }: Served, exchange: Exchange): Answer {
  return async (ctx, run) => {
    const call = new CallContext(exchange.auth, protocolContext(ctx))
    inFlight.add(call)
    try {
      return await run(call)
    } catch (error) {
      if (error instanceof sdk.ProtocolError) throw error
      if (error instanceof RpcError) throw new sdk.ProtocolError(error.code, error.message)
      if (isRefusal(error)) {
        exchange.refused ??= error
        const needs = error.scopes ? `; this needs ${error.scopes.join(' ')}` : ''
        throw new sdk.ProtocolError(rpcCode.invalidRequest, `${error.message}${needs}`)
      }
      const text = stackText(error, exchange.auth)
      logger({
        level: 'error',
        event: 'request_failed',
        message: 'a request failed',
        details: { error: text },
      })
      throw new sdk.ProtocolError(rpcCode.internalError, genericFailure)
    } finally {
      inFlight.delete(call)
    }
  }
}

function protocolContext({ mcpReq }: ServerContext): ProtocolContext {
  return {
    requestId: mcpReq.id,
    signal: mcpReq.signal,
    progressToken: mcpReq._meta?.progressToken,
    notify: (notification) => mcpReq.notify(notification),
    log: (level: LogLevel, data) => mcpReq.log(level, data),
  }
}

function capabilities(registry: Registry): Record<string, object> {
  return {
    logging: {},
    ...(registry.tools.size > 0 && { tools: {} }),
    ...(hasResources(registry) && { resources: {} }),
    ...(registry.prompts.size > 0 && { prompts: {} }),
  }
}

function hasResources(registry: Registry): boolean {
  return registry.resources.size + registry.templates.size > 0
}

/** What the registry holds was checked when it was registered; its static type is ours and read-only, the SDK's is not. */
function wire<Result>(value: unknown): Result {
  return value as Result
}

/**
 * The result, if the protocol can carry it. The SDK checks tool results itself; any other that does not conform would be
 * dropped, and the caller would wait for ever.
 */
function conforming<Result>(
  sdk: Sdk,
  name: 'ReadResourceResult' | 'GetPromptResult',
  value: unknown,
): Result {
  const { issues } = sdk.specTypeSchemas[name]['~standard'].validate(value)
  if (issues) throw new TypeError(`not a ${name}: ${issues[0]?.path?.join('.')}: ${issues[0]?.message}`)
  return value as Result
}

function offerTools(server: Server, { tools }: Registry, exchange: Exchange, answer: Answer): void {
  server.setRequestHandler('tools/list', () => wire({ tools: tools.visible(exchange) }))
  server.setRequestHandler('tools/call', ({ params }, ctx) =>
    answer(ctx, async (call) => {
      const tool = permitted(tools.get(params.name), 'tool', exchange)
      const result = await tool.call(params.arguments, call)
      return server.projectCallToolResult(wire(result), wire(tool.outputSchema))
    }),
  )
}

function offerResources(
  sdk: Sdk,
  server: Server,
  registry: Registry,
  exchange: Exchange,
  answer: Answer,
): void {
  server.setRequestHandler('resources/list', () => wire({ resources: registry.resources.visible(exchange) }))
  server.setRequestHandler('resources/templates/list', () =>
    wire({ resourceTemplates: registry.templates.visible(exchange) }),
  )
  server.setRequestHandler('resources/read', ({ params }, ctx) =>
    answer(ctx, async (call) => {
      const found = findResource(registry, params.uri)
      if (!found) throw new sdk.ResourceNotFoundError(params.uri)
      const entry = permitted(found.entry, 'resource', exchange)
      return conforming(sdk, 'ReadResourceResult', {
        contents: await entry.read(params.uri, found.args, call),
      })
    }),
  )
}

function offerPrompts(
  sdk: Sdk,
  server: Server,
  { prompts }: Registry,
  exchange: Exchange,
  answer: Answer,
): void {
  server.setRequestHandler('prompts/list', () => wire({ prompts: prompts.visible(exchange) }))
  server.setRequestHandler('prompts/get', ({ params }, ctx) =>
    answer(ctx, async (call) => {
      const prompt = permitted(prompts.get(params.name), 'prompt', exchange)
      return conforming(sdk, 'GetPromptResult', await prompt.get(params.arguments, call))
    }),
  )
}
