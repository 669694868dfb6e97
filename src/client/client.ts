import type {
  CallToolResult,
  GetPromptResult,
  Implementation,
  ProgressCallback,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Client as SdkClient,
  Tool,
} from '@modelcontextprotocol/client'
import { type AuthError, ToolError } from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import { abortable } from './abortable.ts'
import type { HttpOptions } from './authorized-fetch.ts'
import { type Connection, openConnection } from './connection.ts'
import { type InProcessServer, transportTo } from './target.ts'
import type { ClientTransport } from './transports.ts'

/** Options of {@link Client}. Those of {@link HttpOptions} are for a URL; a transport has its own. */
export interface ClientOptions extends HttpOptions {
  /** How the client introduces itself. Default: this package. */
  readonly clientInfo?: Implementation | undefined
  /** Milliseconds to wait for an answer, and for each step of connecting. Default: 60000. */
  readonly timeout?: number | undefined
  /**
   * Told when the server refuses the credential where no call fails: on the stream it pushes messages on. What it
   * throws is dropped. Default: nobody is told.
   */
  readonly onAuthError?: ((error: AuthError) => void) | undefined
}

/** Options of one call. */
export interface CallOptions {
  /** Gives the call up. A connection that is being made for it goes on, others may wait for it. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait for the answer. Default: that of the client. */
  readonly timeout?: number | undefined
}

/** Options of {@link Client.callTool}. */
export interface ToolCallOptions extends CallOptions {
  /** Return a result that says `isError` instead of throwing. Default: false. */
  readonly raw?: boolean | undefined
  /** Told how far the tool is; asks the server to report it. */
  readonly onProgress?: ProgressCallback | undefined
}

/**
 * An MCP client that sends a token. It does nothing until the first call, which connects; protocol revisions
 * 2026-07-28 and 2025-11-25 and older are told apart by asking the server. One client for each identity: what it
 * lists and reads is asked from the server each time, never from a cache of somebody else's answers.
 *
 * Every failure of authentication is one `AuthError`, whichever call it comes out of: `code`, `status`, `challenge`,
 * `server`, `retryAfter`. A token that the server refuses is never tried on another transport. Other errors are those
 * of the official SDK.
 *
 * @example
 * ```ts
 * import { AuthError, Client } from 'mcp-bearer/client'
 *
 * await using client = new Client('https://mcp.example.com/mcp', { auth: 'sk-abc123' })
 * try {
 *   const { structuredContent } = await client.callTool('search', { query: 'bearer' })
 *   console.log(structuredContent)
 * } catch (error) {
 *   if (error instanceof AuthError && error.code === 'insufficient_scope') console.error(error.scopes)
 *   else throw error
 * }
 * ```
 */
export class Client implements AsyncDisposable {
  readonly #transport: ClientTransport
  readonly #clientInfo: Implementation
  readonly #timeout: number
  readonly #onAuthError: ((error: AuthError) => void) | undefined
  readonly #closed = new AbortController()
  #opening: Promise<Connection> | undefined

  /**
   * @param target the URL of a Streamable HTTP endpoint, a transport, or a server of this process
   * @throws TypeError when the URL or an option is wrong, an `auth` that is `undefined` included
   */
  constructor(target: string | URL | ClientTransport | InProcessServer, options: ClientOptions = {}) {
    checkOptions('Client', options, known)
    const { clientInfo = ourselves, timeout = 60_000, onAuthError, ...http } = options
    if (typeof clientInfo?.name !== 'string' || typeof clientInfo.version !== 'string') {
      throw new TypeError('Client: clientInfo must be { name, version }')
    }
    if (onAuthError !== undefined && typeof onAuthError !== 'function') {
      throw new TypeError('Client: onAuthError must be a function')
    }
    this.#transport = transportTo(target, http)
    this.#clientInfo = { ...clientInfo }
    this.#timeout = milliseconds('Client: timeout', timeout)
    this.#onAuthError = onAuthError
  }

  /** Connects, unless that is done. Calls do it by themselves. A failed attempt can be repeated. */
  async connect(options: CallOptions = {}): Promise<void> {
    checkOptions('connect', options, callOptions)
    await abortable(this.#connected(), options.signal)
  }

  /** Asks the server for a sign of life: `ping`, in the revision 2026-07-28 `server/discover`. */
  async ping(options: CallOptions = {}): Promise<void> {
    await this.#call('ping', options, async (sdk, request) => {
      await (sdk.getProtocolEra() === 'modern' ? sdk.discover(request) : sdk.ping(request))
    })
  }

  /** All tools, every page of the list. None when the server has no tools at all. */
  async listTools(options: CallOptions = {}): Promise<Tool[]> {
    return this.#call('listTools', options, async (sdk, request) =>
      sdk.getServerCapabilities()?.tools ? (await sdk.listTools(undefined, request)).tools : [],
    )
  }

  /**
   * Calls a tool.
   * @returns the result with `content`, and `structuredContent` when the tool has an output schema
   * @throws ToolError with the text of the content when the result says `isError`, unless `raw` is set
   */
  async callTool(name: string, args: object = {}, options: ToolCallOptions = {}): Promise<CallToolResult> {
    checkOptions('callTool', options, toolCallOptions)
    const { raw = false, onProgress, ...call } = options
    const result = await this.#call('callTool', call, (sdk, request) =>
      sdk.callTool(
        { name, arguments: { ...args } },
        { ...request, ...(onProgress && { onprogress: onProgress }) },
      ),
    )
    if (result.isError && !raw)
      throw new ToolError(textOf(result) || `${name} failed without a reason`, { result })
    return result
  }

  /** All resources, every page of the list. None when the server has no resources at all. */
  async listResources(options: CallOptions = {}): Promise<Resource[]> {
    return this.#call('listResources', options, async (sdk, request) =>
      sdk.getServerCapabilities()?.resources ? (await sdk.listResources(undefined, request)).resources : [],
    )
  }

  /** All resource templates, every page of the list. None when the server has no resources at all. */
  async listResourceTemplates(options: CallOptions = {}): Promise<ResourceTemplateType[]> {
    return this.#call('listResourceTemplates', options, async (sdk, request) =>
      sdk.getServerCapabilities()?.resources
        ? (await sdk.listResourceTemplates(undefined, request)).resourceTemplates
        : [],
    )
  }

  /** Reads a resource: its `contents`, text or base64. */
  async readResource(uri: string, options: CallOptions = {}): Promise<ReadResourceResult> {
    return this.#call('readResource', options, (sdk, request) => sdk.readResource({ uri }, request))
  }

  /** All prompts, every page of the list. None when the server has no prompts at all. */
  async listPrompts(options: CallOptions = {}): Promise<Prompt[]> {
    return this.#call('listPrompts', options, async (sdk, request) =>
      sdk.getServerCapabilities()?.prompts ? (await sdk.listPrompts(undefined, request)).prompts : [],
    )
  }

  /** Fills in a prompt: its `messages`. */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<GetPromptResult> {
    return this.#call('getPrompt', options, (sdk, request) =>
      sdk.getPrompt({ name, arguments: { ...args } }, request),
    )
  }

  /** Ends the session and the connection. Calls that wait fail, and so do later ones. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#closed.abort(new Error('The client is closed'))
    const connection = await this.#opening?.catch(() => undefined)
    await connection?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #call<T>(
    name: string,
    options: CallOptions,
    ask: (sdk: SdkClient, request: RequestOptions) => Promise<T>,
  ): Promise<T> {
    checkOptions(name, options, callOptions)
    const { signal, timeout = this.#timeout } = options
    const request: RequestOptions = {
      timeout: milliseconds(`${name}: timeout`, timeout),
      // Answers depend on the token of each request; the SDK would keep them for its own time.
      cacheMode: 'refresh',
      ...(signal && { signal }),
    }
    const connection = await abortable(this.#connected(), signal)
    try {
      return await ask(connection.sdk, request)
    } catch (error) {
      if (!connection.isForgotten(error)) throw connection.explain(error)
    }
    // The server was restarted: it has not looked at the request, which may be made again in a new session, once.
    connection.retire()
    const fresh = await abortable(this.#connected(), signal)
    try {
      return await ask(fresh.sdk, request)
    } catch (error) {
      throw fresh.explain(error)
    } finally {
      void connection.close()
    }
  }

  /** The connection, made now if there is none. Everybody who waits for it waits for the same one. */
  async #connected(): Promise<Connection> {
    this.#closed.signal.throwIfAborted()
    const opening = this.#opening ?? this.#open()
    const connection = await opening
    if (!connection.isClosed) return connection
    if (this.#opening === opening) this.#opening = undefined
    return this.#opening ?? this.#open()
  }

  #open(): Promise<Connection> {
    const settings = {
      clientInfo: this.#clientInfo,
      timeout: this.#timeout,
      onAuthError: this.#onAuthError,
    }
    const opening = openConnection(this.#transport, settings, this.#closed.signal)
    this.#opening = opening
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    return opening
  }
}

/** What the SDK takes with each request. */
interface RequestOptions {
  readonly timeout: number
  readonly cacheMode: 'refresh'
  readonly signal?: AbortSignal
}

const known = [
  'auth',
  'headers',
  'fetch',
  'allowInsecure',
  'serverName',
  'clientInfo',
  'timeout',
  'onAuthError',
]
const callOptions = ['signal', 'timeout']
const toolCallOptions = [...callOptions, 'raw', 'onProgress']

const ourselves: Implementation = { name: 'mcp-bearer', version: '0.1.0' }

/** A timer of more fires at once. */
const longestTimer = 2 ** 31 - 1

function milliseconds(option: string, value: unknown): number {
  return numberBetween(option, value, 1, longestTimer)
}

function textOf({ content }: CallToolResult): string {
  return content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n')
}
