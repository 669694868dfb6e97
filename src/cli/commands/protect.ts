import { type Command, UsageError } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { failureOf, failureText } from '../failure.ts'
import { atDashes, flagsHelp, readFlags, usage } from '../gateway/flags.ts'
import { printableJson } from '../printable.ts'

const help = `${usage}

Puts a token in front of any MCP server: one at a URL, or a command that speaks stdio.

  mcp-bearer protect -- npx -y @modelcontextprotocol/server-everything
  mcp-bearer protect http://127.0.0.1:9000/mcp --jwks https://id.example.com/jwks \\
    --issuer https://id.example.com --audience https://mcp.example.com/mcp
  mcp-bearer protect --config gateway.yaml --check

Without further words it makes an API key at its first start and shows it, once. The server
never sees the token of a caller.

${flagsHelp}

SIGHUP, and every change of the file, reload the policy. Ctrl-C or SIGTERM stop, after what is
under way; a second one stops at once.

Exit codes: 0 stopped, or checked and good; 1 it cannot be started; 2 what was said of it is
wrong; 21 the key database cannot be reached.`

const isItThere = '\nIs the database running, and is --keys or MCP_BEARER_DB right?'

/** `mcp-bearer protect`: a gateway that asks for tokens, in front of a server that does not. */
export const protect: Command = {
  summary: 'put a token in front of any MCP server',
  help,
  async run(argv, terminal) {
    try {
      const flags = readFlags(argv)
      // Loaded only by who needs it: the rest of this command is a help text.
      if (flags.values.schema) {
        const { gatewayFileSchema } = await import('../../gateway/file/gateway-schema.ts')
        terminal.line(printableJson(gatewayFileSchema))
        return exitCode.ok
      }
      const reader = { terminal, signal: new AbortController().signal }
      if (flags.values.check) return await (await import('../gateway/check.ts')).check(flags, reader)
      return await (await import('../gateway/serve.ts')).serve(flags, reader)
    } catch (error) {
      // What is wrong with an option, or the file, the person can write better.
      const isWords = error instanceof TypeError || (error as Error).name === 'GatewayFileError'
      const told = isWords ? new UsageError((error as Error).message, { cause: error }) : error
      const { failure, exit } = failureOf(told, false)
      if (atDashes(argv).own.includes('--json')) terminal.line(printableJson({ error: failure }))
      else terminal.note(failureText(failure) + (failure.code === 'verifier_unavailable' ? isItThere : ''))
      return exit
    }
  },
}
