import type { BulkResult } from './api-key.ts'

/** How many are written in one transaction. */
const chunkSize = 1000

/** Some of many. */
export interface Chunk<T> {
  /**
   * Reads each item; the error of one that cannot be read becomes its result.
   * @param reader gets the item, and what to call it in messages
   * @returns what could be read, in the order it was given
   */
  read<R>(reader: (item: T, owner: string) => R): R[]
  /** Gives an item that was read an error all the same. `at` counts what was read. */
  fail(at: number, error: Error): void
}

/**
 * Does something with many items, a thousand at a time. When one thousand cannot be written, neither they nor those
 * after them are: what came before was, and must not be lost by throwing it away.
 *
 * @param work gives back a value for each item that was read and has not failed, in their order
 * @returns a result for each item
 * @throws TypeError when `items` is no list
 */
export async function inChunks<T, R>(
  owner: string,
  items: readonly T[],
  work: (chunk: Chunk<T>) => Promise<readonly R[]>,
): Promise<readonly BulkResult<R>[]> {
  if (!Array.isArray(items)) throw new TypeError(`${owner}: expected a list`)
  const all = Array.from(items)
  const results: BulkResult<R>[] = []
  let broken: Error | undefined
  for (let start = 0; start < all.length; start += chunkSize) {
    const slots: (Error | undefined)[] = all.slice(start, start + chunkSize).map(() => undefined)
    const values = broken ?? (await work(chunkOf(owner, all, start, slots)).catch(errorOf))
    broken = values instanceof Error ? values : undefined
    const next = (values instanceof Error ? [] : values).values()
    for (const slot of slots) {
      const error = slot ?? broken
      results.push(error === undefined ? good(next.next().value as R) : bad(error))
    }
  }
  return Object.freeze(results)
}

function chunkOf<T>(owner: string, all: readonly T[], start: number, slots: (Error | undefined)[]): Chunk<T> {
  /** Where the items that could be read stand. */
  const places: number[] = []
  return {
    read(reader) {
      return slots.flatMap((_, at) => {
        try {
          const read = reader(all[start + at]!, `${owner}[${start + at}]`)
          places.push(at)
          return [read]
        } catch (error) {
          slots[at] = errorOf(error)
          return []
        }
      })
    },
    fail(at, error) {
      slots[places[at]!] = error
    },
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new TypeError('it could not be read')
}

function good<R>(value: R): BulkResult<R> {
  return Object.freeze({ ok: true, value })
}

function bad<R>(error: Error): BulkResult<R> {
  return Object.freeze({ ok: false, error })
}
