import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { plain } from '../ui/plain.ts'
import { download } from './download.ts'
import { scrolls } from './scrolls.ts'

/**
 * A text of somebody else, as it is. Of a long one the beginning, so that the page stays quick; the rest is a file.
 *
 * @param name what the file is called
 * @param first so many characters are shown at first
 */
export function LongText({
  text,
  name,
  first = 20_000,
}: {
  readonly text: string
  readonly name: string
  readonly first?: number
}): JSX.Element {
  const shown = useSignal(first)
  const isCut = text.length > shown.value
  return (
    <div class="stack tight">
      <pre class="code wrapped" {...scrolls}>
        {plain(text.slice(0, shown.value))}
      </pre>
      {isCut && (
        <div class="row">
          <span class="quiet small">{`The first ${shown.value} of ${text.length} characters.`}</span>
          <button
            type="button"
            class="button"
            onClick={() => {
              shown.value *= 4
            }}
          >
            Show more
          </button>
          <button
            type="button"
            class="button"
            onClick={() => download(new TextEncoder().encode(text), `${name}.txt`)}
          >
            Download all
          </button>
        </div>
      )}
    </div>
  )
}
