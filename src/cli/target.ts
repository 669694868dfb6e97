import { resolve } from 'node:path'
import { isPlain, readConfigFile } from '../client/config/config-document.ts'
import { isSecretName, literalOf } from '../client/config/config-secrets.ts'
import { interpolate } from '../client/config/interpolate.ts'
import type { TokenSource } from '../client/index.ts'
import { Client, MCPClient, type MCPClientConfig } from '../client/index.ts'
import { type Arguments, isUrl } from './arguments.ts'
import { UsageError } from './command.ts'
import { credential, notes, warnOfHeader } from './credential.ts'
import { printableLine } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** The server a command talks to. */
export interface Target {
  readonly client: Client
  /** The name of the configuration, else the origin. */
  readonly server: string
}

/** Where hosts keep the configuration of a project. */
const usualFiles = ['mcp.json', '.mcp.json', '.vscode/mcp.json']

/**
 * Makes the client for what was asked. Nothing is sent yet.
 * @throws UsageError when there is no such server, or what is said of it is wrong
 */
export async function openTarget(args: Arguments, terminal: Terminal, signal: AbortSignal): Promise<Target> {
  try {
    const auth = args.auth === undefined ? undefined : await credential(args.auth, terminal, signal)
    const headers = readHeaders(args.headers, terminal)
    return isUrl(args.target) ? byUrl(args, auth, headers) : await byName(args, auth, headers, terminal)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new UsageError(error.message, { cause: error })
    }
    throw error
  }
}

function byUrl(
  { target, timeout, allowInsecure }: Arguments,
  auth: TokenSource | undefined,
  headers: Readonly<Record<string, string>>,
): Target {
  const filled = Object.entries(headers).map(([name, value]) => [
    name,
    interpolate(value, `--header ${name}`),
  ])
  const client = new Client(target, {
    allowInsecure,
    headers: Object.fromEntries(filled) as Record<string, string>,
    ...(auth && { auth }),
    ...(timeout !== undefined && { timeout }),
  })
  return { client, server: new URL(target).origin }
}

async function byName(
  args: Arguments,
  auth: TokenSource | undefined,
  headers: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<Target> {
  const { target, timeout, allowInsecure } = args
  const { document, member, entry } = await findServer(target, args.config)
  const changed = isPlain(entry)
    ? {
        ...entry,
        ...(auth && { auth }),
        ...(Object.keys(headers).length > 0 && { headers: { ...(entry.headers as object), ...headers } }),
        ...(allowInsecure && { allowInsecure }),
      }
    : entry
  // The other servers of the file are not looked at: their variables need not be set.
  const config = { ...document, [member]: { [target]: changed } } as MCPClientConfig
  const client = new MCPClient(config, {
    logger: notes(terminal),
    ...(timeout !== undefined && { timeout }),
  })
  return { client: client.session(target), server: target }
}

interface FoundServer {
  readonly document: Readonly<Record<string, unknown>>
  readonly member: 'mcpServers' | 'servers'
  readonly entry: unknown
}

/** The first file that describes the server. */
async function findServer(name: string, config: string | undefined): Promise<FoundServer> {
  const read: string[] = []
  for (const file of config === undefined ? usualFiles : [config]) {
    const document = await readConfig(resolve(process.cwd(), file), config === undefined)
    if (!isPlain(document)) continue
    const { mcpServers, servers } = document
    const member = mcpServers === undefined ? 'servers' : 'mcpServers'
    const entries = mcpServers ?? servers
    if (isPlain(entries) && Object.hasOwn(entries, name)) return { document, member, entry: entries[name] }
    read.push(`${file} has ${isPlain(entries) ? Object.keys(entries).join(', ') || 'none' : 'no servers'}`)
  }
  const where =
    read.length > 0
      ? `there is no such server: ${read.join('; ')}`
      : `there is no ${usualFiles.join(', ')} here to look it up in; give a URL, or --config FILE`
  throw new UsageError(`"${printableLine(name, 100)}": ${printableLine(where, 500)}`)
}

async function readConfig(file: string, isOptional: boolean): Promise<unknown> {
  try {
    return await readConfigFile(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === undefined) throw error
    if (isOptional && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new UsageError(`${file} cannot be read (${code})`, { cause: error })
  }
}

function readHeaders(lines: readonly string[], terminal: Terminal): Record<string, string> {
  const headers = lines.map((line): [string, string] => {
    const end = line.indexOf(':')
    if (end < 1) throw new UsageError("--header must be written 'Name: value'")
    const [name, value] = [line.slice(0, end).trim(), line.slice(end + 1).trim()]
    if (isSecretName(name) && literalOf(value) !== '') warnOfHeader(printableLine(name, 64), terminal)
    return [name, value]
  })
  if (new Set(headers.map(([name]) => name.toLowerCase())).size < headers.length) {
    throw new UsageError('--header gives one header twice')
  }
  return Object.fromEntries(headers)
}
