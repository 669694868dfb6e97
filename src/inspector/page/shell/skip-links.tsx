import type { JSX } from 'preact'

/** The first stops of the Tab key: they lead past what stands before (WCAG 2.2, 2.4.1). */
export function SkipLinks({
  to,
}: {
  readonly to: readonly (readonly [id: string, title: string])[]
}): JSX.Element {
  return (
    <nav aria-label="Skip" class="skip">
      {to.map(([id, title]) => (
        <a
          key={id}
          href={`#${id}`}
          onClick={(event) => {
            // The address stays as it is: what is behind `#` is a key, or nothing.
            event.preventDefault()
            const target = document.getElementById(id)
            target?.focus()
            target?.scrollIntoView()
          }}
        >
          {title}
        </a>
      ))}
    </nav>
  )
}
