import type { Server, ServerContext } from '@modelcontextprotocol/server'
import { askedUri, ensureAdmitted, mostSubscriptions } from './admission.ts'
import { type Caller, type Component, isVisible } from './component.ts'
import type { ComponentList } from './component-list.ts'
import { page } from './page.ts'
import { findResource, type Registry } from './registry.ts'
import type { Answer } from './request.ts'
import type { ResourceEntry } from './resources.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { Sdk, Seat } from './sdk-server.ts'
import type { Served } from './served.ts'
import { andThen } from './thenable.ts'
import { normalUri } from './uri-template.ts'

/** `tools/list` and `tools/call`. */
export function offerTools(server: Server, served: Served, answer: Answer): void {
  const { tools } = served.registry
  server.setRequestHandler('tools/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => lines(served, 'tools', tools, exchange, params, ctx)),
  )
  server.setRequestHandler('tools/call', ({ params }, ctx) =>
    answer(params, ctx, (call, exchange) => {
      const tool = existing(tools.get(params.name), 'tool')
      const admitted = ensureAdmitted(exchange, tool, { arguments: params.arguments })
      const result = andThen(admitted, () => tool.call(params.arguments, call, exchange))
      return andThen(result, (value) => server.projectCallToolResult(wire(value), wire(tool.outputSchema)))
    }),
  )
}

/** `resources/*`: lists, reading, and for clients of 2025-11-25 that stay, subscriptions. */
export function offerResources(sdk: Sdk, server: Server, served: Served, seat: Seat, answer: Answer): void {
  const { resources, templates } = served.registry
  server.setRequestHandler('resources/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) =>
      lines(served, 'resources', resources, exchange, params, ctx),
    ),
  )
  server.setRequestHandler('resources/templates/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) =>
      lines(served, 'resourceTemplates', templates, exchange, params, ctx),
    ),
  )
  server.setRequestHandler('resources/read', ({ params }, ctx) =>
    answer(params, ctx, async (call, exchange) => {
      const found = findResource(served.registry, params.uri)
      if (!found) throw new sdk.ResourceNotFoundError(params.uri)
      await ensureAdmitted(exchange, found.entry, askedUri(params.uri))
      const contents = await found.entry.read(params.uri, found.args, call, exchange)
      const isModern = ctx.mcpReq.envelope !== undefined
      const cacheScope = served.isOpen && !found.entry.rule ? 'public' : 'private'
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
      await ensureAdmitted(exchange, existing(found?.entry, 'resource'), askedUri(params.uri))
      if (subscriptions.size >= mostSubscriptions && !subscriptions.has(params.uri))
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

/** `prompts/list` and `prompts/get`. */
export function offerPrompts(sdk: Sdk, server: Server, served: Served, answer: Answer): void {
  const { prompts } = served.registry
  server.setRequestHandler('prompts/list', ({ params }, ctx) =>
    answer(params, ctx, async (_call, exchange) => lines(served, 'prompts', prompts, exchange, params, ctx)),
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
  const { prompts } = served.registry
  server.setRequestHandler('completion/complete', ({ params }, ctx) =>
    answer(params, ctx, async (call, exchange) => {
      const { ref, argument, context } = params
      const entry =
        ref.type === 'ref/prompt'
          ? await shown(prompts.get(ref.name), 'prompt', exchange)
          : await shown(templateOf(served.registry, ref.uri), 'resource template', exchange)
      const known = { auth: exchange.auth, arguments: { ...context?.arguments } }
      return entry.completions.suggest({ ref, argument, context: known }, call, exchange)
    }),
  )
}

/** A resource without variables has nothing to complete, and exists all the same. */
function templateOf({ templates, resources }: Registry, uri: string): ResourceEntry | undefined {
  const name = normalUri(uri) ?? ''
  return templates.get(name) ?? resources.get(name)
}

/** One page of a list. */
async function lines(
  { limits, isOpen }: Served,
  member: string,
  list: Pick<ComponentList<Component>, 'visible' | 'isRuled'>,
  caller: Caller,
  params: { cursor?: string | undefined } | undefined,
  { mcpReq }: ServerContext,
): Promise<Record<string, unknown>> {
  const { items, nextCursor } = page(await list.visible(caller), params?.cursor, limits.pageSize)
  // Of a mounted server that asks for a token, under a rule, or over stdio as somebody, callers see different lists even
  // of an open server.
  const isPrivate = isOpen && (list.isRuled || caller.auth !== undefined) && mcpReq.envelope !== undefined
  return {
    [member]: items,
    ...(nextCursor !== undefined && { nextCursor }),
    ...(isPrivate && { cacheScope: 'private' }),
  }
}

async function shown<Entry extends Component>(
  entry: Entry | undefined,
  what: string,
  caller: Caller,
): Promise<Entry> {
  return existing(entry && (await isVisible(entry, caller)) ? entry : undefined, what)
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
