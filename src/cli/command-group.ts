import type { Command } from './command.ts'
import { exitCode } from './exit-codes.ts'

/** A command that is several. */
export interface CommandGroup {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  readonly subcommands: Readonly<Record<string, Command>>
  /** The help, around the list of the subcommands. */
  readonly help: (list: string) => string
}

/** Makes one {@link Command} of several: the first word says which. */
export function commandGroup({ name, summary, subcommands, help: around }: CommandGroup): Command {
  const list = Object.entries(subcommands).map(([word, one]) => `  ${word.padEnd(10)} ${one.summary}`)
  const help = around(list.join('\n'))
  const chosen = ([word]: readonly string[]): Command | undefined =>
    word !== undefined && Object.hasOwn(subcommands, word) ? subcommands[word] : undefined
  return {
    summary,
    help,
    helpFor: (argv) => chosen(argv)?.help ?? help,
    async run(argv, terminal) {
      const found = chosen(argv)
      if (found) return found.run(argv.slice(1), terminal)
      const [word] = argv
      if (word === undefined || word === 'help') {
        terminal.line(help)
        return exitCode.ok
      }
      // What stands in its place is not repeated: it may be a token or a key.
      terminal.note(`mcp-bearer: there is no such subcommand of ${name}\n\n${help}`)
      return exitCode.usage
    },
  }
}
