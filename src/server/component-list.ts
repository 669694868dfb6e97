import { type Caller, type Component, isVisible } from './component.ts'
import type { JsonObject } from './types.ts'

/** Components of one kind, in the order of their registration. */
export interface ComponentList<Entry extends Component> {
  /** Whether there is any, or was: what a client was told of does not cease to exist, it is empty. */
  readonly isOffered: boolean
  add(entry: Entry): void
  /** @returns whether there was one of that name */
  remove(name: string): boolean
  get(name: string): Entry | undefined
  /** All, those of mounted servers behind the server's own. */
  values(): Iterable<Entry>
  /** Shows the components of another list, each as `lend` presents it; what is added there later is seen here too. */
  mount(other: ComponentList<Entry>, lend: Lend<Entry>): void
  /** The lines of those the caller may use. One array for each set of visible components, kept until something changes. */
  visible(caller: Caller): readonly JsonObject[] | Promise<readonly JsonObject[]>
  /** Whether a rule decides about one of them, and so who asks about what they see. */
  readonly isRuled: boolean
  /** Calls back whenever the list has become another one. */
  onChange(listener: () => void): void
}

/** How the components of a mounted server look from outside. */
export interface Lend<Entry> {
  /** The name there of what has this name here; `undefined` when it cannot be one of theirs. */
  nameThere(name: string): string | undefined
  present(entry: Entry): Entry
}

/** Different callers see at most this many different lists that are kept; beyond it they are made afresh. */
const keptLists = 64

interface Mounted<Entry extends Component> {
  readonly list: ComponentList<Entry>
  readonly lend: Lend<Entry>
}

/** An empty {@link ComponentList}. Names are unique within it. */
export function componentList<Entry extends Component>(kind: string): ComponentList<Entry> {
  const entries = new Map<string, Entry>()
  const mounted: Mounted<Entry>[] = []
  const listeners: (() => void)[] = []
  const visible = visibility(() => values())
  let all: readonly Entry[] | undefined
  let wasOffered = false

  function changed(): void {
    all = undefined
    visible.forget()
    for (const listener of listeners) listener()
  }

  function values(): readonly Entry[] {
    all ??= together(entries, mounted)
    return all
  }

  return {
    get isOffered() {
      wasOffered ||= values().length > 0
      return wasOffered
    },
    add(entry) {
      if (entries.has(entry.name)) throw new TypeError(`a ${kind} named "${entry.name}" exists already`)
      entries.set(entry.name, entry)
      changed()
    },
    remove(name) {
      const existed = entries.delete(name)
      if (existed) changed()
      return existed
    },
    get(name) {
      const own = entries.get(name)
      if (own || mounted.length === 0) return own
      for (const { list, lend } of mounted) {
        const there = lend.nameThere(name)
        const entry = there === undefined ? undefined : list.get(there)
        if (entry) return lend.present(entry)
      }
      return undefined
    },
    values,
    mount(list, lend) {
      mounted.push({ list, lend })
      list.onChange(changed)
      changed()
    },
    visible: (caller) => visible.of(caller),
    get isRuled() {
      return visible.isRuled
    },
    onChange: (listener) => void listeners.push(listener),
  }
}

/** Of two with one name the first is there, and the other is not. */
function together<Entry extends Component>(
  own: ReadonlyMap<string, Entry>,
  mounted: readonly Mounted<Entry>[],
): readonly Entry[] {
  const found = new Map(own)
  for (const { list, lend } of mounted) {
    for (const entry of list.values()) {
      const shown = lend.present(entry)
      if (!found.has(shown.name)) found.set(shown.name, shown)
    }
  }
  return [...found.values()]
}

/**
 * The lists that different callers see. Callers for whom the same requirements are met see the same list, whatever else
 * they may do; where a rule decides, it is asked each time.
 */
function visibility<Entry extends Component>(values: () => readonly Entry[]) {
  const lists = new Map<string, readonly JsonObject[]>()
  let requirements: readonly (readonly string[])[] | undefined
  let ruled = false

  function learn(): readonly (readonly string[])[] {
    const found = new Map<string, readonly string[]>()
    for (const { scopes, rule } of values()) {
      if (scopes.length > 0) found.set(JSON.stringify(scopes), scopes)
      ruled ||= rule !== undefined
    }
    return [...found.values()]
  }

  return {
    get isRuled() {
      requirements ??= learn()
      return ruled
    },
    forget() {
      lists.clear()
      requirements = undefined
      ruled = false
    },
    of(caller: Caller): readonly JsonObject[] | Promise<readonly JsonObject[]> {
      requirements ??= learn()
      if (ruled) return ruledList(values(), caller)
      if (caller.auth?.tools !== undefined) return boundList(values(), caller, caller.auth.tools)
      const key = requirements.map((scopes) => (caller.covers(scopes) ? 1 : 0)).join('')
      const kept = lists.get(key)
      if (kept) return kept
      const list = values().filter(({ scopes }) => covered(caller, scopes))
      const listed = Object.freeze(list.map((entry) => entry.listed))
      if (lists.size < keptLists) lists.set(key, listed)
      return listed
    },
  }
}

/** Made each time: how many different bounds there are is nothing a server decides. */
function boundList(
  values: readonly Component[],
  caller: Caller,
  tools: readonly string[],
): readonly JsonObject[] {
  const bound = new Set(tools)
  return values
    .filter(({ kind, name, scopes }) => kind === 'tool' && bound.has(name) && covered(caller, scopes))
    .map((entry) => entry.listed)
}

function covered(caller: Caller, scopes: readonly string[]): boolean {
  return scopes.length === 0 || caller.covers(scopes)
}

async function ruledList(values: readonly Component[], caller: Caller): Promise<readonly JsonObject[]> {
  const shown = await Promise.all(values.map((entry) => isVisible(entry, caller)))
  return values.filter((_entry, at) => shown[at]).map((entry) => entry.listed)
}
