import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { systemClock } from '../../../core/clock.ts'
import { Badge } from '../ui/badge.tsx'
import type { KeyFacts } from './keys-api.ts'
import { open, usage } from './keys-state.ts'
import { Sparkline } from './sparkline.tsx'
import { distanceWords, expiryWords, numberWords, statusWords, timeWords } from './words.ts'

/** One key of the list. On narrow screens the row becomes a card; the labels are then shown by the style. */
export function KeyRow({ apiKey }: { readonly apiKey: KeyFacts }): JSX.Element {
  const { id, name, owner, scopes, lastUsedAt, useCount = 0, expiresAt } = apiKey
  const now = systemClock()
  return (
    <tr>
      <th scope="row">
        <button type="button" class="button plain" data-key={id} onClick={() => void open(id)}>
          <bdi>{name}</bdi>
        </button>
        <code class="quiet">{id}</code>
      </th>
      <td data-label="Owner">
        <bdi>{owner.id}</bdi>
      </td>
      <td data-label="Scopes">
        <Words texts={scopes} none="None" />
      </td>
      <td data-label="Status">
        <StatusBadge apiKey={apiKey} />
      </td>
      <td data-label="Expiry" title={expiresAt === undefined ? undefined : timeWords(expiresAt)}>
        {expiryWords(expiresAt, now)}
      </td>
      <td data-label="Last used" title={lastUsedAt === undefined ? undefined : timeWords(lastUsedAt)}>
        {lastUsedAt === undefined ? 'Never' : distanceWords(lastUsedAt, now)}
      </td>
      <td data-label="Uses" class="number">
        {numberWords(useCount)}
      </td>
      <td data-label="30 days">
        <KeySparkline id={id} />
      </td>
    </tr>
  )
}

/** The status of a key, as a word in its colour. */
export function StatusBadge({ apiKey: { status } }: { readonly apiKey: KeyFacts }): JSX.Element {
  const { words, tone } = Object.hasOwn(statusWords, status)
    ? statusWords[status]
    : { words: status, tone: undefined }
  return <Badge tone={tone}>{words}</Badge>
}

/** The uses of a key by day, when they are known. */
export function KeySparkline({ id }: { readonly id: string }): JSX.Element {
  // Those of other keys do not concern it.
  const counts = useComputed(() => usage.value?.byId.get(id)).value
  const from = useComputed(() => usage.value?.from).value
  if (from === undefined || !counts) return <span class="quiet">Not known</span>
  return <Sparkline counts={counts} from={from} />
}

/** Some texts, each by itself. */
export function Words({
  texts,
  none,
}: {
  readonly texts: readonly string[]
  readonly none: string
}): JSX.Element {
  if (texts.length === 0) return <span class="quiet">{none}</span>
  return (
    <ul class="words">
      {texts.map((text) => (
        <li key={text}>
          <code>{text}</code>
        </li>
      ))}
    </ul>
  )
}
