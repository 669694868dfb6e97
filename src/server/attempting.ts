import type { Clock, SharedCounters } from '../core/index.ts'
import type { AddressReader } from '../http/client-address.ts'
import { type FailureThrottle, failureThrottle } from '../http/failure-throttle.ts'
import type { Attempts } from '../http/gate.ts'
import type { RequestHead } from '../http/head.ts'

/** Who counts the bad credentials of one request, by the address it came from. Nobody where there is no address to go by. */
export type Attempting = (head: RequestHead) => Attempts | undefined

/**
 * Makes an {@link Attempting}.
 *
 * @param perMinute bad credentials from one address a minute; 0 for any number
 * @param shared where other nodes count them as well, if there are any
 */
export function attempting(
  perMinute: number,
  addressOf: AddressReader,
  clock: Clock,
  shared: SharedCounters | undefined,
): Attempting {
  if (perMinute === 0) return () => undefined
  const throttle = failureThrottle({ perMinute, clock, ...(shared && { shared }) })
  return (head) => {
    const address = addressOf(head)
    return address === undefined ? undefined : new FromAddress(throttle, address)
  }
}

/** A class, because there is one for each request. */
class FromAddress implements Attempts {
  readonly #throttle: FailureThrottle
  readonly #address: string

  constructor(throttle: FailureThrottle, address: string) {
    this.#throttle = throttle
    this.#address = address
  }

  blocked(token: string): number | undefined {
    return this.#throttle.blocked(this.#address, token)
  }

  failed(token?: string): void {
    this.#throttle.failed(this.#address, token)
  }

  succeeded(token: string): void {
    this.#throttle.succeeded(this.#address, token)
  }
}
