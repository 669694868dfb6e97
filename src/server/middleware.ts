import type { AccessToken } from '../core/index.ts'
import type { Sdk } from './sdk-server.ts'

/** A request of the protocol on its way to what answers it. */
export interface MiddlewareRequest {
  /** Such as `tools/call` or `prompts/list`. */
  readonly method: string
  /** What was asked for, as it was sent. */
  readonly params: Readonly<Record<string, unknown>>
  /** Who asks. */
  readonly auth: AccessToken | undefined
  readonly signal: AbortSignal
}

/**
 * Stands around every request to tools, resources, prompts and completions, on every transport. It calls `next` for the
 * result and returns it, or another one; what it throws is treated as if a handler had thrown it.
 */
export type Middleware = (request: MiddlewareRequest, next: () => Promise<unknown>) => Promise<unknown>

const results = {
  'tools/list': 'ListToolsResult',
  'tools/call': 'CallToolResult',
  'resources/list': 'ListResourcesResult',
  'resources/templates/list': 'ListResourceTemplatesResult',
  'resources/read': 'ReadResourceResult',
  'prompts/list': 'ListPromptsResult',
  'prompts/get': 'GetPromptResult',
  'completion/complete': 'CompleteResult',
} as const

/**
 * Answers a request with middleware around it. Another result than that of `run` is looked at: the protocol engine would
 * send whatever it is.
 *
 * @throws TypeError when the result is none of the method
 */
export async function surrounded(
  sdk: Sdk,
  middleware: readonly Middleware[],
  request: MiddlewareRequest,
  run: () => Promise<unknown>,
): Promise<unknown> {
  let own: unknown
  const result = await around(middleware, request, async () => {
    own = await run()
    return own
  })
  if (result === own && own !== undefined) return result
  // What JSON cannot hold would fail where nobody can answer any more.
  const plain: unknown = JSON.parse(JSON.stringify(result ?? null))
  const name = results[request.method as keyof typeof results] ?? 'Result'
  const { issues } = sdk.specTypeSchemas[name]['~standard'].validate(plain)
  if (issues) throw new TypeError(`middleware returned no ${name}: ${issues[0]?.message}`)
  return plain
}

/** Runs something with middleware around it, the first outermost. */
export function around(
  middleware: readonly Middleware[],
  request: MiddlewareRequest,
  run: () => Promise<unknown>,
): Promise<unknown> {
  const from = (at: number): Promise<unknown> => {
    const next = middleware[at]
    return next ? next(request, () => from(at + 1)) : run()
  }
  return from(0)
}
