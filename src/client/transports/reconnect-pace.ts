import { stopwatch } from '../../core/clock.ts'

/** Milliseconds before a stream is asked for again, whatever the server's `retry:` says. */
const soonest = 100
const latest = 30_000
/** A stream that ends sooner than this has brought little. */
const brief = 2_000

/**
 * How long to wait before a stream is asked for again: as long as the server says, within bounds, and longer each time
 * while streams end soon after they began. Whoever closes each one at once would have us ask without a pause.
 *
 * @param elapsed default: {@link stopwatch}
 * @returns given the server's delay, the one to keep, both in milliseconds
 */
export function reconnectPace(elapsed: () => number = stopwatch): (delay: number) => number {
  let opened = Number.NEGATIVE_INFINITY
  let least = soonest
  return (delay) => {
    const now = elapsed()
    least = now - opened < brief ? Math.min(least * 2, brief) : soonest
    const pause = Math.min(Math.max(delay, least), latest)
    opened = now + pause
    return pause
  }
}
