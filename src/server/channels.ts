import type { Outlet } from './answering.ts'
import { eventLog } from './event-log.ts'
import { EventStream } from './reply.ts'

/** The streams of one session. Number 0 is that of no request; each call that needs one gets another. */
export interface Channels {
  /** Opens the stream of a call, on a channel of its own. */
  open(): Outlet
  /** Opens the stream of no request; `undefined` when there is one. */
  standalone(): EventStream | undefined
  /**
   * Opens a stream that goes on after an event.
   * @returns `unknown` when there was no such event here, `over` when nothing has come after it and nothing will
   */
  resume(lastEventId: string): EventStream | 'unknown' | 'over'
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

/** How the streams of a session are. */
export interface ChannelOptions {
  /** Of every stream. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether what is sent is remembered, for a client that was cut off. */
  readonly isResumable: boolean
  /** Whether the client understands an event without a message (since 2025-11-25). */
  isPrimed(): boolean
  /** Called when a stream has closed. */
  left(): void
}

/** Makes the {@link Channels} of one session. */
export function channels(options: ChannelOptions): Channels {
  const { headers, isResumable } = options
  const log = eventLog()
  const main: Channel = { number: 0, stream: undefined }
  const known = new Map([[0, main]])
  let last = 0

  const attach = (channel: Channel) => attached(channel, new EventStream(headers), options.left)

  function sendOn(channel: Channel, message: object): void {
    const id = isResumable ? log.append(channel.number, message) : undefined
    channel.stream?.send(message, id)
  }

  function primed(channel: Channel): EventStream {
    const stream = attach(channel)
    if (options.isPrimed()) stream.prime(log.mark(channel.number), retryMs)
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
      if (!found) return 'unknown'
      const channel = known.get(found.channel)
      // An empty stream would make the client come back for ever.
      if (!channel && found.events.length === 0) return 'over'
      // A client that comes back knows better than we whether its old connection is dead.
      channel?.stream?.end()
      const stream = channel ? attach(channel) : new EventStream(headers)
      // It may be cut off again before anything comes.
      if (options.isPrimed()) stream.prime(lastEventId, retryMs)
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

function attached(channel: Channel, stream: EventStream, left: () => void): EventStream {
  stream.isStanding = channel.number === 0
  channel.stream = stream
  stream.onClose(() => {
    if (channel.stream === stream) channel.stream = undefined
    left()
  })
  return stream
}
