import type { CallToolResult, GetPromptResult, Implementation } from '@modelcontextprotocol/client'
import { type AuthError, type Logger, stderrLogger } from '../core/index.ts'
import { unfailing } from '../core/log.ts'
import { checkOptions } from '../core/options.ts'
import { Client } from './client.ts'
import type { CallOptions, ToolCallOptions } from './client-options.ts'
import { type Catalogue, type Cataloguer, cataloguer } from './config/catalogue.ts'
import { type Separator, separators } from './config/catalogue-names.ts'
import { type ConfigDocument, readConfigFile, readDocument } from './config/config-document.ts'
import { type SaveReport, withoutSecrets } from './config/config-save.ts'
import { environmentWith } from './config/dotenv.ts'
import { type ServerConfig, transportOf } from './config/server-config.ts'
import type { FetchLike, RetryOptions } from './fetch/authorized-fetch.ts'
import type { ClientHandlers } from './handlers.ts'
import { writePrivateFile } from './stores/private-file.ts'

/** A configuration in the form hosts use: servers by name, under one of two words. Other members warn. */
export interface MCPClientConfig {
  /** The servers by name, as most hosts call it. */
  readonly mcpServers?: Readonly<Record<string, ServerConfig>> | undefined
  /** The servers by name, as VS Code calls it. */
  readonly servers?: Readonly<Record<string, ServerConfig>> | undefined
}

/** Options of {@link MCPClient}, the same for all servers. */
export interface MCPClientOptions {
  /** Makes the HTTP requests. Default: the `fetch` of the runtime. */
  readonly fetch?: FetchLike | undefined
  /** How the client introduces itself. Default: this package. */
  readonly clientInfo?: Implementation | undefined
  /** Milliseconds to wait for an answer, and for each step of connecting. Default: 60000. */
  readonly timeout?: number | undefined
  /** Told when a server refuses the credential where no call fails; `error.server` says which. */
  readonly onAuthError?: ((error: AuthError) => void) | undefined
  /** What servers may ask, and tell, in the middle of a call; a function says it for each server. Default: nothing. */
  readonly handlers?: ClientHandlers | ((server: string) => ClientHandlers) | undefined
  /** How far a request goes on after an answer that is not the last word. */
  readonly retry?: RetryOptions | undefined
  /**
   * A file of variables below those of the environment, which itself is not changed: its path, or `true` for `.env` in
   * the working directory, if there is one. Default: only the environment.
   */
  readonly dotenv?: true | string | URL | undefined
  /** Told of members of the configuration that have no effect. Default: one line each to standard error. */
  readonly logger?: Logger | undefined
  /** What stands between server and name in {@link MCPClient.catalogue}. Default: `_`. */
  readonly separator?: Separator | undefined
}

/** What became of one server in {@link MCPClient.connectAll}. */
export type ConnectReport =
  | { readonly server: string; readonly connected: true }
  | { readonly server: string; readonly connected: false; readonly error: unknown }

/**
 * Several servers from one configuration. `${VAR}`, `${VAR:-default}`, `${env:VAR}` and `{ env: 'VAR' }` in any text of
 * it are filled in when the client is made; `auth` can also be `{ file: 'path' }` or `{ command: 'program', args: [] }`.
 * The configuration is copied, never changed; no server sees a credential of another.
 *
 * @example
 * ```ts
 * import { MCPClient } from 'mcp-bearer/client'
 *
 * const client = new MCPClient({
 *   mcpServers: {
 *     reports: { url: 'https://reports.example.com/mcp', auth: '${REPORTS_TOKEN}' },
 *     search: { url: 'https://search.example.com/mcp', headers: { 'X-API-Key': { env: 'SEARCH_KEY' } } },
 *     pages: { url: 'https://pages.example.com/mcp', auth: { file: '/run/secrets/pages' } },
 *     files: { command: 'files-mcp', args: ['--root', '.'], env: { FILES_KEY: '${FILES_KEY}' } },
 *   },
 * })
 * const { tools, failures } = await client.catalogue()
 * console.log(tools.map(({ name }) => name), failures)
 * await client.session('reports').callTool('summary', { year: 2026 })
 * await client.callTool('search_find', { text: 'the same as session("search").callTool("find")' })
 * await client.closeAll()
 * ```
 */
export class MCPClient implements AsyncDisposable {
  readonly #sessions: ReadonlyMap<string, Client>
  readonly #disabled: ReadonlySet<string>
  readonly #document: ConfigDocument
  readonly #cataloguer: Cataloguer

  /**
   * @throws TypeError when the configuration is wrong: names the server, the place in its entry, and the environment
   *   variable that is not set. No request is made before every server is checked.
   */
  constructor(config: MCPClientConfig, options: MCPClientOptions = {}) {
    checkOptions('MCPClient', options, known)
    const { fetch, retry, dotenv, handlers, logger = stderrLogger, separator = '_', ...common } = options
    if (!separators.includes(separator)) {
      throw new TypeError(`MCPClient: separator must be one of ${separators.join(' ')}`)
    }
    const log = unfailing(logger)
    const context = { environment: environmentWith(dotenv), log, fetch, retry }
    const document = readDocument(config, log)
    const sessions = new Map<string, Client>()
    const disabled = new Set<string>()
    for (const [name, entry] of document.servers) {
      const transport = transportOf(name, `${document.member}.${name}`, entry, context)
      if (!transport) {
        disabled.add(name)
        continue
      }
      const own = typeof handlers === 'function' ? handlers(name) : handlers
      sessions.set(name, new Client(transport, { ...common, ...(own && { handlers: own }) }))
    }
    this.#sessions = sessions
    this.#disabled = disabled
    this.#document = document
    this.#cataloguer = cataloguer(sessions, separator)
  }

  /**
   * Reads the configuration from a JSON file, at most 1 MiB.
   * @throws the error of the file system; TypeError when the file is not JSON, and as the constructor
   */
  static async fromFile(path: string | URL, options: MCPClientOptions = {}): Promise<MCPClient> {
    return new MCPClient((await readConfigFile(path)) as MCPClientConfig, options)
  }

  /** The names of the servers, disabled ones left out. */
  get servers(): readonly string[] {
    return [...this.#sessions.keys()]
  }

  /**
   * The client of one server, always the same one. It connects with its first call.
   * @throws TypeError when there is no server of that name, or it is disabled
   */
  session(name: string): Client {
    const session = this.#sessions.get(name)
    if (session) return session
    if (this.#disabled.has(name)) throw new TypeError(`MCPClient: the server "${name}" is disabled`)
    throw new TypeError(`MCPClient: no server "${name}"; there are ${this.servers.join(', ') || 'none'}`)
  }

  /**
   * Connects all servers at once. Does not throw: a server that is dead or refuses the credential is one entry of the
   * report, and the others are connected.
   */
  async connectAll(): Promise<ConnectReport[]> {
    const attempts = [...this.#sessions].map(async ([server, session]): Promise<ConnectReport> => {
      try {
        await session.connect()
        return { server, connected: true }
      } catch (error) {
        return { server, connected: false, error }
      }
    })
    return Promise.all(attempts)
  }

  /**
   * What all servers offer, in one list. Does not throw for a server: one that is dead or refuses the credential is one
   * of the `failures`. Tools and prompts are renamed to `server_name`, so that no server can pass its tool off as
   * another's: in the server's part everything but letters, digits and `-` becomes `-`, and names that are longer than
   * 64 characters or hold others than `A-Z a-z 0-9 _ - .` end in a fingerprint instead.
   *
   * @throws the reason of `signal` when it is aborted
   */
  async catalogue(options: CallOptions = {}): Promise<Catalogue> {
    checkOptions('catalogue', options, ['signal', 'timeout'])
    return this.#cataloguer.list(options)
  }

  /**
   * Calls a tool by its name in the {@link MCPClient.catalogue}, which need not have been asked for.
   * @throws TypeError when there is no such tool; else as {@link Client.callTool}
   */
  async callTool(name: string, args: object = {}, options: ToolCallOptions = {}): Promise<CallToolResult> {
    const { server, name: original } = await this.#cataloguer.find('tool', name, waiting(options))
    return this.session(server).callTool(original, args, options)
  }

  /**
   * Fills in a prompt by its name in the {@link MCPClient.catalogue}, which need not have been asked for.
   * @throws TypeError when there is no such prompt; else as {@link Client.getPrompt}
   */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<GetPromptResult> {
    const { server, name: original } = await this.#cataloguer.find('prompt', name, waiting(options))
    return this.session(server).getPrompt(original, args, options)
  }

  /**
   * Writes the configuration to a JSON file, as it was given, and never a secret: what stood in `auth`, `headers`, `env`,
   * or looked like a credential elsewhere, becomes `${NAME}`. The file is replaced at once and only its owner can read
   * it.
   *
   * @returns the variables that have to be set before the file can be used, and what no file can hold
   * @throws the error of the file system
   */
  async save(path: string | URL): Promise<SaveReport> {
    const { config, report } = withoutSecrets(this.#document)
    await writePrivateFile(path, `${JSON.stringify(config, undefined, 2)}\n`)
    return report
  }

  /** Closes every connection. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
  }

  /** The same as {@link MCPClient.closeAll}. */
  async close(): Promise<void> {
    await this.closeAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAll()
  }
}

const known = [
  'fetch',
  'clientInfo',
  'timeout',
  'onAuthError',
  'handlers',
  'retry',
  'dotenv',
  'logger',
  'separator',
]

/** The options that go for looking a name up as well as for the call. */
function waiting({ signal, timeout }: CallOptions): CallOptions {
  return { signal, timeout }
}
