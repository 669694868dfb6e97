import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A handler that came and waits for an answer. */
export interface Visit {
  /** Lets the handler go on, with this to read. */
  answer(text: string): void
  /** Resolves when the handler has gone away without waiting for its answer. */
  readonly left: Promise<void>
}

/** A server to which the handlers of a protected server come, so that a test knows where they are, and holds them there. */
export interface Meeting {
  /** The URL of a place that nobody has been to. */
  place(): string
  /** Waits until a handler is at that place. */
  visit(place: string): Promise<Visit>
  close(): Promise<void>
}

/** Opens a {@link Meeting} on this machine. */
export async function openMeeting(): Promise<Meeting> {
  const places = new Map<string, PromiseWithResolvers<Visit>>()
  const server = createServer((request, response) => {
    places.get(request.url ?? '')?.resolve(visitOf(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    place() {
      const path = `/${places.size}`
      places.set(path, withResolvers())
      return `${origin}${path}`
    },
    visit: (place) => places.get(new URL(place).pathname)!.promise,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function visitOf(response: ServerResponse): Visit {
  const left = new Promise<void>((resolve) => {
    response.once('close', () => {
      if (!response.writableFinished) resolve()
    })
  })
  return { answer: (text) => void response.end(text), left }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

/** `Promise.withResolvers` for Node 20. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
