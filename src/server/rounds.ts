import { digest } from './digest.ts'
import type { Ask, InputRequest } from './input.ts'
import type { JsonObject } from './types.ts'

/** What the client carries from one round of a call to the next. It is signed, not encrypted: the client can read it. */
export interface RoundState {
  /** Digest of the call it belongs to. */
  readonly call: string
  /** What was asked and answered so far, by key. */
  readonly answers: Readonly<Record<string, RoundAnswer>>
}

/** One answer, and which question it belongs to. */
export interface RoundAnswer {
  /** Digest of the question. */
  readonly asked: string
  /** Absent while it has not been answered. */
  readonly answer?: unknown
}

/** Thrown through a handler's call when it has to end with questions to the client. Reaches nobody outside. */
export class Suspension extends Error {
  override readonly name = 'Suspension'
}

/**
 * The questions of one call in the protocol revision 2026-07-28, where a server cannot ask while the call waits: the call
 * ends with the questions, the client makes it again with the answers, and the handler runs again from its start (MCP
 * "Multi Round-Trip Requests"). Nothing is kept on the server in between.
 */
export interface Rounds {
  /**
   * @param principal on whose behalf is asked, where the call itself does not say it: an answer given by one is none by
   *   another. Default: that of the call
   */
  ask(principal?: string): Ask
  /** Rejects with a {@link Suspension} as soon as something was asked that has no answer yet. */
  readonly suspension: Promise<never>
  /** Whether the call has ended to ask the client, whatever comes of its handler. */
  readonly isSuspended: boolean
  /** The questions to answer the call with, and what the client is to carry. */
  pending(): Pending
}

/** What a call is answered with when it ends with questions. */
export interface Pending {
  readonly inputRequests: Readonly<Record<string, InputRequest>>
  readonly answers: RoundState['answers']
}

/**
 * @param state what came back from the client, already verified
 * @param responses the answers of this round, not trusted; only those to questions that were asked count
 */
export function rounds(state: RoundState | undefined, responses: JsonObject | undefined): Rounds {
  const answers = new Map(Object.entries(state?.answers ?? {}))
  const given = new Map(Object.entries(responses ?? {}))
  const questions = new Map<string, InputRequest>()
  const { promise, reject } = rejectable()
  const used = new Set<string>()
  /** Questions of which it is not known yet whether they have an answer. */
  let open = 0
  let isSuspended = false
  /** One after the other, so that questions go by the same names in each round, however long a digest takes. */
  let turn: Promise<unknown> = Promise.resolve()

  function unusedKey(): string {
    let number = used.size + 1
    while (used.has(`input-${number}`)) number++
    return `input-${number}`
  }

  /** Not at once: what a handler asks in one go, with `Promise.all`, goes out in one round. */
  function endSoon(): void {
    setTimeout(() => {
      if (open > 0) return
      isSuspended = true
      reject(new Suspension('the client is asked'))
    }, 0)
  }

  return {
    suspension: promise,
    get isSuspended() {
      return isSuspended
    },
    ask: (principal) => async (request, name) => {
      const key = name !== undefined && !used.has(name) ? name : unusedKey()
      used.add(key)
      open++
      const pending = digest(JSON.stringify(principal === undefined ? request : [principal, request]))
      const before = turn
      turn = before.then(() => pending)
      const asked = await before.then(() => pending).finally(() => open--)
      const known = answers.get(key)
      // A question that has become another one was not answered: "yes" to one file is not "yes" to the next.
      if (known?.asked === asked && 'answer' in known) return known.answer
      // Without a state nothing was asked before; a client that answers beforehand answers all the same.
      if (given.has(key) && (state === undefined || known?.asked === asked)) {
        const answer = given.get(key)
        given.delete(key)
        answers.set(key, { asked, answer })
        return answer
      }
      answers.set(key, { asked })
      questions.set(key, request)
      endSoon()
      return promise
    },
    pending: () => ({
      inputRequests: Object.fromEntries(questions),
      answers: Object.fromEntries(answers),
    }),
  }
}

function rejectable(): { promise: Promise<never>; reject: (reason: Error) => void } {
  let reject: (reason: Error) => void = () => {}
  const promise = new Promise<never>((_resolve, refuse) => {
    reject = refuse
  })
  // A handler that asks and does not wait must not end the process.
  promise.catch(() => {})
  return { promise, reject }
}
