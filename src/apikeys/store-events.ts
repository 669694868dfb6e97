import { stopwatch } from '../core/clock.ts'
import type { AuthEvent, EventSink } from '../core/events.ts'

/** Tells a sink, if there is one, and drops what it throws: who counts must not break what is counted. */
export function quietSink(onEvent: EventSink | undefined): EventSink {
  return (event) => {
    try {
      const pending: unknown = onEvent?.(event)
      if (pending instanceof Promise) pending.catch(() => {})
    } catch {
      // Nowhere to tell it.
    }
  }
}

/** Asks a database, and tells how that went. What throws where it should reject has rejected. */
export async function timed<T>(
  onEvent: EventSink,
  operation: Extract<AuthEvent, { type: 'store' }>['operation'],
  ask: () => Promise<T>,
): Promise<T> {
  const started = stopwatch()
  const tell = (result: 'ok' | 'failed') =>
    onEvent({ type: 'store', operation, result, seconds: (stopwatch() - started) / 1000 })
  try {
    const answer = await ask()
    tell('ok')
    return answer
  } catch (error) {
    tell('failed')
    throw error
  }
}

/** Does one thing at a time: who asks for it while it is being done gets the same result. */
export function oneAtATime<T>(work: () => Promise<T>): {
  (): Promise<T>
  readonly current: Promise<T> | undefined
} {
  let current: Promise<T> | undefined
  const run = () => {
    current ??= work().finally(() => {
      current = undefined
    })
    return current
  }
  return Object.defineProperty(run, 'current', { get: () => current }) as ReturnType<typeof oneAtATime<T>>
}
