import { type Clock, type Logger, ToolError } from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { accessOf } from './access.ts'
import type { CallContext } from './call-context.ts'
import type { Caller, Component } from './component.ts'
import { failureText } from './failure.ts'
import { listedMembers, listedTexts, toolAnnotations } from './listed.ts'
import { type ParamHeader, paramHeaders } from './param-headers.ts'
import { isFullResult, structuredValue, toToolResult } from './result.ts'
import { type Checked, jsonSchemaOf, validate } from './schema.ts'
import { andThen, isThenable } from './thenable.ts'
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
  call(args: unknown, ctx: CallContext, caller: Caller): ToolResult | Promise<ToolResult>
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
  const { inputSchema: input, outputSchema: output, annotations } = options
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
      ...listedTexts(owner, options, ['title', 'description']),
      inputSchema,
      ...(outputSchema && { outputSchema }),
      ...(annotations !== undefined && { annotations: toolAnnotations(owner, annotations) }),
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

function runTool(run: Run, args: unknown, ctx: CallContext): ToolResult | Promise<ToolResult> {
  const failed = (error: unknown) => errorResult(failureText(error, run.owner, ctx, run.logger))
  try {
    const checked = run.input ? validate(run.input, args ?? {}) : noArguments
    const result = andThen(checked, (given) => answered(run, given, ctx))
    return result instanceof Promise ? result.catch(failed) : result
  } catch (error) {
    return failed(error)
  }
}

const noArguments: Checked<unknown> = { ok: true, value: {} }

function answered(run: Run, checked: Checked<unknown>, ctx: CallContext): ToolResult | Promise<ToolResult> {
  // The model can mend its call, so this is a result and not a protocol error (MCP "Tools", error handling).
  if (!checked.ok) return errorResult(`Invalid arguments for ${run.owner}: ${checked.problem}`)
  const returned = run.handler(checked.value, ctx)
  // A handler that answers at once costs no timer.
  return isThenable(returned)
    ? inTime(run, returned, ctx).then((value) => finish(run, value))
    : finish(run, returned)
}

function finish(run: Run, returned: unknown): ToolResult | Promise<ToolResult> {
  const result = toToolResult(returned)
  if (!run.output || result.isError) return result
  return andThen(validate(run.output, structuredValue(returned)), (checked) =>
    fitted(result, returned, checked),
  )
}

function fitted(result: ToolResult, returned: unknown, checked: Checked<unknown>): ToolResult {
  if (!checked.ok) throw new TypeError(`the result does not fit the outputSchema: ${checked.problem}`)
  // What the schema strips must not stay in the text; who returned a result in full chose its content.
  const content = isFullResult(returned)
    ? result.content
    : [{ type: 'text', text: JSON.stringify(checked.value) }]
  return toToolResult({ ...result, content, structuredContent: checked.value })
}

/** Waits for the handler, and not longer than it may take. */
async function inTime(run: Run, pending: PromiseLike<unknown>, ctx: CallContext): Promise<unknown> {
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
