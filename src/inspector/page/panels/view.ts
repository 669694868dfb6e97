import { type Signal, signal } from '@preact/signals'
import type { FormNode } from '../form/form-node.ts'
import { emptyForm, type FormState, formOf, inputNode } from '../form/form-state.ts'
import { memberOf } from '../mcp/message.ts'
import { fillable } from '../mcp/uri-template.ts'
import { onTokenChange } from '../state.ts'
import type { Item } from './item.ts'
import type { Run } from './runs.ts'

/** The id of the heading of what is open. */
export const detailTitle = 'detail-title'

export type TabId = 'tools' | 'resources' | 'prompts'

/** What is looked at. */
export const tab: Signal<TabId> = signal('tools')
export const query: Signal<string> = signal('')
/** The key of what is open. */
export const opened: Signal<string | undefined> = signal(undefined)
/** The run whose outcome is shown; `undefined`: the last one of what is open. */
export const openedRun: Signal<number | undefined> = signal(undefined)
/** What stands in the forms, by key. Everything a person typed goes away with the token. */
export const forms: Signal<ReadonlyMap<string, FormState>> = signal(new Map())

onTokenChange(() => {
  forms.value = new Map()
  openedRun.value = undefined
})

export function tabOf({ kind }: Pick<Item, 'kind'>): TabId {
  if (kind === 'tool') return 'tools'
  return kind === 'prompt' ? 'prompts' : 'resources'
}

/** Opens a tool, resource or prompt. */
export function openItem(item: Pick<Item, 'kind' | 'key'>): void {
  tab.value = tabOf(item)
  opened.value = item.key
  openedRun.value = undefined
}

/** Shows a run of the past again. */
export function openRun(run: Run): void {
  openItem(run.item)
  openedRun.value = run.id
}

/** Puts the input of a run back into its form. */
export function reuseInput(run: Run): void {
  openItem(run.item)
  setForm(run.item, formOf(nodeOf(run.item), run.input))
}

export function setForm({ key }: Item, state: FormState): void {
  forms.value = new Map([...forms.peek(), [key, state]])
}

export function formStateOf(item: Item): FormState {
  return forms.value.get(item.key) ?? emptyForm(nodeOf(item))
}

/** Read once for each item as it is listed: the schema of a tool may be big. */
const nodes = new WeakMap<object, FormNode>()

/** The form of what it takes. */
export function nodeOf(item: Item): FormNode {
  const known = nodes.get(item.listed)
  if (known !== undefined) return known
  const node = inputNode(schemaOf(item))
  nodes.set(item.listed, node)
  return node
}

/** Tools bring a schema; what prompts and templates take is a text each. */
function schemaOf({ kind, id, listed }: Item): unknown {
  if (kind === 'tool') return memberOf(listed, 'inputSchema') ?? { type: 'object' }
  if (kind === 'resource') return { type: 'object' }
  if (kind === 'template') {
    const { names } = fillable(id)
    return textsSchema(
      names.map((name) => [name, {}]),
      names,
    )
  }
  const args = argumentsOf(listed)
  const required = args.filter(({ isRequired }) => isRequired).map(({ name }) => name)
  return textsSchema(
    args.map(({ name, title, description }) => [
      name,
      { ...(title && { title }), ...(description && { description }) },
    ]),
    required,
  )
}

function textsSchema(members: readonly (readonly [string, object])[], required: readonly string[]): unknown {
  const properties = Object.fromEntries(members.map(([name, about]) => [name, { type: 'string', ...about }]))
  return { type: 'object', properties, required }
}

function argumentsOf(
  listed: unknown,
): { name: string; title?: string; description?: string; isRequired: boolean }[] {
  const written = memberOf(listed, 'arguments')
  return (Array.isArray(written) ? written : []).flatMap((argument: unknown) => {
    const [name, title, description] = ['name', 'title', 'description'].map((member) =>
      memberOf(argument, member),
    )
    if (typeof name !== 'string') return []
    return {
      name,
      ...(typeof title === 'string' && { title }),
      ...(typeof description === 'string' && { description }),
      isRequired: memberOf(argument, 'required') === true,
    }
  })
}
