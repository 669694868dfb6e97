import { type Clock, systemClock } from '../core/clock.ts'
import type { EventSink } from '../core/events.ts'
import { type Logger, stderrLogger } from '../core/log.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { guardedFetch, type UrlTrust } from './guarded-fetch.ts'
import type { TokenRefusal } from './refusal.ts'

/**
 * What a verifier needs of the world around it. One bag for all verifiers of an application, beside the options that
 * say what a good token is.
 *
 * @example
 * ```ts
 * import { jwtVerifier, type VerifierEnvironment } from 'mcp-bearer/verify'
 *
 * const refusals = new Map<string, number>()
 * const environment: VerifierEnvironment = {
 *   onRefused: ({ reason }) => refusals.set(reason, (refusals.get(reason) ?? 0) + 1),
 * }
 * jwtVerifier({ jwksUri: 'https://idp.example.com/jwks', issuer: 'https://idp.example.com' }, environment)
 * ```
 */
export interface VerifierEnvironment {
  /** The time, in milliseconds since 1970. Default: the clock of this machine. */
  readonly clock?: Clock
  /** Where warnings go; of refused tokens one a minute for each reason. Default: one line to standard error. */
  readonly logger?: Logger
  /**
   * Used for every request a verifier makes: for a proxy, or a certificate authority of your own. Default: a request
   * that connects to the very address that was checked (Node), or the global `fetch`.
   */
  readonly fetch?: typeof globalThis.fetch
  /** Also reach private addresses (RFC 1918, RFC 6598, RFC 4193) that the options name: for an issuer inside. Default: false. */
  readonly allowPrivateNetwork?: boolean
  /** Called once for each refused token, with the reason and nothing of the token. What it throws is dropped. */
  readonly onRefused?: (refusal: TokenRefusal) => void
  /** Told of every verdict, fetch and look-up, for metrics. What it throws is dropped. Default: nothing is told. */
  readonly onEvent?: EventSink
  /** How many good tokens are remembered, by digest; beyond it the oldest is forgotten. 0 to 1,000,000. Default: 10,000, some 20 MB when full. */
  readonly rememberTokens?: number
}

/** A request within the limits of a {@link UrlTrust}. */
export type GuardedFetch = ReturnType<typeof guardedFetch>

/** The bag with nothing left open; what reports never throws. */
export interface Environment {
  readonly clock: Clock
  readonly log: Logger
  /** `undefined` where nobody listens: then nothing is prepared for them either. */
  readonly onRefused: ((refusal: TokenRefusal) => void) | undefined
  readonly onEvent: EventSink | undefined
  readonly allowPrivateNetwork: boolean
  readonly rememberTokens: number
  /** Makes the function for requests to places that are trusted so far. */
  readonly fetchWithin: (trust: UrlTrust) => GuardedFetch
}

const functionNames = ['clock', 'logger', 'fetch', 'onRefused', 'onEvent'] as const
const names = [
  ...functionNames,
  'allowPrivateNetwork',
  'rememberTokens',
] as const satisfies readonly (keyof VerifierEnvironment)[]

/** @throws TypeError naming the member that is unknown or of the wrong type */
export function readEnvironment(owner: string, given: VerifierEnvironment = {}): Environment {
  checkOptions(owner, given, names)
  for (const name of functionNames) {
    if (given[name] !== undefined && typeof given[name] !== 'function') {
      throw new TypeError(`${owner}: ${name} must be a function`)
    }
  }
  const { allowPrivateNetwork = false, rememberTokens = 10_000 } = given
  if (typeof allowPrivateNetwork !== 'boolean') {
    throw new TypeError(`${owner}: allowPrivateNetwork must be true or false`)
  }
  const { fetch } = given
  return {
    clock: given.clock ?? systemClock,
    log: unfailing(given.logger ?? stderrLogger),
    onRefused: given.onRefused && unfailing(given.onRefused),
    onEvent: given.onEvent && unfailing(given.onEvent),
    allowPrivateNetwork,
    rememberTokens: numberBetween(`${owner}: rememberTokens`, rememberTokens, 0, 1_000_000),
    fetchWithin: (trust) => guardedFetch(trust, fetch),
  }
}

/** A reporter that fails must not turn a verdict into an error. */
function unfailing<T>(report: (value: T) => void): (value: T) => void {
  return (value) => {
    try {
      const pending: unknown = report(value)
      if (pending instanceof Promise) pending.catch(() => {})
    } catch {
      // Nobody is left to tell.
    }
  }
}
