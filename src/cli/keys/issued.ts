import type { CreatedApiKey } from '../../apikeys/api-key.ts'
import { exitCode } from '../exit-codes.ts'
import { printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { keyFacts } from './facts.ts'

/** A key that was just made: the key once, what it is, and what to do now. */
export function issuedLines({ key, apiKey }: CreatedApiKey, now: number): string[] {
  const { id } = apiKey
  return [
    key,
    '',
    'This is the only time it is shown.',
    '',
    ...keyFacts(apiKey, now),
    '',
    'Put it into an environment variable where the host runs, and name that in its configuration:',
    '  "headers": { "Authorization": "Bearer ${MCP_API_KEY}" }',
    '',
    `Replace it:  mcp-bearer keys rotate ${id} --grace 1d`,
    `End it:      mcp-bearer keys revoke ${id}`,
  ]
}

/** The key alone on standard output, for a pipe; standard error says which it is. */
export function issuedQuietly({ key, apiKey }: CreatedApiKey, terminal: Terminal): number {
  terminal.line(key)
  terminal.note(`Key ${apiKey.id} (${printableLine(apiKey.name, 64)}); it is not shown again.`)
  return exitCode.ok
}
