import { AsyncLocalStorage } from 'node:async_hooks'
import type { FetchLike } from '../../client/index.ts'

/** Called when the answer to a POST has been read to its end, and is no stream. */
const ends = new AsyncLocalStorage<() => void>()

/** Does some work, and tells of the end of an answer to a POST that is sent in its course, unless that is a stream. */
export function watchingEnd<T>(onEnd: () => void, work: () => T): T {
  return ends.run(onEnd, work)
}

/**
 * A `fetch` whose good answers come in no faster than the host reads: the server is held up by the connection, and
 * nothing piles up here.
 *
 * @param room resolves when there is room again; `undefined` while there is
 */
export function pacedFetch(room: () => Promise<void> | undefined): FetchLike {
  return async (url, init) => {
    const response = await globalThis.fetch(url, init)
    if (!response.ok) return response
    const { body, status, headers } = response
    const type = headers.get('content-type') ?? ''
    const isStream = /^text\/event-stream\b/i.test(type)
    const told = isStream || init?.method !== 'POST' ? undefined : ends.getStore()
    // What was read is looked at in the same turn of the event loop.
    const end = (): void => void (told && setImmediate(told))
    // Of anything else nobody reads the body.
    if (body === null || status === 202 || !(isStream || /^application\/json\b/i.test(type))) {
      end()
      return response
    }
    const paced = body.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        async transform(chunk, controller) {
          await room()
          controller.enqueue(chunk)
        },
        flush: end,
      }),
    )
    return new Response(paced, { status, headers })
  }
}
