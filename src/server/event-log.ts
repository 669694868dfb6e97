/** A message of a stream, and the id under which a client asks for what comes after it. */
export interface LoggedEvent {
  readonly id: string
  readonly message: object
}

/** What was sent to one session, so that a client that was cut off can ask for the rest (MCP 2025-11-25 "Resumability"). */
export interface EventLog {
  /** Remembers a message and names it. */
  append(channel: number, message: object): string
  /** A name for the place where a channel stands now. */
  mark(channel: number): string
  /**
   * What came after an event on its channel.
   * @returns `undefined` when the id is none of this log's
   */
  after(id: string): { readonly channel: number; readonly events: readonly LoggedEvent[] } | undefined
}

interface Entry extends LoggedEvent {
  readonly channel: number
  readonly number: number
  readonly size: number
}

/** What one session may make the server remember. */
const mostEvents = 1000
const mostCharacters = 1_000_000

/** An empty {@link EventLog}. Its ids cannot be guessed from those of another; the oldest events go first. */
export function eventLog(): EventLog {
  const salt = crypto.randomUUID().replaceAll('-', '').slice(0, 16)
  const entries: Entry[] = []
  let characters = 0
  let last = 0
  const idOf = (channel: number, number: number) => `${salt}-${channel}-${number}`
  return {
    append(channel, message) {
      const number = ++last
      const size = JSON.stringify(message).length
      const id = idOf(channel, number)
      entries.push({ channel, number, id, message, size })
      characters += size
      while (entries.length > mostEvents || (characters > mostCharacters && entries.length > 1)) {
        characters -= entries.shift()?.size ?? 0
      }
      return id
    },
    mark: (channel) => idOf(channel, ++last),
    after(id) {
      const [, ours, channelText, numberText] = /^([0-9a-f]{16})-(\d{1,9})-(\d{1,9})$/.exec(id) ?? []
      if (ours !== salt) return undefined
      const [channel, number] = [Number(channelText), Number(numberText)]
      if (number > last) return undefined
      return {
        channel,
        events: entries.filter((entry) => entry.channel === channel && entry.number > number),
      }
    },
  }
}
