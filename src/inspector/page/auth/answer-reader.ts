import { answerWatch } from '../../probe/event-stream.ts'
import type { ProbeRequest } from '../../probe/exchange.ts'

/** Bytes of a body that are read. */
const maxBytes = 262_144
/** Milliseconds for a body, and those for which an event stream may say nothing. */
const bodyMs = 10_000
const silenceMs = 3000

/**
 * Reads a body up to its end or a limit. An event stream need never end: it is left once the answer to the request has come,
 * or when it has been silent for a while.
 */
export async function readAnswer(
  answer: Response,
  request: ProbeRequest,
): Promise<{ readonly body: string; readonly isCut: boolean }> {
  if (answer.body === null) return { body: '', isCut: false }
  const isStream = /^text\/event-stream\b/i.test(answer.headers.get('content-type') ?? '')
  const reader = answer.body.getReader()
  const hasAnswer = answerWatch(request.body)
  const decoder = new TextDecoder()
  const whole = pause(bodyMs)
  let body = ''
  let size = 0
  try {
    for (;;) {
      const silence = isStream ? pause(silenceMs) : undefined
      const read = await Promise.race([reader.read(), whole.over, ...(silence ? [silence.over] : [])])
      silence?.cancel()
      if (read === 'over') return { body, isCut: !isStream }
      if (read.done) return { body: body + decoder.decode(), isCut: false }
      const piece = decoder.decode(read.value.subarray(0, maxBytes - size), { stream: true })
      body += piece
      size += read.value.length
      if (size > maxBytes) return { body, isCut: true }
      if (isStream && hasAnswer(piece)) return { body, isCut: false }
    }
  } catch {
    return { body, isCut: true }
  } finally {
    whole.cancel()
    // It may have broken off already.
    reader.cancel().catch(() => {})
  }
}

function pause(ms: number): { readonly over: Promise<'over'>; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<'over'>((resolve) => {
    timer = setTimeout(resolve, ms, 'over')
  })
  return { over, cancel: () => clearTimeout(timer) }
}
