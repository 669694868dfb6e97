import type { Server } from '../fetch/server.ts'

/** Bytes of one message, as JSON or as an event: a result with pictures in it fits, and memory is not filled. */
export const longestMessage = 64 * 1024 * 1024

/**
 * A good answer as far as MCP reads it. A server can hold nobody up, or fill the memory, with a body that never ends:
 *
 * - JSON, and each event of an event stream, is bounded; then the body fails with a `TypeError`.
 * - Any other body says nothing, and is given up. MCP has no answer of that kind.
 *
 * @param bytes the bound. Default: {@link longestMessage}
 */
export function limitAnswer(response: Response, server: Server, bytes = longestMessage): Response {
  const { body, status, headers } = response
  if (body === null || !response.ok) return response
  const type = (headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  const isStream = type === 'text/event-stream'
  if (status === 202 || (!isStream && type !== 'application/json')) {
    body.cancel().catch(() => {})
    return new Response(null, { status, headers: withType(headers, common.has(type) ? type : 'unknown') })
  }
  // Of a length that is told, the runtime takes no more; of one that is packed, it is another one.
  const length = headers.get('content-length')
  if (!isStream && length !== null && !headers.has('content-encoding') && Number(length) <= bytes) {
    return response
  }
  return new Response(body.pipeThrough(limiter(server, isStream, bytes)), { status, headers })
}

/** Types that an error may name; another one is the server's to write, and may be anything that was sent. */
const common: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'application/xml',
  'text/html',
  'text/plain',
  'text/xml',
])

function withType(headers: Headers, type: string): Headers {
  const copy = new Headers(headers)
  copy.delete('content-encoding')
  copy.delete('content-length')
  copy.set('content-type', type)
  return copy
}

type Bytes = Uint8Array<ArrayBuffer>

function limiter(server: Server, isStream: boolean, bytes: number): TransformStream<Bytes, Bytes> {
  let length = 0
  /** The last byte: the end of an event may be in two chunks. */
  let last: number | undefined
  return new TransformStream({
    transform(chunk, controller) {
      const rest = isStream ? afterBlankLine(chunk, last) : undefined
      length = rest ?? length + chunk.length
      last = chunk.at(-1) ?? last
      if (length > bytes) {
        throw new TypeError(`${server.label} sent a message of more than ${bytes} bytes; it was not read`)
      }
      controller.enqueue(chunk)
    },
  })
}

const lineFeed = 10
const carriageReturn = 13

/**
 * How many bytes follow the last blank line, where an event ends (HTML, "Event stream interpretation"); `undefined` when
 * there is none.
 */
function afterBlankLine(chunk: Uint8Array, previous: number | undefined): number | undefined {
  for (let at = chunk.length - 1; at >= 0; at--) {
    const byte = chunk[at]
    if (byte !== lineFeed && byte !== carriageReturn) continue
    const before = at === 0 ? previous : chunk[at - 1]
    const isPair = byte === lineFeed && before === carriageReturn
    const end = isPair ? chunk[at - 2] : before
    if (end === lineFeed || end === carriageReturn) return chunk.length - 1 - at
  }
  return undefined
}
