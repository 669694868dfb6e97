import { type Command, UsageError } from './command.ts'
import { exitCode } from './exit-codes.ts'
import { failureOf, failureText } from './failure.ts'
import { checkWords, type OptionTable, type ParsedWords, parseWords } from './parse-words.ts'
import { printable, printableJson } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** What every one of them understands. */
const common = { json: { type: 'boolean' } } as const satisfies OptionTable

const commonHelp = '  --json              print one JSON document, errors too'

/** What a command works with. */
export interface LocalContext<O extends OptionTable> {
  readonly values: ParsedWords<O & typeof common>['values']
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

/** What is said of a command that runs on this machine alone. */
export interface LocalCommand<O extends OptionTable> {
  /** One line for the list of commands. */
  readonly summary: string
  /** The words after `mcp-bearer`, for the first line of the help. */
  readonly usage: string
  /** The rest of the help before the options: what it does, examples. */
  readonly about: string
  /** The help of its own options, a line each. */
  readonly optionsHelp: string
  /** The help of the options that are not its own. Default: that of `--json`. */
  readonly commonHelp?: string
  readonly options: O
  /** How many words it takes. */
  readonly words: readonly [least: number, most: number]
  run(context: LocalContext<O>): Promise<LocalOutcome>
  /** What a person can do about an error, where more is known here than elsewhere. */
  remedy?(error: unknown): string | undefined
}

/** The parts that are the same for all: words, Ctrl-C, output, exit code. */
export function localCommand<const O extends OptionTable>(definition: LocalCommand<O>): Command {
  const { summary, about, optionsHelp, options } = definition
  const usage = `Usage: mcp-bearer ${definition.usage}`
  const optionLines = [...(optionsHelp === '' ? [] : [optionsHelp]), definition.commonHelp ?? commonHelp]
  return {
    summary,
    help: [usage, '', about, '', 'Options:', ...optionLines].join('\n'),
    async run(argv, terminal) {
      using interruption = terminal.interruption()
      const { signal } = interruption
      try {
        const { values, positionals: words } = parseWords(argv, { ...options, ...common }, usage)
        checkWords(words, definition.words, usage)
        const outcome = await definition.run({ values, words, terminal, signal })
        return typeof outcome === 'number' ? outcome : tell(outcome, values, terminal)
      } catch (error) {
        const { failure, exit } = localFailure(error, signal.aborted)
        const remedy = signal.aborted ? undefined : definition.remedy?.(error)
        // Also when the words could not be read: whoever asks for JSON reads nothing else.
        if (argv.includes('--json')) terminal.line(printableJson({ error: failure }))
        else terminal.note([failureText(failure), ...(remedy === undefined ? [] : [remedy])].join('\n'))
        return exit
      }
    },
  }
}

function tell(
  { json, lines, notes = [], exit = exitCode.ok }: Exclude<LocalOutcome, number>,
  values: { readonly json?: boolean },
  terminal: Terminal,
): number {
  if (values.json) terminal.line(printableJson(json))
  else for (const line of lines) terminal.line(printable(line))
  for (const note of notes) terminal.note(printable(note))
  return exit
}

/** What is wrong with an option or a key is said with a `TypeError`; the person can write it better. */
export function localFailure(error: unknown, isInterrupted: boolean): ReturnType<typeof failureOf> {
  const told = error instanceof TypeError ? new UsageError(error.message, { cause: error }) : error
  return failureOf(told, isInterrupted)
}
