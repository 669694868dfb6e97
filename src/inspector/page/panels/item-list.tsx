import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Badge } from '../ui/badge.tsx'
import { short } from '../ui/plain.ts'
import type { Item } from './item.ts'
import { lockOf } from './lock.ts'
import { detailTitle, opened, openItem } from './view.ts'

/** So many are drawn at once. */
const mostAtOnce = 200

/** What there is, to choose from. */
export function ItemList({
  items,
  isSearch,
}: {
  readonly items: readonly Item[]
  readonly isSearch: boolean
}): JSX.Element {
  const shown = useSignal(mostAtOnce)
  if (items.length === 0)
    return <p class="empty">{isSearch ? 'Nothing is called that.' : 'The server has none.'}</p>
  return (
    <div class="stack tight">
      <ul class="list">
        {items.slice(0, shown.value).map((item) => (
          <li key={item.key}>
            <ItemButton item={item} />
          </li>
        ))}
      </ul>
      {items.length > shown.value && (
        <button
          type="button"
          class="button"
          onClick={() => {
            shown.value += mostAtOnce
          }}
        >
          {`Show more of ${items.length}`}
        </button>
      )}
    </div>
  )
}

function ItemButton({ item }: { readonly item: Item }): JSX.Element {
  const lock = lockOf(item)
  const { title, name } = item
  return (
    <button
      type="button"
      class="item"
      aria-current={opened.value === item.key ? 'true' : undefined}
      onClick={() => {
        openItem(item)
        // Once it is drawn: whoever chose it goes on there, on narrow screens as well.
        setTimeout(() => document.getElementById(detailTitle)?.focus())
      }}
    >
      <span class="mono">{short(name)}</span>
      {title !== undefined && title !== name && <span class="quiet small">{short(title)}</span>}
      {item.kind === 'template' && <Badge>template</Badge>}
      {lock !== undefined && (
        <Badge tone="warn">
          <LockSign />
          {lock}
        </Badge>
      )}
    </button>
  )
}

/** A closed lock; the words beside it say the same. */
function LockSign(): JSX.Element {
  return (
    <svg class="lock-sign" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d="M3 5V4a3 3 0 0 1 6 0v1h1v6H2V5zm1.5 0h3V4a1.5 1.5 0 0 0-3 0z" fill="currentColor" />
    </svg>
  )
}
