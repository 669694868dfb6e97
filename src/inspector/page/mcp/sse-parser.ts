/** One event of a stream (WHATWG HTML, section 9.2.6 "Interpreting an event stream"). */
export interface SseEvent {
  /** `message` when the stream names none. */
  readonly event: string
  readonly data: string
  /** The last id the stream named up to here. */
  readonly id: string | undefined
}

/** Takes a stream in pieces, cut anywhere. */
export interface SseParser {
  /**
   * @returns the events that are complete now
   * @throws RangeError when an event becomes longer than the limit
   */
  feed(text: string): SseEvent[]
  /** Milliseconds the stream wants to be left alone before it is asked for again. */
  readonly retry: number | undefined
}

/** No event of a server that means well is longer; in UTF-16 units. */
export const longestEvent = 1_048_576

/** Reads event streams. An event that is not ended by an empty line is none, as the standard wants it. */
export function sseParser(longest: number = longestEvent): SseParser {
  const lines = lineReader(longest)
  let fields = emptyFields()
  let id: string | undefined
  let retry: number | undefined

  function take(name: string, value: string): void {
    if (name === 'data') fields.data.push(value)
    else if (name === 'event') fields.event = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d{1,15}$/.test(value)) retry = Number(value)
    fields.length += value.length
    if (fields.length > longest) throw tooLong()
  }

  function ended(): SseEvent[] {
    const { event, data } = fields
    fields = emptyFields()
    return data.length === 0 ? [] : [{ event: event || 'message', data: data.join('\n'), id }]
  }

  function read(line: string): SseEvent[] {
    if (line === '') return ended()
    const colon = line.indexOf(':')
    // A line that begins with a colon is a comment; it keeps connections alive.
    if (colon === -1) take(line, '')
    else if (colon > 0) take(line.slice(0, colon), line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1)))
    return []
  }

  return {
    feed: (text) => lines.feed(text).flatMap(read),
    get retry() {
      return retry
    },
  }
}

function emptyFields(): { event: string; data: string[]; length: number } {
  return { event: '', data: [], length: 0 }
}

function tooLong(): RangeError {
  return new RangeError('an event is too long')
}

/** Lines end with CRLF, LF or CR; a CRLF may be cut in two. */
function lineReader(longest: number): { feed(text: string): string[] } {
  let rest: string[] = []
  let restLength = 0
  let isFirst = true
  let wasReturn = false

  function lineOf(end: string): string {
    const line = rest.length === 0 ? end : rest.join('') + end
    rest = []
    restLength = 0
    // A byte order mark in front of everything is no text.
    const text = isFirst && line.startsWith('\uFEFF') ? line.slice(1) : line
    isFirst = false
    return text
  }

  return {
    feed(text) {
      const lines: string[] = []
      let from = wasReturn && text.startsWith('\n') ? 1 : 0
      if (text !== '') wasReturn = text.endsWith('\r')
      for (const { 0: end, index } of text.matchAll(/\r\n|\n|\r/g)) {
        if (index < from) continue
        lines.push(lineOf(text.slice(from, index)))
        from = index + end.length
      }
      const last = text.slice(from)
      if (last !== '') rest.push(last)
      restLength += last.length
      if (restLength > longest) throw tooLong()
      return lines
    },
  }
}
