import type { Clock } from '../../core/index.ts'

/** Keeps those whose processes crash from starting them over and over. */
export interface Backoff {
  /** How many milliseconds this one has to wait, and what happened last; `undefined` when it has not to. */
  pause(name: string): { readonly ms: number; readonly text: string } | undefined
  /** One of its processes ended that was not asked to, after so many milliseconds. */
  crashed(name: string, livedMs: number, text: string): void
  /** The last end of its processes was to be expected, and counts for nothing. */
  forgiven(name: string): void
}

interface Crashes {
  /** In a row. */
  readonly count: number
  /** No start before that. */
  readonly until: number
  readonly text: string
}

/** Milliseconds. A process that lives so long has begun well; nobody waits longer. */
const longest = 60_000
/** Milliseconds from the end of a wait until the crashes before it are forgotten. */
const memory = 300_000

/**
 * Counts crashes in a row. After the first one there is no wait, then 1 s, 2 s, 4 s and so on up to a minute; a process
 * that lived for a minute begins anew. Remembers a bounded number of names: who is forgotten does not wait.
 *
 * @param clock milliseconds; should not go back
 */
export function backoff(clock: Clock, maxNames = 10_000): Backoff {
  const crashes = new Map<string, Crashes>()

  return {
    pause(name) {
      const known = crashes.get(name)
      if (known === undefined) return undefined
      const ms = known.until - clock()
      // A clock that was set back must not hold anybody for longer.
      return ms > 0 && ms <= longest ? { ms, text: known.text } : undefined
    },
    crashed(name, livedMs, text) {
      const now = clock()
      const known = crashes.get(name)
      const isInRow = known !== undefined && livedMs < longest && now - known.until < memory
      const count = isInRow ? known.count + 1 : 1
      // The newest at the end, so that the oldest is forgotten.
      crashes.delete(name)
      const ms = count === 1 ? 0 : Math.min(longest, 1000 * 2 ** (count - 2))
      crashes.set(name, { count, until: now + ms, text })
      if (crashes.size > maxNames) crashes.delete(crashes.keys().next().value!)
    },
    forgiven(name) {
      const known = crashes.get(name)
      if (known === undefined) return
      if (known.count === 1) crashes.delete(name)
      else crashes.set(name, { ...known, count: known.count - 1, until: clock() })
    },
  }
}
