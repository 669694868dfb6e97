import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import { Field } from '../ui/field.tsx'
import { type Draft, emptyDraft, type GroupDraft, nothing, startedDraft } from './draft.ts'
import type { FormNode, GroupNode, ListNode, MapNode, UnionNode } from './form-node.ts'
import { hintOf, PartName, type PartProps } from './part-name.tsx'
import { placeIn } from './value.ts'

type ListDraft = Draft & { readonly kind: 'list' }
type MapDraft = Draft & { readonly kind: 'map' }

/** An object with members the schema names. */
export function GroupPart(props: PartProps<GroupNode>): JSX.Element {
  const { node, place, name, issues, onChange, inner: Inner } = props
  const draft = props.draft as GroupDraft
  const change = (member: string) => (next: Draft) =>
    onChange({ ...draft, members: new Map([...draft.members, [member, next]]) })
  const members = draft.isThere ? [...node.members()] : []
  const fields = members.map(([member, known]) => (
    <Inner
      key={member}
      node={known.node}
      draft={draft.members.get(member) ?? nothing(known.node)}
      isRequired={known.isRequired}
      place={placeIn(place, member)}
      name={member}
      issues={issues}
      inner={Inner}
      onChange={change(member)}
    />
  ))
  const others =
    draft.others.length > 0 ? (
      <p class="hint quiet small">
        Also sent, as it was written in JSON:{' '}
        {draft.others
          .map(([other]) => other)
          .join(', ')
          .slice(0, 500)}
      </p>
    ) : undefined
  const content = [...fields, others]
  if (name === '' && place === '') {
    return (
      <div class="stack">
        {members.length === 0 && draft.others.length === 0 && <p class="quiet">It takes no input.</p>}
        {content}
      </div>
    )
  }
  return <Frame {...props}>{content}</Frame>
}

/** A list, whose entries come and go. */
export function ListPart(props: PartProps<ListNode>): JSX.Element {
  const { node, place, issues, onChange, inner: Inner } = props
  const draft = props.draft as ListDraft
  const item = node.item()
  const change = (items: readonly Draft[]) => onChange({ ...draft, items })
  return (
    <Frame {...props}>
      {draft.items.map((one, at) => (
        <Entry key={at} label={`Remove ${at + 1}`} onRemove={() => change(draft.items.toSpliced(at, 1))}>
          <Inner
            node={item}
            draft={one}
            isRequired
            place={placeIn(place, at)}
            name={String(at + 1)}
            issues={issues}
            inner={Inner}
            onChange={(next) => change(draft.items.with(at, next))}
          />
        </Entry>
      ))}
      {draft.items.length === 0 && <p class="quiet small">An empty list.</p>}
      <button
        type="button"
        class="button start"
        onClick={() => change([...draft.items, emptyDraft(item, true)])}
      >
        Add an entry
      </button>
    </Frame>
  )
}

/** An object whose names the person chooses. */
export function MapPart(props: PartProps<MapNode>): JSX.Element {
  const { node, place, issues, onChange, inner: Inner } = props
  const draft = props.draft as MapDraft
  const value = node.value()
  const change = (entries: MapDraft['entries']) => onChange({ ...draft, entries })
  return (
    <Frame {...props}>
      {draft.entries.map(([name, one], at) => (
        <Entry key={at} label={`Remove ${at + 1}`} onRemove={() => change(draft.entries.toSpliced(at, 1))}>
          <Field label="Name">
            {(control) => (
              <input
                {...control}
                value={name}
                spellcheck={false}
                onInput={(event) => change(draft.entries.with(at, [event.currentTarget.value, one]))}
              />
            )}
          </Field>
          <Inner
            node={value}
            draft={one}
            isRequired
            place={placeIn(place, at)}
            name="Value"
            issues={issues}
            inner={Inner}
            onChange={(next) => change(draft.entries.with(at, [name, next]))}
          />
        </Entry>
      ))}
      <button
        type="button"
        class="button start"
        onClick={() => change([...draft.entries, ['', emptyDraft(value, true)]])}
      >
        Add an entry
      </button>
    </Frame>
  )
}

/** One shape of several: first which, then its fields. */
export function UnionPart(props: PartProps<UnionNode>): JSX.Element {
  const { node, place, issues, isRequired, onChange, inner: Inner } = props
  const draft = props.draft as Draft & { readonly kind: 'union' }
  const options = node.options()
  const chosen = options[draft.at]
  const choose = (at: number) => {
    const option = options[at]
    onChange({ kind: 'union', at: option ? at : -1, inner: option && emptyDraft(option.node, true) })
  }
  return (
    <div class="stack tight">
      <Field
        label={<PartName {...props} />}
        hint={hintOf(node)}
        error={chosen ? undefined : issues.get(place)}
      >
        {(control) => (
          <select
            {...control}
            value={String(draft.at)}
            onChange={(event) => choose(Number(event.currentTarget.value))}
          >
            <option value="-1">{isRequired && !node.isNullable ? 'Choose' : 'Not set'}</option>
            {options.map(({ label }, at) => (
              <option key={String(at)} value={String(at)}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {chosen && draft.inner && (
        <div class="inside">
          <Inner
            node={chosen.node}
            draft={draft.inner}
            isRequired
            place={place}
            name="Value"
            issues={issues}
            inner={Inner}
            onChange={(inner) => onChange({ ...draft, inner })}
          />
        </div>
      )}
    </div>
  )
}

function Entry({
  label,
  onRemove,
  children,
}: {
  readonly label: string
  readonly onRemove: () => void
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <div class="row top entry">
      <div class="grow stack tight">{children}</div>
      <button type="button" class="button" aria-label={label} onClick={onRemove}>
        Remove
      </button>
    </div>
  )
}

/** What several fields have around them; where they may be left out, they are at first. */
function Frame<Node extends FormNode>({
  children,
  ...props
}: PartProps<Node> & { readonly children: ComponentChildren }): JSX.Element {
  const id = useId()
  const { node, draft, isRequired, place, issues, onChange } = props
  const isThere = 'isThere' in draft && draft.isThere
  const hint = hintOf(node)
  const issue = issues.get(place)
  const described = [...(hint ? [`${id}-hint`] : []), ...(issue ? [`${id}-issue`] : [])].join(' ')
  return (
    <fieldset class="stack tight inside field" {...(described && { 'aria-describedby': described })}>
      <legend>
        <PartName {...props} />
      </legend>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {issue && (
        <p class="error" id={`${id}-issue`}>
          {issue}
        </p>
      )}
      {isThere && children}
      {isThere && (!isRequired || node.isNullable) && (
        <button type="button" class="button plain start" onClick={() => onChange(nothing(node))}>
          Leave it out
        </button>
      )}
      {!isThere && (
        <button type="button" class="button start" onClick={() => onChange(startedDraft(node))}>
          {`Add ${node.title ?? props.name}`}
        </button>
      )}
    </fieldset>
  )
}
