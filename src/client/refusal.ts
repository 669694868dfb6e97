import {
  type AuthError,
  type AuthErrorCode,
  type BearerChallenge,
  type Clock,
  isScopeToken,
  parseScopes,
  readBearerChallenge,
} from '../core/index.ts'
import { readErrorBody } from './error-body.ts'
import { conceal } from './secrets.ts'
import { authError, type Server } from './server.ts'

/** The request an answer belongs to. */
export interface Exchange {
  readonly server: Server
  /** Whether a credential was sent: a token, or any header of the caller's. */
  readonly sent: boolean
  /** What was sent, to be kept out of errors. */
  readonly secrets: readonly string[]
  readonly clock: Clock
}

/**
 * Passes an answer on, or throws the one `AuthError` it stands for. Decided by status and by the fields of challenge
 * and body, never by words in a text. The body of an error that is passed on is bounded, and the credentials of the
 * request are taken out of it: it ends up in messages and logs.
 */
export async function passOrRefuse(response: Response, exchange: Exchange): Promise<Response> {
  const { status } = response
  if (status < 400) return response
  if (status === 401 || status === 429) {
    response.body?.cancel().catch(() => {})
    throw refusal(status === 401 ? code401(response, exchange) : 'rate_limited', response, exchange, {})
  }
  const text = conceal(await readErrorBody(response), exchange.secrets)
  const body = oauthError(text)
  const code = codeOf(status, challengeOf(response), body)
  if (code !== undefined) throw refusal(code, response, exchange, body)
  const headers = new Headers(response.headers)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return new Response(text, { status: Math.min(status, 599), statusText: response.statusText, headers })
}

/** The Bearer challenge of an answer, if there is one. Its own words, unread. */
export function challengeOf(response: Response): BearerChallenge | undefined {
  const header = response.headers.get('www-authenticate')
  return header === null ? undefined : readBearerChallenge(header)
}

/** `error` and `scope` of a body in the words of RFC 6750 section 3; a JSON-RPC error is an object and does not count. */
interface OAuthError {
  readonly error?: string
  readonly scope?: string
}

function oauthError(text: string): OAuthError {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return {}
    const { error, scope } = body as Record<string, unknown>
    return {
      ...(typeof error === 'string' && { error }),
      ...(typeof scope === 'string' && { scope }),
    }
  } catch {
    return {}
  }
}

function code401(response: Response, { sent }: Exchange): AuthErrorCode {
  return sent || challengeOf(response)?.error === 'invalid_token' ? 'invalid_token' : 'unauthorized'
}

function codeOf(
  status: number,
  challenge: BearerChallenge | undefined,
  body: OAuthError,
): AuthErrorCode | undefined {
  const says = (word: string): boolean => challenge?.error === word || body.error === word
  if (status === 400) return says('invalid_request') ? 'invalid_request' : undefined
  if (status === 503) return body.error === 'temporarily_unavailable' ? 'verifier_unavailable' : undefined
  if (status !== 403) return undefined
  if (says('insufficient_scope')) return 'insufficient_scope'
  return body.error === 'forbidden_origin' ? 'forbidden_origin' : 'access_denied'
}

function refusal(code: AuthErrorCode, response: Response, exchange: Exchange, body: OAuthError): AuthError {
  const { server, secrets, clock } = exchange
  const challenge = withoutSecrets(challengeOf(response), secrets)
  const retryAfter = secondsToWait(response.headers.get('retry-after'), clock)
  const scopes = code === 'insufficient_scope' ? neededScopes(challenge, body) : undefined
  return authError(server, code, message(code, server.label, scopes, retryAfter), {
    status: response.status,
    ...(challenge && { challenge }),
    ...(scopes && { scopes }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** What happened and what to do about it. Nothing the server wrote is repeated, but the names of scopes. */
function message(
  code: AuthErrorCode,
  server: string,
  scopes: readonly string[] | undefined,
  retryAfter: number | undefined,
): string {
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
      return `${server} refused the credential: it is invalid, expired, or meant for another server. Get a new one.`
  }
}

function neededScopes(challenge: BearerChallenge | undefined, body: OAuthError): readonly string[] {
  const named = challenge && challenge.scopes.length > 0 ? challenge.scopes : parseScopes(body.scope ?? '')
  return named.filter(isScopeToken)
}

function withoutSecrets(
  challenge: BearerChallenge | undefined,
  secrets: readonly string[],
): BearerChallenge | undefined {
  if (!challenge) return undefined
  const clean = Object.entries(challenge).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? conceal(value, secrets) : value,
  ])
  const scopes = challenge.scopes.map((scope) => conceal(scope, secrets))
  return Object.freeze({ ...(Object.fromEntries(clean) as BearerChallenge), scopes: Object.freeze(scopes) })
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function secondsToWait(value: string | null, clock: Clock): number | undefined {
  if (value === null) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value)
  const until = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(until) ? undefined : Math.max(0, Math.ceil((until - clock()) / 1000))
}
