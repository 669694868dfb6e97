import type { RequestListener } from 'node:http'
import {
  AccessToken,
  type Clock,
  type Logger,
  type ScopeHierarchy,
  scopePolicy,
  stderrLogger,
  systemClock,
  type TokenVerifier,
  unfailing,
} from '../core/index.ts'
import { checkOptions, numberBetween } from '../core/options.ts'
import type { HttpOptions } from './http-options.ts'
import { HttpSide, type Route } from './http-side.ts'
import { type Listening, type ListenOptions, listenAddress, listenOn } from './listen.ts'
import { type PromptHandler, promptEntry } from './prompts.ts'
import { registry } from './registry.ts'
import { type ResourceHandler, resourceEntry } from './resources.ts'
import type { Served } from './sdk-server.ts'
import { type StdioConnection, serveStdio } from './stdio.ts'
import { type ToolDefaults, type ToolHandler, toolEntry } from './tools.ts'
import type { PromptOptions, ResourceOptions, StandardSchema, ToolOptions } from './types.ts'

/** Options of {@link MCPServer}. */
export interface MCPServerOptions {
  readonly name: string
  /** Default: `0.0.0`. */
  readonly version?: string
  /** A name for people. */
  readonly title?: string
  /** What a model should know before it uses the server. */
  readonly instructions?: string
  /**
   * Who may use the server. With it, every tool, resource and prompt needs a good token on every request. Leave it out
   * for a server without protection; `undefined` is refused, so that an unset variable does not open a server.
   */
  readonly auth?: TokenVerifier
  /** Which scopes contain which. Default: none do. */
  readonly scopeHierarchy?: ScopeHierarchy
  /** A header that is taken as the credential beside `Authorization`, for example `X-API-Key`. Default: none. */
  readonly apiKeyHeader?: string
  /** Milliseconds after which a tool call is given up. Default: 600,000. */
  readonly toolTimeoutMs?: number
  /** Where log lines go. Default: warnings and errors to standard error. */
  readonly logger?: Logger
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

const known = [
  'name',
  'version',
  'title',
  'instructions',
  'auth',
  'scopeHierarchy',
  'apiKeyHeader',
  'toolTimeoutMs',
  'logger',
  'clock',
]

/**
 * An MCP server whose tools, resources and prompts nobody reaches without a good token. Speaks the protocol revisions
 * 2026-07-28 and 2025-11-25.
 *
 * @example
 * ```ts
 * import { BearerAuthProvider, MCPServer } from 'mcp-bearer/server'
 *
 * const auth = new BearerAuthProvider({
 *   jwksUri: 'https://id.example.com/.well-known/jwks.json',
 *   issuer: 'https://id.example.com/',
 *   audience: 'my-mcp-server',
 * })
 * const server = new MCPServer({ name: 'my-server', auth })
 *
 * server.tool('whoami', { description: 'Who the token speaks for' }, (_args, ctx) => `Hello ${ctx.auth?.subject}`)
 *
 * const { url } = await server.listen({ port: 0 })
 * ```
 */
export class MCPServer {
  readonly #registry = registry()
  readonly #served: Served
  readonly #defaults: ToolDefaults
  readonly #http: HttpSide
  readonly #open = new Set<{ close(): Promise<void> }>()

  /**
   * @param options what the server is and who may use it
   * @param http how it behaves on HTTP
   * @throws TypeError naming the option that is wrong
   */
  constructor(options: MCPServerOptions, http: HttpOptions = {}) {
    checkOptions('MCPServer', options, known)
    const { name, version = '0.0.0', title, instructions, clock = systemClock } = options
    if (typeof name !== 'string' || name === '')
      throw new TypeError('MCPServer: name must be a non-empty string')
    checkAuth(options)
    const logger = unfailing(options.logger ?? stderrLogger)
    const policy = scopePolicy(options.scopeHierarchy)
    this.#defaults = {
      logger,
      timeoutMs: numberBetween('MCPServer: toolTimeoutMs', options.toolTimeoutMs ?? 600_000, 1, 2 ** 31 - 1),
    }
    const identity = { name, version, ...(title !== undefined && { title }) }
    this.#served = {
      identity,
      instructions,
      registry: this.#registry,
      logger,
      covers: (token, scopes) => policy.covers(token.scopes, scopes),
      inFlight: new Set(),
    }
    this.#http = new HttpSide(this.#served, { ...options, clock }, http)
    const listener = this.#http.listener()
    this.nodeListener = (req, res) => listener(req, res)
  }

  /**
   * Adds a tool.
   *
   * @param name 1 to 128 letters, digits, `_`, `-`, `.`; unique
   * @param options see {@link ToolOptions}
   * @param handler gets the validated arguments (`{}` without an `inputSchema`) and the context of the request. What it
   *   returns becomes the result: text, an object (as structured content), content blocks, or a result in full. A
   *   `ToolError` reaches the caller; any other error reaches the log only.
   * @throws TypeError naming the option that is wrong
   *
   * @example
   * ```ts
   * import { MCPServer } from 'mcp-bearer/server'
   * import { z } from 'zod'
   *
   * const server = new MCPServer({ name: 'calculator' })
   * server.tool(
   *   'add',
   *   { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }), scopes: ['math'] },
   *   ({ a, b }) => ({ sum: a + b }),
   * )
   * ```
   */
  tool<
    Input extends StandardSchema | undefined = undefined,
    Output extends StandardSchema | undefined = undefined,
  >(name: string, options: ToolOptions<Input, Output>, handler: ToolHandler<Input>): this {
    this.#registry.tools.add(toolEntry(name, options, handler, this.#defaults))
    return this
  }

  /**
   * Adds a resource: one URI, or a template of URIs such as `users://{id}`.
   *
   * @param uri absolute; `{name}` stands for one segment, `{+name}` for the rest (RFC 6570)
   * @param handler gets the variables of the template (`{}` for one URI) and the context of the request, with `ctx.uri`.
   *   It returns text, bytes, an object (sent as JSON), or contents in full
   * @throws TypeError naming the option that is wrong
   */
  resource(uri: string, options: ResourceOptions, handler: ResourceHandler): this {
    const entry = resourceEntry(uri, options, handler, this.#served.logger)
    ;(entry.template ? this.#registry.templates : this.#registry.resources).add(entry)
    return this
  }

  /**
   * Adds a prompt.
   *
   * @param handler gets the validated arguments (`{}` without an `argsSchema`) and the context of the request. It
   *   returns the text of one user message, a list of messages, or `{ messages, description }`
   * @throws TypeError naming the option that is wrong
   */
  prompt<Args extends StandardSchema | undefined = undefined>(
    name: string,
    options: PromptOptions<Args>,
    handler: PromptHandler<Args>,
  ): this {
    this.#registry.prompts.add(promptEntry(name, options, handler, this.#served.logger))
    return this
  }

  /**
   * Answers one web-standard request, under the same policy as the listener and whatever its path is: for Hono, Bun,
   * Deno, workerd and any other host that speaks `fetch`. Can be passed on without its server.
   */
  readonly fetch = (request: Request): Promise<Response> => this.#http.fetch(request)

  /** Answers one Node request, whatever its path is: for Express and `node:http`. Can be passed on without its server. */
  readonly nodeListener: RequestListener

  /**
   * What must be reachable at the root of the host when the server is mounted under a prefix: the protected resource
   * metadata (RFC 9728 section 3.1), public by nature. Empty unless `resource` is set and `auth` has an authorization
   * server. A server that listens by itself, and one that gets every request of its host, serves them already.
   */
  get routes(): readonly Route[] {
    return this.#http.routes()
  }

  /**
   * Listens with `node:http`: the MCP endpoint, `/health`, and the protected resource metadata.
   *
   * @throws TypeError naming the option that is wrong
   * @throws Error with the system's `code` when the address cannot be bound
   */
  async listen(options: ListenOptions = {}): Promise<Listening> {
    this.#http.checkOpen()
    checkOptions('listen', options, ['port', 'host', 'path'])
    const address = listenAddress(options)
    this.#http.warnIfOpen(address)
    const listening = await listenOn(address, (port) => this.#http.site(address, port))
    return this.#track(listening)
  }

  /**
   * Serves one client over standard input and output. No bearer token travels there: components with `scopes` stay
   * closed unless you say who the client is.
   *
   * @param identity whom to take the client for
   * @throws TypeError when the identity is no {@link AccessToken}
   */
  async stdio(identity?: AccessToken): Promise<StdioConnection> {
    this.#http.checkOpen()
    if (identity !== undefined && !(identity instanceof AccessToken)) {
      throw new TypeError('stdio: the identity must be an AccessToken')
    }
    return this.#track(await serveStdio(this.#served, identity))
  }

  /**
   * Closes every listener and stdio connection, for good. Calls that came in through a listener may finish for up to
   * five seconds; all others are aborted. Requests that come later are answered with 503.
   */
  async close(): Promise<void> {
    this.#http.refuseAll()
    await Promise.all([...this.#open].map((open) => open.close()))
    await this.#http.close()
    for (const call of this.#served.inFlight) call.abort(new Error('the server was closed'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Remembers what has to be closed; what was opened while the server closed is closed at once. */
  async #track<Open extends { close(): Promise<void> }>(open: Open): Promise<Open> {
    this.#open.add(open)
    try {
      this.#http.checkOpen()
    } catch (error) {
      await open.close()
      throw error
    }
    return open
  }
}

function checkAuth(options: MCPServerOptions): void {
  if (options.clock !== undefined && typeof options.clock !== 'function') {
    throw new TypeError('MCPServer: clock must be a function that returns milliseconds')
  }
  if (!('auth' in options)) {
    if (options.apiKeyHeader === undefined) return
    throw new TypeError('MCPServer: apiKeyHeader has no effect without auth')
  }
  if (typeof options.auth?.verifyToken !== 'function') {
    throw new TypeError(
      'MCPServer: auth must be a token verifier, for example a BearerAuthProvider; leave it out for a server without protection',
    )
  }
}
