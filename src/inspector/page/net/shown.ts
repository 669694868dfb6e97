import { knownSecrets } from './known-secrets.ts'
import { shownText } from './redact-entry.ts'

/** Words of somebody else as they may be shown: whoever answers may say a token again. */
export function shown(text: string): string {
  return shownText(text, knownSecrets(), true)
}
