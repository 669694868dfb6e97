import type {
  CallToolResult,
  CompleteResult,
  GetPromptResult,
  Implementation,
  LoggingLevel,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  ServerCapabilities,
  Tool,
} from '@modelcontextprotocol/client'
import { checkOptions } from '../core/options.ts'
import { abortable } from './abortable.ts'
import { Calls, quietly } from './calls.ts'
import { allOf, type Change, type ChangeFilter, readFilter } from './changes.ts'
import {
  type CallOptions,
  type ClientOptions,
  type CompleteOptions,
  callOptions,
  loggingLevel,
  readClientOptions,
  type ToolCallOptions,
  toolCallOptions,
} from './client-options.ts'
import { openSubscription, type Subscription } from './subscription.ts'
import { type InProcessServer, transportTo } from './target.ts'
import { finished, type ToolResult } from './tool-result.ts'
import type { ClientTransport } from './transports/transports.ts'

/**
 * An MCP client that sends a token. It does nothing until the first call, which connects; protocol revisions
 * 2026-07-28 and 2025-11-25 and older are told apart by asking the server, and so is, for a URL, the transport: HTTP
 * with SSE is taken when the server does not know Streamable HTTP. One client for each identity: what it lists and
 * reads is asked from the server each time, never from a cache of somebody else's answers.
 *
 * Every failure of authentication is one `AuthError`, whichever call it comes out of: `code`, `status`, `challenge`,
 * `server`, `retryAfter`. A token that the server refuses is never tried on another transport. Other errors are those
 * of the official SDK. A call is never made twice, unless the server has said that it has not looked at it.
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
  readonly #calls: Calls
  readonly #hasRoots: boolean

  /**
   * @param target the URL of an MCP endpoint, a transport, or a server of this process
   * @throws TypeError when the URL or an option is wrong, an `auth` that is `undefined` included
   */
  constructor(target: string | URL | ClientTransport | InProcessServer, options: ClientOptions = {}) {
    const settings = readClientOptions(options)
    this.#calls = new Calls(transportTo(target, settings.http), settings)
    this.#hasRoots = settings.handlers.roots !== undefined
  }

  /** The name and version the server gives itself. `undefined` before the first connection, or when it gives none. */
  get serverInfo(): Implementation | undefined {
    return this.#calls.server?.info
  }

  /** What the server can do (MCP "Capability Negotiation"). `undefined` before the first connection. */
  get serverCapabilities(): ServerCapabilities | undefined {
    return this.#calls.server?.capabilities
  }

  /** How the server wants to be used, in its own words, for a model. Untrusted text. */
  get instructions(): string | undefined {
    return this.#calls.server?.instructions
  }

  /** The revision of MCP that is spoken: `2026-07-28`. `undefined` before the first connection. */
  get protocolVersion(): string | undefined {
    return this.#calls.server?.protocolVersion
  }

  /** Connects, unless that is done. Calls do it by themselves. A failed attempt can be repeated. */
  async connect(options: CallOptions = {}): Promise<void> {
    checkOptions('connect', options, callOptions)
    await abortable(this.#calls.connected(), options.signal)
  }

  /** Asks the server for a sign of life: `ping`, in the revision 2026-07-28 `server/discover`. */
  async ping(options: CallOptions = {}): Promise<void> {
    await this.#calls.call('ping', options, async ({ sdk, isModern }, request) => {
      await (isModern ? sdk.discover(request) : sdk.ping(request))
    })
  }

  /** All tools, every page of the list. None when the server has no tools at all. */
  async listTools(options: CallOptions = {}): Promise<Tool[]> {
    return this.#calls.call('listTools', options, async ({ sdk, server }, request, meta) =>
      server.capabilities.tools ? (await sdk.listTools(meta, request)).tools : [],
    )
  }

  /**
   * Calls a tool.
   * @returns the result with `content`, and `structuredContent` when the tool has an output schema
   * @throws ToolError with the text of the content when the result says `isError`, unless `raw` is set; also when
   *   `structuredContent` does not fit `outputSchema`
   *
   * @example
   * ```ts
   * import { Client } from 'mcp-bearer/client'
   * import { z } from 'zod'
   *
   * await using client = new Client('https://mcp.example.com/mcp', { auth: 'sk-abc123' })
   * const outputSchema = z.object({ total: z.number() })
   * const { structuredContent } = await client.callTool('sum', { numbers: [1, 2] }, { outputSchema })
   * console.log(structuredContent.total)
   * ```
   */
  async callTool<Output = unknown>(
    name: string,
    args: object = {},
    options: ToolCallOptions<Output> = {},
  ): Promise<ToolResult<Output>> {
    checkOptions('callTool', options, toolCallOptions)
    const { raw = false, onProgress, outputSchema, ...call } = options
    const result: CallToolResult = await this.#calls.call('callTool', call, ({ sdk }, request, meta) =>
      sdk.callTool(
        { name, arguments: { ...args }, ...meta },
        { ...request, ...(onProgress && { onprogress: onProgress }) },
      ),
    )
    return finished(name, result, { raw, outputSchema })
  }

  /** All resources, every page of the list. None when the server has no resources at all. */
  async listResources(options: CallOptions = {}): Promise<Resource[]> {
    return this.#calls.call('listResources', options, async ({ sdk, server }, request, meta) =>
      server.capabilities.resources ? (await sdk.listResources(meta, request)).resources : [],
    )
  }

  /** All resource templates, every page of the list. None when the server has no resources at all. */
  async listResourceTemplates(options: CallOptions = {}): Promise<ResourceTemplateType[]> {
    return this.#calls.call('listResourceTemplates', options, async ({ sdk, server }, request, meta) =>
      server.capabilities.resources ? (await sdk.listResourceTemplates(meta, request)).resourceTemplates : [],
    )
  }

  /** Reads a resource: its `contents`, text or base64. */
  async readResource(uri: string, options: CallOptions = {}): Promise<ReadResourceResult> {
    return this.#calls.call('readResource', options, ({ sdk }, request, meta) =>
      sdk.readResource({ uri, ...meta }, request),
    )
  }

  /** All prompts, every page of the list. None when the server has no prompts at all. */
  async listPrompts(options: CallOptions = {}): Promise<Prompt[]> {
    return this.#calls.call('listPrompts', options, async ({ sdk, server }, request, meta) =>
      server.capabilities.prompts ? (await sdk.listPrompts(meta, request)).prompts : [],
    )
  }

  /** Fills in a prompt: its `messages`. */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<GetPromptResult> {
    return this.#calls.call('getPrompt', options, ({ sdk }, request, meta) =>
      sdk.getPrompt({ name, arguments: { ...args }, ...meta }, request),
    )
  }

  /**
   * Suggests values for an argument of a prompt or a resource template (MCP "Completion"). None when the server
   * suggests nothing at all.
   *
   * @example
   * ```ts
   * import { Client } from 'mcp-bearer/client'
   *
   * await using client = new Client('https://mcp.example.com/mcp', { auth: 'sk-abc123' })
   * const { values } = await client.complete({ type: 'ref/prompt', name: 'greet' }, { name: 'who', value: 'al' })
   * console.log(values)
   * ```
   */
  async complete(
    reference:
      | { readonly type: 'ref/prompt'; readonly name: string }
      | { readonly type: 'ref/resource'; readonly uri: string },
    argument: { readonly name: string; readonly value: string },
    options: CompleteOptions = {},
  ): Promise<CompleteResult['completion']> {
    checkOptions('complete', options, [...callOptions, 'context'])
    const { context, ...call } = options
    return this.#calls.call('complete', call, async ({ sdk, server }, request, meta) => {
      if (!server.capabilities.completions) return { values: [] }
      const params = {
        ref: reference,
        argument,
        ...(context && { context: { arguments: { ...context } } }),
        ...meta,
      }
      return (await sdk.complete(params, request)).completion
    })
  }

  /**
   * Says from which level on the server should send log lines to the handler `log` (MCP "Logging"): once for the
   * session, and in the revision 2026-07-28 with each request from now on.
   * @throws TypeError when it is not a level of RFC 5424
   */
  async setLoggingLevel(level: LoggingLevel, options: CallOptions = {}): Promise<void> {
    const wanted = loggingLevel(level)
    await this.#calls.call('setLoggingLevel', options, async ({ sdk, isModern, server }, request) => {
      if (!isModern && server.capabilities.logging) await sdk.setLoggingLevel(wanted, request)
    })
    this.#calls.logLevel = wanted
  }

  /**
   * Tells the server that the handler `roots` would answer something else now. A server of 2026-07-28 asks anew each
   * time, and is not told.
   */
  async rootsChanged(options: CallOptions = {}): Promise<void> {
    if (!this.#hasRoots) throw new TypeError('rootsChanged: there is no handler roots')
    await this.#calls.call('rootsChanged', options, async ({ sdk, isModern }) => {
      if (!isModern) await sdk.sendRootsListChanged()
    })
  }

  /**
   * Tells of changes at the server until it is closed (MCP "Subscriptions"; in 2025-11-25 "Resources", subscriptions,
   * and list changed notifications). The stream ends with its token and is opened again with the next one. After such
   * a gap the listener is told of everything it asked for once, since any of it may have changed. A server of
   * 2025-11-25 that has no event stream for its client tells nothing.
   *
   * @param listener told of each change; what it throws is dropped
   * @param options `signal` ends the subscription, `timeout` is for opening it
   * @returns once the server has agreed; `closed` says why it is over, and an `AuthError` there also goes to
   *   `onAuthError`
   * @throws SdkError `CAPABILITY_NOT_SUPPORTED` when the server does not tell of everything that is asked for
   *
   * @example
   * ```ts
   * import { Client } from 'mcp-bearer/client'
   *
   * await using client = new Client('https://mcp.example.com/mcp', { auth: 'sk-abc123' })
   * const subscription = await client.subscribe({ resources: ['notes://today'], tools: true }, (change) => {
   *   console.log(change.kind === 'resource' ? change.uri : change.kind)
   * })
   * const end = await subscription.closed
   * if (end.reason === 'lost') console.error(end.error)
   * ```
   */
  async subscribe(
    filter: ChangeFilter,
    listener: (change: Change) => void,
    options: CallOptions = {},
  ): Promise<Subscription> {
    checkOptions('subscribe', options, callOptions)
    const wanted = readFilter('subscribe', filter)
    if (typeof listener !== 'function') throw new TypeError('subscribe: the listener must be a function')
    const { signal, ...call } = options
    const tell = (change: Change): void => quietly(() => listener(change))
    // One of its own: Node warns of many listeners on one signal.
    const ends = AbortSignal.any([...(signal ? [signal] : []), this.#calls.closed])
    return openSubscription(
      {
        open: (until) =>
          this.#calls.call('subscribe', { ...call, signal: until }, ({ changes }, { timeout }) =>
            changes.listen(wanted, (change) => until.aborted || tell(change), { timeout, signal: until }),
          ),
        onGap: () => allOf(wanted).forEach(tell),
        onLost: (error) => this.#calls.refused(error),
      },
      ends,
    )
  }

  /** Ends the session, the subscriptions and the connection. Calls that wait fail, and so do later ones. */
  async close(): Promise<void> {
    await this.#calls.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
