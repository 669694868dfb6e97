/** Calls `run` every so many milliseconds, until the function it gives back is called. */
export type Schedule = (run: () => void, everyMs: number) => () => void

/** A {@link Schedule} of `setInterval` that keeps no process alive. */
export const interval: Schedule = (run, everyMs) => {
  const timer = setInterval(run, everyMs)
  timer.unref?.()
  return () => clearInterval(timer)
}
