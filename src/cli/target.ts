import { resolve } from 'node:path'
import { isPlain, readConfigFile } from '../client/config/config-document.ts'
import { isSecretName, literalOf } from '../client/config/config-secrets.ts'
import { interpolate, processEnvironment } from '../client/config/interpolate.ts'
import { transportOf } from '../client/config/server-config.ts'
import {
  Client,
  type ClientTransport,
  type FetchLike,
  MCPClient,
  type MCPClientConfig,
  StreamableHttpTransport,
  type TokenSource,
} from '../client/index.ts'
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
export const usualFiles = ['mcp.json', '.mcp.json', '.vscode/mcp.json']

/**
 * Makes the client for what was asked. Nothing is sent yet.
 * @throws UsageError when there is no such server, or what is said of it is wrong
 */
export async function openTarget(args: Arguments, terminal: Terminal, signal: AbortSignal): Promise<Target> {
  return asUsage(async () => {
    const auth = args.auth === undefined ? undefined : await credential(args.auth, terminal, signal)
    const headers = readHeaders(args.headers, terminal)
    return isUrl(args.target) ? byUrl(args, auth, headers) : byName(args, auth, headers, terminal)
  })
}

/** The server a command passes messages on to. */
export interface RemoteTarget {
  /** The way to it, whose requests are made by the given function. */
  transport(fetch: FetchLike): ClientTransport
  /** The name of the configuration, else the origin. */
  readonly server: string
}

/**
 * The same for who speaks to the server in messages. Nothing is sent yet.
 * @param auth what `--auth` stands for
 * @throws UsageError when there is no such server, what is said of it is wrong, or it does not speak Streamable HTTP
 */
export async function openRemote(
  args: Arguments,
  auth: TokenSource | undefined,
  terminal: Terminal,
): Promise<RemoteTarget> {
  return asUsage(async () => {
    const { target } = args
    const headers = readHeaders(args.headers, terminal)
    const transport = isUrl(target)
      ? remoteByUrl(args, auth, headers)
      : await remoteByName(args, auth, headers, terminal)
    // What is wrong is said now, and not to a host.
    transport(globalThis.fetch)
    return { transport, server: isUrl(target) ? new URL(target).origin : target }
  })
}

type HeaderTexts = Readonly<Record<string, string>>

/** What is wrong with an option the person can write better. */
export async function asUsage<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
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
  headers: HeaderTexts,
): Target {
  const client = new Client(target, {
    allowInsecure,
    headers: filled(headers),
    ...(auth && { auth }),
    ...(timeout !== undefined && { timeout }),
  })
  return { client, server: new URL(target).origin }
}

function remoteByUrl(
  { target, allowInsecure }: Arguments,
  auth: TokenSource | undefined,
  headers: HeaderTexts,
): RemoteTarget['transport'] {
  const options = { allowInsecure, headers: filled(headers), ...(auth && { auth }) }
  return (fetch) => new StreamableHttpTransport(target, { ...options, fetch }, 'connect')
}

/** Variables in headers of the command line. */
export function filled(headers: HeaderTexts): HeaderTexts {
  const texts = Object.entries(headers).map(([name, value]) => [name, interpolate(value, `--header ${name}`)])
  return Object.fromEntries(texts) as Record<string, string>
}

async function byName(
  args: Arguments,
  auth: TokenSource | undefined,
  headers: HeaderTexts,
  terminal: Terminal,
): Promise<Target> {
  const { target, timeout } = args
  const { document, member, entry } = await findServer(target, args.config)
  // The other servers of the file are not looked at: their variables need not be set.
  const changed = entryWith(entry, args, auth, headers)
  const config = { ...document, [member]: { [target]: changed } } as MCPClientConfig
  const client = new MCPClient(config, {
    logger: notes(terminal),
    ...(timeout !== undefined && { timeout }),
  })
  return { client: client.session(target), server: target }
}

async function remoteByName(
  args: Arguments,
  auth: TokenSource | undefined,
  headers: HeaderTexts,
  terminal: Terminal,
): Promise<RemoteTarget['transport']> {
  const { target } = args
  const { member, entry } = await findServer(target, args.config)
  const changed = entryWith(entry, args, auth, headers)
  if (isPlain(changed) && 'command' in changed) {
    throw new UsageError(
      `"${printableLine(target, 100)}" is a command already; a host runs it without connect`,
    )
  }
  const log = notes(terminal)
  return (fetch) => {
    const context = { environment: processEnvironment, log, fetch, retry: undefined }
    const transport = transportOf(target, `${member}.${target}`, changed, context)
    if (transport?.negotiation === 'auto') return transport
    throw new UsageError(
      `"${printableLine(target, 100)}" ${transport ? 'speaks HTTP with SSE, and connect only Streamable HTTP' : 'is disabled'}`,
    )
  }
}

/** An entry with what the command line says. */
function entryWith(
  entry: unknown,
  { allowInsecure }: Arguments,
  auth: TokenSource | undefined,
  headers: HeaderTexts,
): unknown {
  if (!isPlain(entry)) return entry
  return {
    ...entry,
    ...(auth && { auth }),
    ...(Object.keys(headers).length > 0 && { headers: { ...(entry.headers as object), ...headers } }),
    ...(allowInsecure && { allowInsecure }),
  }
}

/** An entry of a configuration, and where it stands. */
export interface FoundServer {
  readonly document: Readonly<Record<string, unknown>>
  readonly member: 'mcpServers' | 'servers'
  readonly entry: unknown
}

/**
 * The first file that describes the server.
 * @throws UsageError when there is none
 */
export async function findServer(name: string, config: string | undefined): Promise<FoundServer> {
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

/** What is in a file; `undefined` when it may be missing, and is. */
export async function readConfig(file: string, isOptional: boolean): Promise<unknown> {
  try {
    return await readConfigFile(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === undefined) throw error
    if (isOptional && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new UsageError(`${file} cannot be read (${code})`, { cause: error })
  }
}

/**
 * Headers as they are written on the command line. A secret among them is warned of.
 * @throws UsageError naming the option
 */
export function readHeaders(
  lines: readonly string[],
  terminal: Terminal,
  option = '--header',
): Record<string, string> {
  const headers = lines.map((line): [string, string] => {
    const end = line.indexOf(':')
    if (end < 1) throw new UsageError(`${option} must be written 'Name: value'`)
    const [name, value] = [line.slice(0, end).trim(), line.slice(end + 1).trim()]
    if (isSecretName(name) && literalOf(value) !== '') warnOfHeader(printableLine(name, 64), terminal)
    return [name, value]
  })
  if (new Set(headers.map(([name]) => name.toLowerCase())).size < headers.length) {
    throw new UsageError(`${option} gives one header twice`)
  }
  return Object.fromEntries(headers)
}
