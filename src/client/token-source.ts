import type { BearerChallenge } from '../core/index.ts'
import { BearerAuth } from './bearer-auth.ts'

/** What a {@link TokenSource} is told about the request it gives a token for. */
export interface TokenRequest {
  /** Where the token is about to go. Always of the origin the client was made for. */
  readonly url: string | URL
  /**
   * The MCP server as a resource (RFC 8707 section 2, MCP authorization "Canonical Server URI"): the endpoint the client
   * was made for, whatever path this request goes to. Default: `url` in that form.
   */
  readonly resource?: string | undefined
  /**
   * Scopes the server has asked for since the client was made (RFC 6750 section 3.1), for a source that can choose:
   * the token should carry these besides the source's own. Default: none.
   */
  readonly scopes?: readonly string[] | undefined
  /** The caller has given up. What others wait for as well must go on. */
  readonly signal?: AbortSignal | undefined
}

/** Proves possession of the key a token is bound to (RFC 9449). Made by `dpopKey()`. */
export interface DpopProver {
  /**
   * The value of the `DPoP` header of one request (RFC 9449 section 4.2): a new proof each time.
   * @param request its method, its URL, and the token it carries; none at a token endpoint
   */
  proof(request: { readonly method: string; readonly url: URL; readonly token?: string }): Promise<string>
  /**
   * Keeps the nonce of an answer for later proofs to the same origin (RFC 9449 sections 8 and 9).
   * @returns whether there was one that differs from the last
   */
  observe(url: URL, headers: Headers): boolean
}

/**
 * Where a token comes from. Asked before **every** request, so a token can rotate while a client runs. A source that
 * is slow to answer keeps its own cache; one source for each user, never one for all.
 *
 * @example
 * ```ts
 * import { Client, type TokenSource } from 'mcp-bearer/client'
 *
 * let token = await fetchToken()
 * const source: TokenSource = {
 *   token: async () => token,
 *   async refused(old) {
 *     if (old === token) token = await fetchToken()
 *   },
 * }
 * const client = new Client('https://mcp.example.com/mcp', { auth: source })
 *
 * async function fetchToken(): Promise<string> {
 *   return 'from a vault'
 * }
 * ```
 */
export interface TokenSource {
  /** What messages call the credential: `MCP_API_KEY`, `the file /run/secrets/token`. Default: none. Never the token. */
  readonly name?: string | undefined
  /** Present when the tokens are bound to a key: they go out under the scheme `DPoP`, with a proof (RFC 9449 section 7). */
  readonly dpop?: DpopProver | undefined
  /**
   * The token for a request: bare, without `Bearer`. Throw when there is none; an `AuthError` reaches the caller as
   * it is, anything else becomes an `AuthError` with code `token_unavailable`.
   */
  token(request: TokenRequest): Promise<string>
  /**
   * The server answered 401 to this token (RFC 6750 section 3.1). Called once for a token however many requests it
   * failed; afterwards `token` is asked again, and the request is sent once more if the answer changed. A source
   * without this method is never asked twice for one request.
   *
   * @param token the token that was used, to compare with the current one
   * @param challenge what the server said; `{ scopes: [] }` when it said nothing
   */
  refused?(token: string, challenge: BearerChallenge): Promise<void>
}

/**
 * Marks a source that may have no token before it has seen a challenge, and gives `''` then: the request goes without
 * a credential, and after a 401 `refused('', challenge)` is called. Of anybody else `''` is a mistake.
 */
export const awaitsChallenge: unique symbol = Symbol('awaitsChallenge')

/** A {@link TokenSource} that needs a challenge to begin with: interactive OAuth. */
export interface ChallengedSource extends TokenSource {
  readonly [awaitsChallenge]: true
}

/** What `auth` takes: a token, a {@link BearerAuth}, or anything else that gives tokens. */
export type AuthOption = string | BearerAuth | TokenSource

/**
 * The {@link TokenSource} an `auth` option stands for. A string becomes a {@link BearerAuth}.
 *
 * @param option how error messages call the option
 * @throws TypeError when it is none of the three, or a string that cannot be a token; the value is never shown
 */
export function tokenSource(auth: unknown, option = 'auth'): TokenSource {
  if (auth === undefined || auth === null) {
    throw new TypeError(
      `${option} is ${auth}: an environment variable that is not set? Leave the option out to connect without a token`,
    )
  }
  if (typeof auth === 'string') return new BearerAuth(auth, option)
  if (!isTokenSource(auth)) {
    throw new TypeError(`${option} must be a token, a BearerAuth, or a TokenSource with a method token()`)
  }
  return auth
}

function isTokenSource(value: unknown): value is TokenSource {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<TokenSource>).token === 'function'
  )
}
