import { AuthError, type AuthErrorCode, redact, ToolError } from '../core/index.ts'
import { UsageError } from './command.ts'
import { authExitCodes, exitCode, interruptedExit } from './exit-codes.ts'
import { printable } from './printable.ts'

/** A failure as a program reads it. The members never change; those that do not apply are left out. */
export interface Failure {
  /** One of {@link AuthErrorCode}, or `tool_error`, `timeout`, `interrupted`, `usage`, `failed`. */
  readonly code: AuthErrorCode | 'tool_error' | 'timeout' | 'interrupted' | 'usage' | 'failed'
  readonly message: string
  /** The HTTP status of the server. */
  readonly status?: number
  readonly server?: string
  /** Seconds. */
  readonly retryAfter?: number
}

/** What a person can do about it here. What the message says already is not said again. */
const remedies: Partial<Readonly<Record<Failure['code'], string>>> = {
  unauthorized: 'Give a token: --auth env:NAME, --auth file:PATH, or auth in the configuration.',
  invalid_token:
    'Get a new token; for tokens that expire, --auth command:PROGRAM asks for one when it is needed.',
  insufficient_scope: 'Get a token with these scopes.',
  origin_mismatch: 'If the server has moved, give its new URL.',
}

/** Reads any error. */
export function failureOf(error: unknown, isInterrupted: boolean): { failure: Failure; exit: number } {
  const message = printable(redact(error instanceof Error ? error.message : String(error)))
  if (isInterrupted) {
    return { failure: { code: 'interrupted', message: 'Interrupted' }, exit: interruptedExit }
  }
  if (error instanceof AuthError) {
    const { code, status, server, retryAfter } = error
    const failure = {
      code,
      message,
      ...(status !== undefined && { status }),
      ...(server !== undefined && { server: printable(server) }),
      ...(retryAfter !== undefined && { retryAfter }),
    }
    return { failure, exit: authExitCodes[code] }
  }
  if (error instanceof UsageError) return { failure: { code: 'usage', message }, exit: exitCode.usage }
  if (error instanceof ToolError) return { failure: { code: 'tool_error', message }, exit: exitCode.failed }
  return { failure: { code: isTimeout(error) ? 'timeout' : 'failed', message }, exit: exitCode.failed }
}

/** The failure in words, and what can be done. */
export function failureText({ code, message }: Failure): string {
  const remedy = remedies[code]
  return `mcp-bearer: ${message}${remedy === undefined ? '' : `\n${remedy}`}`
}

/** The official SDK's word for it. */
function isTimeout(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'TimeoutError' || ('code' in error && error.code === 'REQUEST_TIMEOUT'))
  )
}
