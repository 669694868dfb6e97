import type { ScopePolicy, VerifyContext } from '../core/index.ts'
import type { AddressReader } from './client-address.ts'
import type { RequestHead } from './head.ts'

/**
 * What the gate tells a verifier of the request. A class for its getters: a signal costs more to make than a verdict
 * that is known, and most verifiers never ask where a request came from.
 */
export class HeadContext implements VerifyContext {
  readonly scopes: ScopePolicy
  readonly isRecheck: boolean
  readonly #head: RequestHead
  readonly #token: string
  readonly #addressOf: AddressReader
  #isExpired = false

  constructor(
    head: RequestHead,
    token: string,
    scopes: ScopePolicy,
    addressOf: AddressReader,
    isRecheck: boolean,
  ) {
    this.isRecheck = isRecheck
    this.#head = head
    this.#token = token
    this.scopes = scopes
    this.#addressOf = addressOf
  }

  /** Whether the token was refused because its time is over. */
  get isExpired(): boolean {
    return this.#isExpired
  }

  refused(reason: string): void {
    this.#isExpired = reason === 'expired'
  }

  // `undefined` where the head has none, which reads the same as an absent member.
  get signal(): AbortSignal {
    return this.#head.signal as AbortSignal
  }

  get address(): string {
    return this.#addressOf(this.#head) as string
  }

  get requestId(): string {
    const [id, second] = this.#head.header('x-request-id')
    const isFit = second === undefined && id !== undefined && isId.test(id) && !id.includes(this.#token)
    return (isFit ? id : undefined) as string
  }
}

/**
 * Goes into an audit log as it is. Anything else is somebody who tries what that log does with it, or who has shown the
 * credential there as well.
 */
const isId = /^[\w.:-]{1,128}$/
