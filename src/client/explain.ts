import type { JSONRPCErrorResponse, RequestId } from '@modelcontextprotocol/client'
import { AuthError, isScopeToken, parseScopes } from '../core/index.ts'
import { HandlerFailure } from './handlers.ts'

/** The official SDK, loaded. Its error classes have no home of their own. */
export type Sdk = typeof import('@modelcontextprotocol/client')

/**
 * What a failed call should throw: the `AuthError` that is the reason, wherever it is wrapped; what a handler of ours
 * threw; else the error itself.
 *
 * @param refused the last refusal that no call has heard of. A call that waited for a stream that was refused only
 *   learns that there is no answer
 */
export function explain(sdk: Sdk, error: unknown, refused: AuthError | undefined): unknown {
  const isLost = error instanceof sdk.ProtocolError && error.data === lost
  const isEnd = error instanceof sdk.SdkError && error.code === sdk.SdkErrorCode.ConnectionClosed
  if ((isLost || isEnd) && refused) return refused
  if (isLost) return new sdk.SdkError(sdk.SdkErrorCode.ConnectionClosed, error.message)
  if (error instanceof HandlerFailure && error.cause !== undefined) return error.cause
  return authErrorIn(error) ?? translated(sdk, error) ?? withoutArguments(ownWords(sdk, error))
}

/** Marks an answer that we gave ourselves. */
const lost = Object.freeze({})

/** JSON-RPC 2.0 section 5.1: the code is of the range for implementations; nobody sees it. */
const lostCode = -32_000

/** Stands for the answer to a request whose stream ended without one; {@link explain} knows it again. */
export function lostAnswer(id: RequestId): JSONRPCErrorResponse {
  const message =
    'The connection was lost before the answer came. The server may have done what it was asked.'
  return { jsonrpc: '2.0', id, error: { code: lostCode, message, data: lost } }
}

/** The SDK wraps what the transport throws, during version negotiation for one. */
function authErrorIn(error: unknown): AuthError | undefined {
  let at = error
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    if (at instanceof AuthError) return at
    at = at.cause
  }
  return undefined
}

/**
 * A transport that is not ours refuses in the words of the SDK. Decided by class and status, never by a text; whether
 * it sent a token is not known, so a 401 asks for one.
 */
function translated(sdk: Sdk, error: unknown): AuthError | undefined {
  if (error instanceof sdk.UnauthorizedError) return refusal(401)
  if (error instanceof sdk.InsufficientScopeError) {
    return refusal(403, parseScopes(error.requiredScope ?? '').filter(isScopeToken))
  }
  if (error instanceof sdk.SdkHttpError) return refusal(error.status)
  return error instanceof sdk.SseError && error.code !== undefined ? refusal(error.code) : undefined
}

function refusal(status: number, scopes?: readonly string[]): AuthError | undefined {
  if (scopes) {
    const message = 'The credential lacks a scope this operation needs. Get a token with that scope.'
    return new AuthError('insufficient_scope', message, { status, scopes })
  }
  if (status === 401) {
    const message = 'The server requires authentication. Give the transport a valid token.'
    return new AuthError('unauthorized', message, { status })
  }
  if (status === 403) return new AuthError('access_denied', 'The server denied access.', { status })
  return status === 429
    ? new AuthError('rate_limited', 'The server has had too many requests.', { status })
    : undefined
}

/**
 * The first request of a connection asks which revisions the server speaks; what went wrong with it would have gone wrong
 * with any other, and is said in the words of `fetch`. A server that answers with an HTTP error and says in it what is
 * wrong, as a gateway does, is quoted.
 */
function ownWords(sdk: Sdk, error: unknown): unknown {
  if (!(error instanceof sdk.SdkError)) return error
  const isFirst = error.code === sdk.SdkErrorCode.EraNegotiationFailed
  if (!(error instanceof sdk.SdkHttpError))
    return isFirst && error.cause instanceof TypeError ? error.cause : error
  const said = rpcMessageIn(error.data.text)
  if (said === undefined && !isFirst) return error
  const message = `The server answered with HTTP ${error.status}${said === undefined ? '' : `: ${said}`}`
  return new sdk.SdkHttpError(error.code, message, error.data)
}

/** Characters of what a server says of itself. */
const longest = 1000

/** JSON-RPC 2.0 section 5.1. */
function rpcMessageIn(body: unknown): string | undefined {
  try {
    const { error } = JSON.parse(String(body)) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message.slice(0, longest) : undefined
  } catch {
    return undefined
  }
}

/** The error of a command that cannot be started repeats its arguments, which may hold secrets; one of them, if it holds a NUL. */
function withoutArguments(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (!('spawnargs' in error || ('code' in error && error.code === 'ERR_INVALID_ARG_VALUE'))) return error
  return new Error(
    `the command of the server cannot be started: ${'code' in error ? error.code : error.name}`,
  )
}
