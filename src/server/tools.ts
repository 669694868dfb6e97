import { type Clock, type Logger, ToolError } from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { accessOf } from './access.ts'
import type { CallContext } from './call-context.ts'
import type { Caller, Component } from './component.ts'
import { failureText } from './failure.ts'
import { listedMembers } from './listed.ts'
import { type ParamHeader, paramHeaders } from './param-headers.ts'
import { isFullResult, structuredValue, toToolResult } from './result.ts'
import { jsonSchemaOf, validate } from './schema.ts'
import { isThenable } from './thenable.ts'
import type {
  HandlerContext,
  JsonObject,
  StandardSchema,
  ToolOptions,
  ToolResult,
  Validated,
} from './types.ts'

/** The function behind a tool: arguments in, anything `result.ts` can turn into a result out. */
export type ToolHandler<Input extends StandardSchema | undefined> = (
  args: Validated<Input>,
  ctx: HandlerContext,
) => unknown

/** A tool in the registry. */
export interface ToolEntry extends Component {
  readonly outputSchema: JsonObject | undefined
  /** Arguments that are repeated in headers. */
  readonly paramHeaders: readonly ParamHeader[]
  /** Runs the tool. Throws only when the caller is refused. */
  call(args: unknown, ctx: CallContext, caller: Caller): Promise<ToolResult>
}

/** What every component of a server shares. */
export interface ComponentDefaults {
  readonly logger: Logger
  readonly clock: Clock
}

/** What every tool of a server shares. */
export interface ToolDefaults extends ComponentDefaults {
  readonly timeoutMs: number
}

const known = [
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'scopes',
  'authorize',
  'annotations',
  'timeoutMs',
  'rateLimit',
  'listed',
] as const satisfies readonly (keyof ToolOptions)[]
/** MCP "Tool names": 1 to 128 characters of this set. */
const toolName = /^[A-Za-z0-9_.-]{1,128}$/

/**
 * Makes the registry entry of a tool. Everything that does not depend on a call is done here, once.
 * @throws TypeError naming the option that is wrong
 */
export function toolEntry<
  Input extends StandardSchema | undefined,
  Output extends StandardSchema | undefined,
>(
  name: string,
  options: ToolOptions<Input, Output>,
  handler: ToolHandler<Input>,
  defaults: ToolDefaults,
): ToolEntry {
  if (!toolName.test(name))
    throw new TypeError('tool: the name must be 1 to 128 letters, digits, "_", "-" or "."')
  const owner = `tool "${name}"`
  checkOptions(owner, options, known)
  if (typeof handler !== 'function') throw new TypeError(`${owner}: the handler must be a function`)
  const { inputSchema: input, outputSchema: output, title, description, annotations } = options
  const outputSchema = output && jsonSchemaOf(`${owner}: outputSchema`, output, 'output')
  const inputSchema = input
    ? jsonSchemaOf(`${owner}: inputSchema`, input, 'input')
    : { type: 'object', additionalProperties: false }
  const run: Run = { owner, input, output, handler: handler as Run['handler'], ...defaults }
  if (options.timeoutMs !== undefined)
    run.timeoutMs = numberBetween(`${owner}: timeoutMs`, options.timeoutMs, 1, 2 ** 31 - 1)
  return {
    kind: 'tool',
    name,
    ...accessOf(owner, 'tool', name, options, defaults.clock),
    outputSchema,
    paramHeaders: paramHeaders(owner, inputSchema),
    listed: Object.freeze({
      name,
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      inputSchema,
      ...(outputSchema && { outputSchema }),
      ...(annotations !== undefined && { annotations: { ...annotations } }),
      ...listedMembers(owner, options.listed),
    }),
    call: (args, ctx) => runTool(run, args, ctx),
  }
}

interface Run {
  readonly owner: string
  readonly input: StandardSchema | undefined
  readonly output: StandardSchema | undefined
  readonly handler: (args: unknown, ctx: HandlerContext) => unknown
  readonly logger: Logger
  timeoutMs: number
}

async function runTool(run: Run, args: unknown, ctx: CallContext): Promise<ToolResult> {
  try {
    const checked = run.input ? await validate(run.input, args ?? {}) : ({ ok: true, value: {} } as const)
    // The model can mend its call, so this is a result and not a protocol error (MCP "Tools", error handling).
    if (!checked.ok) return errorResult(`Invalid arguments for ${run.owner}: ${checked.problem}`)
    return await finish(run, await inTime(run, checked.value, ctx))
  } catch (error) {
    return errorResult(failureText(error, run.owner, ctx, run.logger))
  }
}

async function finish(run: Run, returned: unknown): Promise<ToolResult> {
  const result = toToolResult(returned)
  if (!run.output || result.isError) return result
  const checked = await validate(run.output, structuredValue(returned))
  if (!checked.ok) throw new TypeError(`the result does not fit the outputSchema: ${checked.problem}`)
  // What the schema strips must not stay in the text; who returned a result in full chose its content.
  const content = isFullResult(returned)
    ? result.content
    : [{ type: 'text', text: JSON.stringify(checked.value) }]
  return toToolResult({ ...result, content, structuredContent: checked.value })
}

/** Waits for the handler, and not longer than it may take. A handler that answers at once costs no timer. */
async function inTime(run: Run, args: unknown, ctx: CallContext): Promise<unknown> {
  const pending = run.handler(args, ctx)
  if (!isThenable(pending)) return pending
  const settled = ctx.orSuspended(pending)
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new ToolError(
        `${run.owner} did not answer within ${run.timeoutMs / 1000} s and was given up`,
      )
      ctx.abort(error)
      reject(error)
    }, run.timeoutMs)
  })
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}

function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}
