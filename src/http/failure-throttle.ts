import type { Clock } from '../core/clock.ts'
import type { SharedCounters } from '../core/counters.ts'
import { bucketTable } from '../core/rate-limit.ts'
import { sha256 } from '../core/runtime.ts'

/** How often one address may present what is not good. */
export interface FailureThrottleOptions {
  /** Failures a minute, and as many at once. 1 to 1,000,000. */
  readonly perMinute: number
  readonly clock: Clock
  /** How many addresses are counted each by itself, and how many accepted tokens are known. 1 to 100,000. Default: 10,000. */
  readonly maxAddresses?: number
  /** Where other nodes count as well. Default: this one counts by itself. */
  readonly shared?: SharedCounters
}

/**
 * Slows down those who try credentials. Addresses are keys as an `AddressReader` gives them; `undefined` is somebody
 * nobody can tell from others, and is never blocked.
 */
export interface FailureThrottle {
  /**
   * Whether to refuse before the token is even looked at.
   * @returns `undefined` when not, else whole seconds after which to try again (RFC 9110 section 10.2.3), at least 1
   */
  blocked(address: string | undefined, token: string): number | undefined
  /**
   * Counts a credential that was presented and is not good. Requests without one, which hosts send to find out what is
   * asked for, must not be counted, nor outages.
   * @param token the credential, if it was one: it loses the trust it had
   */
  failed(address: string | undefined, token?: string): void
  /**
   * Remembers a token that was accepted. Failures stay counted: one good token buys no guesses. As long as no failures of
   * the address are counted, at most one token a second is looked at, so that a server nobody attacks pays nothing for it.
   */
  succeeded(address: string | undefined, token: string): void
}

/**
 * Makes a {@link FailureThrottle}. Failures leak away all the time, `perMinute` in a minute; an address with more is
 * blocked. What is under way when it gets there is counted as well, up to as much again: the longest wait is a minute
 * and a little. Tokens that were accepted from an address in the last 15 minutes pass although it is blocked, so that a
 * neighbour behind a shared address locks nobody out who works already. They are kept as SHA-256, of one address the
 * last 100; none where the runtime has no `node:crypto`. While an address has failures, each token that is accepted from
 * it is remembered; before, one a second of them is, which costs nothing and is all of them where one client works.
 *
 * Memory is bounded as that of a `rateLimiter`: while all counts are in use, the other addresses share one.
 *
 * With `shared`, nodes tell each other: each failure is counted there too, and what was counted there of an address
 * counts here from its next failure on. In the background: no answer waits for the database, and while it cannot be
 * reached each node counts by itself.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function failureThrottle(options: FailureThrottleOptions): FailureThrottle {
  const { perMinute, clock, maxAddresses = 10_000, shared } = options
  const failures = bucketTable('failureThrottle', perMinute, clock, maxAddresses)
  const accepted = acceptedTokens(clock, maxAddresses)
  const most = 2 * perMinute
  const tellOthers = shared && telling(shared, most, learn)

  return {
    blocked(address, token) {
      const bucket = address === undefined ? undefined : failures.find(address)
      const seconds = bucket && failures.wait(bucket)
      if (address === undefined || seconds === undefined) return undefined
      return accepted.has(address, token) ? undefined : seconds
    },
    failed(address, token) {
      if (address === undefined) return
      const bucket = failures.open(address)
      bucket.level = Math.min(bucket.level + 1, most)
      if (token !== undefined) accepted.drop(address, token)
      tellOthers?.(address)
    },
    succeeded(address, token) {
      if (address === undefined) return
      const isSuspect = (failures.find(address)?.level ?? 0) > 0
      if (isSuspect || accepted.isDue(address)) accepted.keep(address, token)
    },
  }

  /** What all nodes have counted of an address. */
  function learn(address: string, level: number): void {
    const bucket = failures.open(address)
    if (level > bucket.level) bucket.level = Math.min(level, most)
  }
}

/** Addresses of which the others are being told. An outage must not pile up what waits for it. */
const toldAtOnce = 100

/**
 * Counts failures where other nodes count as well. Of one address one question is on its way at a time; what happens
 * meanwhile goes with the next. More addresses at once than {@link toldAtOnce} are counted here only.
 *
 * @param learn gets what all of them have counted
 */
function telling(
  shared: SharedCounters,
  capacity: number,
  learn: (address: string, level: number) => void,
): (address: string) => void {
  /** Failures that the others have not been told of. */
  const untold = new Map<string, number>()

  async function tell(address: string, bucket: string): Promise<void> {
    try {
      for (let count = 1; count > 0; count = untold.get(address) ?? 0) {
        untold.set(address, 0)
        const { level } = await shared.pour(bucket, count, capacity)
        learn(address, level)
      }
    } catch {
      // The database cannot be reached: here they are counted all the same.
    } finally {
      untold.delete(address)
    }
  }

  return (address) => {
    const count = untold.get(address)
    if (count !== undefined) return void untold.set(address, Math.min(count + 1, capacity))
    const digest = untold.size < toldAtOnce ? sha256(address) : undefined
    if (digest !== undefined) void tell(address, `failures:${digest.slice(0, 32)}`)
  }
}

/** Milliseconds for which an accepted token passes although its address is blocked. */
const trustedFor = 15 * 60_000
const tokensOfAddress = 100

/** Milliseconds between two tokens that are remembered of an address without failures. */
const sampleEvery = 1000

/** The tokens of an address. */
interface Tokens {
  /** When one was last accepted, by its digest. The oldest stands first. */
  readonly digests: Map<string, number>
  keptAt: number
}

/** Tokens by address, at most so many in all. Each address has a bound of its own, so that one cannot push out all others. */
function acceptedTokens(clock: Clock, most: number) {
  const addresses = new Map<string, Tokens>()
  let count = 0

  return {
    has(address: string, token: string): boolean {
      const at = addresses.get(address)?.digests.get(sha256(token) ?? '')
      const now = clock()
      // A clock that was set back must not make it last longer.
      return at !== undefined && now >= at && now < at + trustedFor
    },
    /** Whether it is time to remember another token of an address of which there is nothing to fear. */
    isDue(address: string): boolean {
      const { keptAt } = addresses.get(address) ?? {}
      const now = clock()
      return keptAt === undefined || now < keptAt || now >= keptAt + sampleEvery
    },
    keep(address: string, token: string): void {
      const digest = sha256(token)
      if (digest === undefined) return
      const tokens: Tokens = addresses.get(address) ?? { digests: new Map(), keptAt: 0 }
      tokens.keptAt = clock()
      if (tokens.digests.delete(digest)) count -= 1
      tokens.digests.set(digest, tokens.keptAt)
      count += 1
      // The address that was heard of last stands last.
      addresses.delete(address)
      addresses.set(address, tokens)
      if (tokens.digests.size > tokensOfAddress) forgetOldest(address, tokens)
      if (count > most) forgetOldest(...addresses.entries().next().value!)
    },
    drop(address: string, token: string): void {
      const tokens = addresses.get(address)
      if (tokens !== undefined) forget(address, tokens, sha256(token) ?? '')
    },
  }

  function forgetOldest(address: string, tokens: Tokens): void {
    forget(address, tokens, tokens.digests.keys().next().value!)
  }

  function forget(address: string, tokens: Tokens, digest: string): void {
    if (tokens.digests.delete(digest)) count -= 1
    if (tokens.digests.size === 0) addresses.delete(address)
  }
}
