import type { JSX } from 'preact'
import { Field } from '../ui/field.tsx'
import { emptyDraft } from './draft.ts'
import type { ChoiceNode, FormNode, NumberNode, TextNode } from './form-node.ts'
import { GroupPart, ListPart, MapPart, UnionPart } from './nested-parts.tsx'
import { hintOf, PartName, type PartProps } from './part-name.tsx'

/** The field, or the fields, of one part of a schema. */
export function Part(props: PartProps): JSX.Element {
  const { node, draft } = props
  if (draft.kind === 'json') return <JsonPart {...props} />
  if (draft.kind === 'plain') return <PlainPart {...props} />
  switch (node.kind) {
    case 'list':
      return <ListPart {...props} node={node} />
    case 'group':
      return <GroupPart {...props} node={node} />
    case 'map':
      return <MapPart {...props} node={node} />
    case 'union':
      return <UnionPart {...props} node={node} />
    default:
      return <JsonPart {...props} />
  }
}

function PlainPart(props: PartProps): JSX.Element {
  const { node, draft, place, issues, onChange } = props
  const text = draft.kind === 'plain' ? draft.text : ''
  const change = (next: string) => onChange({ kind: 'plain', text: next })
  return (
    <Field label={<PartName {...props} />} hint={hintOf(node)} error={issues.get(place)}>
      {(control) => {
        if (node.kind === 'choice')
          return <Choice {...props} node={node} control={control} text={text} change={change} />
        const isLong = node.kind === 'text' && node.isLong
        const common = { ...control, value: text, spellcheck: false, autocomplete: 'off' as const }
        return isLong ? (
          <textarea
            {...common}
            rows={1}
            class="growing"
            onInput={(event) => change(event.currentTarget.value)}
          />
        ) : (
          <input {...common} {...inputKind(node)} onInput={(event) => change(event.currentTarget.value)} />
        )
      }}
    </Field>
  )
}

/** Keyboards for what is typed. The kind stays `text`: other kinds hide what they do not understand. */
function inputKind(node: FormNode): { type: 'text'; inputMode?: 'decimal' | 'numeric' | 'email' | 'url' } {
  if (node.kind === 'number') return { type: 'text', inputMode: numberMode(node) }
  const format = (node as TextNode).format
  if (format === 'email') return { type: 'text', inputMode: 'email' }
  return format === 'uri' ? { type: 'text', inputMode: 'url' } : { type: 'text' }
}

function numberMode({ isInteger, minimum = -1 }: NumberNode): 'decimal' | 'numeric' {
  return isInteger && minimum >= 0 ? 'numeric' : 'decimal'
}

function Choice({
  node,
  isRequired,
  control,
  text,
  change,
}: PartProps<ChoiceNode> & {
  readonly control: object
  readonly text: string
  readonly change: (next: string) => void
}): JSX.Element {
  return (
    <select {...control} value={text} onChange={(event) => change(event.currentTarget.value)}>
      <option value="">{isRequired && !node.isNullable ? 'Choose' : 'Not set'}</option>
      {node.options.map(({ label }, at) => (
        <option key={String(at)} value={String(at)}>
          {label}
        </option>
      ))}
    </select>
  )
}

function JsonPart(props: PartProps): JSX.Element {
  const { node, draft, place, issues, isRequired, onChange } = props
  const text = draft.kind === 'json' ? draft.text : ''
  const hint = [hintOf(node), 'Written as JSON'].filter((one) => one !== undefined).join('\n')
  return (
    <div class="stack tight">
      <Field label={<PartName {...props} />} hint={hint} error={issues.get(place)}>
        {(control) => (
          <textarea
            {...control}
            class="mono growing"
            rows={2}
            spellcheck={false}
            value={text}
            onInput={(event) => onChange({ kind: 'json', text: event.currentTarget.value })}
          />
        )}
      </Field>
      {node.kind !== 'json' && (
        <button
          type="button"
          class="button plain start"
          onClick={() => onChange(emptyDraft({ ...node, proposed: undefined }, isRequired))}
        >
          Use a field instead
        </button>
      )}
    </div>
  )
}
