import { type CleanToken, cleanToken } from '../../inspector/token/clean-token.ts'
import { secretInput } from '../keys/secret-input.ts'
import type { Terminal } from '../terminal.ts'

/**
 * Reads the token a person names: `env:NAME`, `file:PATH`, `-`, or itself, which is warned of. What stood around it was
 * left out, and is said: a host's configuration that takes the token alone would send that, too.
 */
export async function tokenInput(
  where: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<CleanToken> {
  return cleanToken(await secretInput(where, 'a token', terminal, signal))
}

/** What was left out, for standard error. */
export function changeNotes({ changes }: CleanToken): string[] {
  return changes.map((change) => `mcp-bearer: ${change}`)
}
