/** How this program was called, for lines that a person pastes: `npx` does not put it on the path. */
export function ownName(): string {
  return process.env.npm_command === 'exec' ? 'npx mcp-bearer' : 'mcp-bearer'
}

/** A word for a POSIX shell, in quotes where it needs them. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
