import { announce } from '../ui/announcer.tsx'

/**
 * Escape does not close a dialog from now on: with it a key would be lost that nobody has stored. Chromium closes at the
 * second Escape whatever becomes of `cancel`, so the key itself is refused too.
 *
 * @param words why, for whoever tries
 * @returns what ends it
 */
export function keepOpen(dialog: HTMLDialogElement | null | undefined, words: string): () => void {
  const refuse = (event: Event) => {
    if (event instanceof KeyboardEvent && event.key !== 'Escape') return
    event.preventDefault()
    announce(words)
  }
  dialog?.addEventListener('cancel', refuse)
  dialog?.addEventListener('keydown', refuse)
  return () => {
    dialog?.removeEventListener('cancel', refuse)
    dialog?.removeEventListener('keydown', refuse)
  }
}
