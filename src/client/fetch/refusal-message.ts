import type { AuthErrorCode } from '../../core/index.ts'

/** What a message can be made of. Everything in it is fit to be shown. */
export interface Refused {
  readonly code: AuthErrorCode
  /** The label of the server. */
  readonly server: string
  /** What the credential is called. */
  readonly name?: string | undefined
  readonly scopes?: readonly string[] | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
  /** The server's reason. */
  readonly description?: string | undefined
}

/**
 * What happened and what to do about it. Of what the server wrote only the names of scopes and its reason for refusing
 * a token are repeated.
 */
export function messageOf(refused: Refused): string {
  const { code, server, scopes, retryAfter } = refused
  const later = retryAfter === undefined ? 'later' : `in ${retryAfter} s`
  switch (code) {
    case 'unauthorized':
      return `${server} requires authentication. Give the client a token with the option auth.`
    case 'insufficient_scope':
      return `${server} accepted the credential, but it lacks a scope this operation needs${scopes?.length ? ` (${scopes.join(' ')})` : ''}. Get a token with that scope.`
    case 'access_denied':
      return `${server} denied access with this credential. Ask its operator for the permission.`
    case 'forbidden_origin':
      return `${server} does not take requests for this Host or from this Origin. Check the URL, or ask its operator to allow it.`
    case 'invalid_request':
      return `${server} saw more than one credential, or a malformed one. Check the option headers and proxies that add Authorization.`
    case 'rate_limited':
      return `${server} has had too many requests. Try again ${later}.`
    case 'verifier_unavailable':
      return `${server} cannot verify the token right now; nothing is known to be wrong with it. Try again ${later}.`
    default:
      return refusedCredential(refused)
  }
}

function refusedCredential({ server, name, description }: Refused): string {
  const reason = sentence(description) ?? 'it is invalid, expired, or meant for another server'
  const what =
    name === undefined
      ? `${server} refused the credential`
      : `${name} is set but ${server} does not accept it`
  return `${what}: ${reason}. Get a new one.`
}

/** The server's reason as the middle of a sentence. What is not plain and short is not repeated in a message. */
function sentence(description: string | undefined): string | undefined {
  const text = description?.replace(/[.\s]+$/, '')
  return text !== undefined && /^[\x20-\x7E]{1,200}$/.test(text) ? text : undefined
}
