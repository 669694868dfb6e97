import { UsageError } from './command.ts'
import { longestInput } from './credential.ts'
import type { Terminal } from './terminal.ts'

/**
 * The arguments of a tool from words: `name=text`, `name:=JSON`, one JSON object, or `-` for a JSON object on standard
 * input.
 * @throws UsageError
 */
export async function valuesOf(
  words: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const [first] = words
  if (words.length === 1 && first === '-')
    return readObject(await readInput(terminal, signal), 'standard input')
  if (words.length === 1 && first?.trimStart().startsWith('{'))
    return readObject(first, 'the word after the tool')
  return pairsOf(words)
}

/**
 * The arguments of a prompt, which are texts: `name=text`.
 * @throws UsageError
 */
export function textsOf(words: readonly string[]): Record<string, string> {
  const values = Object.entries(pairsOf(words)).map(([name, value]) => {
    if (typeof value !== 'string')
      throw new UsageError(`${name}: arguments of a prompt are texts; write ${name}=text`)
    return [name, value]
  })
  return Object.fromEntries(values) as Record<string, string>
}

function pairsOf(words: readonly string[]): Record<string, unknown> {
  const pairs = words.map((word): [string, unknown] => {
    const [, name, kind, value = ''] = /^([^=:]+)(:?=)(.*)$/s.exec(word) ?? []
    if (name === undefined) throw new UsageError('write arguments as name=text or name:=JSON')
    return [name, kind === '=' ? value : readJson(value, name)]
  })
  if (new Set(pairs.map(([name]) => name)).size < pairs.length)
    throw new UsageError('an argument is given twice')
  return Object.fromEntries(pairs)
}

async function readInput(terminal: Terminal, signal: AbortSignal): Promise<string> {
  try {
    return await terminal.input(longestInput, signal)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function readObject(text: string, what: string): Record<string, unknown> {
  const value = readJson(text, what)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${what} must be a JSON object`)
  }
  return value as Record<string, unknown>
}

/** The error of `JSON.parse` repeats the text. */
function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${what} is not valid JSON`)
  }
}
