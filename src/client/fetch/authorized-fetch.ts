import { type AuthError, type Clock, systemClock } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import { type AuthOption, tokenSource } from '../token-source.ts'
import { attempt, type Call, failures, type Settings, takeToken } from './attempt.ts'
import { customHeaders, type HeaderValues } from './headers.ts'
import { authError, isWithin, type Server, serverAt } from './server.ts'
import { tokenKeeper } from './token-keeper.ts'

/** The part of `fetch` that is needed. */
export type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>

/** How far a request goes on after an answer that is not the last word. */
export interface RetryOptions {
  /**
   * After 403 `insufficient_scope`, ask the source once for a token with the missing scopes besides those asked for so
   * far (MCP authorization "Step-Up Authorization Flow"). Default: true.
   */
  readonly stepUp?: boolean | undefined
  /**
   * How many milliseconds at most to wait when a server says `Retry-After` of a request it has not looked at; the
   * request is sent once more then. Longer ones, and 0, are an error at once. Default: 5000.
   */
  readonly maxWait?: number | undefined
}

/** How requests to one server are made. */
export interface HttpOptions {
  /** The token, or where it comes from. Default: none is sent. Present and `undefined` is an error. */
  readonly auth?: AuthOption | undefined
  /** More headers for every request, as secret as a token: `X-API-Key`. Copied. Default: none. */
  readonly headers?: HeaderValues | undefined
  /** Makes the requests. Must leave redirects alone when told to. Default: the `fetch` of the runtime. */
  readonly fetch?: FetchLike | undefined
  /**
   * DANGER: sends credentials over plain http to hosts other than this machine; whoever is on the way can read and
   * use them. Default: false.
   */
  readonly allowInsecure?: boolean | undefined
  /** What errors call the server. Default: its origin. */
  readonly serverName?: string | undefined
  /** How far a request goes on after an answer that is not the last word. */
  readonly retry?: RetryOptions | undefined
}

/** Options of {@link authorizedFetch}. */
export interface AuthorizedFetchOptions extends HttpOptions {
  /** The MCP endpoint. Requests to other origins are refused. */
  readonly url: string | URL
  /** For `Retry-After` dates. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/**
 * A `fetch` that carries credentials to one server and nowhere else.
 *
 * - The token is asked from its source for each request, and sent as `Authorization: Bearer` (RFC 6750 section 2.1).
 * - A request to another origin, and a redirect to one, is an `AuthError` with code `origin_mismatch`.
 * - 401: when the source has `refused`, it is told, asked again, and the request sent once more if the token changed.
 * - 403 `insufficient_scope`: such a source is asked once for a token that carries the missing scopes as well.
 * - 429, and 503 that is about the credential, with a short `Retry-After`: waits, and sends the request once more.
 * - Never again otherwise: a call may have been carried out. A body that is a stream is never sent twice.
 * - Tokens bound to a key go out under the scheme `DPoP`, each request with a proof of its own (RFC 9449 section 7).
 * - 401, 403 and 429, and 400 and 503 when they are about the credential, throw an `AuthError` with status, challenge
 *   and `retryAfter` instead of returning a response.
 *
 * @param owner what errors about the options begin with. Default: `authorizedFetch`
 * @throws TypeError when an option is wrong; at once, not at the first request
 *
 * @example
 * ```ts
 * import { authorizedFetch, envToken } from 'mcp-bearer/client'
 *
 * const url = 'https://mcp.example.com/mcp'
 * const fetch = authorizedFetch({ url, auth: envToken('MCP_API_KEY') })
 * const response = await fetch(url, { method: 'DELETE' })
 * ```
 */
export function authorizedFetch(options: AuthorizedFetchOptions, owner = 'authorizedFetch'): FetchLike {
  return fetchWith(settingsOf(options, owner))
}

/** The fetch itself. */
export function fetchWith(settings: Settings): FetchLike {
  const { server } = settings
  return async (input, init = {}) => {
    const url = absolute(input, server)
    if (url !== server.url && !isWithin(url, server)) throw elsewhere(server, url)
    const call = callOf(url, init)
    await takeToken(settings, call)
    for (;;) {
      const response = await attempt(settings, call)
      // What is left of 300 and above says why there is no result: somebody will put it into a message.
      if (response.status < 300) return response
      const last = await (await failures()).settled(settings, call, response)
      if (last !== undefined) return last
    }
  }
}

/** Ours or a copy: the caller's may change while we wait for a token. */
function absolute(input: string | URL, server: Server): URL {
  const text = String(input)
  if (text === server.url.href) return server.url
  // The error of a URL that is none repeats it, and it may hold a secret.
  if (!URL.canParse(text)) throw new TypeError('the URL of the request must be absolute')
  return new URL(text)
}

function callOf(url: URL, init: RequestInit): Call {
  return {
    url,
    init,
    signal: init.signal ?? undefined,
    token: undefined,
    asked: [],
    sent: [],
    hasNonce: false,
    isRenewed: false,
    isWidened: false,
    isNonced: false,
    hasWaited: false,
  }
}

function elsewhere(server: Server, url: URL): AuthError {
  return authError(
    server,
    'origin_mismatch',
    `The credential for ${server.label} was about to go to ${url.origin}; it does not leave its origin.`,
  )
}

const known = ['url', 'auth', 'headers', 'fetch', 'allowInsecure', 'serverName', 'retry', 'clock']

/** Reads the options. @throws TypeError naming the one that is wrong */
export function settingsOf(options: AuthorizedFetchOptions, owner: string): Settings {
  checkOptions(owner, options, known)
  const { url, allowInsecure = false, serverName, clock = systemClock } = options
  // Present and undefined is not "no token": it is a variable that was not set.
  const source = 'auth' in options ? tokenSource(options.auth, `${owner}: auth`) : undefined
  const headers = customHeaders(owner, options.headers, source !== undefined, source?.dpop !== undefined)
  if (typeof allowInsecure !== 'boolean') throw new TypeError(`${owner}: allowInsecure must be true or false`)
  if (options.fetch !== undefined && typeof options.fetch !== 'function') {
    throw new TypeError(`${owner}: fetch must be a function`)
  }
  const credentialed = source !== undefined || headers.length > 0
  const server = serverAt(owner, url, serverName, credentialed && !allowInsecure)
  return {
    server,
    headers,
    recent: [],
    keeper: source && tokenKeeper(source, server),
    name: source?.name,
    dpop: source?.dpop,
    fetch: options.fetch ?? ((at, init) => globalThis.fetch(at, init)),
    clock,
    ...retryOf(owner, options.retry),
  }
}

/** A timer of more fires at once. */
const longestTimer = 2 ** 31 - 1

function retryOf(owner: string, retry: RetryOptions = {}): Pick<Settings, 'stepUp' | 'maxWait'> {
  checkOptions(`${owner}: retry`, retry, ['stepUp', 'maxWait'])
  const { stepUp = true, maxWait = 5_000 } = retry
  if (typeof stepUp !== 'boolean') throw new TypeError(`${owner}: retry.stepUp must be true or false`)
  return { stepUp, maxWait: numberBetween(`${owner}: retry.maxWait`, maxWait, 0, longestTimer) }
}
