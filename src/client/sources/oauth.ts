import type { OAuthClientProvider } from '@modelcontextprotocol/client'
import { AuthError, type Clock, parseScopes, systemClock } from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { canonicalResource } from '../canonical.ts'
import type { FetchLike } from '../fetch/authorized-fetch.ts'
import { awaitsChallenge, type ChallengedSource, type DpopProver, type TokenSource } from '../token-source.ts'
import { type Authorization, authorize } from './oauth-flow.ts'

/** Options of {@link oauth}. */
export interface OAuthOptions {
  /**
   * Waits for the authorization server's answer, after the provider has sent the person there: the URL their browser
   * came back to, or its query. Not called by providers without a `redirectUrl`. Default: none, and a person who must
   * sign in is an error.
   */
  readonly callback?: (() => Promise<string | URL | URLSearchParams>) | undefined
  /** Makes the requests for metadata and tokens. Default: one that refuses addresses nobody should be sent to. */
  readonly fetch?: FetchLike | undefined
  /** Also reach authorization servers at private addresses (RFC 1918, RFC 6598, RFC 4193). Default: false. */
  readonly allowPrivateNetwork?: boolean | undefined
  /** The time, for expiry. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
}

/** So many tokens in a row that the server refused within a minute after they were given are enough. */
const mostFutile = 3
const soon = 60_000
/** Milliseconds before the end of a token in which it is not used any more. */
const margin = 10_000

/**
 * Interactive OAuth (MCP authorization): the official SDK's provider, given to a client of this package. The flow
 * itself, discovery, registration, PKCE, the checks of the answer, is the SDK's; this source joins parallel requests
 * into one flow, asks anew where the authorization server is whenever a token was refused (SEP-2352), and keeps the
 * flow from private addresses. Nothing happens before the server answers 401. One source for each server and person.
 *
 * @param provider an `OAuthClientProvider` of `@modelcontextprotocol/client`, which keeps tokens and registrations
 * @throws TypeError when the provider is none, or an option is wrong. A flow that fails makes requests throw an
 *   `AuthError` with code `token_unavailable`
 *
 * @example
 * ```ts
 * import type { OAuthClientProvider } from '@modelcontextprotocol/client'
 * import { Client, oauth } from 'mcp-bearer/client'
 *
 * function connect(provider: OAuthClientProvider, nextRedirect: () => Promise<URL>): Client {
 *   return new Client('https://mcp.example.com/mcp', { auth: oauth(provider, { callback: nextRedirect }) })
 * }
 * ```
 */
export function oauth(provider: OAuthClientProvider, options: OAuthOptions = {}): TokenSource {
  checkOptions('oauth', options, ['callback', 'fetch', 'allowPrivateNetwork', 'clock'])
  if (typeof provider?.tokens !== 'function' || typeof provider.saveTokens !== 'function') {
    throw new TypeError('oauth: the provider must be an OAuthClientProvider of the SDK')
  }
  for (const name of ['callback', 'fetch', 'clock'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw new TypeError(`oauth: ${name} must be a function`)
    }
  }
  return Object.freeze(flowSource(provider, options))
}

/** The token in use, as far as this source has seen it being given. */
interface Given {
  readonly token: string
  readonly at: number
  readonly until: number | undefined
}

function flowSource(provider: OAuthClientProvider, options: OAuthOptions): ChallengedSource {
  const { clock = systemClock } = options
  let server: string | undefined
  let given: Given | undefined
  let futile = 0
  let running: Promise<void> | undefined
  /** Scopes asked for so far: the union goes into every further request (MCP authorization "Step-Up Authorization Flow"). */
  const asked = new Set<string>()

  const run = (resource: string, what: Pick<Authorization, 'metadataUrl' | 'force'>): Promise<void> => {
    running ??= flow(resource, what).finally(() => {
      running = undefined
    })
    return running
  }
  const flow = async (
    resource: string,
    what: Pick<Authorization, 'metadataUrl' | 'force'>,
  ): Promise<void> => {
    const tokens = await authorize(provider, { ...options, ...what, server: resource, scopes: [...asked] })
    const { access_token: token, expires_in: seconds } = tokens
    for (const scope of parseScopes(tokens.scope ?? '')) asked.add(scope)
    const at = clock()
    given = { token, at, until: seconds === undefined ? undefined : at + seconds * 1000 }
  }

  return {
    [awaitsChallenge]: true,
    ...(provider.dpop && { dpop: proverOf(provider) }),
    async token({ url, resource = canonicalResource(url), scopes = [] }) {
      if (server !== undefined && server !== resource) throw otherServer()
      server = resource
      if (running) await running
      const tokens = await provider.tokens()
      if (tokens === undefined) return ''
      const granted = parseScopes(tokens.scope ?? '')
      const missing = scopes.filter((scope) => !granted.includes(scope) && !asked.has(scope))
      for (const scope of [...granted, ...missing]) asked.add(scope)
      const isOver = given?.token === tokens.access_token && clock() > (given.until ?? Infinity) - margin
      if (missing.length > 0) await run(resource, { force: true })
      else if (isOver && tokens.refresh_token !== undefined) await run(resource, { force: false })
      else return tokens.access_token
      return (await provider.tokens())?.access_token ?? ''
    },
    async refused(token, challenge) {
      if (running) return running
      const current = (await provider.tokens())?.access_token ?? ''
      if (server === undefined || current !== token) return
      const isFutile = given !== undefined && given.token === token && clock() - given.at < soon
      futile = isFutile ? futile + 1 : 0
      if (futile >= mostFutile) throw neverAccepted(server)
      for (const scope of challenge.scopes) asked.add(scope)
      await run(server, { metadataUrl: challenge.resourceMetadata, force: futile > 1 })
    },
  }
}

function otherServer(): AuthError {
  return new AuthError(
    'origin_mismatch',
    'The source made by oauth() belongs to another server; make one for each server.',
  )
}

function neverAccepted(server: string): AuthError {
  return new AuthError(
    'token_unavailable',
    `${server} refuses every token its authorization server has just given. Ask its operator.`,
  )
}

/** The SDK keeps key and nonces in a session of the provider's. */
function proverOf(provider: OAuthClientProvider): DpopProver {
  let session: Awaited<ReturnType<NonNullable<OAuthClientProvider['dpop']>>>
  return {
    async proof({ method, url, token }) {
      session ??= await provider.dpop?.()
      if (session === undefined) throw new Error('the provider has no DPoP session')
      return session.buildProof({
        htm: method,
        htu: url.href,
        ...(token !== undefined && { accessToken: token }),
      })
    },
    observe(url, headers) {
      const nonce = headers.get('dpop-nonce')
      if (session === undefined || nonce === null || session.nonceFor(url) === nonce) return false
      session.rememberNonce(url, nonce)
      return true
    },
  }
}
