import type { ComponentChildren, JSX } from 'preact'

/** A link to an address that somebody else wrote: only http and https become one, everything else stays text. */
export function SafeLink({
  href,
  children,
}: {
  readonly href: string
  readonly children?: ComponentChildren
}): JSX.Element {
  if (!isHttpAddress(href)) return <>{children ?? href}</>
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children ?? href}
    </a>
  )
}

/** Whether a text is an absolute http or https address. */
export function isHttpAddress(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text).protocol)
  } catch {
    return false
  }
}
