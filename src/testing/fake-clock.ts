/** A clock that stands still until it is told to go on. */
export interface FakeClock {
  /** The time in milliseconds since 1970. Give it wherever a `clock` is taken. */
  (): number
  /** Lets time pass, in milliseconds. */
  advance(milliseconds: number): void
}

/**
 * Makes a {@link FakeClock}, for tests of what expires.
 *
 * @param start milliseconds since 1970. Default: 2026-01-01T00:00Z
 *
 * @example
 * ```ts
 * import { functionToken } from 'mcp-bearer/client'
 * import { fakeClock } from 'mcp-bearer/testing'
 *
 * const clock = fakeClock()
 * const source = functionToken(() => ({ token: 'sk-abc123', expiresIn: 60 }), { clock })
 * clock.advance(55_000)
 * ```
 */
export function fakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start
  return Object.assign(() => now, {
    advance(milliseconds: number) {
      now += milliseconds
    },
  })
}
