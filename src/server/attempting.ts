import type { Clock } from '../core/index.ts'
import { addressReader } from '../http/client-address.ts'
import { type FailureThrottle, failureThrottle } from '../http/failure-throttle.ts'
import type { Attempts } from '../http/gate.ts'
import type { RequestHead } from '../http/head.ts'

/**
 * Who counts the bad credentials of one request, by the address it came from. Nobody where there is no address to go by.
 *
 * @param remote the address of the other end of the connection
 */
export type Attempting = (remote: string | undefined, head: RequestHead) => Attempts | undefined

/**
 * Makes an {@link Attempting}.
 *
 * @param perMinute bad credentials from one address a minute; 0 for any number
 * @throws TypeError when `trustProxy` is no number of proxies, or would have no effect
 */
export function attempting(perMinute: number, trustProxy: number | undefined, clock: Clock): Attempting {
  const proxies = trustProxy === 0 ? undefined : trustProxy
  const addressOf = addressReader(proxies)
  if (perMinute === 0 && proxies !== undefined)
    throw new TypeError('MCPServer (http): trustProxy has no effect: failuresPerMinute is 0')
  if (perMinute === 0) return () => undefined
  const throttle = failureThrottle({ perMinute, clock })
  return (remote, head) => {
    const address = addressOf(remote, head)
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
