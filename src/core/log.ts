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
