import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { CopyButton } from '../ui/copy-button.tsx'
import { keepOpen } from './keep-open.ts'

/**
 * A key that was just made, which can be seen this once. Masked until somebody wants to see it; while it is masked, it is
 * not in the document. Escape does not close it: whoever pressed it by mistake would have lost the key.
 *
 * @param onStored is told that the key was put into its place
 */
export function ShownKey({
  secret,
  onStored,
}: {
  readonly secret: string
  readonly onStored: () => void
}): JSX.Element {
  const isShown = useSignal(false)
  const start = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    start.current?.focus()
    return keepOpen(start.current?.closest('dialog'), stillHere)
  }, [])
  return (
    <div class="stack">
      <p ref={start} tabIndex={-1}>
        This is the only time the key can be seen: nobody keeps it, not even the server. Copy it to where it
        is needed.
      </p>
      <p class="secret">
        <code>{isShown.value ? secret : masked(secret)}</code>
      </p>
      <div class="row">
        <CopyButton text={() => secret} label="Copy the key" />
        <button
          type="button"
          class="button"
          aria-pressed={isShown.value}
          onClick={() => {
            isShown.value = !isShown.value
          }}
        >
          Show
        </button>
      </div>
      <div class="row">
        <button type="button" class="button primary" onClick={onStored}>
          I have stored it
        </button>
      </div>
    </div>
  )
}

const stillHere = 'The key is still here. Press "I have stored it" when it is in its place.'

/** The public part of a key, and nothing of the rest. */
function masked(secret: string): string {
  return `${secret.slice(0, secret.lastIndexOf('_') + 1)}${'\u2022'.repeat(12)}`
}
