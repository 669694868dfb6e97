import type { Server } from '@modelcontextprotocol/server'
import type { Registry } from './registry.ts'

/** The lists whose changes clients are told of (MCP "List Changed Notification"). */
export type ListName = 'tools' | 'prompts' | 'resources'

/** Whether a client hears that a list has changed. Asked once for each change. */
export type ListNews = (list: ListName) => boolean

/**
 * Makes the {@link ListNews} of one client. Everybody hears of everything, as it says no more than that something has
 * changed. But who is bound to tools shall not even know that there is something else: they hear when one of theirs has
 * come, gone, or become another.
 *
 * @param bound the `tools` of its token
 */
export function listNews({ tools }: Registry, bound: readonly string[] | undefined): ListNews {
  if (bound === undefined) return () => true
  const now = () => bound.map((name) => tools.get(name))
  let known = now()
  return (list) => {
    if (list !== 'tools') return false
    const before = known
    known = now()
    return known.some((entry, at) => entry !== before[at])
  }
}

/** Tells the client of an SDK server. Rejects where it was never told that there are such lists. */
export function sendListChanged(server: Server, list: ListName): Promise<void> {
  if (list === 'tools') return server.sendToolListChanged()
  return list === 'prompts' ? server.sendPromptListChanged() : server.sendResourceListChanged()
}
