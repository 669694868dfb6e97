import type { Readable, Writable } from 'node:stream'
import { lineReader } from '../command/line-reader.ts'
import { isRpcMessage, type RpcId, type RpcMessage } from '../message.ts'

/** Bytes of one message of the host's. A file that is sent along fits, and the memory is not filled. */
const longestLine = 16 * 1024 * 1024

/** Bytes that may wait for a host that does not read. With more it is not listened to: each answer would be one more. */
const mostUnread = 16 * 1024 * 1024

/** JSON-RPC 2.0 section 5.1. */
const parseError = -32_700
const invalidRequest = -32_600

/** What is told of a host. */
export interface HostEvents {
  /** A message, and the bytes it took. */
  readonly onMessage: (message: RpcMessage, bytes: number) => void
  /** It has nothing more to say. */
  readonly onEnd: () => void
  /** Nobody reads any more what is said to it. */
  readonly onGone: () => void
  /** It said something that is no message; in words for the log, nothing of it repeated. */
  readonly onGarbage: (words: string) => void
}

/** A program that speaks MCP over two streams (MCP transports, "stdio"): a message a line, and nothing else. */
export interface Host {
  write(message: RpcMessage | ErrorMessage): void
  /** Resolves when it has read what waits for it; `undefined` while it keeps up. */
  room(): Promise<void> | undefined
  /** Resolves when all is written, or can be written no more. */
  flushed(): Promise<void>
  /** Listens no longer. */
  stop(): void
}

/** An error that belongs to no request: the id of the request could not be read (MCP schema, `JSONRPCErrorResponse`). */
export interface ErrorMessage {
  readonly jsonrpc: '2.0'
  readonly id?: RpcId
  readonly error: { readonly code: number; readonly message: string }
}

/** Listens to a host. */
export function hostOn(input: Readable, output: Writable, events: HostEvents): Host {
  const writer = writerTo(output, events.onGone)
  let isStopped = false
  const refuse = (words: string, code: number, id?: RpcId): void => {
    events.onGarbage(words)
    // Who floods us with garbage and reads no answers gets none.
    if (id === undefined && writer.room()) return
    writer.write({ jsonrpc: '2.0', ...(id !== undefined && { id }), error: { code, message: words } })
  }
  const lines = lineReader({
    maxBytes: longestLine,
    onLine(line) {
      if (line.trim() === '') return
      const message = parsed(line)
      if (message === undefined) refuse('The host sent a line that is not JSON.', parseError)
      else if (isRpcMessage(message)) events.onMessage(message, line.length)
      else refuseEach(message, refuse)
    },
    onTooLong: () => refuse(`The host sent a line of more than ${longestLine} bytes.`, parseError),
  })
  const onData = (chunk: Buffer | string): void => {
    lines.push(Buffer.from(chunk as Buffer))
    if (output.writableLength <= mostUnread) return
    input.pause()
    void writer.room()?.then(() => isStopped || input.resume())
  }
  const onEnd = (): void => {
    lines.end()
    events.onEnd()
  }
  const onFail = (): void => events.onEnd()
  input.on('data', onData).once('end', onEnd).on('error', onFail).once('close', onFail)
  return {
    ...writer,
    stop() {
      isStopped = true
      input.off('data', onData).off('end', onEnd).off('close', onFail)
      input.pause()
    },
  }
}

/** What the error of `JSON.parse` says repeats the line. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

type Refuse = (words: string, code: number, id?: RpcId) => void

/** Batches are of 2025-03-26 only, and no host sends them; whoever waits for an answer gets one. */
function refuseEach(value: unknown, refuse: Refuse): void {
  const batch: readonly unknown[] = Array.isArray(value) ? value : [value]
  const words = Array.isArray(value)
    ? 'The host sent a batch; messages are sent one by one.'
    : 'The host sent something that is no message of JSON-RPC 2.0.'
  const ids = batch.map(idOf).filter((id) => id !== undefined)
  if (ids.length === 0) refuse(words, invalidRequest)
  for (const id of ids.slice(0, mostOfBatch)) refuse(words, invalidRequest, id)
}

const mostOfBatch = 1_000

/** The id of what is meant to be a request. */
function idOf(value: unknown): RpcId | undefined {
  if (typeof value !== 'object' || value === null || !('method' in value) || !('id' in value))
    return undefined
  const { id } = value
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? id : undefined
}

function writerTo(output: Writable, onGone: () => void): Pick<Host, 'write' | 'room' | 'flushed'> {
  let waiting: Promise<void> | undefined
  let isGone = false
  const gone = (): void => {
    if (isGone) return
    isGone = true
    onGone()
  }
  output.on('error', gone).once('close', gone)
  return {
    write(message) {
      if (isGone || output.writableEnded) return
      if (output.write(`${JSON.stringify(message)}\n`) || waiting) return
      waiting = new Promise<void>((resolve) => {
        const go = (): void => {
          waiting = undefined
          output.off('drain', go).off('error', go).off('close', go)
          resolve()
        }
        output.once('drain', go).once('error', go).once('close', go)
      })
    },
    room: () => waiting,
    async flushed() {
      while (waiting && !isGone) await waiting
    },
  }
}
