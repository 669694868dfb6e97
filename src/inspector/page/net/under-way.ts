import { onTokenChange, token } from '../state.ts'

/** What is waited for. With the token, everything that is still coming goes away. */
const underWay = new Set<AbortController>()

onTokenChange(() => {
  if (token.peek() !== '') return
  for (const one of underWay) one.abort()
  underWay.clear()
})

/** A signal that ends with that of the caller, or when everything is forgotten. `done` has to be called in any case. */
export function abortable(signal: AbortSignal | undefined): {
  readonly controller: AbortController
  readonly done: () => void
} {
  const controller = new AbortController()
  const pass = () => controller.abort(signal?.reason)
  if (signal?.aborted) pass()
  signal?.addEventListener('abort', pass, { once: true })
  underWay.add(controller)
  const done = () => {
    underWay.delete(controller)
    signal?.removeEventListener('abort', pass)
  }
  return { controller, done }
}
