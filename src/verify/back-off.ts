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
 * asks for). What fails during a pause was under way before it, and is no new failure: many at once are one.
 */
export function backOff(clock: Clock): BackOff {
  let failures = 0
  let since = 0
  let length = 0
  const wait = () => {
    const passed = clock() - since
    // A clock that was set back must not make a long pause of a short one.
    return passed < 0 ? 0 : Math.max(0, length - passed)
  }
  return {
    get failures() {
      return failures
    },
    wait,
    succeeded() {
      failures = 0
      length = 0
    },
    failed(error) {
      if (wait() > 0) return
      failures += 1
      const ours = firstPause * 2 ** (failures - 1) * (1 - jitter * Math.random())
      const theirs = error instanceof StatusError ? error.retryAfter * 1000 : 0
      since = clock()
      length = Math.min(longestPause, Math.round(Math.max(ours, theirs)))
    },
  }
}
