import { isAscii, isUtf8 } from 'node:buffer'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { UpstreamError } from '../upstream.ts'
import type { HttpOrigin } from './http-origin.ts'

/** A request to the server behind the gateway. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: string | undefined
}

/** Those under way. */
export interface HttpCalls {
  add(call: HttpCall): void
  delete(call: HttpCall): void
}

/** One request, and its answer as it comes. A class, because there is one for each. */
export class HttpCall {
  /** The head of the answer. @throws UpstreamError */
  readonly head: Promise<IncomingMessage>
  /** Whether it waits for whatever comes. */
  isStanding = false
  #isAnswered = false
  #failure: UpstreamError | undefined
  #reject: (error: UpstreamError) => void = () => {}
  readonly #request: ClientRequest
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param timeoutMs until the answer is there, or {@link untimed} was called; 0 for any time */
  constructor(origin: HttpOrigin, question: HttpQuestion, timeoutMs: number, calls: HttpCalls) {
    const request = origin.open(question.method, question.headers)
    this.#request = request
    this.head = new Promise((resolve, reject) => {
      this.#reject = reject
      request.once('response', (answer) => {
        this.#isAnswered = true
        resolve(answer)
      })
    })
    request.on('error', (error) => this.#reject(this.#failure ?? failureOf(error)))
    request.once('close', () => {
      clearTimeout(this.#timer)
      calls.delete(this)
      // Closed without a word, as after an answer with another protocol.
      if (!this.#isAnswered) this.#reject(this.#failure ?? noAnswer())
    })
    calls.add(this)
    if (timeoutMs > 0) this.#timer = setTimeout(expire, timeoutMs, this)
    request.end(question.body)
  }

  /** Resolves when it is over, however it ended. */
  get over(): Promise<void> {
    const request = this.#request
    return request.closed ? Promise.resolve() : new Promise((resolve) => request.once('close', resolve))
  }

  /** From here on it may take any time. */
  untimed(): void {
    clearTimeout(this.#timer)
  }

  /** Ends it, whatever it is doing. */
  cancel(reason: UpstreamError): void {
    this.#failure ??= reason
    this.#request.destroy()
    this.#reject(reason)
  }

  /** What comes of its answer is of no use. A short one is read, so that the connection can be used again. */
  discard(answer: IncomingMessage): void {
    const isShort = answer.complete || Number(answer.headers['content-length'] ?? Number.NaN) <= shortBody
    answer.on('error', ignore)
    if (isShort) answer.resume()
    else this.cancel(givenUp())
  }

  /** The body of the answer. @throws UpstreamError when it is longer, is cut off, or no UTF-8 */
  text(answer: IncomingMessage, maxBytes: number): string | Promise<string> {
    if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw this.#tooLarge(maxBytes)
    // A small answer mostly comes in one piece with its head.
    if (!answer.complete) return this.#collected(answer, maxBytes)
    const bytes = (answer.read() as Buffer | null) ?? nothing
    if (bytes.length > maxBytes) throw this.#tooLarge(maxBytes)
    return textOf(bytes)
  }

  async #collected(answer: IncomingMessage, maxBytes: number): Promise<string> {
    const chunks: Buffer[] = []
    let size = 0
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      // However small, it takes its place.
      size += Math.max(chunk.length, smallestChunk)
      if (size > maxBytes) this.#tooLarge(maxBytes)
    })
    answer.on('error', ignore)
    await new Promise((resolve) => answer.once('close', resolve))
    if (this.#failure) throw this.#failure
    if (!answer.complete) throw cutOff()
    return textOf(Buffer.concat(chunks))
  }

  #tooLarge(maxBytes: number): UpstreamError {
    const error = new UpstreamError('broken', `The answer of the server is longer than ${maxBytes} bytes.`)
    this.cancel(error)
    return error
  }
}

/** Bytes that are read so that a connection can be used again. */
const shortBody = 65_536
/** What a piece counts at least: a body that comes byte by byte takes more than its bytes. */
const smallestChunk = 64
const nothing = Buffer.alloc(0)
const ignore = (): void => {}

function expire(call: HttpCall): void {
  call.cancel(new UpstreamError('timeout', 'The server behind the gateway took too long to answer.'))
}

function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  // What is no UTF-8 is no JSON (RFC 8259 section 8.1), and readers would not agree on what it says.
  if (isUtf8(bytes)) return bytes.toString('utf8')
  throw new UpstreamError('broken', 'The answer of the server is no UTF-8.')
}

function cutOff(): UpstreamError {
  return new UpstreamError('broken', 'The connection to the server ended before its answer was complete.')
}

function noAnswer(): UpstreamError {
  return new UpstreamError('unreachable', 'The connection to the server ended before it answered.')
}

function givenUp(): UpstreamError {
  return new UpstreamError('broken', 'The answer of the server was not read to its end.')
}

/** The words of an error of the network are for the operator: they name addresses that are no caller's business. */
function failureOf(cause: NodeJS.ErrnoException): UpstreamError {
  return cause.code?.startsWith('HPE_')
    ? new UpstreamError('broken', 'What the server behind the gateway answered is no HTTP.', { cause })
    : new UpstreamError('unreachable', 'The server behind the gateway cannot be reached.', { cause })
}
