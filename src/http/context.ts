import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type AccessToken,
  AuthError,
  type Clock,
  scopeList,
  scopePolicy,
  systemClock,
} from '../core/index.ts'

/** What is known of the request that a function runs for. */
export interface TokenEntry {
  /** Who calls; `undefined` when nobody was authenticated. */
  readonly token: AccessToken | undefined
  /** Decides in {@link requireScopes}; a gate's own, so that its hierarchy counts. Default: exact scopes. */
  readonly covers?: (token: AccessToken, scopes: readonly string[]) => boolean
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

const storage = new AsyncLocalStorage<TokenEntry>()

const exact = scopePolicy()

/**
 * Runs a function for a request: whatever it does, also later and in the background, sees this caller and no other.
 *
 * @returns what `fn` returns
 */
export function runWithToken<T>(entry: TokenEntry, fn: () => T): T {
  return storage.run(entry, fn)
}

/**
 * The token of the request this code runs for. `undefined` outside a request, when nobody was authenticated, and once
 * the token is over: work that goes on in the background loses the identity in time.
 *
 * @example
 * ```ts
 * import { getAccessToken } from 'mcp-bearer/node'
 *
 * export const greet = () => `Hello ${getAccessToken()?.claims['email'] ?? 'stranger'}`
 * ```
 */
export function getAccessToken(): AccessToken | undefined {
  const entry = storage.getStore()
  if (entry?.token === undefined) return undefined
  return entry.token.isExpired((entry.clock ?? systemClock)()) ? undefined : entry.token
}

/**
 * The token of the request this code runs for, for code that must not run without one.
 *
 * @throws AuthError `unauthorized` where {@link getAccessToken} gives `undefined`
 *
 * @example
 * ```ts
 * import { requireAuth } from 'mcp-bearer/node'
 *
 * export const owner = () => requireAuth().subject
 * ```
 */
export function requireAuth(): AccessToken {
  const token = getAccessToken()
  if (token === undefined) throw new AuthError('unauthorized')
  return token
}

/**
 * The token of the request this code runs for, which must have all the scopes (MCP authorization, "Runtime
 * Insufficient Scope Errors"). The scope hierarchy of the gate counts.
 *
 * @throws AuthError `unauthorized` without a token; `insufficient_scope` naming all the scopes when one is missing
 * @throws TypeError when no scope is given, or something that is no scope
 *
 * @example
 * ```ts
 * import { requireScopes } from 'mcp-bearer/node'
 *
 * export const remove = (path: string) => {
 *   requireScopes('files:read', 'files:write')
 *   return `${path} removed`
 * }
 * ```
 */
export function requireScopes(...scopes: readonly string[]): AccessToken {
  if (scopes.some(Array.isArray))
    throw new TypeError("give requireScopes its scopes one by one: requireScopes('a', 'b')")
  const needed = scopeList('requireScopes', scopes)
  if (needed.length === 0)
    throw new TypeError('requireScopes needs at least one scope; use requireAuth for none')
  const token = requireAuth()
  const { covers = holds } = storage.getStore() ?? {}
  if (!covers(token, needed)) throw new AuthError('insufficient_scope', undefined, { scopes: needed })
  return token
}

function holds(token: AccessToken, scopes: readonly string[]): boolean {
  return exact.covers(token.scopes, scopes)
}
