import { checkOptions } from '../core/options.ts'
import type { FetchLike, HttpOptions } from './authorized-fetch.ts'
import { type ConfigText, interpolate, isReference } from './interpolate.ts'
import { stdioTransport } from './stdio-transport.ts'
import type { TokenSource } from './token-source.ts'
import { type ClientTransport, SSETransport, StreamableHttpTransport } from './transports.ts'

/** How a server is reached, in the words host configurations use. */
export type ServerType = 'http' | 'streamable-http' | 'sse' | 'stdio'

/** A configuration kept in a variable has lost its literal types; what it says is checked when it is read. */
type AnyText = string & {}

interface AnyServerConfig {
  /** Default: `stdio` with `command`; `sse` for a URL whose path ends in `/sse`; else `http`. */
  readonly type?: ServerType | AnyText | undefined
  /** The same as `type`; some hosts call it so. */
  readonly transport?: ServerType | AnyText | undefined
  /** Leaves the server out; its variables are not looked up. Default: false. */
  readonly disabled?: boolean | undefined
}

/** A server that is reached by URL. */
export interface RemoteServerConfig extends AnyServerConfig {
  readonly url: ConfigText | undefined
  /** The token, or where it comes from. Present and `undefined` is an error. */
  readonly auth?: ConfigText | TokenSource | undefined
  /** More headers for every request, as secret as a token. */
  readonly headers?: Readonly<Record<string, ConfigText | undefined>> | undefined
  /** DANGER: sends credentials over plain http to hosts other than this machine. Default: false. */
  readonly allowInsecure?: boolean | undefined
}

/** A server that runs as a child process. It has no `auth`: credentials go through `env`. */
export interface StdioServerConfig extends AnyServerConfig {
  readonly command: ConfigText | undefined
  readonly args?: readonly (ConfigText | undefined)[] | undefined
  /** The variables of the child, besides a few it cannot do without (`PATH`, `HOME`, …). */
  readonly env?: Readonly<Record<string, ConfigText | undefined>> | undefined
}

/** One entry of `mcpServers`. */
export type ServerConfig = RemoteServerConfig | StdioServerConfig

/**
 * The transport an entry of `mcpServers` describes; `undefined` when it is disabled. The entry is read, not kept.
 *
 * @throws TypeError naming the server, the place in its entry, and the variable that is missing
 */
export function transportOf(name: string, entry: unknown, fetch?: FetchLike): ClientTransport | undefined {
  const place = `mcpServers.${name}`
  const isStdio = kindOf(place, entry) === 'stdio'
  checkOptions(place, entry, isStdio ? stdioKeys : remoteKeys)
  const config = entry as Record<string, unknown>
  if (flag(place, 'disabled', config.disabled)) return undefined
  return isStdio ? stdio(place, config) : remote(name, place, config, fetch)
}

const commonKeys = ['type', 'transport', 'disabled']
const remoteKeys = ['url', 'auth', 'headers', 'allowInsecure', ...commonKeys]
const stdioKeys = ['command', 'args', 'env', ...commonKeys]
const types: readonly unknown[] = ['http', 'streamable-http', 'sse', 'stdio'] satisfies ServerType[]

/** `stdio`, `sse`, `http` or `streamable-http`; `undefined` for a URL without a type. */
function kindOf(place: string, entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) throw new TypeError(`${place} must be an object`)
  const { type, transport = type, url, command, auth } = entry as Record<string, unknown>
  const kind = type ?? transport
  if (kind !== undefined && (!types.includes(kind) || kind !== transport)) {
    throw new TypeError(`${place}: type must be one of ${types.join(', ')}`)
  }
  const hasUrl = 'url' in entry || url !== undefined
  const hasCommand = 'command' in entry || command !== undefined
  if (hasUrl === hasCommand) throw new TypeError(`${place} needs either url or command`)
  if (kind !== undefined && (kind === 'stdio') !== hasCommand) {
    throw new TypeError(`${place}: type does not go with ${hasCommand ? 'command' : 'url'}`)
  }
  if (hasCommand && ('auth' in entry || auth !== undefined)) {
    throw new TypeError(`${place}: a command takes no auth, its standard streams carry no token; use env`)
  }
  return hasCommand ? 'stdio' : kind
}

function stdio(place: string, { command, args = [], env = {} }: Record<string, unknown>): ClientTransport {
  if (!Array.isArray(args)) throw new TypeError(`${place}.args must be a list`)
  const words = Array.from(args, (word, index) => interpolate(word, `${place}.args[${index}]`))
  const program = interpolate(command, `${place}.command`)
  if (program.trim() === '') throw new TypeError(`${place}.command is empty`)
  return stdioTransport({ command: program, args: words, env: texts(env, `${place}.env`) })
}

function remote(
  name: string,
  place: string,
  config: Record<string, unknown>,
  fetch: FetchLike | undefined,
): ClientTransport {
  const url = interpolate(config.url, `${place}.url`)
  const options: HttpOptions = {
    serverName: name,
    allowInsecure: flag(place, 'allowInsecure', config.allowInsecure),
    ...('auth' in config && { auth: credential(config.auth, `${place}.auth`) }),
    ...(config.headers !== undefined && { headers: texts(config.headers, `${place}.headers`) }),
    ...(fetch && { fetch }),
  }
  const kind = config.type ?? config.transport
  const isSse = kind === 'sse' || (kind === undefined && /\/sse\/?$/.test(pathOf(url)))
  return isSse ? new SSETransport(url, options, place) : new StreamableHttpTransport(url, options, place)
}

/** Texts are filled in; anything else is for the transport to judge. */
function credential(auth: unknown, place: string): string | TokenSource {
  return typeof auth === 'string' || auth === undefined || isReference(auth)
    ? interpolate(auth, place)
    : (auth as TokenSource)
}

function texts(values: unknown, place: string): Record<string, string> {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new TypeError(`${place} must be an object of names and values`)
  }
  const filled = Object.entries(values).map(([name, value]) => [name, interpolate(value, `${place}.${name}`)])
  return Object.fromEntries(filled) as Record<string, string>
}

function flag(place: string, name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${place}: ${name} must be true or false`)
  }
  return value ?? false
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : ''
}
