import type { Draft, GroupDraft } from './draft.ts'
import type { FormNode, GroupNode, ListNode, NumberNode, TextNode } from './form-node.ts'
import { parseJson } from './json-text.ts'

/** Something that does not look right, and where: the place of the field, as {@link placeIn} writes it. */
export interface Issue {
  readonly place: string
  readonly text: string
}

/** What a form says. The issues keep nobody from sending it: the server decides. */
export interface Said {
  /** Whether there is a value at all; an optional field that is empty has none. */
  readonly isThere: boolean
  readonly value: unknown
  readonly issues: readonly Issue[]
}

/** The place of a part inside another (RFC 6901). */
export function placeIn(place: string, part: string | number): string {
  return `${place}/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What a form says, as the value that will be sent. */
export function valueIn(node: FormNode, draft: Draft, isRequired: boolean, place = ''): Said {
  switch (draft.kind) {
    case 'json':
      return jsonSaid(draft.text, isRequired, place, node.isNullable)
    case 'plain':
      return draft.text === '' ? absent(node, isRequired, place) : plainSaid(node, draft.text, place)
    case 'union':
      return unionSaid(node, draft, isRequired, place)
    default:
      if (!draft.isThere) return absent(node, isRequired, place)
  }
  if (draft.kind === 'list') return listSaid(node as ListNode, draft.items, place)
  if (draft.kind === 'group') return groupSaid(node as GroupNode, draft, place)
  return mapSaid(node, draft.entries, place)
}

/** A field that was left empty. For an empty text there is JSON: `""`. */
function absent({ isNullable }: FormNode, isRequired: boolean, place: string): Said {
  if (isRequired && isNullable) return { isThere: true, value: null, issues: [] }
  return { isThere: false, value: undefined, issues: isRequired ? [{ place, text: 'This is needed.' }] : [] }
}

function jsonSaid(text: string, isRequired: boolean, place: string, isNullable: boolean): Said {
  if (text.trim() === '') {
    const isNull = isRequired && isNullable
    return {
      isThere: isNull,
      value: isNull ? null : undefined,
      issues: isRequired && !isNull ? [{ place, text: 'This is needed.' }] : [],
    }
  }
  const parsed = parseJson(text)
  if (parsed.mistake === undefined) return { isThere: true, value: parsed.value, issues: [] }
  return { isThere: true, value: text, issues: [{ place, text: parsed.mistake }] }
}

function plainSaid(node: FormNode, text: string, place: string): Said {
  if (node.kind === 'choice') return { isThere: true, value: node.options[Number(text)]?.value, issues: [] }
  if (node.kind === 'number') return numberSaid(node, text.trim(), place)
  const issue = node.kind === 'text' ? textIssue(node, text) : undefined
  return { isThere: true, value: text, issues: issue === undefined ? [] : [{ place, text: issue }] }
}

function textIssue(
  { minLength = 0, maxLength = Number.POSITIVE_INFINITY }: TextNode,
  text: string,
): string | undefined {
  // JSON Schema counts characters as RFC 8259 does, not units of UTF-16.
  const length = text.length > 2 * maxLength ? text.length : [...text].length
  if (length < minLength) return `At least ${counted(minLength, 'character')}.`
  return length > maxLength ? `At most ${counted(maxLength, 'character')}.` : undefined
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function numberSaid(node: NumberNode, text: string, place: string): Said {
  const value = jsonNumber.test(text) ? Number(text) : Number.NaN
  // What is no number is sent as it stands, when the person wants it: to see what the server says.
  if (!Number.isFinite(value))
    return { isThere: true, value: text, issues: [{ place, text: 'This is no number.' }] }
  const issue = numberIssue(node, value)
  return { isThere: true, value, issues: issue === undefined ? [] : [{ place, text: issue }] }
}

function numberIssue(node: NumberNode, value: number): string | undefined {
  const { isInteger, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node
  if (isInteger && !Number.isInteger(value)) return 'This has to be a whole number.'
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return 'So big a number is rounded when it is sent.'
  if (minimum !== undefined && value < minimum) return `At least ${minimum}.`
  if (maximum !== undefined && value > maximum) return `At most ${maximum}.`
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return `More than ${exclusiveMinimum}.`
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return `Less than ${exclusiveMaximum}.`
  return undefined
}

function unionSaid(
  node: FormNode,
  draft: Draft & { kind: 'union' },
  isRequired: boolean,
  place: string,
): Said {
  const option = node.kind === 'union' ? node.options()[draft.at] : undefined
  if (option === undefined || draft.inner === undefined) return absent(node, isRequired, place)
  return valueIn(option.node, draft.inner, true, place)
}

function listSaid(node: ListNode, items: readonly Draft[], place: string): Said {
  const said = items.map((item, at) => valueIn(node.item(), item, true, placeIn(place, at)))
  const issues = said.flatMap((one) => one.issues)
  const { minItems, maxItems = Number.POSITIVE_INFINITY } = node
  if (items.length < minItems)
    issues.unshift({ place, text: `At least ${counted(minItems, 'entry', 'entries')}.` })
  if (items.length > maxItems)
    issues.unshift({ place, text: `At most ${counted(maxItems, 'entry', 'entries')}.` })
  // An entry without a value would move those behind it.
  return { isThere: true, value: said.map(({ isThere, value }) => (isThere ? value : null)), issues }
}

function groupSaid(node: GroupNode, { members, others }: GroupDraft, place: string): Said {
  const entries: (readonly [string, unknown])[] = []
  const issues: Issue[] = []
  for (const [name, { node: inner, isRequired }] of node.members()) {
    const draft = members.get(name)
    const here = placeIn(place, name)
    // Not even empty: a value that was filled in does not have it.
    const missing = isRequired ? [{ place: here, text: 'This is needed.' }] : []
    const said = draft
      ? valueIn(inner, draft, isRequired, here)
      : { isThere: false, value: undefined, issues: missing }
    if (said.isThere) entries.push([name, said.value])
    issues.push(...said.issues)
  }
  return { isThere: true, value: Object.fromEntries([...entries, ...others]), issues }
}

function mapSaid(node: FormNode, entries: readonly (readonly [string, Draft])[], place: string): Said {
  const inner = node.kind === 'map' ? node.value() : node
  const issues: Issue[] = []
  const seen = new Set<string>()
  const values = entries.map(([name, draft], at): [string, unknown] => {
    const here = placeIn(place, at)
    if (seen.has(name)) issues.push({ place: here, text: 'This name is there already.' })
    seen.add(name)
    const said = valueIn(inner, draft, true, here)
    issues.push(...said.issues)
    return [name, said.isThere ? said.value : null]
  })
  return { isThere: true, value: Object.fromEntries(values), issues }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
