import type { JSX } from 'preact'
import type { HeaderLines, LogEntry } from '../net/log-entry.ts'
import { config } from '../state.ts'
import { Code } from '../ui/code.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { plain, short } from '../ui/plain.ts'
import { readBody, type StreamEvent } from './body-reading.ts'
import { curlOfEntry } from './curl.ts'

/** Everything about one request: what was sent, what came, and both for the clipboard. */
export function EntryView({ entry }: { readonly entry: LogEntry }): JSX.Element {
  const { requestHeaders, requestBody = '', responseHeaders, responseBody, status, problem } = entry
  return (
    <div class="stack entry-view">
      <div class="row">
        <CopyButton
          caption="Copy as curl"
          label="Copy as curl"
          text={() => curlOfEntry(entry, config.peek(), location.origin)}
        />
        {responseBody !== '' && (
          <CopyButton caption="Copy answer" label="Copy answer" text={() => responseBody} />
        )}
      </div>
      {problem !== undefined && <p class="notice bad">{problem}</p>}
      <div class="halves">
        <section class="stack tight">
          <h4>Request</h4>
          <Headers lines={requestHeaders} />
          <Body text={requestBody} headers={requestHeaders} />
        </section>
        <section class="stack tight">
          <h4>Answer</h4>
          {status === undefined && <p class="quiet small">{entry.isOpen ? 'Nothing yet.' : 'None.'}</p>}
          <Headers lines={responseHeaders} />
          <Body text={responseBody} headers={responseHeaders} />
          {entry.isCut && <p class="quiet small">The rest is not kept.</p>}
        </section>
      </div>
    </div>
  )
}

function Headers({ lines }: { readonly lines: HeaderLines }): JSX.Element | null {
  if (lines.length === 0) return null
  return (
    <dl class="facts headers">
      {lines.map(([name, value], at) => (
        <div key={`${at} ${name}`}>
          <dt class="mono">{short(name)}</dt>
          <dd class="mono">{plain(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Body({
  text,
  headers,
}: {
  readonly text: string
  readonly headers: HeaderLines
}): JSX.Element | null {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const body = readBody(text, type)
  if (body.kind === 'empty') return null
  if (body.kind === 'json') return <JsonView value={body.value} />
  if (body.kind === 'text') return <Code text={body.text} />
  return (
    <ol class="stack tight">
      {body.events.map((event, at) => (
        // Events are only ever added at the end.
        <li key={String(at)}>
          <Event {...event} />
        </li>
      ))}
    </ol>
  )
}

function Event({ name, id, data, value }: StreamEvent): JSX.Element {
  return (
    <>
      <p class="small quiet">
        Event <code>{short(name)}</code>
        {id !== undefined && (
          <>
            , id <code>{short(id)}</code>
          </>
        )}
      </p>
      {value === undefined ? <Code text={data} /> : <JsonView value={value} />}
    </>
  )
}
