import { type JsonObject, listOf, memberOf, textOf } from '../mcp/message.ts'

export type ItemKind = 'tool' | 'resource' | 'template' | 'prompt'

/** A tool, resource, template or prompt, as the page shows it. */
export interface Item {
  readonly kind: ItemKind
  /** Tells it from all others. */
  readonly key: string
  /** What requests call it: its name, or its address. */
  readonly id: string
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** As the server lists it. */
  readonly listed: JsonObject
  /** The scopes it needs, where the public catalogue says so. */
  readonly scopes: readonly string[]
  /** Whether the server keeps it from the holder of this token: it is in its catalogue, and not in its list. */
  readonly isLocked: boolean
  /** Whether more than scopes decides. */
  readonly isConditional: boolean
}

/** The lists of a server by kind: method, member of the result, what they are called by. */
export const kinds: readonly {
  readonly kind: ItemKind
  readonly capability: string
  readonly method: string
  readonly member: string
  readonly idMember: string
}[] = [
  { kind: 'tool', capability: 'tools', method: 'tools/list', member: 'tools', idMember: 'name' },
  {
    kind: 'resource',
    capability: 'resources',
    method: 'resources/list',
    member: 'resources',
    idMember: 'uri',
  },
  {
    kind: 'template',
    capability: 'resources',
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    idMember: 'uriTemplate',
  },
  { kind: 'prompt', capability: 'prompts', method: 'prompts/list', member: 'prompts', idMember: 'name' },
]

/** So many of one kind are shown. */
export const mostItems = 5000

/** What of a list can be shown; what has no name is left out, and of two with one name the first counts. */
export function itemsOf(kind: ItemKind, listed: readonly unknown[]): Item[] {
  const items = new Map<string, Item>()
  for (const one of listed) {
    if (items.size >= mostItems) break
    const item = itemOf(kind, one)
    if (item !== undefined && !items.has(item.key)) items.set(item.key, item)
  }
  return [...items.values()]
}

function itemOf(kind: ItemKind, listed: unknown): Item | undefined {
  const { idMember } = kinds.find((one) => one.kind === kind)!
  const id = textOf(listed, idMember)
  if (id === undefined) return undefined
  const title = textOf(listed, 'title') ?? textOf(memberOf(listed, 'annotations'), 'title')
  return {
    kind,
    key: `${kind} ${id}`,
    id,
    name: textOf(listed, 'name') ?? id,
    title: title === '' ? undefined : title,
    description: textOf(listed, 'description'),
    listed: listed as JsonObject,
    scopes: [],
    isLocked: false,
    isConditional: false,
  }
}

/**
 * What the public catalogue adds to the lists of a server: the scopes of each, and what is kept from this caller.
 *
 * @param catalogue the document behind `openMcp`
 */
export function withCatalogue(items: readonly Item[], catalogue: unknown): Item[] {
  const known = new Map(items.map((item) => [item.key, item]))
  for (const { kind, member } of kinds) {
    for (const published of listOf(catalogue, member)) {
      const item = itemOf(kind, published)
      if (item === undefined) continue
      const scopes = listOf(published, 'scopes').filter((scope) => typeof scope === 'string')
      const isConditional = memberOf(published, 'conditional') === true
      const listed = known.get(item.key)
      known.set(item.key, { ...(listed ?? item), scopes, isConditional, isLocked: listed === undefined })
    }
  }
  return [...known.values()]
}

/** Whether every word of a search occurs in it. */
export function isFound(item: Item, query: string): boolean {
  const text = [item.name, item.title, item.id, item.description]
    .map((part = '') => part.slice(0, 2000))
    .join('\n')
    .toLowerCase()
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
