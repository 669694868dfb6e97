import type { EventSink } from '../core/events.ts'
import type { AuditEntry } from './audit-event.ts'
import type { KeyStore } from './key-store.ts'
import { oneAtATime, timed } from './store-events.ts'
import { type Occasion, occasionEntry } from './use-entries.ts'

/** Audit events of requests, on their way to a {@link KeyStore}. What happens again and again becomes one event a minute. */
export interface AuditQueue {
  /** Never waits. The first of its kind is written at once; those that follow within a minute are counted. */
  add(occasion: Occasion): void
  /** Called every ten seconds. */
  tick(): void
  /** Whether there is nothing to do, and nothing to remember. */
  readonly isIdle: boolean
  /** Writes all there is. @throws AuthError `verifier_unavailable` */
  flush(): Promise<void>
}

/** How an {@link AuditQueue} writes. */
export interface AuditQueueOptions {
  /** Told `store` and `audit.dropped`. */
  readonly onEvent: EventSink
  /** How many kinds of events are counted each by itself, and how many events wait at most. */
  readonly most: number
}

/** A minute, and up to ten seconds more: the one in which it began is not a whole one. */
const ticksOfAMinute = 7
/** Kinds that are counted although there are too many: those of any key, one for each reason. */
const spare = 100

/** Makes an {@link AuditQueue}: bounded, so that an attack fills no memory, and it is known how much is missing. */
export function auditQueue(store: KeyStore, options: AuditQueueOptions): AuditQueue {
  const { most } = options
  const kinds = new Map<string, Kind>()
  const writer = auditWriter(store, options)

  return {
    add(occasion) {
      if (count(occasion, most)) return
      if (!count({ ...occasion, record: undefined }, most + spare)) writer.drop()
    },
    tick() {
      for (const [name, kind] of kinds) if (++kind.ticks >= ticksOfAMinute) conclude(name, kind)
      writer.tick()
    },
    get isIdle() {
      return kinds.size === 0 && writer.isIdle
    },
    flush() {
      for (const [name, kind] of kinds) conclude(name, kind)
      return writer.flush()
    },
  }

  /** @returns false when it would be one kind too many */
  function count(occasion: Occasion, room: number): boolean {
    const { event, reason, record } = occasion
    const name = `${event} ${reason} ${record?.id}`
    const kind = kinds.get(name)
    if (kind !== undefined) {
      kind.last = occasion
      kind.count += 1
    } else if (kinds.size < room) {
      kinds.set(name, { last: occasion, count: 0, ticks: 0 })
      writer.push(occasionEntry(occasion))
    } else return false
    return true
  }

  /** The end of a minute: what was counted is one event, and a minute in which nothing came is forgotten. */
  function conclude(name: string, kind: Kind): void {
    if (kind.count === 0) kinds.delete(name)
    else writer.push({ ...occasionEntry(kind.last), count: kind.count })
    kind.count = 0
    kind.ticks = 0
  }
}

/** Occasions that differ in nothing that matters. */
interface Kind {
  last: Occasion
  /** Those since one was written. */
  count: number
  ticks: number
}

/** Events written in one transaction. */
const batchSize = 500

function auditWriter(store: KeyStore, { onEvent, most }: AuditQueueOptions) {
  const waiting: AuditEntry[] = []
  let dropped = 0
  let told = 0
  let isDown = false
  const write = oneAtATime(async () => {
    while (waiting.length > 0 || dropped > 0) await writeBatch()
  })

  return {
    push(entry: AuditEntry): void {
      if (waiting.length < most) waiting.push(entry)
      else dropped += entry.count ?? 1
      // Who is there no more is asked again by the next tick, and not by each request.
      if (!isDown) write().catch(nothing)
    },
    drop(): void {
      dropped += 1
    },
    tick(): void {
      if (waiting.length > 0 || dropped > 0) write().catch(nothing)
      tellDropped()
    },
    get isIdle(): boolean {
      return waiting.length === 0 && dropped === 0 && write.current === undefined
    },
    async flush(): Promise<void> {
      // What is under way may be about to fail.
      await write.current?.catch(nothing)
      await write()
      tellDropped()
    },
  }

  async function writeBatch(): Promise<void> {
    const batch = waiting.slice(0, batchSize)
    const missing = dropped
    isDown = true
    await timed(onEvent, 'audit', () =>
      store.appendAudit(missing === 0 ? batch : [...batch, gapEntry(missing)]),
    )
    isDown = false
    waiting.splice(0, batch.length)
    tellDropped()
    dropped -= missing
    told -= missing
  }

  function tellDropped(): void {
    if (dropped > told) onEvent({ type: 'audit.dropped', count: dropped - told })
    told = dropped
  }
}

function gapEntry(count: number): AuditEntry {
  return { event: 'audit.gap', outcome: 'failure', severity: 'critical', actor: { type: 'system' }, count }
}

function nothing(): void {}
