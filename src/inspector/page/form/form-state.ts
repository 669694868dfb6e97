import { isObject, type JsonObject, memberOf } from '../mcp/message.ts'
import { type Draft, draftOf, emptyDraft } from './draft.ts'
import type { FormNode } from './form-node.ts'
import { parseJson } from './json-text.ts'
import { readSchema } from './read-schema.ts'
import { type Issue, valueIn } from './value.ts'

/** A form as it stands: filled in field by field, or written as JSON. */
export interface FormState {
  readonly draft: Draft
  /** The whole as JSON; `undefined` while the fields are shown. */
  readonly text: string | undefined
}

/** The form of an input schema. One that names no members takes none, as far as a form can tell. */
export function inputNode(schema: unknown): FormNode {
  const node = readSchema(schema)
  if (node.kind !== 'json' || !isObject(schema)) return node
  const isPlain = memberOf(schema, 'type') === 'object' && !Object.hasOwn(schema, '$ref')
  return isPlain ? { ...node, kind: 'group', members: () => new Map() } : node
}

export function emptyForm(node: FormNode): FormState {
  return { draft: emptyDraft(node, true), text: undefined }
}

/** A form that says this. */
export function formOf(node: FormNode, value: unknown): FormState {
  return { draft: draftOf(node, value, true), text: undefined }
}

/** The same input as JSON. */
export function asText(node: FormNode, { draft }: FormState): FormState {
  const { value, isThere } = valueIn(node, draft, true)
  return { draft, text: isThere ? JSON.stringify(value, null, 2) : '{}' }
}

/** The same input in fields; as it is, when it cannot be read. */
export function asFields(node: FormNode, state: FormState): FormState {
  const parsed = parseJson(state.text ?? '')
  return parsed.mistake === undefined ? formOf(node, parsed.value) : state
}

/** What would be sent, and what does not look right about it. */
export function inputOf(
  node: FormNode,
  state: FormState,
): { readonly input: unknown; readonly issues: readonly Issue[] } {
  if (state.text === undefined) {
    const { isThere, value, issues } = valueIn(node, state.draft, true)
    return { input: isThere ? value : {}, issues }
  }
  const parsed = parseJson(state.text)
  if (parsed.mistake !== undefined)
    return { input: state.text, issues: [{ place: '', text: parsed.mistake }] }
  return { input: parsed.value, issues: valueIn(node, draftOf(node, parsed.value, true), true).issues }
}

/** Arguments are an object; anything else goes as it is, to see what the server says. */
export function asArguments(input: unknown): JsonObject {
  return input as JsonObject
}
