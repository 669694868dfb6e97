import type { Transport } from '@modelcontextprotocol/client'
import type { Server } from '../fetch/server.ts'
import type { Message } from './stream-loss.ts'

/** Characters of an error that are looked through and kept. */
const longestError = 65_536

/**
 * A message without the credentials of the request, where somebody will make an error of it: a JSON-RPC error, or the
 * text of a tool that failed. What a tool gives as its result is its own affair.
 */
export function silenced(message: Message, conceal: (text: string) => string): Message {
  if ('error' in message) {
    const { code, message: text, data } = message.error
    const error = { code, message: conceal(text.slice(0, longestError)), ...cleanData(data, conceal) }
    return { ...message, error }
  }
  if (!('result' in message) || message.result.isError !== true) return message
  const { content } = message.result
  if (!Array.isArray(content)) return message
  return {
    ...message,
    result: { ...message.result, content: content.map((block) => cleanBlock(block, conceal)) },
  }
}

function cleanData(data: unknown, conceal: (text: string) => string): { data?: unknown } {
  if (data === undefined) return {}
  try {
    const text = JSON.stringify(data)
    if (text.length > longestError) return {}
    const clean = conceal(text)
    return { data: clean === text ? data : (JSON.parse(clean) as unknown) }
  } catch {
    // Too deep, or no JSON any more: nothing is better than what nobody has looked through.
    return {}
  }
}

function cleanBlock(block: unknown, conceal: (text: string) => string): unknown {
  if (typeof block !== 'object' || block === null || !('text' in block)) return block
  return typeof block.text === 'string' ? { ...block, text: conceal(block.text) } : block
}

/**
 * Lets `send` of a transport fail without the words of a parser, which quote what the server sent.
 * @param transport of the SDK, not started
 */
export function silenceParsers(transport: Transport, server: Server): void {
  const send = transport.send.bind(transport)
  transport.send = async (message, options) => {
    try {
      await send(message, options)
    } catch (error) {
      if (!isOfParser(error)) throw error
      throw new TypeError(`${server.label} answered with something that is no message of JSON-RPC 2.0`)
    }
  }
}

/** Of JSON.parse, and of the schemas of the SDK, whose class it does not export. */
function isOfParser(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && /^\$?ZodError$/.test(error.name))
}
