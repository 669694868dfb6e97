import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { plain, short } from './plain.ts'

/** So many members of one object or list are shown at first; the rest when asked for. */
const mostAtOnce = 100
/** So many characters of a text are shown at first. */
const longestText = 5000
/** Deeper than this is written as text. */
const deepest = 60

/**
 * Any JSON value as a tree whose branches open and close. What is written down here is text.
 *
 * @param openTo so deep branches are open at first; 2 when left out
 */
export function JsonView({
  value,
  openTo = 2,
}: {
  readonly value: unknown
  readonly openTo?: number
}): JSX.Element {
  return (
    <div class="json">
      <Value value={value} depth={0} openTo={openTo} />
    </div>
  )
}

interface Place {
  /** As it is written in front of the value. */
  readonly name?: string | undefined
  readonly depth: number
  readonly openTo: number
}

function Value({ value, ...place }: { readonly value: unknown } & Place): JSX.Element {
  if (typeof value === 'object' && value !== null && place.depth < deepest && !isEmpty(value)) {
    return <Branch value={value} {...place} />
  }
  return (
    <>
      <Key name={place.name} />
      <Leaf value={value} />
    </>
  )
}

function Key({ name }: { readonly name: string | undefined }): JSX.Element | null {
  return name === undefined ? null : <span class="key">{short(name)}: </span>
}

function Leaf({ value }: { readonly value: unknown }): JSX.Element {
  if (typeof value === 'string') return <Text text={value} />
  if (typeof value === 'number') return <span class="number">{String(value)}</span>
  if (typeof value !== 'object' || value === null) return <span class="word">{String(value)}</span>
  if (!isEmpty(value)) return <span class="quiet">deeper than is shown</span>
  return <span>{Array.isArray(value) ? '[]' : '{}'}</span>
}

/** All of a long one when it is asked for: a picture may be some million letters. */
function Text({ text }: { readonly text: string }): JSX.Element {
  const isWhole = useSignal(text.length <= longestText)
  return (
    <>
      <span class="string">{plain(JSON.stringify(isWhole.value ? text : text.slice(0, longestText)))}</span>
      {!isWhole.value && (
        <button
          type="button"
          class="button plain"
          onClick={() => {
            isWhole.value = true
          }}
        >
          Show all {text.length} characters
        </button>
      )}
    </>
  )
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}

function Branch({ value, name, depth, openTo }: { readonly value: object } & Place): JSX.Element {
  const isOpen = useSignal(depth < openTo)
  const shown = useSignal(mostAtOnce)
  const isList = Array.isArray(value)
  const members: readonly (readonly [string, unknown])[] = Object.entries(value)
  const [start, end] = isList ? ['[', ']'] : ['{', '}']
  return (
    <details
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open
      }}
    >
      <summary>
        <Key name={name} />
        {start}
        <span class="quiet"> {countOf(members.length, isList)} </span>
        {end}
      </summary>
      {isOpen.value && (
        <ul>
          {members.slice(0, shown.value).map(([own, member]) => (
            <li key={own}>
              <Value
                value={member}
                name={isList ? own : JSON.stringify(own)}
                depth={depth + 1}
                openTo={openTo}
              />
            </li>
          ))}
          {members.length > shown.value && (
            <li>
              <button
                type="button"
                class="button plain"
                onClick={() => {
                  shown.value += mostAtOnce
                }}
              >
                Show more
              </button>
            </li>
          )}
        </ul>
      )}
    </details>
  )
}

function countOf(count: number, isList: boolean): string {
  const word = isList ? 'item' : 'member'
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
