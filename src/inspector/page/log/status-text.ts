import type { LogEntry } from '../net/log-entry.ts'
import type { Tone } from '../ui/badge.tsx'

/** What became of a request, in a word that needs no colour. */
export interface StatusText {
  readonly text: string
  readonly tone: Tone | undefined
}

/** The words of the statuses that matter here (RFC 9110 section 15, RFC 6585). */
const words: ReadonlyMap<number, string> = new Map([
  [200, 'OK'],
  [202, 'Accepted'],
  [204, 'No content'],
  [301, 'Moved'],
  [302, 'Found'],
  [304, 'Not modified'],
  [307, 'Redirect'],
  [308, 'Redirect'],
  [400, 'Bad request'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not found'],
  [405, 'Method not allowed'],
  [406, 'Not acceptable'],
  [413, 'Too large'],
  [415, 'Wrong media type'],
  [429, 'Too many requests'],
  [500, 'Server error'],
  [502, 'Bad gateway'],
  [503, 'Unavailable'],
])

/** A status with its word. */
export function statusWords(status: number): string {
  const word = words.get(status)
  return word === undefined ? String(status) : `${status} ${word}`
}

/** What became of a request of the log. */
export function statusOf({ status, problem }: LogEntry): StatusText {
  if (status === undefined) {
    return problem === undefined ? { text: 'waiting', tone: undefined } : { text: 'no answer', tone: 'bad' }
  }
  const text = statusWords(status)
  if (problem !== undefined) return { text: `${text}, broke off`, tone: 'bad' }
  if (status >= 400) return { text, tone: 'bad' }
  return { text, tone: status >= 300 ? 'warn' : 'good' }
}
