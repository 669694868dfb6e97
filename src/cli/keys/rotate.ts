import type { ApiKey } from '../../apikeys/api-key.ts'
import { timeText } from '../../inspector/token/times.ts'
import { UsageError } from '../command.ts'
import { issuedLines, issuedQuietly } from './issued.ts'
import { keysCommand } from './keys-command.ts'
import { dateOf, durationOf, momentOf } from './times.ts'
import { keyIdOf, oneOf } from './words.ts'

/** `mcp-bearer keys rotate`: a new key in the place of another. */
export const rotate = keysCommand({
  summary: 'replace a key by a new one, with some overlap',
  usage: 'rotate ID [options]',
  about: `Makes a new key with the same rights and shows it, once. The old one goes on working for the
grace period, never longer than it would have.

  mcp-bearer keys rotate 4fVqmPzLk2aB --grace 1d
  mcp-bearer keys rotate 4fVqmPzLk2aB --activate on-first-use --quiet | gh secret set MCP_API_KEY`,
  optionsHelp: `  --grace TIME       how long the old key still works, as 1d, 12h, 0; otherwise 1d
  --activate WHEN    when the grace begins: now, or on-first-use of the new key; otherwise now
  --expires WHEN     when the new key expires: 90d, or a date; otherwise as long a life as
                     the old one was given
  --max-lifetime T   refuse a longer life than this
  --reason TEXT      why, for the audit log
  --quiet            print the key alone; all else goes to standard error`,
  options: {
    grace: { type: 'string' },
    activate: { type: 'string' },
    expires: { type: 'string' },
    'max-lifetime': { type: 'string' },
    reason: { type: 'string' },
    quiet: { type: 'boolean' },
  },
  words: [1, 1],
  async run({ values, words: [word = ''], terminal, signal, open }) {
    const id = keyIdOf(word)
    const { grace, activate, expires, quiet = false, json = false, 'max-lifetime': lifetime } = values
    if (quiet && json) throw new UsageError('--quiet and --json are two ways to print it; give one')
    const how = {
      ...(grace !== undefined && { graceSeconds: durationOf(grace, '--grace') }),
      ...(activate !== undefined && {
        activate: oneOf(activate, '--activate', ['now', 'on-first-use']),
      }),
    }
    const ends = expires === undefined ? undefined : momentOf(expires, '--expires')
    const { keys, store, by } = await open({
      maxLifetimeSeconds: lifetime === undefined ? undefined : durationOf(lifetime, '--max-lifetime'),
    })
    signal.throwIfAborted()
    const now = store.time()
    const created = await keys.rotate(
      id,
      { ...how, ...(ends && { expiresAt: dateOf(ends, now) }) },
      by(values.reason),
    )
    // Whatever happens from here on, the new key is shown: there is no other time.
    const replaced = await keys.get(id).catch(() => undefined)
    const told = `The old key, ${id}, ${untilWhen(replaced)}.`
    if (quiet) {
      terminal.note(told)
      return issuedQuietly(created, terminal)
    }
    return {
      json: { ...created, ...(replaced && { replaced }) },
      lines: [...issuedLines(created, now), '', told],
    }
  },
})

function untilWhen(replaced: ApiKey | undefined): string {
  switch (replaced?.status) {
    case undefined:
      return 'is being replaced'
    case 'grace':
      return `works until ${replaced?.expiresAt ? timeText(replaced.expiresAt) : 'it is revoked'}`
    case 'active':
    case 'pending':
      return 'works until the grace after the first use of the new one is over'
    default:
      return 'works no longer'
  }
}
