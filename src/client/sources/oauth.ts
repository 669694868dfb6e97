import type { OAuthClientProvider } from '@modelcontextprotocol/client'
import { AuthError, type Clock, isScopeToken, parseScopes, systemClock } from '../../core/index.ts'
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
/** Milliseconds before the end of a token, and at most a tenth of its life, in which it is refreshed. */
const longestLead = 10_000

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
  /** Milliseconds since 1970. */
  readonly until: number
}

type Kind = Pick<Authorization, 'metadataUrl' | 'force' | 'isSilent'>

function flowSource(provider: OAuthClientProvider, options: OAuthOptions): ChallengedSource {
  const { clock = systemClock } = options
  const flows = flowsOf(provider, options, clock)
  let server: string | undefined
  let futile = 0
  return {
    [awaitsChallenge]: true,
    ...(provider.dpop && { dpop: proverOf(provider) }),
    async token({ url, resource = canonicalResource(url), scopes = [] }) {
      if (server !== undefined && server !== resource) throw otherServer()
      server = resource
      for (;;) {
        const { token, wanted, isMissing, isOver, isEnding } = await flows.look(scopes)
        const isUsable = token !== '' && !isMissing && !isOver
        // Whoever has a token that will do does not wait for what others need.
        if (isUsable && (!isEnding || flows.running)) return token
        if (flows.running) {
          await flows.running
          continue
        }
        if (token === '' || (isOver && !isEnding)) return token
        const work = flows.run(resource, wanted, { force: isMissing, isSilent: isUsable })
        await (isUsable ? work.catch(() => {}) : work)
        return (await provider.tokens())?.access_token ?? ''
      }
    },
    async refused(token, challenge) {
      // One flow for all who were refused, and one failure.
      if (flows.running) return flows.running
      const { token: current, wanted } = await flows.look(plausible(challenge.scopes))
      if (server === undefined || current !== token) return
      if (flows.running) return flows.running
      futile = flows.isNew(token) ? futile + 1 : 0
      if (futile >= mostFutile) throw neverAccepted(server)
      await flows.run(server, wanted, { metadataUrl: challenge.resourceMetadata, force: futile > 1 })
    },
  }
}

/** The token there is, measured by what is needed. */
interface Look {
  /** `''` when there is none. */
  readonly token: string
  /** The scopes to ask for next time. */
  readonly wanted: readonly string[]
  readonly isMissing: boolean
  readonly isOver: boolean
  /** It can be refreshed, and the time has come. */
  readonly isEnding: boolean
}

/** Runs of the flow, one at a time, and what is known of their tokens. */
interface Flows {
  readonly running: Promise<void> | undefined
  /** There must be none under way. */
  run(resource: string, scopes: readonly string[], kind: Kind): Promise<void>
  look(scopes: readonly string[]): Promise<Look>
  /** Whether the token was given a moment ago. */
  isNew(token: string): boolean
}

function flowsOf(provider: OAuthClientProvider, options: OAuthOptions, clock: Clock): Flows {
  let given: Given | undefined
  let running: Promise<void> | undefined
  /** Asked for with success: the union goes into every further request (MCP authorization "Step-Up Authorization Flow"). */
  let kept: readonly string[] = []

  const flow = async (resource: string, scopes: readonly string[], kind: Kind): Promise<void> => {
    const tokens = await authorize(provider, { ...options, ...kind, server: resource, scopes })
    const { access_token: token, expires_in: seconds = Number.POSITIVE_INFINITY, scope = '' } = tokens
    // Only now: a scope that cannot be had must not fail every later request.
    kept = unionOf(kept, scopes, parseScopes(scope))
    const at = clock()
    given = { token, at, until: at + seconds * 1000 }
  }
  return {
    get running() {
      return running
    },
    run(resource, scopes, kind) {
      running = flow(resource, scopes, kind).finally(() => {
        running = undefined
      })
      return running
    },
    async look(scopes) {
      const tokens = await provider.tokens()
      const token = tokens?.access_token ?? ''
      const granted = unionOf(kept, parseScopes(tokens?.scope ?? ''))
      const { at = 0, until = Number.POSITIVE_INFINITY } = given?.token === token ? (given ?? {}) : {}
      const rest = until - clock()
      return {
        token,
        wanted: unionOf(granted, scopes),
        isMissing: token !== '' && !scopes.every((scope) => granted.includes(scope)),
        isOver: rest <= 0,
        isEnding: rest < Math.min(longestLead, (until - at) / 10) && tokens?.refresh_token !== undefined,
      }
    },
    isNew: (token) => given?.token === token && clock() - given.at < soon,
  }
}

/** A server that names more does not know what it needs, and shall not fill our requests. */
const mostScopes = 32
const longestScope = 256

function plausible(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => isScopeToken(scope) && scope.length <= longestScope).slice(0, mostScopes)
}

/** The first list, and of the others as much as there is room for. */
function unionOf(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].slice(0, mostScopes)
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
