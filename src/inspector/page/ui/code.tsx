import type { JSX } from 'preact'
import { plain } from './plain.ts'

/** What scrolls is reached by keyboard (WCAG 2.2, 2.1.1), in browsers as well that do not do so by themselves. */
const scrolls = { tabIndex: 0 } as const

/** A text as it is, in a well that scrolls when it is long. */
export function Code({ text }: { readonly text: string }): JSX.Element {
  return (
    <pre class="code wrap" {...scrolls}>
      {plain(text)}
    </pre>
  )
}
