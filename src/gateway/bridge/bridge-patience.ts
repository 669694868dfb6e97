import { pause } from '../../client/fetch/retry-after.ts'
import { stopwatch } from '../../core/clock.ts'

/** Milliseconds before the second attempt, doubled for each further one. */
const shortest = 100
const longest = 2_000

/** How long a server that cannot be reached is tried again. */
export interface Patience {
  /** Milliseconds. */
  readonly ms: number
  /** Ends it: what fails from now on has failed. */
  readonly over: AbortSignal
}

/**
 * Does something that may be done again when it has failed in a certain way, with growing pauses, for so long in total:
 * a server that is restarted is back in a moment.
 *
 * @param mayRepeat whether the failure allows another attempt
 * @throws the last failure; the reason of the signal
 */
export async function patiently<T>(
  work: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean,
  { ms, over }: Patience,
  signal: AbortSignal,
): Promise<T> {
  const end = stopwatch() + ms
  let delay = shortest
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted || over.aborted || !mayRepeat(error) || stopwatch() + delay > end) throw error
      await pause(delay, AbortSignal.any([signal, over])).catch(() => {})
      signal.throwIfAborted()
      if (over.aborted) throw error
    }
    delay = Math.min(delay * 2, longest)
  }
}
