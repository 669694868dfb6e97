import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { announce } from './announcer.tsx'

/**
 * A button that copies a text.
 *
 * @param text or what makes it when the button is pressed
 * @param label what is copied, for screen readers: `Copy the answer`
 */
export function CopyButton({
  text,
  label,
  caption = 'Copy',
}: {
  readonly text: string | (() => string)
  readonly label: string
  readonly caption?: string
}): JSX.Element {
  const state = useSignal<'ready' | 'copied' | 'failed'>('ready')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? text() : text)
      state.value = 'copied'
      announce('Copied')
    } catch {
      state.value = 'failed'
      announce('The browser did not let this page copy.')
    }
  }
  const words = { ready: caption, copied: 'Copied', failed: 'Not copied' }[state.value]
  return (
    <button
      type="button"
      class="button"
      // The name holds what is seen (WCAG 2.2, 2.5.3).
      aria-label={state.value === 'ready' ? nameOf(caption, label) : words}
      onClick={() => void copy()}
      onBlur={() => {
        state.value = 'ready'
      }}
    >
      {words}
    </button>
  )
}

function nameOf(caption: string, label: string): string {
  return label.toLowerCase().startsWith(caption.toLowerCase()) ? label : `${caption}: ${label}`
}
