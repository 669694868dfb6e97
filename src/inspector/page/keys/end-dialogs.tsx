import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { parseKey } from '../../../apikeys/format.ts'
import { token } from '../state.ts'
import { Field } from '../ui/field.tsx'
import { type CreatedKey, noteMade } from './edit-dialogs.tsx'
import { KeyDialog } from './key-dialog.tsx'
import { askKeys, type KeyFacts } from './keys-api.ts'
import { done, refresh } from './keys-state.ts'
import { ShownKey } from './shown-key.tsx'

interface DialogOfKey {
  readonly apiKey: KeyFacts
  readonly onClosed: () => void
}

/** How long the old key may go on working, in seconds. */
const graces: readonly (readonly [seconds: string, words: string])[] = [
  ['', 'As the server has it: a day'],
  ['0', 'Not at all'],
  ['3600', 'An hour'],
  ['86400', 'A day'],
  ['604800', 'A week'],
  ['2592000', '30 days'],
]

/** Replaces a key by a new one. */
export function RotateDialog({ apiKey, onClosed }: DialogOfKey): JSX.Element {
  const grace = useSignal('')
  const activate = useSignal('now')
  const run = async () => {
    const body = {
      ...(grace.peek() !== '' && { graceSeconds: Number(grace.peek()) }),
      activate: activate.peek(),
    }
    const path = `keys/${apiKey.id}/rotate`
    const outcome = await askKeys<CreatedKey>({ method: 'POST', path, body })
    void refresh(apiKey.id)
    if (outcome.value) noteMade(outcome.value.apiKey, 'was replaced by a new key')
    return outcome
  }
  return (
    <KeyDialog
      title={`Rotate ${apiKey.name}`}
      action="Rotate"
      run={run}
      after={({ key }, close) => <ShownKey secret={key} onStored={close} />}
      onClosed={onClosed}
    >
      <p>A new key with the same rights takes its place. The old one works on for a while.</p>
      <Choice label="The old key works on for" value={grace} options={graces} />
      <Choice
        label="That time begins"
        value={activate}
        options={[
          ['now', 'Now'],
          ['on-first-use', 'When the new key is used for the first time'],
        ]}
      />
    </KeyDialog>
  )
}

/** Ends a key for good: needs a reason, and its name typed again. */
export function RevokeDialog({ apiKey, onClosed }: DialogOfKey): JSX.Element {
  const reason = useSignal('')
  const confirmed = useSignal('')
  const isNamed = asSeen(confirmed.value) === asSeen(apiKey.name)
  const run = async () => {
    const body = { reason: reason.peek().trim() }
    const outcome = await askKeys({ method: 'POST', path: `keys/${apiKey.id}/revoke`, body })
    await refresh(apiKey.id)
    if (!outcome.problem) done.value = { words: `The key "${apiKey.name}" was revoked.`, id: apiKey.id }
    return outcome
  }
  return (
    <KeyDialog
      title={`Revoke ${apiKey.name}`}
      action="Revoke for good"
      isDangerous
      isReady={isNamed && reason.value.trim() !== ''}
      run={run}
      onClosed={onClosed}
    >
      <p>Whoever uses this key is shut out at once. That cannot be undone.</p>
      {isOwn(apiKey) && (
        <p class="notice warn">This page uses this very key. You will have to give it another one.</p>
      )}
      <Line label="Reason" hint="It is kept in the audit log. Never a key or token" value={reason} />
      <Line label={`Type the name of the key: ${apiKey.name}`} value={confirmed} />
    </KeyDialog>
  )
}

/** Switches a key off until it is enabled again, or on. */
export function SwitchDialog({
  apiKey,
  onClosed,
  to,
}: DialogOfKey & { readonly to: 'enable' | 'disable' }): JSX.Element {
  const reason = useSignal('')
  const [verb, past] = to === 'enable' ? ['Enable', 'enabled'] : ['Disable', 'disabled']
  const run = async () => {
    const body = reason.peek().trim() === '' ? {} : { reason: reason.peek().trim() }
    const outcome = await askKeys({ method: 'POST', path: `keys/${apiKey.id}/${to}`, body })
    await refresh(apiKey.id)
    if (!outcome.problem) done.value = { words: `The key "${apiKey.name}" was ${past}.`, id: apiKey.id }
    return outcome
  }
  return (
    <KeyDialog title={`${verb} ${apiKey.name}`} action={verb} run={run} onClosed={onClosed}>
      <p>
        {to === 'enable'
          ? 'The key works again at once.'
          : 'Whoever uses this key is refused, until it is enabled again.'}
      </p>
      {to === 'disable' && isOwn(apiKey) && (
        <p class="notice warn">This page uses this very key. You will have to give it another one.</p>
      )}
      <Line label="Reason" hint="May be left empty. It is kept in the audit log" value={reason} />
    </KeyDialog>
  )
}

/** A name as people see it: browsers show one blank for many, and keyboards make other letters of the same look. */
function asSeen(name: string): string {
  return name.normalize('NFC').replace(/\s+/g, ' ').trim()
}

/** Whether the page is let in by this very key. */
function isOwn({ id }: KeyFacts): boolean {
  const parsed = parseKey(token.value)
  return typeof parsed !== 'string' && parsed.id === id
}

function Line({
  label,
  hint,
  value,
}: {
  readonly label: string
  readonly hint?: string
  readonly value: { value: string }
}): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      {(props) => (
        <input
          {...props}
          type="text"
          autoComplete="off"
          spellcheck={false}
          maxLength={500}
          value={value.value}
          onInput={(event) => {
            value.value = event.currentTarget.value
          }}
        />
      )}
    </Field>
  )
}

function Choice({
  label,
  value,
  options,
}: {
  readonly label: string
  readonly value: { value: string }
  readonly options: readonly (readonly [value: string, words: string])[]
}): JSX.Element {
  return (
    <Field label={label}>
      {(props) => (
        <select
          {...props}
          value={value.value}
          onChange={(event) => {
            value.value = event.currentTarget.value
          }}
        >
          {options.map(([option, words]) => (
            <option key={option} value={option}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
