import type { ChangeFeed } from '../apikeys/change-feed.ts'
import type { KeyRecord } from '../apikeys/key-record.ts'
import type { Change, KeyStore } from '../apikeys/key-store.ts'
import { stopwatch } from '../core/clock.ts'
import type { EventSink } from '../core/events.ts'
import { hardBound, type KeyReads, timed } from './api-key-reads.ts'
import { readRecord } from './api-key-record.ts'
import type { KeyCache, KnownKey } from './key-cache.ts'

/** Listens to what is changed, and forgets it. */
export interface KeyWatch {
  /** From now on. Before anything is read, or a change in between is missed. Again is once. */
  begin(): void
  /** Whether it is known what was changed, up to a little while ago. */
  isInformed(): boolean
  /**
   * Milliseconds for which it has not been known what became of a key. Where that is long, as nothing is heard of changes,
   * or they could not be read, it is read in the background.
   */
  ageOf(key: KnownKey): number
  /** A key was changed while it was read: what is known of it is read again. */
  missed(id: string): void
  end(): void
}

/** Milliseconds without word from the store after which nothing remembered is believed. */
const maxStaleness = 30_000
/** How many keys are read at once. */
const batchSize = 500
/** Milliseconds between two attempts to read what could not be read. */
const retryEvery = 1000
/** Milliseconds without word from the store after which keys of streams are read one by one, to be in time for the bound. */
const silence = hardBound / 2

/**
 * Makes a {@link KeyWatch}. A key that is changed is read again at its next use. Those that were good here are also read
 * at once, in the background and many together: whoever holds a stream open asks about them without waiting.
 */
export function keyWatch(
  store: KeyStore,
  feed: ChangeFeed,
  { cache, reads, onEvent }: { cache: KeyCache; reads: KeyReads; onEvent: EventSink | undefined },
): KeyWatch {
  const again = readingAgain(store, cache, onEvent)
  let unfollow: (() => void) | undefined

  return {
    begin() {
      unfollow ??= feed.follow(note)
    },
    isInformed: () => feed.staleness() <= maxStaleness,
    ageOf(key) {
      const unread = stopwatch() - key.knownUntil
      const age = key.isOutdated ? unread : Math.min(unread, feed.staleness())
      if (age >= silence) again.want(key.id)
      again.nudge()
      return age
    },
    // When that was, nobody knows any more.
    missed: (id) => readAgain(id, Number.NEGATIVE_INFINITY),
    end() {
      unfollow?.()
      unfollow = undefined
      again.end()
    },
  }

  function note(change: Change | 'everything'): void {
    // The feed counts a question as answered after all have been told: up to here it is that of the one before.
    const knownUntil = stopwatch() - feed.staleness()
    if (change === 'everything') {
      reads.outdateAll()
      cache.outdateAll(knownUntil)
      again.read(cache.ids())
    } else if (change.topic === 'key') {
      reads.outdate(change.ref)
      readAgain(change.ref, knownUntil)
    }
  }

  function readAgain(id: string, knownUntil: number): void {
    cache.outdate(id, knownUntil)
    if (cache.has(id)) again.read([id])
  }
}

/** Reads what was changed of keys that are known, many at once and in the background. */
function readingAgain(store: KeyStore, cache: KeyCache, onEvent: EventSink | undefined) {
  // Only keys of the cache, so no more of them than it holds.
  const changed = new Set<string>()
  let underWay: ReadonlySet<string> = new Set()
  let isReading = false
  let isOver = false
  let attempted = Number.NEGATIVE_INFINITY

  return {
    read(ids: Iterable<string>) {
      for (const id of ids) changed.add(id)
      if (!isReading) void readChanged()
    },
    /** What is on its way is not asked for again: it would be dropped for something newer, again and again. */
    want(id: string) {
      if (!underWay.has(id)) changed.add(id)
    },
    nudge() {
      if (changed.size > 0 && !isReading && stopwatch() - attempted >= retryEvery) void readChanged()
    },
    end() {
      isOver = true
    },
  }

  /** One batch after another: what an earlier one brings never comes after what a later one does. */
  async function readChanged(): Promise<void> {
    isReading = true
    try {
      while (changed.size > 0 && !isOver) await readBatch()
    } catch {
      // Asked again when somebody wants to know. Until then each use of a key reads it.
    } finally {
      isReading = false
      underWay = new Set()
    }
  }

  async function readBatch(): Promise<void> {
    const ids = [...changed].slice(0, batchSize)
    for (const id of ids) changed.delete(id)
    underWay = new Set(ids)
    attempted = stopwatch()
    const known = ids.map((id) => cache.findId(id)).filter((key) => key !== undefined)
    try {
      const asked = store.list({ ids: known.map(({ id }) => id), limit: batchSize })
      const found = new Map((await timed(asked, attempted, onEvent)).map((record) => [record.id, record]))
      for (const key of known) update(key, found.get(key.id))
    } catch (error) {
      for (const { id } of known) changed.add(id)
      throw error
    }
  }

  function update(key: KnownKey, record: KeyRecord | undefined): void {
    // It was changed once more meanwhile.
    if (changed.has(key.id)) return
    key.record = legible(record, key.id)
    key.recordAt = attempted
    key.knownUntil = attempted
    key.isOutdated = false
  }
}

/** What cannot be understood is as good as gone; it must not keep the others from being read. */
function legible(found: KeyRecord | undefined, id: string): KeyRecord | undefined {
  try {
    return readRecord(found, id)
  } catch {
    return undefined
  }
}
