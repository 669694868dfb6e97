import type { Command } from '../command.ts'
import { commandGroup } from '../command-group.ts'
import { audit } from '../keys/audit.ts'
import { check } from '../keys/check.ts'
import { create } from '../keys/create.ts'
import { importKeys } from '../keys/import.ts'
import { list } from '../keys/list.ts'
import { migrate } from '../keys/migrate.ts'
import { purge } from '../keys/purge.ts'
import { revoke } from '../keys/revoke.ts'
import { rotate } from '../keys/rotate.ts'
import { scanRules } from '../keys/scan-rules.ts'
import { show } from '../keys/show.ts'
import { disable, enable } from '../keys/switch.ts'
import { ui } from '../keys/ui.ts'
import { update } from '../keys/update.ts'

const subcommands: Readonly<Record<string, Command>> = {
  create,
  list,
  show,
  update,
  rotate,
  revoke,
  disable,
  enable,
  check,
  import: importKeys,
  audit,
  purge,
  'scan-rules': scanRules,
  migrate,
  ui,
}

/** `mcp-bearer keys`: API keys, from the first to the last day. */
export const keys: Command = commandGroup({
  name: 'keys',
  summary: 'issue, change and end API keys',
  subcommands,
  help: (list) => `Usage: mcp-bearer keys <subcommand> [options]

Issues, changes and ends API keys.

${list}

The database is --db FILE or --db postgres://host/name, or the environment variable
MCP_BEARER_DB. MCP_BEARER_PEPPER holds the peppers, if the servers use some: ID:SECRET,
several separated by commas, the newest first; ID:base64:SECRET for bytes.

Exit codes: 0 done, 1 not (no such key, some of many failed), 2 the words make no sense,
21 the database cannot be reached, 130 Ctrl-C.

  export MCP_BEARER_DB=keys.db
  mcp-bearer keys create --name ci --owner service:build --scope reports:read --expires 90d

mcp-bearer keys <subcommand> --help says more.`,
})
