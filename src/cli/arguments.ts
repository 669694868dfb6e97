import { UsageError } from './command.ts'
import { checkWords, parseWords } from './parse-words.ts'

/** What every command that talks to a server understands. */
export interface Arguments {
  /** A URL, or the name of a server in a configuration. */
  readonly target: string
  /** The words after the target. */
  readonly words: readonly string[]
  readonly config: string | undefined
  readonly auth: string | undefined
  readonly headers: readonly string[]
  readonly json: boolean
  /** Milliseconds. */
  readonly timeout: number | undefined
  readonly allowInsecure: boolean
}

/** The options of {@link Arguments}, for `--help`. */
export const optionsHelp = `Options:
  --auth WHAT        where the token comes from:
                       env:NAME         an environment variable
                       file:PATH        a file, such as a mounted secret
                       command:PROGRAM  what a program prints, with its arguments
                       -                standard input
                       TOKEN            the token itself; others on this machine can see it
  --header 'N: V'    one more header; \${NAME} in it is an environment variable
  --config FILE      where the server of that name is described; otherwise mcp.json,
                     .mcp.json or .vscode/mcp.json in this folder
  --timeout SECONDS  how long to wait for an answer; otherwise 60
  --allow-insecure   DANGER: send credentials over plain http to other machines
  --json             print one JSON document, errors too`

const options = {
  auth: { type: 'string' },
  config: { type: 'string' },
  header: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  timeout: { type: 'string' },
  'allow-insecure': { type: 'boolean' },
} as const

/** Seconds; a timer of more fires at once. */
const longestTimeout = 2_147_483

/**
 * Reads the words after a command.
 * @param usage the first line of the help
 * @param most how many words may follow the target
 * @throws UsageError
 */
export function readArguments(
  argv: readonly string[],
  usage: string,
  least: number,
  most: number,
): Arguments {
  const { values, positionals } = parseWords(argv, options, usage)
  const [target, ...words] = positionals
  if (target === undefined)
    throw new UsageError(`which server? Give a URL, or a name of the configuration\n\n${usage}`)
  checkWords(words, [least, most], usage)
  if (values.config !== undefined && isUrl(target)) {
    throw new UsageError(`--config goes with the name of a server, not with a URL\n\n${usage}`)
  }
  return {
    target,
    words,
    config: values.config,
    auth: values.auth,
    headers: values.header ?? [],
    json: values.json === true,
    timeout: values.timeout === undefined ? undefined : timeoutOf(values.timeout, usage),
    allowInsecure: values['allow-insecure'] === true,
  }
}

/** Whether a target is a URL; everything else is a name. */
export function isUrl(target: string): boolean {
  return /^https?:\/\//i.test(target)
}

/**
 * What `--timeout` says, in milliseconds.
 * @throws UsageError, which ends with the usage
 */
export function timeoutOf(seconds: string, usage: string): number {
  const number = Number(seconds)
  if (seconds.trim() === '' || !(number >= 0.001 && number <= longestTimeout)) {
    throw new UsageError(`--timeout must be a number of seconds from 0.001 to ${longestTimeout}\n\n${usage}`)
  }
  return number * 1000
}
