import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import { askedUri } from './admission.ts'
import { isVisible } from './component.ts'
import type { Exchange } from './exchange.ts'
import { findResource, type Registry } from './registry.ts'

/** Tells those who listen (MCP 2026-07-28 "Subscriptions") what they may hear. */
export interface Listening {
  /** Takes what has changed, and whoever listens; what a listener hears is decided by the exchange that opened it. */
  readonly bus: ServerEventBus
  /** Answers the request of an exchange: what begins to listen meanwhile belongs to it. */
  within<T>(exchange: Exchange, answer: () => T): T
}

type Listener = (event: ServerEvent) => void

/**
 * Makes a {@link Listening}. Whether somebody may read a resource was decided when they subscribed; whether they still
 * may is asked again before they hear that it has changed. Who cannot be known hears of none.
 */
export function listening(registry: Registry): Listening {
  const storage = new AsyncLocalStorage<Exchange>()
  const listeners = new Set<Listener>()

  function permitted(listener: Listener, exchange: Exchange | undefined): Listener {
    return (event) => {
      if (event.kind !== 'resource_updated') return listener(event)
      const entry = findResource(registry, event.uri)?.entry
      if (!entry || !exchange) return
      isVisible(entry, exchange, askedUri(event.uri)).then(
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
