import { secretsOf } from '../../../core/index.ts'
import { onTokenChange, token } from '../state.ts'
import { sessionSecret } from './session.ts'

/**
 * The tokens that were used since the last "Forget": a server may say an old one again, and nothing may show it. In memory
 * only, and only until then.
 */
const used = new Set<string>()

onTokenChange(() => {
  const now = token.peek()
  if (now === '') used.clear()
  else used.add(now)
})

/** Whether a credential may still be sent: after "Forget" nothing leaves with what was forgotten. */
export function isHeld(credential: string): boolean {
  return used.has(credential) || credential === sessionSecret()
}

/** What must not be seen: every token of the session with its parts, and what opens the program that serves the page. */
export function knownSecrets(): readonly string[] {
  const session = sessionSecret()
  return [...new Set([...used].flatMap(secretsOf)), ...(session === undefined ? [] : [session])]
}

/** The tokens with those of their parts that are secret: many JWTs begin alike. */
export function knownTokens(): readonly string[] {
  return [...used].flatMap((one) =>
    secretsOf(one).filter((part) => part === one || !part.startsWith('eyJ') || !one.startsWith(part)),
  )
}
