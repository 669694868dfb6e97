import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { LogEntry, Purpose } from '../net/log-entry.ts'
import { Badge } from '../ui/badge.tsx'
import { short } from '../ui/plain.ts'
import { EntryView } from './entry-view.tsx'
import { statusOf } from './status-text.ts'

const purposes: Readonly<Record<Purpose, string>> = {
  call: 'MCP',
  probe: 'check',
  whoami: 'who am I',
  catalogue: 'catalogue',
  keys: 'keys',
}

/** One request in the log. What is behind it is drawn when it is opened. */
export function LogRow({ entry }: { readonly entry: LogEntry }): JSX.Element {
  const isOpen = useSignal(false)
  const { text, tone } = statusOf(entry)
  return (
    <li class="log-row">
      <details
        onToggle={(event) => {
          isOpen.value = event.currentTarget.open
        }}
      >
        <summary>
          <span class="log-line">
            <Badge tone={tone}>{text}</Badge>
            <code class="log-what">
              {entry.method} {short(entry.path, 500)}
            </code>
            <span class="log-aside quiet small">
              {entry.isOpen && entry.status !== undefined && <Badge tone="accent">open</Badge>}
              <span>{calledIn(entry)}</span>
              <span>{purposes[entry.purpose]}</span>
              <span class="log-ms">{entry.ms === undefined ? '' : `${entry.ms} ms`}</span>
            </span>
          </span>
        </summary>
        {isOpen.value && <EntryView entry={entry} />}
      </details>
    </li>
  )
}

/** The method of MCP, and what it is called on: a page asks one path for everything. */
function calledIn({ requestBody, requestHeaders }: LogEntry): string {
  const type = requestHeaders.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  if (requestBody === undefined || !/json/i.test(type)) return ''
  // The beginning says it, and not all of a large body has to be read for a line.
  return /"method"\s*:\s*"([\w./$-]{1,60})"/.exec(requestBody.slice(0, 2000))?.[1] ?? ''
}
