import type { Implementation } from '@modelcontextprotocol/client'
import type { AuthError } from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import type { FetchLike } from './authorized-fetch.ts'
import { Client } from './client.ts'
import { type ServerConfig, transportOf } from './server-config.ts'

/** A configuration in the form hosts use. */
export interface MCPClientConfig {
  /** The servers by name. */
  readonly mcpServers: Readonly<Record<string, ServerConfig>>
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
}

/** What became of one server in {@link MCPClient.connectAll}. */
export type ConnectReport =
  | { readonly server: string; readonly connected: true }
  | { readonly server: string; readonly connected: false; readonly error: unknown }

/**
 * Several servers from one configuration. `${VAR}`, `${VAR:-default}` and `{ env: 'VAR' }` in any text of it are
 * filled in from the environment when the client is made. The configuration is read, never kept or changed; no server
 * sees a credential of another.
 *
 * @example
 * ```ts
 * import { MCPClient } from 'mcp-bearer/client'
 *
 * const client = new MCPClient({
 *   mcpServers: {
 *     reports: { url: 'https://reports.example.com/mcp', auth: '${REPORTS_TOKEN}' },
 *     search: { url: 'https://search.example.com/mcp', headers: { 'X-API-Key': { env: 'SEARCH_KEY' } } },
 *     files: { command: 'files-mcp', args: ['--root', '.'], env: { FILES_KEY: '${FILES_KEY}' } },
 *   },
 * })
 * await client.session('reports').callTool('summary', { year: 2026 })
 * await client.close()
 * ```
 */
export class MCPClient implements AsyncDisposable {
  readonly #sessions: ReadonlyMap<string, Client>
  readonly #disabled: ReadonlySet<string>

  /**
   * @throws TypeError when the configuration is wrong: names the server, the place in its entry, and the environment
   *   variable that is not set. No request is made before every server is checked.
   */
  constructor(config: MCPClientConfig, options: MCPClientOptions = {}) {
    checkOptions('MCPClient configuration', config, ['mcpServers'])
    checkOptions('MCPClient', options, ['fetch', 'clientInfo', 'timeout', 'onAuthError'])
    const { fetch, ...clientOptions } = options
    const { mcpServers } = config
    if (typeof mcpServers !== 'object' || mcpServers === null || Array.isArray(mcpServers)) {
      throw new TypeError('MCPClient configuration: mcpServers must be an object of servers by name')
    }
    const sessions = new Map<string, Client>()
    const disabled = new Set<string>()
    for (const [name, entry] of Object.entries(mcpServers)) {
      const transport = transportOf(name, entry, fetch)
      if (transport) sessions.set(name, new Client(transport, clientOptions))
      else disabled.add(name)
    }
    this.#sessions = sessions
    this.#disabled = disabled
  }

  /**
   * Reads the configuration from a JSON file.
   * @throws the error of the file system; TypeError when the file is not JSON, and as the constructor
   */
  static async fromFile(path: string | URL, options: MCPClientOptions = {}): Promise<MCPClient> {
    const { readFile } = await import('node:fs/promises')
    return new MCPClient(parse(await readFile(path, 'utf8'), path), options)
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

  /** Closes every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** The error of `JSON.parse` repeats the text, which may hold tokens. */
function parse(text: string, path: string | URL): MCPClientConfig {
  try {
    return JSON.parse(text) as MCPClientConfig
  } catch {
    throw new TypeError(`MCPClient: ${path} is not valid JSON`)
  }
}
