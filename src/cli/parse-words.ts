import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from './command.ts'

/** Options as `parseArgs` of Node describes them. */
export type OptionTable = NonNullable<ParseArgsConfig['options']>

/** What stands on a command line: the options, and the other words. */
export type ParsedWords<O extends OptionTable> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>

/**
 * Takes the words of a command apart.
 * @param usage the first line of the help, which an error ends with
 * @throws UsageError
 */
export function parseWords<const O extends OptionTable>(
  argv: readonly string[],
  options: O,
  usage: string,
): ParsedWords<O> {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    // Node goes on with advice about words that begin with a dash, which nobody meant.
    const message = (error as Error).message.replace(/\. To specify a positional argument .*$/s, '')
    throw new UsageError(`${message}\n\n${usage}`)
  }
}

/** @throws UsageError when there are too few or too many */
export function checkWords(
  words: readonly string[],
  [least, most]: readonly [least: number, most: number],
  usage: string,
): void {
  if (words.length >= least && words.length <= most) return
  throw new UsageError(
    `${words.length < least ? 'a word is missing' : 'there are too many words'}\n\n${usage}`,
  )
}
