import type { IncomingMessage } from 'node:http'
import { jsonAnswer, type PlainAnswer } from '../http/refusal.ts'
import { isShallow, isShallowValue } from './json-depth.ts'
import { rpcCode } from './rpc-error.ts'
import { andThen } from './thenable.ts'

/** How much of a body is read, and how long it may take. */
export interface BodyLimits {
  /** Bytes. */
  readonly maxBytes: number
  /** Milliseconds from the head of the request to the last byte of its body. */
  readonly timeoutMs: number
}

/** A parsed body, or why there is none. */
export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: BodyProblem }

/** Why a body was not read; answered as a JSON-RPC error. */
export type BodyProblem = 'media_type' | 'too_large' | 'too_slow' | 'not_json' | 'too_deep' | 'batch' | 'gone'

const answers: Readonly<Record<BodyProblem, { status: number; code: number; message: string }>> = {
  media_type: { status: 415, code: rpcCode.invalidRequest, message: 'Content-Type must be application/json' },
  too_large: { status: 413, code: rpcCode.invalidRequest, message: 'The request body is too large' },
  too_slow: {
    status: 408,
    code: rpcCode.invalidRequest,
    message: 'The request body took too long to arrive',
  },
  not_json: {
    status: 400,
    code: rpcCode.parseError,
    message: 'Parse error: the request body is not valid JSON',
  },
  too_deep: { status: 400, code: rpcCode.invalidRequest, message: 'The request body is nested too deeply' },
  // MCP 2025-06-18 took batches out; what is one message is one decision.
  batch: {
    status: 400,
    code: rpcCode.invalidRequest,
    message: 'One message for each POST; batches are not supported',
  },
  gone: { status: 400, code: rpcCode.parseError, message: 'Parse error: the request body ended early' },
}

/** The content of the answer to a body that was not read: a JSON-RPC error without an id (JSON-RPC 2.0, section 5). */
export function bodyProblemError(problem: BodyProblem): object {
  const { code, message } = answers[problem]
  return { jsonrpc: '2.0', id: null, error: { code, message } }
}

/**
 * The answer to a body that was not read. The rest of a slow one may come at any time: nothing else can be read from its
 * connection.
 */
export function bodyProblemAnswer(problem: BodyProblem, content: object): PlainAnswer {
  const { status } = answers[problem]
  return jsonAnswer(status, content, problem === 'too_slow' ? { connection: 'close' } : {})
}

/** Reads the JSON body of a web-standard request. */
export async function readWebBody(request: Request, limits: BodyLimits): Promise<Body> {
  const refused = judgeHead(
    request.headers.get('content-type'),
    request.headers.get('content-length'),
    limits,
  )
  if (refused) return refused
  if (!request.body) return parse('')
  const read = await readWebBytes(request.body, limits)
  return typeof read === 'string' ? failed(read) : parse(decode(read))
}

/** Reads a body of whatever kind. */
export async function readWebBytes(
  body: ReadableStream<Uint8Array>,
  limits: BodyLimits,
): Promise<readonly Uint8Array[] | BodyProblem> {
  const reader = body.getReader()
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'too_slow'>((resolve) => {
    timer = setTimeout(resolve, limits.timeoutMs, 'too_slow' as const)
  })
  try {
    const read = await Promise.race([collect(reader, limits.maxBytes), late])
    if (typeof read === 'string') reader.cancel().catch(() => {})
    return read
  } finally {
    clearTimeout(timer)
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array[] | BodyProblem> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      size += read.value.byteLength
      if (size > maxBytes) return 'too_large'
      chunks.push(read.value)
    }
    return chunks
  } catch {
    return 'gone'
  }
}

/**
 * Reads the JSON body of a Node request, without the detour over web streams. A framework in front may have read it
 * already, and left it parsed as `body`.
 *
 * @param invite called before the body is read, and not when it is refused unread
 */
export function readNodeBody(
  request: IncomingMessage & { body?: unknown },
  limits: BodyLimits,
  invite: () => void = () => {},
): Body | Promise<Body> {
  const refused = judgeHead(request.headers['content-type'], request.headers['content-length'], limits)
  if (refused) return refused
  if (request.readableEnded) return parsedAlready(request.body)
  return andThen(readNodeBytes(request, limits, invite), (read) =>
    typeof read === 'string' ? failed(read) : parse(decode(read)),
  )
}

/** A JSON body as text, or why there is none. */
export type BodyText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: BodyProblem }

/**
 * Reads the JSON body of a Node request as text in UTF-8, without a byte order mark, for whoever passes it on.
 *
 * @param invite called before the body is read, and not when it is refused unread
 */
export function readNodeText(
  request: IncomingMessage,
  limits: BodyLimits,
  invite: () => void = () => {},
): BodyText | Promise<BodyText> {
  const refused = judgeHead(request.headers['content-type'], request.headers['content-length'], limits)
  if (refused) return refused
  return andThen(readNodeBytes(request, limits, invite), (read) => {
    const text = typeof read === 'string' ? undefined : decode(read)
    if (text !== undefined) return { ok: true, text }
    return failed(typeof read === 'string' ? read : 'not_json')
  })
}

/** Reads a body of whatever kind. */
export function readNodeBytes(
  request: IncomingMessage,
  limits: BodyLimits,
  invite: () => void = () => {},
): readonly Uint8Array[] | BodyProblem | Promise<readonly Uint8Array[] | BodyProblem> {
  if (request.destroyed) return 'gone'
  // A small body mostly came together with the head: there is nothing to wait for.
  if (request.readableFlowing === null && isThere(request)) {
    const whole: unknown = request.read()
    if (whole instanceof Uint8Array) return whole.length > limits.maxBytes ? 'too_large' : [whole]
  }
  invite()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (read: readonly Uint8Array[] | BodyProblem) => {
      clearTimeout(timer)
      request.off('data', take)
      resolve(read)
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > limits.maxBytes) finish('too_large')
      else chunks.push(chunk)
    }
    const timer = setTimeout(() => finish('too_slow'), limits.timeoutMs)
    request.on('data', take)
    request.once('end', () => finish(chunks))
    // Without a listener, a caller who disconnects in mid-body would end the process.
    request.once('error', () => finish('gone'))
    request.once('close', () => finish('gone'))
  })
}

/** Whether every byte that was announced has arrived. */
function isThere({ headers, readableLength }: IncomingMessage): boolean {
  return readableLength > 0 && headers['content-length'] === String(readableLength)
}

function judgeHead(
  type: string | null | undefined,
  length: string | null | undefined,
  { maxBytes }: BodyLimits,
): Failed | undefined {
  if ((type ?? '').split(';', 1)[0]!.trim().toLowerCase() !== 'application/json') return failed('media_type')
  return length !== undefined && length !== null && Number(length) > maxBytes
    ? failed('too_large')
    : undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(chunks: readonly Uint8Array[]): string | undefined {
  try {
    if (chunks.length === 1) return utf8.decode(chunks[0])
    // Not every runtime has a `Buffer`, and a decoder in the middle of one body is of no use to another.
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    return text.join('') + decoder.decode()
  } catch {
    return undefined
  }
}

function parse(text: string | undefined): Body {
  if (text === undefined) return failed('not_json')
  if (!isShallow(text)) return failed('too_deep')
  try {
    return single(JSON.parse(text))
  } catch {
    return failed('not_json')
  }
}

/** What a framework left of a body: parsed, as text, or as bytes. */
function parsedAlready(body: unknown): Body {
  if (body === undefined) return failed('gone')
  if (typeof body === 'string') return parse(body)
  if (body instanceof Uint8Array) return parse(decode([body]))
  return isShallowValue(body) ? single(body) : failed('too_deep')
}

function single(value: unknown): Body {
  return Array.isArray(value) ? failed('batch') : { ok: true, value }
}

type Failed = Extract<Body, { ok: false }>

function failed(problem: BodyProblem): Failed {
  return { ok: false, problem }
}
