import type { JSX } from 'preact'
import { Badge } from '../ui/badge.tsx'
import { JsonView } from '../ui/json-view.tsx'
import type { AuditFacts } from './keys-api.ts'
import { open } from './keys-state.ts'
import { actorText, eventText, timeWords } from './words.ts'

/** Entries of the audit log, in the order they are given. */
export function AuditEntries({
  events,
  showKey,
}: {
  readonly events: readonly AuditFacts[]
  readonly showKey: boolean
}): JSX.Element {
  return (
    <ol class="audit">
      {events.map((event) => (
        <li key={event.sequence} class="stack tight">
          <Entry event={event} showKey={showKey} />
        </li>
      ))}
    </ol>
  )
}

function Entry({ event, showKey }: { readonly event: AuditFacts; readonly showKey: boolean }): JSX.Element {
  const { outcome, severity, keyId, count = 1 } = event
  return (
    <>
      <p class="row">
        <strong>{eventText(event.event)}</strong>
        {outcome === 'failure' && <Badge tone="bad">Failed</Badge>}
        {(severity === 'warning' || severity === 'critical') && <Badge tone="warn">{severity}</Badge>}
        {count > 1 && <Badge>{`${count} times`}</Badge>}
        <time class="quiet small" dateTime={event.time}>
          {timeWords(event.time)}
        </time>
      </p>
      <p class="small quiet">{detailsOf(event)}</p>
      {showKey && keyId !== undefined && (
        <p class="small">
          <button type="button" class="button plain" onClick={() => void open(keyId)}>
            Key <code>{keyId}</code>
          </button>
        </p>
      )}
      {(event.changes ?? event.details) !== undefined && (
        <details class="small">
          <summary>What was recorded</summary>
          <JsonView value={event.changes ?? event.details} />
        </details>
      )}
    </>
  )
}

function detailsOf(event: AuditFacts): string {
  const { reason, address, requestId } = event
  return [
    `By ${actorText(event)}`,
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
    ...(address === undefined ? [] : [`from ${address}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ].join(' \u00b7 ')
}
