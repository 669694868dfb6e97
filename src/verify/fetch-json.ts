import type { GuardedFetch } from './environment.ts'

/** One request for JSON, and how much of an answer is taken. */
export interface JsonRequest {
  /** Fields of a form; with one the request is a POST. */
  readonly form?: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
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

/** The answer has another status than 200. */
export class StatusError extends Error {
  readonly status: number
  /** Seconds of `Retry-After` (RFC 9110 section 10.2.3); 0 when the answer does not say. */
  readonly retryAfter: number

  constructor(status: number, headers: Headers) {
    super(`the answer has status ${status}`)
    this.status = status
    this.retryAfter = Number(/^\d{1,5}$/.exec(headers.get('retry-after') ?? '')?.[0] ?? 0)
  }
}

/**
 * Fetches a JSON document of an authorization server: status 200 only, no redirect followed, no credentials sent but
 * those given, the decoded body measured while it arrives. `Content-Type` is not enforced, some servers send
 * `text/plain`.
 *
 * @throws StatusError for another status than 200; Error when anything else fails, and the message holds nothing of
 *   the body
 */
export async function fetchJson(
  url: URL,
  fetch: GuardedFetch,
  request: JsonRequest = {},
): Promise<JsonAnswer> {
  const { milliseconds = 5000, bytes = 64 * 1024 } = request
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
    return await Promise.race([exchange(url, fetch, request, limit.signal, bytes), aborted(limit.signal)])
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
  { form, headers = {} }: JsonRequest,
  signal: AbortSignal,
  maxBytes: number,
): Promise<JsonAnswer> {
  const accept = { accept: 'application/json', ...headers }
  const response = await fetch(
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
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new StatusError(response.status, response.headers)
  }
  return { json: parse(await readBody(response, maxBytes)), headers: response.headers }
}

async function readBody(response: Response, maxBytes: number): Promise<string> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for (;;) {
    const step = await reader?.read()
    if (step?.value === undefined) break
    length += step.value.length
    if (length > maxBytes) {
      await reader?.cancel()
      throw new Error(`the answer is longer than ${maxBytes} bytes`)
    }
    text += decoder.decode(step.value, { stream: true })
  }
  return text + decoder.decode()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the text, and a key set may hold what it should not.
    throw new Error('the answer is not JSON')
  }
}
