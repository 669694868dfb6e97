import type { TokenSource } from '../../client/index.ts'
import { AuthError } from '../../core/index.ts'
import { type Arguments, readArguments } from '../arguments.ts'
import { type Command, UsageError } from '../command.ts'
import { credential, notes } from '../credential.ts'
import { exitCode } from '../exit-codes.ts'
import { failureOf, failureText } from '../failure.ts'
import { openRemote } from '../target.ts'
import type { Terminal } from '../terminal.ts'

const usage = 'Usage: mcp-bearer connect <url or name> [options]'

const help = `${usage}

A stdio server for hosts that speak only stdio: passes everything on to a server that is
somewhere else, with a token. \`mcp-bearer host-config <url>\` writes the entry for a host.

  npx -y mcp-bearer connect https://mcp.example.com/mcp --auth env:MCP_API_KEY
  npx -y mcp-bearer connect reports --config mcp.json

Standard output holds the protocol and nothing else; notes go to standard error. It outlives
restarts of the server and ends of its session, and takes a new token when the old one is
refused. What goes wrong reaches the host as the error of its request, in words. It ends with
standard input, and on SIGTERM and Ctrl-C.

Options:
  --auth WHAT        where the token comes from:
                       env:NAME         an environment variable
                       file:PATH        a file, read again when it changes
                       command:PROGRAM  what a program prints, with its arguments
                       TOKEN            the token itself; others on this machine can see it
  --header 'N: V'    one more header; \${NAME} in it is an environment variable
  --config FILE      where the server of that name is described; otherwise mcp.json,
                     .mcp.json or .vscode/mcp.json in this folder
  --timeout SECONDS  how long to wait for an answer; otherwise as long as the host waits
  --allow-insecure   DANGER: send credentials over plain http to other machines

Exit codes: 0 the host has ended it; 2 what was said of the server is wrong.`

/** `mcp-bearer connect`: a token behind a host that speaks only stdio. */
export const connect: Command = {
  summary: 'be a stdio server that is somewhere else, with a token',
  help,
  async run(argv, terminal) {
    using interruption = terminal.interruption()
    const terminated = new AbortController()
    const stop = (): void => terminated.abort()
    process.once('SIGTERM', stop)
    try {
      const args = readArguments(argv, usage, 0, 0)
      const auth = await sourceOf(args, terminal, interruption.signal)
      const { transport, server } = await openRemote(args, auth, terminal)
      const { bridge } = await import('../../gateway/bridge/stdio-bridge.ts')
      await bridge({
        target: transport,
        label: server,
        advice: adviceFor(args),
        timeoutMs: args.timeout,
        logger: notes(terminal),
        signal: AbortSignal.any([interruption.signal, terminated.signal]),
      }).closed
      return exitCode.ok
    } catch (error) {
      const { failure, exit } = failureOf(error, interruption.signal.aborted)
      terminal.note(failureText(failure))
      return exit
    } finally {
      process.off('SIGTERM', stop)
    }
  },
}

/**
 * Where the token comes from. A variable that is not set is nothing to die of: the host would only say that the server is
 * gone, and the person would not know why.
 */
async function sourceOf(
  { auth, json }: Arguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<TokenSource | undefined> {
  if (json)
    throw new UsageError(`--json does not go with connect: standard output is the protocol's\n\n${usage}`)
  if (auth === '-')
    throw new UsageError(`--auth - does not go with connect: standard input is the host's\n\n${usage}`)
  if (auth === 'oauth')
    throw new UsageError('connect does not log people in; give --auth env:, file: or command:')
  if (auth === undefined) return undefined
  try {
    return await credential(auth, terminal, signal)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    if (!auth.startsWith('env:')) throw new UsageError(error.message, { cause: error })
    const { message } = error
    terminal.note(`mcp-bearer: warning: ${message}`)
    return { token: () => Promise.reject(new AuthError('token_unavailable', `No token: ${message}.`)) }
  }
}

/** What a person can do about a refused or missing token, where the host shows it. */
function adviceFor({ auth, target }: Arguments): string {
  const [, kind, rest = ''] = /^(env|file|command):(.*)$/s.exec(auth ?? '') ?? []
  if (kind === 'env' && /^\w{1,128}$/.test(rest)) {
    return `Set ${rest} where the host keeps the configuration of this server, and restart it there.`
  }
  if (kind === 'file') return 'Write the new token into the file; the next request uses it.'
  if (kind === 'command') return 'The program is asked again with the next request.'
  if (auth !== undefined) return 'Change the token in the configuration of the host, and restart it there.'
  return /^https?:/i.test(target)
    ? 'Give mcp-bearer connect a token: --auth env:NAME or --auth file:PATH.'
    : 'Correct auth in the configuration, and restart the host.'
}
