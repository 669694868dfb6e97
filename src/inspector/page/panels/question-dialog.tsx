import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { emptyForm, type FormState, inputNode, inputOf } from '../form/form-state.ts'
import { SchemaForm } from '../form/schema-form.tsx'
import { isObject, memberOf, textOf } from '../mcp/message.ts'
import { Dialog } from '../ui/dialog.tsx'
import { plain, short } from '../ui/plain.ts'
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
      <Words question={question} />
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

/**
 * What the server says. The focus begins here and not at a button: what somebody is just typing when the question comes
 * answers nothing.
 */
function Words({ question }: { readonly question: OpenQuestion }): JSX.Element {
  const first = useRef<HTMLParagraphElement>(null)
  useLayoutEffect(() => {
    // Set once it is in the document and before the dialog opens: Chromium grumbles about one that arrives with it.
    first.current?.toggleAttribute('autofocus', true)
    first.current?.focus()
  }, [])
  return (
    <>
      <p class="quiet small" ref={first} tabIndex={-1}>
        While running {question.about}. These are the words of the server, and what you answer goes to it.
      </p>
      {soundsSecret(question) && (
        <p class="notice bad">
          It sounds as if it wants a secret. A server must not ask for secrets here. Decline, unless you know
          why.
        </p>
      )}
      <p class="prose said">{short(question.message, 5000)}</p>
    </>
  )
}

/** MCP "Elicitation": servers must not ask for passwords, keys or tokens in a form. */
function soundsSecret({ message, schema }: OpenQuestion): boolean {
  const properties = memberOf(schema, 'properties')
  const fields = Object.entries(isObject(properties) ? properties : {}).slice(0, 200)
  const words = fields.flatMap(([name, field]) => [
    name,
    textOf(field, 'title'),
    textOf(field, 'description'),
  ])
  return (
    schema !== undefined && [message, ...words].some((text = '') => secretWords.test(text.slice(0, 5000)))
  )
}

const secretWords = /passw|passphrase|secret|token|api.?key|credential|private.?key|\bpin\b/i

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
        <SafeLink href={url}>{plain(url)}</SafeLink>
      </span>
    </p>
  )
}
