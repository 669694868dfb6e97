import type { Clock, Logger, ScopeHierarchy, TokenVerifier } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { HttpOptions } from '../server/http-options.ts'
import type { Limits } from '../server/limits.ts'
import type { IdentityAssertion } from './front/identity.ts'
import type { GatewayPolicy } from './policy.ts'
import type { RequestSink } from './request-entry.ts'
import type { Upstream } from './upstream.ts'

/** How a gateway behaves on HTTP: as an `MCPServer` does. */
export type GatewayHttpOptions = Pick<
  HttpOptions,
  'allowedHosts' | 'allowedOrigins' | 'apiKeyHeader' | 'resource' | 'scopesSupported' | 'trustProxy'
>

/** What a gateway does not do more of, longer or bigger. */
export type GatewayLimits = Pick<
  Limits,
  | 'maxBodyBytes'
  | 'bodyTimeoutMs'
  | 'maxConnections'
  | 'maxStreams'
  | 'requestsPerMinute'
  | 'failuresPerMinute'
  | 'shared'
>

/** What a {@link gateway} is made of. */
export interface GatewayOptions {
  /** The server behind it. Closed together with the gateway. */
  readonly upstream: Upstream
  /** Decides whether a token is good. The token itself never goes on. */
  readonly auth: TokenVerifier
  /** Who may do what. Default: every good token may do everything the server offers. */
  readonly policy?: GatewayPolicy | undefined
  /** Names it is reached by, and how it is found. Default: those of an `MCPServer`. */
  readonly http?: GatewayHttpOptions
  /** Default: those of an `MCPServer`. */
  readonly limits?: GatewayLimits
  /** Which scopes contain which. Default: none contains another. */
  readonly scopeHierarchy?: ScopeHierarchy
  /** Tells the server who calls, in a header the gateway signs. Default: the server is not told. */
  readonly identity?: IdentityAssertion
  /** Told of each request when its answer is over. Default: nobody is. */
  readonly onRequest?: RequestSink
  /** Where faults and hints for the operator go. Default: standard error. */
  readonly logger?: Logger
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

const known = [
  'upstream',
  'auth',
  'policy',
  'http',
  'limits',
  'scopeHierarchy',
  'identity',
  'onRequest',
  'logger',
  'clock',
] as const satisfies readonly (keyof GatewayOptions)[]

const knownHttp = [
  'allowedHosts',
  'allowedOrigins',
  'apiKeyHeader',
  'resource',
  'scopesSupported',
  'trustProxy',
] as const satisfies readonly (keyof GatewayHttpOptions)[]

/** The limits of a gateway by name. */
export const gatewayLimitNames: readonly (keyof GatewayLimits)[] = [
  'maxBodyBytes',
  'bodyTimeoutMs',
  'maxConnections',
  'maxStreams',
  'requestsPerMinute',
  'failuresPerMinute',
  'shared',
]

/** @throws TypeError naming the option that is unknown, missing or wrong */
export function checkGatewayOptions(options: GatewayOptions): void {
  checkOptions('gateway', options, known)
  const { upstream, auth, policy, http = {}, identity } = options
  if (typeof upstream?.answer !== 'function' || typeof upstream.ask !== 'function')
    throw new TypeError('gateway: upstream must be one, such as httpUpstream or commandUpstream makes')
  if (typeof auth?.verifyToken !== 'function')
    throw new TypeError('gateway: auth must be a token verifier, for example an apiKeyVerifier')
  checkPolicy(policy)
  checkOptions('gateway (http)', http, knownHttp)
  if ('resource' in http && http.resource === undefined)
    throw new TypeError('gateway (http): resource is undefined; leave it out if clients need not find it')
  if (identity !== undefined && typeof identity?.headers !== 'function')
    throw new TypeError('gateway: identity must be one, such as identityAssertion makes')
  for (const name of ['onRequest', 'logger', 'clock'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new TypeError(`gateway: ${name} must be a function`)
  }
}

/** @throws TypeError when it is no policy */
export function checkPolicy(policy: GatewayPolicy | undefined): void {
  if (policy === undefined) return
  if (typeof policy?.judge !== 'function' || typeof policy.review !== 'function')
    throw new TypeError('gateway: policy must be one, such as gatewayPolicy makes')
}
