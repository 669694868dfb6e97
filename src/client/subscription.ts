import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/index.ts'
import type { ChangeStream } from './changes.ts'

/** Why a {@link Subscription} is over. */
export type SubscriptionEnd =
  /** You closed it, or the client, or aborted its signal. */
  | { readonly reason: 'closed' }
  /** It could not be opened again: an `AuthError` when the server refuses the credential for good. */
  | { readonly reason: 'lost'; readonly error: unknown }

/** Changes that are told until it is closed. Made by {@link Client.subscribe}. */
export interface Subscription extends AsyncDisposable {
  /** Ends it. Nothing is told afterwards. */
  close(): Promise<void>
  /** Resolves when it is over, and says why. Never rejects. */
  readonly closed: Promise<SubscriptionEnd>
}

/** What a subscription is made of. */
export interface SubscriptionParts {
  /** Opens a stream; the signal ends it, too. */
  readonly open: (signal: AbortSignal) => Promise<ChangeStream>
  /** There was a gap: anything may have changed. */
  onGap(): void
  /** It is over, and nobody closed it. */
  onLost(error: unknown): void
  /** Waits for that many milliseconds, or until the signal is aborted. Default: a timer. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** Default: {@link stopwatch}. */
  readonly elapsed?: () => number
}

/** Attempts in a row that fail, or give a stream that does not last, before it is over: about three minutes. */
const mostAttempts = 10
/** A stream that lasted so long, in milliseconds, was a good one. */
const lasting = 30_000
const delays = { first: 1_000, longest: 30_000, mostAsked: 300_000 }

/**
 * Opens a stream of changes and keeps one open: when it ends, as it does when its token expires, it is opened again
 * with the token of that moment, at once at first and then with growing pauses.
 *
 * @param signal ends the subscription
 * @throws what the first opening throws
 */
export async function openSubscription(parts: SubscriptionParts, signal: AbortSignal): Promise<Subscription> {
  const stop = new AbortController()
  const follow = (): void => stop.abort(signal.reason)
  signal.addEventListener('abort', follow, { once: true })
  if (signal.aborted) follow()
  const leave = (): void => signal.removeEventListener('abort', follow)
  try {
    const first = await parts.open(stop.signal)
    const closed = keptOpen(first, parts, stop.signal).finally(leave)
    const close = async (): Promise<void> => {
      stop.abort(new Error('The subscription is closed'))
      await closed
    }
    return { closed, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    leave()
    throw error
  }
}

async function keptOpen(
  first: ChangeStream,
  parts: SubscriptionParts,
  signal: AbortSignal,
): Promise<SubscriptionEnd> {
  const { elapsed = stopwatch } = parts
  const stopped = aborted(signal)
  let stream = first
  let failures = 0
  for (;;) {
    const since = elapsed()
    await Promise.race([stream.ended, stopped])
    if (elapsed() - since >= lasting) failures = 0
    try {
      signal.throwIfAborted()
      ;({ stream, failures } = await openedAgain(failures, parts, signal))
    } catch (error) {
      if (signal.aborted) {
        await stream.close().catch(() => {})
        return { reason: 'closed' }
      }
      parts.onLost(error)
      return { reason: 'lost', error }
    }
    // Closed meanwhile: nothing is told any more, and the next round closes the new stream.
    if (!signal.aborted) parts.onGap()
  }
}

/** Opens the next stream, and counts the attempts from `failures` on. */
async function openedAgain(
  failures: number,
  { open, pause = timer }: SubscriptionParts,
  signal: AbortSignal,
): Promise<{ stream: ChangeStream; failures: number }> {
  let reason: unknown = new Error('The server ends the subscription whenever it is opened')
  for (let attempt = failures; attempt < mostAttempts; attempt++) {
    await pause(delayOf(attempt, reason), signal)
    signal.throwIfAborted()
    try {
      return { stream: await open(signal), failures: attempt + 1 }
    } catch (error) {
      if (isFinal(error)) throw error
      reason = error
    }
  }
  throw reason
}

/** What another attempt can mend. Anything else about the credential, or the request, stays as it is. */
const passing: readonly unknown[] = ['rate_limited', 'verifier_unavailable', 'token_unavailable']

/** JSON-RPC 2.0 section 5.1: not a request, no such method, wrong parameters; and the SDK's word for the same. */
const unanswerable: readonly unknown[] = [-32_600, -32_601, -32_602, 'CAPABILITY_NOT_SUPPORTED']

function isFinal(error: unknown): boolean {
  if (error instanceof AuthError) return !passing.includes(error.code)
  return error instanceof Error && 'code' in error && unanswerable.includes(error.code)
}

/** None before the first attempt, for a token expires in the best of cases; then at random, lest all come at once. */
function delayOf(attempt: number, reason: unknown): number {
  const asked = reason instanceof AuthError ? (reason.retryAfter ?? 0) * 1000 : 0
  const grown = Math.min(delays.first * 2 ** (attempt - 1), delays.longest)
  const own = attempt === 0 ? 0 : grown * (0.5 + Math.random() / 2)
  return Math.max(own, Math.min(asked, delays.mostAsked))
}

function timer(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(handle)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const handle = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
}
