import { AuthError } from '../core/index.ts'
import { type Asked, admit, type Component, isWithinTools, turnKey } from './component.ts'
import type { Exchange } from './exchange.ts'
import { findResource, type Registry } from './registry.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { Served } from './served.ts'
import { normalUri } from './uri-template.ts'

/** A component a message is about, and what it wants of it. */
export interface Addressed {
  readonly entry: Component
  readonly asked: Asked
}

/**
 * Decides whether the sender of a message may have it carried out, before anything runs: the scopes and rules of what it
 * asks for first, then how often. Read from the body, after the headers were found to agree with it.
 *
 * @returns nothing, or a promise of it when a rule has to be asked
 * @throws AuthError when the sender may not
 * @throws RpcError when it subscribes to what does not exist
 */
export function admitMessage(
  served: Served,
  exchange: Exchange,
  method: string,
  params: unknown,
): void | Promise<void> {
  const addressed = addressedBy(served.registry, method, params)
  if (addressed.length === 0) return takeTurn(served, exchange)
  const [first] = addressed
  if (addressed.length === 1 && first && !first.entry.rule) {
    permit(exchange, first)
    return takeTurn(served, exchange)
  }
  return permitAll(exchange, addressed).then(() => takeTurn(served, exchange))
}

/**
 * Makes sure, where a component is about to be used, that the sender was admitted to it.
 * @throws AuthError when the sender may not
 */
export function ensureAdmitted(
  exchange: Exchange,
  entry: Component,
  asked: Asked,
): undefined | Promise<void> {
  return exchange.permitted === entry ? undefined : (permit(exchange, { entry, asked }) ?? undefined)
}

function permit(exchange: Exchange, { entry, asked }: Addressed): void | Promise<void> {
  const pending = admit(entry, exchange, asked)
  const done = () => {
    const wait = entry.turns?.(exchange)
    if (wait !== undefined) throw new AuthError('rate_limited', undefined, { retryAfter: wait })
    exchange.permitted = entry
  }
  return pending ? pending.then(done) : done()
}

async function permitAll(exchange: Exchange, addressed: readonly Addressed[]): Promise<void> {
  for (const one of addressed) await permit(exchange, one)
}

function takeTurn({ limiter }: Served, exchange: Exchange): void {
  const wait = limiter?.take(turnKey(exchange))
  if (wait !== undefined) throw new AuthError('rate_limited', undefined, { retryAfter: wait })
}

export { principalKey, turnKey } from './component.ts'

/** URIs of one subscription, and of one client of 2025-11-25: each is asked about whenever it changes. */
export const mostSubscriptions = 1000

/** What a message asks for that not everybody may have. */
function addressedBy(registry: Registry, method: string, params: unknown): readonly Addressed[] {
  const { name, uri, arguments: args, notifications } = (params ?? {}) as Record<string, unknown>
  switch (method) {
    case 'tools/call':
      return one(registry.tools.get(textOf(name)), { arguments: args })
    case 'prompts/get':
      return one(registry.prompts.get(textOf(name)), { arguments: args })
    case 'resources/read':
    case 'resources/subscribe':
      return one(findResource(registry, textOf(uri))?.entry, askedUri(uri))
    case 'subscriptions/listen': {
      const { resourceSubscriptions: uris } = (notifications ?? {}) as Record<string, unknown>
      return Array.isArray(uris) ? subscribed(registry, uris) : []
    }
    default:
      return []
  }
}

function one(entry: Component | undefined, asked: Asked): readonly Addressed[] {
  return entry ? [{ entry, asked }] : []
}

/** What does not exist may come into being later, with scopes: nobody waits for it. */
function subscribed(registry: Registry, uris: readonly unknown[]): readonly Addressed[] {
  if (uris.length > mostSubscriptions) throw new RpcError(rpcCode.invalidRequest, 'Too many subscriptions')
  return uris.map((uri) => {
    const entry = findResource(registry, textOf(uri))?.entry
    if (!entry) throw new RpcError(rpcCode.invalidParams, 'Unknown resource')
    return { entry, asked: askedUri(uri) }
  })
}

/** What is asked of something that is no tool, of whatever there is or is not. */
const beyondTools: ReadonlySet<string> = new Set([
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/get',
  'completion/complete',
])

/**
 * A token that is bound to tools learns nothing of what else there is: the answer is the same whether it exists or not. So
 * this comes before anything is looked up.
 * @throws AuthError `access_denied`
 */
export function refuseBeyondTools(exchange: Exchange, method: string, params: unknown): void {
  if (exchange.auth?.tools === undefined) return
  const { name, notifications } = (params ?? {}) as Record<string, unknown>
  const { resourceSubscriptions: uris } = (notifications ?? {}) as Record<string, unknown>
  const isBeyond =
    method === 'tools/call'
      ? !isWithinTools(exchange, 'tool', textOf(name))
      : beyondTools.has(method) || (Array.isArray(uris) && uris.length > 0)
  if (isBeyond) throw new AuthError('access_denied')
}

/** A rule compares the URI: another spelling of what it forbids must not get past it. */
export function askedUri(uri: unknown): Asked {
  return { uri: normalUri(textOf(uri)) ?? '' }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
