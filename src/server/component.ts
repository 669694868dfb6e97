import { type AccessToken, AuthError, principalOf } from '../core/index.ts'
import type { Incoming } from './exchange.ts'
import type { JsonObject } from './types.ts'

/** What a component is. */
export type ComponentKind = 'tool' | 'resource' | 'resource template' | 'prompt'

/** What a caller wants of a component; `undefined` members when it is only a question of seeing it. */
export interface Asked {
  /** The arguments of a call, as they were sent: not validated yet. */
  readonly arguments?: unknown
  /** The URI that is read or subscribed to, in one spelling for all of its spellings. */
  readonly uri?: string
}

/** What tools, resources and prompts have in common. */
export interface Component {
  readonly kind: ComponentKind
  readonly name: string
  /** The scopes a caller needs, all of them. */
  readonly scopes: readonly string[]
  /** How it stands in a list, made once. */
  readonly listed: JsonObject
  /** Set when more than the scopes decides: a rule of its author, or the `auth` of the server it was mounted from. */
  readonly rule: AccessRule | undefined
  /** Set when one principal may use it so often and not more. */
  readonly turns: Turns | undefined
}

/**
 * Decides about one caller beyond the scopes.
 *
 * @throws AuthError when the caller may not
 */
export type AccessRule = (caller: Caller, asked: Asked) => Promise<void>

/** Takes a turn of the caller's. Returns nothing, or the seconds to wait when there is none left. */
export type Turns = (caller: Caller) => number | undefined

/** Who asks. Everything the registry wants to know of authentication. */
export interface Caller {
  readonly auth: AccessToken | undefined
  /** The request that brought the caller; `undefined` over stdio. */
  readonly incoming: Incoming | undefined
  /** Where a caller comes from who is not known otherwise. */
  readonly address?: string | undefined
  /** Whether the caller's scopes cover these, the hierarchy counted. */
  covers(scopes: readonly string[]): boolean
}

/** Whom a session or an answer belongs to. Everybody who is not known is one. */
export function principalKey({ auth }: Pick<Caller, 'auth'>): string {
  return auth ? principalOf(auth) : ''
}

/** Whom a limit counts for. Callers who are not known are told apart by where they come from, if that is known. */
export function turnKey({ auth, address }: Pick<Caller, 'auth' | 'address'>): string {
  return auth ? principalOf(auth) : (address ?? '')
}

/**
 * Makes sure that the caller may use the component. Asked before anything of an answer has left, and enforced again at
 * dispatch, so that no transport can miss it.
 *
 * @returns nothing, or a promise of it when a rule has to be asked
 * @throws AuthError `unauthorized`, `insufficient_scope` naming all scopes, or `access_denied`
 */
export function admit(entry: Component, caller: Caller, asked: Asked): void | Promise<void> {
  if (entry.scopes.length > 0 && !caller.covers(entry.scopes)) {
    throw new AuthError(caller.auth ? 'insufficient_scope' : 'unauthorized', undefined, {
      scopes: entry.scopes,
    })
  }
  return entry.rule?.(caller, asked)
}

/** The codes that keep a component out of a list; any other failure is one of the list. */
const hiding: ReadonlySet<string> = new Set([
  'unauthorized',
  'invalid_token',
  'insufficient_scope',
  'access_denied',
])

/** Whether the caller may know of the component: see it in a list, or hear that it has changed. */
export async function isVisible(entry: Component, caller: Caller, asked: Asked = {}): Promise<boolean> {
  try {
    await admit(entry, caller, asked)
    return true
  } catch (error) {
    if (error instanceof AuthError && hiding.has(error.code)) return false
    throw error
  }
}
