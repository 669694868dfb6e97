import type { ChildExit } from './child.ts'
import type { Process } from './child-process.ts'

/** How one process is being ended. */
export interface Stopping {
  readonly hasBegun: boolean
  /**
   * Begins to end it, once: by the end of its input, then by signals.
   * @param waitMs how long it may take to end by itself
   * @param problem why, when nobody asked for it
   */
  begin(waitMs: number, problem?: ChildExit['problem']): void
  /**
   * It has ended.
   * @returns the problem that made it
   */
  finish(): ChildExit['problem']
}

/** Milliseconds after SIGKILL until it is given up. */
const killedMs = 2000

/** Ends a process as MCP wants it ("Lifecycle", shutdown over stdio): its input, SIGTERM, SIGKILL, each after a while. */
export function stopping(server: Process, graceMs: number): Stopping {
  let timers: readonly NodeJS.Timeout[] = []
  let because: ChildExit['problem']
  let hasBegun = false
  let wasSignalled = false

  return {
    get hasBegun() {
      return hasBegun
    },
    begin(waitMs, problem) {
      if (hasBegun) return
      hasBegun = true
      because = problem
      server.input?.end()
      const terminate = () => {
        wasSignalled = true
        server.signal('SIGTERM')
      }
      const killAfter = waitMs + graceMs * 1.5
      timers = [
        setTimeout(terminate, waitMs),
        setTimeout(() => server.signal('SIGKILL'), killAfter),
        setTimeout(() => server.abandon(), killAfter + killedMs),
      ]
    },
    finish() {
      hasBegun = true
      for (const timer of timers) clearTimeout(timer)
      // Who closes its streams and ends by itself soon after has just ended.
      const hasClosed = because === 'stdin' || because === 'stdout'
      return hasClosed && !wasSignalled ? undefined : because
    },
  }
}
