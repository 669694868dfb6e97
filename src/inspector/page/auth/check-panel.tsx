import type { JSX } from 'preact'
import { config } from '../state.ts'
import { Badge } from '../ui/badge.tsx'
import { type CheckState, check, checkServer, stopCheck } from './check-state.ts'
import { FindingView } from './finding-view.tsx'

/** The probe: whether the server protects itself as it should. */
export function CheckPanel(): JSX.Element {
  const state = check.value
  const isBusy = state.isRunning && !state.isFirstLook
  return (
    <section class="card stack" aria-labelledby="check-title">
      <h2 id="check-title">Is the server protected?</h2>
      <div class="row">
        <button
          type="button"
          class="button primary"
          aria-disabled={isBusy}
          onClick={() => {
            if (!isBusy) void checkServer()
          }}
        >
          Check this server
        </button>
        {isBusy && (
          <button type="button" class="button" onClick={stopCheck}>
            Stop
          </button>
        )}
      </div>
      {isBusy && <Progress {...state} />}
      <Result {...state} />
      {config.value.send === undefined && <FullProbe />}
    </section>
  )
}

function Progress({ title, done, of }: CheckState): JSX.Element {
  return (
    <div class="stack tight">
      <progress aria-label="Checks done" max={of} value={done} />
      <p class="small quiet">{title ?? 'Beginning'}</p>
    </div>
  )
}

function Result({ findings, outcomes, report, problem, isFirstLook }: CheckState): JSX.Element {
  const passed = outcomes.filter(({ outcome }) => outcome === 'passed').length
  const skipped = outcomes.filter(({ outcome }) => outcome === 'skipped')
  return (
    <>
      {problem !== undefined && <p class="notice warn">{problem}</p>}
      {report && findings.length === 0 && (
        <p class="row">
          <Badge tone="good">good</Badge>
          <span>{isFirstLook ? 'Without a token it refuses, as it should.' : 'Nothing was found.'}</span>
        </p>
      )}
      {findings.length > 0 && (
        <ul class="findings stack">
          {findings.map((finding, at) => (
            <li key={`${finding.code} ${at}`}>
              <FindingView finding={finding} />
            </li>
          ))}
        </ul>
      )}
      {report && !isFirstLook && (
        <details>
          <summary class="small quiet">
            {passed} passed, {skipped.length} skipped
          </summary>
          <ul class="small stack tight">
            {outcomes.map(({ id, title, outcome, reason }) => (
              <li key={id}>
                {title}: <span class="quiet">{reason === undefined ? outcome : `${outcome}. ${reason}`}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

/** A web page cannot send everything: the browser keeps it from sending two headers of one name, or another Origin. */
function FullProbe(): JSX.Element {
  const { url, endpoint = '' } = config.value
  return (
    <p class="small quiet">
      A browser cannot send everything that has to be tried. The whole check:{' '}
      <code>mcp-bearer probe {url ?? location.origin + endpoint}</code>
    </p>
  )
}
