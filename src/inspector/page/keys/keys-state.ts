import { type Signal, signal } from '@preact/signals'
import { onTokenChange } from '../state.ts'
import { askKeys, type KeyFacts, type Outcome, type Problem } from './keys-api.ts'

/** The keys that were read up to now, in the order of the server. */
export interface KeyList {
  readonly keys: readonly KeyFacts[]
  /** Where the next page begins; absent on the last one. */
  readonly next?: string | undefined
  readonly isLoading: boolean
  readonly problem?: Problem | undefined
}

/** How often each key was used on each of the last days. */
export interface Usage {
  /** The first day. */
  readonly from: string
  readonly byId: ReadonlyMap<string, readonly number[]>
}

const nothing: KeyList = { keys: [], isLoading: false }

/** Keys of one page of the list. */
const pageSize = 50
/** Ids of one question for uses. */
const mostIds = 100
/** Days of the small pictures. */
const usageDays = 30

/** The list of keys. */
export const list: Signal<KeyList> = signal(nothing)
/** The status that is asked for; empty: any. */
export const wantedStatus: Signal<string> = signal('')
/** What is known of uses by day; absent where the server does not count them. */
export const usage: Signal<Usage | undefined> = signal(undefined)
/** The key that is looked at. */
export const opened: Signal<KeyFacts | undefined> = signal(undefined)
/** What was done last, for people. Never a key. */
export const done: Signal<{ readonly words: string; readonly id?: string } | undefined> = signal(undefined)

/** An answer to an older question must not take the place of a newer one. */
let question = 0
/** How often the list was begun anew. What was asked of a key since then still holds, though its list is read on. */
let beginning = 0

onTokenChange(() => {
  question += 1
  beginning += 1
  list.value = nothing
  usage.value = undefined
  opened.value = undefined
  done.value = undefined
})

/** Reads the list from its beginning. */
export function loadKeys(): Promise<void> {
  return load(undefined)
}

/** Reads the next page. */
export async function loadMore(): Promise<void> {
  const { next, isLoading } = list.peek()
  if (next !== undefined && !isLoading) await load(next)
}

async function load(after: string | undefined): Promise<void> {
  question += 1
  const mine = question
  if (after === undefined) beginning += 1
  const begun = beginning
  const before = after === undefined ? [] : list.peek().keys
  list.value = { keys: before, isLoading: true, next: after }
  const query = new URLSearchParams({ limit: String(pageSize) })
  if (wantedStatus.peek() !== '') query.set('status', wantedStatus.peek())
  if (after !== undefined) query.set('after', after)
  const { value, problem } = await askKeys<{ keys: KeyFacts[]; next?: string }>({
    method: 'GET',
    path: `keys?${query}`,
  })
  if (mine !== question) return
  if (problem) {
    list.value = { keys: before, isLoading: false, next: after, problem }
    return
  }
  const found = value.keys.filter(isKey)
  list.value = { keys: [...before, ...found], isLoading: false, next: value.next }
  if (after === undefined) usage.value = undefined
  await loadUses(
    found.map(({ id }) => id),
    begun,
  )
}

async function loadUses(ids: readonly string[], begun: number): Promise<void> {
  for (let start = 0; start < ids.length; start += mostIds) {
    const query = new URLSearchParams([
      ['days', String(usageDays)],
      ...ids.slice(start, start + mostIds).map((id): [string, string] => ['id', id]),
    ])
    const { value } = await askKeys<{ from: string; usage: Record<string, number[]> }>({
      method: 'GET',
      path: `usage?${query}`,
    })
    if (value === undefined || begun !== beginning) return
    const byId = new Map([...(usage.peek()?.byId ?? []), ...Object.entries(value.usage)])
    usage.value = { from: value.from, byId }
  }
}

/** Reads a key anew, after it was changed; where it is shown, it is shown as it is now. */
export async function refresh(id: string): Promise<Outcome<KeyFacts>> {
  const begun = beginning
  const outcome = await askKeys<KeyFacts>({ method: 'GET', path: `keys/${encodeURIComponent(id)}` })
  const { value } = outcome
  if (begun !== beginning || value === undefined || !isKey(value)) return outcome
  list.value = { ...list.peek(), keys: placed(list.peek(), value) }
  if (opened.peek()?.id === id) opened.value = value
  await loadUses([id], begun)
  return outcome
}

/** Looks at a key. */
export async function open(id: string): Promise<Problem | undefined> {
  const known = list.peek().keys.find((key) => key.id === id)
  if (known) opened.value = known
  const { value, problem } = await refresh(id)
  if (value) opened.value = value
  return problem
}

/**
 * In the place it has in the order of the server; one that comes later than what was read is read with its page, and one of
 * another status than is asked for is none of them.
 */
function placed({ keys, next }: KeyList, key: KeyFacts): readonly KeyFacts[] {
  if (wantedStatus.peek() !== '' && wantedStatus.peek() !== key.status)
    return keys.filter(({ id }) => id !== key.id)
  const at = keys.findIndex(({ id }) => id === key.id)
  if (at !== -1) return keys.with(at, key)
  const later = keys.findIndex(({ id }) => id > key.id)
  if (later === -1) return next === undefined ? [...keys, key] : keys
  return keys.toSpliced(later, 0, key)
}

/** What is shown without a further look. A server of another version may leave out, or add, whatever it likes. */
function isKey(key: KeyFacts): boolean {
  const texts: readonly unknown[] = [key?.id, key?.name, key?.status, key?.owner?.id, ...(key?.scopes ?? [0])]
  return texts.every((text) => typeof text === 'string')
}
