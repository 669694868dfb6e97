import type { Clock } from '../../core/index.ts'

/** What `Retry-After` says, in seconds (RFC 9110 section 10.2.3): a number of them, or a date. */
export function secondsToWait(value: string | null, clock: Clock): number | undefined {
  if (value === null) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value)
  const until = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(until) ? undefined : Math.max(0, Math.ceil((until - clock()) / 1000))
}

/** Waits, unless the caller gives up: then it throws the reason. Leaves no timer behind. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop: () => void = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      stop = () => reject(signal?.reason)
      timer = setTimeout(resolve, milliseconds)
      signal?.addEventListener('abort', stop, { once: true })
    })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}
