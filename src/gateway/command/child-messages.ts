import { isShallow } from '../../server/json-depth.ts'
import { isRpcMessage, type RpcMessage } from '../message.ts'
import { lineReader } from './line-reader.ts'

/** Options of {@link messageReader}. */
export interface MessageReaderOptions {
  /** Bytes of a line. */
  readonly maxBytes: number
  readonly onMessage: (message: RpcMessage) => void
  /** Gets a line that is no message. */
  readonly onGarbage: (line: string) => void
  /** Called when there is no point in reading on: a line is too long, or there is as much garbage and no message in it. */
  readonly onHopeless: (problem: 'garbage' | 'too_long_line') => void
}

/**
 * Reads the messages of a server: one a line (MCP "Transports", stdio). Whatever else it writes is no message: many
 * programs greet on standard output, though a server "MUST NOT write anything to its stdout that is not a valid MCP
 * message".
 */
export function messageReader({ maxBytes, onMessage, onGarbage, onHopeless }: MessageReaderOptions) {
  let garbageBytes = 0
  let isHopeless = false

  function giveUp(problem: 'garbage' | 'too_long_line'): void {
    isHopeless = true
    onHopeless(problem)
  }

  function take(line: string): void {
    if (isHopeless) return
    const messages = messagesIn(line)
    if (messages.length > 0) garbageBytes = 0
    else {
      if (line.trim() !== '') onGarbage(line)
      garbageBytes += line.length + 1
      if (garbageBytes > maxBytes) giveUp('garbage')
    }
    for (const message of messages) deliver(message)
  }

  /** What one process says must not end the gateway, which serves others. */
  function deliver(message: RpcMessage): void {
    try {
      onMessage(message)
    } catch (error) {
      onGarbage(`a message could not be handled: ${error instanceof Error ? error.name : 'error'}`)
    }
  }

  return lineReader({
    maxBytes,
    onLine: take,
    onTooLong: () => isHopeless || giveUp('too_long_line'),
  })
}

const none: readonly RpcMessage[] = []

/** One message, or several of a batch, which 2025-03-26 had; none when the line holds anything else. */
function messagesIn(line: string): readonly RpcMessage[] {
  const first = line.charCodeAt(line.search(/\S|$/))
  if (first !== openBrace && first !== openBracket) return none
  const value = parsed(line)
  if (isRpcMessage(value)) return [value]
  return Array.isArray(value) && value.every(isRpcMessage) ? value : none
}

const [openBracket, openBrace] = [91, 123]

function parsed(line: string): unknown {
  // What is nested deeply can be read, and not be written again.
  if (!isShallow(line)) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
