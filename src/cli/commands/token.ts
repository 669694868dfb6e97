import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { explain } from '../token/explain.ts'
import { keygen } from '../token/keygen.ts'
import { mint } from '../token/mint.ts'
import { verify } from '../token/verify.ts'

const subcommands: Readonly<Record<string, Command>> = { keygen, mint, verify, explain }

const help = `Usage: mcp-bearer token <subcommand> [options]

Makes and reads tokens: everything to try JWT protection without an identity provider, and to
find out why a token is refused.

${Object.entries(subcommands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

  mcp-bearer token keygen
  export TOKEN=$(mcp-bearer token mint --key key.pem --audience my-server --scope notes:read)
  mcp-bearer token explain env:TOKEN
  mcp-bearer token verify env:TOKEN --public-key key.pub.pem --audience my-server

mcp-bearer token <subcommand> --help says more.`

/** `mcp-bearer token`: JWTs, from the key to the verdict. */
export const token: Command = {
  summary: 'make, check and explain tokens',
  help,
  helpFor: (argv) => subcommand(argv)?.help ?? help,
  async run(argv, terminal) {
    const found = subcommand(argv)
    if (found) return found.run(argv.slice(1), terminal)
    const [name] = argv
    if (name === undefined || name === 'help') {
      terminal.line(help)
      return exitCode.ok
    }
    // What stands in its place is not repeated: it may be a token.
    terminal.note(`mcp-bearer: there is no such subcommand of token\n\n${help}`)
    return exitCode.usage
  },
}

function subcommand([name]: readonly string[]): Command | undefined {
  return name !== undefined && Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
}
