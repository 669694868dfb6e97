import type { AuthProvider } from '@modelcontextprotocol/client'
import { stopwatch, systemClock } from '../core/clock.ts'
import { checkOptions } from '../core/options.ts'
import { challengeOf, type Exchange, readAnswer, refusal } from './fetch/refusal.ts'
import { secretsOf } from './fetch/secrets.ts'
import { authError, serverAt } from './fetch/server.ts'
import { tokenKeeper } from './fetch/token-keeper.ts'
import { type AuthOption, tokenSource } from './token-source.ts'

/** Options of {@link authProvider}. */
export interface AuthProviderOptions {
  /** The MCP endpoint the token is for; https, or this machine. */
  readonly url: string | URL
  /** What errors call the server. Default: its origin. */
  readonly serverName?: string | undefined
  /**
   * DANGER: gives the token for plain http to hosts other than this machine; whoever is on the way can read and use it.
   * Default: false.
   */
  readonly allowInsecure?: boolean | undefined
}

/** Milliseconds. The SDK does not say which token was refused; so soon after a new one it is the old one still. */
const straggling = 5_000

/**
 * A token source for a transport of the official SDK, as its option `authProvider`: the token of each request, and one
 * renewal after a 401, however many requests it failed. For people who do not use the {@link Client} of this package;
 * `authorizedFetch` as the option `fetch` can do more: redirects, step-up, `Retry-After`, tokens bound to a key.
 *
 * @param auth a token, or where it comes from
 * @returns a provider whose methods throw `AuthError`: `token_unavailable` when there is no token, `invalid_token` when
 *   it was refused and there is no better one, `origin_mismatch` when the transport belongs to another server
 * @throws TypeError when an option is wrong, the URL is not https (MCP authorization "Communication Security"), or the
 *   tokens are bound to a key
 *
 * @example
 * ```ts
 * import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
 * import { authProvider, envToken } from 'mcp-bearer/client'
 *
 * const url = new URL('https://mcp.example.com/mcp')
 * const transport = new StreamableHTTPClientTransport(url, {
 *   authProvider: authProvider(envToken('MCP_API_KEY'), { url }),
 * })
 * ```
 */
export function authProvider(auth: AuthOption, options: AuthProviderOptions): AuthProvider {
  checkOptions('authProvider', options, ['url', 'serverName', 'allowInsecure'])
  const { url, serverName, allowInsecure = false } = options
  if (typeof allowInsecure !== 'boolean')
    throw new TypeError('authProvider: allowInsecure must be true or false')
  const source = tokenSource(auth, 'authProvider: auth')
  if (source.dpop !== undefined) {
    throw new TypeError(
      'authProvider: tokens bound to a key need a proof with each request; give authorizedFetch to the transport as fetch',
    )
  }
  const server = serverAt('authProvider', url, serverName, !allowInsecure)
  const keeper = tokenKeeper(source, server)
  const use = { url: server.url.href }
  let last = ''
  let renewedAt = Number.NEGATIVE_INFINITY

  return {
    async token() {
      last = await keeper.current(use)
      return last === '' ? undefined : last
    },
    async onUnauthorized({ response, serverUrl }) {
      if (new URL(serverUrl).origin !== server.url.origin) {
        const message = `The credential for ${server.label} was about to go to ${new URL(serverUrl).origin}; it does not leave its origin.`
        throw authError(server, 'origin_mismatch', message)
      }
      if (stopwatch() - renewedAt < straggling) return
      const used = last
      const better = await keeper.renew(used, challengeOf(response), use)
      if (better !== undefined) {
        renewedAt = stopwatch()
        return
      }
      const secrets = secretsOf([['authorization', `Bearer ${used}`]])
      const exchange: Exchange = { server, name: source.name, sent: used !== '', secrets, clock: systemClock }
      const answer = await readAnswer(response, exchange)
      throw await refusal(answer.code ?? 'invalid_token', answer, exchange)
    },
  }
}
