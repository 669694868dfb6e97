import type { EventSink } from '../core/events.ts'
import type { KeyStore, KeyUse } from './key-store.ts'
import { oneAtATime, timed } from './store-events.ts'

/** Counts how often keys are used, and when last, until it is written. */
export interface LastUses {
  /** Cheap: called on every request. */
  count(id: string, address: string | undefined): void
  /** Called every ten seconds. */
  tick(): void
  readonly isIdle: boolean
  /** Writes what was counted. What cannot be written is kept. @throws AuthError `verifier_unavailable` */
  flush(): Promise<void>
}

/** Uses of so many keys in one transaction. */
const batchSize = 500
const ticksOfAMinute = 6

/**
 * Makes {@link LastUses}: a key that is used all the time is written once a minute. Of at most so many keys; when there
 * are more it is written sooner, and while it cannot be written, what was counted first of all is lost.
 */
export function lastUses(store: KeyStore, most: number, onEvent: EventSink): LastUses {
  const counted = new Map<string, Use>()
  let ticks = 0
  let lost = 0
  let isDown = false
  const write = oneAtATime(writeAll)

  return {
    count(id, address) {
      const use = counted.get(id)
      if (use === undefined) return add({ id, count: 1, at: store.time(), address })
      use.count += 1
      use.at = store.time()
      use.address = address
    },
    tick() {
      if (lost > 0) onEvent({ type: 'audit.dropped', count: lost })
      lost = 0
      ticks = (ticks + 1) % ticksOfAMinute
      if (ticks === 0 && counted.size > 0) write().catch(nothing)
    },
    get isIdle() {
      return counted.size === 0 && lost === 0 && write.current === undefined
    },
    async flush() {
      // What is under way may have begun before the last use.
      await write.current?.catch(nothing)
      await write()
    },
  }

  function add(use: Use): void {
    if (counted.size >= most) {
      const [oldest] = counted.keys()
      counted.delete(oldest ?? '')
      lost += 1
    }
    counted.set(use.id, use)
    // Who is there no more is asked again once a minute.
    if (counted.size >= most && !isDown) write().catch(nothing)
  }

  async function writeAll(): Promise<void> {
    const uses = [...counted.values()]
    counted.clear()
    while (uses.length > 0) {
      const batch = uses.slice(0, batchSize).map(told)
      try {
        await timed(onEvent, 'uses', () => store.recordUses(batch))
      } catch (error) {
        isDown = true
        uses.forEach(putBack)
        throw error
      }
      isDown = false
      uses.splice(0, batchSize)
    }
  }

  function putBack(use: Use): void {
    const since = counted.get(use.id)
    if (since !== undefined) since.count += use.count
    else if (counted.size < most) counted.set(use.id, use)
    else lost += 1
  }
}

interface Use {
  readonly id: string
  count: number
  /** Milliseconds since 1970, of the database. */
  at: number
  address: string | undefined
}

function told({ id, count, at, address }: Use): KeyUse {
  return { id, count, at, ...(address !== undefined && { address }) }
}

function nothing(): void {}
