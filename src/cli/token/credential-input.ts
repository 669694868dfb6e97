import { secretInput } from '../keys/secret-input.ts'
import type { Terminal } from '../terminal.ts'

/** A token as it was given: alone, or behind its scheme. */
export interface GivenToken {
  readonly token: string
  /** `Bearer` stood in front of it. A host's configuration that takes the token alone would send it twice. */
  readonly hasScheme: boolean
}

/** Reads the token a person names: `env:NAME`, `file:PATH`, `-`, or itself, which is warned of. */
export async function tokenInput(
  where: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<GivenToken> {
  const text = await secretInput(where, 'a token', terminal, signal)
  const token = text.replace(/^(?:Authorization\s*:\s*)?Bearer[ \t]+/i, '').trim()
  return { token, hasScheme: token !== text }
}
