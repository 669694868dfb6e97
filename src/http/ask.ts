import type { ScopePolicy, TokenVerifier, Verdict, VerifyContext } from '../core/index.ts'
import type { RequestHead } from './head.ts'

/** What {@link ask} resolves to when the caller left before the verifier answered. */
export const gone: unique symbol = Symbol('gone')

/**
 * Asks the verifier. Settles as it does, or when the caller is gone, whichever is first: a verifier that hangs holds
 * no request.
 */
export function ask(
  verifier: TokenVerifier,
  token: string,
  head: RequestHead,
  scopes: ScopePolicy,
): Promise<Verdict | typeof gone> {
  const pending = Promise.resolve(verifier.verifyToken(token, new HeadContext(head, scopes)))
  return new Promise((resolve, reject) => {
    let settled = false
    let forget = () => {}
    const settle = () => {
      settled = true
      forget()
    }
    pending.then(settle, settle)
    pending.then(resolve, reject)
    void afterTurns(patience, () => {
      const signal = settled ? undefined : head.signal
      if (signal === undefined) return
      const leave = () => resolve(gone)
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      forget = () => signal.removeEventListener('abort', leave)
    })
  })
}

/** A class for its getter: a signal costs more to make than a cached verdict to find, so it waits for a verifier that asks. */
class HeadContext implements VerifyContext {
  readonly scopes: ScopePolicy
  readonly #head: RequestHead

  constructor(head: RequestHead, scopes: ScopePolicy) {
    this.#head = head
    this.scopes = scopes
  }

  get signal(): AbortSignal {
    // `undefined` where the head has none, which reads the same as an absent member.
    return this.#head.signal as AbortSignal
  }
}

/** A verdict that is known already comes through a few `async` functions; one that is not takes far longer. */
const patience = 8

async function afterTurns(turns: number, then: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await undefined
  then()
}
