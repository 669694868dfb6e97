import type { Clock } from '../core/clock.ts'
import { StatusError } from './fetch-json.ts'

/** Keeps a server that fails from being asked again and again. */
export interface BackOff {
  /** Failures since the last success. */
  readonly failures: number
  /** Milliseconds until the next attempt is due; 0 when it is. */
  wait(): number
  succeeded(): void
  /** @param error a {@link StatusError} may say for how long */
  failed(error: unknown): void
}

const firstPause = 1000
const longestPause = 60_000
/** Up to a quarter less, so that many servers do not return at the same moment. */
const jitter = 0.25

/**
 * A pause that doubles with each failure, from one second to one minute (RFC 9110 section 10.2.3 for what the server
 * asks for).
 * @param patience failures in a row that are forgiven
 */
export function backOff(clock: Clock, patience = 0): BackOff {
  let failures = 0
  let retryAt = 0
  return {
    get failures() {
      return failures
    },
    wait: () => Math.max(0, retryAt - clock()),
    succeeded() {
      failures = 0
      retryAt = 0
    },
    failed(error) {
      failures += 1
      const counted = failures - patience
      const ours = counted < 1 ? 0 : firstPause * 2 ** (counted - 1) * (1 - jitter * Math.random())
      const theirs = error instanceof StatusError ? error.retryAfter * 1000 : 0
      retryAt = clock() + Math.min(longestPause, Math.max(ours, theirs))
    },
  }
}
