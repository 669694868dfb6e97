import type { Server, ServerContext } from '@modelcontextprotocol/server'
import type { AccessToken } from '../core/index.ts'
import { askedUri } from './admission.ts'
import type { Changes } from './changes.ts'
import { isVisible } from './component.ts'
import { type Exchange, exchange } from './exchange.ts'
import { type ListName, listNews, sendListChanged } from './list-news.ts'
import { findResource } from './registry.ts'
import { sdkServer } from './sdk-server.ts'
import type { Served } from './served.ts'

/** A running stdio connection. */
export interface StdioConnection {
  /** Ends the connection. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves one client over standard input and output. There is no bearer token on stdio (MCP authorization, "Protocol
 * Requirements"): components with scopes stay closed unless an identity is given.
 */
export async function serveStdio(
  served: Served,
  changes: Changes,
  auth: AccessToken | undefined,
): Promise<StdioConnection> {
  const [sdk, { serveStdio: serve }] = await Promise.all([
    import('@modelcontextprotocol/server'),
    import('@modelcontextprotocol/server/stdio'),
  ])
  const subscriptions = new Set<string>()
  /** One exchange for each request: what is decided about one is not decided about the next. */
  const exchanges = new WeakMap<AbortSignal, Exchange>()
  function exchangeOf({ mcpReq }: ServerContext): Exchange {
    const known = exchanges.get(mcpReq.signal) ?? exchange(auth, served.covers)
    exchanges.set(mcpReq.signal, known)
    return known
  }
  let server: Server | undefined
  let isLegacy = false
  const handle = serve(
    ({ era }) => {
      isLegacy = era === 'legacy'
      const requestIdOf = ({ mcpReq }: ServerContext) => mcpReq.id
      server = sdkServer(sdk, served, { exchangeOf, requestIdOf, client: { subscriptions } })
      return server
    },
    { onerror: (error) => served.logger({ level: 'info', event: 'protocol', message: error.message }) },
  )
  // A client that was not told of something is not told of its changes either.
  const tell = (change: (to: Server) => Promise<void>) => void (server && change(server).catch(() => {}))
  const concerns = listNews(served.registry, auth?.tools)
  const listChanged = (list: ListName) => {
    if (concerns(list)) tell((to) => sendListChanged(to, list))
  }
  const forget = changes.listen({
    toolsChanged: () => listChanged('tools'),
    promptsChanged: () => listChanged('prompts'),
    resourcesChanged: () => listChanged('resources'),
    resourceUpdated: (uri) =>
      tell(async (to) => {
        // Since 2026-07-28 the protocol engine keeps who wants to hear of what.
        if (isLegacy && !subscriptions.has(uri)) return
        const entry = findResource(served.registry, uri)?.entry
        if (entry && (await isVisible(entry, exchange(auth, served.covers), askedUri(uri))))
          await to.sendResourceUpdated({ uri })
      }),
  })
  const close = () => {
    forget()
    return handle.close()
  }
  return { close, [Symbol.asyncDispose]: close }
}
