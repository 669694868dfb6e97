import type { ScopePolicy, VerifyContext } from '../core/index.ts'
import type { RequestHead } from './head.ts'

/**
 * What the gate tells a verifier of the request. A class for its getter: a signal costs more to make than a verdict
 * that is known, so it waits for a verifier that asks.
 */
export class HeadContext implements VerifyContext {
  readonly scopes: ScopePolicy
  readonly #head: RequestHead
  #isExpired = false

  constructor(head: RequestHead, scopes: ScopePolicy) {
    this.#head = head
    this.scopes = scopes
  }

  /** Whether the token was refused because its time is over. */
  get isExpired(): boolean {
    return this.#isExpired
  }

  refused(reason: string): void {
    this.#isExpired = reason === 'expired'
  }

  get signal(): AbortSignal {
    // `undefined` where the head has none, which reads the same as an absent member.
    return this.#head.signal as AbortSignal
  }
}
