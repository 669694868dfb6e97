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
 * @param shownAs the name under which the caller knows the component, who may have asked a server it is mounted in
 * @throws AuthError when the caller may not
 */
export type AccessRule = (caller: Caller, asked: Asked, shownAs: string) => Promise<void>

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

/**
 * Whom a session or an answer belongs to. Everybody who is not known is one. Who is bound to tools is somebody else than
 * the same principal without a bound, or with another one: what was begun with more is not carried on with less.
 */
export function principalKey({ auth }: Pick<Caller, 'auth'>): string {
  if (!auth) return ''
  const principal = principalOf(auth)
  return auth.tools === undefined ? principal : JSON.stringify([principal, auth.tools])
}

/** Whom a limit counts for. Callers who are not known are told apart by where they come from, if that is known. */
export function turnKey({ auth, address }: Pick<Caller, 'auth' | 'address'>): string {
  return auth ? principalOf(auth) : (address ?? '')
}

/**
 * Whether a token that is bound to tools may use this. No pattern stands in a list of tools, and nothing but tools can be
 * named there.
 *
 * @param shownAs the name under which the caller knows it
 */
export function isWithinTools({ auth }: Pick<Caller, 'auth'>, kind: ComponentKind, shownAs: string): boolean {
  return auth?.tools === undefined || (kind === 'tool' && auth.tools.includes(shownAs))
}

/**
 * Makes sure that the caller may use the component. Asked before anything of an answer has left, and enforced again at
 * dispatch, so that no transport can miss it.
 *
 * @param shownAs the name under which the caller knows it. Default: its own
 * @returns nothing, or a promise of it when a rule has to be asked
 * @throws AuthError `unauthorized`, `insufficient_scope` naming all scopes, or `access_denied`
 */
export function admit(
  entry: Component,
  caller: Caller,
  asked: Asked,
  shownAs: string = entry.name,
): void | Promise<void> {
  // Before the scopes: no scope would help.
  if (!isWithinTools(caller, entry.kind, shownAs)) throw new AuthError('access_denied')
  if (entry.scopes.length > 0 && !caller.covers(entry.scopes)) {
    throw new AuthError(caller.auth ? 'insufficient_scope' : 'unauthorized', undefined, {
      scopes: entry.scopes,
    })
  }
  return entry.rule?.(caller, asked, shownAs)
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
