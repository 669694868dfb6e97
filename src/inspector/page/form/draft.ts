import { isObject } from '../mcp/message.ts'
import type { ChoiceNode, FormNode, GroupNode, MapNode, UnionNode } from './form-node.ts'
import { sameJson } from './same-json.ts'
import { valueIn } from './value.ts'

/** What stands in a form: as it was typed, not as it will be sent. */
export type Draft =
  /** A text, a number as it is typed, or the place of a choice. */
  | { readonly kind: 'plain'; readonly text: string }
  /** A part that is written as JSON: where no form can be made, and where a value does not fit into it. */
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'list'; readonly isThere: boolean; readonly items: readonly Draft[] }
  | GroupDraft
  | {
      readonly kind: 'map'
      readonly isThere: boolean
      readonly entries: readonly (readonly [string, Draft])[]
    }
  | { readonly kind: 'union'; readonly at: number; readonly inner: Draft | undefined }

export interface GroupDraft {
  readonly kind: 'group'
  readonly isThere: boolean
  /** A member that is not in it is left out. */
  readonly members: ReadonlyMap<string, Draft>
  /** Members the schema does not know. They are kept. */
  readonly others: readonly (readonly [string, unknown])[]
}

/** So many values are looked at when a form is filled; the rest stays JSON. */
interface Effort {
  left: number
}

const mostEffort = 5000
/** A list or map with more entries is easier to write as JSON. */
const mostEntries = 200

/** What a form shows at first: what the schema proposes, else nothing. */
export function emptyDraft(node: FormNode, isRequired: boolean): Draft {
  return empty(node, isRequired, { left: mostEffort })
}

/**
 * A form that says this value: {@link valueIn} gives it back. What does not fit into the form stands in it as JSON.
 */
export function draftOf(node: FormNode, value: unknown, isRequired: boolean): Draft {
  return filled(node, value, isRequired, { left: mostEffort })
}

function empty(node: FormNode, isRequired: boolean, effort: Effort): Draft {
  effort.left -= 1
  const { proposed } = node
  if (proposed !== undefined && proposed !== null) return filled(node, proposed, isRequired, effort)
  if (effort.left < 0 && node.kind !== 'json') return { kind: 'json', text: '' }
  switch (node.kind) {
    case 'text':
    case 'number':
      return { kind: 'plain', text: '' }
    case 'choice':
      return { kind: 'plain', text: isRequired && node.options.length === 1 ? '0' : '' }
    case 'json':
      return { kind: 'json', text: '' }
    case 'union':
      return { kind: 'union', at: -1, inner: undefined }
    case 'list':
      return listStart(node.item, isRequired ? node.minItems : 0, isRequired && !node.isNullable, effort)
    case 'map':
      return { kind: 'map', isThere: isRequired && !node.isNullable, entries: [] }
    case 'group':
      return isRequired && !node.isNullable
        ? groupStart(node, effort)
        : { kind: 'group', isThere: false, members: new Map(), others: [] }
  }
}

function listStart(item: () => FormNode, length: number, isThere: boolean, effort: Effort): Draft {
  const items = isThere ? Array.from({ length: Math.min(length, 10) }, () => empty(item(), true, effort)) : []
  return { kind: 'list', isThere, items }
}

function groupStart(node: GroupNode, effort: Effort): GroupDraft {
  const members = new Map<string, Draft>()
  for (const [name, { node: inner, isRequired }] of node.members())
    members.set(name, empty(inner, isRequired, effort))
  return { kind: 'group', isThere: true, members, others: [] }
}

/** A group, list or map that was left out, taken in. */
export function startedDraft(node: FormNode): Draft {
  const effort = { left: mostEffort }
  if (node.kind === 'group') return groupStart(node, effort)
  if (node.kind === 'list') return listStart(node.item, Math.max(1, node.minItems), true, effort)
  if (node.kind === 'map')
    return { kind: 'map', isThere: true, entries: [['', empty(node.value(), true, effort)]] }
  return empty(node, true, effort)
}

function filled(node: FormNode, value: unknown, isRequired: boolean, effort: Effort): Draft {
  effort.left -= 1
  // `null` is what an empty field says where it has to be there, and only there.
  if (value === null && node.isNullable && isRequired) return nothing(node)
  return (effort.left < 0 ? undefined : fitting(node, value, effort)) ?? asJson(value)
}

/** A field that holds nothing, whatever the schema proposes. */
export function nothing(node: FormNode): Draft {
  return empty({ ...node, proposed: undefined }, false, { left: mostEffort })
}

function asJson(value: unknown): Draft {
  return { kind: 'json', text: JSON.stringify(value, null, 2) }
}

/** `undefined` when the value does not fit into the form. */
function fitting(node: FormNode, value: unknown, effort: Effort): Draft | undefined {
  switch (node.kind) {
    case 'text':
      // An empty field is no text; an empty text is written as JSON.
      return typeof value === 'string' && value !== '' ? { kind: 'plain', text: value } : undefined
    case 'number':
      return typeof value === 'number' ? { kind: 'plain', text: String(value) } : undefined
    case 'choice':
      return chosen(node, value)
    case 'list':
      if (!Array.isArray(value) || value.length > mostEntries) return undefined
      return {
        kind: 'list',
        isThere: true,
        items: value.map((one) => filled(node.item(), one, true, effort)),
      }
    case 'map':
      return isObject(value) && Object.keys(value).length <= mostEntries
        ? mapDraft(node, value, effort)
        : undefined
    case 'group':
      return isObject(value) ? groupDraft(node, value, effort) : undefined
    case 'union':
      return unionDraft(node, value, effort)
    case 'json':
      return undefined
  }
}

function chosen(node: ChoiceNode, value: unknown): Draft | undefined {
  const at = node.options.findIndex((option) => sameJson(option.value, value))
  return at === -1 ? undefined : { kind: 'plain', text: String(at) }
}

function mapDraft(node: MapNode, value: object, effort: Effort): Draft {
  const entries = Object.entries(value).map(
    ([name, one]) => [name, filled(node.value(), one, true, effort)] as const,
  )
  return { kind: 'map', isThere: true, entries }
}

function groupDraft(node: GroupNode, value: object, effort: Effort): Draft {
  const given = new Map(Object.entries(value))
  const members = new Map<string, Draft>()
  for (const [name, { node: inner, isRequired }] of node.members()) {
    if (given.has(name)) members.set(name, filled(inner, given.get(name), isRequired, effort))
    given.delete(name)
  }
  return { kind: 'group', isThere: true, members, others: [...given] }
}

/** The shape the value fits best; the first of those that fit alike. */
function unionDraft(node: UnionNode, value: unknown, effort: Effort): Draft | undefined {
  let best: { readonly at: number; readonly inner: Draft; readonly misfit: number } | undefined
  for (const [at, option] of node.options().entries()) {
    const inner = filled(option.node, value, true, effort)
    if (inner.kind === 'json' && option.node.kind !== 'json') continue
    const misfit = misfitOf(option.node, inner)
    if (best === undefined || misfit < best.misfit) best = { at, inner, misfit }
    if (best.misfit === 0) break
  }
  return best && { kind: 'union', at: best.at, inner: best.inner }
}

function misfitOf(node: FormNode, draft: Draft): number {
  const others = draft.kind === 'group' ? draft.others.length : 0
  const asJson = draft.kind === 'json' ? 1 : 0
  const written =
    draft.kind === 'group' ? [...draft.members.values()].filter(({ kind }) => kind === 'json').length : 0
  return valueIn(node, draft, true).issues.length + others + asJson + written
}
