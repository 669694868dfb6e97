import { AuthError, type Clock, systemClock } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import { customHeaders, type HeaderValues } from './headers.ts'
import { redirectTarget } from './redirect.ts'
import { challengeOf, passOrRefuse } from './refusal.ts'
import { conceal, secretsOf } from './secrets.ts'
import { authError, type Server, serverAt } from './server.ts'
import { type TokenKeeper, tokenKeeper } from './token-keeper.ts'
import { type AuthOption, tokenSource } from './token-source.ts'

/** The part of `fetch` that is needed. */
export type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>

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
}

/** Options of {@link authorizedFetch}. */
export interface AuthorizedFetchOptions extends HttpOptions {
  /** The MCP endpoint. Requests to other origins are refused. */
  readonly url: string | URL
  /** For `Retry-After` dates. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** More hops than this is a loop. */
const mostRedirects = 5

/**
 * A `fetch` that carries credentials to one server and nowhere else.
 *
 * - The token is asked from its source for each request, and sent as `Authorization: Bearer` (RFC 6750 section 2.1).
 * - A request to another origin, and a redirect to one, is an `AuthError` with code `origin_mismatch`.
 * - 401: when the source has `refused`, it is told, asked again, and the request sent once more if the token changed.
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
  const { server, headers, keeper, fetch, clock } = settings(options, owner)
  const headerSecrets = secretsOf(headers)
  const ask = async (url: URL, request: RequestInit, secrets: readonly string[]): Promise<Response> => {
    try {
      return await fetch(url, request)
    } catch (error) {
      if (request.signal?.aborted || error instanceof AuthError) throw error
      throw unreachable(error, server, secrets)
    }
  }
  const send = async (url: URL, init: RequestInit, secrets: readonly string[], token?: string) => {
    const all = new Headers(init.headers)
    for (const [name, value] of headers) all.set(name, value)
    if (token !== undefined) all.set('authorization', `Bearer ${token}`)
    let at = url
    for (let hops = 0; ; hops++) {
      const request = { ...init, headers: all, redirect: 'manual' as const }
      const response = await ask(at, request, secrets)
      const next = redirectTarget(response, at, server, secrets)
      if (next === undefined) return response
      if (hops === mostRedirects) throw new Error(`${server.label} redirects in a circle`)
      if (!isReplayable(init.body)) {
        throw new Error(`${server.label} redirects a request whose body is a stream; it cannot be sent twice`)
      }
      at = next
    }
  }

  return async (input, init = {}) => {
    const url = new URL(input)
    if (url.origin !== server.url.origin) {
      throw authError(
        server,
        'origin_mismatch',
        `The credential for ${server.label} was about to go to ${url.origin}; it does not leave its origin.`,
      )
    }
    const token = await keeper?.current(url.href)
    let secrets = token === undefined ? headerSecrets : [token, ...headerSecrets]
    let response = await send(url, init, secrets, token)
    if (response.status === 401 && token !== undefined) {
      const better = await keeper?.renew(token, challengeOf(response), url.href)
      if (better !== undefined && isReplayable(init.body)) {
        response.body?.cancel().catch(() => {})
        secrets = [better, ...secrets]
        response = await send(url, init, secrets, better)
      }
    }
    const sent = token !== undefined || headers.length > 0
    return passOrRefuse(response, { server, sent, secrets, clock })
  }
}

/**
 * What a failed request becomes. The error of a `fetch` may hold the request itself, headers included, or the bytes
 * that came back; only its words and its code are kept.
 */
function unreachable(error: unknown, { label }: Server, secrets: readonly string[]): TypeError {
  let root = error
  for (let depth = 0; depth < 8 && root instanceof Error && root.cause instanceof Error; depth++) {
    root = root.cause
  }
  const { message, code } = root instanceof Error ? (root as NodeJS.ErrnoException) : { message: '' }
  const known = typeof code === 'string' ? code : undefined
  const reason = conceal(message || known || 'no reason given', secrets)
  const failure = new TypeError(`${label} cannot be reached: ${reason}`)
  return known === undefined ? failure : Object.assign(failure, { code: known })
}

/** Whether the body can be sent a second time. */
function isReplayable(body: unknown): boolean {
  return body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array
}

interface Settings {
  readonly server: Server
  readonly headers: ReturnType<typeof customHeaders>
  readonly keeper: TokenKeeper | undefined
  readonly fetch: FetchLike
  readonly clock: Clock
}

const known = ['url', 'auth', 'headers', 'fetch', 'allowInsecure', 'serverName', 'clock']

function settings(options: AuthorizedFetchOptions, owner: string): Settings {
  checkOptions(owner, options, known)
  const { url, allowInsecure = false, serverName, clock = systemClock } = options
  // Present and undefined is not "no token": it is a variable that was not set.
  const source = 'auth' in options ? tokenSource(options.auth, `${owner}: auth`) : undefined
  const headers = customHeaders(owner, options.headers, source !== undefined)
  if (typeof allowInsecure !== 'boolean') throw new TypeError(`${owner}: allowInsecure must be true or false`)
  if (options.fetch !== undefined && typeof options.fetch !== 'function') {
    throw new TypeError(`${owner}: fetch must be a function`)
  }
  const credentialed = source !== undefined || headers.length > 0
  const server = serverAt(owner, url, serverName, credentialed && !allowInsecure)
  return {
    server,
    headers,
    keeper: source && tokenKeeper(source, server),
    fetch: options.fetch ?? ((at, init) => globalThis.fetch(at, init)),
    clock,
  }
}
