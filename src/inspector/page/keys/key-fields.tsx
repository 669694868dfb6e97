import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Field } from '../ui/field.tsx'
import type { FieldErrors, KeyForm } from './key-form.ts'

/** What the fields write into, and what is wrong with it. */
export interface FormState {
  readonly form: Signal<KeyForm>
  readonly errors: Signal<FieldErrors>
}

/** The fields of a key: the four that every key has, and the rest behind a door. */
export function KeyFields({ isNew, ...state }: FormState & { readonly isNew: boolean }): JSX.Element {
  const isMore = useSignal(false)
  return (
    <>
      <TextField {...state} name="name" label="Name" hint="For people: what the key is for" />
      <TextField
        {...state}
        name="owner"
        label="Owner"
        hint="Who answers for it: a person, a team or a program"
      />
      <TextField
        {...state}
        name="scopes"
        label="Scopes"
        hint="What it may do, with blanks between: reports:read reports:write"
      />
      <ExpiryField {...state} isNew={isNew} />
      <details
        open={isMore.value || rest.some((name) => state.errors.value.has(name))}
        onToggle={(event) => {
          isMore.value = event.currentTarget.open
        }}
      >
        <summary>More</summary>
        <div class="stack more-fields">
          <MoreFields {...state} />
        </div>
      </details>
    </>
  )
}

/** Those that most keys leave empty. */
const rest: readonly (keyof KeyForm)[] = [
  'ownerType',
  'tenant',
  'audience',
  'tools',
  'addresses',
  'rateLimit',
  'usageLimit',
  'notBefore',
  'metadata',
]

function MoreFields(state: FormState): JSX.Element {
  return (
    <>
      <TextField {...state} name="ownerType" label="Kind of owner" hint="user, team, service" />
      <TextField {...state} name="tenant" label="Tenant" />
      <LinesField
        {...state}
        name="audience"
        label="Servers it is for"
        hint="One on each line. None: all that share the database"
      />
      <LinesField
        {...state}
        name="tools"
        label="Tools"
        hint="The only ones it may use, one on each line. Then it opens nothing else"
      />
      <LinesField
        {...state}
        name="addresses"
        label="Addresses"
        hint="The only networks it may be used from, one on each line: 192.0.2.0/24"
      />
      <TextField {...state} name="rateLimit" label="Requests a minute" mode="numeric" hint="None: no limit" />
      <TextField
        {...state}
        name="usageLimit"
        label="Requests altogether"
        mode="numeric"
        hint="None: no limit"
      />
      <DateField {...state} name="notBefore" label="Not valid before" type="datetime-local" hint="In UTC" />
      <LinesField {...state} name="metadata" label="Metadata" hint="A JSON object. Never a secret" />
    </>
  )
}

interface OneField extends FormState {
  readonly name: keyof KeyForm
  readonly label: string
  readonly hint?: string
}

/** Writes what is typed; what was wrong with it is not said any more. */
function write({ form, errors }: FormState, name: keyof KeyForm, value: string): void {
  form.value = { ...form.peek(), [name]: value }
  if (!errors.peek().has(name)) return
  const left = new Map(errors.peek())
  left.delete(name)
  errors.value = left
}

function TextField({ mode, ...field }: OneField & { readonly mode?: 'numeric' }): JSX.Element {
  const { name, label, hint, form, errors } = field
  return (
    <Field label={label} hint={hint} error={errors.value.get(name)}>
      {(props) => (
        <input
          {...props}
          type="text"
          inputMode={mode}
          autoComplete="off"
          spellcheck={false}
          maxLength={2000}
          value={form.value[name]}
          onInput={(event) => write(field, name, event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

function LinesField(field: OneField): JSX.Element {
  const { name, label, hint, form, errors } = field
  return (
    <Field label={label} hint={hint} error={errors.value.get(name)}>
      {(props) => (
        <textarea
          {...props}
          rows={2}
          spellcheck={false}
          maxLength={20_000}
          value={form.value[name]}
          onInput={(event) => write(field, name, event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

function DateField({ type, ...field }: OneField & { readonly type: 'date' | 'datetime-local' }): JSX.Element {
  const { name, label, hint, form, errors } = field
  return (
    <Field label={label} hint={hint} error={errors.value.get(name)}>
      {(props) => (
        <input
          {...props}
          type={type}
          value={form.value[name]}
          onInput={(event) => write(field, name, event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

function ExpiryField({ isNew, ...state }: FormState & { readonly isNew: boolean }): JSX.Element {
  const { form, errors } = state
  return (
    <>
      <Field label="Expires" error={errors.value.get('expiry')}>
        {(props) => (
          <select
            {...props}
            value={form.value.expiry}
            onChange={(event) => write(state, 'expiry', event.currentTarget.value)}
          >
            {!isNew && <option value="keep">As it is now</option>}
            <option value="30">In 30 days</option>
            <option value="90">In 90 days</option>
            <option value="365">In a year</option>
            <option value="date">On a date</option>
            <option value="never">Never</option>
          </select>
        )}
      </Field>
      {form.value.expiry === 'date' && (
        <DateField {...state} name="expiryDate" label="Date" type="date" hint="At 00:00 UTC of that day" />
      )}
    </>
  )
}
