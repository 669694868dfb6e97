import type { CallToolResult, StandardSchemaV1 } from '@modelcontextprotocol/client'
import { ToolError } from '../core/index.ts'

/** The result of a tool, with the type of its `structuredContent` when that was asked for. */
export type ToolResult<Output = unknown> = CallToolResult & { readonly structuredContent: Output }

/** What becomes of the result of a tool. */
export interface ResultHandling<Output> {
  /** Whether a result that says `isError` is passed on. */
  readonly raw: boolean
  readonly outputSchema: StandardSchemaV1<unknown, Output> | undefined
}

/**
 * The result of a tool for whoever called it.
 * @throws ToolError when the tool says it failed, or its result is not what it was asked for
 */
export async function finished<Output>(
  name: string,
  result: CallToolResult,
  { raw, outputSchema }: ResultHandling<Output>,
): Promise<ToolResult<Output>> {
  if (result.isError && !raw) {
    throw new ToolError(textOf(result) || `${name} failed without a reason`, { result })
  }
  if (result.isError || !outputSchema) return result as ToolResult<Output>
  const checked = await outputSchema['~standard'].validate(result.structuredContent)
  if (checked.issues) {
    throw new ToolError(`The result of ${name} does not fit outputSchema: ${describe(checked.issues)}`, {
      result,
    })
  }
  return { ...result, structuredContent: checked.value }
}

function textOf({ content }: CallToolResult): string {
  return content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n')
}

/** Enough to find the fault, and no more. */
function describe(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .slice(0, 5)
    .map(({ path = [], message }) => {
      const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return place === '' ? message : `${place}: ${message}`
    })
    .join('; ')
}
