import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { parseKey } from '../../../apikeys/format.ts'
import { Field } from '../ui/field.tsx'
import { KeyRow } from './key-row.tsx'
import type { KeyFacts, Problem } from './keys-api.ts'
import { list, loadKeys, loadMore, open, wantedStatus } from './keys-state.ts'
import { ProblemNotice } from './problem-notice.tsx'
import { statusWords } from './words.ts'

/** All keys: to search, to filter, to open. */
export function KeyList(): JSX.Element {
  const search = useSignal('')
  const { keys, isLoading, problem } = list.value
  const shown = keys.filter((key) => isFound(key, search.value))
  return (
    <div class="stack">
      <Filters search={search} />
      <p class="quiet small" role="status">
        {isLoading ? 'Loading' : countWords(keys.length, shown.length)}
      </p>
      {shown.length > 0 && <KeyTable keys={shown} />}
      {shown.length === 0 && !isLoading && !problem && <Nothing search={search.value} />}
      {problem && <ProblemNotice problem={problem} />}
      <More />
    </div>
  )
}

function Filters({ search }: { readonly search: Signal<string> }): JSX.Element {
  return (
    <div class="row top">
      <div class="grow">
        <Field label="Search" hint="Name, id, owner or scope, in the keys that are loaded">
          {(props) => (
            <input
              {...props}
              type="search"
              autoComplete="off"
              spellcheck={false}
              value={search.value}
              onInput={(event) => {
                search.value = withoutSecret(event.currentTarget.value)
                event.currentTarget.value = search.value
              }}
            />
          )}
        </Field>
      </div>
      <Field label="Status">
        {(props) => (
          <select
            {...props}
            value={wantedStatus.value}
            onChange={(event) => {
              wantedStatus.value = event.currentTarget.value
              void loadKeys()
            }}
          >
            <option value="">Any</option>
            {Object.entries(statusWords).map(([status, { words }]) => (
              <option key={status} value={status}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  )
}

/** Somebody who looks for a key may well put the whole of it here: what is needed of it is its id. */
function withoutSecret(text: string): string {
  const parsed = parseKey(text.trim())
  return typeof parsed === 'string' ? text.slice(0, 200) : parsed.id
}

function isFound(key: KeyFacts, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const text = [key.name, key.id, key.owner.id, key.tenant ?? '', ...key.scopes].join('\n').toLowerCase()
  return words.every((word) => text.includes(word))
}

function countWords(all: number, shown: number): string {
  const keys = `${all} key${all === 1 ? '' : 's'}`
  return all === shown ? keys : `${shown} of ${keys}`
}

function KeyTable({ keys }: { readonly keys: readonly KeyFacts[] }): JSX.Element {
  const heads = ['Name', 'Owner', 'Scopes', 'Status', 'Expiry', 'Last used', 'Uses', '30 days']
  return (
    <table class="table keys-table">
      <caption class="hidden">API keys</caption>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <KeyRow key={key.id} apiKey={key} />
        ))}
      </tbody>
    </table>
  )
}

/** A key that is not loaded yet can be looked for by its id. */
function Nothing({ search }: { readonly search: string }): JSX.Element {
  const problem = useSignal<Problem | undefined>(undefined)
  const id = search.trim()
  return (
    <div class="empty stack">
      <p>{search === '' ? 'There is no key here.' : 'No key that is loaded looks like that.'}</p>
      {/^[0-9A-Za-z]{12}$/.test(id) && (
        <p>
          <button
            type="button"
            class="button"
            onClick={async () => {
              problem.value = await open(id)
            }}
          >
            Look for the key with this id
          </button>
        </p>
      )}
      {problem.value && <ProblemNotice problem={problem.value} />}
    </div>
  )
}

function More(): JSX.Element | null {
  const { next, isLoading } = list.value
  if (next === undefined) return null
  return (
    <p>
      <button type="button" class="button" disabled={isLoading} onClick={() => void loadMore()}>
        More
      </button>
    </p>
  )
}
