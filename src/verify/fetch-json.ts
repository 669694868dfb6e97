import type { GuardedFetch } from './environment.ts'

/** One request for JSON, and how much of an answer is taken. */
export interface JsonRequest {
  /** Fields of a form; with one the request is a POST. */
  readonly form?: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
  /** Completes form and headers before they are sent, within the same time. */
  readonly prepare?: () => void | Promise<void>
  /** Ends the request from outside. */
  readonly signal?: AbortSignal
  /** Bytes of the decoded body. Default: 64 KiB. */
  readonly bytes?: number
  /** Milliseconds for everything, the last byte of the body included. Default: 5,000. */
  readonly milliseconds?: number
}

/** What came back. */
export interface JsonAnswer {
  readonly json: unknown
  readonly headers: Headers
}

/** What came back, as it was written. */
export interface TextAnswer {
  readonly text: string
  readonly headers: Headers
}

/** What came back, whatever its status. */
export interface AnyAnswer extends TextAnswer {
  readonly status: number
}

/** The answer has another status than 200. */
export class StatusError extends Error {
  readonly status: number
  /** Seconds of `Retry-After` (RFC 9110 section 10.2.3), however many; 0 when the answer gives none, or a date. */
  readonly retryAfter: number

  constructor(status: number, headers: Headers) {
    super(`the answer has status ${status}`)
    this.status = status
    this.retryAfter = Number(/^\d+$/.exec(headers.get('retry-after') ?? '')?.[0] ?? 0)
  }
}

/**
 * Fetches a JSON document of an authorization server, as {@link fetchText} fetches. `Content-Type` is not enforced, some
 * servers send `text/plain`.
 *
 * @throws StatusError for another status than 200; Error when anything else fails, and the message holds nothing of
 *   the body
 */
export async function fetchJson(
  url: URL,
  fetch: GuardedFetch,
  request: JsonRequest = {},
): Promise<JsonAnswer> {
  const { text, headers } = await fetchText(url, fetch, request)
  return { json: parse(text), headers }
}

/**
 * Fetches a text: status 200 only, no redirect followed, no credentials sent but those given, the decoded body measured
 * while it arrives. It must be UTF-8 (RFC 8259 section 8.1): with what cannot be read replaced, two names could become
 * one.
 *
 * @throws like {@link fetchJson}
 */
export async function fetchText(
  url: URL,
  fetch: GuardedFetch,
  request: JsonRequest = {},
): Promise<TextAnswer> {
  return within(request, async (signal) => {
    const response = await exchange(url, fetch, request, signal)
    if (response.status !== 200) {
      // Not waited for: what becomes of the rest of it changes nothing.
      response.body?.cancel().catch(() => {})
      throw new StatusError(response.status, response.headers)
    }
    return { text: await readBody(response, request.bytes, signal), headers: response.headers }
  })
}

/**
 * Fetches a text as {@link fetchText} does, of any status: an error of OAuth stands in the body (RFC 6749 section 5.2).
 *
 * @throws Error when anything fails, and the message holds nothing of the body
 */
export async function fetchAny(url: URL, fetch: GuardedFetch, request: JsonRequest = {}): Promise<AnyAnswer> {
  return within(request, async (signal) => {
    const response = await exchange(url, fetch, request, signal)
    const { status, headers } = response
    return { status, text: await readBody(response, request.bytes, signal), headers }
  })
}

/** Does it within the time and the signal of a request. */
async function within<T>(request: JsonRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { milliseconds = 5000 } = request
  const limit = new AbortController()
  const end = (message: string) => limit.abort(new Error(message))
  const close = () => end('the verifier was closed')
  const timer = setTimeout(() => end(`no complete answer within ${milliseconds} ms`), milliseconds)
  // It must not keep a process alive that has nothing else to do.
  timer.unref?.()
  request.signal?.addEventListener('abort', close)
  if (request.signal?.aborted) close()
  try {
    // The race, because a fetch that is not ours may not listen to the signal.
    return await Promise.race([aborted(limit.signal), work(limit.signal)])
  } finally {
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', close)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason as Error)
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail)
  })
}

async function exchange(
  url: URL,
  fetch: GuardedFetch,
  { form, headers, prepare }: JsonRequest,
  signal: AbortSignal,
): Promise<Response> {
  if (prepare !== undefined) await prepare()
  // Time may be up by now, and not every fetch looks.
  signal.throwIfAborted()
  const accept = { accept: 'application/json', ...headers }
  return fetch(
    url,
    form === undefined
      ? { headers: accept, signal }
      : {
          method: 'POST',
          headers: { ...accept, 'content-type': 'application/x-www-form-urlencoded' },
          body: form.toString(),
          signal,
        },
  )
}

async function readBody(response: Response, maxBytes = 64 * 1024, signal: AbortSignal): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
  const hangUp = () => void reader?.cancel().catch(() => {})
  const decode = utf8Decoder()
  // A fetch that does not listen to the signal would read on for ever.
  signal.addEventListener('abort', hangUp)
  try {
    signal.throwIfAborted()
    let text = ''
    let length = 0
    for (;;) {
      const step = await reader?.read()
      if (step?.value === undefined) break
      length += step.value.length
      if (length > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`)
      text += decode(step.value)
    }
    return text + decode()
  } catch (error) {
    hangUp()
    throw error
  } finally {
    signal.removeEventListener('abort', hangUp)
  }
}

/** Bytes to text, part by part; without bytes, that it is over. */
function utf8Decoder(): (bytes?: Uint8Array) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return (bytes) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
    } catch {
      throw new Error('the answer is not UTF-8')
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the text, and a key set may hold what it should not.
    throw new Error('the answer is not JSON')
  }
}
