import type { KeyRecord } from '../apikeys/key-record.ts'
import type { KeyStore } from '../apikeys/key-store.ts'
import { stopwatch } from '../core/clock.ts'
import { AuthError } from '../core/errors.ts'
import type { EventSink } from '../core/events.ts'
import { readRecord } from './api-key-record.ts'

/** A key that is being read. */
export interface KeyRead {
  /** Before it was sent, in milliseconds of the stopwatch: what it brings is at least this new, and no newer for sure. */
  readonly startedAt: number
  /** False once the key was changed, or is read again: then what this brings is not to be remembered. */
  isCurrent: boolean
  /** Never rejects. */
  readonly answer: Promise<KeyAnswer>
}

/** What a store says of a key; `error` is an outage, or whatever a broken store throws. */
export type KeyAnswer = { readonly record: KeyRecord | undefined } | { readonly error: unknown }

/** Reads keys, each once for all who ask at the same time. */
export interface KeyReads {
  of(id: string): KeyRead
  /** A key was changed: whoever asks from now on must not get what is on its way. */
  outdate(id: string): void
  outdateAll(): void
}

/** Milliseconds. The promise of this package: what was revoked longer ago is accepted nowhere. */
export const hardBound = 5000

/**
 * Makes {@link KeyReads}.
 * @param maxAge milliseconds after which nobody waits for a read that somebody else has begun
 */
export function keyReads(store: KeyStore, maxAge: number, onEvent: EventSink | undefined): KeyReads {
  const pending = new Map<string, KeyRead>()

  return {
    of(id) {
      const running = pending.get(id)
      if (running !== undefined && stopwatch() - running.startedAt < maxAge) return running
      outdate(id)
      const startedAt = stopwatch()
      const read: KeyRead = { startedAt, isCurrent: true, answer: ask(id, startedAt) }
      pending.set(id, read)
      read.answer.then(() => {
        if (pending.get(id) === read) pending.delete(id)
      })
      return read
    },
    outdate,
    outdateAll() {
      for (const id of [...pending.keys()]) outdate(id)
    },
  }

  function outdate(id: string): void {
    const read = pending.get(id)
    if (read !== undefined) read.isCurrent = false
    pending.delete(id)
  }

  async function ask(id: string, startedAt: number): Promise<KeyAnswer> {
    try {
      const record = readRecord(await timed(store.find(id), startedAt, onEvent), id)
      if (stopwatch() - startedAt < hardBound) return { record }
      return { error: new AuthError('verifier_unavailable', 'The key store took too long to answer') }
    } catch (error) {
      return { error }
    }
  }
}

/** Tells how long the store took, and passes on what it says. */
export async function timed<T>(
  answer: Promise<T>,
  startedAt: number,
  onEvent: EventSink | undefined,
): Promise<T> {
  let result: 'ok' | 'failed' = 'failed'
  try {
    const found = await answer
    result = 'ok'
    return found
  } finally {
    onEvent?.({ type: 'store', operation: 'find', result, seconds: (stopwatch() - startedAt) / 1000 })
  }
}
