import { signal, useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { log, mostEntries } from '../state.ts'
import { filtered, isFailure } from './filter.ts'
import { LogRow } from './log-row.tsx'

/** Open at first where there is room beside everything else. */
const isOpen = signal(globalThis.matchMedia?.('(min-width: 64rem)').matches ?? true)

/** The requests of the page, the newest first. */
export function HttpLog(): JSX.Element {
  const count = log.value.length
  // A check of the server wants to be refused: those say nothing here.
  const failures = useComputed(
    () => log.value.filter((entry) => entry.purpose !== 'probe' && isFailure(entry)).length,
  ).value
  return (
    <section class="log" aria-labelledby="log-title" data-open={isOpen.value}>
      <div class="log-head row between">
        <h2 id="log-title" tabIndex={-1}>
          <button
            type="button"
            class="log-toggle"
            aria-expanded={isOpen.value}
            aria-controls="log-content"
            onClick={() => {
              isOpen.value = !isOpen.value
            }}
          >
            HTTP log<span class="count">{countWords(count, failures)}</span>
          </button>
        </h2>
      </div>
      <div id="log-content" hidden={!isOpen.value}>
        {isOpen.value && <Entries />}
      </div>
    </section>
  )
}

function countWords(count: number, failures: number): string {
  const requests = count === 1 ? '1 request' : `${count} requests`
  return failures === 0 ? requests : `${requests}, ${failures} failed`
}

function Entries(): JSX.Element {
  const words = useSignal('')
  const onlyFailures = useSignal(false)
  const shown = useComputed(() => filtered(log.value, words.value, onlyFailures.value)).value
  return (
    <>
      <search class="log-filter row" aria-label="HTTP log">
        <input
          class="input grow"
          type="search"
          aria-label="Filter the log"
          placeholder="Filter: path, status, header, body"
          value={words.value}
          onInput={(event) => {
            words.value = event.currentTarget.value
          }}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={onlyFailures.value}
            onChange={(event) => {
              onlyFailures.value = event.currentTarget.checked
            }}
          />
          Only failures
        </label>
        <button
          type="button"
          class="button"
          onClick={() => {
            log.value = []
          }}
        >
          Clear
        </button>
      </search>
      {shown.length === 0 ? (
        <p class="empty">{log.value.length === 0 ? 'No requests yet.' : 'No request is like that.'}</p>
      ) : (
        <ol class="log-rows">
          {shown.map((entry) => (
            <LogRow key={entry.id} entry={entry} />
          ))}
        </ol>
      )}
      {log.value.length === mostEntries && <p class="quiet small">Older requests are not kept.</p>}
    </>
  )
}
