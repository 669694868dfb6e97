import type { JSX } from 'preact'
import type { Finding, Severity } from '../../probe/finding.ts'
import { exchangeText } from '../../report/exchange-text.ts'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Code } from '../ui/code.tsx'
import { SafeLink } from '../ui/safe-link.tsx'

const tones: Readonly<Record<Severity, Tone | undefined>> = {
  critical: 'bad',
  serious: 'bad',
  minor: 'warn',
  note: undefined,
}

/** One finding: what is wrong, what says so, what to do; the requests that showed it when they are asked for. */
export function FindingView({ finding }: { readonly finding: Finding }): JSX.Element {
  const { severity, title, detail, demand, citation, fix, seen, code } = finding
  return (
    <article class="finding stack tight" aria-label={title}>
      <p class="row top">
        <Badge tone={tones[severity]}>{severity}</Badge>
        <strong class="grow">{title}</strong>
      </p>
      {detail !== '' && <p>{detail}</p>}
      <p>
        <span class="quiet">What to do: </span>
        {fix}
      </p>
      <p class="small">
        <span class="quiet">
          {demand} <SafeLink href={citation.url}>{citation.name}</SafeLink>. <code>{code}</code>
        </span>
      </p>
      {seen.length > 0 && (
        <details>
          <summary class="small">{seen.length === 1 ? 'The request' : `${seen.length} requests`}</summary>
          {seen.map((exchange, at) => {
            const { request, response } = exchangeText(exchange)
            return (
              // A finding never changes.
              <div class="stack tight" key={String(at)}>
                <Code text={request} />
                <Code text={response} />
              </div>
            )
          })}
        </details>
      )}
    </article>
  )
}
