import { type Clock, systemClock } from '../core/clock.ts'
import { type Logger, stderrLogger } from '../core/log.ts'
import { checkOptions } from '../core/options.ts'
import type { RefusalReason } from './refusal.ts'

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
 *   onRefused: (reason) => refusals.set(reason, (refusals.get(reason) ?? 0) + 1),
 * }
 * jwtVerifier({ jwksUri: 'https://idp.example.com/jwks', issuer: 'https://idp.example.com' }, environment)
 * ```
 */
export interface VerifierEnvironment {
  /** The time, in milliseconds since 1970. Default: the clock of this machine. */
  readonly clock?: Clock
  /** Where warnings go, never one for each refused token. Default: one line to standard error. */
  readonly logger?: Logger
  /** Used for every request a verifier makes: for a proxy, or a certificate authority of your own. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Called once for each refused token, with the reason and nothing of the token. What it throws is dropped. */
  readonly onRefused?: (reason: RefusalReason) => void
}

/** The bag with nothing left open; `log` and `refused` never throw. */
export interface Environment {
  readonly clock: Clock
  readonly fetch: typeof globalThis.fetch
  readonly log: Logger
  readonly refused: (reason: RefusalReason) => void
}

/** @throws TypeError naming the member that is unknown or no function */
export function readEnvironment(owner: string, given: VerifierEnvironment = {}): Environment {
  const names = ['clock', 'logger', 'fetch', 'onRefused'] as const
  checkOptions(owner, given, names)
  for (const name of names) {
    if (given[name] !== undefined && typeof given[name] !== 'function') {
      throw new TypeError(`${owner}: ${name} must be a function`)
    }
  }
  return {
    clock: given.clock ?? systemClock,
    // Looked up when used, and called as a member: some runtimes refuse a detached fetch.
    fetch: given.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    log: unfailing(given.logger ?? stderrLogger),
    refused: unfailing(given.onRefused),
  }
}

/** A reporter that fails must not turn a verdict into an error. */
function unfailing<T>(report: ((value: T) => void) | undefined): (value: T) => void {
  if (report === undefined) return () => {}
  return (value) => {
    try {
      report(value)
    } catch {
      // Nobody is left to tell.
    }
  }
}
