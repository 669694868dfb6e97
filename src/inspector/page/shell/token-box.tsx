import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { systemClock } from '../../../core/clock.ts'
import { cleanToken } from '../../token/clean-token.ts'
import { changeToken, config, forget, token } from '../state.ts'
import { announce } from '../ui/announcer.tsx'
import { type TokenWords, tokenWords } from './token-words.ts'

/**
 * Where the token is typed. What is typed stands in the input and, once it is used, in the state: in nothing else, and in
 * no attribute. After "Forget" the input is another one, so that no undo brings the token back.
 */
export function TokenBox(): JSX.Element {
  const round = useSignal(0)
  const forgetAll = () => {
    forget()
    round.value += 1
    announce('Forgotten')
  }
  useEffect(() => {
    // Browsers keep pages that were left, to bring them back as they were: not with a token.
    const left = (event: PageTransitionEvent) => {
      if (event.persisted) forgetAll()
    }
    addEventListener('pagehide', left)
    return () => removeEventListener('pagehide', left)
  }, [])
  return (
    <section class="card stack token-box" aria-labelledby="token-title">
      <h2 id="token-title" tabIndex={-1}>
        Token
      </h2>
      <Box key={round.value} isFresh={round.value > 0} onForget={forgetAll} />
      <p class="small quiet">
        It is kept in the memory of this page, and sent to <code>{whereTo()}</code> and nobody else.
      </p>
    </section>
  )
}

function whereTo(): string {
  const { kind, url } = config.value
  return kind === 'bridge' && url !== undefined ? new URL(url).origin : location.origin
}

function Box({
  isFresh,
  onForget,
}: {
  readonly isFresh: boolean
  readonly onForget: () => void
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const isShown = useSignal(false)
  const cleaned = useSignal<readonly string[]>([])
  const words = useSignal<TokenWords | undefined>(undefined)
  const isUsed = useSignal(false)
  useEffect(() => {
    if (isFresh) input.current?.focus()
  }, [])
  const typed = () => input.current?.value ?? ''
  const read = () => {
    const text = typed()
    words.value = text === '' ? undefined : tokenWords(text, systemClock())
    isUsed.value = text !== '' && text === token.peek()
  }
  /** Leaves of what is in the input what was meant. */
  const clean = (text: string) => {
    const { token: meant, changes } = cleanToken(text)
    if (input.current && meant !== input.current.value) input.current.value = meant
    cleaned.value = changes
    if (changes.length > 0) announce(changes.join(' '))
    read()
  }
  const use = () => {
    clean(typed())
    const text = typed()
    if (text === '' || words.peek()?.problem !== undefined) return input.current?.focus()
    changeToken(text)
    isUsed.value = true
    announce(`In use. ${words.peek()?.headline ?? ''}`)
  }
  return (
    <>
      <TokenInput place={input} isShown={isShown.value} onUse={use} onRead={read} onPaste={clean} />
      <Buttons isShown={isShown} onUse={use} onForget={onForget} />
      <Words
        cleaned={cleaned.value}
        words={words.value}
        isUsed={isUsed.value}
        wasForgotten={isFresh && words.value === undefined}
      />
    </>
  )
}

function Buttons({
  isShown,
  onUse,
  onForget,
}: {
  readonly isShown: Signal<boolean>
  readonly onUse: () => void
  readonly onForget: () => void
}): JSX.Element {
  return (
    <div class="row">
      <button type="button" class="button primary" onClick={onUse}>
        Use
      </button>
      <button
        type="button"
        class="button"
        aria-pressed={isShown.value}
        onClick={() => {
          isShown.value = !isShown.peek()
        }}
      >
        Show
      </button>
      <button type="button" class="button danger" onClick={onForget}>
        Forget
      </button>
    </div>
  )
}

const text = { type: 'text' } as const
const password = { type: 'password' } as const

function TokenInput({
  place,
  isShown,
  onUse,
  onRead,
  onPaste,
}: {
  readonly place: { current: HTMLInputElement | null }
  readonly isShown: boolean
  readonly onUse: () => void
  readonly onRead: () => void
  readonly onPaste: (text: string) => void
}): JSX.Element {
  const paste = (event: ClipboardEvent) => {
    const pasted = event.clipboardData?.getData('text/plain') ?? ''
    const { value, selectionStart, selectionEnd } = event.currentTarget as HTMLInputElement
    const isAll = (selectionStart ?? 0) === 0 && (selectionEnd ?? 0) === value.length
    // In the middle of what is there it is a part, and no token of its own.
    if (!isAll) return
    event.preventDefault()
    onPaste(pasted)
  }
  return (
    <div class="field">
      <label for="token">Bearer token or API key</label>
      <input
        ref={place}
        id="token"
        {...(isShown ? text : password)}
        autocomplete="off"
        autocapitalize="off"
        autocorrect="off"
        spellcheck={false}
        data-1p-ignore
        data-lpignore="true"
        data-bwignore
        aria-describedby="token-words"
        onInput={onRead}
        onPaste={paste}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onUse()
        }}
      />
    </div>
  )
}

function Words({
  cleaned,
  words,
  isUsed,
  wasForgotten,
}: {
  readonly cleaned: readonly string[]
  readonly words: TokenWords | undefined
  readonly isUsed: boolean
  readonly wasForgotten: boolean
}): JSX.Element {
  return (
    <div id="token-words" class="stack tight small">
      {wasForgotten && <p>Forgotten. Nothing of the token is left in this page.</p>}
      {cleaned.map((change) => (
        <p key={change} class="notice">
          {change}
        </p>
      ))}
      {words && (
        <p>
          {words.headline} <span class="quiet">{isUsed ? 'In use.' : 'Not in use yet.'}</span>
        </p>
      )}
      {words?.problem && <p class="notice bad">{words.problem}</p>}
      {words?.advice.map((line) => (
        <p key={line} class="quiet">
          {line}
        </p>
      ))}
      {words?.warnings.map((line) => (
        <p key={line} class="notice warn">
          {line}
        </p>
      ))}
    </div>
  )
}
