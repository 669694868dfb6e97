import { readBearerChallenge } from '../../../core/challenge.ts'
import { knownTokens } from '../net/known-secrets.ts'
import { jsonWithout } from '../net/redact-entry.ts'
import { shown } from '../net/shown.ts'
import { Failed, type Problem } from './problem.ts'
import { type SseEvent, sseParser } from './sse-parser.ts'

/** The longest answer that is not a stream, and the most of a stream, in bytes. */
const longestAnswer = 8 * 1_048_576
const longestStream = 64 * 1_048_576
/** So much of an error page is kept: more than any error of JSON-RPC needs. */
const longestError = 65_536

/**
 * What is wrong with the head of an answer; `undefined` when it is a good one. Reads the body if it is not. Here and in
 * {@link messagesOf} the tokens of the session are taken out: a server may say one again, and all that it says is shown.
 */
export async function problemOfStatus(response: Response): Promise<Problem | undefined> {
  // With `redirect: 'manual'` a page sees neither status nor address of a redirection.
  if (response.type === 'opaqueredirect') return { kind: 'http', status: 0, body: '' }
  const { status, headers } = response
  if (status >= 200 && status < 300) return undefined
  const body = await shortText(response)
  const challenge = readBearerChallenge(shown(headers.get('www-authenticate') ?? ''))
  const isRefused = status === 401 || status === 403 || (status === 400 && challenge !== undefined)
  if (isRefused) return { kind: 'refused', status, challenge, body }
  const retryAfter = headers.get('retry-after')
  return { kind: 'http', status, body, ...(retryAfter !== null && { retryAfter }) }
}

/**
 * The messages of an answer as they come: one, or those of a stream. What is not JSON ends it.
 * @throws Failed `broken` when the answer is none of MCP, or too long
 */
export async function* messagesOf(response: Response): AsyncGenerator<unknown> {
  if (response.status === 202 || response.status === 204) return
  const type = (response.headers.get('content-type') ?? '').replace(/;.*$/s, '').trim().toLowerCase()
  if (type === 'application/json') {
    const parsed = parsedJson(await wholeText(response))
    // Revisions before 2025-06-18 had batches.
    yield* Array.isArray(parsed) ? parsed : [parsed]
  } else if (type === 'text/event-stream') {
    // An event without data only says where a stream can be taken up again (MCP 2025-11-25, "Sending Messages", item 6).
    for await (const { event, data } of eventsOf(response))
      if (event === 'message' && data !== '') yield parsedJson(data)
  } else {
    const text = await shortText(response)
    const named = type === '' ? 'has no content type' : `is ${type.slice(0, 80)}`
    throw broken(
      `It ${named}, not JSON or an event stream.${text === '' ? '' : ` It begins: ${text.slice(0, 200)}`}`,
    )
  }
}

async function* eventsOf(response: Response): AsyncGenerator<SseEvent> {
  const parser = sseParser()
  try {
    for await (const text of textOf(response, longestStream)) yield* parser.feed(text)
  } catch (error) {
    if (error instanceof RangeError) throw broken('A part of the answer is longer than 1 MiB.')
    throw error
  }
}

async function wholeText(response: Response): Promise<string> {
  const parts: string[] = []
  for await (const text of textOf(response, longestAnswer)) parts.push(text)
  return parts.join('')
}

/** The beginning of a body, for a person. */
async function shortText(response: Response): Promise<string> {
  let text = ''
  try {
    for await (const part of textOf(response, longestStream)) {
      text += part
      if (text.length >= longestError) break
    }
  } catch {
    // The status says enough.
  }
  return shown(text).slice(0, longestError).trim()
}

/** The text of a body in pieces. Whoever stops reading ends the answer. */
async function* textOf(response: Response, longest: number): AsyncGenerator<string> {
  if (response.body === null) return
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let bytes = 0
  let isDone = false
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(brokenOff)
      isDone = done
      if (done) break
      bytes += value.byteLength
      if (bytes > longest) throw broken(`The answer is longer than ${longest / 1_048_576} MiB.`)
      const text = decoder.decode(value, { stream: true })
      if (text !== '') yield text
    }
    const rest = decoder.decode()
    if (rest !== '') yield rest
  } finally {
    if (!isDone) reader.cancel().catch(() => {})
  }
}

/** A connection that ends in the middle is no server that cannot be reached. */
function brokenOff(error: unknown): never {
  if (error instanceof Error && error.name === 'AbortError') throw error
  throw broken('The connection ended before the answer was complete.')
}

/**
 * JSON that a server wrote, without the tokens of the session.
 * @throws Failed
 */
export function parsedJson(text: string): unknown {
  try {
    return jsonWithout(text, knownTokens())
  } catch {
    throw broken(`It is not JSON. It begins: ${shown(text.slice(0, longestError)).slice(0, 200)}`)
  }
}

function broken(what: string): Failed {
  return new Failed({ kind: 'broken', what })
}
