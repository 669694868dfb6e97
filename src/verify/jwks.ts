import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { LogEntry } from '../core/log.ts'
import { redact } from '../core/redact.ts'
import type { JwsAlgorithm } from './algorithms.ts'
import { type BackOff, backOff } from './back-off.ts'
import type { KeyPlace } from './discovery.ts'
import type { Environment } from './environment.ts'
import { fetchJson } from './fetch-json.ts'
import { type KeySet, type KeySource, none, readKeySet } from './key-set.ts'
import type { SignatureCheck } from './signature-backend.ts'

const second = 1000
/** How long a set is fresh when the answer does not say, and the bounds of what it may say (RFC 9111 section 5.2.2.1). */
const defaultAge = 600
const leastAge = 60
const greatestAge = 86_400
/** For how long the last good keys serve while the endpoint is down. */
const staleFor = 3600 * second
/** After a fetch, how long an unknown `kid` causes no other one: anybody can invent a `kid`. */
const coolDown = 30 * second

/** A set that was fetched, and until when it needs no other. */
interface Held {
  readonly keys: KeySet
  readonly fetchedAt: number
  readonly freshUntil: number
}

/** What is known of the endpoint. */
interface State {
  held: Held | undefined
  readonly pause: BackOff
  /** The last failure. */
  cause: unknown
}

/**
 * The keys of an issuer, behind its `jwks_uri` (RFC 8414 section 2). Nothing is fetched before the first token, and
 * never more than one request is under way. An outage is reported as an outage, `verifier_unavailable`: while the
 * endpoint fails, an unknown `kid` may be a new key, and the token that names it is neither good nor bad.
 *
 * Nothing is remembered for a single unknown `kid`, so inventing many of them costs no memory.
 */
export function remoteKeySet(
  place: KeyPlace,
  algorithms: ReadonlySet<JwsAlgorithm>,
  environment: Environment,
): KeySource {
  const { clock, onEvent } = environment
  const closing = new AbortController()
  const state: State = { held: undefined, pause: backOff(clock), cause: undefined }
  const refresh = refresher(state, place, algorithms, environment, closing.signal)

  return {
    close: () => closing.abort(),
    find(algorithm, kid) {
      const now = clock()
      const held = usable(state, now)
      const found = held?.keys.find(algorithm, kid)
      const isFresh = held !== undefined && now < held.freshUntil
      if (found !== undefined && isFresh) return found
      if (found !== undefined && state.pause.failures > 0) {
        // The endpoint is known to be down: nobody has to wait for the next attempt.
        void refresh()
        return served(held, found)
      }
      if (isFresh && state.pause.failures === 0 && now < held.fetchedAt + coolDown) return none
      return findAfterRefresh(algorithm, kid)
    },
  }

  async function findAfterRefresh(
    algorithm: JwsAlgorithm,
    kid: string | undefined,
  ): Promise<readonly SignatureCheck[]> {
    await refresh()
    const now = clock()
    const held = usable(state, now)
    const found = held?.keys.find(algorithm, kid)
    if (found !== undefined) return served(held, found)
    if (state.pause.failures === 0) return none
    throw new AuthError('verifier_unavailable', 'The keys of the token issuer cannot be fetched right now', {
      retryAfter: Math.max(1, Math.ceil(state.pause.wait() / second)),
      cause: state.cause,
    })
  }

  function served(held: Held | undefined, found: readonly SignatureCheck[]): readonly SignatureCheck[] {
    const now = clock()
    if (held !== undefined && now >= held.freshUntil) {
      onEvent?.({ type: 'jwks.stale', age: (now - held.fetchedAt) / second })
    }
    return found
  }
}

function usable(state: State, now: number): Held | undefined {
  const { held } = state
  // Fetched in the future: the clock was set back. How old the keys are is not known, so their grace begins now.
  if (held !== undefined && now < held.fetchedAt) state.held = { ...held, fetchedAt: now, freshUntil: now }
  return state.held !== undefined && now < state.held.freshUntil + staleFor ? state.held : undefined
}

/**
 * Brings the state up to date: one fetch at a time, none during the pause after a failure. The promise never rejects;
 * what became of the fetch is in the state.
 */
function refresher(
  state: State,
  place: KeyPlace,
  algorithms: ReadonlySet<JwsAlgorithm>,
  { clock, log, onEvent }: Environment,
  signal: AbortSignal,
): () => Promise<void> {
  let pending: Promise<void> | undefined
  let isExposureReported = false

  return () => {
    if (pending === undefined && state.pause.wait() === 0) {
      pending = load().finally(() => {
        pending = undefined
      })
    }
    return pending ?? Promise.resolve()
  }

  async function load(): Promise<void> {
    const started = stopwatch()
    const tell = (result: 'ok' | 'failed') =>
      onEvent?.({ type: 'jwks.fetched', result, seconds: (stopwatch() - started) / second })
    try {
      const { url, fetch } = await place.locate(signal)
      const { json, headers } = await fetchJson(url, fetch, { headers: acceptKeys, signal })
      const keys = readKeySet(json, algorithms)
      const fetchedAt = clock()
      const held = { keys, fetchedAt, freshUntil: fetchedAt + maxAge(headers) * second }
      state.held = held
      state.cause = undefined
      state.pause.succeeded()
      tell('ok')
      if (keys.exposed === 0 || isExposureReported) return
      isExposureReported = true
      log(exposure(place.name, keys.exposed))
    } catch (error) {
      tell('failed')
      place.forget()
      state.pause.failed(error)
      state.cause = error
      // Who closed the verifier knows; that is no outage.
      if (state.pause.failures === 1 && !signal.aborted) log(outage(place.name, error))
    }
  }
}

const acceptKeys = { accept: 'application/json, application/jwk-set+json' }

function outage(url: string, error: unknown): LogEntry {
  return {
    level: 'warn',
    event: 'jwks_unavailable',
    message:
      'The key set cannot be fetched. Known keys serve for up to an hour; tokens of unknown keys are answered with 503',
    // A fetch of the operator may tell of a proxy, with its password.
    details: { url, reason: error instanceof Error ? redact(error.message) : 'unknown' },
  }
}

function exposure(url: string, keys: number): LogEntry {
  return {
    level: 'error',
    event: 'jwks_private_key',
    message:
      'The key set publishes private or secret keys; they are not used. Tell the issuer to replace them',
    details: { url, keys },
  }
}

function maxAge(headers: Headers): number {
  const control = headers.get('cache-control') ?? ''
  const stated = /(?:^|[\s,])max-age\s*=\s*"?(\d+)/i.exec(control)?.[1]
  if (stated === undefined) return /no-store|no-cache/i.test(control) ? leastAge : defaultAge
  // RFC 9111 section 4.2.3: part of it is over when the answer comes out of a cache.
  const age = Number(/^\d+$/.exec(headers.get('age') ?? '')?.[0] ?? 0)
  return Math.min(greatestAge, Math.max(leastAge, Number(stated) - age))
}
