import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { announce } from '../ui/announcer.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { keepOpen } from './keep-open.ts'
import type { Outcome, Problem } from './keys-api.ts'
import { ProblemNotice } from './problem-notice.tsx'

/** A dialog that does one thing with keys. */
export interface KeyDialogProps<Value> {
  readonly title: string
  /** What the button says that does it. */
  readonly action: string
  readonly isDangerous?: boolean
  /** Whether it can be done yet. Default: true. */
  readonly isReady?: boolean
  /** Does it. Nothing is shown as done before it answers. */
  readonly run: () => Promise<Outcome<Value>>
  /**
   * What is shown when it was done, in place of the form; it closes the dialog itself. It can be seen nowhere else, so the
   * dialog stays while it is on its way. Default: the dialog closes.
   */
  readonly after?: (value: Value, close: () => void) => JSX.Element
  /** The dialog is closed, and can be taken away. */
  readonly onClosed: () => void
  readonly children: ComponentChildren
}

/**
 * A form in a dialog: sends, says what went wrong, and closes when it is done. What it shows is in no other place, and goes
 * with it.
 */
export function KeyDialog<Value>(props: KeyDialogProps<Value>): JSX.Element {
  const { title, after, onClosed } = props
  const isOpen = useSignal(true)
  const made = useSignal<{ readonly value: Value } | undefined>(undefined)
  const close = () => {
    made.value = undefined
    isOpen.value = false
  }
  const result = made.value
  return (
    <Dialog
      title={result ? 'Store the key now' : title}
      isOpen={isOpen.value}
      onClose={() => {
        close()
        onClosed()
      }}
    >
      {result && after ? (
        after(result.value, close)
      ) : (
        <ActionForm
          {...props}
          close={close}
          onDone={(value) => {
            if (after) made.value = { value }
            else close()
          }}
        />
      )}
    </Dialog>
  )
}

function ActionForm<Value>({
  action,
  isDangerous = false,
  isReady = true,
  run,
  after,
  close,
  onDone,
  children,
}: KeyDialogProps<Value> & {
  readonly close: () => void
  readonly onDone: (value: Value) => void
}): JSX.Element {
  const isBusy = useSignal(false)
  const problem = useSignal<Problem | undefined>(undefined)
  const place = useRef<HTMLFormElement>(null)
  useFocusOnError(place, problem)
  const isKept = isBusy.value && after !== undefined
  useEffect(() => (isKept ? keepOpen(place.current?.closest('dialog'), onItsWay) : undefined), [isKept])
  const submit = async () => {
    if (isBusy.peek() || !isReady) return
    isBusy.value = true
    problem.value = undefined
    const outcome = await run()
    isBusy.value = false
    if (outcome.problem) problem.value = outcome.problem
    else onDone(outcome.value)
  }
  return (
    <form
      class="stack"
      noValidate
      ref={place}
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {children}
      {problem.value && <ProblemNotice problem={problem.value} />}
      <Buttons
        action={action}
        isDangerous={isDangerous}
        isReady={isReady}
        isBusy={isBusy.value}
        isKept={isKept}
        close={close}
      />
    </form>
  )
}

function Buttons({
  action,
  isDangerous,
  isReady,
  isBusy,
  isKept,
  close,
}: {
  readonly action: string
  readonly isDangerous: boolean
  readonly isReady: boolean
  readonly isBusy: boolean
  readonly isKept: boolean
  readonly close: () => void
}): JSX.Element {
  return (
    <div class="row">
      <button
        type="submit"
        class={isDangerous ? 'button danger' : 'button primary'}
        disabled={!isReady}
        aria-disabled={isBusy}
      >
        {isBusy ? 'Wait a moment' : action}
      </button>
      <button
        type="button"
        class="button"
        aria-disabled={isKept}
        onClick={() => (isKept ? announce(onItsWay) : close())}
      >
        Cancel
      </button>
    </div>
  )
}

const onItsWay = 'The key is on its way, and can be seen only here. Wait a moment.'

/** When something was wrong, the first field it is about gets the focus. */
function useFocusOnError(
  place: { readonly current: HTMLFormElement | null },
  problem: Signal<Problem | undefined>,
): void {
  const { value } = problem
  useEffect(() => {
    if (value) place.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [value, place])
}
