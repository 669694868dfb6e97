import type { JSX } from 'preact'
import { plain, short } from '../ui/plain.ts'
import type { Draft } from './draft.ts'
import type { FormNode } from './form-node.ts'

/** One part of a form. */
export interface PartProps<Node extends FormNode = FormNode> {
  readonly node: Node
  readonly draft: Draft
  readonly isRequired: boolean
  /** Where it is, as issues name it. */
  readonly place: string
  /** What the schema calls it; empty for the whole. */
  readonly name: string
  /** By place. */
  readonly issues: ReadonlyMap<string, string>
  readonly onChange: (next: Draft) => void
  /** Shows the parts inside. */
  readonly inner: (props: PartProps) => JSX.Element
}

/** What a part is called: for people, as the schema writes it, and whether it may be left out. */
export function PartName({
  node,
  name,
  isRequired,
}: Pick<PartProps, 'node' | 'name' | 'isRequired'>): JSX.Element {
  return (
    <>
      {short(node.title ?? (name === '' ? 'Value' : name))}{' '}
      {node.title !== undefined && name !== '' && node.title !== name && (
        <code class="quiet">{short(name)}</code>
      )}{' '}
      {!isRequired && <span class="optional">optional</span>}
    </>
  )
}

/** What the schema tells of a part. */
export function hintOf(node: FormNode): string | undefined {
  const parts = [node.description?.slice(0, 2000), node.hint, limitsOf(node)]
  const said = parts.filter((part) => part !== undefined && part !== '')
  return said.length === 0 ? undefined : plain(said.join('\n'))
}

function limitsOf(node: FormNode): string | undefined {
  if (node.kind !== 'number') return undefined
  const { minimum, maximum } = node
  if (minimum !== undefined && maximum !== undefined) return `From ${minimum} to ${maximum}`
  if (minimum !== undefined) return `At least ${minimum}`
  return maximum === undefined ? undefined : `At most ${maximum}`
}
