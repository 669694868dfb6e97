import { signal } from '@preact/signals'
import type { JSX } from 'preact'

const last = signal<{ readonly text: string; readonly turn: number }>({ text: '', turn: 0 })

/** Has screen readers say a sentence when they are done with what they say: for what happens elsewhere than where one is. */
export function announce(text: string): void {
  last.value = { text, turn: last.peek().turn + 1 }
}

/** Where announcements stand (WCAG 2.2, 4.1.3). Once on a page. */
export function Announcer(): JSX.Element {
  const { text, turn } = last.value
  // The same sentence twice is no change of the text: a blank that is not seen makes it one.
  return (
    <p class="hidden" role="status" aria-live="polite" id="announcer">
      {turn % 2 === 0 ? text : `${text}\u00a0`}
    </p>
  )
}
