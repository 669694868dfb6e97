import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { EventSink } from '../core/events.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { interval, type Schedule } from '../core/schedule.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyStore } from './key-store.ts'
import { quietSink, timed } from './store-events.ts'

/** Counts uses of keys that have a `usageLimit`. */
export interface UsageLeases {
  /**
   * Uses a key once, if it may be used: at once as long as this process has uses in advance.
   * @throws AuthError `verifier_unavailable` when none are there and the database cannot be asked for more
   */
  take(record: KeyRecord): boolean | Promise<boolean>
  /** Gives back what was not used. Afterwards nothing is there to be taken. */
  close(): Promise<void>
}

/** How uses are leased. */
export interface UsageLeasesOptions {
  /** Told `store`. */
  readonly onEvent?: EventSink | undefined
  /** Default: `setInterval`, which keeps no process alive. */
  readonly schedule?: Schedule | undefined
  /** Milliseconds that never go back. Default: those of this machine. */
  readonly stopwatch?: () => number
  /** For how many keys uses are held. 1 to 1,000,000. Default: 10,000. */
  readonly maxKeys?: number
}

/** Uses of one key that were taken from the database and belong to this process. */
interface Lease {
  readonly id: string
  /** How many are there. */
  held: number
  /** The newest record that was presented. */
  record: KeyRecord
  /** A guess at how many the database has. */
  left: number
  /** Requests that have to wait for the database. */
  waiting: number
  refilling: Promise<void> | undefined
  exhausted: number
  idleTicks: number
}

/** As much as a hundredth of what is left, so that the nodes of a cluster all get some of the rest. */
const share = 100
const largestBlock = 100
/** Milliseconds for which a key that is used up is not asked about: its limit may be raised. */
const exhaustedFor = 2000
/** Keys are seldom replaced while the one before the last still works. */
const mostHops = 10
const everyMs = 10_000
const ticksUntilReturned = 6

/**
 * Makes {@link UsageLeases}: a process takes some uses in advance, and most requests wait for no database. However many
 * processes there are, no more uses are allowed than the limit says, because each was taken before it is used. Some are
 * lost when a process is killed, or when it cannot be told whether the database has done what it was asked for: up to
 * 100 for each key. Those not used for a minute are given back.
 *
 * @throws TypeError naming the option that is out of bounds
 */
export function usageLeases(store: KeyStore, options: UsageLeasesOptions = {}): UsageLeases {
  checkOptions('usageLeases', options, ['onEvent', 'schedule', 'stopwatch', 'maxKeys'])
  const { schedule = interval, stopwatch: watch = stopwatch } = options
  const most = numberBetween('usageLeases: maxKeys', options.maxKeys ?? 10_000, 1, 1_000_000)
  const leases = new Map<string, Lease>()
  const { takeBlock, giveBack } = blocks(store, watch, quietSink(options.onEvent))
  let unschedule: (() => void) | undefined
  let isClosed = false

  return {
    take(record) {
      if (record.usageLimit === undefined) return true
      const lease = leases.get(record.id) ?? open(record)
      if (lease.record !== record) renew(lease, record)
      return decide(lease, watch()) ?? wait(lease)
    },
    async close() {
      isClosed = true
      stop()
      await Promise.allSettled([...leases.values()].map(({ refilling }) => refilling))
      await Promise.all([...leases.values()].map(retire))
    },
  }

  async function wait(lease: Lease): Promise<boolean> {
    lease.waiting += 1
    try {
      while (true) {
        if (isClosed) throw new AuthError('verifier_unavailable')
        lease.refilling ??= takeBlock(lease)
        await lease.refilling
        // Those who wait for the same block take from it one after another; it may not be enough for all.
        const decided = decide(lease, watch())
        if (decided !== undefined) return decided
      }
    } finally {
      lease.waiting -= 1
    }
  }

  function open(record: KeyRecord): Lease {
    if (leases.size >= most) makeRoom()
    const lease = emptyLease(record)
    leases.set(record.id, lease)
    if (!isClosed) unschedule ??= schedule(tick, everyMs)
    return lease
  }

  function makeRoom(): void {
    for (const lease of leases.values()) if (lease.waiting === 0) return void retire(lease)
  }

  function tick(): void {
    for (const lease of leases.values())
      if (++lease.idleTicks > ticksUntilReturned && lease.waiting === 0) retire(lease)
    if (leases.size === 0) stop()
  }

  function stop(): void {
    unschedule?.()
    unschedule = undefined
  }

  function retire(lease: Lease): Promise<void> {
    leases.delete(lease.id)
    return giveBack(lease)
  }
}

function emptyLease(record: KeyRecord): Lease {
  return {
    id: record.id,
    held: 0,
    record,
    left: record.usageLeft ?? 0,
    waiting: 0,
    refilling: undefined,
    exhausted: Number.NEGATIVE_INFINITY,
    idleTicks: 0,
  }
}

/** What can be said without asking the database. */
function decide(lease: Lease, now: number): boolean | undefined {
  lease.idleTicks = 0
  if (lease.held > 0) {
    lease.held -= 1
    return true
  }
  return now < lease.exhausted ? false : undefined
}

function blocks(store: KeyStore, watch: () => number, onEvent: EventSink) {
  return { takeBlock, giveBack }

  async function takeBlock(lease: Lease): Promise<void> {
    const { record } = lease
    const block = Math.min(largestBlock, Math.max(1, lease.waiting, Math.floor(lease.left / share)))
    try {
      const taken = await takeOf(lease, block)
      // The limit was set anew meanwhile: these were taken from what it was before, or from what it is; nobody knows.
      if (record.usageLimit !== lease.record.usageLimit) return
      lease.held += taken
      lease.left = taken < block ? 0 : lease.left - taken
      if (taken === 0) lease.exhausted = watch() + exhaustedFor
    } finally {
      lease.refilling = undefined
    }
  }

  /** Of a key that was replaced, what is left belongs to the one that took its place, and that one shares it. */
  async function takeOf({ record }: Lease, block: number): Promise<number> {
    let { id, replacedBy }: Pick<KeyRecord, 'id' | 'replacedBy'> = record
    for (let hops = 0; ; hops++) {
      const name = id
      const taken = await timed(onEvent, 'count', () => store.takeUses(name, block))
      // Whatever a store of somebody else answers, it has given no more than it was asked for.
      if (taken > 0) return Math.min(taken, block)
      if (hops === mostHops) return 0
      // The record that was presented may be older than its replacement.
      const next = replacedBy ?? (await store.find(id))?.replacedBy
      if (next === undefined) return 0
      id = next
      replacedBy = undefined
    }
  }

  /** What is not known to have been given back is not used any more: else it might be used twice. */
  async function giveBack(lease: Lease): Promise<void> {
    const { id, held } = lease
    lease.held = 0
    if (held > 0) await timed(onEvent, 'count', () => store.takeUses(id, -held)).catch(() => {})
  }
}

/** A newer record says how many are left; one with another limit also that what was taken under the old one is void. */
function renew(lease: Lease, record: KeyRecord): void {
  const before = lease.record
  if (record.rev < before.rev) return
  lease.record = record
  lease.left = record.usageLeft ?? 0
  if (record.usageLimit === before.usageLimit) return
  lease.held = 0
  lease.exhausted = Number.NEGATIVE_INFINITY
}
