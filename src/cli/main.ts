#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { AuthError, redact } from '../core/index.ts'
import { type Command, UsageError } from './command.ts'
import { authExitCodes, exitCode } from './exit-codes.ts'
import { type Terminal, terminal } from './terminal.ts'

/** Every command, loaded when it is named. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./commands/demo.ts')).demo,
  protect: async () => (await import('./commands/protect.ts')).protect,
  ping: async () => (await import('./commands/ping.ts')).ping,
  tools: async () => (await import('./commands/tools.ts')).tools,
  call: async () => (await import('./commands/call.ts')).call,
  read: async () => (await import('./commands/read.ts')).read,
  prompt: async () => (await import('./commands/prompt.ts')).prompt,
  connect: async () => (await import('./commands/connect.ts')).connect,
  'host-config': async () => (await import('./commands/host-config.ts')).hostConfig,
  probe: async () => (await import('./commands/probe.ts')).probe,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  keys: async () => (await import('./commands/keys.ts')).keys,
  token: async () => (await import('./commands/token.ts')).token,
  issuer: async () => (await import('./commands/issuer.ts')).issuer,
  init: async () => (await import('./commands/init.ts')).init,
}

async function main(argv: readonly string[], screen: Terminal): Promise<number> {
  const [name, ...rest] = argv
  if (name === '--version') {
    screen.line(version())
    return exitCode.ok
  }
  const load = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) {
    const asked = name === undefined || name === '--help' || name === 'help'
    if (!asked) screen.note(`mcp-bearer: there is no command "${redact(name)}"`)
    await list(screen)
    return asked ? exitCode.ok : exitCode.usage
  }
  const command = await load()
  // Behind `--` stands somebody else's command, with options of its own.
  const end = rest.indexOf('--')
  if (rest.slice(0, end === -1 ? undefined : end).includes('--help')) {
    screen.line(command.helpFor?.(rest) ?? command.help)
    return exitCode.ok
  }
  return command.run(rest, screen)
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

async function list(screen: Terminal): Promise<void> {
  screen.line('Usage: mcp-bearer <command> [options]')
  screen.line()
  for (const [name, load] of Object.entries(commands))
    screen.line(`  ${name.padEnd(11)} ${(await load()).summary}`)
  screen.line()
  screen.line('mcp-bearer <command> --help says more.')
}

/** A message for people, and the exit code that says the same to programs. */
function report(error: unknown, screen: Terminal): number {
  screen.note(`mcp-bearer: ${redact(error instanceof Error ? error.message : String(error))}`)
  if (error instanceof UsageError) return exitCode.usage
  return error instanceof AuthError ? authExitCodes[error.code] : exitCode.failed
}

const screen = terminal()
let isLost = false
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // A reader that has gone, such as `head`, has what it wanted.
  if (code === 'EPIPE' || isLost) return
  isLost = true
  screen.note(`mcp-bearer: the result cannot be written (${code})`)
})
process.stderr.on('error', () => {})
const exit = await main(process.argv.slice(2), screen).catch((error: unknown) => report(error, screen))
// Once all is written. What goes on, a program that looks for a token above all, would hold the process up, and is ended.
process.stdout.write('', () => {
  process.stderr.write('', () => setImmediate(() => process.exit(isLost ? exitCode.failed : exit)))
})
