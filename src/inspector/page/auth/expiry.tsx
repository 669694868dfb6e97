import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { systemClock } from '../../../core/clock.ts'
import { announce } from '../ui/announcer.tsx'
import { expiryWords, saidBetween } from './expiry-words.ts'

/** How long something is still good, counted down; said aloud only when it matters. */
export function Expiry({ at }: { readonly at: Date }): JSX.Element {
  const end = at.getTime()
  const left = useSignal(end - systemClock())
  useEffect(() => {
    const tick = () => {
      const now = end - systemClock()
      const said = saidBetween(left.peek(), now)
      left.value = now
      if (said !== undefined) announce(said)
    }
    tick()
    const timer = setInterval(tick, 1000)
    return () => clearInterval(timer)
  }, [end])
  return (
    <time dateTime={at.toISOString()} class={left.value <= 0 ? 'over' : undefined}>
      {left.value <= 0 ? 'expired' : 'expires'} {expiryWords(left.value)}
    </time>
  )
}
