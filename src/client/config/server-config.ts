import type { Logger } from '../../core/index.ts'
import { BearerAuth } from '../bearer-auth.ts'
import type { FetchLike, HttpOptions, RetryOptions } from '../fetch/authorized-fetch.ts'
import { commandToken } from '../sources/command.ts'
import { fileToken } from '../sources/file.ts'
import type { TokenSource } from '../token-source.ts'
import { httpTransport } from '../transports/fallback-transport.ts'
import { stdioTransport } from '../transports/stdio-transport.ts'
import { type ClientTransport, SSETransport, StreamableHttpTransport } from '../transports/transports.ts'
import { isPlain } from './config-document.ts'
import { warnOfMembers } from './config-members.ts'
import { type ConfigText, type Environment, interpolate, isReference, variableOf } from './interpolate.ts'

/** How a server is reached, in the words host configurations use. */
export type ServerType = 'http' | 'streamable-http' | 'sse' | 'stdio'

/** A configuration kept in a variable has lost its literal types; what it says is checked when it is read. */
type AnyText = string & {}

interface AnyServerConfig {
  /**
   * Default: `stdio` with `command`; `sse` for a URL whose path ends in `/sse`; else `http`, and `sse` when the server
   * does not know that.
   */
  readonly type?: ServerType | AnyText | undefined
  /** The same as `type`; some hosts call it so. */
  readonly transport?: ServerType | AnyText | undefined
  /** Leaves the server out; its variables are not looked up. Default: false. */
  readonly disabled?: boolean | undefined
}

/** A token that a file holds. Read when it is needed, and again when the file changes: see `fileToken`. */
export interface FileReference {
  readonly file: ConfigText
}

/** A token that a program prints. Run when it is needed, without a shell: see `commandToken`. */
export interface CommandReference {
  readonly command: ConfigText
  readonly args?: readonly ConfigText[] | undefined
}

/** A server that is reached by URL. */
export interface RemoteServerConfig extends AnyServerConfig {
  readonly url: ConfigText | undefined
  /** The token, or where it comes from. Present and `undefined` is an error. */
  readonly auth?: ConfigText | FileReference | CommandReference | TokenSource | undefined
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
  /** The working directory of the child. Default: that of this process. */
  readonly cwd?: ConfigText | undefined
}

/** One entry of `mcpServers` or `servers`. Other members are those of other programs: they warn and have no effect. */
export type ServerConfig = RemoteServerConfig | StdioServerConfig

/** What entries are read with. */
export interface ConfigContext {
  readonly environment: Environment
  readonly log: Logger
  readonly fetch: FetchLike | undefined
  readonly retry: RetryOptions | undefined
}

/**
 * The transport an entry describes; `undefined` when it is disabled. The entry is read, not kept.
 *
 * @param place where the entry stands: `mcpServers.api`
 * @throws TypeError naming the server, the place in its entry, and the variable that is missing
 */
export function transportOf(
  name: string,
  place: string,
  entry: unknown,
  context: ConfigContext,
): ClientTransport | undefined {
  const isStdio = kindOf(place, entry) === 'stdio'
  const config = entry as Readonly<Record<string, unknown>>
  warnOfMembers(place, config, isStdio ? stdioKeys : remoteKeys, context.log)
  if (flag(place, 'disabled', config.disabled)) return undefined
  return isStdio ? stdio(place, config, context) : remote(name, place, config, context)
}

const commonKeys = ['type', 'transport', 'disabled']
/** What an entry with a URL may have. */
export const remoteKeys: readonly string[] = ['url', 'auth', 'headers', 'allowInsecure', ...commonKeys]
/** What an entry with a command may have. */
export const stdioKeys: readonly string[] = ['command', 'args', 'env', 'cwd', ...commonKeys]
const types: readonly unknown[] = ['http', 'streamable-http', 'sse', 'stdio'] satisfies ServerType[]

/** `stdio`, `sse`, `http` or `streamable-http`; `undefined` for a URL without a type. */
function kindOf(place: string, entry: unknown): unknown {
  if (!isPlain(entry)) throw new TypeError(`${place} must be an object`)
  const { type, transport = type } = entry
  const kind = type ?? transport
  if (kind !== undefined && (!types.includes(plainType(kind)) || kind !== transport)) {
    throw new TypeError(`${place}: type must be one of ${types.join(', ')}`)
  }
  const hasCommand = 'command' in entry
  if ('url' in entry === hasCommand) throw new TypeError(`${place} needs either url or command`)
  if (kind !== undefined && (kind === 'stdio') !== hasCommand) {
    throw new TypeError(`${place}: type does not go with ${hasCommand ? 'command' : 'url'}`)
  }
  for (const credential of ['auth', 'headers']) {
    if (hasCommand && credential in entry) {
      // MCP authorization, "Protocol Requirements"
      throw new TypeError(
        `${place}: a command takes no ${credential}, its standard streams carry no token; use env`,
      )
    }
  }
  return hasCommand ? 'stdio' : plainType(kind)
}

/** Some hosts spell it `streamableHttp`. */
function plainType(type: unknown): unknown {
  return typeof type === 'string' && /^streamable[-_]?http$/i.test(type) ? 'streamable-http' : type
}

function stdio(
  place: string,
  { command, args = [], env = {}, cwd }: Readonly<Record<string, unknown>>,
  { environment }: ConfigContext,
): ClientTransport {
  const program = interpolate(command, `${place}.command`, environment)
  if (program.trim() === '') throw new TypeError(`${place}.command is empty`)
  return stdioTransport({
    command: program,
    args: words(args, `${place}.args`, environment),
    env: texts(env, `${place}.env`, environment),
    ...(cwd !== undefined && { cwd: interpolate(cwd, `${place}.cwd`, environment) }),
  })
}

function remote(
  name: string,
  place: string,
  config: Readonly<Record<string, unknown>>,
  context: ConfigContext,
): ClientTransport {
  const { environment, fetch, retry } = context
  const url = interpolate(config.url, `${place}.url`, environment)
  const { headers } = config
  const options: HttpOptions = {
    serverName: name,
    allowInsecure: flag(place, 'allowInsecure', config.allowInsecure),
    ...('auth' in config && { auth: credential(config.auth, `${place}.auth`, context) }),
    ...(headers !== undefined && { headers: texts(headers, `${place}.headers`, environment) }),
    ...(fetch && { fetch }),
    ...(retry && { retry }),
  }
  const kind = plainType(config.type ?? config.transport)
  if (kind === 'sse' || (kind === undefined && /\/sse\/?$/.test(pathOf(url)))) {
    return new SSETransport(url, options, place)
  }
  // Which of the two an unnamed one is, is the server's to say.
  return kind === undefined
    ? httpTransport(url, options, place)
    : new StreamableHttpTransport(url, options, place)
}

/**
 * What `auth` of an entry stands for.
 * @throws TypeError naming the place, and the variable that is missing
 */
export function credential(
  auth: unknown,
  place: string,
  { environment, log }: Pick<ConfigContext, 'environment' | 'log'>,
): string | TokenSource {
  if (typeof auth === 'string' || auth === undefined || auth === null || isReference(auth)) {
    return fromVariable(auth, interpolate(auth, place, environment), place, environment)
  }
  if (typeof (auth as Partial<TokenSource>).token === 'function') return auth as TokenSource
  const names = isPlain(auth) ? Object.keys(auth).sort().join() : ''
  const { file, command, args = [] } = auth as Readonly<Record<string, unknown>>
  if (names === 'file') return fileToken(interpolate(file, `${place}.file`, environment), { logger: log })
  if (names === 'command' || names === 'args,command') {
    const program = interpolate(command, `${place}.command`, environment)
    return commandToken(program, words(args, `${place}.args`, environment))
  }
  throw new TypeError(
    `${place} must be a string, { env: 'NAME' }, { file: 'path' }, { command: 'program', args: [] }, or a TokenSource`,
  )
}

/** A token that is all of a variable's value goes by the name of the variable, so that errors can say which to repair. */
function fromVariable(
  auth: unknown,
  token: string,
  place: string,
  environment: Environment,
): string | TokenSource {
  const name = variableOf(auth, environment)
  if (name === undefined) return token
  const bearer = new BearerAuth(token, `${place}: the value of ${name}`)
  return Object.freeze({ name, token: () => bearer.token() })
}

function words(args: unknown, place: string, environment: Environment): string[] {
  if (!Array.isArray(args)) throw new TypeError(`${place} must be a list`)
  return Array.from(args, (word, index) => interpolate(word, `${place}[${index}]`, environment))
}

function texts(values: unknown, place: string, environment: Environment): Record<string, string> {
  if (!isPlain(values)) throw new TypeError(`${place} must be an object of names and values`)
  const filled = Object.entries(values).map(([name, value]) => {
    if (isPlain(value) && ('file' in value || 'command' in value)) {
      throw new TypeError(`${place}.${name} must be a string; only auth can come from a file or a command`)
    }
    return [name, interpolate(value, `${place}.${name}`, environment)]
  })
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
