import type { AccessToken } from '../core/index.ts'

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
