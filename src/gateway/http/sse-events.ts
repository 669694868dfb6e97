import { StringDecoder } from 'node:string_decoder'

/** Puts events together out of the pieces in which they arrive. */
export interface EventReader {
  /**
   * @returns the events that are complete now, one after the other, each with the empty line that ends it; an empty text
   *   when none is. `undefined` when one is longer than it may be: then nothing more can be read
   */
  read(bytes: Buffer): string | undefined
}

/**
 * Makes an {@link EventReader} (WHATWG HTML "Parsing an event stream"). Lines may end in CR, LF or both; behind it they all
 * end in LF, so that every reader finds the same lines. Bytes that are no UTF-8 become U+FFFD, as the standard has it.
 * What has no empty line behind it when the stream ends is no event.
 *
 * @param maxEventBytes of one event. In characters it may be as many, and never more
 */
export function eventReader(maxEventBytes: number): EventReader {
  return new OneReader(maxEventBytes)
}

/** What a piece counts at least, in characters: an event that comes byte by byte takes more than its bytes. */
const smallestPiece = 64

/** A class, because there is one for each stream. */
class OneReader implements EventReader {
  readonly #max: number
  readonly #decoder = new StringDecoder('utf8')
  /** The beginning of an event. Joined once, when its end is there: to append to it each time would be quadratic. */
  #pieces: string[] = []
  #size = 0
  #isFirst = true
  #afterReturn = false

  constructor(maxEventBytes: number) {
    this.#max = maxEventBytes
  }

  read(bytes: Buffer): string | undefined {
    const text = this.#linesOf(this.#decoder.write(bytes))
    const end = this.#endOf(text)
    if (end === 0) return this.#keep(text) ? '' : undefined
    const isWhole = this.#size === 0 && end === text.length
    const events = isWhole ? text : this.#join(text.slice(0, end))
    this.#size = 0
    if (!this.#keep(text.slice(end))) return undefined
    return events.length > this.#max && longestIn(events) > this.#max ? undefined : events
  }

  #linesOf(decoded: string): string {
    let text = decoded
    if (this.#isFirst && text !== '') {
      this.#isFirst = false
      if (text.startsWith('\uFEFF')) text = text.slice(1)
    }
    // Most servers never write one.
    if (!this.#afterReturn && !text.includes('\r')) return text
    if (text === '') return text
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1)
    this.#afterReturn = decoded.endsWith('\r')
    return text.replace(/\r\n?/g, '\n')
  }

  /** Where the last event ends that is complete; 0 when none is. */
  #endOf(text: string): number {
    const at = text.lastIndexOf('\n\n')
    if (at !== -1) return at + 2
    // The two line ends came one by one.
    return text.startsWith('\n') && this.#pieces.at(-1)?.endsWith('\n') ? 1 : 0
  }

  #join(last: string): string {
    const whole = this.#pieces.length === 0 ? last : this.#pieces.join('') + last
    this.#pieces = []
    return whole
  }

  #keep(text: string): boolean {
    if (text === '') return true
    this.#pieces.push(text)
    // However small, it takes its place.
    this.#size += Math.max(text.length, smallestPiece)
    return this.#size <= this.#max
  }
}

function longestIn(events: string): number {
  return events.split('\n\n').reduce((most, { length }) => Math.max(most, length), 0)
}

/** An event, taken apart. */
export interface ServerEvent {
  /** Everything but its data: what the event is called, its id, the time to wait before a reader comes back. Whole lines. */
  readonly head: string
  /** `undefined` when there is none: nobody is told of such an event. */
  readonly data: string | undefined
}

/** Takes apart what an {@link EventReader} gives. Comments are left out. */
export function eventsIn(text: string): ServerEvent[] {
  return text.split(/\n\n+/).flatMap((event) => (event === '' ? [] : [eventOf(event)]))
}

function eventOf(text: string): ServerEvent {
  let head = ''
  let data: string | undefined
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    if (name === 'data') data = (data === undefined ? '' : `${data}\n`) + valueIn(line, colon)
    else if (name === 'event' || name === 'id' || name === 'retry')
      head += `${name}: ${valueIn(line, colon)}\n`
  }
  return { head, data }
}

function valueIn(line: string, colon: number): string {
  if (colon === -1) return ''
  return line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
}
