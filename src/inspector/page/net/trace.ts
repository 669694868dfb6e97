import { stopwatch, systemClock } from '../../../core/clock.ts'
import { log, mostEntries } from '../state.ts'
import { knownSecrets } from './known-secrets.ts'
import type { HeaderLines, LogEntry, Purpose } from './log-entry.ts'
import { shownHeaders, shownText } from './redact-entry.ts'

/** So much of a body is kept, in characters. */
export const mostOfBody = 64 * 1024
/** Read beyond the limit before tokens are taken out, so that none is cut in two. */
const beyond = 32 * 1024
/** What comes in small pieces is written down in larger ones, in milliseconds. */
const pause = 100

/** A request that is about to be sent. */
export interface TracedMessage {
  readonly purpose: Purpose
  readonly method: string
  /** Path and query, as they are to be shown. */
  readonly path: string
  readonly headers: HeaderLines
  readonly body?: string | undefined
  /** What else must not be seen of it, beside the tokens of the session. */
  readonly secrets?: readonly string[]
}

/** The line of one request in the log, while it is being written. */
export interface Trace {
  /** The head of the answer is there. */
  head(status: number, headers: HeaderLines): void
  /** More of the body is there. */
  body(text: string): void
  /**
   * Nothing more comes, or nobody reads on.
   * @param isWhole whether all of the body was there
   * @returns the body as it is shown
   */
  end(isWhole: boolean): string
  /** It broke off, or there was no answer. */
  fail(problem: string): void
}

let count = 0

/** Writes a request into the log, and then what becomes of it. Whatever is written down went through redaction before. */
export function trace(message: TracedMessage): Trace {
  const { purpose, method, path, headers, body = undefined, secrets = [] } = message
  const hidden = () => [...knownSecrets(), ...secrets]
  const started = stopwatch()
  const id = ++count
  add({
    id,
    purpose,
    at: systemClock(),
    method,
    path: shownText(path, hidden(), true),
    requestHeaders: shownHeaders(headers, hidden()),
    requestBody: body === undefined ? undefined : shownText(body, hidden(), true).slice(0, mostOfBody),
    status: undefined,
    ms: undefined,
    responseHeaders: [],
    responseBody: '',
    isCut: false,
    isOpen: true,
    problem: undefined,
  })
  const text = collector((shown) => change(id, shown), hidden)
  return {
    head(status, answered) {
      change(id, {
        status,
        ms: Math.round(stopwatch() - started),
        responseHeaders: shownHeaders(answered, hidden()),
      })
    },
    body: text.add,
    end(isWhole) {
      const shown = text.end(isWhole)
      change(id, { ...shown, isOpen: false })
      return shown.responseBody
    },
    fail(problem) {
      change(id, { ...text.end(false), isOpen: false, problem: shownText(problem, hidden(), true) })
    },
  }
}

type ShownBody = Pick<LogEntry, 'responseBody' | 'isCut'>

/** Keeps the beginning of a body, and shows it now and then. */
function collector(show: (body: ShownBody) => void, secrets: () => readonly string[]) {
  let raw = ''
  let isCut = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const shown = (isWhole: boolean): ShownBody => {
    const text = shownText(raw, secrets(), isWhole && !isCut)
    return { responseBody: text.slice(0, mostOfBody), isCut: isCut || text.length > mostOfBody }
  }
  return {
    add(text: string) {
      if (isCut || text === '') return
      raw += text
      isCut = raw.length > mostOfBody + beyond
      raw = raw.slice(0, mostOfBody + beyond)
      timer ??= setTimeout(() => {
        timer = undefined
        show(shown(false))
      }, pause)
    },
    /** The last word; nothing of what came is kept here afterwards. */
    end(isWhole: boolean): ShownBody {
      clearTimeout(timer)
      const last = shown(isWhole)
      raw = ''
      return last
    },
  }
}

function add(entry: LogEntry): void {
  log.value = [...log.peek(), entry].slice(-mostEntries)
}

/** What is not in the log any more stays out of it. */
function change(id: number, changes: Partial<LogEntry>): void {
  const at = log.peek().findLastIndex((entry) => entry.id === id)
  const entry = log.peek()[at]
  if (entry) log.value = log.peek().with(at, { ...entry, ...changes })
}
