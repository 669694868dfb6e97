import { maxTokenLength } from '../../../core/authorization.ts'
import { readToken, type TokenReading } from '../../token/reading.ts'

/** What a text is when it is read as a token, for the line below the box. Holds nothing of the text itself. */
export interface TokenWords {
  /** One or two sentences. */
  readonly headline: string
  /** What to know of it, a sentence each. */
  readonly advice: readonly string[]
  /** What a server would likely say against it, a sentence each. */
  readonly warnings: readonly string[]
  /** Why it cannot be sent at all. */
  readonly problem: string | undefined
}

/**
 * Says what a text is before it is used.
 *
 * @param text as `cleanToken` leaves it
 * @param now milliseconds since 1970
 */
export function tokenWords(text: string, now: number): TokenWords {
  const reading = readToken(text, now)
  return {
    headline: text === '' ? '' : headlineOf(reading, now),
    ...(reading.kind === 'placeholder'
      ? { advice: [], warnings: reading.advice }
      : { advice: reading.advice, warnings: reading.warnings }),
    problem: problemOf(text),
  }
}

function problemOf(text: string): string | undefined {
  if (text.length > maxTokenLength) return `It cannot be sent: it has more than ${maxTokenLength} characters.`
  return /^[\x21-\x7e]*$/.test(text)
    ? undefined
    : 'It cannot be sent: it has blanks or characters that no header can carry.'
}

function headlineOf(reading: TokenReading, now: number): string {
  const { kind, headline, times } = reading
  if (kind !== 'jwt' || times?.exp === undefined) return headline
  const { date, words } = times.exp
  return date.getTime() <= now ? `A JWT that expired ${words}.` : `A JWT that expires ${words}.`
}
