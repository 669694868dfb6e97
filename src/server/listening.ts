import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import { runWithToken } from '../http/context.ts'
import { askedUri } from './admission.ts'
import { isVisible } from './component.ts'
import type { Exchange } from './exchange.ts'
import { type ListName, listNews } from './list-news.ts'
import { findResource } from './registry.ts'
import type { Served } from './served.ts'

/** Tells those who listen (MCP 2026-07-28 "Subscriptions") what they may hear. */
export interface Listening {
  /** Takes what has changed, and whoever listens; what a listener hears is decided by the exchange that opened it. */
  readonly bus: ServerEventBus
  /** Answers the request of an exchange: what begins to listen meanwhile belongs to it. */
  within<T>(exchange: Exchange, answer: () => T): T
}

type Listener = (event: ServerEvent) => void

const lists = {
  tools_list_changed: 'tools',
  prompts_list_changed: 'prompts',
  resources_list_changed: 'resources',
} as const satisfies Record<Exclude<ServerEvent['kind'], 'resource_updated'>, ListName>

/**
 * Makes a {@link Listening}. Whether somebody may read a resource was decided when they subscribed; whether they still
 * may is asked again before they hear that it has changed. Who cannot be known hears of none.
 */
export function listening({ registry, covers, clock }: Served): Listening {
  const storage = new AsyncLocalStorage<Exchange>()
  const listeners = new Set<Listener>()

  function permitted(listener: Listener, exchange: Exchange | undefined): Listener {
    const concerns = listNews(registry, exchange?.auth?.tools)
    return (event) => {
      if (event.kind !== 'resource_updated') return void (concerns(lists[event.kind]) && listener(event))
      const entry = findResource(registry, event.uri)?.entry
      if (!entry || !exchange) return
      // A rule may ask who calls: that is not whoever made the change.
      const asker = { token: exchange.auth, covers, clock }
      runWithToken(asker, () => isVisible(entry, exchange, askedUri(event.uri))).then(
        (may) => {
          if (may) listener(event)
        },
        // A rule that throws lets nobody hear.
        () => {},
      )
    }
  }

  return {
    bus: {
      publish(event) {
        for (const listener of listeners) listener(event)
      },
      subscribe(listener) {
        const own = permitted(listener, storage.getStore())
        listeners.add(own)
        return () => void listeners.delete(own)
      },
    },
    within: (exchange, answer) => storage.run(exchange, answer),
  }
}
