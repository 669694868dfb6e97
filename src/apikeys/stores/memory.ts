import { type Clock, systemClock } from '../../core/clock.ts'
import { AuthError } from '../../core/errors.ts'
import { checkOptions } from '../../core/options.ts'
import type { AuditEvent, AuditQuery } from '../audit-event.ts'
import type { KeyRecord } from '../key-record.ts'
import type {
  Change,
  KeyChanges,
  KeyQuery,
  KeyStore,
  KeyUpdate,
  KeyUse,
  PruneLimits,
  StoredRevocation,
} from '../key-store.ts'
import { changeListeners } from './change-listeners.ts'
import {
  chainedEvents,
  idsAfter,
  jsonCopy,
  type Log,
  memoryTables,
  recordCopy,
  type Tables,
} from './memory-tables.ts'
import { checkAudited, checkPour, checkWanted, pageLimit } from './queries.ts'
import { mergedRevocation } from './revocation-merge.ts'
import { readDaysAsked } from './use-days.ts'

/** How {@link memoryKeyStore} keeps keys. */
export interface MemoryKeyStoreOptions {
  /** The time, in milliseconds since 1970. Default: the clock of this machine. */
  readonly clock?: Clock
}

/**
 * A {@link KeyStore} in the memory of this process: empty after a restart, and unknown to other processes. For tests,
 * and for keys that are imported at each start.
 *
 * @throws TypeError when an option is unknown or `clock` is no function
 *
 * @example
 * ```ts
 * import { apiKeys, memoryKeyStore } from 'mcp-bearer/keys'
 *
 * const keys = apiKeys({ store: memoryKeyStore() })
 * const { key } = await keys.create({ name: 'CI', owner: 'alice@example.com', scopes: ['files:read'] })
 * ```
 */
export function memoryKeyStore(options: MemoryKeyStoreOptions = {}): KeyStore {
  checkOptions('memoryKeyStore', options, ['clock'])
  const { clock = systemClock } = options
  if (typeof clock !== 'function') throw new TypeError('memoryKeyStore: clock must be a function')
  return keyStoreOver(memoryTables(), clock)
}

/** A store of what is in the tables. Several over the same ones are like several processes on one database. */
export function keyStoreOver(tables: Tables, clock: Clock): KeyStore {
  const listeners = changeListeners()
  let isClosed = false

  /** A step of the database: all of it happens at once, because nothing in it waits. */
  const step =
    <Given extends unknown[], Found>(run: (...given: Given) => Found) =>
    async (...given: Given): Promise<Found> => {
      if (isClosed) throw new AuthError('verifier_unavailable', 'The key store is closed')
      return run(...given)
    }

  return {
    time: () => clock(),
    find: step((id: string) => {
      const found = tables.keys.get(id)
      return found && recordCopy(found)
    }),
    list: step((query: KeyQuery) => listed(tables, query)),
    commit: step((changes: KeyChanges) => {
      const done = commit(tables, changes, clock())
      listeners.tell(done ?? [])
      return done !== undefined
    }),
    recordUses: step((uses: readonly KeyUse[]) => {
      for (const use of uses) recordUse(tables, use)
      tables.uses.tidy(clock())
    }),
    usesByDay: step((ids: readonly string[], since: string) =>
      tables.uses.find(readDaysAsked(ids, since, clock())),
    ),
    takeUses: step((id: string, wanted: number) => takeUses(tables, id, wanted)),
    appendAudit: step((entries) => appendEvents(tables, chainedEvents(tables, entries, clock()))),
    readAudit: step((query: AuditQuery) => eventsOf(tables.audit, query)),
    changes: step((cursor: string | undefined) => changesSince(tables.changes, cursor)),
    onChange: listeners.add,
    revocations: step(() =>
      [...tables.revocations.values()].filter((one) => !isOver(one, clock())).map(jsonCopy),
    ),
    pour: step((name: string, amount: number, capacity: number) => {
      checkPour(amount, capacity)
      return tables.buckets(name, amount, capacity, clock())
    }),
    prune: step((limits: PruneLimits) => prune(tables, limits)),
    async close() {
      isClosed = true
      listeners.clear()
    },
  }
}

/** Everything that can fail comes before anything is written. */
function commit(tables: Tables, changes: KeyChanges, now: number): readonly Change[] | undefined {
  checkAudited(changes)
  const { add = [], update = [], revoke = [] } = changes
  const keys = new Map<string, KeyRecord>()
  for (const record of add) {
    if (tables.keys.has(record.id) || keys.has(record.id)) return undefined
    keys.set(record.id, recordCopy(record))
  }
  for (const one of update) {
    const before = keys.get(one.record.id) ?? tables.keys.get(one.record.id)
    if (before?.rev !== one.record.rev) return undefined
    keys.set(one.record.id, updated(before, one))
  }
  const revocations = new Map<string, StoredRevocation>()
  for (const one of revoke) {
    const before = revocations.get(one.name) ?? tables.revocations.get(one.name)
    revocations.set(one.name, mergedRevocation(before, jsonCopy(one)))
  }
  const events = chainedEvents(tables, changes.audit, now)

  for (const [id, record] of keys) tables.keys.set(id, record)
  if (add.length > 0) tables.ids = undefined
  for (const [name, revocation] of revocations) tables.revocations.set(name, revocation)
  const told: readonly Change[] = [
    ...update.map(({ record }) => ({ topic: 'key' as const, ref: record.id })),
    ...revoke.map(({ name }) => ({ topic: 'revocation' as const, ref: name })),
  ]
  tables.changes.add(told, now)
  appendEvents(tables, events)
  return told
}

/** What is counted while keys are in use is not overwritten by somebody who has read it before. */
function updated(before: KeyRecord, { record, resetUsage = false }: KeyUpdate): KeyRecord {
  const { useCount, lastUsedAt, lastUsedAddress, usageLeft } = before
  const kept = resetUsage ? { usageLeft: record.usageLeft } : { usageLeft }
  return recordCopy({
    ...record,
    ...({ useCount, lastUsedAt, lastUsedAddress, ...kept } as Partial<KeyRecord>),
    rev: before.rev + 1,
  })
}

function appendEvents(tables: Tables, events: readonly AuditEvent[]): void {
  for (const event of events) tables.audit.add([event], event.time)
  tables.lastHash = events.at(-1)?.hash ?? tables.lastHash
}

function listed(tables: Tables, query: KeyQuery): readonly KeyRecord[] {
  const limit = pageLimit(query)
  const { ids, ownerId, tenant, lineageId, after } = query
  const candidates =
    ids === undefined
      ? idsAfter(tables, after)
      : [...new Set(ids)].filter((id) => after === undefined || id > after).sort()
  const found: KeyRecord[] = []
  for (const id of candidates) {
    if (found.length === limit) break
    const key = tables.keys.get(id)
    const isAsked =
      key !== undefined &&
      (ownerId === undefined || key.owner.id === ownerId) &&
      (tenant === undefined || key.tenant === tenant) &&
      (lineageId === undefined || key.lineageId === lineageId)
    if (isAsked) found.push(recordCopy(key))
  }
  return found
}

function recordUse({ keys, uses }: Tables, use: KeyUse): void {
  const { id, count, at, address } = use
  const key = keys.get(id)
  if (key === undefined) return
  uses.count(use)
  const used = { ...key, useCount: key.useCount + count }
  if (key.lastUsedAt === undefined || at > key.lastUsedAt) {
    // The address belongs to the time: that of an earlier use would be a lie.
    Object.assign(used, { lastUsedAt: at, lastUsedAddress: address })
  }
  keys.set(id, used)
}

function takeUses({ keys }: Tables, id: string, wanted: number): number {
  checkWanted(wanted)
  const key = keys.get(id)
  if (key?.usageLimit === undefined) return 0
  const left = key.usageLeft ?? 0
  // What is given back after the limit was set anew must not make it more than the limit.
  const then = Math.min(Math.max(left - wanted, 0), Math.max(key.usageLimit, left))
  keys.set(id, { ...key, usageLeft: then })
  return left - then
}

function eventsOf(audit: Log<AuditEvent>, query: AuditQuery): readonly AuditEvent[] {
  const limit = pageLimit(query)
  const { keyId, lineageId, event, outcome, actorId, since, until, after = 0, before, order } = query
  const rows = audit.after(after)
  return (order === 'desc' ? rows.toReversed() : rows)
    .filter(
      (one) =>
        (before === undefined || one.sequence < before) &&
        (keyId === undefined || one.keyId === keyId) &&
        (lineageId === undefined || one.lineageId === lineageId) &&
        (event === undefined || one.event === event) &&
        (outcome === undefined || one.outcome === outcome) &&
        (actorId === undefined || one.actor.id === actorId) &&
        (since === undefined || one.time >= since) &&
        (until === undefined || one.time < until),
    )
    .slice(0, limit)
    .map(jsonCopy)
}

function changesSince(changes: Log<Change>, cursor: string | undefined) {
  const since = cursor === undefined ? changes.last : Number(cursor)
  // A cursor of some other store, or of the time before this one was lost, says nothing of what happened since.
  const isKnown = /^\d{1,15}$/.test(cursor ?? '0') && since <= changes.last
  return {
    cursor: String(changes.last),
    changes: isKnown ? changes.after(since).map((change) => ({ ...change })) : [],
    isComplete: isKnown && since >= changes.pruned,
  }
}

function prune(tables: Tables, limits: PruneLimits) {
  const { keys, changes, audit, revocations } = limits
  tables.ids = undefined
  return {
    keys: keys === undefined ? 0 : dropKeys(tables, keys),
    changes: changes === undefined ? 0 : tables.changes.prune(changes),
    audit: audit === undefined ? 0 : tables.audit.prune(audit),
    revocations:
      revocations === undefined ? 0 : dropWhere(tables.revocations, (one) => isOver(one, revocations)),
  }
}

function dropKeys({ keys, uses }: Tables, before: number): number {
  const count = dropWhere(keys, (key) => hasEnded(key, before))
  uses.keep((id) => keys.has(id))
  return count
}

function dropWhere<T>(rows: Map<string, T>, isGone: (row: T) => boolean): number {
  const before = rows.size
  for (const [name, row] of rows) if (isGone(row)) rows.delete(name)
  return before - rows.size
}

function hasEnded({ revokedAt, expiresAt }: KeyRecord, before: number): boolean {
  return (revokedAt !== undefined && revokedAt < before) || (expiresAt !== undefined && expiresAt < before)
}

/** When it says until when, and that is past. */
function isOver({ until }: StoredRevocation, now: number): boolean {
  return until !== undefined && until < now
}
