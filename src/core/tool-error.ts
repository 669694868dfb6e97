/**
 * A failure of a tool that the caller should read. On the server, throw it from a handler: its message becomes the
 * tool result with `isError: true` (MCP "Tools", error handling). Any other error reaches the log only. On the
 * client, `callTool` throws it when the result says `isError`.
 *
 * @example
 * ```ts
 * import { ToolError } from 'mcp-bearer/server'
 *
 * throw new ToolError("Insufficient permissions: 'data:read_sensitive' scope required.")
 * ```
 */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  /** Client only: the whole tool result, as the server sent it. */
  declare readonly result?: unknown

  constructor(message: string, options: { readonly cause?: unknown; readonly result?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    if ('result' in options) this.result = options.result
  }
}
