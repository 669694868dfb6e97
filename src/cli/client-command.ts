import type { Client } from '../client/index.ts'
import { type Arguments, optionsHelp, readArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { exitCode } from './exit-codes.ts'
import { failureOf, failureText } from './failure.ts'
import { printable, printableJson } from './printable.ts'
import { openTarget } from './target.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. */
export interface ClientCommandContext {
  readonly client: Client
  /** What messages call the server; its URL may hold a secret. */
  readonly server: string
  /** The words after the target. */
  readonly words: readonly string[]
  readonly args: Arguments
  readonly terminal: Terminal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** What came of it, for programs and for people. Texts for people may hold anything; they are cleaned when printed. */
export interface Outcome {
  readonly json: Readonly<Record<string, unknown>>
  readonly lines: readonly string[]
}

/** A command that asks a server something. */
export interface ClientCommand {
  /** One line for the list of commands. */
  readonly summary: string
  /** The first line of the help. */
  readonly usage: string
  /** The rest of the help before the options: what it does, examples. */
  readonly about: string
  /** How many words may follow the target. */
  readonly words: readonly [least: number, most: number]
  /** Looks at the words before anything is sent; throws a `UsageError`. */
  check?(args: Arguments): void
  run(context: ClientCommandContext): Promise<Outcome>
}

/** The parts that are the same for all: arguments, connection, Ctrl-C, output, exit code. */
export function clientCommand({ summary, usage, about, words, check, run: work }: ClientCommand): Command {
  return {
    summary,
    help: `${usage}\n\n${about}\n\n${optionsHelp}`,
    async run(argv, terminal) {
      using interruption = terminal.interruption()
      const { signal } = interruption
      try {
        const args = readArguments(argv, usage, ...words)
        check?.(args)
        const { client, server } = await openTarget(args, terminal, signal)
        const { json, lines } = await finished(client, terminal, signal, () =>
          work({ client, server, words: args.words, args, terminal, signal }),
        )
        if (args.json) terminal.line(printableJson({ server, ...json }))
        else for (const line of lines) terminal.line(printable(line))
        return exitCode.ok
      } catch (error) {
        const { failure, exit } = failureOf(error, signal.aborted)
        // Also when the words could not be read: whoever asks for JSON reads nothing else.
        if (argv.includes('--json')) terminal.line(printableJson({ error: failure }))
        else terminal.note(failureText(failure))
        return exit
      }
    },
  }
}

/** Does the work and closes the connection, whatever came of it. */
async function finished(
  client: Client,
  terminal: Terminal,
  signal: AbortSignal,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    signal.throwIfAborted()
    return await work()
  } finally {
    terminal.progress('')
    await client.close()
  }
}
