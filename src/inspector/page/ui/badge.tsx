import type { ComponentChildren, JSX } from 'preact'

/** What a short word says, beside its text: colour never stands alone. */
export type Tone = 'good' | 'bad' | 'warn' | 'accent'

/** A short word in a pill. */
export function Badge({
  tone,
  children,
}: {
  readonly tone?: Tone | undefined
  readonly children: ComponentChildren
}): JSX.Element {
  return <span class={tone ? `badge ${tone}` : 'badge'}>{children}</span>
}
