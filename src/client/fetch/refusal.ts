import { readTokenChallenge } from '../../core/challenge.ts'
import {
  type AuthError,
  type AuthErrorCode,
  type BearerChallenge,
  type Clock,
  isScopeToken,
  parseScopes,
  redact,
  redacted,
} from '../../core/index.ts'
import { type BodyLimits, readErrorBody } from './error-body.ts'
import { messageOf } from './refusal-message.ts'
import { secondsToWait } from './retry-after.ts'
import { conceal } from './secrets.ts'
import { authError, type Server } from './server.ts'

/** The request an answer belongs to. */
export interface Exchange {
  readonly server: Server
  /** What messages call the credential. */
  readonly name?: string | undefined
  /** Whether a credential was sent: a token, or any header of the caller's. */
  readonly sent: boolean
  /** Whether the token is bound to a key. */
  readonly isBound?: boolean | undefined
  /** What was sent, to be kept out of errors. */
  readonly secrets: readonly string[]
  readonly clock: Clock
}

/** An answer of 300 or above, read as far as it decides what is done next. */
export interface Answer {
  readonly response: Response
  /** What it means for authentication; `undefined` when it is about something else. */
  readonly code: AuthErrorCode | undefined
  /** The server's own words, unread. */
  readonly challenge: BearerChallenge | undefined
  /** The scopes it names as missing. */
  readonly scopes: readonly string[] | undefined
  /** Seconds. */
  readonly retryAfter: number | undefined
  /** The body without the credentials of the request; `undefined` when it was not read. */
  readonly text: string | undefined
}

/**
 * Reads an answer of 300 or above. Decided by status and by the fields of challenge and body, never by words in a text.
 * The body is read where it decides: not of a 401 or 429.
 */
export async function readAnswer(response: Response, exchange: Exchange): Promise<Answer> {
  const { status, headers } = response
  const challenge = challengeOf(response, exchange.isBound)
  const retryAfter = secondsToWait(headers.get('retry-after'), exchange.clock)
  if (status === 401 || status === 429) {
    const code = status === 401 ? code401(challenge, exchange) : 'rate_limited'
    return { response, code, challenge, scopes: undefined, retryAfter, text: undefined }
  }
  const text = conceal(await readErrorBody(response), exchange.secrets)
  const body = oauthError(text)
  const code = codeOf(status, challenge, body)
  const scopes = code === 'insufficient_scope' ? neededScopes(challenge, body, exchange) : undefined
  return { response, code, challenge, scopes, retryAfter, text }
}

/**
 * The last word on an answer: throws the one `AuthError` it stands for, or passes it on. An error that is passed on is
 * bounded, and the credentials of the request are taken out of body and headers: it ends up in messages and logs.
 */
export async function passOrRefuse(answer: Answer, exchange: Exchange): Promise<Response> {
  if (answer.code !== undefined) throw await refusal(answer.code, answer, exchange)
  const { response, text = '' } = answer
  const { secrets } = exchange
  const headers = new Headers(response.headers)
  for (const [name, value] of response.headers) if (conceal(value, secrets) !== value) headers.delete(name)
  headers.delete('content-encoding')
  headers.delete('content-length')
  // Fetch, "null body status": of those at hand only 304.
  return new Response(response.status === 304 ? null : text, {
    status: Math.min(response.status, 599),
    statusText: conceal(response.statusText, secrets),
    headers,
  })
}

/** What a server says about the token, if it says anything: a challenge of a scheme the token could go under. */
export function challengeOf(response: Response, isBound = false): BearerChallenge | undefined {
  const header = response.headers.get('www-authenticate')
  if (header === null) return undefined
  return readTokenChallenge(header, isBound ? ['dpop', 'bearer'] : ['bearer', 'dpop'])
}

/** The `AuthError` of an answer. */
export async function refusal(code: AuthErrorCode, answer: Answer, exchange: Exchange): Promise<AuthError> {
  const { server, secrets, name } = exchange
  const { response, scopes, retryAfter } = answer
  const challenge = withoutSecrets(answer.challenge, secrets)
  const body = oauthError(answer.text ?? (await lateBody(answer, secrets)))
  const error = word(challenge?.error ?? body.error)
  const description = spoken(challenge?.errorDescription ?? body.description, secrets)
  const message = messageOf({ code, server: server.label, name, scopes, retryAfter, description })
  return authError(server, code, message, {
    status: response.status,
    ...(challenge && { challenge }),
    ...(error !== undefined && { error }),
    ...(description !== undefined && { errorDescription: description }),
    ...(scopes && { scopes }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** For words only: nothing hangs on it, so little is waited for. */
const lateLimits: BodyLimits = { bytes: 8_192, milliseconds: 1_000 }

/** The body of a 401 or 429, when it can hold the words that the challenge lacks. */
async function lateBody({ response, challenge }: Answer, secrets: readonly string[]): Promise<string> {
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '')
  if (isJson && challenge?.errorDescription === undefined && !response.bodyUsed) {
    return conceal(await readErrorBody(response, lateLimits), secrets)
  }
  response.body?.cancel().catch(() => {})
  return ''
}

/** A body in the words of RFC 6750 section 3; a JSON-RPC error is an object and does not count. */
interface OAuthError {
  readonly error?: string
  readonly description?: string
  readonly scope?: string
}

function oauthError(text: string): OAuthError {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null) return {}
    const { error, error_description: description, scope } = body as Record<string, unknown>
    return {
      ...(typeof error === 'string' && { error }),
      ...(typeof description === 'string' && { description }),
      ...(typeof scope === 'string' && { scope }),
    }
  } catch {
    return {}
  }
}

function code401(challenge: BearerChallenge | undefined, { sent }: Exchange): AuthErrorCode {
  return sent || challenge?.error === 'invalid_token' ? 'invalid_token' : 'unauthorized'
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

/** More than these is no list of scopes but an attempt to fill our messages. */
const mostNamed = 64
const longestNamed = 256

function neededScopes(
  challenge: BearerChallenge | undefined,
  body: OAuthError,
  { secrets }: Exchange,
): readonly string[] {
  const named = challenge && challenge.scopes.length > 0 ? challenge.scopes : parseScopes(body.scope ?? '')
  const clean = named
    .slice(0, mostNamed)
    .filter((scope) => isScopeToken(scope) && scope.length <= longestNamed)
  return [...new Set(clean)].filter((scope) => {
    const shown = conceal(scope, secrets)
    return shown === scope && !scope.includes(redacted)
  })
}

function withoutSecrets(
  challenge: BearerChallenge | undefined,
  secrets: readonly string[],
): BearerChallenge | undefined {
  if (!challenge) return undefined
  const clean = Object.entries(challenge).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? redact(conceal(value, secrets)) : value,
  ])
  const scopes = challenge.scopes.slice(0, mostNamed).map((scope) => conceal(scope, secrets))
  return Object.freeze({ ...(Object.fromEntries(clean) as BearerChallenge), scopes: Object.freeze(scopes) })
}

/** An error code (RFC 6749 section 5.2), if it is one. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[\x20\x21\x23-\x5B\x5D-\x7E]{1,100}$/.test(text) ? redact(text) : undefined
}

/** The server's words, bounded. */
function spoken(text: string | undefined, secrets: readonly string[]): string | undefined {
  const clean = text === undefined ? '' : redact(conceal(text, secrets)).slice(0, 1_000).trim()
  return clean === '' ? undefined : clean
}
