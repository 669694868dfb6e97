import type { IncomingMessage } from 'node:http'
import { EventStream } from '../../server/reply.ts'
import { isRpcMessage } from '../message.ts'
import { type Passage, UpstreamError } from '../upstream.ts'
import type { HttpCall } from './http-call.ts'
import { eventReader, eventsIn, type ServerEvent } from './sse-events.ts'

/** How a stream is passed on. */
export interface StreamPassing {
  /** Of the answer to the caller. */
  readonly headers: Readonly<Record<string, string>>
  readonly maxEventBytes: number
  readonly review: Passage['review']
  /** The name of an event as its reader is told it. */
  readonly nameOf: (eventId: string) => string
  /** Told when the stream has to end because of what came over it. */
  readonly broken: (error: UpstreamError) => void
}

/**
 * Passes a stream on, event by event. It is read no faster than its reader takes it, and both ends close together: a
 * stream that is cut off ends there, without an event that the server did not send (MCP Streamable HTTP, "Resumability").
 */
export function passStream(call: HttpCall, answer: IncomingMessage, passing: StreamPassing): EventStream {
  const stream = new EventStream(passing.headers)
  const reader = eventReader(passing.maxEventBytes)
  const give = (text: string) => {
    if (text !== '' && !stream.raw(text)) answer.pause()
  }
  const fail = (error: UpstreamError) => {
    passing.broken(error)
    stream.end()
  }
  answer.on('data', (bytes: Buffer) => {
    if (!stream.isOpen) return
    const events = reader.read(bytes)
    if (events === undefined) return fail(tooLong(passing.maxEventBytes))
    try {
      give(passing.review ? reviewed(events, passing) : renamed(events, passing.nameOf))
    } catch (cause) {
      fail(new UpstreamError('broken', 'A message of the server could not be looked at.', { cause }))
    }
  })
  stream.onDrain = () => void answer.resume()
  // Its end says the same.
  answer.on('error', () => {})
  answer.once('close', () => stream.end())
  stream.onClose(() => call.cancel(new UpstreamError('broken', 'The stream was closed.')))
  return stream
}

function tooLong(maxBytes: number): UpstreamError {
  return new UpstreamError('broken', `An event of the server is longer than ${maxBytes} bytes.`)
}

/** The lines of an event that name it, and whatever stands before. The line end is LF. */
const idLine = /(^|\n)id(?:: ?([^\n]*))?(?=\n)/g

/** Most servers name no events. */
function renamed(events: string, nameOf: StreamPassing['nameOf']): string {
  if (!events.startsWith('id') && !events.includes('\nid')) return events
  return events.replace(idLine, (_line, before: string, id: string | undefined) =>
    idOf(id) === '' ? `${before}id` : `${before}id: ${nameOf(id!)}`,
  )
}

/** One that is empty says: none from here on. */
function idOf(id: string | undefined): string {
  return id ?? ''
}

function reviewed(events: string, passing: StreamPassing): string {
  return eventsIn(events)
    .map((event) => renamed(reviewedEvent(event, passing), passing.nameOf))
    .join('')
}

/** What is not a message cannot be looked at, and does not go on; neither does what the reader may not see. */
function reviewedEvent({ head, data }: ServerEvent, { review }: StreamPassing): string {
  if (data === undefined) return head === '' ? '' : `${head}\n`
  if (data === '') return `${head}data: \n\n`
  const message = messageIn(data)
  const seen = message && review!(message)
  // Its name stays: a reader that comes back begins behind it.
  if (seen === undefined) return head.includes('id') ? `${head}\n` : ''
  return `${head}data: ${JSON.stringify(seen)}\n\n`
}

function messageIn(data: string) {
  try {
    const value: unknown = JSON.parse(data)
    return isRpcMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}
