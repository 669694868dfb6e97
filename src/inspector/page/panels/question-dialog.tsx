import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { emptyForm, type FormState, inputNode, inputOf } from '../form/form-state.ts'
import { SchemaForm } from '../form/schema-form.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { isHttpAddress, SafeLink } from '../ui/safe-link.tsx'
import { type OpenQuestion, questions } from './questions.ts'

/** What a server asks the person while it works (MCP "Elicitation"). It says who asks, and the person may say no. */
export function QuestionDialog(): JSX.Element {
  const [question] = questions.value
  return (
    <Dialog
      title="The server asks you something"
      isOpen={question !== undefined}
      onClose={() => question?.answer({ action: 'cancel' })}
    >
      {question && <Asked key={question.id} question={question} />}
    </Dialog>
  )
}

function Asked({ question }: { readonly question: OpenQuestion }): JSX.Element {
  const node = useMemo(() => inputNode(question.schema), [question])
  const state = useSignal<FormState>(emptyForm(node))
  const isChecked = useSignal(false)
  const { input, issues } = inputOf(node, state.value)
  const isHeld = isChecked.value && issues.length > 0
  const isForm = question.schema !== undefined
  const accept = () => question.answer(isForm ? { action: 'accept', content: input } : { action: 'accept' })
  const submit = (event: Event) => {
    event.preventDefault()
    if (!isForm || issues.length === 0) return accept()
    isChecked.value = true
  }
  return (
    <form class="stack" noValidate onSubmit={submit}>
      <p class="quiet small">While running {question.about}. Tell it nothing that is secret.</p>
      <p class="prose">{question.message}</p>
      {isForm ? (
        <SchemaForm
          node={node}
          state={state.value}
          showsIssues={isHeld}
          onChange={(next) => {
            state.value = next
          }}
        />
      ) : (
        <Address url={question.url ?? ''} />
      )}
      <div class="row">
        <button type="submit" class="button primary">
          {isForm ? 'Answer' : 'I have done it'}
        </button>
        {isHeld && (
          <button type="button" class="button" onClick={accept}>
            Send anyway
          </button>
        )}
        <button type="button" class="button" onClick={() => question.answer({ action: 'decline' })}>
          Decline
        </button>
      </div>
    </form>
  )
}

/** Where the server sends the person: shown whole, so that they see where that is. */
function Address({ url }: { readonly url: string }): JSX.Element {
  return (
    <p class="stack tight">
      <span>
        {isHttpAddress(url)
          ? 'It wants you to open this address:'
          : 'It names an address that cannot be opened:'}
      </span>
      <span class="mono">
        <SafeLink href={url} />
      </span>
    </p>
  )
}
