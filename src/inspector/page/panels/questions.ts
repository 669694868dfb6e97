import { type Signal, signal } from '@preact/signals'
import type { Question, Reply } from '../mcp/questions.ts'

/** A question of a server that waits for the person. */
export interface OpenQuestion extends Question {
  readonly id: number
  /** What was being done when the server asked. */
  readonly about: string
  readonly answer: (reply: Reply) => void
}

/** The questions in the order they came; the first one is shown. */
export const questions: Signal<readonly OpenQuestion[]> = signal([])

/** So many may wait; a server that asks more is told no. */
const mostWaiting = 20
let lastId = 0

/**
 * Shows a question, and waits.
 * @param signal ends it without an answer
 */
export function askPerson(question: Question, about: string, ending: AbortSignal): Promise<Reply> {
  if (ending.aborted || questions.peek().length >= mostWaiting) return Promise.resolve({ action: 'cancel' })
  const id = ++lastId
  return new Promise((resolve) => {
    const answer = (reply: Reply) => {
      questions.value = questions.peek().filter((one) => one.id !== id)
      resolve(reply)
    }
    ending.addEventListener('abort', () => answer({ action: 'cancel' }), { once: true })
    questions.value = [...questions.peek(), { ...question, id, about, answer }]
  })
}
