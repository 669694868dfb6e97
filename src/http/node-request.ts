import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHead } from './head.ts'
import type { PlainAnswer } from './refusal.ts'

/**
 * The head of a request of `node:http`. Reads the raw header lines, because `req.headers` silently keeps the first of
 * two `Authorization` lines.
 *
 * @param req the request; nothing of its body is read
 * @param res its response. With it the head has a signal, aborted when the response is closed before its end
 */
export function headOf(req: IncomingMessage, res?: ServerResponse): RequestHead {
  return new NodeHead(req, res)
}

/** A class for its getters: most requests are decided before anybody needs a signal or an address. */
class NodeHead implements RequestHead {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse | undefined
  #signal: AbortSignal | undefined

  constructor(req: IncomingMessage, res: ServerResponse | undefined) {
    this.#req = req
    this.#res = res
  }

  get method(): string {
    return this.#req.method ?? 'GET'
  }

  get url(): string {
    return this.#req.url ?? '/'
  }

  get remote(): string | undefined {
    return this.#req.socket.remoteAddress
  }

  get signal(): AbortSignal | undefined {
    if (this.#res !== undefined) this.#signal ??= closingEarly(this.#res)
    return this.#signal
  }

  header(name: string): readonly string[] {
    const raw = this.#req.rawHeaders
    let found: string[] | undefined
    for (let at = 0; at < raw.length; at += 2) {
      const candidate = raw[at]!
      if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
      found = found === undefined ? [raw[at + 1]!] : [...found, raw[at + 1]!]
    }
    return found ?? nothing
  }
}

const nothing: readonly string[] = Object.freeze([])

function closingEarly(res: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const closed = () => {
    if (!res.writableFinished) controller.abort()
  }
  if (res.destroyed) closed()
  else res.once('close', closed)
  return controller.signal
}

/**
 * Takes the credential out of a request before a handler sees it: handlers have no use for it, and could pass it on or
 * print it (MCP security best practices, "Token Passthrough").
 */
export function hideCredentials(req: IncomingMessage, names: readonly string[]): void {
  const raw = req.rawHeaders
  for (let at = 0; at < raw.length; at += 2) {
    // Emptied, not removed: Node counts the lines once, and reads them whenever it is asked.
    if (names.includes(raw[at]!.toLowerCase())) raw[at + 1] = ''
  }
  for (const name of names) {
    delete req.headers[name]
    // HTTP/2 has none.
    if (req.headersDistinct) delete req.headersDistinct[name]
  }
}

/**
 * Writes a refusal. When much of the body has not been read, or nobody knows how much, the connection closes behind
 * the answer.
 *
 * @param res of the refused request
 * @param refusal what to answer
 * @param extraHeaders such as those of CORS, names in lower case. Default: none
 */
export function sendRefusal(
  res: ServerResponse,
  refusal: PlainAnswer,
  extraHeaders?: Readonly<Record<string, string>>,
): void {
  // Too late for an answer: half of another one is out, or nobody is there.
  if (res.headersSent || res.destroyed) return void res.destroy()
  const closes = isLargeBodyUnread(res.req)
  const headers = extraHeaders ? { ...refusal.headers, ...extraHeaders } : refusal.headers
  res.writeHead(refusal.status, closes ? { ...headers, connection: 'close' } : headers)
  const body = res.req.method === 'HEAD' ? undefined : refusal.body
  if (!closes) return void res.end(body)
  if (body === undefined) res.flushHeaders()
  else res.write(body)
  linger(res)
}

/** Up to here Node throws the rest of a body away by itself, and the connection serves the next request. */
const smallBody = 65_536

function isLargeBodyUnread(req: IncomingMessage): boolean {
  if (req.complete) return false
  const { 'transfer-encoding': coding, 'content-length': length = '0' } = req.headers
  return coding !== undefined || Number(length) > smallBody
}

/** The most that is thrown away while a refused caller goes on sending, and for how long. */
const lingerBytes = 1_048_576
const lingerMilliseconds = 1000

/**
 * Lets a caller who is still sending read the answer. A socket closed over unread bytes is reset, and a reset can
 * destroy the answer on its way (RFC 9112 section 9.6): so the rest is thrown away for a moment first.
 */
function linger(res: ServerResponse): void {
  const { req } = res
  let left = lingerBytes
  const end = () => {
    clearTimeout(timer)
    req.off('data', drop)
    res.end()
  }
  const drop = (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) end()
  }
  const timer = setTimeout(end, lingerMilliseconds)
  req.on('data', drop).once('end', end).once('close', end)
}
