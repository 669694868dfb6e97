import type { IncomingMessage } from 'node:http'
import { answerWatch } from '../probe/event-stream.ts'
import type { ProbeRequest } from '../probe/exchange.ts'

/** How much of a body is read. */
export interface BodyLimits {
  /** Milliseconds for all of it. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Milliseconds for which an event stream may say nothing. */
const silenceMs = 3000

/**
 * Reads a body up to its end or a limit. An event stream need never end: it is left once the answer to the request has
 * come, or when it has been silent for a while. A body that breaks off is what came of it.
 */
export function readBody(
  answer: IncomingMessage,
  request: ProbeRequest,
  { timeoutMs, maxBytes }: BodyLimits,
): Promise<{ readonly body: string; readonly isCut: boolean }> {
  const isStream = /^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '')
  const hasAnswer = answerWatch(request.body)
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    let silence: NodeJS.Timeout | undefined
    const finish = (isCut: boolean) => {
      clearTimeout(timer)
      clearTimeout(silence)
      resolve({ body: textOf(chunks), isCut })
      answer.destroy()
    }
    const listen = () => {
      clearTimeout(silence)
      silence = setTimeout(finish, silenceMs, false)
    }
    const timer = setTimeout(finish, timeoutMs, true)
    if (isStream) listen()
    answer.on('data', (chunk: Buffer) => {
      const room = maxBytes - size
      chunks.push(chunk.subarray(0, room))
      size += chunk.length
      if (chunk.length > room) return finish(true)
      if (!isStream) return
      listen()
      if (hasAnswer(chunk.toString('latin1'))) finish(false)
    })
    answer.once('end', () => finish(false))
    answer.once('error', () => finish(true))
    answer.once('close', () => finish(!answer.complete))
  })
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8')
}
