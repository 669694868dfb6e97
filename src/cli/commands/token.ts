import type { Command } from '../command.ts'
import { commandGroup } from '../command-group.ts'
import { explain } from '../token/explain.ts'
import { keygen } from '../token/keygen.ts'
import { mint } from '../token/mint.ts'
import { verify } from '../token/verify.ts'

/** `mcp-bearer token`: JWTs, from the key to the verdict. */
export const token: Command = commandGroup({
  name: 'token',
  summary: 'make, check and explain tokens',
  subcommands: { keygen, mint, verify, explain },
  help: (list) => `Usage: mcp-bearer token <subcommand> [options]

Makes and reads tokens: everything to try JWT protection without an identity provider, and to
find out why a token is refused.

${list}

  mcp-bearer token keygen
  export TOKEN=$(mcp-bearer token mint --key key.pem --audience my-server --scope notes:read)
  mcp-bearer token explain env:TOKEN
  mcp-bearer token verify env:TOKEN --public-key key.pub.pem --audience my-server

mcp-bearer token <subcommand> --help says more.`,
})
