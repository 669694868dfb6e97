import { batch, type Signal, signal } from '@preact/signals'
import { type McpClient, mcpClient } from '../mcp/mcp-client.ts'
import { memberOf } from '../mcp/message.ts'
import type { ServerFacts } from '../mcp/negotiate.ts'
import { type Problem, problemOf, problemWords } from '../mcp/problem.ts'
import { parsedJson } from '../mcp/read-answer.ts'
import { tracedFetch } from '../net/traced-fetch.ts'
import { config, connection, onTokenChange, token } from '../state.ts'
import { type Item, itemsOf, kinds, withCatalogue } from './item.ts'

/** What the server offers to the holder of the token. */
export interface Lists {
  readonly state: 'loading' | 'ready' | 'failed'
  readonly items: readonly Item[]
  /** Why a list may not be whole. */
  readonly notes: readonly string[]
  readonly problem: Problem | undefined
}

const nothing: Lists = { state: 'loading', items: [], notes: [], problem: undefined }

export const lists: Signal<Lists> = signal(nothing)

/** Scopes a call was refused for the lack of, by the key of what was called. */
export const refusedScopes: Signal<ReadonlyMap<string, readonly string[]>> = signal(new Map())

let current: McpClient | undefined
let hasStarted = false

/** Loads the lists now, and again whenever the token changes. Once. */
export function startLists(): void {
  if (hasStarted) return
  hasStarted = true
  onTokenChange(() => {
    current?.close()
    current = undefined
    lists.value = nothing
    refusedScopes.value = new Map()
    void loadLists()
  })
  void loadLists()
}

/** The client of the current token. */
export function client(): McpClient {
  current ??= mcpClient({
    endpoint: config.peek().endpoint ?? '/mcp',
    fetch: tracedFetch,
    token: token.peek() === '' ? undefined : token.peek(),
  })
  return current
}

/** Loads everything anew. What comes for an older token is thrown away. */
export async function loadLists(): Promise<void> {
  const mine = client()
  const isMine = () => mine === current
  // What is there stays until there is something else: whoever is in the middle of it keeps their place.
  lists.value = { ...nothing, items: lists.peek().items }
  connection.value = { state: 'connecting' }
  const catalogue = loadCatalogue()
  try {
    const server = await mine.connect()
    if (!isMine()) return
    connection.value = {
      state: 'ready',
      revision: server.revision,
      ...(server.name !== '' && { serverName: server.name }),
      ...(server.version !== '' && { serverVersion: server.version }),
    }
    const { items, notes } = await offered(mine, server)
    const all = withCatalogue(items, await catalogue)
    if (isMine()) lists.value = { state: 'ready', items: all, notes, problem: undefined }
  } catch (error) {
    const all = withCatalogue([], await catalogue)
    if (isMine()) failed(problemOf(error), all)
  }
}

function failed(problem: Problem, items: readonly Item[]): void {
  batch(() => {
    lists.value = { state: 'failed', items, notes: [], problem }
    if (connection.peek().state === 'ready') return
    const state = problem.kind === 'refused' ? 'refused' : 'failed'
    connection.value = { state, problem: problemWords(problem).title }
  })
}

async function offered(
  from: McpClient,
  { capabilities }: ServerFacts,
): Promise<{ items: Item[]; notes: string[] }> {
  const notes: string[] = []
  const items: Item[] = []
  for (const { kind, capability, method, member } of kinds) {
    if (memberOf(capabilities, capability) === undefined) continue
    try {
      const listed = await from.list(method, member)
      items.push(...itemsOf(kind, listed.items))
      if (listed.cut !== undefined) notes.push(listed.cut)
    } catch (error) {
      const problem = problemOf(error)
      // Servers with resources and no templates often do not have the method.
      if (problem.kind === 'rpc' && problem.code === -32601) continue
      if (problem.kind === 'refused' || problem.kind === 'cancelled' || problem.kind === 'unreachable')
        throw error
      const { title, said } = problemWords(problem)
      notes.push(`${method}: ${title}. ${said}`.trim())
    }
  }
  return { items, notes }
}

/** The public catalogue, where the server has one: what it names and the list does not is locked. */
async function loadCatalogue(): Promise<unknown> {
  const { openMcp } = config.peek()
  if (openMcp === undefined) return undefined
  try {
    const answer = await tracedFetch({ purpose: 'catalogue', method: 'GET', path: openMcp })
    return answer.ok ? parsedJson(await answer.text()) : undefined
  } catch {
    return undefined
  }
}
