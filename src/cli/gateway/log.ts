import { type LogEntry, type Logger, redact, systemClock } from '../../core/index.ts'
import { requestLine } from '../../gateway/front/request-log.ts'
import type { RequestEntry, RequestSink } from '../../gateway/request-entry.ts'
import { printableJson, printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** How a gateway tells what happens: one line for each thing, to standard error. */
export interface GatewayLog {
  readonly kind: 'text' | 'json'
  readonly onRequest: RequestSink
  readonly logger: Logger
}

/** @param kind `text` for people, `json` for programs */
export function gatewayLog(kind: 'text' | 'json', { note }: Terminal): GatewayLog {
  if (kind === 'text') {
    return {
      kind,
      onRequest: (entry) => note(requestText(entry)),
      logger: (entry) => note(entryText(entry)),
    }
  }
  return {
    kind,
    onRequest: (entry) => note(requestLine(entry)),
    logger: (entry) => note(entryJson(entry)),
  }
}

/** `17:43:05  200     12 ms  tools/call echo           alice` */
function requestText({ time, status, method, target, subject, client, outcome, ms }: RequestEntry): string {
  const what = target === undefined ? method : `${method} ${target}`
  const who = subject ?? client
  return [
    clockText(time),
    String(status).padStart(3),
    `${Math.round(ms)} ms`.padStart(8),
    shown(what, 120).padEnd(usualWidth),
    ...(who === undefined ? [] : [shown(who, 80)]),
    ...(outcome === 'ok' ? [] : [shown(outcome, 80)]),
  ]
    .join('  ')
    .trimEnd()
}

/** Most of what is asked is shorter, so that the names behind it stand below each other. */
const usualWidth = 24

/** Of a day people remember; the zone is theirs. */
function clockText(time: number): string {
  return new Date(time).toTimeString().slice(0, 8)
}

function entryText({ level, event, message, details = {} }: LogEntry): string {
  if (event === 'child_stderr') return `  | ${shown(message, longest)}`
  const facts = Object.entries(details).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${typeof value === 'string' ? redact(value) : value}`],
  )
  const kind = level === 'info' ? '' : level === 'warn' ? 'warning: ' : 'error: '
  const more = facts.length === 0 ? '' : ` (${printableLine(facts.join(', '), longest)})`
  return `mcp-bearer: ${kind}${shown(message, longest)}${more}`
}

/** Of half a credential nobody could tell that it is one: first it is taken out, then the rest is cut. */
function shown(text: string, most: number): string {
  return printableLine(redact(text), most)
}

function entryJson({ level, event, message, details = {} }: LogEntry): string {
  const facts = Object.entries(details).map(([name, value]) => [
    name,
    typeof value === 'string' ? shown(value, longest) : value,
  ])
  const line = {
    time: new Date(systemClock()).toISOString(),
    level,
    event,
    message: shown(message, longest),
    ...(facts.length > 0 && { details: Object.fromEntries(facts) as object }),
  }
  return printableJson(line, 0)
}

/** Characters of one text. */
const longest = 4096
