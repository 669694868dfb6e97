import type { AuditEntry } from './audit-event.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyChanges, KeyStore, KeyUpdate } from './key-store.ts'
import type { UseContext } from './key-uses.ts'
import { aboutKey, sourceOf } from './use-entries.ts'

/** What the use of a key changes of it, written in the background. */
export interface FirstUses {
  /** Whether it changes anything. Cheap. */
  isDue(record: KeyRecord, use: UseContext): boolean
  /** Writes it, unless that is under way or done. Never waits, and never throws. */
  note(record: KeyRecord, use: UseContext): void
  /** Tries again what could not be written. */
  tick(): void
  readonly isIdle: boolean
  /** Resolves when all is written. @throws AuthError `verifier_unavailable` */
  flush(): Promise<void>
}

/**
 * Makes {@link FirstUses}. The first use of a key is recorded; of one that was made by a rotation and waited for it, it
 * also begins the grace of the key it replaces, in the same transaction. A key whose digest is not made with the newest
 * pepper gets a new digest.
 *
 * @param most how many keys are remembered as written, and how many may wait. Beyond, it is left to
 *   the next use
 */
export function firstUses(store: KeyStore, most: number): FirstUses {
  const waiting = new Map<string, Task>()
  const inTurn = turns(atOnce)
  const done = new Set<string>()

  return {
    isDue: (record, use) =>
      record.firstUsedAt === undefined || record.state === 'pending' || use.rehash !== undefined,
    note(record, use) {
      if (isUnused(record)) begin(`use ${record.id}`, () => recordFirstUse(store, record.id, use))
      if (use.rehash !== undefined) begin(`hash ${record.id}`, () => rehash(store, record, use))
    },
    tick() {
      for (const task of waiting.values()) if (!task.isRunning) run(task)
    },
    get isIdle() {
      return waiting.size === 0
    },
    async flush() {
      // Those that failed are tried once more; those under way are waited for.
      for (const task of waiting.values()) if (!task.isRunning) run(task)
      await Promise.all([...waiting.values()].map(({ result }) => result))
    },
  }

  function begin(name: string, work: () => Promise<void>): void {
    // What waits for its next attempt is not hurried by requests.
    if (done.has(name) || waiting.has(name) || waiting.size >= most) return
    const task: Task = { name, work, isRunning: false, result: undefined }
    waiting.set(name, task)
    run(task)
  }

  function run(task: Task): void {
    task.isRunning = true
    const result = inTurn(task.work).then(
      () => {
        waiting.delete(task.name)
        remember(task.name)
      },
      (error) => {
        task.isRunning = false
        throw error
      },
    )
    task.result = result
    result.catch(() => {})
  }

  /** The record that is presented may be an older one for a while; it is not written again for that. */
  function remember(name: string): void {
    done.add(name)
    if (done.size > most) done.delete(done.values().next().value ?? '')
  }
}

interface Task {
  readonly name: string
  readonly work: () => Promise<void>
  isRunning: boolean
  result: Promise<void> | undefined
}

/** Transactions at once. Keys that are all new together, such as imported ones, must leave connections to requests. */
const atOnce = 4

/** Does so much at once, and the rest in its order. */
function turns(most: number) {
  const waiting: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < most) running += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}

/** How often a change is made anew from what somebody else has just written. */
const attempts = 5

/** Changes a key as it is now. What does not get written in five attempts is tried again later. */
async function change(
  store: KeyStore,
  id: string,
  changes: (record: KeyRecord) => KeyChanges | undefined | Promise<KeyChanges | undefined>,
): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const record = await store.find(id)
    const wanted = record?.state === 'revoked' ? undefined : record && (await changes(record))
    if (wanted === undefined || (await store.commit(wanted))) return
  }
  throw new Error('The key is changed too often')
}

function isUnused({ firstUsedAt, state }: KeyRecord): boolean {
  return firstUsedAt === undefined || state === 'pending'
}

function recordFirstUse(store: KeyStore, id: string, use: UseContext): Promise<void> {
  return change(store, id, async (record) => {
    if (!isUnused(record)) return undefined
    const now = store.time()
    const replaced = record.state === 'pending' ? await replacedBy(store, record) : undefined
    const grace = replaced && graceOf(replaced, now + (record.graceMs ?? 0), now)
    const used: KeyRecord = {
      ...record,
      firstUsedAt: record.firstUsedAt ?? now,
      state: record.state === 'pending' ? 'active' : record.state,
      updatedAt: now,
    }
    const told = entry('key.first_use', record, use)
    return {
      update: [{ record: used }, ...(grace ? [{ record: grace }] : [])],
      audit: grace ? [told, graceEntry(replaced, grace, use)] : [told],
    }
  })
}

/** The key whose place this one takes. */
async function replacedBy(store: KeyStore, { id, lineageId }: KeyRecord): Promise<KeyRecord | undefined> {
  let after: string | undefined
  while (true) {
    const page = await store.list({ lineageId, limit: pageSize, ...(after !== undefined && { after }) })
    const found = page.find((record) => record.replacedBy === id)
    after = page.at(-1)?.id
    if (found !== undefined || page.length < pageSize) return found?.state === 'revoked' ? undefined : found
  }
}

const pageSize = 1000

/** Grace shortens a life, and never lengthens it. */
function graceOf(record: KeyRecord, until: number, now: number): KeyRecord {
  const expiresAt = Math.min(record.expiresAt ?? Number.POSITIVE_INFINITY, until)
  return { ...record, state: 'grace', expiresAt, updatedAt: now }
}

function rehash(store: KeyStore, presented: KeyRecord, use: UseContext): Promise<void> {
  return change(store, presented.id, (record) => {
    const { rehash: wanted } = use
    // The digest is that of the key that was presented, as long as the one it was compared with is still there.
    if (wanted === undefined || !isSameHash(record, presented)) return undefined
    const update: KeyUpdate = { record: { ...record, ...wanted, updatedAt: store.time() } }
    const { hashAlgorithm: before } = record
    const changes = { before: { hashAlgorithm: before }, after: { hashAlgorithm: wanted.hashAlgorithm } }
    return { update: [update], audit: [{ ...entry('key.update', record, use), reason: 're-hash', changes }] }
  })
}

function isSameHash(one: KeyRecord, other: KeyRecord): boolean {
  return one.hashAlgorithm === other.hashAlgorithm && one.hash.every((byte, at) => byte === other.hash[at])
}

function graceEntry(before: KeyRecord | undefined, after: KeyRecord, use: UseContext): AuditEntry {
  const shown = (record: KeyRecord | undefined) => ({
    state: record?.state,
    expiresAt: record?.expiresAt ?? null,
  })
  return {
    ...entry('key.update', after, use),
    actor: { type: 'key', ...(after.replacedBy !== undefined && { id: after.replacedBy }) },
    reason: 'replaced',
    changes: { before: shown(before), after: shown(after) },
  }
}

function entry(event: AuditEntry['event'], record: KeyRecord, use: UseContext): AuditEntry {
  return { event, outcome: 'success', severity: 'info', ...aboutKey(record), ...sourceOf(use) }
}
