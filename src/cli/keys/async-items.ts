/** The first so many. */
export async function* taken<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let left = count
  for await (const item of items) {
    yield item
    left -= 1
    if (left === 0) return
  }
}

/** Those that are asked for. */
export async function* kept<T>(items: AsyncIterable<T>, isAsked: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (isAsked(item)) yield item
}

/** All of them, changed. */
export async function* mapped<T, U>(items: AsyncIterable<T>, change: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield change(item)
}

/** All of them, until Ctrl-C. */
export async function* until<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const item of items) {
    signal.throwIfAborted()
    yield item
  }
}
