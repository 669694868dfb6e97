/** A body as it is best shown. */
export type BodyReading =
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'events'; readonly events: readonly StreamEvent[] }
  | { readonly kind: 'text'; readonly text: string }

/** One event of a stream (HTML, "Server-sent events"). */
export interface StreamEvent {
  readonly name: string
  readonly id: string | undefined
  readonly data: string
  /** The data, when it is JSON. */
  readonly value: unknown
}

/** So many events are shown, the first ones. */
const mostEvents = 100

/**
 * Reads a body for people.
 *
 * @param type the value of `Content-Type`; empty when there is none
 */
export function readBody(text: string, type: string): BodyReading {
  if (text === '') return { kind: 'empty' }
  if (/^text\/event-stream\b/i.test(type)) return { kind: 'events', events: eventsIn(text) }
  const value = /\bjson\b/i.test(type) || /^\s*[[{]/.test(text) ? jsonIn(text) : undefined
  return value === undefined ? { kind: 'text', text } : { kind: 'json', value }
}

function eventsIn(text: string): readonly StreamEvent[] {
  return text
    .replace(/\r\n?/g, '\n')
    .split(/\n{2,}/)
    .map(eventOf)
    .filter((event) => event !== undefined)
    .slice(0, mostEvents)
}

function eventOf(block: string): StreamEvent | undefined {
  const lines = block.split('\n').map(fieldOf)
  const data = lines.filter(([name]) => name === 'data').map(([, value]) => value)
  const last = (wanted: string) => lines.findLast(([name]) => name === wanted)?.[1]
  if (data.length === 0 && last('event') === undefined) return undefined
  const whole = data.join('\n')
  return { name: last('event') ?? 'message', id: last('id'), data: whole, value: jsonIn(whole) }
}

function fieldOf(line: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
  return [name, value]
}

function jsonIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
