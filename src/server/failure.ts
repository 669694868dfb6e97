import {
  type AccessToken,
  AuthError,
  type LogEntry,
  type Logger,
  redact,
  secretsOf,
  ToolError,
} from '../core/index.ts'
import { getAccessToken } from '../http/context.ts'
import { Suspension } from './rounds.ts'
import type { HandlerContext } from './types.ts'

/** What a caller reads when something broke that is not theirs to know. */
export const genericFailure = 'The server failed to do this. The reason is in its log.'

/**
 * Whether an error refuses the caller of this request: `requireAuth()` or `requireScopes()` threw it. An `AuthError`
 * with a status came from a client inside the handler; it is about some other server and says nothing of our caller.
 */
export function isRefusal(error: unknown): error is AuthError {
  return error instanceof AuthError && error.status === undefined && refusing.has(error.code)
}

const refusing: ReadonlySet<string> = new Set([
  'insufficient_scope',
  'unauthorized',
  'access_denied',
  'rate_limited',
])

/**
 * Turns what a handler threw into what the caller may read. The text of a {@link ToolError} is meant for them; any
 * other error goes to the log, without the caller's token, and the caller gets a fixed sentence.
 *
 * @throws AuthError when the error refuses the caller: the answer is then a 401 or 403
 * @throws Suspension when the call ends to ask the client
 */
export function failureText(error: unknown, component: string, ctx: HandlerContext, logger: Logger): string {
  if (isRefusal(error) || error instanceof Suspension) throw error
  if (error instanceof ToolError) return error.message
  // Whoever stops because the caller left, as it should, has not failed.
  const hasStopped = ctx.signal.aborted && error instanceof Error && error.name === 'AbortError'
  logger({
    level: hasStopped ? 'info' : 'error',
    event: 'handler_failed',
    message: `${component} threw`,
    details: { component, error: stackText(error, ctx.auth) },
  })
  return genericFailure
}

/** The stack of an error and of what caused it, without the caller's token or any part of it. Never throws. */
export function stackText(error: unknown, caller: AccessToken | undefined): string {
  try {
    return redact(stackOf(error), caller ? secretsOf(caller.token) : [])
  } catch {
    return 'an error that cannot be read'
  }
}

/** Nothing but the stacks: an error may carry requests with headers. */
function stackOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error === 'string' ? error : typeof error}`
  const own = String(error.stack ?? error.message)
  return error.cause === undefined || depth === 3
    ? own
    : `${own}\ncaused by ${stackOf(error.cause, depth + 1)}`
}

/** What the protocol engine complains of. A caller may have put a token where it does not belong. */
export function protocolEntry(error: Error): LogEntry {
  const caller = getAccessToken()
  const message = redact(error.message, caller ? secretsOf(caller.token) : [])
  return { level: 'info', event: 'protocol', message }
}
