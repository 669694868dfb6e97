import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { KeyDialog } from './key-dialog.tsx'
import { type FormState, KeyFields } from './key-fields.tsx'
import {
  type FieldErrors,
  fieldOf,
  formOf,
  type KeyForm,
  newForm,
  type ReadForm,
  readChanges,
  readNewForm,
} from './key-form.ts'
import { askKeys, type KeyFacts, type KeysRequest, type Outcome } from './keys-api.ts'
import { done, loadKeys, refresh } from './keys-state.ts'
import { ShownKey } from './shown-key.tsx'

/** What the API answers when a key was made. */
export interface CreatedKey {
  readonly key: string
  readonly apiKey: KeyFacts
}

/** Makes a key. */
export function CreateDialog({ onClosed }: { readonly onClosed: () => void }): JSX.Element {
  const state = useForm(newForm)
  const run = async () => {
    const outcome = await send<CreatedKey>(state, readNewForm(state.form.peek()), {
      method: 'POST',
      path: 'keys',
    })
    if (outcome.value) noteMade(outcome.value.apiKey, 'was made')
    // It may have been made all the same.
    else if (state.errors.peek().size === 0) void loadKeys()
    return outcome
  }
  return (
    <KeyDialog
      title="Create a key"
      action="Create"
      run={run}
      after={({ key }, close) => <ShownKey secret={key} onStored={close} />}
      onClosed={onClosed}
    >
      <KeyFields {...state} isNew />
    </KeyDialog>
  )
}

/** Changes a key: only what was changed in the fields is sent. */
export function EditDialog({
  apiKey,
  onClosed,
}: {
  readonly apiKey: KeyFacts
  readonly onClosed: () => void
}): JSX.Element {
  const before = useSignal(formOf(apiKey)).value
  const state = useForm(before)
  const run = async (): Promise<Outcome<unknown>> => {
    const read = readChanges(state.form.peek(), before)
    if (read.body && Object.keys(read.body).length === 0) return { value: undefined }
    const outcome = await send(state, read, { method: 'PATCH', path: `keys/${apiKey.id}` })
    await refresh(apiKey.id)
    if (!outcome.problem) done.value = { words: 'The key was changed.', id: apiKey.id }
    return outcome
  }
  return (
    <KeyDialog title={`Change ${apiKey.name}`} action="Save" run={run} onClosed={onClosed}>
      <KeyFields {...state} isNew={false} />
    </KeyDialog>
  )
}

/** Tells of a key that was made, without the key. Nobody waits for more: the key itself is to be seen. */
export function noteMade({ id, name }: KeyFacts, how: string): void {
  done.value = { words: `The key "${name}" ${how}.`, id }
  void refresh(id)
}

function useForm(first: KeyForm): FormState {
  return { form: useSignal(first), errors: useSignal<FieldErrors>(new Map()) }
}

async function send<Value>(
  { errors }: FormState,
  read: ReadForm,
  request: KeysRequest,
): Promise<Outcome<Value>> {
  errors.value = read.errors ?? new Map()
  if (read.errors) return { problem: { status: 0, words: 'Look at the fields that are marked.' } }
  const outcome = await askKeys<Value>({ ...request, body: read.body })
  const field = fieldOf(outcome.problem?.member)
  if (field && outcome.problem) errors.value = new Map([[field, outcome.problem.words]])
  return outcome
}
