import { UsageError } from '../command.ts'
import { type ParsedWords, parseWords } from '../parse-words.ts'

const options = {
  config: { type: 'string' },
  check: { type: 'boolean' },
  schema: { type: 'boolean' },
  json: { type: 'boolean' },
  listen: { type: 'string' },
  keys: { type: 'string' },
  jwks: { type: 'string' },
  issuer: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  algorithm: { type: 'string', multiple: true },
  'public-key': { type: 'string' },
  introspect: { type: 'string' },
  'introspect-client': { type: 'string' },
  'introspect-secret': { type: 'string' },
  'required-scope': { type: 'string', multiple: true },
  'api-key-header': { type: 'string' },
  'upstream-auth': { type: 'string' },
  'upstream-header': { type: 'string', multiple: true },
  'allow-insecure': { type: 'boolean' },
  per: { type: 'string' },
  env: { type: 'string', multiple: true },
  cwd: { type: 'string' },
  'max-processes': { type: 'string' },
  idle: { type: 'string' },
  identity: { type: 'string' },
  'identity-key': { type: 'string' },
  'read-only': { type: 'boolean' },
  'allow-tool': { type: 'string', multiple: true },
  'deny-tool': { type: 'string', multiple: true },
  metrics: { type: 'string' },
  log: { type: 'string' },
  resource: { type: 'string' },
  'allowed-host': { type: 'string', multiple: true },
  'allowed-origin': { type: 'string', multiple: true },
  'trust-proxy': { type: 'string' },
} as const

type Values = ParsedWords<typeof options>['values']

/** What stands on the command line, as it stands there. */
export interface Flags {
  readonly values: Values
  /** The word before `--`. */
  readonly url: string | undefined
  /** The words after `--`; `undefined` when there is none. They may hold secrets. */
  readonly command: readonly string[] | undefined
}

/** The first line of the help. */
export const usage = `Usage: mcp-bearer protect <url> [options]
       mcp-bearer protect [options] -- <command> [args…]`

export const flagsHelp = `Who may call; several are all taken, and without any it is --keys with a database of its own:
  --keys DB            API keys: a SQLite file, postgres://host/name, or env:NAME that names one
  --jwks URL           JWTs: where the issuer's keys are, or discover
    --issuer, --audience, --algorithm   what they must say, each as often as needed
  --public-key FILE    JWTs: the issuer's key, in PEM or as a JWK
  --introspect URL     opaque tokens: where to ask about them (RFC 7662)
    --introspect-client, --introspect-secret env:NAME   who asks
  --required-scope S   what every token needs
  --api-key-header H   takes a credential in this header, too

What they may do; the policy of a file says more:
  --read-only          only tools that say they change nothing
  --allow-tool GLOB    only these tools, and no resources and prompts
  --deny-tool GLOB     not these tools

The server at a URL:
  --upstream-auth WHAT       its token: env:NAME, file:PATH or command:PROGRAM
  --upstream-header 'N: V'   one more header; \${NAME} in it is an environment variable
  --allow-insecure           DANGER: send that over plain http to another machine

The server that is a command:
  --env NAME           an environment variable it gets: NAME, NAME=value or PREFIX_*
  --cwd FOLDER         where it runs
  --per session|principal    what has a process of its own; otherwise session
  --max-processes N    otherwise 100
  --idle SECONDS       until a process that nobody uses is stopped; otherwise 300

Around it:
  --config FILE        all this in YAML or JSON; the command line wins
  --check              look at everything, say what would be served, and serve nothing
  --schema             print the JSON Schema of the file
  --listen ADDRESS     otherwise 127.0.0.1:8000
  --resource URL       the address that clients use, where a proxy is in front
  --trust-proxy N      how many proxies are
  --allowed-host, --allowed-origin   names it answers to, and web pages it answers
  --identity jwt|env   tell the server who calls: a signed header, or variables of a command
  --identity-key FILE  what signs; made when it is not there
  --metrics ADDRESS    Prometheus metrics, such as 127.0.0.1:9464
  --log text|json      otherwise text on a terminal, and JSON elsewhere
  --json               print one JSON document about the start`

/**
 * Takes the command line apart. What follows `--` is not looked at.
 * @throws UsageError that repeats nothing of the words
 */
export function readFlags(argv: readonly string[]): Flags {
  const { own, command } = atDashes(argv)
  const [first] = own
  if (first !== undefined && !first.startsWith('-')) checkUrl(first)
  const { values, positionals } = parseWords(own, options, usage)
  const [url, ...others] = positionals
  if (others.length > 0) throw new UsageError(`one URL, and not several\n\n${usage}`)
  if (url !== undefined) checkUrl(url)
  if (command?.length === 0) throw new UsageError(`the command after -- is missing\n\n${usage}`)
  if (url !== undefined && command) {
    throw new UsageError(`a URL or a command after --, and not both\n\n${usage}`)
  }
  return { values, url, command }
}

/** The words before the first `--`, which are ours, and those behind it. */
export function atDashes(argv: readonly string[]): {
  readonly own: readonly string[]
  readonly command: readonly string[] | undefined
} {
  const at = argv.indexOf('--')
  return at === -1
    ? { own: argv, command: undefined }
    : { own: argv.slice(0, at), command: argv.slice(at + 1) }
}

/** The usual mistake: a command without `--`. */
function checkUrl(word: string): void {
  if (/^https?:\/\//i.test(word)) return
  throw new UsageError(
    `a server is protected by its URL, which begins with http:// or https://; a command stands after --\n\n${usage}`,
  )
}
