import type { KeyRecord } from '../apikeys/key-record.ts'
import type { NamedKey } from '../apikeys/use-entries.ts'
import type { Grant } from '../core/access-token.ts'
import { stopwatch } from '../core/clock.ts'
import type { RefusalReason } from './refusal.ts'

/** A key whose secret was presented here and was right. Neither the key nor its secret is in it. */
export interface KnownKey {
  readonly id: string
  /** SHA-256 of the key. */
  readonly digest: string
  readonly grant: Grant
  /** As it was read last, be it by somebody who asked about it alone; `undefined` when it is not there any more. */
  record: KeyRecord | undefined
  /** When the read was sent that brought `record`, in milliseconds of the stopwatch. */
  recordAt: number
  /** Whether something was changed since. */
  isOutdated: boolean
  /** Up to when `record` is known to be all there is, whatever is heard of changes, by the same stopwatch. */
  knownUntil: number
  /** When the read that `grant` stands on was sent, in milliseconds of the stopwatch; never, once something was changed. */
  readAt: number
}

/** A key that is not there, or has another secret. */
export interface BadKey {
  readonly reason: RefusalReason
  /** The one with its id. No more of it: whoever knows an id can have as many of these remembered as there are places. */
  readonly record: NamedKey | undefined
  readonly readAt: number
}

/** What is known of keys, in two rooms: whoever invents bad ones takes no place of good ones. */
export interface KeyCache {
  /** A key by its digest, however old. */
  find(digest: string): KnownKey | undefined
  /** The same by its id, for one who has shown it before. Keys that are asked for so are forgotten last. */
  findId(id: string): KnownKey | undefined
  /** Why a key was refused, for a little while. */
  refusal(digest: string): BadKey | undefined
  keep(key: KnownKey): void
  keepBad(digest: string, key: BadKey): void
  /**
   * Something was changed: what was read before counts no more.
   * @param knownUntil up to when every change had been heard of before, by the stopwatch
   */
  outdate(id: string, knownUntil: number): void
  outdateAll(knownUntil: number): void
  /** A key is not there any more. */
  lose(id: string): void
  has(id: string): boolean
  ids(): Iterable<string>
}

/** Milliseconds a refusal is remembered. */
export const refusalAge = 2000
/** How many are. A client with a bad key asks again and again, and there are not many of these at a time. */
const mostRefusals = 10_000

/**
 * Makes a {@link KeyCache}. Beyond its capacity the one is forgotten that was kept longest ago: one in use is kept anew
 * every few seconds.
 *
 * @param capacity how many good keys are kept; with 0 nothing is
 */
export function keyCache(capacity: number): KeyCache {
  const byDigest = new Map<string, KnownKey>()
  // The oldest is the first.
  const byId = new Map<string, KnownKey>()
  const bad = new Map<string, BadKey>()

  return {
    find: (digest) => byDigest.get(digest),
    findId(id) {
      const key = byId.get(id)
      if (key !== undefined) moveToEnd(byId, id, key)
      return key
    },
    refusal(digest) {
      const key = bad.get(digest)
      if (key === undefined || stopwatch() - key.readAt < refusalAge) return key
      bad.delete(digest)
      return undefined
    },
    keep(key) {
      if (capacity === 0) return
      forget(byId.get(key.id))
      bad.delete(key.digest)
      if (byId.size >= capacity) forget(byId.values().next().value)
      byId.set(key.id, key)
      byDigest.set(key.digest, key)
    },
    keepBad(digest, key) {
      if (capacity === 0) return
      moveToEnd(bad, digest, key)
      if (bad.size > mostRefusals) bad.delete(bad.keys().next().value ?? '')
    },
    outdate(id, knownUntil) {
      const key = byId.get(id)
      if (key !== undefined) mark(key, knownUntil)
    },
    outdateAll(knownUntil) {
      for (const key of byId.values()) mark(key, knownUntil)
      bad.clear()
    },
    lose(id) {
      const key = byId.get(id)
      if (key !== undefined) key.record = undefined
    },
    has: (id) => byId.has(id),
    ids: () => byId.keys(),
  }

  function forget(key: KnownKey | undefined): void {
    if (key === undefined) return
    byId.delete(key.id)
    byDigest.delete(key.digest)
  }
}

function mark(key: KnownKey, knownUntil: number): void {
  key.readAt = Number.NEGATIVE_INFINITY
  // Of several changes the first is the one that has been missing for longest.
  if (!key.isOutdated) key.knownUntil = Math.max(key.knownUntil, knownUntil)
  key.isOutdated = true
}

function moveToEnd<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name)
  map.set(name, value)
}
