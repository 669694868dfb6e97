import type { By } from '../apikeys/api-key.ts'
import type { AuditEntry } from '../apikeys/audit-event.ts'
import { changeFeed } from '../apikeys/change-feed.ts'
import type { KeyStore, StoredRevocation } from '../apikeys/key-store.ts'
import { oneAtATime, quietSink } from '../apikeys/store-events.ts'
import type { AccessToken } from '../core/access-token.ts'
import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { EventSink } from '../core/events.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { sha256 } from '../core/runtime.ts'
import { interval, type Schedule } from '../core/schedule.ts'
import { cutOffEntry, revocationTable, tokenEntry } from './revocation-table.ts'
import type { CutOff, Revocations, RevokedToken } from './revocations.ts'

/** Revocations in a database: those of every process that uses it, and they outlive a restart. */
export interface StoredRevocations extends Revocations {
  /**
   * The same as of {@link memoryRevocations}.
   * @throws AuthError `verifier_unavailable` when it cannot be told whether what is revoked elsewhere is known
   */
  reasonFor(token: AccessToken): 'revoked' | 'cut_off' | undefined
  /**
   * Refuses one token. When it resolves, that is durable, and holds in this process; in others a second later.
   * @throws TypeError when it is not said which
   * @throws AuthError `verifier_unavailable` when the database cannot be reached; it may have been revoked all the same
   */
  revoke(which: RevokedToken, by?: By): Promise<void>
  /**
   * Refuses all tokens of an issuer, subject or client until a moment, by default that at which the database is asked.
   * Resolves and throws like `revoke`.
   */
  cutOff(which: CutOff, by?: By): Promise<void>
  /** How many entries there are. */
  readonly size: number
  /** Hears of nothing any more; what it knows holds for `maxStaleness`. The store stays open. */
  close(): void
}

/** How far {@link storedRevocations} may fall behind. */
export interface StoredRevocationsOptions {
  /** Seconds for which it may not be known what others revoke, before no token is good any more. 2 to 60. Default: 5. */
  readonly maxStaleness?: number
  /** Seconds for which tokens are good nevertheless, on top of `maxStaleness`; each use is told as `fail_open`. 0 to 3600. Default: 0. */
  readonly serveLastKnownFor?: number
  /** Told `revocation.synced`, `store` and `fail_open`. */
  readonly onEvent?: EventSink
  /** Default: `setInterval`, which keeps no process alive. */
  readonly schedule?: Schedule
  /** Milliseconds that never go back. Default: those of this machine. */
  readonly stopwatch?: () => number
}

/**
 * Revocations of JWTs in the database of API keys, for {@link revocable}. All of them are in memory, so asking costs
 * nothing; what other processes revoke is read as soon as it is heard of, within a second or two. When that fails for
 * `maxStaleness`, tokens are neither good nor bad: they are answered with 503 until the database is there again.
 *
 * @throws TypeError naming the option that is out of bounds
 * @throws AuthError `verifier_unavailable` when the database cannot be reached
 *
 * @example
 * ```ts
 * import { openKeyStore } from 'mcp-bearer/keys'
 * import { jwtVerifier, revocable, storedRevocations } from 'mcp-bearer/verify'
 *
 * const issuer = 'https://idp.example.com'
 * const revocations = await storedRevocations(await openKeyStore('postgres://db.example.com/mcp'))
 * const verifier = revocable(jwtVerifier({ jwksUri: `${issuer}/jwks`, issuer, audience: 'my-server' }), revocations)
 *
 * await revocations.cutOff({ issuer, subject: 'alice' }) // she has to sign in again, on every node
 * ```
 */
export async function storedRevocations(
  store: KeyStore,
  options: StoredRevocationsOptions = {},
): Promise<StoredRevocations> {
  const { bound, lastKnownFor, onEvent } = readOptions(store, options)
  const table = revocationTable()
  const copy = followedCopy(store, options, (entries) => {
    table.prune(store.time())
    for (const entry of entries) table.add(entry)
  })
  try {
    await copy.load()
  } catch (error) {
    copy.close()
    throw error
  }

  return {
    get size() {
      return table.size
    },
    reasonFor(token) {
      const reason = table.reasonFor(token)
      // What is revoked stays revoked, whatever else may be known.
      if (reason !== undefined) return reason
      const age = copy.staleness()
      if (age <= bound) return undefined
      if (age > bound + lastKnownFor) throw new AuthError('verifier_unavailable')
      onEvent({ type: 'fail_open', component: 'revocations' })
      return undefined
    },
    async revoke(which, by = {}) {
      const entry = tokenEntry(which)
      const { jti, issuer } = which
      await commit(entry, auditEntry('jwt.revoke', entry, { jti, issuer }, by))
    },
    async cutOff(which, by = {}) {
      const entry = cutOffEntry(which, store.time() / 1000)
      const { issuer, subject, clientId } = which
      const facts = { issuer, subject, clientId, issuedUntil: entry.cutOff }
      await commit(entry, auditEntry('jwt.cutoff_set', entry, facts, by))
    },
    close: copy.close,
  }

  async function commit(entry: StoredRevocation, audit: AuditEntry): Promise<void> {
    const isDone = await store.commit({ revoke: [entry], audit: [audit] })
    if (!isDone) throw new AuthError('verifier_unavailable', 'The key store has not recorded the revocation')
    table.add(entry)
  }
}

function readOptions(store: KeyStore, options: StoredRevocationsOptions) {
  const owner = 'storedRevocations'
  checkOptions(owner, options, [
    'maxStaleness',
    'serveLastKnownFor',
    'onEvent',
    'schedule',
    'stopwatch',
  ] satisfies (keyof StoredRevocationsOptions)[])
  if (typeof store?.revocations !== 'function') {
    throw new TypeError(`${owner}: store must be a key store; openKeyStore() makes one`)
  }
  const { maxStaleness = 5, serveLastKnownFor = 0, onEvent } = options
  return {
    bound: numberBetween(`${owner}: maxStaleness`, maxStaleness, 2, 60) * 1000,
    lastKnownFor: numberBetween(`${owner}: serveLastKnownFor`, serveLastKnownFor, 0, 3600) * 1000,
    onEvent: quietSink(onEvent),
  }
}

const retryMs = 1000
/** Milliseconds after which a question is given up: one that is never answered must not be the last. */
const patience = 5000

/** Reads all revocations whenever some may have been added. They are never taken back, so what is read is only added. */
function followedCopy(
  store: KeyStore,
  { onEvent, schedule = interval, stopwatch: watch = stopwatch }: StoredRevocationsOptions,
  read: (entries: readonly StoredRevocation[]) => void,
) {
  const feed = changeFeed(store, { onEvent, schedule, stopwatch: watch })
  let loadedAt = Number.NEGATIVE_INFINITY
  /** Up to when all is known, while something is missing that was heard of. */
  let knownUntil: number | undefined
  let isOutdated = false
  let retry: (() => void) | undefined
  const load = oneAtATime(loadAll)
  const unfollow = feed.follow((change) => {
    if (change !== 'everything' && change.topic !== 'revocation') return
    // The feed counts a question as answered after all have been told: until here it is that of the one before.
    knownUntil ??= watch() - age()
    isOutdated = true
    load().catch(nothing)
  })
  let isClosed = false
  return {
    load: () => load(),
    /** Milliseconds since all that was committed is known for sure. */
    staleness: () => (knownUntil === undefined ? age() : watch() - knownUntil),
    close() {
      isClosed = true
      unfollow()
      stopRetrying()
    },
  }

  function age(): number {
    return Math.min(feed.staleness(), watch() - loadedAt)
  }

  async function loadAll(): Promise<void> {
    try {
      do {
        isOutdated = false
        const started = watch()
        read(await patient(store.revocations(), schedule))
        loadedAt = started
        // Whatever was heard of meanwhile, until then all is known.
        if (knownUntil !== undefined) knownUntil = Math.max(knownUntil, started)
      } while (isOutdated)
      knownUntil = undefined
      stopRetrying()
    } catch (error) {
      if (!isClosed) retry ??= schedule(() => load().catch(nothing), retryMs)
      throw error
    }
  }

  function stopRetrying(): void {
    retry?.()
    retry = undefined
  }
}

function patient<T>(answer: Promise<T>, schedule: Schedule): Promise<T> {
  let stop = nothing
  const tooLate = new Promise<never>((_resolve, reject) => {
    stop = schedule(() => reject(new AuthError('verifier_unavailable')), patience)
  })
  return Promise.race([answer, tooLate]).finally(() => stop())
}

/** What is told is cut to a sensible length: an issuer may put anything into an id. */
const longestFact = 256

function auditEntry(
  event: 'jwt.revoke' | 'jwt.cutoff_set',
  { name, until }: StoredRevocation,
  facts: Readonly<Record<string, string | number | undefined>>,
  { actor = { type: 'system' }, requestId, reason }: By,
): AuditEntry {
  // The name of a token is its digest, and so is not written as it is.
  const all = { ...facts, until, entry: sha256(name) }
  const details: Record<string, string | number> = {}
  for (const [fact, value] of Object.entries(all)) {
    if (value !== undefined) details[fact] = typeof value === 'string' ? value.slice(0, longestFact) : value
  }
  return {
    event,
    outcome: 'success',
    severity: 'notice',
    actor,
    details,
    ...(requestId !== undefined && { requestId }),
    ...(reason !== undefined && { reason }),
  }
}

function nothing(): void {}
