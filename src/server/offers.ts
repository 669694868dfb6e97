import type { Server } from '@modelcontextprotocol/server'
import { ensureAdmitted } from './admission.ts'
import { completionResult } from './completion.ts'
import { admit, type Caller, type Component } from './component.ts'
import { page } from './page.ts'
import { findResource } from './registry.ts'
import type { Answer } from './request.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { Sdk, Seat } from './sdk-server.ts'
import type { Served } from './served.ts'
import type { JsonObject } from './types.ts'

/** `tools/list` and `tools/call`. */
export function offerTools(server: Server, served: Served, answer: Answer): void {
  const { tools } = served.registry
  server.setRequestHandler('tools/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => lines(served, 'tools', tools, exchange, params)),
  )
  server.setRequestHandler('tools/call', ({ params }, ctx) =>
    answer(params, ctx, async (call, exchange) => {
      const tool = existing(tools.get(params.name), 'tool')
      await ensureAdmitted(exchange, tool, { arguments: params.arguments })
      const result = await tool.call(params.arguments, call, exchange)
      return server.projectCallToolResult(wire(result), wire(tool.outputSchema))
    }),
  )
}

/** `resources/*`: lists, reading, and for clients of 2025-11-25 that stay, subscriptions. */
export function offerResources(sdk: Sdk, server: Server, served: Served, seat: Seat, answer: Answer): void {
  const { resources, templates } = served.registry
  server.setRequestHandler('resources/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => lines(served, 'resources', resources, exchange, params)),
  )
  server.setRequestHandler('resources/templates/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) =>
      lines(served, 'resourceTemplates', templates, exchange, params),
    ),
  )
  server.setRequestHandler('resources/read', ({ params }, ctx) =>
    answer(params, ctx, async (call, exchange) => {
      const found = findResource(served.registry, params.uri)
      if (!found) throw new sdk.ResourceNotFoundError(params.uri)
      await ensureAdmitted(exchange, found.entry, { uri: params.uri })
      const contents = await found.entry.read(params.uri, found.args, call, exchange)
      const isModern = ctx.mcpReq.envelope !== undefined
      const cacheScope = served.isOpen ? 'public' : 'private'
      const kept = isModern ? { ttlMs: found.entry.ttlMs, cacheScope } : {}
      return conforming(sdk, 'ReadResourceResult', { contents, ...kept })
    }),
  )
  if (seat.client) offerSubscriptions(server, served, seat.client.subscriptions, answer)
}

/** A client hears only of what it may read; whether it still may is looked at again before it is told. */
function offerSubscriptions(
  server: Server,
  served: Served,
  subscriptions: Set<string>,
  answer: Answer,
): void {
  server.setRequestHandler('resources/subscribe', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => {
      const found = findResource(served.registry, params.uri)
      await ensureAdmitted(exchange, existing(found?.entry, 'resource'), { uri: params.uri })
      if (subscriptions.size >= mostSubscriptions)
        throw new RpcError(rpcCode.invalidRequest, 'Too many subscriptions')
      subscriptions.add(params.uri)
      return {}
    }),
  )
  server.setRequestHandler('resources/unsubscribe', ({ params }, ctx) =>
    answer(params, ctx, async () => {
      subscriptions.delete(params.uri)
      return {}
    }),
  )
}

/** Of one client. */
const mostSubscriptions = 1000

/** `prompts/list` and `prompts/get`. */
export function offerPrompts(sdk: Sdk, server: Server, served: Served, answer: Answer): void {
  const { prompts } = served.registry
  server.setRequestHandler('prompts/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => lines(served, 'prompts', prompts, exchange, params)),
  )
  server.setRequestHandler('prompts/get', ({ params }, ctx) =>
    answer(params, ctx, async (call, exchange) => {
      const prompt = existing(prompts.get(params.name), 'prompt')
      await ensureAdmitted(exchange, prompt, { arguments: params.arguments })
      return conforming(sdk, 'GetPromptResult', await prompt.get(params.arguments, call, exchange))
    }),
  )
}

/** `completion/complete`. What a caller does not see is not completed either. */
export function offerCompletions(server: Server, served: Served, answer: Answer): void {
  const { prompts, templates, resources } = served.registry
  server.setRequestHandler('completion/complete', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => {
      const { ref, argument, context } = params
      const found =
        ref.type === 'ref/prompt' ? prompts.get(ref.name) : (templates.get(ref.uri) ?? resources.get(ref.uri))
      const what = ref.type === 'ref/prompt' ? 'prompt' : 'resource template'
      const entry = await shown(existing(found, what), what, exchange)
      const known = { auth: exchange.auth, arguments: { ...context?.arguments } }
      return completionResult(await entry.completions.suggest(argument.name, argument.value, known, exchange))
    }),
  )
}

/** One page of a list. */
async function lines(
  { limits }: Served,
  member: string,
  list: { visible(caller: Caller): readonly JsonObject[] | Promise<readonly JsonObject[]> },
  caller: Caller,
  params: { cursor?: string | undefined } | undefined,
): Promise<Record<string, unknown>> {
  const { items, nextCursor } = page(await list.visible(caller), params?.cursor, limits.pageSize)
  return { [member]: items, ...(nextCursor !== undefined && { nextCursor }) }
}

async function shown<Entry extends Component>(entry: Entry, what: string, caller: Caller): Promise<Entry> {
  try {
    await admit(entry, caller, {})
    return entry
  } catch {
    return existing<Entry>(undefined, what)
  }
}

function existing<Entry>(entry: Entry | undefined, what: string): Entry {
  if (!entry) throw new RpcError(rpcCode.invalidParams, `Unknown ${what}`)
  return entry
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
