import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { LogLine, Progress } from '../mcp/call-once.ts'
import { type JsonObject, listOf, memberOf } from '../mcp/message.ts'
import { Badge } from '../ui/badge.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { short } from '../ui/plain.ts'
import { type Tab, Tabs } from '../ui/tabs.tsx'
import { ContentView, PromptMessages, ResourceContent } from './content-view.tsx'
import { ProblemView } from './problem-view.tsx'
import { RunState } from './run-state.tsx'
import type { Run } from './runs.ts'
import { scrolls } from './scrolls.ts'

/** What comes of a run, while it comes and afterwards. */
export function RunView({ run }: { readonly run: Run }): JSX.Element {
  const place = useRef<HTMLElement>(null)
  const wasRunning = useRef(run.state === 'running')
  useEffect(() => {
    if (wasRunning.current) place.current?.scrollIntoView({ block: 'nearest' })
  }, [run.state])
  return (
    <section class="stack run" aria-label="Answer" ref={place}>
      <div class="row">
        <h4>Answer</h4>
        <RunState run={run} />
      </div>
      {run.state === 'running' && <Waiting progress={run.progress} />}
      {run.lines.length > 0 && <LogLines lines={run.lines} />}
      {run.problem && <ProblemView problem={run.problem} />}
      {run.result && memberOf(run.result, 'isError') === true && (
        <p class="notice bad">The tool says that it failed. What it wrote stands below.</p>
      )}
      {run.state !== 'running' && <Views run={run} />}
    </section>
  )
}

function Waiting({ progress }: { readonly progress: Progress | undefined }): JSX.Element {
  const { progress: done, total, message } = progress ?? { progress: 0, total: undefined, message: undefined }
  const isKnown = total !== undefined && total > 0
  const words = isKnown
    ? `${done} of ${total}`
    : progress === undefined
      ? 'Waiting for the server'
      : String(done)
  return (
    <div class="stack tight">
      {isKnown ? (
        <progress aria-label="Progress" max={total} value={Math.min(Math.max(done, 0), total)} />
      ) : (
        <progress aria-label="Progress" />
      )}
      <p class="quiet small">{message === undefined ? words : `${words}: ${short(message, 500)}`}</p>
    </div>
  )
}

function LogLines({ lines }: { readonly lines: readonly LogLine[] }): JSX.Element {
  return (
    <ul class="code log-lines" aria-label="Log of the server" {...scrolls}>
      {lines.map(({ level, logger, data }, at) => (
        <li key={String(at)}>
          <Badge tone={/^(?:error|critical|alert|emergency)$/.test(level) ? 'bad' : undefined}>
            {short(level, 20)}
          </Badge>{' '}
          {logger !== undefined && <span class="quiet">{short(logger, 80)} </span>}
          {short(lineOf(data), 2000)}
        </li>
      ))}
    </ul>
  )
}

/** What is nested without end cannot be written in a line. */
function lineOf(data: unknown): string {
  try {
    return typeof data === 'string' ? data : (JSON.stringify(data) ?? '')
  } catch {
    return 'nested too deep to be shown'
  }
}

function Views({ run }: { readonly run: Run }): JSX.Element {
  const { result } = run
  const structured = memberOf(result, 'structuredContent')
  const tabs: Tab[] = [
    ...(result === undefined ? [] : [{ id: 'content', title: 'Content' }]),
    ...(structured === undefined ? [] : [{ id: 'structured', title: 'Structured' }]),
    { id: 'raw', title: 'Raw' },
  ]
  const chosen = useSignal('content')
  const selected = tabs.some(({ id }) => id === chosen.value) ? chosen.value : 'raw'
  return (
    <Tabs
      label="Views of the answer"
      tabs={tabs}
      selected={selected}
      onSelect={(id) => {
        chosen.value = id
      }}
    >
      {selected === 'content' && result !== undefined && <Content run={run} result={result} />}
      {selected === 'structured' && <JsonView value={structured} openTo={4} />}
      {selected === 'raw' && <Raw run={run} />}
    </Tabs>
  )
}

function Content({ run, result }: { readonly run: Run; readonly result: JsonObject }): JSX.Element {
  const { item } = run
  if (item.kind === 'prompt') return <PromptMessages result={result} name={item.name} />
  if (item.kind === 'tool') return <ContentView blocks={listOf(result, 'content')} name={item.name} />
  const contents = listOf(result, 'contents')
  return (
    <div class="stack">
      {contents.length === 0 && <p class="quiet">The resource has no content.</p>}
      {contents.slice(0, 100).map((content, at) => (
        <ResourceContent key={String(at)} content={content} />
      ))}
    </div>
  )
}

function Raw({ run }: { readonly run: Run }): JSX.Element {
  return (
    <div class="stack">
      <p class="quiet small">The messages of JSON-RPC, in the order they went and came.</p>
      {run.messages.map(({ direction, message }, at) => (
        <div class="stack tight" key={String(at)}>
          <div class="row between">
            <Badge>{direction === 'sent' ? 'sent' : 'received'}</Badge>
            <CopyButton text={() => JSON.stringify(message, null, 2)} label="Copy the message" />
          </div>
          <JsonView value={message} openTo={2} />
        </div>
      ))}
    </div>
  )
}
