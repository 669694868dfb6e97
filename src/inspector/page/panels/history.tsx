import type { JSX } from 'preact'
import { short } from '../ui/plain.ts'
import { RunState } from './run-state.tsx'
import { type Run, runs, startRun } from './runs.ts'
import { openRun, reuseInput } from './view.ts'

/** What was done on this page, the newest first. It is nowhere else, and goes away with the token. */
export function History(): JSX.Element | null {
  if (runs.value.length === 0) return null
  return (
    <section class="stack tight history" aria-labelledby="history-title">
      <h3 id="history-title">History</h3>
      <ul class="list">
        {runs.value.map((run) => (
          <Past key={run.id} run={run} />
        ))}
      </ul>
    </section>
  )
}

function Past({ run }: { readonly run: Run }): JSX.Element {
  const { item, id, at } = run
  const name = short(item.name, 100)
  const again = () => {
    const { method, params, headers, input } = run
    openRun({ ...run, id: startRun({ item, method, params, headers, input }) })
  }
  return (
    <li class="row between">
      <button type="button" class="button plain" onClick={() => openRun(run)}>
        <span class="mono">{name}</span>
        <span class="hidden">{`, run ${id}`}</span>
      </button>
      <span class="row">
        <time class="quiet small" dateTime={new Date(at).toISOString()}>
          {new Date(at).toLocaleTimeString()}
        </time>
        <RunState run={run} />
        <button type="button" class="button" aria-label={`Run again: ${name}, run ${id}`} onClick={again}>
          Run again
        </button>
        {item.kind !== 'resource' && (
          <button
            type="button"
            class="button"
            aria-label={`Edit the input: ${name}, run ${id}`}
            onClick={() => reuseInput(run)}
          >
            Edit the input
          </button>
        )}
      </span>
    </li>
  )
}
