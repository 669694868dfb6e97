import { readBearerChallenge } from '../../../core/index.ts'
import { type Refusal, refusal, token } from '../state.ts'
import type { Purpose } from './log-entry.ts'

/** So long a body is shown beside a refusal, in characters. */
const longestBody = 2000

/** What counts for what the server said of the credential. */
export interface Answered {
  readonly purpose: Purpose
  /** The token that was sent in the usual way; empty: none. */
  readonly token: string
  /** Whether the request carried a credential of its own making, as those of a probe do. */
  readonly isOdd: boolean
  readonly status: number
  /** `WWW-Authenticate`; `null` when there was none. */
  readonly header: string | null
}

/**
 * Keeps what the server last said of the credential that the page holds. What it says of another one, of none while there
 * is one, or of the deliberate nonsense of a probe, is no news.
 *
 * @param clean takes tokens out of a text
 * @returns what completes it when the body is there; `undefined` when it was no refusal
 */
export function noteAnswer(
  { purpose, token: sent, isOdd, status, header }: Answered,
  clean: (text: string) => string,
): ((body: string) => void) | undefined {
  if (isOdd || purpose === 'catalogue' || sent !== token.peek()) return undefined
  const isRefusal = status === 401 || status === 403 || (status === 400 && header !== null)
  if (!isRefusal) {
    if (purpose !== 'probe' && status >= 200 && status < 300) refusal.value = undefined
    return undefined
  }
  if (purpose === 'probe' && status !== 401) return undefined
  const shown = clean(header ?? '')
  const noted: Refusal = {
    status,
    withToken: sent !== '',
    header: shown,
    challenge: readBearerChallenge(shown),
    body: '',
  }
  refusal.value = noted
  return (body) => {
    if (refusal.peek() === noted && body.length <= longestBody) refusal.value = { ...noted, body }
  }
}
