import { AuthError } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { readText } from '../../verify/client-authentication.ts'
import type { ClientIdentity } from '../grants/client-identity.ts'
import { askedFrom, grantOptions, grantSource, requireClient } from '../grants/grant.ts'
import { isRefreshToken } from '../grants/token-answer.ts'
import { readTokenEnvironment, type TokenSourceEnvironment } from '../grants/token-environment.ts'
import { noToken } from '../grants/token-failure.ts'
import type { DpopProver, TokenSource } from '../token-source.ts'

/** Options of {@link refreshToken}. */
export interface RefreshTokenOptions {
  /** The authorization server that gave the refresh token, as its metadata calls it. It is sent nowhere else. */
  readonly issuer: string
  /** Its token endpoint. Default: what its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly tokenEndpoint?: string | undefined
  /** The client the refresh token was given to. */
  readonly client: ClientIdentity
  /**
   * The refresh token to begin with, or a function that knows it. Where refresh tokens rotate, the newest is in the
   * store, and this one is not used again. After `invalid_grant` a function is asked for another one.
   */
  readonly refreshToken: string | (() => Promise<string>)
  /** Scopes to ask for, of those that were granted. Default: all of them. */
  readonly scopes?: readonly string[] | undefined
  /** What the authorization server knows the MCP server by (RFC 8707). Default: what the server calls itself, else its URL. */
  readonly resource?: string | undefined
  /** Binds the tokens to a key (RFC 9449). Default: bearer tokens. */
  readonly dpop?: DpopProver | undefined
}

/**
 * Tokens of a user who has logged in somewhere else: `refresh_token` (RFC 6749 section 6). A refresh token that rotates
 * (RFC 9700 section 4.14) is used once: all requests, to whatever MCP servers, share one refresh, processes with one
 * `store` as well, and the new one is stored before the new access token is used. Without a `store` it is lost with the
 * process, and where tokens rotate, the next start begins with one that is used up.
 *
 * A refresh whose answer was lost is not sent again for the same request. The next request has to: whether the
 * authorization server has used the token up cannot be known.
 *
 * @param environment see {@link TokenSourceEnvironment}; with a function as `refreshToken` it is asked at the start for
 *   the name under which the `store` keeps what belongs to it
 * @returns a {@link TokenSource} for one user. Its `token` throws an `AuthError` with code `token_unavailable`; with
 *   `error` `invalid_grant` the user has to log in again
 * @throws TypeError naming the option that is missing, unknown or wrong; never shows a secret, key or token
 *
 * @example
 * ```ts
 * import { Client, refreshToken } from 'mcp-bearer/client'
 *
 * const auth = refreshToken({
 *   issuer: 'https://idp.example.com',
 *   client: { id: 'my-app' },
 *   refreshToken: process.env.REFRESH_TOKEN!,
 * })
 * const client = new Client('https://mcp.example.com/mcp', { auth })
 * ```
 */
export function refreshToken(
  options: RefreshTokenOptions,
  environment?: TokenSourceEnvironment,
): TokenSource {
  checkOptions(owner, options, [...grantOptions, 'refreshToken'])
  requireClient(owner, options)
  const first = firstToken(options.refreshToken)
  const world = readTokenEnvironment(owner, environment)
  /** Used up, the newest last: given out by the option again, they would look stolen (RFC 9700 section 4.14.2). */
  let spent: readonly string[] = []
  const spend = (token: string) => {
    spent = [...spent.filter((one) => one !== token), token].slice(-mostSpent)
  }

  const fromOption = async (server: string): Promise<string> => {
    const token = await askedFrom('refreshToken', first, server, world.clock)
    if (!spent.includes(token)) return token
    throw noToken(server, `the refresh token is used up. ${remedy}.`, { error: 'invalid_grant' })
  }
  return grantSource(owner, options, environment, {
    label: 'refresh token',
    type: 'refresh_token',
    remedy,
    takesListedScopes: false,
    isOnce: true,
    refreshes: true,
    // Of the token itself: two users of one client must not meet in a store.
    identity: async () =>
      world.store === undefined
        ? ''
        : digest(await askedFrom('refreshToken', first, options.issuer, world.clock)),
    async acquire({ need }, ask) {
      const token = need.refreshToken ?? (await fromOption(need.server))
      const rotated = async (next: string): Promise<void> => {
        if (next !== token) spend(token)
        await need.rotated(next)
      }
      try {
        const answer = await ask({ fields: { refresh_token: token }, rotated })
        if (answer.refreshToken !== undefined && answer.refreshToken !== token) spend(token)
        return { ...answer, refreshToken: answer.refreshToken ?? token }
      } catch (error) {
        if (error instanceof AuthError && error.error === 'invalid_grant') spend(token)
        throw error
      }
    },
  })
}

const owner = 'refreshToken'
const remedy = 'Log in again to get a new refresh token'
/** More have no way back: the option gives one, and what a function gives is a new one each time. */
const mostSpent = 100

function firstToken(option: string | (() => Promise<string>)): () => string | Promise<string> {
  if (typeof option === 'function') return option
  const token = readText(`${owner}: refreshToken`, option).trim()
  if (!isRefreshToken(token)) {
    throw new TypeError(`${owner}: refreshToken holds a character that no refresh token can have`)
  }
  return () => token
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
