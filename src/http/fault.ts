import {
  AuthError,
  type AuthErrorCode,
  type LogEntry,
  type Logger,
  redact,
  secretsOf,
} from '../core/index.ts'
import type { Refusal, RefusalWriter } from './refusal.ts'

/**
 * Makes the answer to a verifier that threw. It knows nothing of the token then, unless it says so with an
 * {@link AuthError}: nobody gets in, and no token is called bad. Never throws, whatever was thrown.
 */
export function faultAnswerer(
  refuse: RefusalWriter,
  log: Logger,
): (error: unknown, token: string) => Refusal {
  return (error, token) => {
    try {
      // The code of an error can be overwritten, by that of a database driver for one.
      const isKnown = error instanceof AuthError && Object.hasOwn(afterVerifier, error.code)
      const code = isKnown ? afterVerifier[error.code] : 'server_error'
      const message = faults[code]
      if (message !== undefined)
        log({ level: 'error', event: code, message, details: describe(error, token) })
      return refuse(code, isKnown ? error : undefined)
    } catch {
      // What was thrown cannot even be read.
      return refuse('server_error')
    }
  }
}

/** What a code thrown by a verifier means to the caller. The others are not a verifier's to say. */
const afterVerifier: Readonly<Record<AuthErrorCode, AuthErrorCode>> = {
  unauthorized: 'invalid_token',
  invalid_token: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
  access_denied: 'access_denied',
  rate_limited: 'rate_limited',
  verifier_unavailable: 'verifier_unavailable',
  server_error: 'server_error',
  invalid_request: 'server_error',
  forbidden_origin: 'server_error',
  token_unavailable: 'server_error',
  origin_mismatch: 'server_error',
}

/** The faults of our own side, which the operator has to hear of. */
const faults: Readonly<Partial<Record<AuthErrorCode, string>>> = {
  verifier_unavailable:
    'A token could not be verified; callers get 503 until what the verifier needs is back.',
  server_error:
    'The verifier failed; callers get 500. A token that is not good must resolve to null instead.',
}

/** Name and message of the error and of its cause, without the token or any part of it. */
function describe(error: unknown, token: string): NonNullable<LogEntry['details']> {
  const secrets = secretsOf(token)
  const text = (value: unknown) =>
    redact(value instanceof Error ? `${value.name}: ${value.message}` : typeof value, secrets)
  try {
    const cause = error instanceof Error ? error.cause : undefined
    return { error: text(error), ...(cause !== undefined && { cause: text(cause) }) }
  } catch {
    return { error: 'an error that cannot be read' }
  }
}
