import type { Terminal } from './terminal.ts'

/** A command: its words in, its exit code out. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  /** The text of `--help`. */
  readonly help: string
  /** The same when `--help` stands among these words, where they name a part of the command. Default: `help`. */
  helpFor?(argv: readonly string[]): string
  /** Runs it; throws a `UsageError` for words it does not understand. */
  run(argv: readonly string[], terminal: Terminal): Promise<number>
}

/** The words after the command make no sense. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
