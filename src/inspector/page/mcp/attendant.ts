import { type CallHooks, heard, reply } from './call-once.ts'
import type { Wire } from './exchange.ts'
import { isObject, type JsonObject, memberOf } from './message.ts'
import type { ServerFacts } from './negotiate.ts'
import { openNews } from './news-stream.ts'

/** Does something while the page listens to what the server says beside its answers. */
export type Attend = <T>(server: ServerFacts, hooks: CallHooks, work: () => Promise<T>) => Promise<T>

/**
 * Listens to a server of 2025-11-25 as long as calls are made of which somebody can be asked. What it asks beside all
 * answers belongs to the last call that was made: the server does not say.
 */
export function attendant(wire: Wire, closing: AbortSignal): Attend {
  const running: CallHooks[] = []
  let session: string | undefined
  let opening: Promise<void> | undefined

  function said(server: ServerFacts, message: unknown): void {
    const [method, from] = [memberOf(message, 'method'), memberOf(message, 'id')]
    const params = memberOf(message, 'params')
    const hooks = running.at(-1)
    if (typeof method !== 'string' || hooks === undefined) return
    const given: JsonObject = isObject(params) ? params : {}
    hooks.onMessage?.(message, 'came')
    if (from === undefined) heard(method, given, undefined, hooks)
    else if (typeof from === 'string' || typeof from === 'number')
      void reply(wire, server, { from, method, params: given, hooks, closing })
  }

  function listening(server: ServerFacts): Promise<void> {
    if (opening !== undefined && session === server.session) return opening
    session = server.session
    const mine = openNews(wire, server, closing, {
      said: (message) => said(server, message),
      ended() {
        if (opening === mine) opening = undefined
      },
    })
    opening = mine
    return mine
  }

  return async (server, hooks, work) => {
    if (server.session === undefined || hooks.ask === undefined) return work()
    running.push(hooks)
    try {
      await listening(server)
      return await work()
    } finally {
      running.splice(running.indexOf(hooks), 1)
    }
  }
}
