import type { ApiKey } from '../../apikeys/api-key.ts'
import { UsageError } from '../command.ts'
import { confirm, confirmHelp, confirmOptions } from './confirm.ts'
import type { KeysDatabase } from './database.ts'
import { keysCommand } from './keys-command.ts'
import { durationOf } from './times.ts'
import { keysText } from './words.ts'

/** `mcp-bearer keys purge`: removes what has been over for long. */
export const purge = keysCommand({
  summary: 'remove keys that have been over for long',
  usage: 'purge --older-than TIME [options]',
  about: `Removes keys that were revoked or have expired that long ago, and the traces of their
changes. The audit log stays. Asks before it does.

  mcp-bearer keys purge --older-than 365d --dry-run`,
  optionsHelp: `  --older-than TIME  such as 365d
  --reason TEXT      why, for the audit log
${confirmHelp}`,
  options: { 'older-than': { type: 'string' }, reason: { type: 'string' }, ...confirmOptions },
  words: [0, 0],
  async run({ values, terminal, signal, open }) {
    const { 'older-than': age, reason, yes = false, 'dry-run': dryRun = false } = values
    if (age === undefined) throw new UsageError('how long ago? Give --older-than, such as 365d')
    const seconds = durationOf(age, '--older-than')
    const database = await open()
    const count = await countOver(database, seconds, signal)
    if (dryRun) return { json: { dryRun, keys: count }, lines: [`Would remove ${keysText(count)}.`] }
    if (count === 0) return { json: { keys: 0 }, lines: ['No key has been over for that long.'] }
    if (!yes) {
      await confirm([`This removes ${keysText(count)}, over for ${age} or longer.`], count, terminal, signal)
    }
    const { keys } = await database.keys.purge(seconds, database.by(reason))
    return { json: { keys }, lines: [`Removed ${keysText(keys)}.`] }
  },
})

async function countOver(
  { keys, store }: KeysDatabase,
  seconds: number,
  signal: AbortSignal,
): Promise<number> {
  const before = store.time() - seconds * 1000
  const isOver = ({ revokedAt, expiresAt }: ApiKey) =>
    [revokedAt, expiresAt].some((date) => date !== undefined && date.getTime() < before)
  let count = 0
  for await (const key of keys.all({ status: ['revoked', 'expired'] })) {
    signal.throwIfAborted()
    if (isOver(key)) count += 1
  }
  return count
}
