import { UsageError } from '../command.ts'
import { printable } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** The options of what asks before it does something. */
export const confirmOptions = {
  yes: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const

export const confirmHelp = `  --yes              do not ask; needed where nobody can answer
  --dry-run          say what would happen, and do nothing`

/**
 * Asks the person before something that cannot be undone.
 *
 * @param what would happen, in lines
 * @param count of keys it would happen to; typing it is as good as yes
 * @throws UsageError when nobody is there to ask; an error when the answer is another
 */
export async function confirm(
  what: readonly string[],
  count: number,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  for (const line of what) terminal.note(printable(line))
  const answer = await terminal.ask(`Type ${count}, or yes, to go on: `, signal)
  signal.throwIfAborted()
  if (answer === undefined)
    throw new UsageError('nobody is there to confirm it; add --yes, or --dry-run to see what would happen')
  if (answer.trim() !== String(count) && answer.trim().toLowerCase() !== 'yes')
    throw new Error('Not confirmed; nothing was changed')
}
