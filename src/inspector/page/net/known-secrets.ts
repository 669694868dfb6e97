import { secretsOf } from '../../../core/index.ts'
import { onTokenChange, token } from '../state.ts'
import { sessionSecret } from './session.ts'

/**
 * The tokens that were sent since the last "Forget": a server may say an old one again, and the log must not show it. In
 * memory only, and only until then.
 */
const sent = new Set<string>()

onTokenChange(() => {
  if (token.peek() === '') sent.clear()
})

/** Has a token taken out of everything that is written down from now on. */
export function remember(value: string): void {
  if (value !== '') sent.add(value)
}

/** What must not be seen: every token of the session with its parts, and what opens the program that serves the page. */
export function knownSecrets(): readonly string[] {
  const session = sessionSecret()
  const current = token.peek()
  return [
    ...new Set([...sent, ...(current === '' ? [] : [current])].flatMap(secretsOf)),
    ...(session === undefined ? [] : [session]),
  ]
}
