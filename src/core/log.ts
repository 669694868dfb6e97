import type { Clock } from './clock.ts'
import { redact } from './redact.ts'

/** One line of the operator's log. Fields never hold a token; texts in them are redacted again when written. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  /** What happened, as a stable word: `handler_failed`, `audience_unchecked`, … */
  readonly event: string
  /** One sentence for a person, saying what to do if something can be done. */
  readonly message: string
  /** More, as flat facts. */
  readonly details?: Readonly<Record<string, string | number | boolean | undefined>>
}

/** Where log lines go. Must not throw; what it throws is dropped. */
export type Logger = (entry: LogEntry) => void

/** One line of text for an entry: every credential taken out, no control character that could forge a line. */
export function formatLogEntry({ level, event, message, details = {} }: LogEntry): string {
  const facts = Object.entries(details).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quote(value)}`],
  )
  return redact(['mcp-bearer', level, event, quote(message), ...facts].join(' ')).replace(
    /[\p{Cc}\p{Zl}\p{Zp}]+/gu,
    ' ',
  )
}

function quote(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  // Before it is escaped: `Bearer`, a tab and a token look different afterwards.
  const clean = redact(value)
  return /^[\w.:/@-]+$/.test(clean) ? clean : JSON.stringify(clean)
}

/**
 * The default {@link Logger}: one line to standard error, never standard output, which belongs to the protocol on
 * stdio. The one place in `core` that reaches outside; every room needs a default to report to.
 */
export const stderrLogger: Logger = (entry) => {
  if (entry.level === 'info') return
  globalThis.process?.stderr?.write(`${formatLogEntry(entry)}\n`)
}

/**
 * A logger that never fails: a log that does must not fail the request it tells of.
 * @throws TypeError when it is no function
 */
export function unfailing(logger: Logger): Logger {
  if (typeof logger !== 'function') throw new TypeError('logger must be a function that takes a log entry')
  return (entry) => {
    try {
      const pending: unknown = logger(entry)
      if (pending instanceof Promise) pending.catch(() => {})
    } catch {
      // Nowhere left to tell it.
    }
  }
}

/** Milliseconds between two lines of one kind. */
const silence = 60_000

/**
 * A logger for what every request may cause: of each event one line a minute, which says how many were left out. Nobody
 * must be able to fill a disk by asking often.
 */
export function throttled(log: Logger, clock: Clock): Logger {
  const last = new Map<string, { readonly at: number; omitted: number }>()
  return (entry) => {
    const now = clock()
    const known = last.get(entry.event)
    // A clock that is set back must not silence it for longer.
    if (known !== undefined && Math.abs(now - known.at) < silence) {
      known.omitted += 1
      return
    }
    last.set(entry.event, { at: now, omitted: 0 })
    const omitted = known?.omitted || undefined
    log(omitted === undefined ? entry : { ...entry, details: { ...entry.details, omitted } })
  }
}
