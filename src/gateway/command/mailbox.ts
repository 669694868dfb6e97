import type { RpcMessage } from '../message.ts'

/** Messages that wait for somebody to read them. */
export interface Mailbox {
  readonly size: number
  /** Adds one. @returns what no longer fits in, the oldest first; it may be the message itself */
  put(message: RpcMessage): readonly RpcMessage[]
  /** Takes all out, in the order in which they came. */
  take(): readonly RpcMessage[]
  /** Throws those away. */
  drop(isUnwanted: (message: RpcMessage) => boolean): void
}

interface Letter {
  readonly message: RpcMessage
  readonly size: number
}

/**
 * An empty {@link Mailbox}. Nobody has to come and read it, so it holds no more than that.
 *
 * @param maxMessages Default: 100
 * @param maxCharacters of their JSON. Default: 1,000,000
 */
export function mailbox(maxMessages = 100, maxCharacters = 1_000_000): Mailbox {
  let letters: Letter[] = []
  let characters = 0
  return {
    get size() {
      return letters.length
    },
    put(message) {
      const size = JSON.stringify(message).length
      const excess: RpcMessage[] = []
      letters.push({ message, size })
      characters += size
      while (letters.length > maxMessages || characters > maxCharacters) {
        const oldest = letters.shift()!
        characters -= oldest.size
        excess.push(oldest.message)
      }
      return excess
    },
    take() {
      const taken = letters.map(({ message }) => message)
      letters = []
      characters = 0
      return taken
    },
    drop(isUnwanted) {
      letters = letters.filter(({ message }) => !isUnwanted(message))
      characters = letters.reduce((sum, { size }) => sum + size, 0)
    },
  }
}
