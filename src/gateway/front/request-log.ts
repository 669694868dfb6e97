import { redact } from '../../core/index.ts'
import type { RequestEntry } from '../request-entry.ts'

/** Characters of one text in a line; longer ones are cut. */
const longest = 256
const longestRead = 4096

/**
 * A request as one line of JSON, for a log: when it came as ISO 8601 in UTC, and the members of the {@link RequestEntry}.
 * Texts that came from a caller are cut at 256 characters; everything that looks like a credential is taken out, and
 * no control character is left that could forge a line or move the cursor of a terminal.
 *
 * @example
 * ```ts
 * import { type RequestSink, requestLine } from 'mcp-bearer/gateway'
 *
 * const onRequest: RequestSink = (entry) => process.stderr.write(`${requestLine(entry)}\n`)
 * ```
 */
export function requestLine(entry: RequestEntry): string {
  const { time, subject, client, method, target, outcome, status, ms } = entry
  return JSON.stringify({
    time: timeText(time),
    subject: shown(subject),
    client: shown(client),
    method: shown(method),
    target: shown(target),
    outcome: shown(outcome),
    status,
    ms,
  })
}

/** A clock may say anything, and a log must not fail over it. */
function timeText(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : new Date(0).toISOString()
}

/** Half a credential looks like none: what is too long to be looked at as a whole is not shown. */
function shown(text: string | undefined): string | undefined {
  if (text === undefined || plain.test(text)) return text
  if (text.length > longestRead) return '(too long)'
  const clean = redact(text).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean
}

/** Most texts are names, or the ids of keys, and so short that no credential fits in. */
const plain = /^[a-zA-Z0-9][a-zA-Z0-9/_]{0,15}$/
