import { checkOptions } from '../core/options.ts'
import { accessOf } from './access.ts'
import type { CallContext } from './call-context.ts'
import { type Completions, completions } from './completion.ts'
import type { Caller, Component } from './component.ts'
import { failureText } from './failure.ts'
import { listedMembers, listedTexts } from './listed.ts'
import { type PromptResult, toPromptResult } from './result.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import { jsonSchemaOf, validate } from './schema.ts'
import type { ComponentDefaults } from './tools.ts'
import type { HandlerContext, JsonObject, PromptOptions, StandardSchema, Validated } from './types.ts'

/** The function behind a prompt: arguments in, messages out. */
export type PromptHandler<Args extends StandardSchema | undefined> = (
  args: Validated<Args>,
  ctx: HandlerContext,
) => unknown

/** A prompt in the registry. */
export interface PromptEntry extends Component {
  readonly completions: Completions
  /** Renders the prompt. Throws an `RpcError`, or an `AuthError` when the caller is refused. */
  get(args: unknown, ctx: CallContext, caller: Caller): Promise<PromptResult>
}

const known = [
  'title',
  'description',
  'argsSchema',
  'scopes',
  'authorize',
  'complete',
  'rateLimit',
  'listed',
] as const satisfies readonly (keyof PromptOptions)[]

/**
 * Makes the registry entry of a prompt.
 * @throws TypeError naming the option that is wrong
 */
export function promptEntry<Args extends StandardSchema | undefined>(
  name: string,
  options: PromptOptions<Args>,
  handler: PromptHandler<Args>,
  { logger, clock }: ComponentDefaults,
): PromptEntry {
  if (typeof name !== 'string' || name === '')
    throw new TypeError('prompt: the name must be a non-empty string')
  const owner = `prompt "${name}"`
  checkOptions(owner, options, known)
  if (typeof handler !== 'function') throw new TypeError(`${owner}: the handler must be a function`)
  const { argsSchema } = options
  const run = handler as (args: unknown, ctx: HandlerContext) => unknown
  const listedArgs = argsSchema && listedArguments(jsonSchemaOf(`${owner}: argsSchema`, argsSchema, 'input'))
  const names = (listedArgs ?? []).map((argument) => String(argument.name))
  return {
    kind: 'prompt',
    name,
    ...accessOf(owner, 'prompt', name, options, clock),
    completions: completions(owner, options.complete, names, logger),
    listed: Object.freeze({
      name,
      ...listedTexts(owner, options, ['title', 'description']),
      ...(listedArgs && { arguments: listedArgs }),
      ...listedMembers(owner, options.listed),
    }),
    async get(args, ctx) {
      const checked = argsSchema
        ? await validate(argsSchema as StandardSchema, args ?? {})
        : ({ ok: true, value: {} } as const)
      if (!checked.ok)
        throw new RpcError(rpcCode.invalidParams, `Invalid arguments for ${owner}: ${checked.problem}`)
      try {
        return toPromptResult(await ctx.orSuspended(run(checked.value, ctx)))
      } catch (error) {
        throw new RpcError(rpcCode.internalError, failureText(error, owner, ctx, logger))
      }
    },
  }
}

/** MCP lists prompt arguments by name, description and whether they are required, not as a schema. */
function listedArguments(schema: JsonObject): readonly JsonObject[] {
  const required = Array.isArray(schema.required) ? (schema.required as unknown[]) : []
  const properties =
    typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {}
  return Object.entries(properties as Record<string, JsonObject>).map(([name, property]) => ({
    name,
    ...(typeof property.description === 'string' && { description: property.description }),
    required: required.includes(name),
  }))
}
