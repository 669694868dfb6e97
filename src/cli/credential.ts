import { BearerAuth, envToken, type TokenSource } from '../client/index.ts'
import { commandToken } from '../client/sources/command.ts'
import { fileToken } from '../client/sources/file.ts'
import type { Logger } from '../core/index.ts'
import { UsageError } from './command.ts'
import { printableLine } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** What may come in on standard input, in bytes. */
export const longestInput = 1_048_576

const visible = 'can be seen by other users of this machine, and stays in the history of the shell'

/**
 * The source that `--auth` names.
 * @throws UsageError, or a TypeError that says what is wrong and shows nothing of the token
 */
export async function credential(
  auth: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<TokenSource> {
  const [, kind, rest = ''] = /^(env|file|command):(.*)$/s.exec(auth) ?? []
  if (kind === 'env') return envToken(rest)
  if (kind === 'file') return fileToken(rest, { logger: notes(terminal) })
  if (kind === 'command') {
    const [program, ...args] = wordsOf(rest)
    if (program === undefined) throw new UsageError('--auth command: needs the name of a program')
    return commandToken(program, args)
  }
  if (auth === '-') return new BearerAuth(await terminal.input(longestInput, signal), '--auth -: the token')
  const token = new BearerAuth(auth, '--auth: the token')
  warnOfVisible(
    'a token',
    'use --auth env:NAME, file:PATH, command:PROGRAM, or - for standard input',
    terminal,
  )
  return token
}

/** Says that a secret on the command line can be seen, and what to do instead. */
export function warnOfVisible(what: string, instead: string, terminal: Terminal): void {
  terminal.note(`mcp-bearer: warning: ${what} on the command line ${visible}; ${instead}`)
}

/** Log lines as notes. They may repeat a path or a name, which a terminal must not obey. */
export function notes(terminal: Terminal): Logger {
  return ({ message }) => terminal.note(`mcp-bearer: warning: ${printableLine(message, 500)}`)
}

/** Says that a header with a credential in it is as visible as a token. */
export function warnOfHeader(name: string, terminal: Terminal): void {
  warnOfVisible(
    `the header ${name}`,
    `write '${name}: \${NAME}' in single quotes and set the environment variable NAME`,
    terminal,
  )
}

/** Words between blanks; quotes keep blanks in them. No shell has a say in it. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replaceAll(
      /"([^"]*)"|'([^']*)'/g,
      (_quoted, double?: string, single?: string) => double ?? single ?? '',
    ),
  )
}
