import type { JSX } from 'preact'
import { Badge } from '../ui/badge.tsx'
import { short } from '../ui/plain.ts'

/** So many are shown; who has more has thousands. */
const mostShown = 50

/** Scopes as badges, as they stand in their list. */
export function Scopes({ scopes }: { readonly scopes: readonly string[] }): JSX.Element {
  if (scopes.length === 0) return <>none</>
  return (
    <span class="row">
      {scopes.slice(0, mostShown).map((scope, at) => (
        // One may stand there twice.
        <Badge key={String(at)} tone="accent">
          {short(scope)}
        </Badge>
      ))}
      {scopes.length > mostShown && <span class="quiet">and {scopes.length - mostShown} more</span>}
    </span>
  )
}
