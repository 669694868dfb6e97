import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { systemClock } from '../../../core/clock.ts'
import { Field } from '../ui/field.tsx'
import { AuditLog } from './audit-log.tsx'
import { done } from './keys-state.ts'
import { eventWords } from './words.ts'

interface AuditFilter {
  readonly event: string
  readonly outcome: string
  readonly actorId: string
  /** Hours back; empty: all. */
  readonly hours: string
}

/** What was done with all keys. */
export function AuditTab(): JSX.Element {
  const filter = useSignal<AuditFilter>({ event: '', outcome: '', actorId: '', hours: '168' })
  // Once for each choice: a time that goes on would be another question every time.
  const query = useSignal(queryOf(filter.peek()))
  const set = (change: Partial<AuditFilter>) => {
    filter.value = { ...filter.peek(), ...change }
    query.value = queryOf(filter.peek())
  }
  return (
    <div class="stack">
      <Filters filter={filter} set={set} />
      <AuditLog query={query.value} version={done.value?.words ?? ''} showKey />
    </div>
  )
}

function queryOf({ hours, ...texts }: AuditFilter): string {
  const query = new URLSearchParams(Object.entries(texts).filter(([, value]) => value !== ''))
  if (hours !== '') query.set('since', new Date(systemClock() - Number(hours) * 3_600_000).toISOString())
  return String(query)
}

function Filters({
  filter,
  set,
}: {
  readonly filter: Signal<AuditFilter>
  readonly set: (change: Partial<AuditFilter>) => void
}): JSX.Element {
  const { event, outcome, actorId, hours } = filter.value
  return (
    <div class="row top">
      <Select label="Event" value={event} onChange={(to) => set({ event: to })}>
        {[['', 'Any'], ...Object.entries(eventWords)]}
      </Select>
      <Select label="Outcome" value={outcome} onChange={(to) => set({ outcome: to })}>
        {[
          ['', 'Any'],
          ['success', 'Done'],
          ['failure', 'Failed'],
        ]}
      </Select>
      <Select label="Time" value={hours} onChange={(to) => set({ hours: to })}>
        {[
          ['1', 'The last hour'],
          ['24', 'The last day'],
          ['168', 'The last week'],
          ['720', 'The last 30 days'],
          ['', 'All'],
        ]}
      </Select>
      <Field label="Done by" hint="The id of a key or person">
        {(props) => (
          <input
            {...props}
            type="text"
            autoComplete="off"
            spellcheck={false}
            maxLength={200}
            value={actorId}
            onChange={(typed) => set({ actorId: typed.currentTarget.value.trim() })}
          />
        )}
      </Field>
    </div>
  )
}

function Select({
  label,
  value,
  onChange,
  children,
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (to: string) => void
  readonly children: readonly (readonly string[])[]
}): JSX.Element {
  return (
    <Field label={label}>
      {(props) => (
        <select {...props} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {children.map(([option = '', words]) => (
            <option key={option} value={option}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
