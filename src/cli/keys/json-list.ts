import { exitCode } from '../exit-codes.ts'
import { localFailure } from '../local-command.ts'
import { printableJson } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/**
 * One JSON document with a list that is never in memory as a whole. A failure on the way ends the list and is a member
 * beside it, so that what was printed stays a document.
 *
 * @returns the exit code
 */
export async function printJsonList(
  name: string,
  items: AsyncIterable<unknown>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  let line: string | undefined
  let failed: ReturnType<typeof localFailure> | undefined
  terminal.line(`{ "${name}": [`)
  try {
    for await (const item of items) {
      if (line !== undefined) terminal.line(`${line},`)
      line = printableJson(item, 0)
      signal.throwIfAborted()
    }
  } catch (error) {
    failed = localFailure(error, signal.aborted)
  }
  if (line !== undefined) terminal.line(line)
  terminal.line(failed === undefined ? ']}' : `], "error": ${printableJson(failed.failure, 0)}}`)
  return failed?.exit ?? exitCode.ok
}
