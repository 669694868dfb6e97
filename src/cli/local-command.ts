import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Command, UsageError } from './command.ts'
import { exitCode } from './exit-codes.ts'
import { failureOf, failureText } from './failure.ts'
import { printable, printableJson } from './printable.ts'
import type { Terminal } from './terminal.ts'

type OptionTable = NonNullable<ParseArgsConfig['options']>

/** What every one of them understands. */
const common = { json: { type: 'boolean' } } as const satisfies OptionTable

const commonHelp = '  --json              print one JSON document, errors too'

/** What a command works with. */
export interface LocalContext<O extends OptionTable> {
  readonly values: ReturnType<
    typeof parseArgs<{ options: O & typeof common; allowPositionals: true }>
  >['values']
  readonly words: readonly string[]
  readonly terminal: Terminal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** What came of it, for programs and for people; or only the exit code, when it has been printed. */
export type LocalOutcome =
  | {
      readonly json: Readonly<Record<string, unknown>>
      readonly lines: readonly string[]
      /** For the person, beside the result: to standard error, also with `--json`. */
      readonly notes?: readonly string[]
      /** Default: 0. */
      readonly exit?: number
    }
  | number

/** A command that needs no server and no database. */
export interface LocalCommand<O extends OptionTable> {
  /** One line for the list of commands. */
  readonly summary: string
  /** The words after `mcp-bearer`, for the first line of the help. */
  readonly usage: string
  /** The rest of the help before the options: what it does, examples. */
  readonly about: string
  /** The help of its own options, a line each. */
  readonly optionsHelp: string
  readonly options: O
  /** How many words it takes. */
  readonly words: readonly [least: number, most: number]
  run(context: LocalContext<O>): Promise<LocalOutcome>
}

/** The parts that are the same for all: words, Ctrl-C, output, exit code. */
export function localCommand<const O extends OptionTable>(definition: LocalCommand<O>): Command {
  const { summary, about, optionsHelp, run: work } = definition
  const usage = `Usage: mcp-bearer ${definition.usage}`
  return {
    summary,
    help: [usage, '', about, '', 'Options:', ...(optionsHelp === '' ? [] : [optionsHelp]), commonHelp].join(
      '\n',
    ),
    async run(argv, terminal) {
      using interruption = terminal.interruption()
      const { signal } = interruption
      try {
        const { values, words } = read(argv, definition, usage)
        const outcome = await work({ values, words, terminal, signal })
        if (typeof outcome === 'number') return outcome
        const { json = false }: { json?: boolean } = values
        if (json) terminal.line(printableJson(outcome.json))
        else for (const line of outcome.lines) terminal.line(printable(line))
        for (const note of outcome.notes ?? []) terminal.note(printable(note))
        return outcome.exit ?? exitCode.ok
      } catch (error) {
        return reportFailure(error, signal.aborted, argv.includes('--json'), terminal)
      }
    },
  }
}

function reportFailure(error: unknown, isInterrupted: boolean, isJson: boolean, terminal: Terminal): number {
  // What is wrong with an option is said with a `TypeError`; the person can write it better.
  const told = error instanceof TypeError ? new UsageError(error.message, { cause: error }) : error
  const { failure, exit } = failureOf(told, isInterrupted)
  // Also when the words could not be read: whoever asks for JSON reads nothing else.
  if (isJson) terminal.line(printableJson({ error: failure }))
  else terminal.note(failureText(failure))
  return exit
}

function read<O extends OptionTable>(
  argv: readonly string[],
  { options, words }: LocalCommand<O>,
  usage: string,
) {
  const { values, positionals } = parsed(argv, options, usage)
  const [least, most] = words
  if (positionals.length < least || positionals.length > most) {
    throw new UsageError(
      `${positionals.length < least ? 'a word is missing' : 'there are too many words'}\n\n${usage}`,
    )
  }
  return { values, words: positionals }
}

function parsed<O extends OptionTable>(argv: readonly string[], options: O, usage: string) {
  try {
    return parseArgs({ args: [...argv], options: { ...options, ...common }, allowPositionals: true })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`)
  }
}
