import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { FormNode } from '../form/form-node.ts'
import { type FormState, inputOf } from '../form/form-state.ts'
import { SchemaForm } from '../form/schema-form.tsx'
import { Badge } from '../ui/badge.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { short } from '../ui/plain.ts'
import { annotationWords } from './annotations.ts'
import type { Item } from './item.ts'
import { jobOf } from './job.ts'
import { lockOf } from './lock.ts'
import { RunView } from './run-view.tsx'
import { cancelRun, type Run, runs, startRun } from './runs.ts'
import { detailTitle, formStateOf, nodeOf, openedRun, setForm } from './view.ts'

/** One tool, resource or prompt: what it is, its form, and what came of it. */
export function Detail({ item }: { readonly item: Item }): JSX.Element {
  const run = shownRun(item)
  return (
    <article
      class="card stack detail"
      aria-label={short(item.name)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') backToList()
      }}
    >
      <button type="button" class="button plain start back" onClick={backToList}>
        Back to the list
      </button>
      <About item={item} />
      <Use item={item} running={run?.state === 'running' ? run : undefined} />
      {run && <RunView key={run.id} run={run} />}
    </article>
  )
}

function backToList(): void {
  document.querySelector<HTMLElement>('.panels .item[aria-current]')?.focus()
}

function shownRun(item: Item): Run | undefined {
  const mine = runs.value.filter((run) => run.item.key === item.key)
  return mine.find(({ id }) => id === openedRun.value) ?? mine[0]
}

function About({ item }: { readonly item: Item }): JSX.Element {
  const { title, name, id, description, scopes, listed } = item
  const lock = lockOf(item)
  const facts = annotationWords(item)
  return (
    <div class="stack tight">
      <h3 id={detailTitle} tabIndex={-1}>
        {short(title ?? name)}
      </h3>
      {title !== undefined && title !== name && <p class="mono quiet">{short(name)}</p>}
      {id !== name && <p class="mono quiet">{short(id, 500)}</p>}
      {lock !== undefined && (
        <p class="notice warn">Locked: {lock}. You can try all the same, and see what the server answers.</p>
      )}
      {description !== undefined && <p class="prose">{short(description, 5000)}</p>}
      {(facts.length > 0 || scopes.length > 0) && (
        <p class="row">
          {scopes.map((scope) => (
            <Badge key={scope} tone="accent">
              scope {short(scope)}
            </Badge>
          ))}
          {facts.map(({ text, tone }) => (
            <Badge key={text} tone={tone}>
              {text}
            </Badge>
          ))}
        </p>
      )}
      <details>
        <summary class="quiet small">As the server lists it</summary>
        <JsonView value={listed} />
      </details>
    </div>
  )
}

function Use({ item, running }: { readonly item: Item; readonly running: Run | undefined }): JSX.Element {
  const node = nodeOf(item)
  const state = formStateOf(item)
  const isChecked = useSignal(false)
  const { input, issues } = inputOf(node, state)
  const isHeld = isChecked.value && issues.length > 0
  const send = () => {
    isChecked.value = false
    openedRun.value = undefined
    startRun(jobOf(item, input))
  }
  const submit = (event: Event) => {
    event.preventDefault()
    if (running) return
    if (issues.length === 0) return send()
    isChecked.value = true
    const form = event.currentTarget as HTMLElement
    // Once they are marked.
    setTimeout(() => form.querySelector<HTMLElement>('[aria-invalid]')?.focus())
  }
  return (
    <form
      class="stack"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
      }}
    >
      <Inputs item={item} node={node} state={state} showsIssues={isHeld} />
      {isHeld && (
        <p class="notice warn" role="alert">
          {issues.length === 1
            ? 'One field does not look right.'
            : `${issues.length} fields do not look right.`}
        </p>
      )}
      <div class="row">
        <button type="submit" class="button primary" aria-disabled={running !== undefined} title="Ctrl+Enter">
          {buttonWords(item)}
        </button>
        {isHeld && (
          <button type="button" class="button" onClick={send}>
            Send anyway
          </button>
        )}
        {running && (
          <button type="button" class="button danger" onClick={() => cancelRun(running.id)}>
            Cancel
          </button>
        )}
      </div>
    </form>
  )
}

function Inputs({
  item,
  node,
  state,
  showsIssues,
}: {
  readonly item: Item
  readonly node: FormNode
  readonly state: FormState
  readonly showsIssues: boolean
}): JSX.Element | null {
  if (item.kind === 'resource') return null
  return (
    <SchemaForm
      node={node}
      state={state}
      showsIssues={showsIssues}
      onChange={(next) => setForm(item, next)}
    />
  )
}

function buttonWords({ kind }: Item): string {
  if (kind === 'tool') return 'Run'
  return kind === 'prompt' ? 'Get the prompt' : 'Read'
}
