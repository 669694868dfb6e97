import type { AuditEntry, AuditEvent } from '../audit-event.ts'
import { chainedHash, chainStart } from '../audit-hash.ts'
import type { KeyRecord } from '../key-record.ts'
import type { Change, StoredRevocation } from '../key-store.ts'
import { type Buckets, memoryBuckets } from './memory-buckets.ts'
import { UsesByDay } from './memory-uses.ts'

/** What a store in memory holds. Nothing in it is ever changed, only replaced: so it can be handed on half-read. */
export interface Tables {
  readonly keys: Map<string, KeyRecord>
  readonly uses: UsesByDay
  readonly revocations: Map<string, StoredRevocation>
  readonly changes: Log<Change>
  readonly audit: Log<AuditEvent>
  readonly buckets: Buckets
  /** The ids of the keys in their order, while they are known: sorted when a list is asked for, and not for each page. */
  ids: readonly string[] | undefined
  /** Of the event that was recorded last, which may be pruned already. */
  lastHash: string
}

/** Empty {@link Tables}. */
export function memoryTables(): Tables {
  return {
    keys: new Map(),
    uses: new UsesByDay(),
    revocations: new Map(),
    changes: new Log(),
    audit: new Log(),
    buckets: memoryBuckets(),
    ids: undefined,
    lastHash: chainStart,
  }
}

/** Rows by number, the oldest first. Numbers begin at 1 and are never given twice. */
export class Log<T> {
  #rows: { readonly row: T; readonly at: number }[] = []
  /** How many were removed; also the number of the last one that was. */
  pruned = 0

  /** The number of the row that was added last. */
  get last(): number {
    return this.pruned + this.#rows.length
  }

  add(rows: readonly T[], at: number): void {
    for (const row of rows) this.#rows.push({ row, at })
  }

  /** The rows after a number. */
  after(number: number): readonly T[] {
    return this.#rows.slice(Math.max(0, number - this.pruned)).map(({ row }) => row)
  }

  /** Removes from the beginning what is older, so that what is left has no gap. Returns how many. */
  prune(before: number): number {
    const kept = this.#rows.findIndex(({ at }) => at >= before)
    const count = kept === -1 ? this.#rows.length : kept
    this.#rows.splice(0, count)
    this.pruned += count
    return count
  }
}

/** The ids after one, in their order. All of them are ASCII, so characters come in the order of their bytes. */
export function idsAfter(tables: Tables, after: string | undefined): readonly string[] {
  tables.ids ??= [...tables.keys.keys()].sort()
  if (after === undefined) return tables.ids
  let [low, high] = [0, tables.ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (tables.ids[middle]! > after) high = middle
    else low = middle + 1
  }
  return tables.ids.slice(low)
}

/** The events that entries become, chained to the last one. */
export function chainedEvents(tables: Tables, entries: readonly AuditEntry[], time: number): AuditEvent[] {
  let previous = tables.lastHash
  return entries.map((entry, index) => {
    const event = { ...jsonCopy(entry), sequence: tables.audit.last + 1 + index, time }
    previous = chainedHash(previous, event)
    return { ...event, hash: previous }
  })
}

/** A record nobody else holds a part of: what a database would give back. */
export function recordCopy({ hash, ...rest }: KeyRecord): KeyRecord {
  return { ...jsonCopy(rest), hash: Uint8Array.from(hash) }
}

/** A copy by JSON: what a database keeps of a value, and no more. */
export function jsonCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
