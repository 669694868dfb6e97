import type { TracedRequest } from '../net/traced-fetch.ts'
import { type JsonObject, memberOf, type Outcome, outcomeOf } from './message.ts'
import { Failed } from './problem.ts'
import { messagesOf, problemOfStatus } from './read-answer.ts'

/** What sends the requests of the page; `tracedFetch` does. */
export type McpFetch = (request: TracedRequest) => Promise<Response>

/** How the page talks to one server. */
export interface Wire {
  readonly endpoint: string
  readonly fetch: McpFetch
  readonly token: string | undefined
}

/** What a server may say while it works on a request. */
export interface Meanwhile {
  notified?(method: string, params: JsonObject): void
  /** A request of the server; the promise is not waited for. */
  asked?(id: string | number, method: string, params: JsonObject): void
  /** Every message that is not taken for something else, too: as it came. */
  came?(message: unknown): void
}

/** What came of one HTTP request. */
export interface Exchanged {
  readonly outcome: Outcome
  readonly status: number
  readonly headers: Headers
}

/** A JSON-RPC request with what goes beside it. */
export interface Outgoing {
  readonly message: JsonObject
  readonly headers: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/**
 * Sends a request and waits for its answer (MCP Streamable HTTP, "Sending Messages to the Server").
 * @throws Failed, or what `fetch` throws
 */
export async function exchange(
  wire: Wire,
  outgoing: Outgoing,
  meanwhile: Meanwhile = {},
): Promise<Exchanged> {
  const response = await post(wire, outgoing)
  const { status, headers } = response
  const problem = await problemOfStatus(response)
  if (problem?.kind === 'http') {
    // 400 and 404 may carry an error of JSON-RPC, which says more than the status.
    const outcome = errorIn(problem.body)
    if (outcome !== undefined) return { outcome, status, headers }
  }
  if (problem !== undefined) throw new Failed(problem)
  return { outcome: await answerIn(response, outgoing.message.id, meanwhile), status, headers }
}

/** Sends a message that has no answer. What becomes of it is not looked at. */
export async function tell(wire: Wire, outgoing: Outgoing): Promise<void> {
  const response = await post(wire, outgoing)
  await response.body?.cancel()
}

function post({ endpoint, fetch, token }: Wire, { message, headers, signal }: Outgoing): Promise<Response> {
  return fetch({
    purpose: 'call',
    method: 'POST',
    path: endpoint,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
    token,
    ...(signal !== undefined && { signal }),
  })
}

async function answerIn(response: Response, id: unknown, meanwhile: Meanwhile): Promise<Outcome> {
  let strays = 0
  for await (const message of messagesOf(response)) {
    meanwhile.came?.(message)
    const method = memberOf(message, 'method')
    const from = memberOf(message, 'id')
    if (typeof method === 'string') {
      const params = (memberOf(message, 'params') ?? {}) as JsonObject
      if (from === undefined) meanwhile.notified?.(method, params)
      else if (typeof from === 'string' || typeof from === 'number') meanwhile.asked?.(from, method, params)
      continue
    }
    const outcome = outcomeOf(message)
    // A server that could not read the request does not know its number (JSON-RPC 2.0, section 5).
    const isOurs = from === id || (from === null && outcome !== undefined && 'error' in outcome)
    if (isOurs && outcome !== undefined) return outcome
    if (from !== undefined) strays += 1
  }
  throw new Failed({ kind: 'broken', what: nothingIn(strays, response.status) })
}

function nothingIn(strays: number, status: number): string {
  if (strays === 1) return 'It is an answer to something the page did not ask.'
  if (strays > 1) return `It holds ${strays} answers to something the page did not ask.`
  return status === 202 ? 'The server took the request and did not answer it.' : 'It ended without an answer.'
}

function errorIn(body: string): Outcome | undefined {
  try {
    const outcome = outcomeOf(JSON.parse(body))
    return outcome !== undefined && 'error' in outcome ? outcome : undefined
  } catch {
    return undefined
  }
}
