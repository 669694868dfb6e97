import {
  type AuthErrorCode,
  authErrorCodes,
  formatChallenge,
  isScopeToken,
  scopeList,
} from '../core/index.ts'

/** One row of the table: what goes over the wire for a code. */
interface Answer {
  readonly status: 400 | 401 | 403 | 429 | 500 | 503
  /** Whether the answer carries a `Bearer` challenge. */
  readonly challenge: boolean
  /** `error` of the JSON body, and of the challenge. */
  readonly error: string
  /** `error_description`, likewise. Fixed text: nothing of a token, a key or an exception is ever repeated. */
  readonly description?: string
  /** Seconds in `Retry-After` when nobody knows better. */
  readonly retryAfter?: number
}

const serverError: Answer = { status: 500, challenge: false, error: 'server_error' }

/** The HTTP answer for each code; the only place where one is chosen. A new code does not compile until it has a row. */
export const answers: Readonly<Record<AuthErrorCode, Answer>> = {
  unauthorized: {
    status: 401,
    challenge: true,
    error: 'unauthorized',
    description: 'Authentication required',
  },
  invalid_token: {
    status: 401,
    challenge: true,
    error: 'invalid_token',
    description: 'Token is invalid or expired',
  },
  insufficient_scope: {
    status: 403,
    challenge: true,
    error: 'insufficient_scope',
    description: 'The access token lacks a scope this operation needs',
  },
  invalid_request: {
    status: 400,
    challenge: true,
    error: 'invalid_request',
    description: 'More than one credential was presented',
  },
  // No challenge: a client that sees one would ask for more scope, which would not help.
  access_denied: { status: 403, challenge: false, error: 'access_denied' },
  forbidden_origin: { status: 403, challenge: false, error: 'forbidden_origin' },
  rate_limited: { status: 429, challenge: false, error: 'rate_limited', retryAfter: 60 },
  verifier_unavailable: {
    status: 503,
    challenge: false,
    error: 'temporarily_unavailable',
    description: 'The token cannot be verified right now',
    retryAfter: 5,
  },
  server_error: serverError,
  // Of the client's side of the wire. On a server they are a bug of whoever threw them.
  token_unavailable: serverError,
  origin_mismatch: serverError,
}

/** Stands in the challenge only; the body of a bad token is the same whatever was bad (RFC 6750 section 3.1). */
const expiredDescription = 'The access token expired'

/** An answer that refuses, ready to be written: to a socket, or by {@link refusalResponse} as a `Response`. */
export interface Refusal {
  readonly code: AuthErrorCode
  readonly status: number
  /** All headers, names in lower case, `content-length` included. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON, ASCII only. To be left out when the method is HEAD. */
  readonly body: string
}

/** What goes over the wire, without the code behind it. */
export type PlainAnswer = Omit<Refusal, 'code'>

/** What a refusal may say beyond its code. An `AuthError` fits. */
export interface RefusalDetails {
  /** All scopes the operation needs besides those every request needs; anything that is no scope is left out. */
  readonly scopes?: readonly string[]
  /** Seconds after which to try again; rounded up. */
  readonly retryAfter?: number
  /** The token was good and is over. Told in the challenge, so that a client refreshes at once. */
  readonly expired?: boolean
}

/** What the challenges of one server have in common. */
export interface RefusalOptions {
  /** Name of the protected space (RFC 9110 section 11.5). */
  readonly realm: string
  /** The scopes every request needs. Default: none. */
  readonly scope?: readonly string[]
  /** Where the protected resource metadata is (RFC 9728 section 5.1): an absolute http or https URL. Default: none. */
  readonly resourceMetadata?: string
}

/** Makes the {@link Refusal} for a code. */
export type RefusalWriter = (code: AuthErrorCode, details?: RefusalDetails) => Refusal

/**
 * Makes a {@link RefusalWriter} (RFC 6750 section 3, RFC 9728 section 5.1). Everything that can be known beforehand is
 * written once, here: refusing a request then costs a look-up.
 *
 * @throws TypeError when the realm, a scope or the URL cannot stand in a header
 *
 * @example
 * ```ts
 * import { bearerGate } from 'mcp-bearer'
 *
 * const gate = bearerGate({ realm: 'files', verifier: { verifyToken: async () => null } })
 * gate.refuse('unauthorized').headers['www-authenticate'] // Bearer realm="files"
 * ```
 */
export function refusalWriter(options: RefusalOptions): RefusalWriter {
  const known = checkedOptions(options)
  const constant = {} as Record<AuthErrorCode, Refusal>
  for (const code of authErrorCodes) constant[code] = write(code, {}, known)
  const expired = write('invalid_token', { expired: true }, known)
  return (code, details) => {
    if (details === undefined) return constant[code]
    if (code === 'invalid_token') return details.expired === true ? expired : constant.invalid_token
    const varies = details.scopes !== undefined || details.retryAfter !== undefined
    return varies ? write(code, details, known) : constant[code]
  }
}

/**
 * The refusal as a `Response`.
 *
 * @param refusal what to answer
 * @param method of the request; HEAD gets the same headers and no body (RFC 9110 section 9.3.2). Default: `GET`
 */
export function refusalResponse(refusal: PlainAnswer, method = 'GET'): Response {
  return new Response(method === 'HEAD' ? null : refusal.body, {
    status: refusal.status,
    headers: refusal.headers,
  })
}

/**
 * An answer with a small JSON body, which nobody may cache unless `headers` say so. Names of headers in lower case. The
 * body is ASCII, so that its characters are its bytes.
 */
export function jsonAnswer(
  status: number,
  content: unknown,
  headers: Readonly<Record<string, string>> = {},
): PlainAnswer {
  const body = JSON.stringify(content).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const basic = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'cache-control': 'no-store',
  }
  return { status, headers: Object.freeze({ ...basic, ...headers }), body }
}

function checkedOptions(options: RefusalOptions): Required<Omit<RefusalOptions, 'resourceMetadata'>> & {
  readonly resourceMetadata: string | undefined
} {
  const { realm, scope = [], resourceMetadata } = options
  if (typeof realm !== 'string' || !/^[\x20-\x7E]+$/.test(realm)) {
    throw new TypeError('realm must be a non-empty string of printable ASCII')
  }
  if (resourceMetadata !== undefined && !isMetadataUrl(resourceMetadata)) {
    throw new TypeError('resourceMetadata must be an absolute http or https URL, without user name or spaces')
  }
  return { realm, scope: scopeList('requiredScopes', scope), resourceMetadata }
}

function isMetadataUrl(url: unknown): boolean {
  if (typeof url !== 'string' || !/^https?:\/\/[\x21\x23-\x5B\x5D-\x7E]+$/i.test(url)) return false
  return URL.canParse(url) && new URL(url).username === '' && new URL(url).password === ''
}

function write(
  code: AuthErrorCode,
  details: RefusalDetails,
  { realm, scope, resourceMetadata }: ReturnType<typeof checkedOptions>,
): Refusal {
  const { status, challenge, error, description, retryAfter } = answers[code]
  const scopes = [...new Set([...scope, ...(details.scopes ?? []).filter(isScopeToken)])].join(' ')
  const params: Record<string, string> = { realm }
  // RFC 6750 section 3.1: who presented nothing is told of no error.
  if (code !== 'unauthorized') {
    params.error = error
    params.error_description = details.expired === true ? expiredDescription : (description ?? error)
  }
  // A malformed request needs mending, not another token.
  if (status !== 400) {
    if (scopes !== '') params.scope = scopes
    if (resourceMetadata !== undefined) params.resource_metadata = resourceMetadata
  }
  const content = {
    error,
    ...(description !== undefined && { error_description: description }),
    ...(code === 'insufficient_scope' && scopes !== '' && { scope: scopes }),
  }
  const headers = {
    ...(challenge && { 'www-authenticate': formatChallenge({ scheme: 'Bearer', params }) }),
    ...(retryAfter !== undefined && { 'retry-after': seconds(details.retryAfter, retryAfter) }),
  }
  return Object.freeze({ code, ...jsonAnswer(status, content, headers) })
}

/** RFC 9110 section 10.2.3: whole seconds. A day is the longest anybody is sent away for. */
function seconds(wanted: number | undefined, usual: number): string {
  const known = wanted !== undefined && wanted >= 0 ? wanted : usual
  return String(Math.min(Math.ceil(known), 86_400))
}
