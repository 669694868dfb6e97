import { AuthError } from '../../core/index.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { failureOf } from '../failure.ts'
import { type LocalContext, type LocalOutcome, localCommand } from '../local-command.ts'
import type { OptionTable } from '../parse-words.ts'
import type { Terminal } from '../terminal.ts'
import { type KeysDatabase, openKeysDatabase } from './database.ts'

/** What every subcommand understands, beside `--json`. */
const database = { db: { type: 'string' } } as const satisfies OptionTable

const commonHelp = `  --db WHERE         the database: a file (SQLite), or postgres://host/name; otherwise the
                     environment variable MCP_BEARER_DB
  --json             print one JSON document, errors too`

/** What a subcommand works with. */
export interface KeysContext<O extends OptionTable> extends LocalContext<O & typeof database> {
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
  run(context: KeysContext<O>): Promise<LocalOutcome>
}

/** A command with a database. */
export function keysCommand<const O extends OptionTable>({
  usage,
  optionsHelp = '',
  options,
  run,
  ...rest
}: KeysCommand<O>): Command {
  return localCommand({
    ...rest,
    usage: `keys ${usage}`,
    optionsHelp,
    commonHelp,
    options: { ...options, ...database },
    run: (context) => {
      const { db }: { db?: string } = context.values
      return withDatabase(db, context.terminal, (open) => run({ ...context, open }))
    },
    remedy: remedyOf,
  })
}

/** The exit code where one of many failed: that it was wrong, or that the database is down. */
export function bulkExit(error: unknown): number {
  return error instanceof AuthError ? failureOf(error, false).exit : exitCode.failed
}

/** What a person can do about it here. What the message says already is not said again. */
function remedyOf(error: unknown): string | undefined {
  // About a key that does not exist, or is not what it would have to be.
  if (error instanceof RangeError) return 'mcp-bearer keys list shows the keys there are.'
  const isDown = error instanceof AuthError && error.code === 'verifier_unavailable'
  return isDown ? 'Is it running, and is --db or MCP_BEARER_DB right?' : undefined
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
      const made = await openKeysDatabase(db, how, terminal)
      opened.push(made)
      return made
    })
  } finally {
    terminal.progress('')
    await Promise.allSettled(opened.map(({ store }) => store.close()))
  }
}
