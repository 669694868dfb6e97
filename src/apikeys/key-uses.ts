import type { EventSink } from '../core/events.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { interval, type Schedule } from '../core/schedule.ts'
import { auditQueue } from './audit-queue.ts'
import { firstUses } from './first-use.ts'
import type { HashAlgorithm, KeyRecord } from './key-record.ts'
import type { KeyStore } from './key-store.ts'
import { lastUses } from './last-uses.ts'
import { quietSink } from './store-events.ts'
import type { NamedKey } from './use-entries.ts'

/**
 * Writes down how keys are used, behind the back of requests: nothing here makes one wait, or fail. A process that is
 * killed loses the counts of a minute; it loses no first use that was acknowledged, because the next use is one.
 */
export interface KeyUses {
  /** A key was good. */
  accepted(record: KeyRecord, use: UseContext): void
  /** A key was refused; without a record, one that does not exist. */
  refused(reason: string, record: NamedKey | undefined, use: UseContext): void
  /** A key was used more often than its rate limit allows. */
  limited(record: KeyRecord, use: UseContext): void
  /** Writes all that waits. @throws AuthError `verifier_unavailable`; what was not written is kept */
  flush(): Promise<void>
  /** The same, for the last time: what happens afterwards is not written down. */
  close(): Promise<void>
}

/** On what occasion a key was presented. */
export interface UseContext {
  readonly address?: string
  readonly requestId?: string
  /** The digest the key shall have from now on. */
  readonly rehash?: { readonly hash: Uint8Array; readonly hashAlgorithm: HashAlgorithm }
}

/** How uses are written. */
export interface KeyUsesOptions {
  /** Told `store` and `audit.dropped`. */
  readonly onEvent?: EventSink | undefined
  /** Default: `setInterval`, which keeps no process alive. */
  readonly schedule?: Schedule | undefined
  /** How many keys are counted, how many events wait, and how many first uses. 1 to 1,000,000. Default: 10,000. */
  readonly maxPending?: number
}

/** Milliseconds between two looks at what waits. Whatever is told once a minute counts them. */
const everyMs = 10_000

/**
 * Makes {@link KeyUses}.
 *
 * - Last use, and the count of uses: at most one write for each key a minute.
 * - First use: at once, with the event `key.first_use`; of a key that waits for it, it begins the grace of the key it
 *   replaces, in the same transaction.
 * - Use in grace, refusals, rate limits: one event a minute for each key and reason, with how often.
 * - All of it bounded. What does not fit is counted as `audit.dropped`, and the log of events gets an `audit.gap`.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function keyUses(store: KeyStore, options: KeyUsesOptions = {}): KeyUses {
  checkOptions('keyUses', options, ['onEvent', 'schedule', 'maxPending'])
  const { schedule = interval } = options
  const most = numberBetween('keyUses: maxPending', options.maxPending ?? 10_000, 1, 1_000_000)
  const onEvent = quietSink(options.onEvent)
  const last = lastUses(store, most, onEvent)
  const first = firstUses(store, most)
  const audit = auditQueue(store, { onEvent, most })
  let unschedule: (() => void) | undefined
  let isClosed = false

  return {
    accepted(record, use) {
      quietly(() => {
        last.count(record.id, use.address)
        if (first.isDue(record, use)) first.note(record, use)
        if (record.state === 'grace')
          audit.add({ event: 'key.used_in_grace', reason: undefined, record, use })
      })
    },
    refused(reason, record, use) {
      quietly(() => audit.add({ event: 'auth.failure', reason, record, use }))
    },
    limited(record, use) {
      quietly(() => audit.add({ event: 'auth.rate_limited', reason: 'rate_limited', record, use }))
    },
    flush,
    async close() {
      isClosed = true
      stop()
      await flush()
    },
  }

  /** A store of somebody else that throws must not break the request. */
  function quietly(note: () => void): void {
    if (isClosed) return
    try {
      note()
      unschedule ??= schedule(tick, everyMs)
    } catch {
      // It is not written down, then.
    }
  }

  function tick(): void {
    last.tick()
    first.tick()
    audit.tick()
    if (last.isIdle && first.isIdle && audit.isIdle) stop()
  }

  function stop(): void {
    unschedule?.()
    unschedule = undefined
  }

  async function flush(): Promise<void> {
    // Each is tried, whatever becomes of the others.
    const written = await Promise.allSettled([last.flush(), first.flush(), audit.flush()])
    for (const one of written) if (one.status === 'rejected') throw one.reason
  }
}
