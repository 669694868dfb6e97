import { type AccessToken, AuthError } from '../core/index.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { JsonObject } from './types.ts'

/** What tools, resources and prompts have in common. */
export interface Component {
  readonly name: string
  /** The scopes a caller needs, all of them. */
  readonly scopes: readonly string[]
  /** How it stands in a list, made once. */
  readonly listed: JsonObject
}

/** Who asks. Everything the registry wants to know of authentication. */
export interface Caller {
  readonly auth: AccessToken | undefined
  /** Whether the caller's scopes cover these, the hierarchy counted. */
  covers(scopes: readonly string[]): boolean
}

/** Components of one kind, in the order of their registration. */
export interface ComponentList<Entry extends Component> {
  readonly size: number
  add(entry: Entry): void
  get(name: string): Entry | undefined
  values(): Iterable<Entry>
  /** The lines of those the caller may use. One array for each set of visible components, kept until the next `add`. */
  visible(caller: Caller): readonly JsonObject[]
}

/**
 * The component, if it exists and the caller may use it. Enforced here, at dispatch, so that no transport can miss it.
 *
 * @throws RpcError when there is none
 * @throws AuthError `unauthorized` or `insufficient_scope` when the caller may not
 */
export function permitted<Entry extends Component>(
  entry: Entry | undefined,
  what: string,
  caller: Caller,
): Entry {
  if (!entry) throw new RpcError(rpcCode.invalidParams, `Unknown ${what}`)
  if (entry.scopes.length === 0 || caller.covers(entry.scopes)) return entry
  throw new AuthError(caller.auth ? 'insufficient_scope' : 'unauthorized', undefined, {
    scopes: entry.scopes,
  })
}

/** Different callers see at most this many different lists that are kept; beyond it they are made afresh. */
const keptLists = 64

/** An empty {@link ComponentList}. Names are unique within it. */
export function componentList<Entry extends Component>(kind: string): ComponentList<Entry> {
  const entries = new Map<string, Entry>()
  const requirements = new Map<string, readonly string[]>()
  const lists = new Map<string, readonly JsonObject[]>()
  return {
    get size() {
      return entries.size
    },
    add(entry) {
      if (entries.has(entry.name)) throw new TypeError(`a ${kind} named "${entry.name}" exists already`)
      entries.set(entry.name, entry)
      if (entry.scopes.length > 0) requirements.set(JSON.stringify(entry.scopes), entry.scopes)
      lists.clear()
    },
    get: (name) => entries.get(name),
    values: () => entries.values(),
    visible(caller) {
      // Callers for whom the same requirements are met see the same list, whatever else they may do.
      const key = [...requirements.values()].map((scopes) => (caller.covers(scopes) ? 1 : 0)).join('')
      const kept = lists.get(key)
      if (kept) return kept
      const list = [...entries.values()].filter(
        (entry) => entry.scopes.length === 0 || caller.covers(entry.scopes),
      )
      const listed = Object.freeze(list.map((entry) => entry.listed))
      if (lists.size < keptLists) lists.set(key, listed)
      return listed
    },
  }
}
