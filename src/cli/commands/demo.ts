import { parseArgs } from 'node:util'
import { type Command, UsageError } from '../command.ts'
import { type DemoCall, demoCases, runCase, toolCall } from '../demo/calls.ts'
import type { DemoKeys } from '../demo/keys.ts'
import { type Demo, demoAudience, startDemo } from '../demo/server.ts'
import { exitCode } from '../exit-codes.ts'
import { type Terminal, table } from '../terminal.ts'

const help = `Usage: mcp-bearer demo [--once] [--port 8000] [--db FILE] [--json]

Starts a protected MCP server on this machine, mints real tokens and API keys, calls
the server with good and bad ones, and shows what came of it. Then it keeps running,
so that you can call it yourself. Its API keys stay: they work the next time, too.

  --once      stop after the calls; exit 0 only if every outcome is as it should be
  --port N    the port to listen on; when it is taken, a free one is used
  --db FILE   where the API keys are kept, or postgres://…; otherwise in a file of
              your user's data folder
  --json      print one JSON document instead of text`

/** `mcp-bearer demo`: the main job, on real sockets with real keys. */
export const demo: Command = {
  summary: 'see a protected MCP server at work',
  help,
  async run(argv, terminal) {
    const { once, json, port, db } = options(argv)
    const running = await startDemo(port, db)
    try {
      const calls = await makeCalls(running, terminal)
      const tokens = await demoTokens(running)
      if (json) terminal.line(JSON.stringify(report(running, tokens, calls), undefined, 2))
      else show(running, tokens, calls, terminal, once)
      running.speak()
      if (!once) await untilStopped(terminal)
      return calls.every((call) => call.ok) ? exitCode.ok : exitCode.failed
    } finally {
      await running.close()
    }
  },
}

function options(argv: readonly string[]): {
  once: boolean
  json: boolean
  port: number
  db: string | undefined
} {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        port: { type: 'string' },
        db: { type: 'string' },
      },
    })
    const port = Number(values.port ?? 8000)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error('--port must be a number from 0 to 65535')
    return { once: values.once === true, json: values.json === true, port, db: values.db }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${help}`)
  }
}

interface DemoTokens {
  readonly token: string
  /** For whoever wants to see what alice may not. */
  readonly adminToken: string
}

async function demoTokens({ issuer }: Demo): Promise<DemoTokens> {
  const mint = (subject: string, ...scopes: string[]) =>
    issuer.mint({ subject, audience: demoAudience, scopes })
  return {
    token: await mint('alice', 'reports:read'),
    adminToken: await mint('root', 'reports:read', 'reports:write', 'keys:admin'),
  }
}

function report(
  { listening, inspector, apiKeys }: Demo,
  tokens: DemoTokens,
  calls: readonly DemoCall[],
): object {
  return { url: listening.url, inspector, ...tokens, key: apiKeys.first?.key, keys: apiKeys.db, calls }
}

async function makeCalls(running: Demo, terminal: Terminal): Promise<DemoCall[]> {
  const calls: DemoCall[] = []
  for (const one of await demoCases(running)) {
    terminal.progress(`calling with: ${one.title}`)
    calls.push(await runCase(running.listening.url, one, (text) => terminal.progress(text)))
  }
  terminal.progress('')
  return calls
}

function show(
  { listening, inspector, busyPort, refusals, apiKeys }: Demo,
  { token, adminToken }: DemoTokens,
  calls: readonly DemoCall[],
  terminal: Terminal,
  once: boolean,
): void {
  const { url } = listening
  const title = (text: string) => terminal.line(terminal.style('bold', text))
  if (busyPort !== undefined)
    terminal.line(`Port ${busyPort} is taken, so this is on port ${listening.port}.\n`)
  title(
    once
      ? 'A protected MCP server, for the time of this run (without --once it stays)'
      : 'A protected MCP server is running',
  )
  terminal.line(`  ${url}\n`)
  if (!once) {
    title('See it in a browser')
    terminal.line(`  ${inspector}\n`)
  }
  title('A token for alice (one hour, scope reports:read, this demo only)')
  terminal.line(`  ${token}\n`)
  title('A token for root (one hour, scopes reports:read, reports:write, keys:admin)')
  terminal.line(`  ${adminToken}\n`)
  for (const line of keyLines(apiKeys)) terminal.line(line)
  // The key goes on working when the demo is started again; the token does not.
  const credential = apiKeys.first?.key ?? token
  title('Call it')
  terminal.line(`${curlLine(url, credential)}\n`)
  title('For an MCP host such as Claude Code or Cursor (.mcp.json, mcp.json)')
  const entry = { type: 'http', url, headers: { Authorization: `Bearer ${credential}` } }
  terminal.line(`${JSON.stringify({ mcpServers: { demo: entry } }, undefined, 2)}\n`)
  title('Calls just made over HTTP')
  const header = ['credential', 'tool', 'HTTP', 'mcp-bearer client', 'official SDK client', 'as expected']
  const rows = calls.map(({ title, tool, status, client, sdk, ok }) => [
    title,
    tool,
    String(status),
    client,
    sdk,
    ok ? 'yes' : 'NO',
  ])
  const [head, ...lines] = table([header, ...rows])
  terminal.line(`  ${terminal.style('dim', head ?? '')}`)
  for (const [index, line] of lines.entries()) {
    terminal.line(`  ${calls[index]?.ok ? line : terminal.style('red', line)}`)
  }
  title('\nWhy tokens were refused: told to the operator, and not to the caller')
  const told = [...refusals.values()].map(({ reason, message, expected, found }) => [
    reason,
    message,
    found === undefined ? '' : `expected ${expected}, found ${found}`,
  ])
  for (const line of table(told)) terminal.line(`  ${line.trimEnd()}`)
}

/** What there is to know of the API keys; the first one is shown the one time it can be. */
function keyLines({ db, first, problem }: DemoKeys): string[] {
  const where =
    db === 'memory:'
      ? [`  They are in memory only, and gone with the demo${problem === undefined ? '' : `: ${problem}`}`]
      : [`  They are kept in ${db}`, `  More: mcp-bearer keys list --db '${db}'`]
  const shown =
    first === undefined
      ? ['API keys: there are some already', '  One that was lost: mcp-bearer keys rotate, or create another']
      : ['An API key for alice (shown once, 90 days, scope reports:read)', `  ${first.key}`]
  return [...shown, ...where, '']
}

/** One line for a POSIX shell. Nothing in it needs escaping within single quotes. */
function curlLine(url: string, credential: string): string {
  const { headers, body } = toolCall('whoami')
  const flags = Object.entries({ Authorization: `Bearer ${credential}`, ...headers }).map(
    ([name, value]) => `-H '${name}: ${value}'`,
  )
  return `curl -s ${url} ${flags.join(' ')} -d '${body}'`
}

function untilStopped(terminal: Terminal): Promise<void> {
  terminal.note('\nRunning. Press Ctrl+C to stop.')
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}
