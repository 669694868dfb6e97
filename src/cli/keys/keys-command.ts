import { type ParseArgsConfig, parseArgs } from 'node:util'
import { AuthError } from '../../core/index.ts'
import { type Command, UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { type Failure, failureOf, failureText } from '../failure.ts'
import { printable, printableJson } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { type KeysDatabase, openKeysDatabase } from './database.ts'

type OptionTable = NonNullable<ParseArgsConfig['options']>

/** What every subcommand understands. */
const common = {
  db: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies OptionTable

const commonHelp = `  --db WHERE         the database: a file (SQLite), or postgres://host/name; otherwise the
                     environment variable MCP_BEARER_DB
  --json             print one JSON document, errors too`

type Values<O extends OptionTable> = ReturnType<
  typeof parseArgs<{ options: O & typeof common; allowPositionals: true }>
>['values']

/** What a subcommand works with. */
export interface KeysContext<O extends OptionTable> {
  readonly values: Values<O>
  readonly words: readonly string[]
  readonly terminal: Terminal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** Opens the database; it is closed afterwards, whatever comes of it. */
  open(how?: OpenHow): Promise<KeysDatabase>
}

/** What the keys are opened for. */
export interface OpenHow {
  /** Makes the database when there is none. Default: false, so that a misspelt path is no new database. */
  readonly make?: boolean
  readonly prefix?: string | undefined
  readonly environment?: 'live' | 'test' | undefined
  /** Seconds. */
  readonly maxLifetimeSeconds?: number | undefined
}

/** What came of it, for programs and for people; or only the exit code, when it has been printed. */
export type KeysOutcome =
  | {
      readonly json: Readonly<Record<string, unknown>>
      readonly lines: readonly string[]
      /** Default: 0. */
      readonly exit?: number
    }
  | number

/** One of `mcp-bearer keys …`. */
export interface KeysCommand<O extends OptionTable> {
  /** One line for the list of subcommands. */
  readonly summary: string
  /** The words after `mcp-bearer keys`, for the first line of the help. */
  readonly usage: string
  /** The rest of the help before the options: what it does, examples. */
  readonly about: string
  /** The help of its own options, a line each. */
  readonly optionsHelp?: string
  readonly options: O
  /** How many words it takes. */
  readonly words: readonly [least: number, most: number]
  run(context: KeysContext<O>): Promise<KeysOutcome>
}

/** What a person can do about it here. What the message says already is not said again. */
const remedies: Partial<Readonly<Record<Failure['code'], string>>> = {
  verifier_unavailable: 'Is it running, and is --db or MCP_BEARER_DB right?',
}

/** The parts that are the same for all: words, database, Ctrl-C, output, exit code. */
export function keysCommand<const O extends OptionTable>(definition: KeysCommand<O>): Command {
  const { summary, about, optionsHelp, run: work } = definition
  const usage = `Usage: mcp-bearer keys ${definition.usage}`
  return {
    summary,
    help: [usage, '', about, '', 'Options:', ...(optionsHelp ? [optionsHelp] : []), commonHelp].join('\n'),
    async run(argv, terminal) {
      using interruption = terminal.interruption()
      const { signal } = interruption
      try {
        const { values, words } = read(argv, definition, usage)
        const { db, json = false }: { db?: string; json?: boolean } = values
        const outcome = await withDatabase(db, terminal, (open) =>
          work({ values, words, terminal, signal, open }),
        )
        if (typeof outcome === 'number') return outcome
        if (json) terminal.line(printableJson(outcome.json))
        else for (const line of outcome.lines) terminal.line(printable(line))
        return outcome.exit ?? exitCode.ok
      } catch (error) {
        return reportFailure(error, signal.aborted, argv.includes('--json'), terminal)
      }
    },
  }
}

/** What is wrong with a key or an option is said with a `TypeError`; the person can write it better. */
export function keysFailure(error: unknown, isInterrupted: boolean): ReturnType<typeof failureOf> {
  const told = error instanceof TypeError ? new UsageError(error.message, { cause: error }) : error
  return failureOf(told, isInterrupted)
}

/** The exit code where one of many failed: that it was wrong, or that the database is down. */
export function bulkExit(error: unknown): number {
  return error instanceof AuthError ? failureOf(error, false).exit : exitCode.failed
}

function reportFailure(error: unknown, isInterrupted: boolean, isJson: boolean, terminal: Terminal): number {
  const { failure, exit } = keysFailure(error, isInterrupted)
  const remedy = error instanceof RangeError && !isInterrupted ? seeList : remedies[failure.code]
  // Also when the words could not be read: whoever asks for JSON reads nothing else.
  if (isJson) terminal.line(printableJson({ error: failure }))
  else terminal.note([failureText(failure), ...(remedy === undefined ? [] : [remedy])].join('\n'))
  return exit
}

/** A `RangeError` is about a key that does not exist, or is not what it would have to be. */
const seeList = 'mcp-bearer keys list shows the keys there are.'

function read<O extends OptionTable>(argv: readonly string[], definition: KeysCommand<O>, usage: string) {
  const [least, most] = definition.words
  const { values, positionals } = parsed(argv, definition.options, usage)
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

/** Closes what was opened. A failure of that is not one of the work, which is durable when it is reported. */
async function withDatabase<T>(
  db: string | undefined,
  terminal: Terminal,
  work: (open: KeysContext<OptionTable>['open']) => Promise<T>,
): Promise<T> {
  const opened: KeysDatabase[] = []
  try {
    return await work(async (how = {}) => {
      const database = await openKeysDatabase(db, how, terminal)
      opened.push(database)
      return database
    })
  } finally {
    terminal.progress('')
    await Promise.allSettled(opened.map(({ store }) => store.close()))
  }
}
