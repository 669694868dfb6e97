import { attendant } from './attendant.ts'
import { type CallHooks, callOnce } from './call-once.ts'
import type { Exchanged, Wire } from './exchange.ts'
import { isObject, type JsonObject, listOf, memberOf, textOf } from './message.ts'
import { legacyHeaders, meet, type ServerFacts } from './negotiate.ts'
import { Failed, problemOf } from './problem.ts'
import { type Answers, answersTo } from './questions.ts'

/** A list of a server, all its pages. */
export interface Listed {
  readonly items: readonly JsonObject[]
  /** Why there may be more than this. */
  readonly cut: string | undefined
}

/** One server, as the holder of one token meets it. */
export interface McpClient {
  /** Meets the server, once; again after it failed. */
  connect(): Promise<ServerFacts>
  /**
   * Makes a request, answering what the server asks on the way.
   * @throws Failed
   */
  request(method: string, params: JsonObject, hooks?: CallHooks): Promise<JsonObject>
  /** @throws Failed */
  list(method: string, member: string): Promise<Listed>
  /** Ends what is on its way, and the session. */
  close(): void
}

const mostPages = 50
/** A server that asks more often than this before it answers does not come to an end. */
const mostRounds = 10

/** Makes a client; nothing is sent before it is used. */
export function mcpClient(wire: Wire): McpClient {
  let lastId = 0
  const numbers = () => ++lastId
  const closing = new AbortController()
  const attend = attendant(wire, closing.signal)
  let meeting: Promise<ServerFacts> | undefined

  function connect(): Promise<ServerFacts> {
    const met = meeting ?? meet(wire, numbers, closing.signal)
    meeting = met
    met.catch(() => {
      if (meeting === met) meeting = undefined
    })
    return met
  }

  /** A session the server has forgotten is opened anew, once (MCP 2025-11-25 "Session Management"). */
  async function send(method: string, params: JsonObject, hooks: CallHooks): Promise<Exchanged> {
    const met = connect()
    const server = await met
    const call = () => ({ id: numbers(), method, params, hooks, closing: closing.signal })
    try {
      const answer = await attend(server, hooks, () => callOnce(wire, server, call()))
      if (server.session === undefined || answer.status !== 404) return answer
    } catch (error) {
      const problem = problemOf(error)
      if (server.session === undefined || problem.kind !== 'http' || problem.status !== 404) throw error
    }
    if (meeting === met) meeting = undefined
    const anew = await connect()
    return attend(anew, hooks, () => callOnce(wire, anew, call()))
  }

  const request: McpClient['request'] = async (method, params, hooks = {}) => {
    try {
      return await inRounds((answers) => send(method, { ...params, ...answers }, hooks), hooks)
    } catch (error) {
      throw hooks.signal?.aborted ? new Failed({ kind: 'cancelled' }) : new Failed(problemOf(error))
    }
  }

  return {
    connect,
    request,
    list: (method, member) => allPages((params) => request(method, params), member),
    close() {
      closing.abort()
      if (meeting) farewell(wire, meeting).catch(() => {})
    },
  }
}

/** Makes a request again and again until it has all the answers it asks for (MCP "Multi Round-Trip Requests"). */
async function inRounds(
  send: (answers: Answers) => Promise<Exchanged>,
  hooks: CallHooks,
): Promise<JsonObject> {
  let answers: Answers = {}
  for (let round = 0; round <= mostRounds; round++) {
    const { outcome } = await send(answers)
    if ('error' in outcome) throw new Failed({ kind: 'rpc', ...outcome.error })
    if (memberOf(outcome.result, 'resultType') !== 'input_required') return outcome.result
    answers = await answersTo(outcome.result, hooks.ask)
    hooks.signal?.throwIfAborted()
  }
  throw new Failed({
    kind: 'broken',
    what: `The server asked ${mostRounds} times and did not come to an end.`,
  })
}

async function allPages(
  request: (params: JsonObject) => Promise<JsonObject>,
  member: string,
): Promise<Listed> {
  const items: JsonObject[] = []
  const seen = new Set<string>()
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const result = await request(cursor === undefined ? {} : { cursor })
    for (const item of listOf(result, member)) if (isObject(item)) items.push(item)
    cursor = textOf(result, 'nextCursor')
    if (cursor === undefined) return { items, cut: undefined }
    if (seen.has(cursor)) return { items, cut: 'The server names the same next page again and again.' }
    seen.add(cursor)
  }
  return { items, cut: `The list has more than ${mostPages} pages. The rest is left out.` }
}

/** Says that the session is not needed any more. Servers that have none, or do not let go of them, are left alone. */
async function farewell({ endpoint, fetch, token }: Wire, meeting: Promise<ServerFacts>): Promise<void> {
  const server = await meeting
  if (server.session === undefined) return
  const headers = legacyHeaders(server)
  const answer = await fetch({ purpose: 'call', method: 'DELETE', path: endpoint, headers, token })
  await answer.body?.cancel()
}
