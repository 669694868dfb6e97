import type { Outlet } from './answering.ts'
import { eventLog } from './event-log.ts'
import { EventStream } from './reply.ts'

/** The streams of one session. Number 0 is that of no request; each call that needs one gets another. */
export interface Channels {
  /** Opens the stream of a call, on a channel of its own. */
  open(): Outlet
  /** Opens the stream of no request; `undefined` when there is one. */
  standalone(): EventStream | undefined
  /** Opens a stream that goes on after an event; `undefined` when there was no such event here. */
  resume(lastEventId: string): EventStream | undefined
  /** Sends what belongs to no request. */
  send(message: object): void
  /** How many are open. */
  readonly size: number
  /** Ends all. */
  close(): void
}

/** Milliseconds after which a client that was cut off should come back. */
const retryMs = 1000

/** One channel: what is sent on it is remembered, and goes to the stream that is open on it, if one is. */
interface Channel {
  readonly number: number
  stream: EventStream | undefined
}

/**
 * @param headers of every stream
 * @param isPrimed whether the client understands an event without a message (since 2025-11-25)
 */
export function channels(headers: Readonly<Record<string, string>>, isPrimed: () => boolean): Channels {
  const log = eventLog()
  const main: Channel = { number: 0, stream: undefined }
  const known = new Map([[0, main]])
  let last = 0

  function attach(channel: Channel): EventStream {
    const stream = new EventStream(headers)
    stream.isStanding = channel === main
    channel.stream = stream
    stream.onClose(() => {
      if (channel.stream === stream) channel.stream = undefined
    })
    return stream
  }

  function sendOn(channel: Channel, message: object): void {
    const id = log.append(channel.number, message)
    channel.stream?.send(message, id)
  }

  function primed(channel: Channel): EventStream {
    const stream = attach(channel)
    if (isPrimed()) stream.prime(log.mark(channel.number), retryMs)
    return stream
  }

  return {
    open() {
      const channel: Channel = { number: ++last, stream: undefined }
      known.set(channel.number, channel)
      return {
        stream: primed(channel),
        send: (message) => sendOn(channel, message),
        end() {
          known.delete(channel.number)
          channel.stream?.end()
        },
      }
    },
    standalone() {
      return main.stream ? undefined : primed(main)
    },
    resume(lastEventId) {
      const found = log.after(lastEventId)
      if (!found) return undefined
      const channel = known.get(found.channel)
      // A client that comes back knows better than we whether its old connection is dead.
      channel?.stream?.end()
      const stream = channel ? attach(channel) : new EventStream(headers)
      for (const { id, message } of found.events) stream.send(message, id)
      if (!channel) stream.end()
      return stream
    },
    send: (message) => sendOn(main, message),
    get size() {
      return [...known.values()].filter(({ stream }) => stream !== undefined).length
    },
    close() {
      for (const { stream } of known.values()) stream?.end()
      known.clear()
    },
  }
}
