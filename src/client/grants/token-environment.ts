import { type Clock, type Logger, stderrLogger, systemClock, throttled, unfailing } from '../../core/index.ts'
import { checkOptions, numberBetween } from '../../core/options.ts'
import type { Reach } from '../../verify/discovery.ts'
import { guardedFetch } from '../../verify/guarded-fetch.ts'
import type { FetchLike } from '../fetch/authorized-fetch.ts'
import type { TokenStore } from '../stores/token-store.ts'

/**
 * What a token source needs of the world around it. One bag for all sources of an application, beside the options that
 * say which token.
 *
 * @example
 * ```ts
 * import { clientCredentials, type TokenSourceEnvironment } from 'mcp-bearer/client'
 *
 * const environment: TokenSourceEnvironment = { allowPrivateNetwork: true, timeout: 3000 }
 * const client = { id: 'my-agent', secret: process.env.CLIENT_SECRET! }
 * clientCredentials({ issuer: 'https://idp.internal', client }, environment)
 * ```
 */
export interface TokenSourceEnvironment {
  /** The time, in milliseconds since 1970. Default: the clock of this machine. */
  readonly clock?: Clock | undefined
  /**
   * Used for every request to an authorization server, and for metadata: for a proxy, or a certificate authority of
   * your own. It sees client secrets and tokens. Default: a request that connects to the very address that was checked
   * (Node), or the global `fetch`.
   */
  readonly fetch?: FetchLike | undefined
  /** Where warnings go. Default: one line to standard error. */
  readonly logger?: Logger | undefined
  /** Also reach private addresses (RFC 1918, RFC 6598, RFC 4193) that the options name: for an issuer inside. Default: false. */
  readonly allowPrivateNetwork?: boolean | undefined
  /** Milliseconds for one request, the last byte of the answer included; 1 to 300,000. Default: 10,000. */
  readonly timeout?: number | undefined
  /**
   * Where `clientCredentials` and `refreshToken` keep their tokens, for the next start and for other processes. What
   * other sources get depends on whose assertion they were given, and is never stored. Default: in memory.
   */
  readonly store?: TokenStore | undefined
}

/** The bag with nothing left open; what reports never throws. */
export interface TokenWorld extends Reach {
  readonly clock: Clock
  /** Of each event one line a minute. */
  readonly log: Logger
  readonly timeout: number
  readonly store: TokenStore | undefined
}

const names = [
  'clock',
  'fetch',
  'logger',
  'allowPrivateNetwork',
  'timeout',
  'store',
] as const satisfies readonly (keyof TokenSourceEnvironment)[]

/** @throws TypeError naming the member that is unknown or of the wrong type */
export function readTokenEnvironment(owner: string, given: TokenSourceEnvironment = {}): TokenWorld {
  checkOptions(owner, given, names)
  const { clock = systemClock, fetch, logger = stderrLogger, store } = given
  for (const name of ['clock', 'fetch', 'logger'] as const) {
    if (given[name] !== undefined && typeof given[name] !== 'function') {
      throw new TypeError(`${owner}: ${name} must be a function`)
    }
  }
  const { allowPrivateNetwork = false, timeout = 10_000 } = given
  if (typeof allowPrivateNetwork !== 'boolean') {
    throw new TypeError(`${owner}: allowPrivateNetwork must be true or false`)
  }
  if (store !== undefined && !isStore(store)) {
    throw new TypeError(`${owner}: store must be a TokenStore, with the methods load, save and exclusive`)
  }
  const custom =
    fetch && ((url: string | URL | Request, init?: RequestInit) => fetch(url as string | URL, init))
  return {
    clock,
    log: throttled(unfailing(logger), clock),
    allowPrivateNetwork,
    timeout: numberBetween(`${owner}: timeout`, timeout, 1, 300_000),
    store,
    fetchWithin: (trust) => guardedFetch(trust, custom),
  }
}

function isStore(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { load, save, exclusive } = value as Record<string, unknown>
  return [load, save, exclusive].every((method) => typeof method === 'function')
}
