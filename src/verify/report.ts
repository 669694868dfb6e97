import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/log.ts'
import { redact, secretsOf } from '../core/redact.ts'
import { redacted } from '../core/redacted.ts'
import type { Environment } from './environment.ts'
import { explanations, type RefusalReason, type TokenRefusal } from './refusal.ts'

/** What was compared, where it helps the operator. */
export type Comparison = Pick<TokenRefusal, 'expected' | 'found' | 'hint'>

/** Finds out what was compared. Called when somebody listens, never on the path of a refusal nobody asks about. */
export type Compare = (reason: RefusalReason, token: string) => Comparison

/** Tells the operator of refused tokens: each one to the hook, and of each kind one a minute to the log. */
export type Reporter = (reason: RefusalReason, token: string, comparison?: Comparison) => void

/** Makes the {@link Reporter} of a verifier. */
export function refusalReporter(
  { clock, log, onRefused }: Pick<Environment, 'clock' | 'log' | 'onRefused'>,
  compare: Compare = () => nothing,
): Reporter {
  const line = throttledLog(clock, log)
  return (reason, token, comparison) => {
    const isDue = line.isDue(reason)
    if (!isDue && onRefused === undefined) return
    const refusal = refusalOf(reason, comparison ?? compare(reason, token), token)
    if (isDue) line.write(refusal)
    onRefused?.(refusal)
  }
}

const nothing: Comparison = Object.freeze({})
/** Characters of a value that are shown. */
const shownLength = 200
/** Characters of a value that are read: to look for credentials in all that a token can hold takes long. */
const readLength = 1000
/** More characters than a credential has that is not recognised by how it begins. */
const credentialLength = 100

/** A refusal with everything an operator is told of it, and nothing of the token itself. */
export function refusalOf(
  reason: RefusalReason,
  { expected, found, hint }: Comparison,
  token: string,
): TokenRefusal {
  return Object.freeze({
    reason,
    ...explanations[reason],
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found: shown(found, secretsOf(token)) }),
    ...(hint !== undefined && { hint }),
  })
}

/** Somebody else's words, fit for a log: without credentials, of a sensible length, and with nothing in them that cannot be seen. */
export function shown(text: string, secrets: readonly string[] = []): string {
  const rest = secrets.reduce((left, secret) => left.replaceAll(secret, redacted), text)
  const clean = redact(rest.slice(0, readLength)).replace(unseen, escaped)
  // Where reading ended, half a credential may stand, which nobody can tell from other words.
  const end = rest.length > readLength ? Math.max(0, clean.length - credentialLength) : clean.length
  if (end === clean.length && end <= shownLength) return clean
  // Not in the middle of a character that is written as two.
  return `${clean.slice(0, Math.min(end, shownLength)).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** Line breaks and other controls, direction marks, blanks that are no space, halves of characters. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}

/** Milliseconds between two lines of one reason. */
const pause = 60_000

/** An attacker must not fill the disk: one line a minute for each reason, which says how many were left out. */
function throttledLog(clock: Clock, log: Logger) {
  const last = new Map<RefusalReason, { at: number; omitted: number }>()
  return {
    isDue(reason: RefusalReason): boolean {
      const known = last.get(reason)
      if (known === undefined || Math.abs(clock() - known.at) >= pause) return true
      known.omitted += 1
      return false
    },
    write({ reason, message, remedy, expected, found, hint }: TokenRefusal): void {
      const omitted = last.get(reason)?.omitted || undefined
      last.set(reason, { at: clock(), omitted: 0 })
      log({
        level: 'warn',
        event: 'token_refused',
        message: `${message} ${remedy}`,
        details: { reason, expected, found, hint, omitted },
      })
    },
  }
}
