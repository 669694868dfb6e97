import { isObject } from '../../verify/json.ts'

/** The messages of an event stream, as far as they are complete (HTML, "Event stream interpretation"). */
export function messagesOf(text: string): unknown[] {
  const events = text.split(blankLine).slice(0, -1)
  return events.slice(0, mostEvents).flatMap((event) => {
    const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'))
    const message = parsed(lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n'))
    return message === undefined ? [] : [message]
  })
}

/** An answer stands among the first, or is not there. */
const mostEvents = 1000
const blankLine = /\r\n\r\n|\n\n|\r\r/

/**
 * Watches an event stream come in.
 * @param body of the request
 * @returns takes the next piece, and says whether the answer has come. Each piece is looked at once, however small it is
 */
export function answerWatch(body: string | undefined): (piece: string) => boolean {
  const isAnswer = isAnswerTo(body)
  let rest = ''
  return (piece) => {
    rest += piece
    if (!blankLine.test(rest.slice(-piece.length - 3))) return false
    const messages = messagesOf(rest)
    rest = rest.split(blankLine).at(-1)!
    return messages.some(isAnswer)
  }
}

/** Tells the JSON-RPC answer to a request from everything else; `body` is that of the request. Of a batch the last counts. */
export function isAnswerTo(body: string | undefined): (message: unknown) => boolean {
  const all = parsed(body ?? '')
  const asked = Array.isArray(all) ? all.at(-1) : all
  const id = isObject(asked) ? asked.id : undefined
  return (message) =>
    isObject(message) &&
    id !== undefined &&
    message.id === id &&
    (Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error'))
}

/** What a text says in JSON; `undefined` when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
