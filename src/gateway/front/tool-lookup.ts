import type { Clock } from '../../core/index.ts'
import { isObject } from '../../verify/json.ts'
import type { JsonObject, RpcMessage } from '../message.ts'
import { type Passage, type Upstream, UpstreamError } from '../upstream.ts'

/** Knows how the tools of the server behind the gateway describe themselves. */
export interface ToolLists {
  /** How a tool describes itself to this caller; `undefined` when there is none of this name. */
  tool(passage: Passage, name: string): Promise<JsonObject | undefined>
  /** Looks at what goes back: when the server says that its tools have changed, they are asked for again. */
  heard(passage: Passage, answer: RpcMessage): void
}

/** Milliseconds for which a list is believed. */
const believed = 60_000
/** Milliseconds for which a list in which a tool was not found is believed. */
const believedWithout = 1000
/** Lists that are remembered. */
const mostLists = 1000
/** Of one list. More is no list of tools. */
const most = { pages: 100, tools: 10_000 } as const

interface ToolList {
  /** When it was asked for, in milliseconds since 1970. */
  readonly at: number
  readonly tools: Promise<ReadonlyMap<string, JsonObject>>
}

/**
 * Makes {@link ToolLists}. What one principal is shown says nothing of what another one is: each has lists of its own, and
 * so has each session, whose tools may be others.
 */
export function toolLists(upstream: Upstream, clock: Clock): ToolLists {
  const lists = new Map<string, ToolList>()

  function listOf(passage: Passage, key: string, maxAge: number): ToolList {
    const now = clock()
    const known = lists.get(key)
    // A clock that was set back must not make it last.
    if (known && Math.abs(now - known.at) < maxAge) return known
    lists.delete(key)
    const list = { at: now, tools: toolsOf(upstream, passage) }
    list.tools.catch(() => {
      if (lists.get(key) === list) lists.delete(key)
    })
    lists.set(key, list)
    if (lists.size > mostLists) lists.delete(lists.keys().next().value!)
    return list
  }

  return {
    async tool(passage, name) {
      const key = keyOf(passage)
      const found = (await listOf(passage, key, believed).tools).get(name)
      return found ?? (await listOf(passage, key, believedWithout).tools).get(name)
    },
    heard(passage, { method }) {
      if (method === 'notifications/tools/list_changed') lists.delete(keyOf(passage))
    },
  }
}

function keyOf({ principal, incoming }: Passage): string {
  return JSON.stringify([principal, incoming.header('mcp-session-id') ?? null])
}

/** Every page of the list (MCP "Pagination"). Only what a rule goes by is kept: descriptions can be as long as books. */
async function toolsOf(upstream: Upstream, passage: Passage): Promise<ReadonlyMap<string, JsonObject>> {
  const found = new Map<string, JsonObject>()
  let cursor: string | undefined
  for (let page = 0; page < most.pages; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const { tools, nextCursor } = await upstream.ask(passage, 'tools/list', params)
    if (!Array.isArray(tools)) break
    for (const tool of tools) remember(found, tool)
    if (typeof nextCursor !== 'string') return found
    if (found.size > most.tools) break
    cursor = nextCursor
  }
  throw new UpstreamError('broken', 'The server gave no list of its tools, so none can be let through.')
}

/** Of two tools with one name nobody knows which one runs: neither describes it. */
function remember(found: Map<string, JsonObject>, tool: unknown): void {
  if (!isObject(tool) || typeof tool.name !== 'string') return
  const { name, annotations } = tool
  const isTwice = found.has(name)
  found.set(name, isTwice || !isObject(annotations) ? { name } : { name, annotations })
}
