import { isObject, type JsonObject, memberOf, textOf } from './message.ts'
import { Failed } from './problem.ts'

/** What a server wants to know of the person (MCP "Elicitation"). */
export interface Question {
  readonly message: string
  /** The form to fill in; `undefined` when they are sent to a page instead. */
  readonly schema: JsonObject | undefined
  /** The page they are sent to, as the server wrote it. */
  readonly url: string | undefined
}

/** What came of it. */
export interface Reply {
  readonly action: 'accept' | 'decline' | 'cancel'
  readonly content?: unknown
}

/** Shows a question to the person, and waits for what they do. */
export type Asking = (question: Question) => Promise<Reply>

/** What the next round of a call carries (MCP "Multi Round-Trip Requests"). */
export interface Answers {
  readonly inputResponses?: JsonObject
  readonly requestState?: string
  readonly [more: string]: unknown
}

const mostQuestions = 20

/**
 * Asks the person what a result asks for, one question after the other.
 * @throws Failed when the server wants something this page cannot give
 */
export async function answersTo(result: JsonObject, ask: Asking | undefined): Promise<Answers> {
  const requests = Object.entries(memberOf(result, 'inputRequests') ?? {})
  const state = memberOf(result, 'requestState')
  if (requests.length > mostQuestions) throw cannot('It asks too many questions at once.')
  if (requests.length === 0 && typeof state !== 'string')
    throw cannot('It wants to be asked again and does not say how.')
  const replies: [string, unknown][] = []
  for (const [key, request] of requests) {
    const method = textOf(request, 'method') ?? ''
    const question = questionOf(method, memberOf(request, 'params'))
    if (question === undefined || ask === undefined)
      throw cannot(`It asks for ${method.slice(0, 80)}, which this page cannot do.`)
    replies.push([key, await ask(question)])
  }
  return {
    ...(replies.length > 0 && { inputResponses: Object.fromEntries(replies) }),
    ...(typeof state === 'string' && { requestState: state }),
  }
}

/** What a request of a server of 2025-11-25 is answered with. */
export async function answerServer(
  method: string,
  params: JsonObject,
  ask: Asking | undefined,
): Promise<JsonObject> {
  if (method === 'ping') return { result: {} }
  const question = questionOf(method, params)
  if (question !== undefined && ask !== undefined) return { result: await ask(question) }
  return { error: { code: -32601, message: 'The inspector cannot do this' } }
}

function questionOf(method: string, params: unknown): Question | undefined {
  if (method !== 'elicitation/create') return undefined
  const message = textOf(params, 'message') ?? ''
  const schema = memberOf(params, 'requestedSchema')
  const url = textOf(params, 'url')
  if (textOf(params, 'mode') === 'url') return { message, schema: undefined, url }
  return { message, schema: isObject(schema) ? schema : { type: 'object' }, url: undefined }
}

function cannot(what: string): Failed {
  return new Failed({ kind: 'broken', what })
}
